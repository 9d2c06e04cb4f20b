// The whole window on a screen in memory, with a real run behind it, driven by a scripted hand.
#include "viewer/app.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "tests/viewer/small_run.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/headless.h"
#include "viewer/panels/registry.h"
#include "viewer/script.h"

using namespace tpp;
using namespace tpp::viewer;
using tpp::viewer::testing::open_story;

namespace {

namespace fs = std::filesystem;

RunOptions small_options() { return viewer::testing::small_options(2); }

struct Folder {
  fs::path path;
  Folder() {
    static int count = 0;
    path = fs::temp_directory_path() /
           ("tpp-app-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

struct Stage {
  explicit Stage(int width = 1600, int height = 1000, AppConfig config = {},
                 const RunOptions& options = small_options())
      : backend(make_null_backend({.width = width, .height = height, .scale = 1})),
        run(options, config_for(*backend)),
        app(*backend, run, std::move(config)),
        hand(*backend, app.probes(), [this] { app.frame(false); }) {
    wait("the first frame", [this] { return app.shown() != nullptr; });
    hand.wait(3);
  }

  static RunThreadConfig config_for(Backend& backend) {
    RunThreadConfig config = viewer::testing::quick_config();
    config.sample_tokens = 8;
    config.wake = [&backend] { backend.wake(); };
    return config;
  }

  /// Draw until it is so; the run needs time of its own, above all under a sanitizer.
  void wait(const char* what, const std::function<bool()>& done) {
    for (int i = 0; i < 6000; ++i) {
      app.frame(false);
      if (done()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("waited in vain for: " << what);
  }

  std::unique_ptr<NullBackend> backend;
  RunThread run;
  App app;
  Script hand;
};

bool of_one_colour(const Image& image) {
  return std::all_of(image.pixels.begin(), image.pixels.end(),
                     [&](Rgba p) { return p == image.pixels.front(); });
}

}  // namespace

TEST_CASE("app: the table of panels is what the window needs", "[viewer][app]") {
  std::set<std::string> ids;
  for (const PanelEntry& entry : panel_table()) {
    const auto panel = entry.make();
    CHECK(panel->info().id == entry.id);
    CHECK_FALSE(panel->info().title.empty());
    CHECK_FALSE(panel->explain().empty());
    CHECK(ids.insert(entry.id).second);
  }
  for (const char* id : {"transport", "architecture", "attention", "rope", "norms", "gradients",
                         "loss", "samples", "status"}) {
    INFO(id);
    CHECK(ids.contains(id));
  }
}

TEST_CASE("app: a link brings the kernel lens forward, at a version", "[viewer][app][kernels]") {
  const Folder folder;
  fs::create_directories(folder.path / "chapters/05_softmax");
  const std::string link = "../../docs/viewer.md?kernel=08/forward/v2_warp_per_row#kernels";
  std::ofstream(folder.path / "chapters/05_softmax/README.md")
      << "# 05 Softmax\n\nSee the [kernel lens](" << link << ").\n";
  AppConfig config;
  config.root = folder.path;
  Stage s(1600, 1000, config);
  s.app.layout().set_preset(Preset::reading);
  s.app.reader().open_chapter("05_softmax");
  s.hand.wait(4);
  s.hand.click("reader/link/" + link);
  s.hand.wait(3);
  CHECK(s.app.panel_rect("kernels"));
  CHECK(s.app.session().panels.at("kernels").starts_with("08/forward/v2_warp_per_row"));

  // It records by itself, or says why not; the session brings it back
  s.wait("the recording", [&] { return !s.app.waiting(); });
  const Session session = s.app.session();
  Stage again(1600, 1000, config);
  again.app.apply(session);
  CHECK(again.app.session().panels.at("kernels") == session.panels.at("kernels"));

  // By the keys, too
  s.app.layout().set_preset(Preset::balanced);
  s.app.bring_forward("attention");
  s.hand.key("Ctrl+K");
  s.hand.type("kernel lens");
  s.hand.wait(2);
  s.hand.key("Enter");
  s.hand.wait(3);
  CHECK(s.app.panel_rect("kernels"));
}

TEST_CASE("app: from a map to a cell to the lens, while the run goes on", "[viewer][app]") {
  Stage s;
  const auto sees = [&](const char* name) { return s.hand.sees(name); };
  s.wait("the maps", [&] { return sees("attention/head/1/1"); });
  s.hand.click("attention/head/1/1");
  s.wait("the large map", [&] { return sees("attention/lens"); });
  CHECK_FALSE(sees("lens/step/weight"));
  s.hand.click("attention/map", 0.2f, 0.9f);
  s.hand.click("attention/lens");
  s.wait("the lens", [&] { return sees("lens/step/weight"); });
  const tpp::viewer::Place cell = s.app.selection().locked();
  CHECK(cell.layer == 1);
  CHECK(cell.head == 1);
  CHECK(cell.query == 14);
  CHECK(cell.key == 3);
  CHECK(s.app.csv("lens").find(",1,1,0,14,") != std::string::npos);

  // Another step, another number; without the tab nothing is asked for
  const std::string before = s.app.csv("lens");
  s.hand.key("Period");
  s.wait("a step", [&] { return s.app.csv("lens") != before; });
  CHECK(s.app.shown()->tap("block1/attn/q"));
  s.hand.click("tab/norms");
  s.hand.click("tab/rope");
  s.hand.key("Escape");
  s.wait("the maps again", [&] { return sees("attention/head/1/1"); });
  s.hand.click("tab/lens");
  s.hand.wait(3);
  CHECK_FALSE(sees("lens/step/weight"));  // no head is locked
}

TEST_CASE("app: a click plays, a click pauses, keys step", "[viewer][app]") {
  Stage s;
  CHECK_FALSE(s.run.playing());
  s.hand.click("transport/play");
  CHECK(s.run.playing());
  s.wait("ten steps", [&] { return s.app.shown()->step >= 10; });
  s.hand.click("transport/play");
  CHECK_FALSE(s.run.playing());
  s.wait("the pause", [&] { return !s.app.shown()->playing; });
  const long step = s.app.shown()->step;
  s.hand.key("Period");
  s.wait("one step", [&] { return s.app.shown()->step == step + 1; });
  s.hand.key("Comma");
  s.wait("forward", [&] { return s.app.shown()->phase == Phase::forward; });
  s.hand.click("transport/phase");
  s.wait("backward", [&] { return s.app.shown()->phase == Phase::backward; });
  s.hand.key("Comma");
  s.wait("update", [&] { return s.app.shown()->step == step + 2; });
  CHECK(s.app.history().steps.size() == std::size_t(step) + 2);

  s.hand.key("Space");
  CHECK(s.run.playing());
  s.hand.key("Space");
  CHECK_FALSE(s.run.playing());
  s.hand.key("Shift+R");
  s.wait("the start", [&] { return s.app.shown()->step == 0; });
  CHECK(s.app.history().steps.empty());
}

TEST_CASE("app: the strip goes back in time, and playing goes on from there", "[viewer][app]") {
  Stage s;
  s.run.play_until(40);
  s.wait("forty steps", [&] { return s.app.shown()->step == 40 && !s.app.shown()->playing; });
  const auto at_rest = [&](long step) {
    const Frame& f = *s.app.shown();
    return f.step == step && f.travelling_to < 0 && !f.playing;
  };
  s.hand.click("time", 0.5f, 0.5f);
  s.wait("a step in the middle", [&] {
    const Frame& f = *s.app.shown();
    return f.step > 10 && f.step < 30 && f.travelling_to < 0;
  });
  const long middle = s.app.shown()->step;
  CHECK(s.app.selection().locked().step == middle);
  CHECK(s.app.history().steps.size() == 40);
  s.hand.key("Shift+Comma");
  s.wait("one step earlier", [&] { return at_rest(middle - 1); });
  s.hand.key("Shift+Period");
  s.wait("the newest step", [&] { return at_rest(40); });
  CHECK_FALSE(s.app.selection().locked().step);

  // Dragged all over, and to both ends
  s.hand.drag("time", -2000, 0, 0.9f, 0.5f);
  s.wait("the first step", [&] { return at_rest(0); });
  s.hand.drag("time", 700, 0, 0.05f, 0.5f);
  s.wait("some step", [&] { return s.app.shown()->travelling_to < 0 && s.app.shown()->step > 5; });
  s.hand.key("Space");
  s.wait("beyond what was known", [&] { return s.app.shown()->step > 45; });
  CHECK_FALSE(s.app.selection().locked().step);
  for (std::size_t i = 0; i < s.app.history().steps.size(); ++i) {
    REQUIRE(s.app.history().steps[i].step == long(i) + 1);
  }
}

TEST_CASE("app: maps that have not changed are not sent to the card again", "[viewer][app]") {
  Stage s;
  const auto& store = dynamic_cast<SoftwareTextureStore&>(s.backend->textures());
  s.run.fork({{"norm", "layernorm"}}, ForkAt::start);
  s.wait("B", [&] { return s.app.shown_b() != nullptr; });
  const auto settled = [&, calm = 0]() mutable {
    const Frame& f = *s.app.shown();
    const bool still = s.run.answered() && f.sample_whole && f.sample_step == f.step &&
                       s.run.frame() == s.app.shown();
    calm = still ? calm + 1 : 0;
    return calm > 5;
  };
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    s.app.set_compare(compare);
    const auto take_step = [&] {
      const long step = s.app.shown()->step + 1;
      s.run.step();
      s.wait("a step", [&] { return s.app.shown()->step == step; });
    };
    take_step();
    s.wait("rest", settled);

    // Frames of the same state, and pictures of it that tell of another text
    const int before = store.uploads();
    s.hand.wait(20);
    CHECK(store.uploads() == before);
    const std::string prompt = compare == Compare::b ? "the fox" : "a hen";
    s.run.set_prompt(prompt);
    s.wait("another picture", [&] { return s.app.shown()->sample_prompt == prompt; });
    s.wait("rest", settled);
    CHECK(store.uploads() == before);

    // Another step is another map
    take_step();
    s.hand.wait(2);
    CHECK(store.uploads() >= before + 4);
  }
}

TEST_CASE("app: switching a component starts the run anew", "[viewer][app]") {
  Stage s;
  s.run.step();
  s.wait("a step", [&] { return s.app.shown()->step == 1; });
  s.hand.click("architecture/norm");
  s.hand.wait(2);
  s.hand.click("architecture/norm/layernorm");
  s.wait("another norm", [&] { return s.app.shown()->options.norm == "layernorm"; });
  CHECK(s.app.shown()->step == 0);
  s.wait("an empty history", [&] { return s.app.history().steps.empty(); });

  // Sinusoidal positions: the panels do without rotated queries
  s.hand.click("architecture/position");
  s.hand.wait(2);
  s.hand.click("architecture/position/alibi");
  s.wait("other positions", [&] { return s.app.shown()->options.position == "alibi"; });
  s.hand.wait(5);
}

TEST_CASE("app: everything is drawn, dark and light, at many sizes", "[viewer][app]") {
  Stage s;
  s.run.play();
  s.wait("some steps", [&] { return s.app.shown()->step >= 20; });
  s.run.pause();
  s.hand.wait(10);
  for (const Appearance appearance : {Appearance::dark, Appearance::light}) {
    s.app.set_appearance(appearance);
    s.app.frame();
    const Image window = s.app.picture();
    CHECK(window.width == 1600);
    CHECK(window.height == 1000);
    CHECK_FALSE(of_one_colour(window));
  }
  for (const std::string& id : s.app.panel_ids()) {
    INFO(id);
    s.app.bring_forward(id);
    s.hand.wait(2);
    s.app.frame();
    const Image picture = s.app.picture(id);
    REQUIRE_FALSE(picture.pixels.empty());
    const Rect rect = *s.app.panel_rect(id);
    CHECK(std::abs(float(picture.width) - rect.w) <= 1);
    CHECK(std::abs(float(picture.height) - rect.h) <= 1);
    CHECK_FALSE(of_one_colour(picture));
  }
  for (const auto& [width, height] :
       {std::pair(900, 600), {640, 480}, {300, 200}, {120, 90}, {3000, 500}, {1600, 1000}}) {
    s.backend->resize(width, height);
    for (int preset = 1; preset <= kPresets; ++preset) {
      CHECK(s.app.commands().run("view.preset" + std::to_string(preset)));
      s.hand.wait(2);
    }
  }
  s.app.frame();
  CHECK(s.app.picture().width == 1600);
}

TEST_CASE("app: the size of everything can be changed", "[viewer][app]") {
  Stage s;
  const float before = s.app.theme().em();
  s.hand.key("Ctrl+=");
  s.hand.wait(3);
  CHECK(s.app.theme().em() > before);
  s.hand.key("Ctrl+0");
  s.hand.wait(3);
  CHECK(s.app.theme().em() == before);
  for (int i = 0; i < 30; ++i) s.app.commands().run("view.larger");
  s.hand.wait(3);
  CHECK(s.app.theme().scale() <= 3);
  s.app.frame();
}

TEST_CASE("app: keys maximise, explain, switch layouts, and Escape undoes", "[viewer][app]") {
  Stage s;
  s.hand.move("slot/attention");
  s.hand.key("F");
  s.hand.wait(2);
  CHECK(s.app.layout().maximised() == Slot::attention);
  s.hand.key("E");
  s.hand.wait(2);
  CHECK(s.hand.sees("explanation"));
  s.hand.key("Escape");
  s.hand.wait(3);
  CHECK_FALSE(s.hand.sees("explanation"));
  CHECK(s.app.layout().maximised() == Slot::attention);
  s.hand.key("Escape");
  s.hand.wait(2);
  CHECK_FALSE(s.app.layout().maximised());
  s.app.selection().set({.layer = 1, .head = 1});
  s.hand.wait(2);
  s.hand.key("Escape");
  CHECK(s.app.selection().locked().empty());
  s.hand.key("6");
  s.hand.wait(3);
  CHECK(s.app.layout().preset() == Preset::reading);
  CHECK(s.hand.sees("slot/reader"));
  s.hand.key("1");
  s.hand.wait(3);
  CHECK_FALSE(s.hand.sees("slot/reader"));
  s.hand.key("T");
  CHECK_FALSE(s.app.theme().dark());
  s.hand.key("Ctrl+K");
  s.hand.wait(2);
  CHECK(s.hand.sees("palette"));
  s.hand.type("dark or light");
  s.hand.key("Enter");
  s.hand.wait(2);
  CHECK(s.app.theme().dark());
  s.hand.key("Ctrl+Q");
  CHECK(s.backend->should_close());
}

TEST_CASE("app: pictures, numbers and checkpoints are written where it says", "[viewer][app]") {
  const Folder folder;
  AppConfig config;
  config.out = folder.path / "pictures";
  config.session = folder.path / "session.json";
  Stage s(1600, 1000, config);
  s.run.play();
  s.wait("some steps", [&] { return s.app.shown()->step >= 5; });
  s.run.pause();
  s.wait("the pause", [&] { return !s.app.shown()->playing; });

  std::set<std::string> told;  // sentences go after a while, and frames are slow under a sanitizer
  const auto listen = [&] {
    for (const std::string& sentence : s.app.toasts()) told.insert(sentence);
  };
  s.hand.move("slot/attention");
  for (const char* shortcut : {"P", "C", "Shift+P", "Ctrl+Shift+S", "Ctrl+S"}) {
    s.hand.key(shortcut);
    listen();
  }
  s.app.frame(true);  // pictures are of frames that are presented
  s.wait("sentences about four files", [&] {
    listen();
    return told.size() >= 4 && fs::exists(config.out) &&
           std::distance(fs::directory_iterator(config.out), fs::directory_iterator()) >= 4;
  });
  std::set<std::string> suffixes;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(config.out)) {
    suffixes.insert(entry.path().extension().string());
    CHECK(fs::file_size(entry.path()) > 100);
    ++files;
  }
  CHECK(files == 4);
  CHECK(suffixes == std::set<std::string>{".png", ".csv", ".safetensors"});
  CHECK(load_session(config.session).options == s.app.shown()->options);

  // Nothing is written over: the second picture has another name
  s.hand.key("Shift+P");
  s.app.frame(true);
  CHECK(std::distance(fs::directory_iterator(config.out), fs::directory_iterator()) == 5);

  // A place that cannot be written to is a sentence
  fs::remove_all(config.out);
  std::ofstream(config.out) << "in the way";
  s.hand.key("Shift+P");
  s.app.frame(true);
  CHECK(s.app.toasts().back().find("pictures") != std::string::npos);
}

TEST_CASE("app: a run that stopped says why, and play is refused with a toast", "[viewer][app]") {
  Stage s;
  s.run.set_learning_rate(1e30);
  s.run.play();
  s.wait("the end", [&] { return !s.app.shown()->error.empty(); });
  s.hand.wait(3);
  const auto told = [&] {
    const auto toasts = s.app.toasts();
    return std::count(toasts.begin(), toasts.end(), s.app.shown()->error) == 1;
  };
  CHECK(s.hand.sees("transport/error"));
  CHECK_FALSE(told());
  s.hand.key("Space");
  CHECK_FALSE(s.run.playing());
  s.hand.wait(2);
  CHECK(told());
  s.app.frame();  // NaN in every tap is drawn
  s.run.set_learning_rate(1e-3);
  s.wait("no error", [&] { return s.app.shown()->error.empty(); });
  CHECK(s.app.toasts().empty());
  s.hand.key("Space");
  CHECK(s.run.playing());
}

TEST_CASE("app: what was locked goes when the model no longer has it", "[viewer][app]") {
  Stage s;
  s.app.selection().set({.layer = 1, .head = 1, .query = 12, .key = 3});
  s.hand.wait(2);
  RunOptions smaller = small_options();
  smaller.layers = 1;
  smaller.length = 8;
  s.run.restart(smaller);
  s.wait("the smaller model", [&] { return s.app.shown()->config.layers == 1; });
  const viewer::Place& locked = s.app.selection().locked();
  CHECK_FALSE(locked.layer);
  CHECK_FALSE(locked.query);
  CHECK(locked.head == 1);
  CHECK(locked.key == 3);
}

TEST_CASE("app: a planned fork begins at its step, and the session remembers it", "[viewer][app]") {
  const Folder folder;
  AppConfig config;
  config.out = folder.path;
  Session kept;
  {
    Stage s(1600, 1000, config);
    CHECK_THROWS_AS(s.app.plan_fork({{{"batch", "9"}}, 4}), InputError);
    s.app.plan_fork({{{"norm", "layernorm"}}, 14});
    s.app.set_compare(Compare::difference);
    CHECK(s.app.session().fork == ForkPlan{{{"norm", "layernorm"}}, 14});
    s.hand.key("Space");
    s.wait("both beyond the fork", [&] { return s.app.shown_b() && s.app.shown()->step > 20; });
    CHECK(s.app.shown()->fork == 14);
    CHECK(s.app.shown_b()->options.norm == "layernorm");
    CHECK(s.app.compare() == Compare::difference);
    CHECK(s.run.playing());
    s.hand.key("Space");
    s.wait("the pause", [&] { return !s.app.shown()->playing; });
    kept = session_from_json(to_json(s.app.session()));

    // What is shown is what is saved
    const auto files = [&] {
      std::set<std::string> names;
      for (const auto& entry : fs::directory_iterator(folder.path))
        names.insert(entry.path().filename().string().substr(0, 12));
      return names;
    };
    s.app.set_compare(Compare::b);
    s.hand.key("Ctrl+Shift+S");
    s.wait("B's checkpoint", [&] { return !files().empty(); });
    CHECK(files() == std::set<std::string>{"checkpoint-b"});
    s.app.set_compare(Compare::difference);
    s.hand.key("Ctrl+Shift+S");
    s.wait("both", [&] { return files().size() == 2; });
    CHECK(files().contains("checkpoint-a"));
  }
  CHECK(kept.fork == ForkPlan{{{"norm", "layernorm"}}, 14});
  CHECK(kept.compare == Compare::difference);

  // Opened again, one step at a time, the same two
  Stage s(1600, 1000, {}, *kept.options);
  s.app.apply(kept);
  s.app.plan_fork(*kept.fork);
  for (int i = 0; i < 14; ++i) s.run.step();
  s.wait("B", [&] { return s.app.shown_b() != nullptr; });
  CHECK(s.app.shown()->step == 14);
  CHECK(s.app.shown_b()->options.norm == "layernorm");
  CHECK(s.app.compare() == Compare::difference);
  CHECK_FALSE(s.run.playing());

  // Who goes past it is told
  Stage late;
  late.run.play_until(6);
  late.wait("six steps", [&] { return late.app.shown()->step == 6; });
  late.app.plan_fork({{}, 3});
  late.hand.wait(2);
  REQUIRE_FALSE(late.app.toasts().empty());
  CHECK(late.app.toasts().back().find("B was to begin at step 3") == 0);
  CHECK_FALSE(late.run.forked());
}

TEST_CASE("app: a session arranges the window again", "[viewer][app]") {
  Session kept;
  {
    Stage s;
    s.app.set_appearance(Appearance::light);
    s.app.layout().set_preset(Preset::learning);
    s.app.bring_forward("samples");
    s.app.selection().set({.layer = 1, .head = 0});
    s.hand.wait(2);
    kept = session_from_json(to_json(s.app.session()));
  }
  Stage s;
  s.app.apply(kept);
  s.hand.wait(2);
  CHECK_FALSE(s.app.theme().dark());
  CHECK(s.app.layout().preset() == Preset::learning);
  CHECK(s.app.selection().locked() == viewer::Place{.layer = 1, .head = 0});
  CHECK(s.app.panel_rect("samples"));
  CHECK(kept.options == small_options());

  // One from another program, or for a larger model, does no harm
  kept.layout = "nonsense";
  kept.tabs = {{"loss", "no such panel"}, {"no such slot", "samples"}};
  kept.panels = {{"attention", "\x01\x02"}, {"rope", std::string(10000, 'x')}, {"nobody", "x"}};
  kept.selected = {.step = 1000000, .layer = 900, .head = 900, .query = 9000, .parameter = "none"};
  s.app.apply(kept);
  s.hand.wait(3);
  CHECK_FALSE(s.app.selection().locked().layer);
  s.app.frame();
}

TEST_CASE("app: nothing is drawn while nothing changes", "[viewer][app]") {
  Stage s;
  s.wait("a whole text", [&] { return s.app.shown()->sample_whole; });
  const long before = s.app.frames_drawn();
  const auto start = std::chrono::steady_clock::now();
  s.app.loop(-1, [&] {
    return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(1500);
  });
  CHECK(s.app.frames_drawn() - before <= 12);

  // And while a run plays, it is drawn as often as it publishes
  Stage playing;
  playing.run.play();
  playing.app.loop(20);
  CHECK(playing.app.shown()->step > 0);
}

TEST_CASE("headless: pictures, numbers, text and checkpoint are there", "[viewer][app]") {
  const Folder folder;
  HeadlessConfig config;
  config.last_step = 12;
  config.out = folder.path / "out";
  config.width = 1200;
  config.height = 800;
  RunThreadConfig run_config;
  run_config.open = open_story;
  run_config.background = false;
  RunThread run(small_options(), run_config);
  CHECK(run_headless(run, config) == 0);

  const auto png_size = [](const fs::path& path) {
    unsigned char head[24] = {};
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(head), sizeof head);
    const auto number = [&](int at) {
      return head[at] << 24 | head[at + 1] << 16 | head[at + 2] << 8 | head[at + 3];
    };
    return head[1] == 'P' ? std::pair(number(16), number(20)) : std::pair(0, 0);
  };
  CHECK(png_size(config.out / "window-dark.png") == std::pair(1200, 800));
  CHECK(png_size(config.out / "window-light.png") == std::pair(1200, 800));
  for (const PanelEntry& entry : panel_table()) {
    INFO(entry.id);
    CHECK(png_size(config.out / "panels" / (std::string(entry.id) + ".png")).first > 100);
  }
  std::ifstream csv(config.out / "scalars.csv");
  std::string line;
  int lines = 0;
  while (std::getline(csv, line)) ++lines;
  CHECK(lines == 13);
  CHECK(fs::file_size(config.out / "sample.txt") > 20);
  CHECK(fs::file_size(config.out / "checkpoint.safetensors") > 1000);

  // A folder that cannot be is refused before anything is trained
  config.last_step = 1000000;
  config.out = config.out / "sample.txt" / "below";
  CHECK_THROWS_AS(run_headless(run, config), InputError);
}

TEST_CASE("app: forked by clicks, changed by a switch, shown as A, B and B − A, closed",
          "[viewer][app][lockstep]") {
  Stage stage;
  Script& hand = stage.hand;
  stage.run.play_until(20);
  stage.wait("step 20",
             [&] { return stage.app.shown()->step == 20 && !stage.app.shown()->playing; });
  CHECK(stage.app.compare() == Compare::a);
  CHECK_FALSE(hand.sees("slot/loss/run"));

  // The key tells what to do first; the button forks
  hand.key("B");
  REQUIRE(stage.app.toasts().size() == 1);
  CHECK(stage.app.toasts()[0].find("There is one run.") == 0);
  hand.click("transport/compare");
  hand.click("transport/compare/here");
  stage.wait("B", [&] { return stage.app.shown_b() != nullptr; });
  hand.wait(2);
  CHECK(stage.app.compare() == Compare::b);
  CHECK(stage.app.shown()->fork == 20);
  for (const char* probe :
       {"transport/compare/a", "transport/compare/b", "transport/compare/difference",
        "transport/compare/close", "slot/loss/run", "slot/attention/run"}) {
    INFO(probe);
    CHECK(hand.sees(probe));
  }

  // A switch is B's while B is shown, and A goes on from where it was
  hand.click("architecture/norm");
  hand.wait(2);
  hand.click("architecture/norm/layernorm");
  stage.wait("LayerNorm in B", [&] {
    return stage.app.shown_b() && stage.app.shown_b()->options.norm == "layernorm";
  });
  CHECK(stage.app.shown()->options.norm == "rmsnorm");
  CHECK(stage.app.shown()->step == 20);
  CHECK(stage.run.swaps() == Swaps{{"norm", "layernorm"}});
  hand.click("architecture/ffn");
  hand.wait(2);
  hand.click("architecture/ffn/relu");
  stage.wait("both in B", [&] {
    return stage.app.shown_b() && stage.app.shown_b()->options.ffn == "relu" &&
           stage.app.shown_b()->options.norm == "layernorm";
  });

  // Played together; whatever is drawn is of one step
  hand.click("transport/play");
  bool together = true;
  stage.wait("step 40", [&] {
    const auto &a = stage.app.shown(), &b = stage.app.shown_b();
    together = together && a && b && a->step == b->step && a->version != b->version;
    return a->step >= 40;
  });
  hand.click("transport/play");
  stage.wait("rest", [&] { return !stage.app.shown()->playing; });
  CHECK(together);
  hand.wait(3);
  const History &a = stage.app.history(), &b = stage.app.history_b();
  REQUIRE_FALSE(b.steps.empty());
  CHECK(b.steps.front().step == 21);
  CHECK(b.steps.back().step == a.steps.back().step);
  CHECK(stage.app.csv("loss").find(",train_b,") != std::string::npos);

  // Every panel with each choice, in both themes
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    CHECK(stage.app.compare() == Compare::b);
    stage.app.set_compare(compare);
    for (const std::string& id : stage.app.panel_ids()) {
      INFO(id);
      stage.app.bring_forward(id);
      hand.wait(4);
      stage.app.frame();
      const Image picture = stage.app.picture(id);
      if (stage.app.panel_rect(id)) CHECK_FALSE(of_one_colour(picture));
    }
    stage.app.set_compare(Compare::b);
  }
  stage.app.bring_forward("loss");
  stage.app.set_compare(Compare::a);
  hand.key("B");
  CHECK(stage.app.compare() == Compare::b);
  hand.key("B");
  CHECK(stage.app.compare() == Compare::difference);
  hand.wait(3);
  CHECK(hand.sees("loss/more"));
  CHECK_FALSE(hand.sees("loss/rate"));
  hand.key("B");
  CHECK(stage.app.compare() == Compare::a);

  // Back in time together
  stage.app.commands().run("transport.back");
  const long last = a.steps.back().step;
  stage.wait("one step back", [&] {
    return stage.app.shown()->step == last - 1 && stage.app.shown()->travelling_to < 0;
  });
  REQUIRE(stage.app.shown_b());
  CHECK(stage.app.shown_b()->step == last - 1);

  // Closed: one run again, with its own past and curves
  hand.click("transport/compare/close");
  stage.wait("no B", [&] { return stage.app.shown_b() == nullptr; });
  hand.wait(2);
  CHECK(stage.app.compare() == Compare::a);
  CHECK(stage.app.history_b().steps.empty());
  CHECK(hand.sees("transport/compare"));
  CHECK_FALSE(hand.sees("slot/loss/run"));
  CHECK_FALSE(stage.run.forked());

  // From the start, by its command, in light colours
  stage.app.set_appearance(Appearance::light);
  stage.app.commands().run("compare.start");
  stage.wait("both at the start", [&] {
    return stage.app.shown_b() && stage.app.shown()->step == 0 && stage.app.shown()->fork == 0;
  });
  stage.app.commands().run("compare.close");
  stage.wait("no B", [&] { return stage.app.shown_b() == nullptr; });
}
