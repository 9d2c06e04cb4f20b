// tpp-learn: exercises. `./run learn` builds it and starts it.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/handout.h"
#include "tools/learn/report.h"
#include "tools/learn/session.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;

// Keys without Enter while this lives
class Keys {
 public:
  Keys() : on_(isatty(0) != 0 && tcgetattr(0, &before_) == 0) {
    if (!on_) return;
    termios raw = before_;
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &raw);
  }
  ~Keys() {
    if (on_) tcsetattr(0, TCSANOW, &before_);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  [[nodiscard]] bool on() const { return on_; }

  /// The key pressed within this time, or 0.
  char wait(int milliseconds) {
    pollfd in{0, POLLIN, 0};
    char key = 0;
    if (poll(&in, 1, milliseconds) > 0 && read(0, &key, 1) != 1) key = 'q';  // the terminal is gone
    return key;
  }

 private:
  termios before_{};
  bool on_;
};

bool color() { return isatty(1) != 0 && std::getenv("NO_COLOR") == nullptr; }

std::vector<Exercise> others(const Session& session, const Exercise& e) {
  std::vector<Exercise> all;
  for (const Exercise& other : session.exercises()) {
    if (other.id != e.id) all.push_back(other);
  }
  return all;
}

int check(Session& session, const std::vector<std::string>& ids, bool chain, bool gpu) {
  int code = 0;
  for (const std::string& id : ids) {
    const Exercise& e = session.find(id);
    (void)session.prepare(e);
    Checker checker(session.places(), e, {chain, others(session, e), gpu});
    const Checked checked = session.check(e, checker);
    std::cout << shown(e, session.places(), checked, color()) << std::flush;
    if (code == 0) code = exit_code(checked.verdict);
  }
  std::cout << session.bar() << "\n";
  return code;
}

int watch(Session& session, const std::string& id, bool chain, bool gpu) {
  const Exercise* e = id.empty() ? session.next() : &session.find(id);
  if (e == nullptr) {
    std::cout << session.list(color()) << "Every exercise is passed.\n";
    return 0;
  }
  if (isatty(0) == 0 || isatty(1) == 0) return check(session, {e->id}, chain, gpu);

  Keys keys;
  const auto stop = [](int) { interrupted = 1; };
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  int code = 0;
  while (e != nullptr && interrupted == 0) {
    const Exercise& now = *e;
    const fs::path file = session.prepare(now);
    if (session.progress().of(now.id).checks == 0) {
      std::cout << "Open " << file.string()
                << " in your editor. Red is where everybody starts; every save is checked.\n";
    }
    std::cout << "Building the checks of " << now.id << " …\n" << std::flush;
    Checker checker(session.places(), now, {chain, others(session, now), gpu});
    bool again = true, next = false;
    fs::file_time_type seen{};
    while (interrupted == 0 && !next) {
      std::error_code gone;
      const fs::file_time_type saved = fs::last_write_time(file, gone);
      if (again || (!gone && saved != seen)) {
        seen = saved;
        again = false;
        const Checked checked = session.check(now, checker);
        code = exit_code(checked.verdict);
        std::cout << "\033[2J\033[H" << shown(now, session.places(), checked, color());
        const int hints = session.progress().of(now.id).hints;
        std::cout << (checked.verdict == Verdict::passed ? " [n] next exercise  " : " ")
                  << " [h] hint " << std::min(hints + 1, 3)
                  << "/3   [v] view   [l] list   [q] quit   " << session.bar() << "\n"
                  << std::flush;
      }
      switch (keys.wait(300)) {
        case 'h':
          std::cout << session.hint(now) << std::flush;
          break;
        case 'v':
          std::cout << session.view(now) << std::flush;
          break;
        case 'l':
          std::cout << session.list(color()) << std::flush;
          break;
        case 'n':
          next = code == 0;
          break;
        case 'r':
        case ' ':
          again = true;
          break;
        case 'q':
          return code;
        default:
          break;
      }
    }
    e = session.next();
    if (e == nullptr && next) std::cout << session.list(color()) << "Every exercise is passed.\n";
  }
  return code;
}

// What the table was measured on
std::string machine_line() {
  std::string model = "a processor without a name";
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; std::getline(cpu, line);) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  char text[200];
  std::snprintf(text, sizeof text, "%s, %u cores, load %.1f, %s.", model.c_str(),
                std::thread::hardware_concurrency(), load, today().c_str());
  return text;
}

bool agreed(const std::string& question, bool yes) {
  if (yes) return true;
  if (isatty(0) == 0) {
    std::cout << question << " Say it with --yes.\n";
    return false;
  }
  std::cout << question << " [y/N] " << std::flush;
  std::string answer;
  return bool(std::getline(std::cin, answer)) && (answer == "y" || answer == "yes");
}

int run(int argc, char** argv) {
  const char* named = std::getenv("TPP_WORK");
  Places places{TPP_SOURCE_DIR, TPP_BUILD_DIR,
                named == nullptr ? fs::path(TPP_SOURCE_DIR) / "work" : fs::path(named)};

  // A copy must not work on the files of the place where it was built
  std::error_code unknown;
  const fs::path here = fs::read_symlink("/proc/self/exe", unknown).parent_path(),
                 built = fs::weakly_canonical(places.build / "bin", unknown);
  if (!here.empty() && here != built) {
    throw InputError(
        "This program was built in " + built.string() + ", and lies in " + here.string() +
        ": the repository was moved or copied. ./run learn, in its folder, builds it anew.");
  }

  CLI::App app("Exercises: write a component yourself, and be told which mistake you made.",
               "./run learn");
  std::string id;
  std::vector<std::string> ids;
  bool chain = false, gpu = false, emulate = false, yes = false;
  const auto one = [&](CLI::App* command) {
    command->add_option("ID", id, "which exercise; without: the first that is not passed");
    return command;
  };
  CLI::App* next = one(app.add_subcommand(
      "next", "the first open exercise, checked at every save (what ./run learn does)"));
  next->add_flag("--chain", chain, "use your own answers of earlier exercises, not the book's");
  CLI::App* check_ = app.add_subcommand("check", "check exercises once");
  check_->add_option("ID", ids, "which; without: the first that is not passed");
  check_->add_flag("--chain", chain, "use your own answers of earlier exercises, not the book's");
  for (CLI::App* command : {next, check_}) {
    CLI::Option* on_gpu = command->add_flag(
        "--gpu", gpu, "compile kernels by nvcc and run them on the GPU, and on the emulator");
    command->add_flag("--emulate", emulate, "run kernels on the emulator only (the default)")
        ->excludes(on_gpu);
  }
  CLI::App* hint = one(app.add_subcommand("hint", "the next of three hints"));
  CLI::App* view = one(
      app.add_subcommand("view", "what you changed; once passed, your answer beside the book's"));
  CLI::App* reset =
      one(app.add_subcommand("reset", "start an exercise again; your file is kept beside it"));
  CLI::App* solution = one(app.add_subcommand("solution", "the book's answer"));
  solution->add_flag("--yes", yes, "do not ask");
  CLI::App* report = app.add_subcommand("report", "check everything now, and write it down");
  std::string json_file, junit_file, gradescope_file;
  report->add_option("--json", json_file, "everything, for programs");
  report->add_option("--junit", junit_file, "JUnit's XML");
  report->add_option("--gradescope", gradescope_file, "Gradescope's results.json");
  CLI::App* collect = app.add_subcommand("collect", "one table for a class, from its work folders");
  std::vector<std::string> folders;
  std::string csv_file;
  collect->add_option("DIR", folders, "a student's work folder, or a folder that holds it")
      ->required();
  collect->add_option("--csv", csv_file, "the same for a spreadsheet");
  CLI::App* handout = app.add_subcommand("handout", "a copy of the book without the answers");
  std::string handout_folder;
  bool no_libraries = false;
  handout->add_option("DIR", handout_folder, "a folder that does not exist yet")->required();
  handout->add_flag("--no-libraries", no_libraries, "do not compile: only look at the texts")
      ->group("");
  CLI::App* doctor_ = app.add_subcommand("doctor", "what works on this machine");
  CLI::App* canary_ = one(app.add_subcommand("canary", "for CI: do wrong files fail?")->group(""));
  CLI::App* timing =
      app.add_subcommand("timing", "for the benchmark table: from save to verdict")->group("");
  std::string write_to;
  timing->add_option("--write", write_to);
  CLI::App* slot =
      app.add_subcommand("slot", "for --mine: build what stands in the model")->group("");
  std::string in_model;
  slot->add_option("LIST", in_model)->required();
  CLI::App* trace = one(app.add_subcommand(
      "trace",
      "what your kernel asks of memory, request by request: a file for the viewer's kernel lens"));
  std::string trace_file = "trace.json";
  bool which_kernels = false;
  trace->add_option("--out", trace_file, "where it is written");
  trace->add_flag("--list", which_kernels, "the exercises with kernels that you have begun")
      ->group("");
  CLI::App* text =
      one(app.add_subcommand("text", "for CI: the file with a wrong answer, or \"reference\"")
              ->group(""));
  std::string which;
  text->add_option("WHICH", which);
  CLI::App* list = app.add_subcommand("list", "every exercise, and which are passed");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  if (*doctor_) return doctor(places, std::cout) ? 0 : 2;
  if (*collect) {
    std::vector<std::unique_ptr<Session>> sessions;  // their exercises are what the lines point to
    std::vector<Student> students;
    for (const std::string& folder : folders) {
      const fs::path path = fs::absolute(folder);
      if (!fs::is_directory(path)) throw InputError("There is no folder " + folder + ".");
      const bool outer = fs::is_directory(path / "work");
      sessions.push_back(std::make_unique<Session>(
          Places{places.root, places.build, outer ? path / "work" : path}));
      std::cerr << path.filename().string() << "\n";
      students.push_back({path.filename().string(), check_all(*sessions.back(), isatty(2) != 0)});
    }
    std::cout << class_table(students);
    if (!csv_file.empty()) write_file(csv_file, class_csv(students));
    return 0;
  }

  Session session(places);
  const auto chosen = [&]() -> const Exercise& {
    if (!id.empty()) return session.find(id);
    const Exercise* open = session.next();
    return open != nullptr ? *open : session.exercises().back();
  };
  if (*check_) {
    if (ids.empty()) ids.push_back(chosen().id);
    return check(session, ids, chain, gpu);
  }
  if (*hint) {
    std::cout << session.hint(chosen());
  } else if (*view) {
    std::cout << session.view(chosen());
  } else if (*reset) {
    const fs::path kept = session.reset(chosen());
    std::cout << "Back to the start."
              << (kept.empty() ? "" : " Your old file is " + kept.string() + ".") << "\n";
  } else if (*solution) {
    const Exercise& e = chosen();
    if (e.wrong.empty()) throw InputError("This copy of the book holds no answers.");
    const bool passed = session.progress().state(e) == State::passed;
    if (!passed && !agreed("Show the answer of " + e.id + "? It will be marked as seen.", yes))
      return 0;
    std::cout << session.solution(e);
  } else if (*report) {
    const std::vector<Line> lines = check_all(session, isatty(2) != 0);
    if (!json_file.empty()) write_file(json_file, as_json(lines));
    if (!junit_file.empty()) write_file(junit_file, as_junit(lines));
    if (!gradescope_file.empty()) write_file(gradescope_file, as_gradescope(lines));
    std::cout << as_text(lines);
  } else if (*canary_) {
    return canary(places, chosen(), fs::read_symlink("/proc/self/exe").string(), std::cout) ? 0 : 1;
  } else if (*handout) {
    if (fs::exists(places.root / "cmake" / "Handout.cmake")) {
      throw InputError("This is a handout already: make others from the whole book.");
    }
    make_handout(places, session.exercises(), fs::absolute(handout_folder), !no_libraries,
                 std::cout);
  } else if (*timing) {
    const std::string table = save_to_verdict(session);
    std::cout << table;
    if (!write_to.empty()) {
      const std::string text = read_file(write_to), begin = "<!-- learn -->\n",
                        end = "<!-- /learn -->";
      const std::size_t from = text.find(begin), to = text.find(end);
      if (from == std::string::npos || to == std::string::npos)
        throw InputError(write_to + " has no marks <!-- learn -->.");
      write_file(write_to, text.substr(0, from + begin.size()) + machine_line() + "\n\n" + table +
                               text.substr(to));
    }
  } else if (*trace && which_kernels) {
    for (const Exercise& e : session.exercises()) {
      const fs::path file = work_file(places, e);
      if (e.cuda && fs::exists(file))
        std::cout << e.id << "\t" << e.title << "\t" << file.string() << "\n";
    }
  } else if (*trace) {
    const Exercise& e = chosen();
    if (!fs::exists(work_file(places, e)))
      throw InputError("You have not begun " + e.id + ": ./run learn check " + e.id +
                       " makes its file.");
    Checker checker(session.places(), e);
    if (const std::string why = checker.record(fs::absolute(trace_file)); !why.empty()) {
      std::cout << why << "\n";
      return 1;
    }
  } else if (*slot) {
    for (const Session::ForModel& m : session.for_model(in_model)) {
      std::cout << m.slot << "\t" << m.file << "\t" << m.index << "\t" << m.label << "\n";
    }
  } else if (*text) {
    const Exercise& e = chosen();
    const auto wrong =
        std::find_if(e.wrong.begin(), e.wrong.end(), [&](const Wrong& w) { return w.id == which; });
    if (wrong == e.wrong.end() && which != "reference")
      throw InputError("There is no wrong answer " + which + ".");
    std::cout << filled(e.reference, wrong == e.wrong.end() ? nullptr : &*wrong);
  } else if (*list) {
    std::cout << session.list(color());
  } else {
    return watch(session, id, chain, gpu);
  }
  return 0;
}

}  // namespace
}  // namespace tpp::learn

int main(int argc, char** argv) try {
  return tpp::learn::run(argc, argv);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
