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
#include <future>
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

constexpr const char* kYours = "_of_yours";  // what --chain adds to names

std::string without_rooms(std::string text) {
  for (const char* room :
       {kYours, "tpp_student::tpp::", "tpp_student::", "tpp::learn::", "tpp::"}) {
    for (std::size_t at; (at = text.find(room)) != std::string::npos;)
      text.erase(at, std::strlen(room));
  }
  return text;
}

// Eigen's types are a paragraph each: what a student must know is whether it is a matrix, an array or a number
std::string without_types(const std::string& text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::string open = "‘", close = "’";
    const std::size_t at = text.find(open, from), end = text.find(close, at);
    if (at == std::string::npos || end == std::string::npos) return out + text.substr(from);
    const std::string quoted = text.substr(at + open.size(), end - at - open.size());
    out += text.substr(from, at - from) + open;
    from = end;
    const bool eigen = quoted.rfind("Eigen::", 0) == 0 || quoted.rfind("const Eigen::", 0) == 0;
    if (!eigen || quoted.size() < 40) {
      out += quoted;
    } else {
      const bool number = quoted.find("::Scalar", quoted.size() - 8) != std::string::npos;
      out += number ? "number" : quoted.find("Array") < 24 ? "array" : "matrix";
      const std::size_t behind = end + close.size(), aka = text.find(close, behind);
      if (text.compare(behind, 6, " {aka ") == 0 && aka != std::string::npos) {
        out += close;
        from = aka + close.size() + 1;  // {aka ‘…’}
      }
    }
  }
  return out;
}

// What the compiler says, as a student can read it
std::string readable(const std::string& message) {
  std::string words = without_types(without_rooms(message));
  const auto has = [&](const char* part) { return words.find(part) != std::string::npos; };
  const bool adds = has("‘operator-’") || has("‘operator+’");
  if (adds && has("‘matrix’") && (has("‘number’") || has("‘double’") || has("‘float’")))
    words += "\n  A number is added to, or taken from, every entry of an array: m.array() - 1";
  if (has("YOU_CANNOT_MIX_ARRAYS_AND_MATRICES"))
    words +=
        "\n  One side is an .array(), the other a matrix: give both .array(), or both .matrix()";
  return words;
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
  if (column < 1) return "\n  " + std::to_string(line) + " | " + text;
  return "\n  " + std::to_string(line) + " | " + text + "\n" +
         std::string(std::to_string(line).size() + 3, ' ') + "| " + caret + "^";
}

}  // namespace

std::string first_error(const std::string& output, const fs::path& file) {
  static const std::regex said(
      R"(^(.*?):(\d+):(?:(\d+):)?\s+(fatal error|error|required from here|.*required from here|note):?\s*(.*)$)");
  // nvcc: file.cuh(23): error: …, then the line, then a caret
  static const std::regex said_nvcc(
      R"(^(.*?)\((\d+)\): (?:catastrophic )?error(?: #[\w-]+)?\s*: (.*)$)");
  static const std::regex caret(R"(^\s*\^\s*$)");
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
    } else if (std::regex_match(line, m, said_nvcc)) {
      all.push_back({m[1], "error", m[3], std::stoi(m[2]), 0});
    } else if (std::regex_match(line, caret) && !all.empty() && all.back().column == 0) {
      all.back().column = int(line.find('^')) - 1;  // nvcc indents the line by two
    }
  }
  // Theirs first
  for (const Said& s : all) {
    if (s.file == mine) {
      return "line " + std::to_string(s.line) + ": " + readable(s.message) +
             shown(file, s.line, s.column);
    }
  }
  if (!all.empty()) {
    const Said& s = all.front();
    const std::string words = readable(s.message);
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

Verdict verdict_of(const std::string& name) {
  for (int v = 0; v <= int(Verdict::no_gpu); ++v) {
    if (name_of(Verdict(v)) == name) return Verdict(v);
  }
  return Verdict::no_check_ran;
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

std::string why_no_gpu(const Places& places) {
  const fs::path commands = places.build / "compile_commands.json";
  if (fs::exists(commands) && read_file(commands).find("/gpu/student.cu") != std::string::npos)
    return "";
  if (!fs::exists("/dev/nvidia0") && !fs::exists("/dev/dxg")) {
    return "this machine has no NVIDIA device (there is no /dev/nvidia0)";
  }
  return "there is a device, but this build has no nvcc: install NVIDIA's CUDA Toolkit 12 or 13 "
         "and "
         "say ./run learn again";
}

Checker::Checker(Places places, const Exercise& exercise, How how)
    : places_(std::move(places)), exercise_(exercise), how_(std::move(how)) {
  std::string target = "exercise_" + exercise.id;
  std::replace(target.begin(), target.end(), '.', '_');
  const fs::path folder = places_.build / "learn" / exercise.id;
  const std::string live = "live-" + std::to_string(getpid());
  cpu_ = {
      .target = target, .folder = folder, .source = folder / "student.cpp", .live = folder / live};
  gpu_ = {.gpu = true,
          .target = target + "_gpu",
          .folder = folder / "gpu",
          .source = folder / "gpu" / "student.cu",
          .live = folder / "gpu" / live};
}

Checker::~Checker() {
  if (std::getenv("TPP_LEARN_KEEP") != nullptr) return;  // to look at the programs
  std::error_code ignored;
  for (const Program* program : {&cpu_, &gpu_}) fs::remove_all(program->live, ignored);
}

// Build the checks and find out by which commands
void Checker::build_ahead(Program& program) {
  if (!program.compile.empty()) return;
  if (!fs::exists(places_.build / "compile_commands.json")) {
    throw InputError("There is no build in " + places_.build.string() + ". ./run learn makes one.");
  }
  const bool built_already =
      std::getenv("TPP_LEARN_BUILT") != nullptr;  // tests, which run side by side
  const int lock = open((places_.build / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock >= 0 && !built_already) flock(lock, LOCK_EX);  // ./run builds there too
  const Ended built =
      built_already
          ? Ended{}
          : run_process({"cmake", "--build", places_.build.string(), "--target", program.target},
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
  const auto commands = nlohmann::json::parse(read_file(places_.build / "compile_commands.json"));
  for (const auto& entry : commands) {
    if (entry.at("file").get<std::string>() == program.source.string()) {
      program.compile = words_of(entry.at("command").get<std::string>());
    }
  }
  if (program.compile.empty())
    throw InputError("compile_commands.json does not know " + program.source.string() + ".");
  if (fs::path(program.compile[0]).filename() == "ccache")
    program.compile.erase(program.compile.begin());
  const std::string record = read_file(program.folder / "link");
  program.link.clear();
  for (std::size_t from = 0; from < record.size();) {
    const std::size_t to = record.find('\0', from);
    program.link.push_back(record.substr(from, to - from));
    from = to + 1;
  }
  std::error_code error;
  fs::create_directories(program.live, error);
  if (error)
    throw InputError("Cannot write to " + program.folder.string() + ": " + error.message() + ".");
  std::string object;
  const std::string ours = (program.live / "student.o").string();
  for (std::size_t i = 0; i + 1 < program.compile.size(); ++i) {
    if (program.compile[i] == "-o") {
      object = program.compile[i + 1];
      program.compile[i + 1] = ours;
    } else if (program.compile[i] == "-c") {
      program.compile[i + 1] = (program.live / program.source.filename()).string();
    }
  }
  if (!program.gpu) {
    for (const char* more : {"-fdiagnostics-color=never", "-Wno-error"})
      program.compile.emplace_back(more);
  }
  bool found = false;
  for (std::size_t i = 0; i < program.link.size(); ++i) {
    if (program.link[i] == object) program.link[i] = ours, found = true;
    if (program.link[i] == "-o") program.link[i + 1] = (program.live / "check").string();
  }
  if (!found) throw InputError("The link of " + exercise_.id + " does not name " + object + ".");
}

// The exercises whose answers stand before this one's, with --chain: those of which it calls a function
std::vector<const Exercise*> Checker::before() const {
  std::vector<const Exercise*> found;
  if (!how_.chain) return found;
  const std::string mine = read_file(work_file(places_, exercise_));
  for (const Exercise& e : how_.earlier) {
    const bool needed =
        std::find(exercise_.needs.begin(), exercise_.needs.end(), e.id) != exercise_.needs.end();
    if (!needed || e.cuda != exercise_.cuda || !fs::exists(work_file(places_, e))) continue;
    for (const std::string& name : e.own_names()) {
      if (!std::regex_search(mine, std::regex("\\b" + name + "\\b"))) continue;
      found.push_back(&e);
      break;
    }
  }
  return found;
}

bool Checker::compile(Program& program, const std::vector<const Exercise*>& before,
                      Checked& result) {
  const fs::path file = work_file(places_, exercise_);
  std::vector<std::string> includes = includes_of(read_file(file));
  std::string content;
  std::string after;
  // Their functions get other names, here and in what calls them: or a call could mean the book's as well
  for (const Exercise* e : before) {
    const fs::path theirs = work_file(places_, *e);
    for (const std::string& more : includes_of(read_file(theirs))) includes.push_back(more);
    for (const std::string& name : e->own_names()) {
      content += "#define " + name + " " + name + kYours + "\n";
      after += "#undef " + name + "\n";
    }
    content += "#include \"" + theirs.string() + "\"\n";
  }
  content += "#include \"" + file.string() + "\"\n" + after;
  write_file(program.live / program.source.filename(),
             student_source(includes, content, exercise_.answer_header(), exercise_.own_names(),
                            exercise_.expected, program.gpu));
  const auto fails = [&](const Ended& ended) {
    if (ended.code == 0 && ended.signal == 0) return false;
    result.message = first_error(ended.output, file);
    for (const Exercise* e : before) {
      const fs::path theirs = work_file(places_, *e);
      if (ended.output.find(theirs.string()) == std::string::npos) continue;
      result.message = "your own " + e->id + " (" + theirs.string() +
                       "), which --chain uses, does not compile:\n" +
                       first_error(ended.output, theirs);
      break;
    }
    if (program.gpu) result.message = "nvcc says, " + result.message;
    return true;
  };
  const Ended compiled = run_process(program.compile, {.seconds = 120}, places_.build);
  if (compiled.out_of_time) {
    result.message = "the compiler did not come to an end in two minutes";
    return false;
  }
  // No error of theirs: the book may have changed under what was built ahead
  if ((compiled.code != 0 || compiled.signal != 0) && !program.built_again &&
      compiled.output.find(places_.work.string()) == std::string::npos) {
    program.built_again = true;
    program.compile.clear(), program.link.clear();
    build_ahead(program);
    return compile(program, before, result);
  }
  return !fails(compiled) && !fails(run_process(program.link, {.seconds = 120}, places_.build));
}

void Checker::build_for_model(const fs::path& file, const fs::path& shared_object) {
  build_ahead(cpu_);
  const fs::path source = cpu_.live / "slot.cpp";
  write_file(source,
             slot_source(includes_of(read_file(file)), "#include \"" + file.string() + "\"\n",
                         exercise_.answer_header(), exercise_.own_names()));
  std::vector<std::string> command;
  for (std::size_t i = 0; i < cpu_.compile.size(); ++i) {
    const std::string& word = cpu_.compile[i];
    if (word == "-include" || word == "-c" || word == "-o") {
      ++i;  // no precompiled headers: they are not position-independent
    } else if (word != "-Winvalid-pch" && word != "-UNDEBUG" && word != "-O1" && word != "-g1" &&
               word != "-D_GLIBCXX_ASSERTIONS") {
      command.push_back(word);
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

std::string Checker::record(const fs::path& trace) {
  if (!exercise_.cuda) return exercise_.id + " has no kernel: there is nothing to record.";
  const Checked checked = check();
  const std::string verdict = exercise_.id + ", " + name_of(checked.verdict);
  if (checked.verdict != Verdict::passed && checked.verdict != Verdict::failed)
    return verdict + ".\n" + checked.message;
  std::vector<std::string> command{(cpu_.live / "check").string(), "--trace", trace.string(),
                                   exercise_.id,
                                   exercise_.title + ", as saved: " + name_of(checked.verdict)};
  if (checked.verdict == Verdict::passed) command.emplace_back("with the book's");
  const Ended ended =
      run_process(command, {.seconds = time_limit(), .memory = kMemory}, places_.build);
  if (ended.code == 0 && ended.signal == 0) return "";
  return verdict + ".\n" +
         (checked.message.empty() ? without_rooms(ended.output) : checked.message);
}

namespace {

// Which line of the student's these addresses of the program came from, innermost first: "" where none did
std::string line_of(const Places& places, const fs::path& program,
                    const std::vector<std::string>& frames, const fs::path& file) {
  if (frames.empty()) return "";
  std::vector<std::string> command = {"addr2line", "-i", "-e", program.string()};
  command.insert(command.end(), frames.begin(), frames.end());
  Ended said;
  try {
    said = run_process(command, {.seconds = 5}, places.build);
  } catch (const InputError&) {
    return "";  // there is no addr2line
  }
  static const std::regex place(R"(^(.*):(\d+)( .*)?$)");
  std::smatch m;
  for (const std::string& line : split_lines(said.output)) {
    if (!std::regex_match(line, m, place)) continue;
    const fs::path there = fs::path(m[1].str()).lexically_normal();
    const std::string path = there.string(), work = places.work.lexically_normal().string() + "/";
    if (path.rfind(work, 0) != 0) continue;
    const int number = std::stoi(m[2]);
    return (there == file ? "at line " : "at " + path.substr(work.size()) + ", line ") +
           std::to_string(number) + shown(there, number, 0);
  }
  return "";
}

// It did not come to a verdict: say how it ended
void without_verdict(const Ended& ended, double limit, bool any_step, Checked& result) {
  if (ended.out_of_time) {
    result.verdict = Verdict::out_of_time;
    result.message =
        "still running after " + std::to_string(int(limit)) +
        " seconds: an endless loop, or far too slow. The right answer needs well under one second";
    return;
  }
  if (ended.signal == 0) {
    result.verdict = any_step ? Verdict::crashed : Verdict::no_check_ran;
    result.message = any_step ? "your code ended the program (exit code " +
                                    std::to_string(ended.code) + ") before the check was over"
                              : "the check program said nothing";
    return;
  }
  result.verdict = Verdict::crashed;
  const std::vector<std::string> lines = split_lines(ended.output);
  const std::string last = lines.empty() ? "" : lines.back().substr(0, 300);
  const auto said = [&](const char* part) { return last.find(part) != std::string::npos; };
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
  } else if (ended.signal == SIGABRT) {
    if (said("free()") || said("malloc") || said("corrupt") || said("munmap_chunk") ||
        said("double free") || said("realloc")) {
      result.message =
          "it wrote past the end of something on the heap, or freed it twice; that was found later "
          "(" +
          last + ")";
    } else if (said("terminate called")) {
      result.message = "an exception left a function that must not throw (" + last + ")";
    } else {
      result.message = "it called abort()" + (last.empty() ? "" : ": " + last);
    }
  } else {
    result.message =
        "it ended by signal " + std::to_string(ended.signal) + (last.empty() ? "" : ": " + last);
  }
}

}  // namespace

void Checker::run(const Program& program, Checked& result) {
  const fs::path results = program.live / "results";
  std::error_code ignored;
  fs::remove(results, ignored);
  const double limit = time_limit() + (program.gpu ? 10 : 0);  // a GPU may have to wake up
  const Ended ended =
      run_process({(program.live / "check").string(), "--results", results.string()},
                  {.seconds = limit, .memory = program.gpu ? 0 : kMemory, .ask_first = true},
                  places_.build);  // CUDA reserves addresses for all memory that there is
  result.printed = ended.output;
  result.printed_bytes = ended.printed;
  if (exercise_.cuda && !program.gpu) result.machine = "on the emulator";

  // Read what the check wrote, as far as it came
  bool judged = false, complete = false;
  std::vector<std::string> titles, frames;
  if (fs::exists(results)) {
    for (const std::string& line : split_lines(read_file(results))) {
      const auto said = nlohmann::json::parse(line, nullptr, false);
      if (said.is_discarded()) continue;  // cut off in the middle
      if (said.contains("machine")) result.machine = "on " + said["machine"].get<std::string>();
      if (said.contains("steps")) titles = said["steps"].get<std::vector<std::string>>();
      if (said.contains("step")) result.steps.push_back({said["step"], said["result"]});
      if (said.contains("message")) result.message = said["message"];
      if (said.contains("frames") && frames.empty())
        frames = said["frames"].get<std::vector<std::string>>();
      if (said.contains("checks")) result.checks = said["checks"];
      if (said.contains("diagnosis")) {
        result.mistake = said["diagnosis"];
        result.sentence = said["sentence"];
        result.difference = said["difference"];
      }
      if (said.contains("verdict")) {
        judged = true;
        result.verdict = verdict_of(said["verdict"]);
      }
      if (said.contains("end")) complete = true;
    }
  }
  if (judged && result.verdict == Verdict::passed &&
      !(complete && ended.code == 0 && ended.signal == 0)) {
    judged = false;  // a pass needs a whole run
  }
  if (!judged) {
    // Say where it was
    if (result.steps.size() < titles.size()) {
      result.steps.push_back({titles[result.steps.size()], "failed"});
      for (std::size_t i = result.steps.size(); i < titles.size(); ++i)
        result.steps.push_back({titles[i], "waiting"});
    }
    without_verdict(ended, limit, !titles.empty(), result);
  } else if (result.verdict == Verdict::wrote_to_inputs) {
    result.message = "your code changed \"" + result.message + "\", which it must only read";
  }
  const std::string line =
      line_of(places_, program.live / "check", frames, work_file(places_, exercise_));
  if (!line.empty()) result.message += "\n" + line;
}

Checked Checker::check_with(Program& program, const std::vector<const Exercise*>& before) {
  Checked result;
  if (!compile(program, before, result)) {
    result.verdict = Verdict::does_not_compile;
  } else {
    run(program, result);
  }
  result.message = without_rooms(result.message);
  return result;
}

// What --chain did. If it does not pass: whose fault is it? Try the book's answers instead of each of theirs
std::string Checker::blame(const std::vector<const Exercise*>& before, const Checked& checked) {
  std::string mine;
  if (before.empty())
    return "--chain changes nothing here: this one calls none of your earlier answers";
  for (const Exercise* e : before) {
    const std::string hole = "NOT_WRITTEN(\"" + checked.message + "\")";
    const auto in = [&](const Exercise& x) {
      return read_file(work_file(places_, x)).find(hole) != std::string::npos;
    };
    if (checked.verdict == Verdict::not_written && in(*e) && !in(exercise_))
      return "--chain is on, and your own " + e->id + " is not written yet";
    mine += (mine.empty() ? "" : ", ") + e->id;
  }
  if (checked.verdict == Verdict::passed || checked.verdict == Verdict::does_not_compile ||
      checked.verdict == Verdict::not_written)
    return "--chain is on, with your own " + mine;
  if (check_with(cpu_, {}).verdict != Verdict::passed)
    return "--chain is on, with your own " + mine + "; with the book's it does not pass either";
  for (const Exercise* e : before) {
    std::vector<const Exercise*> others = before;
    std::erase(others, e);
    if (before.size() == 1 || check_with(cpu_, others).verdict == Verdict::passed)
      return "--chain is on: with the book's " + e->id +
             " instead of yours this one passes. Look at " + work_file(places_, *e).string() +
             " (./run learn check " + e->id + ")";
  }
  return "--chain is on: with the book's " + mine + " instead of yours this one passes";
}

// The GPU's verdict, with what only the emulator sees
static Checked joined(const Checked& gpu, const Checked& emulated) {
  if (gpu.verdict == Verdict::no_gpu) return gpu;
  const bool fine = emulated.verdict == Verdict::passed;
  if (gpu.verdict == Verdict::passed) {
    Checked result = emulated;
    if (fine) {
      result.machine = gpu.machine + "; bounds and races: on the emulator";
    } else {
      result.message += "\n" + gpu.machine.substr(3) + " does not show it: there every step passed";
    }
    return result;
  }
  Checked result = gpu;
  if (gpu.verdict != Verdict::does_not_compile && gpu.verdict != Verdict::not_written) {
    result.mistake = emulated.mistake;
    result.sentence = emulated.sentence;
    result.difference = emulated.difference;
    if (fine) {
      result.message += "\non the emulator it passes";
    } else if (emulated.message != gpu.message) {
      result.message += "\non the emulator: " + emulated.message;
    }
  }
  return result;
}

Checked Checker::check() {
  const bool gpu = how_.gpu && exercise_.cuda;
  if (const std::string why = gpu ? why_no_gpu(places_) : ""; !why.empty()) {
    Checked none;
    none.verdict = Verdict::no_gpu;
    none.message = why;
    return none;
  }
  build_ahead(cpu_);
  if (gpu) build_ahead(gpu_);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<const Exercise*> mine = before();
  Checked result;
  if (gpu) {
    auto on_gpu = std::async(std::launch::async, [&] { return check_with(gpu_, mine); });
    const Checked emulated = check_with(cpu_, mine);
    result = joined(on_gpu.get(), emulated);
  } else {
    result = check_with(cpu_, mine);
  }
  if (how_.chain) result.note = blame(mine, result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace tpp::learn
