// Names from the program itself: kernels and shared arrays from its ELF symbols, source lines by addr2line.
#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "kernels/simt/internal.h"

namespace tpp::simt {

namespace {

struct Module {
  std::uintptr_t base = 0, begin = 0, end = 0;  // where the program lies
  std::uintptr_t tls = 0;                       // the calling thread's block
  std::size_t tls_bytes = 0;
};

// The program itself comes first.
Module program() {
  Module m;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        auto& module = *static_cast<Module*>(out);
        module.base = info->dlpi_addr;
        module.begin = ~std::uintptr_t{0};
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          const std::uintptr_t from = info->dlpi_addr + header.p_vaddr;
          if (header.p_type == PT_LOAD) {
            module.begin = std::min(module.begin, from);
            module.end = std::max(module.end, from + header.p_memsz);
          }
          if (header.p_type == PT_TLS) module.tls_bytes = header.p_memsz;
        }
        module.tls = reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
        return 1;
      },
      &m);
  return m;
}

std::string demangled(const std::string& name);
std::string short_name(std::string text, bool function);

struct Symbols {
  Module module = program();
  std::vector<SharedArray> shared;
  std::map<std::uintptr_t, std::string> functions;  // by address

  Symbols() {
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || fstat(file, &status) != 0) return;
    const auto bytes = static_cast<std::size_t>(status.st_size);
    void* map = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (map == MAP_FAILED) return;
    read(static_cast<const char*>(map), bytes);
    munmap(map, bytes);
    std::sort(shared.begin(), shared.end(),
              [](const auto& a, const auto& b) { return a.offset < b.offset; });
  }

  void read(const char* file, std::size_t bytes) {
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(file);
    if (bytes < sizeof(header) || header.e_shoff + header.e_shnum * sizeof(ElfW(Shdr)) > bytes) {
      return;
    }
    const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(file + header.e_shoff);
    for (int i = 0; i < header.e_shnum; ++i) {
      if (sections[i].sh_type != SHT_SYMTAB) continue;
      const char* names = file + sections[sections[i].sh_link].sh_offset;
      const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(file + sections[i].sh_offset);
      for (std::size_t k = 0; k < sections[i].sh_size / sizeof(ElfW(Sym)); ++k) {
        const auto& symbol = symbols[k];
        const char* name = names + symbol.st_name;
        const int type = ELF64_ST_TYPE(symbol.st_info);
        // Thread-local variables inside of functions are shared arrays.
        if (type == STT_TLS && std::strncmp(name, "_ZZ", 3) == 0 && symbol.st_size != 0) {
          shared.push_back(
              {symbol.st_value, symbol.st_size, short_name(demangled(name), false), name});
        } else if (type == STT_FUNC && symbol.st_value != 0) {
          functions[module.base + symbol.st_value] = name;
        }
      }
    }
  }
};

Symbols& symbols() {
  static auto* s = new Symbols;
  return *s;
}

std::string demangled(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string result = status == 0 && text != nullptr ? text : name;
  std::free(text);
  return result;
}

// "void tpp::(anonymous namespace)::f<(int)3>(float*)::tile" → "tile"; "…::f<(int)3>(float*)" → "f<3>"
std::string short_name(std::string text, bool function) {
  for (std::size_t at; (at = text.find("(anonymous namespace)")) != std::string::npos;) {
    text.replace(at, 21, "_");
  }
  const auto outer = [&](auto&& visit) {  // walk what is in no brackets
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '<' || c == '(' || c == '[') ++depth;
      if (depth == 0) visit(i);
      if (c == '>' || c == ')' || c == ']') --depth;
    }
  };
  if (function && !text.empty() && text.back() == ')') {
    int depth = 0;
    std::size_t i = text.size();
    while (i-- > 0) {
      if (text[i] == ')') ++depth;
      if (text[i] == '(' && --depth == 0) break;
    }
    text.resize(i);
  }
  std::size_t begin = 0;
  outer([&](std::size_t i) {
    if (text[i] == ' ' || (text[i] == ':' && i > 0 && text[i - 1] == ':')) begin = i + 1;
  });
  text.erase(0, begin);
  for (const char* cast : {"(int)", "(bool)"}) {
    for (std::size_t at; (at = text.find(cast)) != std::string::npos;) {
      text.erase(at, std::strlen(cast));
    }
  }
  return text;
}

std::map<const void*, SourceLine>& line_cache() {
  static auto* cache = new std::map<const void*, SourceLine>;
  return *cache;
}

// The first frame that is not the emulator's.
void look_up(const std::vector<const void*>& addresses) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
  if (length <= 0) return;
  path[length] = 0;
  std::string quoted = "'";
  for (const char* c = path; *c != 0; ++c) quoted += *c == '\'' ? "'\\''" : std::string(1, *c);
  quoted += "'";

  const std::uintptr_t base = symbols().module.base;
  for (std::size_t begin = 0; begin < addresses.size(); begin += 200) {
    const std::size_t end = std::min(addresses.size(), begin + 200);
    std::string command = "addr2line -a -i -e " + quoted;
    for (std::size_t i = begin; i < end; ++i) {
      char text[32];
      std::snprintf(text, sizeof(text), " 0x%zx",
                    reinterpret_cast<std::uintptr_t>(addresses[i]) - base - 1);
      command += text;
    }
    command += " 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return;
    char line[4096];
    std::size_t at = begin;
    bool found = true, first = true;
    while (std::fgets(line, sizeof(line), pipe) != nullptr) {
      if (std::strncmp(line, "0x", 2) == 0 && std::strchr(line, ':') == nullptr) {
        if (!first) ++at;
        first = false;
        found = false;
        continue;
      }
      if (found || at >= end || std::strstr(line, "kernels/simt/") != nullptr) continue;
      char* colon = std::strrchr(line, ':');
      if (colon == nullptr || line[0] == '?') continue;
      *colon = 0;
      const char* slash = std::strrchr(line, '/');
      line_cache()[addresses[at]] = {slash ? slash + 1 : line, std::atoi(colon + 1), line};
      found = true;
    }
    pclose(pipe);
  }
}

}  // namespace

const std::vector<SharedArray>& shared_arrays() { return symbols().shared; }
std::size_t shared_block_bytes() { return symbols().module.tls_bytes; }
std::uintptr_t shared_block_begin() { return program().tls; }

bool in_image(std::uintptr_t address) {
  const Module& m = symbols().module;
  return address >= m.begin && address < m.end;
}

std::string function_name(const void* function) {
  const auto& functions = symbols().functions;
  const auto found = functions.find(reinterpret_cast<std::uintptr_t>(function));
  return found == functions.end() ? "a kernel" : short_name(demangled(found->second), true);
}

void StaticShared::add(const std::string& name, std::size_t more) {
  bytes += more;
  names += (names.empty() ? "" : ", ") + name + " " + std::to_string(more) + " B";
}

// f's arrays are called _ZZ…E1s where f is called _Z…
const StaticShared& static_shared(const void* kernel) {
  static auto* known = new std::map<const void*, StaticShared>;
  const auto [place, is_new] = known->try_emplace(kernel);
  const auto& functions = symbols().functions;
  const auto found = functions.find(reinterpret_cast<std::uintptr_t>(kernel));
  if (!is_new || found == functions.end() || found->second.compare(0, 2, "_Z") != 0) {
    return place->second;
  }
  const std::string prefix = "_ZZ" + found->second.substr(2) + "E";
  std::map<std::string, const SharedArray*> arrays;  // a name twice: of two files, one of them ours
  for (const SharedArray& array : symbols().shared) {
    if (array.symbol.compare(0, prefix.size(), prefix) == 0) arrays[array.symbol] = &array;
  }
  for (const auto& [symbol, array] : arrays) place->second.add(array->name, array->bytes);
  return place->second;
}

std::vector<SourceLine> source_lines(const std::vector<const void*>& addresses) {
  std::vector<const void*> unknown;
  for (const void* a : addresses) {
    if (line_cache().find(a) == line_cache().end() &&
        std::find(unknown.begin(), unknown.end(), a) == unknown.end()) {
      unknown.push_back(a);
    }
  }
  look_up(unknown);
  std::vector<SourceLine> lines;
  for (const void* a : addresses) {
    const auto found = line_cache().find(a);
    lines.push_back(found == line_cache().end() ? SourceLine{"?", 0} : found->second);
  }
  return lines;
}

std::string source_text(const void* return_address) {
  const SourceLine line = source_lines({return_address})[0];
  return line.file + ":" + std::to_string(line.line);
}

}  // namespace tpp::simt
