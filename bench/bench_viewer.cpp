// What it costs to watch: one run and two in the window's default layout, and how fast the frames of
// that window are drawn without a graphics card. Method: bench/README.md.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "assets/repository.h"
#include "assets/sources.h"
#include "bench/calibrate.h"
#include "bench/measuring.h"
#include "bench/table.h"
#include "tools/cli/commands.h"
#include "viewer/app.h"
#include "viewer/backend.h"

namespace tpp::bench {
namespace {

using viewer::Compare;
using viewer::Frame;

constexpr int kWidth = 1600, kHeight = 1000;
constexpr double kPatience = 120;  // seconds

struct Options {
  bool quick = false;
  bool write = false;
  int rounds = 0;  // 0: 7, or 2 when quick
};

/// What stands in the window: one run, or two and which of them the panels show.
struct View {
  std::string name;
  std::optional<Compare> shows;                                // nothing: one run
  std::vector<double> step, picture, window, live;             // seconds; of a step; shares
  std::vector<double> changed, unchanged, drawn, drawn_again;  // seconds of a frame
  int uploads = 0;           // of a frame whose maps changed, the most
  int uploads_for_free = 0;  // of frames whose maps had not changed, all
};

/// A window without a screen, with the default model behind it.
class Bench {
 public:
  explicit Bench(std::optional<Compare> shows)
      : backend_(viewer::make_null_backend({.width = kWidth, .height = kHeight, .scale = 1})),
        run_(options(), config(*backend_)),
        app_(*backend_, run_, {.root = repository_root(), .session = {}}) {
    wait([](const Frame&) { return true; });
    if (shows) {
      run_.fork({{"norm", "layernorm"}, {"ffn", "relu"}}, viewer::ForkAt::start);
      until([&] { return app_.shown_b() != nullptr; });
      app_.set_compare(*shows);
    }
    // Until every panel has what it asks for, and what is kept is there
    run_.play_until(10);
    until([&] { return app_.shown()->step == 10 && !app_.shown()->playing && run_.answered(); });
    for (int i = 0; i < 5; ++i) app_.frame();
  }

  /// Watched while it trains, as the window does: a frame for each picture that is published.
  void live(View& view, int steps) {
    const long last = app_.shown()->step + steps;
    const double window = thread_cpu_seconds(), all = process_cpu_seconds();
    run_.play_until(last);
    until([&] { return app_.shown()->step >= last && !app_.shown()->playing; });
    const double of_window = thread_cpu_seconds() - window;
    const double of_run = process_cpu_seconds() - all - of_window;
    const double pictures = app_.shown()->watch_share;
    const double training = of_run / (1 + pictures);
    view.step.push_back(training / steps);
    view.picture.push_back(pictures);
    view.window.push_back(of_window / training);
    view.live.push_back(pictures + of_window / training);
  }

  /// Single frames: of a new step, and again of the same one; with and without their pixels.
  void frames(View& view) {
    for (const bool pixels : {false, true}) {
      const long step = app_.shown()->step + 1;
      run_.step();
      wait([&](const Frame& f) {
        return f.step == step && !f.playing && f.sample_whole && f.sample_step == step;
      });
      const int before = uploads();
      (pixels ? view.drawn : view.changed).push_back(seconds_of_frame(pixels));
      view.uploads = std::max(view.uploads, uploads() - before);
      app_.frame(false);  // what the panels had still to ask for
      until([&] { return run_.answered() && run_.frame() == app_.shown(); });
      const int again = uploads();
      (pixels ? view.drawn_again : view.unchanged).push_back(seconds_of_frame(pixels));
      view.uploads_for_free += uploads() - again;
    }
  }

 private:
  static RunOptions options() {
    RunOptions options;
    options.threads = 1;
    return options;
  }
  static viewer::RunThreadConfig config(viewer::Backend& backend) {
    viewer::RunThreadConfig config;
    config.open = [](const RunOptions& o) { return make_source(source_config(o)); };
    config.wake = [&backend] { backend.wake(); };
    config.sample_budget = 0;  // a text is no part of a picture
    config.sample_tokens = 1;
    return config;
  }

  void wait(const std::function<bool(const Frame&)>& done) {
    if (!run_.wait_for(done, kPatience)) throw std::runtime_error("the run does not answer");
    if (!app_.shown()) app_.frame(false);
  }
  /// Frames as they are published, until it is so.
  void until(const std::function<bool()>& done) {
    const double end = wall_seconds() + kPatience;
    while (!done()) {
      if (run_.frame() == app_.shown()) backend_->wait_events(0.05);
      if (run_.frame() != app_.shown() || !run_.answered()) app_.frame(false);
      if (wall_seconds() > end) throw std::runtime_error("the run does not answer");
    }
  }
  double seconds_of_frame(bool pixels) {
    const double start = thread_cpu_seconds();
    app_.frame(pixels);
    return thread_cpu_seconds() - start;
  }
  int uploads() const {
    return dynamic_cast<viewer::SoftwareTextureStore&>(backend_->textures()).uploads();
  }

  std::unique_ptr<viewer::NullBackend> backend_;
  viewer::RunThread run_;
  viewer::App app_;
};

int run_bench(const Options& args) {
  const int rounds = args.rounds > 0 ? args.rounds : args.quick ? 2 : 7;
  const int steps = args.quick ? 12 : 30;
  const double load_before = one_minute_load();
  std::vector<View> views(4);
  views[0].name = "one run";
  views[1].name = "two runs, A shown";
  views[1].shows = Compare::a;
  views[2].name = "two runs, B shown";
  views[2].shows = Compare::b;
  views[3].name = "two runs, B − A shown";
  views[3].shows = Compare::difference;
  for (int round = 0; round < rounds; ++round) {
    for (View& view : views) {
      progress("round " + std::to_string(round + 1) + " of " + std::to_string(rounds) + ": " +
               view.name);
      Bench bench(view.shows);
      bench.live(view, steps);
      for (int i = 0; i < (args.quick ? 3 : 6); ++i) bench.frames(view);
    }
  }
  progress_done();

  const auto ms = [](const std::vector<double>& seconds) {
    return number(1e3 * median(seconds), 1);
  };
  const auto share = [](const std::vector<double>& shares) { return percent(median(shares)); };
  const auto rate = [](const std::vector<double>& seconds) {
    return number(1 / median(seconds), 0);
  };
  Table table({"", "step, ms", "pictures", "window", "together", "frame of a new step, ms",
               "frame again, ms", "drawn in software, new step, frames/s", "again, frames/s",
               "uploads, new step", "uploads, again"},
              1);
  for (const View& v : views) {
    table.row({v.name, ms(v.step), share(v.picture), share(v.window), share(v.live), ms(v.changed),
               ms(v.unchanged), rate(v.drawn), rate(v.drawn_again), std::to_string(v.uploads),
               std::to_string(v.uploads_for_free)});
  }
  const std::string text = machine() + ". Load before " + number(load_before, 1) + ", after " +
                           number(one_minute_load(), 1) + "; medians of " + std::to_string(rounds) +
                           " rounds.\n\n" + table.text();
  std::cout << text;
  if (args.write) {
    const std::filesystem::path readme = repository_root() / "bench" / "README.md";
    write_table(readme, "viewer", text);
    std::cout << "\nWritten into " << readme.string() << "\n";
  }

  // Ratios are no tests, but this is a count
  for (const View& v : views) {
    if (v.uploads_for_free > 0) {
      std::cerr << v.name << ": maps that had not changed were uploaded.\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace tpp::bench

int main(int argc, char** argv) {
  tpp::bench::Options args;
  CLI::App program(
      "What watching costs: pictures and frames of one run and of two, as shares of a training "
      "step.",
      "./run bench viewer");
  program.add_flag("--quick", args.quick, "fewer rounds");
  program.add_flag("--write", args.write, "put the table into bench/README.md");
  program.add_option("--rounds", args.rounds, "how often everything is measured (7)")
      ->check(CLI::Range(1, 1000));
  CLI11_PARSE(program, argc, argv);
  try {
    return tpp::bench::run_bench(args);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
