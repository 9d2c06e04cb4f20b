#include "tools/learn/mine.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "chapters/01_tensor/errors.h"

namespace tpp {
namespace fs = std::filesystem;
namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// What the program prints; its errors are its own
std::string output_of(const std::string& command, int& code) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw InputError("Cannot start " + command + ".");
  std::string text;
  char bytes[4096];
  while (const std::size_t n = std::fread(bytes, 1, sizeof bytes, pipe)) text.append(bytes, n);
  const int status = pclose(pipe);
  code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return text;
}

std::string field(std::string& line) {
  const std::size_t end = line.find('\t');
  const std::string first = line.substr(0, end);
  line.erase(0, end == std::string::npos ? line.size() : end + 1);
  return first;
}

}  // namespace

std::vector<LoadedFunction> load_functions(const std::string& list) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "tpp-learn";
  if (!fs::exists(program)) {
    throw InputError("There is no tpp-learn beside this program: ./run learn list builds it.");
  }
  int code = 0;
  std::string lines = output_of(quoted(program.string()) + " slot " + quoted(list) + " 2>&1", code);
  if (code != 0) {
    while (!lines.empty() && lines.back() == '\n') lines.pop_back();
    throw InputError(lines.empty() ? "tpp-learn ended with code " + std::to_string(code) + "."
                                   : lines);
  }
  std::vector<LoadedFunction> all;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string line = lines.substr(0, end);
    lines.erase(0, end == std::string::npos ? lines.size() : end + 1);
    if (std::count(line.begin(), line.end(), '\t') != 3) continue;
    const std::string name = field(line), file = field(line), index = field(line), label = line;
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // it stays
    if (library == nullptr) throw InputError(label + " cannot be loaded: " + dlerror());
    void* functions = dlsym(library, "tpp_slot_functions");
    if (functions == nullptr) throw InputError(file + " has no functions for the model.");
    const auto* table = reinterpret_cast<const AnyFunction* (*)()>(functions)();
    all.push_back({name, table[std::stoul(index)], label});
  }
  return all;
}

void put_mine_in_place(const std::string& list, const std::string& device) {
  if (list.empty()) return;
  if (device != "cpu") {
    throw InputError("--mine works on the processor: with --device " + device +
                     " the model runs kernels, not these functions.");
  }
  try {
    for (const LoadedFunction& one : load_functions(list))
      fill_slot(one.slot, one.function, one.label);
  } catch (const InputError& error) {
    const std::string reason = error.what();
    throw InputError(reason.starts_with("--mine") ? reason : "--mine: " + reason);
  }
}

}  // namespace tpp
