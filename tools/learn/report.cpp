#include "tools/learn/report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 32 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

int passed(const std::vector<Line>& lines) {
  return int(std::count_if(lines.begin(), lines.end(),
                           [](const Line& l) { return l.checked.verdict == Verdict::passed; }));
}

// The message and the diagnosis, as one text
std::string words(const Checked& c) {
  std::string text = c.message;
  for (const StepResult& step : c.steps) {
    if (step.result == "failed") text = step.title + ": " + text;
  }
  if (!c.mistake.empty())
    text += "\nDiagnosis: your output equals \"" + c.mistake + "\". " + c.sentence;
  return text;
}

std::string dump(const ordered_json& all) {
  return all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

// One letter a verdict, for the class's table
std::string letter(const Line& line) {
  switch (line.checked.verdict) {
    case Verdict::passed:
      return line.record.solution ? "s" : "+";
    case Verdict::not_written:
      return ".";
    case Verdict::does_not_compile:
      return "c";
    case Verdict::crashed:
      return "!";
    case Verdict::out_of_time:
      return "t";
    default:
      return "x";
  }
}

}  // namespace

std::vector<Line> check_all(Session& session, bool show_progress) {
  std::vector<Line> lines;
  for (const Exercise& e : session.exercises()) {
    Line line{&e, {}, {}};
    const auto found = session.progress().all().find(e.id);
    if (found != session.progress().all().end()) line.record = found->second;
    if (!fs::exists(work_file(session.places(), e))) {
      line.checked.verdict = Verdict::not_written;
      line.checked.message = "there is no file yet";
    } else {
      if (show_progress) std::cerr << "\rchecking " << e.id << " … " << std::flush;
      std::vector<Exercise> none;
      Checker checker(session.places(), e);
      line.checked = checker.check();
    }
    lines.push_back(std::move(line));
  }
  if (show_progress) std::cerr << "\r                     \r" << std::flush;
  return lines;
}

std::string as_json(const std::vector<Line>& lines) {
  ordered_json all = {
      {"passed", passed(lines)}, {"of", lines.size()}, {"exercises", ordered_json::array()}};
  for (const Line& l : lines) {
    ordered_json steps = ordered_json::array();
    for (const StepResult& step : l.checked.steps)
      steps.push_back({{"step", step.title}, {"result", step.result}});
    all["exercises"].push_back({{"id", l.exercise->id},
                                {"title", l.exercise->title},
                                {"chapter", l.exercise->chapter},
                                {"verdict", name_of(l.checked.verdict)},
                                {"message", l.checked.message},
                                {"diagnosis", l.checked.mistake},
                                {"machine", l.checked.machine},
                                {"comparisons", l.checked.checks},
                                {"seconds", l.checked.seconds},
                                {"steps", steps},
                                {"hints", l.record.hints},
                                {"solution_seen", l.record.solution},
                                {"times_checked", l.record.checks},
                                {"mistakes_met", l.record.mistakes}});
  }
  return dump(all);
}

std::string as_junit(const std::vector<Line>& lines) {
  std::ostringstream tests;
  int failures = 0, skipped = 0;
  double seconds = 0;
  for (const Line& l : lines) {
    const Checked& c = l.checked;
    seconds += c.seconds;
    tests << "    <testcase classname=\"" << xml(l.exercise->chapter) << "\" name=\""
          << xml(l.exercise->id + " " + l.exercise->title) << "\" time=\"" << c.seconds << "\">";
    if (c.verdict == Verdict::not_written || c.verdict == Verdict::no_gpu) {
      ++skipped;
      tests << "<skipped message=\"" << xml(name_of(c.verdict)) << "\"/>";
    } else if (c.verdict != Verdict::passed) {
      ++failures;
      tests << "<failure type=\"" << xml(name_of(c.verdict)) << "\" message=\""
            << xml(c.mistake.empty() ? name_of(c.verdict) : c.mistake) << "\">" << xml(words(c))
            << "</failure>";
    }
    tests << "</testcase>\n";
  }
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
         "name=\"Transformer++ exercises\" tests=\""
      << lines.size() << "\" failures=\"" << failures << "\" skipped=\"" << skipped << "\" time=\""
      << seconds << "\">\n"
      << tests.str() << "  </testsuite>\n</testsuites>\n";
  return out.str();
}

std::string as_gradescope(const std::vector<Line>& lines) {
  ordered_json all = {{"output", std::to_string(passed(lines)) + " of " +
                                     std::to_string(lines.size()) + " exercises passed."},
                      {"tests", ordered_json::array()}};
  for (const Line& l : lines) {
    const bool good = l.checked.verdict == Verdict::passed;
    all["tests"].push_back(
        {{"number", l.exercise->id},
         {"name", l.exercise->title},
         {"score", good ? 1 : 0},
         {"max_score", 1},
         {"status", good ? "passed" : "failed"},
         {"output", good ? "" : name_of(l.checked.verdict) + "\n" + words(l.checked)},
         {"visibility", "visible"}});
  }
  return dump(all);
}

std::string as_text(const std::vector<Line>& lines) {
  std::ostringstream out;
  for (const Line& l : lines) {
    char line[400];
    std::snprintf(line, sizeof line, "%-5s %-46s %-20s %s", l.exercise->id.c_str(),
                  l.exercise->title.c_str(), name_of(l.checked.verdict).c_str(),
                  l.checked.mistake.c_str());
    out << line << "\n";
  }
  out << passed(lines) << " of " << lines.size() << " passed\n";
  return out.str();
}

std::string class_table(const std::vector<Student>& students) {
  std::ostringstream out;
  std::size_t width = 8;
  for (const Student& s : students) width = std::max(width, s.name.size());
  out << std::string(width, ' ');
  for (const Line& l : students.at(0).lines) out << "  " << l.exercise->id;
  out << "  passed\n";
  for (const Student& s : students) {
    out << s.name << std::string(width - s.name.size(), ' ');
    for (const Line& l : s.lines) {
      const std::size_t room = l.exercise->id.size() + 2;
      out << std::string(room - 1, ' ') << letter(l);
    }
    out << "  " << passed(s.lines) << "\n";
  }
  out << "+ passed   s passed, solution seen before   . not written   x failed   c does not "
         "compile   ! crashed   "
         "t time limit\n";

  // What the class met: how many students, how often
  bool any = false;
  for (std::size_t i = 0; i < students[0].lines.size(); ++i) {
    const Exercise& e = *students[0].lines[i].exercise;
    for (const Wrong& wrong : e.wrong) {
      int people = 0, times = 0;
      for (const Student& s : students) {
        const auto& met = s.lines[i].record.mistakes;
        const auto found = met.find(wrong.id);
        const bool now = s.lines[i].checked.mistake == wrong.id;
        if (found == met.end() && !now) continue;
        ++people;
        times += found == met.end() ? 1 : found->second;
      }
      if (people == 0) continue;
      if (!any) out << "\nMistakes that were met (students, times)\n";
      any = true;
      char line[600];
      std::snprintf(line, sizeof line, "  %-5s %-28s %3d %4d   %s\n", e.id.c_str(),
                    wrong.id.c_str(), people, times, wrong.sentence.c_str());
      out << line;
    }
  }
  return out.str();
}

std::string class_csv(const std::vector<Student>& students) {
  std::ostringstream out;
  out << "student,exercise,verdict,diagnosis,hints,solution_seen,times_checked\n";
  for (const Student& s : students) {
    for (const Line& l : s.lines) {
      out << '"' << s.name << "\"," << l.exercise->id << "," << name_of(l.checked.verdict) << ","
          << l.checked.mistake << "," << l.record.hints << "," << (l.record.solution ? 1 : 0) << ","
          << l.record.checks << "\n";
    }
  }
  return out.str();
}

// --- Is this machine fit? ----------------------------------------------------------------------------

bool doctor(const Places& places, std::ostream& out) {
  bool good = true;
  const auto say = [&](bool fine, const std::string& what, const std::string& remedy) {
    out << (fine ? " ✓ " : " ✗ ") << what << (fine || remedy.empty() ? "" : "\n     " + remedy)
        << "\n";
    good = good && fine;
  };
  const auto version = [&](const std::vector<std::string>& command, std::string& line) {
    try {
      const Ended e = run_process(command, {.seconds = 10}, places.root);
      const std::vector<std::string> lines = split_lines(e.output);
      line = lines.empty() ? "" : lines[0];
      return e.code == 0 && e.signal == 0;
    } catch (const InputError&) {
      return false;
    }
  };
  const auto program = [&](const std::string& name, const std::string& why,
                           const std::string& package) {
    std::string line;
    const bool there = version({name, "--version"}, line);
    say(there, name + why + (there ? ": " + line : ""), "apt-get install " + package);
  };
  program("cmake", "", "cmake");
  program("ninja", "", "ninja-build");
  program("c++", "", "g++");
  program("addr2line", " (names the lines of mistakes in kernels)", "binutils");

  say(fs::exists(places.build / "compile_commands.json"), "build: " + places.build.string(),
      "./run learn builds it");
  const fs::path probe = places.work / ".doctor";
  try {
    write_file(probe, "");
    fs::remove(probe);
    say(true, "work folder: " + places.work.string(), "");
  } catch (const std::exception& error) {
    say(false, "work folder: " + places.work.string(), error.what());
  }

  // The whole way once, with the reference of the first exercise of each kind in the student's place
  try {
    const std::vector<Exercise> all = read_exercises(places.root);
    say(!all.empty(), std::to_string(all.size()) + " exercises", "is this the book's folder?");
    for (const bool cuda : {false, true}) {
      const auto e =
          std::find_if(all.begin(), all.end(), [&](const Exercise& x) { return x.cuda == cuda; });
      if (e == all.end()) continue;
      const fs::path folder =
          fs::temp_directory_path() / ("tpp-doctor-" + std::to_string(getpid()));
      const Places elsewhere{places.root, places.build, folder};
      write_file(work_file(elsewhere, *e), e->skeleton());
      Checker checker(elsewhere, *e);
      const Checked first = checker.check(), second = checker.check();
      char text[64];
      std::snprintf(text, sizeof text, "%.1f s", second.seconds);
      say(first.verdict == Verdict::not_written && second.seconds < 5,
          std::string(cuda ? "a kernel on the emulator" : "a matrix exercise") + " (" + e->id +
              "): from save to verdict in " + text,
          first.verdict == Verdict::not_written ? "slower than five seconds: is the machine busy?"
                                                : first.message);
      fs::remove_all(folder);
    }
  } catch (const std::exception& error) {
    say(false, "checking an exercise", error.what());
  }
  const std::string why = why_no_gpu(places);
  if (!why.empty()) {
    out << " · GPU: none to check on: " << why << "; kernels are checked on the emulator\n";
    return good;
  }
  try {
    const std::vector<Exercise> all = read_exercises(places.root);
    const auto e = std::find_if(all.begin(), all.end(), [](const Exercise& x) { return x.cuda; });
    const fs::path folder = fs::temp_directory_path() / ("tpp-doctor-" + std::to_string(getpid()));
    const Places elsewhere{places.root, places.build, folder};
    write_file(work_file(elsewhere, *e), e->skeleton());
    Checker checker(elsewhere, *e, {.gpu = true});
    const Checked first = checker.check(), second = checker.check();
    char text[64];
    std::snprintf(text, sizeof text, "%.1f s", second.seconds);
    if (first.verdict == Verdict::no_gpu) {
      out << " · GPU: none that can be used (" << first.message << ")\n";
    } else {
      say(first.verdict == Verdict::not_written,
          "a kernel " + first.machine + " (" + e->id + "): from save to verdict in " + text,
          first.message);
    }
    fs::remove_all(folder);
  } catch (const std::exception& error) {
    say(false, "checking an exercise on the GPU", error.what());
  }
  return good;
}

std::string save_to_verdict(const Session& session) {
  const fs::path folder = fs::temp_directory_path() / ("tpp-timing-" + std::to_string(getpid()));
  const Places here{session.places().root, session.places().build, folder};
  std::ostringstream out;
  out << "| exercise | save to verdict | verdict |\n| --- | ---: | --- |\n";
  std::vector<double> all;
  for (const Exercise& e : session.exercises()) {
    write_file(work_file(here, e), filled(e.reference, nullptr));
    Checker checker(here, e);
    std::vector<double> seconds;
    Checked last;
    for (int i = 0; i < 3; ++i) {
      last = checker.check();
      seconds.push_back(last.seconds);
    }
    std::sort(seconds.begin(), seconds.end());
    all.push_back(seconds[1]);
    char text[200];
    std::snprintf(text, sizeof text, "| %s %s | %.2f s | %s |\n", e.id.c_str(), e.title.c_str(),
                  seconds[1], name_of(last.verdict).c_str());
    out << text << std::flush;
  }
  fs::remove_all(folder);
  std::sort(all.begin(), all.end());
  char text[120];
  std::snprintf(
      text, sizeof text,
      "\nMedian %.2f s, slowest %.2f s, of %zu exercises (middle of three checks each).\n",
      all[all.size() / 2], all.back(), all.size());
  return out.str() + text;
}

// --- The canary ------------------------------------------------------------------------------------

bool canary(const Places& places, const Exercise& e, const std::string& self, std::ostream& out) {
  const fs::path folder =
      fs::temp_directory_path() / ("tpp-canary-" + e.id + "-" + std::to_string(getpid()));
  const Places here{places.root, places.build, folder};
  setenv("TPP_WORK", folder.c_str(), 1);
  bool good = true;
  const auto try_ = [&](const std::string& what, const std::string& text, int code,
                        const std::string& says) {
    write_file(work_file(here, e), text);
    const Ended ended = run_process({self, "check", e.id}, {.seconds = 60}, places.root);
    const bool right =
        ended.signal == 0 && ended.code == code && ended.output.find(says) != std::string::npos;
    out << (right ? "  good   " : "  WRONG  ") << what << ": exit code " << ended.code
        << ", wanted " << code << " and \"" << says << "\"\n";
    if (!right) out << ended.output << "\n";
    good = good && right;
  };
  try_("the skeleton", e.skeleton(), 3, "not written yet");
  try_("a file that is not C++", e.skeleton() + "\nthis is not C++\n", 4, "does not compile");
  for (const std::string& name : e.own_names()) {  // never the book's own function instead
    const std::string renamed =
        std::regex_replace(e.skeleton(), std::regex("\\b" + name + "\\b"), name + "_renamed");
    try_("a file without " + name, renamed, 4, "does not compile");
  }
  if (!e.wrong.empty()) {
    const Wrong& wrong = e.wrong[0];
    try_("the wrong answer " + wrong.id, filled(e.reference, &wrong), 1,
         "equals \"" + wrong.id + "\"");
    try_("the reference", filled(e.reference, nullptr), 0, "passed");
  }
  fs::remove_all(folder);
  return good;
}

}  // namespace tpp::learn
