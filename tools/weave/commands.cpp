#include "tools/weave/commands.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/weave/files.h"
#include "tools/weave/results.h"

namespace tpp::weave {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  bool begun = false;
  for (const char c : command) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c, begun = true;
    } else if (c == ' ') {
      if (begun) words.push_back(word);
      word.clear(), begun = false;
    } else {
      word += c, begun = true;
    }
  }
  if (quote != '\0') throw InputError("the command's quotes are not closed");
  if (begun) words.push_back(word);
  return words;
}

}  // namespace

std::vector<std::string> Commands::program_of(const std::string& command) const {
  std::vector<std::string> words = words_of(command);
  if (words.size() < 2 || words[0] != "./run") {
    throw InputError(
        "a text runs commands of ./run only: example, counts, train, generate, info, text, learn");
  }
  const std::string name = words[1];
  words.erase(words.begin(), words.begin() + 2);
  std::string program;
  if (name == "example") {
    if (words.empty()) throw InputError("./run example needs a chapter's number");
    for (const auto& folder : fs::directory_iterator(root_ / "chapters")) {
      const std::string chapter = folder.path().filename().string();
      if (starts_with(chapter, words[0] + "_") && fs::exists(folder.path() / "example.cpp")) {
        program = "example_" + chapter;
      }
    }
    if (program.empty()) throw InputError("chapter '" + words[0] + "' has no example.cpp");
    words.erase(words.begin());
  } else if (name == "counts") {
    program = "tpp-counts";
  } else if (name == "train" || name == "generate" || name == "info" || name == "text") {
    program = "tpp";
    words.insert(words.begin(), name);
  } else if (name == "learn") {
    program = "tpp-learn";
  } else {
    throw InputError("a text cannot run './run " + name +
                     "'; it can: example, counts, train, generate, info, text, learn");
  }
  const fs::path path = bin_ / program;
  if (!fs::exists(path)) throw InputError(program + " is not built: ./run weave builds it");
  words.insert(words.begin(), path.string());
  return words;
}

Output Commands::run(const std::string& command) const {
  Output output;
  try {
    std::vector<std::string> program = program_of(command);
    for (const char* setting : {"TERM=dumb", "NO_COLOR=1", "COLUMNS=100"}) {
      program.insert(program.begin(), setting);
    }
    program.insert(program.begin(), "env");
    const learn::Ended ended =
        learn::run_process(program, {.seconds = seconds_, .output = std::size_t(256) << 10}, root_);
    output.lines = split_lines(ended.output);
    for (std::string& line : output.lines) line.erase(line.find_last_not_of(" \t\r") + 1);
    while (!output.lines.empty() && output.lines.back().empty()) output.lines.pop_back();
    const std::string last = output.lines.empty() ? "" : ": " + output.lines.back();
    if (ended.out_of_time) {
      output.error = "it ran longer than " + formatted(seconds_, ".3g") + " seconds";
    } else if (ended.signal != 0) {
      output.error = "it was ended by signal " + std::to_string(ended.signal) + last;
    } else if (ended.code != 0) {
      output.error = "it failed with exit code " + std::to_string(ended.code) + last;
    } else if (output.lines.empty()) {
      output.error = "it prints nothing";
    } else if (ended.printed > std::size_t(256) << 10) {
      output.error =
          "it prints " + std::to_string(ended.printed >> 10) + " KB: too much for a text";
    } else {
      for (const std::string& line : output.lines) {
        if (line.find("<!--") != std::string::npos)
          output.error = "it prints <!--, which a text would hide";
      }
    }
  } catch (const InputError& e) {
    output.error = e.what();
  }
  return output;
}

void Commands::run_all(const std::vector<std::string>& commands) {
  std::vector<std::string> waiting;
  for (const std::string& command : commands) {
    if (outputs_.count(command) == 0 &&
        std::find(waiting.begin(), waiting.end(), command) == waiting.end()) {
      waiting.push_back(command);
    }
  }
  std::vector<Output> outputs(waiting.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  for (unsigned t = 0; t < std::min<std::size_t>(cores, waiting.size()); ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < waiting.size(); i = next++) outputs[i] = run(waiting[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < waiting.size(); ++i) outputs_[waiting[i]] = std::move(outputs[i]);
}

const Output& Commands::output_of(const std::string& command) {
  const auto found = outputs_.find(command);
  if (found != outputs_.end()) return found->second;
  return outputs_[command] = run(command);
}

}  // namespace tpp::weave
