// A hand that does anything, in an order that a seed chooses, for a while: memory stays within its
// bounds, a second run gives back what it took, and what rests costs nothing.
//
//   TPP_LONG=3600 build/bin/tpp_viewer_tests "soak*"     for an hour; TPP_SEED=7 in another order
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "assets/repository.h"
#include "tests/viewer/small_run.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/script.h"

namespace tpp::viewer::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBudget = 2 << 20;  // of the past: some ten states
constexpr std::size_t kMega = 1 << 20;

/// Bytes that were asked of the heap and not given back; 0 where that cannot be known.
std::size_t heap_in_use() {
#if defined(__GLIBC__) && !TPP_SANITIZED && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

/// Bytes of the process in memory; 0 where that cannot be known.
std::size_t resident() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages >> pages;
  return file ? pages * std::size_t(sysconf(_SC_PAGESIZE)) : 0;
}

double megabytes(std::size_t bytes) { return double(bytes) / double(kMega); }

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tpp-soak-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// The window, a run, and a hand.
struct Stage {
  explicit Stage(const Folder& folder)
      : backend(make_null_backend({.width = 1600, .height = 1000, .scale = 1})),
        run(options(), config_for(*backend)),
        app(*backend, run,
            {.out = folder.path,
             .root = repository_root(),
             .session = folder.path / "session.json"}),
        hand(*backend, app.probes(), [this] { app.frame(false); }) {
    wait("the first frame", [this] { return app.shown() != nullptr; });
  }

  static RunOptions options() { return small_options(2); }
  static RunThreadConfig config_for(Backend& backend) {
    RunThreadConfig config = quick_config();
    config.past_budget = kBudget;
    config.wake = [&backend] { backend.wake(); };
    return config;
  }

  void wait(const char* what, const std::function<bool()>& done) {
    const auto until = Clock::now() + std::chrono::duration<double>(kPatience);
    while (Clock::now() < until) {
      app.frame(false);
      if (done()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    FAIL("waited in vain for: " << what);
  }

  /// Until nothing moves: the text is written, and every panel has what it asked for.
  void settle() {
    wait("rest", [this, calm = 0]() mutable {
      const Frame& f = *app.shown();
      const bool still = run.answered() && !f.playing && f.travelling_to < 0 && f.sample_whole &&
                         f.sample_step == f.step && run.frame() == app.shown();
      calm = still ? calm + 1 : 0;
      return calm > 3;
    });
  }

  /// One run at its start, and the window as it opens.
  void begin_again() {
    run.close_fork();
    for (int i = 0; i < 6; ++i) hand.key("Escape");
    run.pause();
    run.set_speed(0);
    run.set_prompt("");
    run.set_temperature(0.8);
    run.restart(options());
    app.set_compare(Compare::a);
    app.set_appearance(Appearance::dark);
    app.set_zoom(1);
    backend->resize(1600, 1000);
    app.layout().restore();
    app.layout().set_preset(Preset::reading);
    (void)app.reader().open("chapters/06_attention/README.md");
    hand.wait(2);  // the page before is let go
    app.layout().set_preset(Preset::balanced);
    app.selection().release();
    hand.move_to(5, 5);
    wait("the start", [this] { return !app.shown_b() && app.shown()->step == 0; });
    settle();
    app.frame();  // the picture has the window's size again
    REQUIRE(app.history().steps.empty());
    REQUIRE(app.history_b().steps.empty());
  }

  std::unique_ptr<NullBackend> backend;
  RunThread run;
  App app;
  Script hand;
};

/// What a hand may do, one thing at a time.
class Hand {
 public:
  Hand(Stage& stage, const Folder& folder, unsigned seed)
      : s_(stage), folder_(folder), state_(seed * 2654435761u + 1) {}

  std::string act() {
    switch (below(20)) {
      case 0:
        return play();
      case 1:
        return play();
      case 2:
        return rest();
      case 3:
        return fork();
      case 4:
        return close();
      case 5:
        return seek();
      case 6:
        return drag();
      case 7:
      case 8:
      case 9:
        return hover();
      case 10:
      case 11:
        return click();
      case 12:
      case 13:
        return press();
      case 14:
        return press();
      case 15:
        return rate();
      case 16:
        return write();
      case 17:
        return look();
      case 18:
        return read();
      default:
        return step();
    }
  }

 private:
  unsigned below(unsigned n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return unsigned(state_ >> 33) % n;
  }
  float part() { return float(below(1000)) / 1000; }
  void frames(unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
      s_.app.frame(below(40) == 0);
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }
  template <class F>
  void try_to(F&& f) {  // refusals are sentences for the reader
    try {
      f();
    } catch (const InputError&) {
    } catch (const ScriptError&) {
    }
  }

  std::string play() {
    try_to([&] { s_.run.play(); });
    frames(5 + below(60));
    return "play";
  }
  std::string rest() {
    s_.run.pause();
    frames(3);
    return "pause";
  }
  std::string step() {
    try_to([&] { below(2) ? s_.run.step() : s_.run.step_phase(); });
    frames(2);
    return "step";
  }
  std::string fork() {
    static const std::vector<Swaps> kSwaps{{},
                                           {{"norm", "layernorm"}},
                                           {{"ffn", "relu"}},
                                           {{"position", "alibi"}},
                                           {{"attention", "mha"}, {"warmup", "0"}},
                                           {{"lr", "0.01"}},
                                           {{"layers", "3"}},
                                           {{"optimizer", "sgd"}}};
    const Swaps& swaps = kSwaps[below(unsigned(kSwaps.size()))];
    try_to([&] { s_.run.fork(swaps, below(3) ? ForkAt::here : ForkAt::start); });
    s_.app.set_compare(Compare(below(3)));
    frames(4);
    return "fork " + describe(swaps);
  }
  std::string close() {
    s_.run.close_fork();
    frames(3);
    return "close";
  }
  std::string seek() {
    const long newest = s_.app.shown()->frontier;
    const long step = long(below(unsigned(newest + 5)));
    s_.run.seek(step);
    frames(1 + below(20));
    return "seek " + std::to_string(step);
  }
  std::string drag() {
    try_to([&] { s_.hand.drag("time", 2000 * (part() - 0.5f), 0, part(), 0.5f); });
    return "drag";
  }
  std::string hover() {
    for (unsigned i = below(5) + 1; i > 0; --i) {
      s_.hand.move_to(1600 * part(), 1000 * part());
      frames(1 + below(4));
    }
    return "hover";
  }
  std::string click() {
    // Anything on the screen but what makes the model larger
    std::vector<std::string> names;
    std::istringstream all(s_.app.probes().known());
    for (std::string name; std::getline(all, name, ',');) {
      name.erase(0, name.find_first_not_of(' '));
      const bool sizes = name.find("architecture/size") == 0;
      if (!name.empty() && !sizes) names.push_back(name);
    }
    if (names.empty()) return "nothing to click";
    const std::string name = names[below(unsigned(names.size()))];
    try_to(
        [&] { below(6) ? s_.hand.click(name, part(), part()) : s_.hand.wheel(name, 2, part()); });
    return "click " + name;
  }
  std::string press() {
    static const char* const kKeys[] = {
        "1",      "2",      "3", "4", "5",      "6",       "B",       "F",       "E", "T",
        "Escape", "Escape", ".", ",", "Ctrl+K", "Shift+.", "Shift+,", "Shift+B", "F1"};
    const std::string key = kKeys[below(std::size(kKeys))];
    try_to([&] { s_.hand.key(key); });
    frames(2);
    return "key " + key;
  }
  std::string rate() {
    static constexpr double kRates[] = {1e-3, 3e-3, 1e-2, 1e8};
    const double rate = kRates[below(4)];
    s_.run.set_learning_rate(rate);
    frames(2);
    return "rate";
  }
  std::string write() {
    switch (below(4)) {
      case 0:
        try_to([&] { s_.hand.key("C"); });
        break;
      case 1:
        s_.app.commands().run("export.picture");
        s_.app.frame();
        break;
      case 2:
        s_.run.save((folder_.path / "checkpoint.safetensors").string());
        break;
      default: {
        s_.app.commands().run("session.save");
        s_.app.apply(s_.app.session());
      }
    }
    frames(2);
    return "write";
  }
  std::string look() {
    switch (below(4)) {
      case 0:
        s_.app.set_zoom(0.75f + part());
        break;
      case 1:
        s_.backend->resize(int(500 + below(1400)), int(400 + below(900)));
        break;
      case 2:
        s_.run.set_temperature(0.2 + double(part()));
        break;
      default:
        s_.run.set_prompt(below(2) ? "the fox" : "the hen saw");
    }
    frames(3);
    return "look";
  }
  std::string read() {
    const std::vector<std::string> ids = s_.app.panel_ids();
    if (below(3) == 0) {
      (void)s_.app.commands().run("read." + std::string(below(2) ? "06" : "13"));
    } else {
      s_.app.bring_forward(ids[below(unsigned(ids.size()))]);
    }
    frames(3);
    return "panel";
  }

  Stage& s_;
  const Folder& folder_;
  std::uint64_t state_;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

TEST_CASE("soak: whatever is done, in any order, memory stays within its bounds",
          "[viewer][lockstep]") {
  const char* named = std::getenv("TPP_LONG");
  const char* seeded = std::getenv("TPP_SEED");
  const double wanted = named ? std::atof(named) : 0;  // seconds; else so many rounds
  const unsigned seed = seeded ? unsigned(std::atoi(seeded)) : 1;
  constexpr int kRounds = TPP_SANITIZED ? 8 : 25, kActions = 40, kWarm = 5;

  const Folder folder;
  Stage stage(folder);
  Hand hand(stage, folder, seed);
  stage.run.play_until(120);  // so that the budget is felt from the beginning
  stage.wait("the first steps", [&] { return stage.app.shown()->step == 120; });
  const auto start = Clock::now();
  std::size_t settled = 0, most_past = stage.app.shown()->past_bytes, most_resident = 0,
              first_resident = 0;
  long actions = 0;
  for (int round = 0; wanted > 0 ? seconds_since(start) < wanted : round < kRounds; ++round) {
    std::string done;
    for (int i = 0; i < kActions; ++i) {
      done += hand.act() + "; ";
      INFO("round " << round << ", seed " << seed << ": " << done);
      ++actions;

      // One budget for the past of both, whatever was done
      const FramePair pair = stage.run.frames();
      const std::size_t past = pair.a->past_bytes + (pair.b ? pair.b->past_bytes : 0);
      const std::size_t budget = pair.a->past_budget + (pair.b ? pair.b->past_budget : 0);
      REQUIRE(past <= kBudget);
      REQUIRE(budget <= kBudget);
      most_past = std::max(most_past, past);
    }
    most_resident = std::max(most_resident, resident());
    INFO("round " << round << ", seed " << seed << ": " << done);
    stage.begin_again();
    REQUIRE(stage.app.shown()->past_budget == kBudget);  // A has it all again
    for (const auto& entry : fs::directory_iterator(folder.path)) fs::remove_all(entry.path());

    // Begun again, it is as if nothing had been done; the first rounds fill what is kept for good
    const std::size_t heap = heap_in_use(), rss = resident();
    if (round < kWarm) {
      settled = std::max(settled, heap);
      first_resident = std::max(first_resident, rss);
    } else {
      REQUIRE(heap <= settled + 16 * kMega);
      if (heap > 0) REQUIRE(rss <= first_resident + 24 * kMega);
    }
    if (wanted > 0 && (round < 8 || round % 20 == 0)) {
      std::fprintf(
          stderr, "soak: %.0f s, %ld actions: heap %.2f MB, resident %.1f MB (most %.1f)\n",
          seconds_since(start), actions, megabytes(heap), megabytes(rss), megabytes(most_resident));
    }
  }
  CHECK(most_past > kBudget / 2);  // it was put to the test
}

TEST_CASE("soak: a second run that is closed gives its memory back, and costs nothing at rest",
          "[viewer][lockstep]") {
  const Folder folder;
  Stage stage(folder);
  stage.run.play_until(40);
  stage.wait("forty steps", [&] { return stage.app.shown()->step == 40; });
  const auto with_b = [&](const Swaps& swaps) {
    stage.run.fork(swaps, ForkAt::here);
    stage.wait("B", [&] { return stage.app.shown_b() != nullptr; });
    stage.app.set_compare(Compare::difference);
    stage.settle();
  };
  const auto without_b = [&] {
    stage.run.close_fork();
    stage.app.set_compare(Compare::a);
    stage.wait("A alone", [&] { return !stage.app.shown_b(); });
    stage.settle();
  };
  for (int i = 0; i < 2; ++i) {  // what is kept for good is there
    with_b({{"width", "32"}});
    without_b();
  }

  stage.app.frame();
  const std::size_t before = heap_in_use();
  for (int i = 0; i < 6; ++i) {
    with_b({{"width", "32"}});
    const std::size_t of_b = stage.app.shown_b()->memory_bytes;
    if (before > 0) CHECK(heap_in_use() > before + of_b / 2);

    // Both rest, when the last input is answered and the last sentence gone: no frame is drawn, no phase
    // computed
    const auto began = Clock::now();
    auto since = began;
    std::clock_t worked = std::clock();
    long drawn = stage.app.frames_drawn();
    stage.app.loop(-1, [&] {
      if (stage.app.frames_drawn() != drawn) {
        drawn = stage.app.frames_drawn();
        since = Clock::now();
        worked = std::clock();
      }
      return seconds_since(since) > 0.3 || seconds_since(began) > 60;
    });
    CHECK(seconds_since(began) <= 60);
    const double busy = double(std::clock() - worked) / CLOCKS_PER_SEC;
    CHECK(busy < 0.3 * seconds_since(since));
    without_b();
    if (before > 0) CHECK(heap_in_use() < before + kMega / 4);
  }
}

}  // namespace tpp::viewer::testing
