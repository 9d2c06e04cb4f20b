// The program that checks one exercise: runs its steps on the student's answer, and says what it saw.
//
//   check [--results FILE]     the student's answer: one JSON object a line, the verdict last
//   check --self-test          the reference passes, every wrong answer is rejected and known as itself
//
// Exit codes: 0 passed, 1 not, 2 the program itself is broken.
#include "tools/learn/check.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <random>
#include <regex>
#include <sstream>

// Sanitizers have handlers of their own
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TPP_LEARN_FRAMES 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef TPP_LEARN_FRAMES
#endif
#endif
extern "C" const char __executable_start, etext;  // the linker's

namespace tpp::learn {
namespace {

constexpr double kMargin = 10;  // a diagnosis needs this many tolerances between wrong and right
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// --- What was seen --------------------------------------------------------------------------------

struct Seen {
  std::string what;
  Values got;
  Values want;
  double tolerance;
};

struct Step {
  const char* title;
  void (*run)(const void* answer, const void* reference);
};

std::vector<Step>& steps() {
  static std::vector<Step> all;
  return all;
}

// How far apart, in tolerances: 0 equal, above 1 different
double distance(double got, double want, double scale, double tolerance) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  if (!std::isfinite(got) || !std::isfinite(want) || tolerance == 0) return kInfinite;
  return std::abs(got - want) / (tolerance * (1 + std::abs(scale)));
}

bool same_form(const Values& a, const Values& b) {
  return a.rows == b.rows && a.cols == b.cols && a.numbers.size() == b.numbers.size();
}

double distance(const Values& got, const Values& want, const Values& scale, double tolerance) {
  if (!same_form(got, want) || got.text != want.text) return kInfinite;
  double most = 0;
  for (std::size_t i = 0; i < got.numbers.size(); ++i) {
    const double s = i < scale.numbers.size() ? scale.numbers[i] : 0;
    most = std::max(most, distance(got.numbers[i], want.numbers[i], s, tolerance));
  }
  return most;
}

// A comparison with what is right: here a NaN is never near
double margin(const Seen& seen) {
  for (const double v : seen.got.numbers) {
    if (std::isnan(v)) return kInfinite;
  }
  return distance(seen.got, seen.want, seen.want, seen.tolerance);
}

// --- Words -----------------------------------------------------------------------------------------

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  char text[40];
  std::snprintf(text, sizeof text, "%.7g", v);
  return std::string(text) == "-0" ? "0" : text;
}

std::string shape(const Values& v) {
  if (v.numbers.empty() && v.rows == 1 && v.cols == 1) return "a text";
  if (v.scalar) return "one number";
  return v.rows == 1 ? "(" + std::to_string(v.cols) + ")"
                     : "(" + std::to_string(v.rows) + ", " + std::to_string(v.cols) + ")";
}

std::string whole(const Values& v) {
  if (v.numbers.empty() && !v.text.empty()) return "\"" + v.text + "\"";
  if (v.scalar) return number(v.numbers[0]);
  std::string text = "(";
  for (std::size_t i = 0; i < v.numbers.size(); ++i) {
    text += (i == 0 ? "" : ", ") + number(v.numbers[i]);
  }
  return text + ")";
}

std::string place(const Values& v, std::size_t i) {
  return v.rows == 1 ? "[" + std::to_string(i) + "]"
                     : "(" + std::to_string(long(i) / v.cols) + ", " +
                           std::to_string(long(i) % v.cols) + ")";
}

// "expected (0, 1), yours (0, -1)", and for what is larger: the worst place and the share
std::string difference(const Seen& seen) {
  const Values &got = seen.got, &want = seen.want;
  if (!same_form(got, want)) return "expected shape " + shape(want) + ", yours " + shape(got);
  if (got.numbers.empty()) return "expected " + whole(want) + ", yours " + whole(got);

  std::size_t wrong = 0, nans = 0, worst = 0;
  double most = -1;
  for (std::size_t i = 0; i < got.numbers.size(); ++i) {
    double d = distance(got.numbers[i], want.numbers[i], want.numbers[i], seen.tolerance);
    if (std::isnan(got.numbers[i])) d = kInfinite, ++nans;
    if (!(d <= 1)) ++wrong;
    if (d > most) most = d, worst = i;
  }
  std::string text;
  if (got.numbers.size() <= 6) {
    text = "expected " + whole(want) + ", yours " + whole(got);
  } else {
    char share[32];
    std::snprintf(share, sizeof share, "%.0f %%",
                  std::max(1.0, 100 * double(wrong) / double(got.numbers.size())));
    text = "at " + place(got, worst) + " expected " + number(want.numbers[worst]) + ", yours " +
           number(got.numbers[worst]) + "; " + std::to_string(wrong) + " of " +
           std::to_string(got.numbers.size()) + " numbers are wrong (" + share + ")";
  }
  if (nans > 0) {
    std::string why =
        nans == got.numbers.size()
            ? "NaN: was nothing written? Outputs are full of it before your code runs. "
              "Or was 0 divided by 0, or infinity by infinity?"
            : "NaN stands where your code wrote nothing, or divided 0 by 0, or infinity "
              "by infinity";
    if (!detail::variations().empty())  // kernels on the emulator
      why += nans == got.numbers.size()
                 ? " Or did a shuffle ask a lane that was not there: one that had "
                   "returned (in the wrong row?), or stood in another loop?"
                 : ", or where a shuffle asked a lane that was not there";
    text += "\n(" + why + ")";
  }
  return text;
}

// The same mistake in another file: line numbers and names of files do not count
std::string without_places(const std::string& text) {
  static const std::regex places(R"([A-Za-z0-9_./-]+:\d+|\[[^\]]*\])");
  return std::regex_replace(text, places, "…");
}

std::string json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// --- One run ---------------------------------------------------------------------------------------

struct Failed {
  Seen seen;
};
struct WroteToInput {
  std::string name;
};

struct Context {
  bool stop_at_failure = true;
  std::vector<Seen> seen;  // of the step that runs
  std::vector<detail::Guard> kept;
} context;

void look_at_inputs() {
  for (const detail::Guard& guard : context.kept) {
    if (guard.unchanged && !guard.unchanged()) throw WroteToInput{guard.name};
  }
}

void compare(Seen seen) {
  look_at_inputs();
  context.seen.push_back(seen);
  if (context.stop_at_failure && !(margin(seen) <= 1)) throw Failed{std::move(seen)};
}

// --- Where it happened -----------------------------------------------------------------------------
//
// Addresses of calls, as the program's file counts them. tpp-learn asks addr2line which of the student's lines they are.

constexpr int kFrames = 64;
bool listening = false;  // while a step runs on the student's answer
void* thrown_at[kFrames];
int thrown_frames = 0;
int results_file = -1;

// {"frames":["0x12ab",…]}: with nothing that may not be done in a signal handler
std::size_t frames_as_json(void* const* frames, int count, char* text, std::size_t size) {
  std::size_t n = 0;
  const auto put = [&](const char* s) {
    while (*s != 0 && n + 1 < size) text[n++] = *s++;
  };
  put("{\"frames\":[");
  bool first = true;
  for (int i = 0; i < count; ++i) {
    const auto address =
        reinterpret_cast<std::uintptr_t>(frames[i]) - 1;  // of the call, not behind it
    const auto base = reinterpret_cast<std::uintptr_t>(&__executable_start);
    if (address < base || address >= reinterpret_cast<std::uintptr_t>(&etext)) continue;
    char digits[20] = "0x";
    int d = 2;
    for (int shift = 60; shift >= 0; shift -= 4) {
      const auto digit = ((address - base) >> shift) & 15;
      if (digit != 0 || d > 2 || shift == 0) digits[d++] = "0123456789abcdef"[digit];
    }
    digits[d] = 0;
    put(first ? "\"" : ",\"");
    put(digits);
    put("\"");
    first = false;
  }
  put("]}\n");
  return n;
}

std::string frames_of_throw() {
  char text[2048];
  return std::string(text, frames_as_json(thrown_at, thrown_frames, text, sizeof text));
}

extern "C" void on_signal(int number) {
  if (listening && results_file >= 0) {
    void* frames[kFrames];
    char text[2048];
    const std::size_t n = frames_as_json(frames, backtrace(frames, kFrames), text, sizeof text);
    (void)!write(results_file, text, n);
  }
  signal(number, SIG_DFL);
  raise(number);
}

// Crashes and the end of time say where they were; a stack that is full needs another one for that
void watch_signals(const std::string& results) {
#if TPP_LEARN_FRAMES
  results_file = open(results.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  void* first[1];
  (void)backtrace(first, 1);  // loads what it needs now, not in a handler
  static char room[1 << 16];
  stack_t stack{};
  stack.ss_sp = room;
  stack.ss_size = sizeof room;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | int(SA_RESETHAND) | SA_NODEFER;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM})
    sigaction(number, &action, nullptr);
#else
  (void)results;
#endif
}

// --- The standard library's own checks ---------------------------------------------------------------
//
// They may be broken where nothing can be thrown (an index is noexcept), and by listed wrong answers: the step ends by a
// long jump, and what it held is lost.

std::jmp_buf out_of_step;
bool may_jump = false;
bool step_was_lost = false;
std::string broken_rule;

// What the standard library's own checks say, in words
std::string library_says(const std::string& condition) {
  const auto has = [&](const char* part) { return condition.find(part) != std::string::npos; };
  if (has("__n < this->size()") || has("__idx < size()") || has("__pos < size()") ||
      has("__n < size()") || has("__n < _Nm")) {
    return "an index past the end of a std::vector, string, array or span";
  }
  if (has("empty()")) return "the first or last element of something that is empty";
  if (has("__pos <= size()") || has("__offset <= size()") || has("__count <= size()"))
    return "a part of a string or span that is longer than what there is";
  if (has("!= nullptr") || has("_M_is_engaged") || has("get() !="))
    return "the value of a pointer or optional that holds none";
  return "a rule of the standard library is broken (" + condition + " does not hold)";
}

enum class End { done, failed, threw, not_written, wrote_to_input };

struct StepRun {
  End end = End::done;
  std::vector<Seen> seen;
  std::string message;
};

// A program for a GPU has none
const void* reference() { return variants().empty() ? nullptr : variants()[0].answer; }

// One step, and how it ended. (In a function of its own, because of the long jump.)
template <class F>
__attribute__((noinline)) void run_to_the_end(const Step& step, const void* answer, StepRun& run,
                                              const F& threw) {
  try {
    step.run(answer, reference());
    look_at_inputs();
  } catch (const Failed& failed) {
    run.end = End::failed;
    run.message = failed.seen.what + ": " + difference(failed.seen);
  } catch (const WroteToInput& wrote) {
    run.end = End::wrote_to_input;
    run.message = wrote.name;
    context.seen.push_back({"", Values("wrote to " + wrote.name), Values("did not"), 0});
  } catch (const std::exception& error) {
    threw(error.what());
  } catch (...) {
    threw("an exception that is not a std::exception");
  }
}

StepRun run_step(const Step& step, const void* answer, bool stop_at_failure) {
  context = {};
  context.stop_at_failure = stop_at_failure;
  hole_met = nullptr;
  StepRun run;
  const auto threw = [&](const std::string& words) {
    run.end = End::threw;
    run.message = words.rfind("simt: ", 0) == 0 ? words.substr(6) : "it threw: " + words;
    if (words.find("no __syncthreads between them") != std::string::npos) {
      run.message +=
          "\n(one joins them only if every thread of the block comes to it: not in an if, nor in a "
          "loop that some leave earlier)";
    }
    context.seen.push_back({"", Values(without_places(words)), Values("no exception"), 0});
  };
  may_jump = detail::variations().empty();  // kernels' threads have stacks of their own
  if (setjmp(out_of_step) != 0) {
    step_was_lost = true;
    run.end = End::threw;
    run.message = broken_rule;
    context.seen.push_back({"", Values(broken_rule), Values("no exception"), 0});
  } else {
    run_to_the_end(step, answer, run, threw);
  }
  may_jump = false;
  for (const auto& read : hole_readers) {
    if (const char* hole = read()) hole_met = hole;
  }
  if (const char* hole = hole_met) {  // whatever came of it
    run.end = End::not_written;
    run.message = hole;
  }
  run.seen = std::move(context.seen);
  context = {};
  return run;
}

std::vector<StepRun> run_quietly(const void* answer) {
  std::vector<StepRun> runs;
  for (const Step& step : steps()) {
    if (detail::variations().empty()) runs.push_back(run_step(step, answer, false));
    for (const auto& vary : detail::variations()) {
      vary();
      runs.push_back(run_step(step, answer, false));
    }
  }
  return runs;
}

std::size_t comparisons(const std::vector<StepRun>& runs) {
  std::size_t count = 0;
  for (const StepRun& run : runs) count += run.seen.size();
  return count;
}

// --- Diagnosis -------------------------------------------------------------------------------------

struct Likeness {
  bool equal = true;      // every value of every step
  double difference = 0;  // the largest, absolute
};

Likeness likeness(const std::vector<StepRun>& a, const std::vector<StepRun>& b) {
  Likeness result;
  for (std::size_t s = 0; s < a.size(); ++s) {
    if (a[s].end == End::not_written) continue;  // says nothing about the holes that are written
    if (a[s].seen.size() != b[s].seen.size()) return {false, kInfinite};
    for (std::size_t i = 0; i < a[s].seen.size(); ++i) {
      const Seen &x = a[s].seen[i], &y = b[s].seen[i];
      // At the scale of the numbers compared, so that large wrong numbers may differ by rounding too
      if (!(distance(x.got, y.got, y.got, std::max(x.tolerance, y.tolerance)) <= 1)) {
        return {false, kInfinite};
      }
      for (std::size_t k = 0; k < x.got.numbers.size(); ++k) {
        const double d = std::abs(x.got.numbers[k] - y.got.numbers[k]);
        if (d > result.difference) result.difference = d;  // not for NaN beside NaN
      }
    }
  }
  return result;
}

// How far from right, in tolerances, where it is farthest
double margin(const std::vector<StepRun>& runs) {
  double most = 0;
  for (const StepRun& run : runs) {
    for (const Seen& seen : run.seen) most = std::max(most, margin(seen));
  }
  return most;
}

// The wrong answer that this is, or nullptr. Never a guess: all values equal, and far from right. While holes are not
// written yet there are fewer values, so it must be the only one.
const Variant* recognise(const std::vector<StepRun>& runs, double& difference) {
  if (!(margin(runs) >= kMargin)) return nullptr;
  const Variant* best = nullptr;
  const bool whole = std::none_of(runs.begin(), runs.end(),
                                  [](const StepRun& run) { return run.end == End::not_written; });
  for (std::size_t i = 1; i < variants().size(); ++i) {
    const Likeness like = likeness(runs, run_quietly(variants()[i].answer));
    if (like.equal && best != nullptr && !whole) return nullptr;
    if (like.equal && (best == nullptr || like.difference < difference)) {
      best = &variants()[i];
      difference = like.difference;
    }
  }
  return best;
}

// --- The two ways to run ---------------------------------------------------------------------------

int check_student(std::ostream& out) {
  if (detail::machine()) {
    try {
      const std::string name = detail::machine()();
      out << "{\"machine\":" << json(name) << "}" << std::endl;
    } catch (const std::exception& error) {
      out << "{\"message\":" << json(error.what())
          << ",\"verdict\":\"skipped: no GPU\"}\n{\"end\":true}" << std::endl;
      return 1;
    }
  }
  out << "{\"steps\":[";
  for (std::size_t s = 0; s < steps().size(); ++s) {
    out << (s == 0 ? "" : ",") << json(steps()[s].title);
  }
  out << "]}" << std::endl;
  std::size_t count = 0;
  for (std::size_t s = 0; s < steps().size(); ++s) {
    listening = true;
    const StepRun run = run_step(steps()[s], student_answer(), true);
    listening = false;
    count += run.seen.size();
    const auto step = [&](const char* result) {
      out << "{\"step\":" << json(steps()[s].title) << ",\"result\":\"" << result << "\"}"
          << std::endl;
    };
    if (run.end == End::done) {
      step("passed");
      continue;
    }
    const char* verdict = run.end == End::not_written      ? "not written yet"
                          : run.end == End::wrote_to_input ? "wrote to its inputs"
                                                           : "failed";
    step(run.end == End::not_written ? "not written" : "failed");
    for (std::size_t w = s + 1; w < steps().size(); ++w) {
      out << "{\"step\":" << json(steps()[w].title) << ",\"result\":\"waiting\"}" << std::endl;
    }
    if (run.end == End::threw) out << frames_of_throw();
    out << "{\"message\":" << json(run.message) << ",\"verdict\":\"" << verdict
        << "\",\"checks\":" << count << "}" << std::endl;
    if (run.end != End::not_written && !variants().empty()) {
      alarm(3);  // the verdict stands; a later step that hangs only costs the diagnosis
      double difference = 0;
      if (const Variant* wrong = recognise(run_quietly(student_answer()), difference)) {
        out << "{\"diagnosis\":" << json(wrong->id) << ",\"sentence\":" << json(wrong->sentence)
            << ",\"difference\":" << json(number(difference)) << "}" << std::endl;
      }
    }
    out << "{\"end\":true}" << std::endl;
    return 1;
  }
  // All steps went by; did they look at everything?
  const bool looked = count == std::size_t(wanted_counts.comparisons) &&
                      steps().size() == std::size_t(wanted_counts.steps);
  if (!looked) {
    out << "{\"message\":"
        << json(std::to_string(steps().size()) + " steps with " + std::to_string(count) +
                " comparisons ran, " + std::to_string(wanted_counts.steps) + " with " +
                std::to_string(wanted_counts.comparisons) +
                " are wanted: the exercise is broken, not your file")
        << "}" << std::endl;
  }
  out << "{\"verdict\":\"" << (looked ? "passed" : "no check ran") << "\",\"checks\":" << count
      << "}" << std::endl;
  out << "{\"end\":true}" << std::endl;
  return looked ? 0 : 1;
}

// What the kernel asks of memory, step by step, for the viewer; with_book: and what the book's asks in the last one.
// Up to the first step that the emulator stops.
int record_student(const std::string& path, const std::string& id, const std::string& title,
                   bool with_book) {
  if (!detail::recorder()) {
    std::cerr << "There is no kernel in this exercise." << std::endl;
    return 2;
  }
  std::string versions, stopped;
  const auto add = [&](const std::string& name, const Step& step, const void* answer) {
    StepRun run;
    const std::string record = detail::recorder()([&] { run = run_step(step, answer, false); });
    if (run.end == End::threw || run.end == End::not_written) {
      stopped = run.message;
      return false;
    }
    versions += (versions.empty() ? "\n" : ",\n") + ("{\"name\":" + json(name)) +
                ",\"least\":0,\"record\":" + record + "}";
    return true;
  };
  bool going = true;
  for (std::size_t s = 0; s < steps().size() && going; ++s)
    going = add(steps()[s].title, steps()[s], student_answer());
  if (going && with_book && reference() != nullptr && !steps().empty())
    add(std::string("the book's: ") + steps().back().title, steps().back(), reference());
  if (versions.empty()) {
    std::cerr << stopped << std::endl;
    return 1;
  }
  std::ofstream out(path, std::ios::binary);
  out << "{\"format\":\"tpp-trace 1\",\"chapter\":\"yours\",\"section\":" << json(id)
      << ",\"title\":" << json(title) << ",\"versions\":[" << versions << "]}" << std::endl;
  if (!out.flush()) {
    std::cerr << "Cannot write " << path << "." << std::endl;
    return 2;
  }
  return 0;
}

int self_test() {
  bool good = true;
  const auto complain = [&](const std::string& words) {
    std::cout << "  WRONG: " << words << "\n";
    good = false;
  };

  // The reference passes, twice alike
  const std::vector<StepRun> right = run_quietly(variants()[0].answer);
  const std::size_t ways = std::max<std::size_t>(1, detail::variations().size());
  std::cout << steps().size() << " steps, " << comparisons(right) / ways << " comparisons, "
            << variants().size() - 1 << " wrong answers\n";
  if (steps().size() != std::size_t(wanted_counts.steps) ||
      comparisons(right) / ways != std::size_t(wanted_counts.comparisons)) {
    complain("exercise.toml says steps = " + std::to_string(wanted_counts.steps) +
             ", comparisons = " + std::to_string(wanted_counts.comparisons) +
             ": did a check vanish?");
  }
  for (std::size_t s = 0; s < steps().size(); ++s) {
    const StepRun run = run_step(steps()[s], variants()[0].answer, true);
    if (right[s * ways].seen.empty())
      complain(std::string(steps()[s].title) + ": compares nothing");
    if (run.end != End::done) {
      complain("the reference fails at \"" + std::string(steps()[s].title) + "\": " + run.message);
    }
  }
  if (!likeness(right, run_quietly(variants()[0].answer)).equal) {
    complain("two runs of the reference differ: is the data random?");
  }
  if (variants().size() < 5) complain("an exercise needs at least four wrong answers");

  // Each wrong answer is rejected, by far, and known
  std::printf("  %-28s %-30s %12s  %s\n", "wrong answer", "first step that fails", "margin",
              "recognised as");
  for (std::size_t i = 1; i < variants().size(); ++i) {
    const Variant& wrong = variants()[i];
    const std::vector<StepRun> runs = run_quietly(wrong.answer);
    std::string first = "none";
    for (const Step& step : steps()) {
      const StepRun run = run_step(step, wrong.answer, true);
      if (run.end == End::done) continue;
      first = step.title;
      if (run.end == End::not_written) complain(std::string(wrong.id) + " is not written");
      break;
    }
    const double far = margin(runs);
    double difference = 0;
    const Variant* known = recognise(runs, difference);
    std::printf("  %-28s %-30s %12.3g  %s\n", wrong.id, first.c_str(), far,
                known ? known->id : "nothing");
    std::fflush(stdout);
    if (first == "none") complain(std::string(wrong.id) + " passes");
    if (!(far >= kMargin)) complain(std::string(wrong.id) + " is too near: use other data");
    if (known != &wrong) complain(std::string(wrong.id) + " is taken for something else");
    for (std::size_t k = 1; k < i; ++k) {
      if (likeness(runs, run_quietly(variants()[k].answer)).equal) {
        complain(std::string(wrong.id) + " and " + variants()[k].id + " cannot be told apart");
      }
    }
  }
  std::cout << (good ? "good" : "BROKEN") << std::endl;
  return good ? 0 : 1;
}

}  // namespace

// --- What checks.cpp calls -------------------------------------------------------------------------

void expect_near(const Values& got, const Values& want, std::string_view what, double tolerance) {
  const double own = std::max(got.tolerance, want.tolerance);
  compare({std::string(what), got, want, tolerance > 0 ? tolerance : own});
}

void expect_equal(const Values& got, const Values& want, std::string_view what) {
  compare({std::string(what), got, want, 0});
}

void expect_true(bool property, std::string_view what) {
  compare({std::string(what), Values(property ? "yes" : "no"), Values("yes"), 0});
}

void detail::expect_thrown(bool thrown, std::string_view what) {
  compare({std::string(what), Values(thrown ? "an error" : "no error"), Values("an error"), 0});
}

void detail::keep(Guard guard) { context.kept.push_back(std::move(guard)); }

std::function<std::string()>& detail::machine() {
  static std::function<std::string()> name;
  return name;
}

std::function<std::string(const std::function<void()>&)>& detail::recorder() {
  static std::function<std::string(const std::function<void()>&)> record;
  return record;
}

std::vector<std::function<void()>>& detail::variations() {
  static std::vector<std::function<void()>> all;
  return all;
}

detail::Registration::Registration(const char* title,
                                   void (*run)(const void* answer, const void* reference)) {
  steps().push_back({title, run});
}

std::vector<float> random_floats(unsigned seed, std::size_t n, float scale) {
  std::mt19937 bits(seed);  // the standard fixes its numbers; its normal_distribution it does not
  std::vector<float> values(n);
  for (float& v : values) {
    const double u1 = (double(bits()) + 0.5) / 4294967296.0, u2 = double(bits()) / 4294967296.0;
    v = scale * float(std::sqrt(-2 * std::log(u1)) * std::cos(6.283185307179586 * u2));
  }
  return values;
}

}  // namespace tpp::learn

// Asked by the leak sanitizer when the program ends: what a lost step held is not a leak.
extern "C" int __lsan_is_turned_off() { return tpp::learn::step_was_lost ? 1 : 0; }

// Instead of the standard library's own
namespace std {
[[noreturn]] void __glibcxx_assert_fail(const char* file, int line, const char* function,
                                        const char* condition) noexcept {
  using namespace tpp::learn;
  if (may_jump) {
#if TPP_LEARN_FRAMES
    thrown_frames = backtrace(thrown_at, kFrames);
#endif
    broken_rule = library_says(condition);
    std::longjmp(out_of_step, 1);
  }
  std::fprintf(stderr, "%s:%d: %s: %s\n", file, line, function, condition);
  std::abort();
}
}  // namespace std

#if TPP_LEARN_FRAMES
// Every exception of the student's code passes here: remember the way to it
namespace {
void remember_throw() {
  using namespace tpp::learn;
  if (!listening || !detail::variations().empty()) return;  // a kernel's errors have lines
  thrown_frames = backtrace(thrown_at, kFrames);
}
}  // namespace
#if TPP_LEARN_WRAP
extern "C" [[noreturn]] void __real___cxa_throw(void*, void*, void (*)(void*));
extern "C" [[noreturn]] void __wrap___cxa_throw(void* object, void* type, void (*destroy)(void*)) {
  remember_throw();
  __real___cxa_throw(object, type, destroy);
}
#else
extern "C" [[noreturn]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
  using Throw = void (*)(void*, void*, void (*)(void*));
  static const auto really = reinterpret_cast<Throw>(dlsym(RTLD_NEXT, "__cxa_throw"));
  remember_throw();
  really(object, type, destroy);
  __builtin_unreachable();
}
#endif
#endif

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"--self-test"}) return tpp::learn::self_test();
  if (arguments.size() >= 4 && arguments[0] == "--trace") {
    return tpp::learn::record_student(arguments[1], arguments[2], arguments[3],
                                      arguments.size() > 4);
  }
  if (arguments.size() == 2 && arguments[0] == "--results") {
    std::ofstream file(arguments[1], std::ios::app);
    tpp::learn::watch_signals(arguments[1]);
    return tpp::learn::check_student(file);
  }
  return tpp::learn::check_student(std::cout);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
