#include "tools/learn/checker.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace fs = std::filesystem;
namespace {

// Seconds for all steps of an exercise
double time_limit() {
  const char* asked = std::getenv("TPP_LEARN_SECONDS");
  return asked != nullptr && std::atof(asked) > 0 ? std::atof(asked) : 10;
}

constexpr std::size_t kMemory = std::size_t(8) << 30;

// A command as compile_commands.json has it: words, quotes, backslashes
std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool any = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      word += command[++i], any = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c, any = true;
    } else if (c == ' ') {
      if (any) words.push_back(std::move(word));
      word.clear(), any = false;
    } else {
      word += c, any = true;
    }
  }
  if (any) words.push_back(std::move(word));
  return words;
}

std::string without_rooms(std::string text) {
  for (const char* room : {"tpp_student::tpp::", "tpp_student::", "tpp::learn::", "tpp::"}) {
    for (std::size_t at; (at = text.find(room)) != std::string::npos;)
      text.erase(at, std::strlen(room));
  }
  return text;
}

struct Said {
  std::string file, kind, message;
  int line = 0, column = 0;
};

// The line of the student's file with a caret below
std::string shown(const fs::path& file, int line, int column) {
  std::ifstream in(file);
  std::string text;
  for (int i = 0; i < line; ++i) std::getline(in, text);
  if (!in && text.empty()) return "";
  std::string caret;
  for (int i = 0; i + 1 < column && i < int(text.size()); ++i) {
    const auto c = static_cast<unsigned char>(text[std::size_t(i)]);
    if ((c & 0xc0) != 0x80) caret += c == '\t' ? '\t' : ' ';  // one place for each letter
  }
  return "\n  " + std::to_string(line) + " | " + text + "\n" +
         std::string(std::to_string(line).size() + 3, ' ') + "| " + caret + "^";
}

}  // namespace

std::string first_error(const std::string& output, const fs::path& file) {
  static const std::regex said(
      R"(^(.*?):(\d+):(?:(\d+):)?\s+(fatal error|error|required from here|.*required from here|note):?\s*(.*)$)");
  static const std::regex undefined(R"(undefined reference to [`'‘]?(.*?)['’]?$)");
  const std::string mine = file.string();
  std::vector<Said> all;
  std::smatch m;
  std::string from_here;  // the line of theirs that began what failed elsewhere
  int here_line = 0, here_column = 0;
  for (const std::string& line : split_lines(output)) {
    if (std::regex_match(line, m, said)) {
      const int column = m[3].matched ? std::stoi(m[3]) : 1;
      const std::string kind = m[4];
      if (kind == "error" || kind == "fatal error") {
        all.push_back({m[1], kind, m[5], std::stoi(m[2]), column});
      } else if (m[1] == mine && here_line == 0) {
        here_line = std::stoi(m[2]), here_column = column;
      }
    }
  }
  // Theirs first
  for (const Said& s : all) {
    if (s.file == mine) {
      return "line " + std::to_string(s.line) + ": " + without_rooms(s.message) +
             shown(file, s.line, s.column);
    }
  }
  if (!all.empty()) {
    const Said& s = all.front();
    const std::string words = without_rooms(s.message);
    if (here_line != 0) {
      return "line " + std::to_string(here_line) + ": " + words +
             shown(file, here_line, here_column);
    }
    if (s.file.find("/learn/") != std::string::npos ||
        s.file.find("answer.h") != std::string::npos) {
      int open = 0;  // braces, comments and texts aside
      static const std::regex quiet(R"re("(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])+'|//[^\n]*)re");
      for (const char c : std::regex_replace(read_file(file), quiet, ""))
        open += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (open != 0) {
        return open > 0 ? "the file ends while a { is still open: a } is missing somewhere above"
                        : "the file has a } too many";
      }
      if (words.find("at end of input") != std::string::npos ||
          words.find("expected '}'") != std::string::npos) {
        return "the file ends while something is still open: is a } missing?";
      }
      return "the checks do not find what they call. Did a name, or what a function takes or "
             "returns, change? "
             "The compiler says: " +
             words;
    }
    return words + "\n  (in " + fs::path(s.file).filename().string() + ":" +
           std::to_string(s.line) + ")";
  }
  for (const std::string& line : split_lines(output)) {
    if (std::regex_search(line, m, undefined))
      return "declared, but written nowhere: " + without_rooms(m[1]).substr(0, 200);
  }
  return output.substr(0, 600);
}

std::string name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::not_written:
      return "not written yet";
    case Verdict::does_not_compile:
      return "does not compile";
    case Verdict::crashed:
      return "crashed";
    case Verdict::out_of_time:
      return "time limit";
    case Verdict::wrote_to_inputs:
      return "wrote to its inputs";
    case Verdict::no_check_ran:
      return "no check ran";
    case Verdict::no_gpu:
      return "skipped: no GPU";
  }
  return "?";
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return 0;
    case Verdict::failed:
      return 1;  // 2 is a harness that cannot work
    case Verdict::not_written:
      return 3;
    case Verdict::does_not_compile:
      return 4;
    case Verdict::crashed:
      return 5;
    case Verdict::out_of_time:
      return 6;
    case Verdict::wrote_to_inputs:
      return 7;
    case Verdict::no_check_ran:
      return 8;
    case Verdict::no_gpu:
      return 9;
  }
  return 2;
}

Checker::Checker(Places places, const Exercise& exercise, bool chain, std::vector<Exercise> earlier)
    : places_(std::move(places)),
      exercise_(exercise),
      chain_(chain),
      earlier_(std::move(earlier)),
      folder_(places_.build / "learn" / exercise.id),
      live_(folder_ / ("live-" + std::to_string(getpid()))) {}

Checker::~Checker() {
  std::error_code ignored;
  fs::remove_all(live_, ignored);
}

// Build the checks and find out by which commands
void Checker::build_ahead() {
  if (!compile_.empty()) return;
  if (!fs::exists(places_.build / "compile_commands.json")) {
    throw InputError("There is no build in " + places_.build.string() + ". ./run learn makes one.");
  }
  std::string target = "exercise_" + exercise_.id;
  std::replace(target.begin(), target.end(), '.', '_');
  const bool built_already =
      std::getenv("TPP_LEARN_BUILT") != nullptr;  // tests, which run side by side
  const int lock = open((places_.build / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock >= 0 && !built_already) flock(lock, LOCK_EX);  // ./run builds there too
  const Ended built =
      built_already ? Ended{}
                    : run_process({"cmake", "--build", places_.build.string(), "--target", target},
                                  {.seconds = 1800}, places_.root);
  if (lock >= 0) close(lock);
  if (built.code != 0 || built.signal != 0) {
    std::string words;
    for (const std::string& line : split_lines(built.output)) {
      if (line.find("error") != std::string::npos || line.find("Error") != std::string::npos)
        words += line + "\n";
    }
    throw InputError("The checks of " + exercise_.id +
                     " could not be built. That is not your file's fault.\n" +
                     (words.empty() ? built.output : words).substr(0, 3000));
  }

  // How the file in the student's place was compiled and linked
  const fs::path place = folder_ / "student.cpp";
  const auto commands = nlohmann::json::parse(read_file(places_.build / "compile_commands.json"));
  for (const auto& entry : commands) {
    if (entry.at("file").get<std::string>() == place.string()) {
      compile_ = words_of(entry.at("command").get<std::string>());
    }
  }
  if (compile_.empty())
    throw InputError("compile_commands.json does not know " + place.string() + ".");
  if (fs::path(compile_[0]).filename() == "ccache") compile_.erase(compile_.begin());
  const std::string record = read_file(folder_ / "link");
  for (std::size_t from = 0; from < record.size();) {
    const std::size_t to = record.find('\0', from);
    link_.push_back(record.substr(from, to - from));
    from = to + 1;
  }
  fs::create_directories(live_);
  std::string object;
  for (std::size_t i = 0; i + 1 < compile_.size(); ++i) {
    if (compile_[i] == "-o") {
      object = compile_[i + 1];
      compile_[i + 1] = (live_ / "student.o").string();
    } else if (compile_[i] == "-c") {
      compile_[i + 1] = (live_ / "student.cpp").string();
    }
  }
  for (const char* more : {"-fdiagnostics-color=never", "-Wno-error"}) compile_.emplace_back(more);
  bool found = false;
  for (std::size_t i = 0; i < link_.size(); ++i) {
    if (link_[i] == object) link_[i] = (live_ / "student.o").string(), found = true;
    if (link_[i] == "-o") link_[i + 1] = (live_ / "check").string();
  }
  if (!found) throw InputError("The link of " + exercise_.id + " does not name " + object + ".");
}

bool Checker::compile(Checked& result) {
  const fs::path file = work_file(places_, exercise_);
  const std::string text = read_file(file);
  std::vector<std::string> includes = includes_of(text);
  std::string content;
  if (chain_) {
    // The student's own answers of what this one needs stand before it, and hide the book's functions of their names
    for (const Exercise& e : earlier_) {
      const bool needed =
          std::find(exercise_.needs.begin(), exercise_.needs.end(), e.id) != exercise_.needs.end();
      const fs::path theirs = work_file(places_, e);
      if (!needed || !fs::exists(theirs)) continue;
      for (const std::string& more : includes_of(read_file(theirs))) includes.push_back(more);
      content += "#include \"" + theirs.string() + "\"\n";
    }
  }
  write_file(live_ / "student.cpp",
             student_source(includes, content + "#include \"" + file.string() + "\"\n",
                            exercise_.answer_header(), exercise_.own_names()));
  const Ended compiled = run_process(compile_, {.seconds = 120}, places_.build);
  if (compiled.out_of_time) {
    result.message = "the compiler did not come to an end in two minutes";
    return false;
  }
  if (compiled.code != 0 || compiled.signal != 0) {
    // No error of theirs: the book may have changed under what was built ahead
    if (!built_again_ && compiled.output.find(file.string() + ":") == std::string::npos) {
      built_again_ = true;
      compile_.clear(), link_.clear();
      build_ahead();
      return compile(result);
    }
    result.message = first_error(compiled.output, file);
    return false;
  }
  const Ended linked = run_process(link_, {.seconds = 120}, places_.build);
  if (linked.code != 0 || linked.signal != 0) {
    result.message = first_error(linked.output, file);
    return false;
  }
  return true;
}

void Checker::build_for_model(const fs::path& file, const fs::path& shared_object) {
  build_ahead();
  const fs::path source = live_ / "slot.cpp";
  write_file(source,
             slot_source(includes_of(read_file(file)), "#include \"" + file.string() + "\"\n",
                         exercise_.answer_header(), exercise_.own_names()));
  std::vector<std::string> command;
  for (std::size_t i = 0; i < compile_.size(); ++i) {
    if (compile_[i] == "-include" || compile_[i] == "-c" || compile_[i] == "-o") {
      ++i;  // no precompiled headers: they are not position-independent
    } else if (compile_[i] != "-Winvalid-pch" && compile_[i] != "-UNDEBUG" &&
               compile_[i] != "-O1") {
      command.push_back(compile_[i]);
    }
  }
  fs::create_directories(shared_object.parent_path());
  const fs::path part = shared_object.string() + ".part" + std::to_string(getpid());
  for (const std::string& word : {std::string("-O3"), std::string("-fPIC"), std::string("-shared"),
                                  source.string(), std::string("-o"), part.string()}) {
    command.push_back(word);
  }
  const Ended built = run_process(command, {.seconds = 120}, places_.build);
  if (built.code != 0 || built.signal != 0) {
    throw InputError(exercise_.id + " for the model: " + first_error(built.output, file));
  }
  fs::rename(part, shared_object);
}

void Checker::run(Checked& result) {
  const fs::path results = live_ / "results";
  std::error_code ignored;
  fs::remove(results, ignored);
  const Ended ended = run_process({(live_ / "check").string(), "--results", results.string()},
                                  {.seconds = time_limit(), .memory = kMemory}, places_.build);
  result.printed = ended.output;
  result.printed_bytes = ended.printed;
  if (exercise_.cuda) result.machine = "on the emulator";

  // Read what the check wrote, as far as it came
  bool judged = false, complete = false;
  std::vector<std::string> titles;
  if (fs::exists(results)) {
    for (const std::string& line : split_lines(read_file(results))) {
      const auto said = nlohmann::json::parse(line, nullptr, false);
      if (said.is_discarded()) continue;  // cut off in the middle
      if (said.contains("steps")) titles = said["steps"].get<std::vector<std::string>>();
      if (said.contains("step")) result.steps.push_back({said["step"], said["result"]});
      if (said.contains("message")) result.message = said["message"];
      if (said.contains("checks")) result.checks = said["checks"];
      if (said.contains("diagnosis")) {
        result.mistake = said["diagnosis"];
        result.sentence = said["sentence"];
        result.difference = said["difference"];
      }
      if (said.contains("verdict")) {
        judged = true;
        const std::string verdict = said["verdict"];
        for (const Verdict v : {Verdict::passed, Verdict::failed, Verdict::not_written,
                                Verdict::wrote_to_inputs, Verdict::no_check_ran}) {
          if (name_of(v) == verdict) result.verdict = v;
        }
      }
      if (said.contains("end")) complete = true;
    }
  }
  if (judged && result.verdict == Verdict::passed &&
      !(complete && ended.code == 0 && ended.signal == 0)) {
    judged = false;  // a pass needs a whole run
  }
  if (judged) {
    if (result.verdict == Verdict::wrote_to_inputs) {
      result.message = "your code changed \"" + result.message + "\", which it must only read";
    }
    return;
  }

  // It did not come to a verdict: say where it was
  const bool known = result.steps.size() < titles.size();
  const std::string where = known ? titles[result.steps.size()] : "";
  if (known) {
    result.steps.push_back({where, "failed"});
    for (std::size_t i = result.steps.size(); i < titles.size(); ++i)
      result.steps.push_back({titles[i], "waiting"});
  }
  if (ended.out_of_time) {
    result.verdict = Verdict::out_of_time;
    result.message =
        "still running after " + std::to_string(int(time_limit())) +
        " seconds: an endless loop, or far too slow. The right answer needs well under one second";
  } else if (ended.signal != 0) {
    result.verdict = Verdict::crashed;
    const std::vector<std::string> lines = split_lines(ended.output);
    if (ended.signal == SIGSEGV || ended.signal == SIGBUS) {
      result.message =
          "it touched memory that it does not have: an index out of range, or a recursion without "
          "end";
    } else if (ended.signal == SIGFPE) {
      result.message = "a whole number was divided by zero";
    } else if (ended.signal == SIGILL || ended.signal == SIGTRAP) {
      result.message =
          "it ran into a place that must not be reached: does every path of the function return a "
          "value?";
    } else {
      result.message = "it ended by signal " + std::to_string(ended.signal) +
                       (lines.empty() ? "" : ": " + lines.back().substr(0, 300));
    }
  } else {
    result.verdict = titles.empty() ? Verdict::no_check_ran : Verdict::crashed;
    result.message = titles.empty()
                         ? "the check program said nothing"
                         : "your code ended the program (exit code " + std::to_string(ended.code) +
                               ") before the check was over";
  }
}

Checked Checker::check() {
  Checked result;
  build_ahead();
  const auto start = std::chrono::steady_clock::now();
  if (!compile(result)) {
    result.verdict = Verdict::does_not_compile;
  } else {
    result.steps.clear();
    run(result);
  }
  result.message = without_rooms(result.message);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace tpp::learn
