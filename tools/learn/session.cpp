#include "tools/learn/session.h"

#include <algorithm>
#include <sstream>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace fs = std::filesystem;
namespace {

struct Ink {
  bool on;
  std::string operator()(const char* code, const std::string& text) const {
    return on ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  }
};

std::string indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (const std::string& line : split_lines(text))
    out += (out.empty() ? "" : "\n" + indent) + line;
  return out;
}

// What it printed, not more than a screen
std::string printed(const Checked& c) {
  if (c.printed.empty()) return "";
  const std::vector<std::string> lines = split_lines(c.printed);
  std::string text = "\n   printed:\n";
  for (std::size_t i = 0; i < lines.size() && i < 10; ++i)
    text += "   | " + lines[i].substr(0, 160) + "\n";
  if (lines.size() > 10 || c.printed_bytes > c.printed.size()) {
    text += "   | … (" + std::to_string(c.printed_bytes) + " bytes in all)\n";
  }
  return text;
}

}  // namespace

std::string shown(const Exercise& e, const Places& places, const Checked& c, bool color) {
  const Ink ink{color};
  std::ostringstream out;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", c.seconds);
  out << ink("1", e.id + " " + e.title) << "       " << work_file(places, e).string() << "   "
      << seconds << (c.machine.empty() ? "" : "   " + c.machine) << "\n";

  if (c.verdict == Verdict::does_not_compile) {
    out << ink("31", " ✗ does not compile") << "   " << indented(c.message, "   ") << "\n";
    return out.str();
  }
  if (c.verdict == Verdict::no_gpu) {
    out << ink("33", " – skipped: no GPU") << "   " << indented(c.message, "   ")
        << "\n   On the emulator it can be checked: ./run learn check " << e.id << "\n";
    return out.str();
  }
  std::string passed = ink("32", " ✓") + " compiles", waiting, failed;
  for (const StepResult& step : c.steps) {
    if (step.result == "passed") {
      passed += "  " + ink("32", " ✓") + " " + step.title;
    } else if (step.result == "waiting") {
      waiting += (waiting.empty() ? "" : ", ") + step.title;
    } else {
      failed = step.title;
    }
  }
  out << passed << "\n";
  switch (c.verdict) {
    case Verdict::passed:
      out << ink("32", " passed") << ": " << c.checks << " comparisons\n";
      break;
    case Verdict::not_written:
      out << ink("33", " – not written yet") << ": the hole \"" << c.message << "\" is where \""
          << failed << "\" stops. That is where everybody starts.\n";
      break;
    case Verdict::no_check_ran:
      out << ink("31", " ✗ no check ran") << "   " << indented(c.message, "   ") << "\n";
      break;
    default:
      out << ink("31", " ✗ " + failed) << "   "
          << (c.verdict == Verdict::failed ? "" : name_of(c.verdict) + ": ")
          << indented(c.message, "   ") << "\n";
  }
  if (!c.mistake.empty()) {
    out << "   " << ink("1", "Diagnosis:") << " your output equals \"" << c.mistake
        << "\" (largest difference " << c.difference << ").\n   " << c.sentence << "\n";
  }
  if (!c.note.empty()) out << "   " << indented(c.note, "   ") << "\n";
  if (!waiting.empty()) out << "   waiting: " << waiting << "\n";
  out << printed(c);
  return out.str();
}

Session::Session(Places places)
    : places_(std::move(places)),
      exercises_(read_exercises(places_.root)),
      progress_(places_.work / ".progress.json") {
  if (exercises_.empty())
    throw InputError("There are no exercises in " + places_.root.string() + "/chapters.");
}

const Exercise& Session::find(const std::string& id) const {
  for (const Exercise& e : exercises_) {
    if (e.id == id || e.name == id) return e;
  }
  std::string known;
  for (const Exercise& e : exercises_) known += (known.empty() ? "" : ", ") + e.id;
  throw InputError("There is no exercise " + id + ". There are: " + known + ".");
}

const Exercise* Session::next() const {
  for (const Exercise& e : exercises_) {
    if (progress_.state(e) != State::passed) return &e;
  }
  return nullptr;
}

fs::path Session::prepare(const Exercise& e) {
  const fs::path file = work_file(places_, e);
  if (!fs::exists(file)) write_file(file, e.skeleton());
  return file;
}

Checked Session::check(const Exercise& e, Checker& checker) {
  Checked checked = checker.check();
  if (checked.verdict == Verdict::no_gpu) return checked;  // says nothing about the answer
  Record& record = progress_.of(e.id);
  ++record.checks;
  record.verdict = name_of(checked.verdict);
  if (!checked.mistake.empty()) ++record.mistakes[checked.mistake];
  if (checked.verdict == Verdict::passed) {
    record.hash = e.hash();
    if (record.passed.empty()) record.passed = today();
  } else if (progress_.state(e) != State::open) {
    record.passed.clear();  // it does not pass any more
  }
  try {
    progress_.save();
  } catch (const std::exception& error) {  // the verdict stands all the same
    checked.note += (checked.note.empty() ? "" : "\n") +
                    std::string("It is not noted as your progress. ") + error.what();
  }
  return checked;
}

std::string Session::bar() const {
  const std::size_t all = exercises_.size();
  const auto passed =
      std::size_t(std::count_if(exercises_.begin(), exercises_.end(), [&](const Exercise& e) {
        return progress_.state(e) == State::passed;
      }));
  const std::size_t width = std::min<std::size_t>(all, 30), full = width * passed / all;
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < full ? "▓" : "░";
  return text + " " + std::to_string(passed) + "/" + std::to_string(all);
}

std::string Session::list(bool color) const {
  const Ink ink{color};
  std::ostringstream out;
  std::string chapter;
  for (const Exercise& e : exercises_) {
    if (e.chapter != chapter) out << ink("1", e.chapter) << "\n";
    chapter = e.chapter;
    const State state = progress_.state(e);
    const auto found = progress_.all().find(e.id);
    std::string note;
    if (state == State::changed) {
      note = "changed since you passed it";
    } else if (found != progress_.all().end() && found->second.solution) {
      note = "solution seen";
    } else if (found != progress_.all().end() && state == State::open) {
      note = found->second.verdict;
    }
    char line[400];
    std::snprintf(line, sizeof line, "%-5s %-46s %3d min%s", e.id.c_str(), e.title.c_str(),
                  e.minutes, e.cuda ? "  CUDA" : "      ");
    out << (state == State::passed    ? ink("32", "  ✓ ")
            : state == State::changed ? ink("33", "  ~ ")
                                      : "  · ")
        << line << (note.empty() ? "" : "   " + note) << "\n";
  }
  out << "\n" << bar() << "\n";
  return out.str();
}

std::string Session::hint(const Exercise& e) {
  Record& record = progress_.of(e.id);
  record.hints = std::min(record.hints + 1, int(e.hints.size()));
  std::string note;
  try {
    progress_.save();
  } catch (const std::exception& error) {  // the hint helps all the same
    note = std::string("It is not noted that you saw it, so it will come again. ") + error.what() +
           "\n";
  }
  std::string text = "Hint " + std::to_string(record.hints) + " of " +
                     std::to_string(e.hints.size()) + " for " + e.id + ":\n  " +
                     indented(e.hints[std::size_t(record.hints - 1)], "  ") + "\n";
  if (record.hints == int(e.hints.size())) text += "That was the last one.\n";
  return text + note;
}

std::string Session::view(const Exercise& e) const {
  const fs::path file = work_file(places_, e);
  if (!fs::exists(file))
    return "You have no file for " + e.id + " yet: ./run learn check " + e.id + "\n";
  const bool passed =
      progress_.state(e) == State::passed && !e.wrong.empty();  // a handout has no answers
  const fs::path other = places_.build / "learn" / (e.id + ".view");
  write_file(other, passed ? filled(e.reference, nullptr) : e.skeleton());
  const Ended diff =
      run_process({"diff", "-u", "--label", passed ? "the book" : "where you started", "--label",
                   "yours", other.string(), file.string()},
                  {.seconds = 10, .output = 1 << 20}, places_.root);
  std::error_code ignored;
  fs::remove(other, ignored);
  if (diff.code == 0) return "Your file is as it was at the start.\n";
  return diff.output;
}

std::vector<Session::ForModel> Session::for_model(const std::string& list) {
  std::vector<ForModel> all;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string wrong_id = equals == std::string::npos ? "" : word.substr(equals + 1);
    std::vector<const Exercise*> found;
    std::string known;
    for (const Exercise& e : exercises_) {
      if (e.slots.empty()) continue;
      const auto meant = [&](const std::string& slot) {
        return slot == name || slot.rfind(name + "_", 0) == 0;
      };
      known += (known.empty() ? "" : ", ") + e.id + " (" + e.slots[0] + ")";
      if (e.id == name || std::any_of(e.slots.begin(), e.slots.end(), meant)) found.push_back(&e);
    }
    if (found.empty()) {
      throw InputError("--mine: nothing in the model is called " + name + ". There are: " + known +
                       ".");
    }
    for (const Exercise* e : found) {
      const fs::path folder = places_.build / "learn" / e->id;
      Checker checker(places_, *e);
      if (!wrong_id.empty()) {
        const auto wrong = std::find_if(e->wrong.begin(), e->wrong.end(),
                                        [&](const Wrong& w) { return w.id == wrong_id; });
        if (wrong == e->wrong.end()) {
          std::string ids;
          for (const Wrong& w : e->wrong) ids += (ids.empty() ? "" : ", ") + w.id;
          throw InputError("--mine: " + e->id + " has no wrong answer " + wrong_id +
                           ". There are: " + ids + ".");
        }
        const fs::path text = folder / ("slot_" + wrong_id + ".h"),
                       object = folder / ("slot_" + wrong_id + ".so");
        write_file(text, filled(e->reference, &*wrong));
        checker.build_for_model(text, object);
        for (std::size_t i = 0; i < e->slots.size(); ++i) {
          all.push_back({e->slots[i], object.string(),
                         e->id + " " + e->title + ": WRONG ANSWER " + wrong_id, int(i)});
        }
      } else {
        if (!fs::exists(work_file(places_, *e)) || checker.check().verdict != Verdict::passed) {
          throw InputError("--mine: your answer of " + e->id + " " + e->title +
                           " does not pass: ./run learn check " + e->id);
        }
        const fs::path object = folder / "slot_mine.so";
        checker.build_for_model(work_file(places_, *e), object);
        for (std::size_t i = 0; i < e->slots.size(); ++i)
          all.push_back({e->slots[i], object.string(), e->id + " " + e->title + ": yours", int(i)});
      }
    }
  }
  return all;
}

fs::path Session::reset(const Exercise& e) {
  const fs::path file = work_file(places_, e);
  fs::path kept;
  if (fs::exists(file)) {
    for (int i = 1;; ++i) {
      kept = file.string() + ".old" + std::to_string(i);
      if (!fs::exists(kept)) break;
    }
    std::error_code error;
    fs::rename(file, kept, error);
    if (error) throw InputError("Cannot move " + file.string() + ": " + error.message() + ".");
  }
  write_file(file, e.skeleton());
  return kept;
}

std::string Session::solution(const Exercise& e) {
  if (progress_.state(e) != State::passed) {
    progress_.of(e.id).solution = true;
    progress_.save();
  }
  std::string text;
  for (const Hole& hole : e.reference.holes) {
    text += hole.indent + "// " + hole.name + "\n";
    for (const std::string& line : hole.lines) text += line + "\n";
  }
  return text;
}

}  // namespace tpp::learn
