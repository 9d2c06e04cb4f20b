// Guided tours: what a file may say, how the guide leads, where the card stands; and every tour of the
// book, gone through to its end by a hand that acts as a reader would, and by one that is stuck.
#include "viewer/tour.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "assets/repository.h"
#include "assets/sources.h"
#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/dataset.h"
#include "tests/testing.h"
#include "tools/cli/commands.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/panels/registry.h"
#include "viewer/script.h"
#include "viewer/tour_view.h"

using namespace tpp;
using namespace tpp::viewer;

namespace {

namespace fs = std::filesystem;

const char* const kSmall =
    "# A title\n"
    "- minutes: 2\n"
    "\n"
    "## One\n"
    "Click `play`, or\n"
    "**wait**.\n"
    "- before: show loss\n"
    "- before: link ?layer=1&head=0#attention\n"
    "- outline: transport/play\n"
    "  transport/step\n"
    "- look: loss\n"
    "- wait: playing\n"
    "- wait: step >= 5\n"
    "- hint: Space does it too.\n"
    "- then: It runs.\n"
    "\n"
    "## Two\n"
    "Look at it.\n"
    "\n"
    "## Question\n"
    "Which?\n"
    "- [ ] this\n"
    "- [x] that\n"
    "- why: Because.\n";

std::string problem_with(const std::string& text) {
  try {
    (void)parse_tour(text, "99", "chapters/99_x/tour.md");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A window that is what a test says.
struct FakeWorld final : TourWorld {
  std::set<std::string> seen, clicks, hovers, panels;
  viewer::Place place;
  long at_step = 0;
  bool plays = false, two = false, is_busy = false;
  std::string phase_now = "update", shows = "a";
  std::map<std::string, std::string> options, settings;
  std::map<std::string, long> runs;
  std::vector<TourAct> acts;

  bool sees(const std::string& probe) const override { return seen.contains(probe); }
  bool clicked(const std::string& probe) const override { return clicks.contains(probe); }
  bool hovered(const std::string& probe) const override { return hovers.contains(probe); }
  bool panel_shown(const std::string& id) const override { return panels.contains(id); }
  viewer::Place locked() const override { return place; }
  long step() const override { return at_step; }
  bool playing() const override { return plays; }
  std::string phase() const override { return phase_now; }
  std::string option(const std::string& name) const override {
    return options.contains(name) ? options.at(name) : "";
  }
  std::string setting(const std::string& panel) const override {
    return settings.contains(panel) ? settings.at(panel) : "";
  }
  std::string showing() const override { return shows; }
  bool two_runs() const override { return two; }
  long times_run(const std::string& command) const override {
    return runs.contains(command) ? runs.at(command) : 0;
  }
  bool busy() const override { return is_busy; }
  void act(const TourAct& act) override { acts.push_back(act); }
};

/// A tour of one step that waits for this.
std::string waiting_for(const std::string& wait, const std::string& more = "") {
  return "# T\n## S\nDo it.\n- wait: " + wait + "\n" + more +
         "- then: Done.\n## Question\nQ?\n- [x] a\n- [ ] b\n- why: So.\n";
}

}  // namespace

TEST_CASE("a tour's file is read as it is written", "[viewer][tour]") {
  const Tour tour = parse_tour(kSmall, "99", "chapters/99_x/tour.md");
  CHECK(tour.title == "A title");
  CHECK(tour.minutes == 2);
  REQUIRE(tour.steps.size() == 2);
  const TourStep& one = tour.steps[0];
  CHECK(one.title == "One");
  CHECK(one.text == "Click {`|play}, or {*|wait}.");
  REQUIRE(one.before.size() == 2);
  CHECK(one.before[0].kind == TourAct::Kind::show);
  CHECK(one.before[1].name == "layer=1&head=0");
  CHECK(one.before[1].value == "attention");
  CHECK(one.outline == std::vector<std::string>{"transport/play", "transport/step"});
  CHECK(one.look == std::vector<std::string>{"loss"});
  REQUIRE(one.wait.size() == 2);
  CHECK(one.wait[1].number == 5);
  CHECK(one.then == "It runs.");
  CHECK(one.hint == "Space does it too.");
  // What a stuck reader gets follows from what is waited for
  REQUIRE(one.act.size() == 2);
  CHECK(one.act[0].kind == TourAct::Kind::play);
  CHECK(one.act[1].kind == TourAct::Kind::until);
  CHECK(tour.steps[1].wait.empty());
  CHECK(tour.question.choices == std::vector<std::string>{"this", "that"});
  CHECK(tour.question.right == 1);
  CHECK(parse_tour(with(kSmall, "\n", "\r\n"), "99", "f").title == "A title");
}

TEST_CASE("a tour that cannot be says where and why", "[viewer][tour]") {
  CHECK(problem_with(kSmall).empty());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1"},
      {"## One\nx\n", "line 1"},
      {"# T\n", "no step"},
      {"# T\nwords\n", "line 2"},
      {with(kSmall, "- wait: playing", "- wait: dancing"), "line 12: nobody can wait"},
      {with(kSmall, "- before: show loss", "- before: burn loss"),
       "line 7: a tour cannot \"burn\""},
      {with(kSmall, "step >= 5", "step >= five"), "line 13: \"five\" is no number"},
      {with(kSmall, "step >= 5", "step >= 99999999999999999999"), "is no number"},
      {with(kSmall, "step >= 5", "step = 5"), "comes >= or <"},
      {with(kSmall, "Click `play`", "Click `play"), "has no partner"},
      {with(kSmall, "- then: It", "- than: It"), "\"than\" is not known here"},
      {with(kSmall, "- hint: Space does it too.", "- hint:"), "is not \"name: value\""},
      {with(kSmall, "Look at it.", ""), "this part has no text"},
      {with(kSmall, "Look at it.", std::string(700, 'x')), "more than 600 letters"},
      {with(kSmall, "- [x] that", "- [ ] that"), "no choice is marked"},
      {with(kSmall, "- [ ] this", "- [x] this"), "only one choice"},
      {with(kSmall, "- [ ] this\n", ""), "two to four choices"},
      {with(kSmall, "- why: Because.", ""), "- why:"},
      {with(kSmall, "- minutes: 2", "- minutes: 0"), "is no number from 1 to 60"},
      {with(kSmall, "## Two", "# Two"), "a second title"},
      {with(kSmall, "- wait: playing", "- wait: sees x"), "- do:"},
      {with(kSmall, "- wait: playing", "- wait: locked layer"), "- do:"},
      {with(kSmall, "- wait: playing", "- wait: locked colour=3"), "nothing called \"colour\""},
      {with(kSmall, "- wait: playing", "- wait: locked layer=-1"), "is no number"},
      {with(kSmall, "- wait: playing", "- wait: option norm"), "is not NAME=VALUE"},
      {with(kSmall, "- wait: playing", "- wait: phase sideways"), "is no phase"},
      {with(kSmall, "- wait: playing", "- wait: click"), "wants 2"},
      {with(kSmall, "## Question", "## Quest"), "is not \"name: value\""},
      {std::string(kSmall) + "## More\nx\n", "the end of a tour"},
      {std::string(70000, 'a'), "64 KiB"},
      {std::string("# T\0\n", 5), "no text"},
  };
  for (const auto& [text, words] : cases) {
    const std::string problem = problem_with(text);
    INFO(words << " in: " << problem);
    CHECK(problem.find(words) != std::string::npos);
    CHECK(problem.rfind("chapters/99_x/tour.md, line ", 0) == 0);
    CHECK(problem.back() == '.');
  }
  // Letters changed at random: an error or a tour, never anything else
  std::mt19937 random(7);
  const std::string letters = "#-:[]x `*{}|=?&\n\r\t\0ä€";
  for (int i = 0; i < 3000; ++i) {
    std::string text = kSmall;
    for (int n = 0; n < 4; ++n) {
      const std::size_t at = random() % text.size();
      if (random() % 2) text.insert(at, 1, letters[random() % letters.size()]);
      if (random() % 2) text.erase(at, random() % 12);
      if (text.empty()) text = "#";
    }
    (void)problem_with(text);
  }
  // One thing after the other until there are too many
  std::string many = "# T\n";
  for (int i = 0; i < 13; ++i) many += "## S\nx\n";
  CHECK(problem_with(many).find("more than 12") != std::string::npos);
}

TEST_CASE("the guide waits for the reader, for each thing that can be waited for",
          "[viewer][tour]") {
  using Change = std::function<void(FakeWorld&)>;
  const std::string poke = "- do: click x\n";
  const std::vector<std::tuple<std::string, std::string, Change>> cases = {
      {"click x", "", [](FakeWorld& w) { w.clicks = {"x"}; }},
      {"hover x", "", [](FakeWorld& w) { w.hovers = {"x"}; }},
      {"sees y", poke, [](FakeWorld& w) { w.seen.insert("y"); }},
      {"gone z", poke, [](FakeWorld& w) { w.seen.erase("z"); }},
      {"panel lens", "", [](FakeWorld& w) { w.panels = {"lens"}; }},
      {"locked layer=1 head", poke, [](FakeWorld& w) { w.place = {.layer = 1, .head = 3}; }},
      {"locked parameter=a/b", "", [](FakeWorld& w) { w.place.parameter = "a/b"; }},
      {"step >= 7", "", [](FakeWorld& w) { w.at_step = 7; }},
      {"step < 2", "", [](FakeWorld& w) { w.at_step = 1; }},
      {"steps 3", "", [](FakeWorld& w) { w.at_step += 3; }},
      {"playing", "", [](FakeWorld& w) { w.plays = true; }},
      {"phase backward", poke, [](FakeWorld& w) { w.phase_now = "backward"; }},
      {"option ffn=relu|gelu", "", [](FakeWorld& w) { w.options["ffn"] = "gelu"; }},
      {"setting norms=gains", "", [](FakeWorld& w) { w.settings["norms"] = "gains"; }},
      {"showing b", "", [](FakeWorld& w) { w.shows = "b", w.two = true; }},
      {"two runs", "", [](FakeWorld& w) { w.two = true; }},
      {"ran view.theme", "", [](FakeWorld& w) { ++w.runs["view.theme"]; }},
  };
  for (const auto& [wait, more, change] : cases) {
    INFO(wait);
    std::vector<Tour> tours;
    tours.push_back(parse_tour(waiting_for(wait, more), "1", "f"));
    TourGuide guide(std::move(tours));
    FakeWorld world;
    world.seen = {"x", "z"};
    world.at_step = 4;
    world.runs["view.theme"] = 2;
    world.options["ffn"] = "swiglu";
    REQUIRE(guide.start("1", world, 0));
    for (int i = 0; i < 5; ++i) (void)guide.update(world, i);
    CHECK_FALSE(guide.done());
    change(world);
    CHECK(guide.update(world, 6));
    CHECK(guide.done());
    CHECK_FALSE(guide.update(world, 7));  // nothing more happens by itself
    // What was done stays done
    const viewer::Place nowhere;
    world.place = nowhere;
    world.clicks.clear();
    (void)guide.update(world, 8);
    CHECK(guide.done());
    guide.next(world, 9);
    CHECK(guide.at_question());
    CHECK_FALSE(guide.finished("1"));
    guide.choose(7);
    CHECK_FALSE(guide.answer().revealed);
    guide.choose(1);
    CHECK(guide.answer().revealed);
    CHECK(guide.finished("1"));
    guide.finish();
    CHECK(guide.tour() == nullptr);
    CHECK(guide.place("1") == 0);
  }
}

TEST_CASE("the guide arranges first, and acts one thing after the other", "[viewer][tour]") {
  std::vector<Tour> tours;
  tours.push_back(parse_tour(
      "# T\n## S\nx\n- before: show loss\n- before: click a\n- wait: sees c\n- do: click b\n"
      "- do: drag c 0 0 1 1\n- hint: Look.\n- outline: b\n## S2\ny\n- wait: step >= 9\n"
      "## Question\nQ?\n- [x] a\n- [ ] b\n- why: So.\n",
      "1", "f"));
  TourGuide guide(std::move(tours));
  FakeWorld world;
  REQUIRE(guide.start("1", world, 0));
  CHECK_FALSE(guide.start("2", world, 0));
  for (int i = 0; i < 9; ++i) (void)guide.update(world, 0);
  REQUIRE(world.acts.size() == 1);  // there is no "a" to click
  world.seen = {"a"};
  (void)guide.update(world, 1);
  REQUIRE(world.acts.size() == 2);
  CHECK(world.acts[1].name == "a");

  // A hint after a while, once
  (void)guide.update(world, 1);
  CHECK(guide.hint_at() > 1);
  (void)guide.update(world, 10);
  CHECK_FALSE(guide.hint_shown());
  CHECK(guide.update(world, 100));
  CHECK(guide.hint_shown());
  CHECK(guide.hint_at() == 0);
  CHECK(guide.lost(world));

  // Nothing to say afterwards: it goes on by itself. What is not there for long is given up.
  guide.do_it(world);
  world.seen = {"a", "b"};
  for (int i = 0; i < 5; ++i) (void)guide.update(world, 100);
  CHECK(world.acts.back().name == "b");
  (void)guide.update(world, 200);
  CHECK(guide.trouble().find("c") != std::string::npos);
  guide.do_it(world);
  CHECK(guide.trouble().empty());
  world.is_busy = true;
  const std::size_t before = world.acts.size();
  for (int i = 0; i < 5; ++i) (void)guide.update(world, 200);
  CHECK(world.acts.size() == before);
  world.is_busy = false;
  world.seen = {"a", "b", "c"};
  for (int i = 0; i < 5; ++i) (void)guide.update(world, 200);
  CHECK(guide.at() == 1);
  CHECK(guide.progress(world) == "step 0 of 9");

  // Left, and found again
  CHECK(guide.settings() == "at 1 1");
  guide.close();
  CHECK(guide.settings() == "at 1 1");
  REQUIRE(guide.start("1", world, 300));
  CHECK(guide.at() == 1);
  CHECK(guide.resumed());
  guide.restart(world, 300);
  CHECK(guide.at() == 0);
}

TEST_CASE("where the reader stands survives as a line, and odd lines do nothing",
          "[viewer][tour]") {
  const auto fresh = [] {
    std::vector<Tour> tours;
    tours.push_back(parse_tour(kSmall, "01", "f"));
    tours.push_back(parse_tour(kSmall, "02", "f"));
    return tours;
  };
  TourGuide guide(fresh());
  guide.restore("done 01; at 02 1");
  CHECK(guide.finished("01"));
  CHECK(guide.place("02") == 1);
  CHECK(guide.settings() == "done 01; at 02 1");
  for (const char* odd :
       {"", ";;;", "done", "done 77", "at 02", "at 02 9999", "at 02 -1", "at 02 x", "at 02 1 1",
        "at 99999999999999999999 1", "at 02 99999999999999999999"}) {
    TourGuide other(fresh());
    other.restore(odd);
    CHECK(other.settings().empty());
  }
}

TEST_CASE("the card never covers what it points at, where there is room", "[viewer][tour]") {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> at(0, 1);
  int tight = 0;
  for (int i = 0; i < 3000; ++i) {
    const Rect window{8, 8, 600 + 1400 * at(random), 400 + 900 * at(random)};
    const float w = std::min(372.0f, window.w), h = 120 + 160 * at(random);
    std::vector<Rect> outlined;
    for (int n = 0; n <= i % 3; ++n) {
      const float ow = 20 + 260 * at(random), oh = 16 + 120 * at(random);
      outlined.push_back({window.x + (window.w - ow) * at(random),
                          window.y + (window.h - oh) * at(random), ow, oh});
    }
    const Rect card = place_card(outlined, {}, w, h, window);
    CHECK(card.x >= window.x);
    CHECK(card.y >= window.y);
    CHECK(card.right() <= window.right() + 1);
    CHECK(card.bottom() <= window.bottom() + 1);
    bool covers = false;
    for (const Rect& r : outlined) covers = covers || card.overlaps(r);
    if (!covers) continue;
    // Then there is really none on a fine grid
    ++tight;
    bool room = false;
    for (float x = window.x; x + w <= window.right() && !room; x += 40)
      for (float y = window.y; y + h <= window.bottom() && !room; y += 40)
        room = std::none_of(outlined.begin(), outlined.end(), [&](const Rect& r) {
          return Rect{x, y, w, h}.overlaps({r.x - 8, r.y - 8, r.w + 16, r.h + 16});
        });
    CHECK_FALSE(room);
  }
  CHECK(tight < 300);
}

TEST_CASE("what is cut out of the window is all that stays light", "[viewer][tour]") {
  std::mt19937 random(5);
  const Rect window{0, 0, 97, 61};
  for (int i = 0; i < 200; ++i) {
    std::vector<Rect> holes;
    for (int n = 0; n < i % 5; ++n) {
      holes.push_back({float(random() % 110) - 10, float(random() % 70) - 10, float(random() % 40),
                       float(random() % 30)});
    }
    const std::vector<Rect> rest = cut_out(window, holes);
    for (int x = 0; x < 97; x += 3) {
      for (int y = 0; y < 61; y += 2) {
        const float px = float(x) + 0.5f, py = float(y) + 0.5f;
        const auto inside = [&](const Rect& r) { return r.contains(px, py); };
        const bool hole = std::any_of(holes.begin(), holes.end(), inside);
        CHECK(std::count_if(rest.begin(), rest.end(), inside) == (hole ? 0 : 1));
      }
    }
  }
}

// --- The tours of the book, in the window ------------------------------------------------------------

namespace {

fs::path folder_of_book() { return repository_root(); }

/// With TPP_PICTURES, the folder, the tours are gone through with the default model, and each step's
/// picture is written there before and after.
const char* pictures() { return std::getenv("TPP_PICTURES"); }

std::unique_ptr<BatchSource> open_story(const RunOptions& options) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the fox saw the hen and the hen saw the fox. ";
  return std::make_unique<TextSource>(Dataset(text, Tokenizer::bytes()), options.seed);
}

/// The default model, with everything that a tour points at, and small.
RunOptions small_model() {
  RunOptions options;
  if (pictures()) return options;
  options.width = 32;
  options.length = 48;
  options.batch = 2;
  options.steps = 400;
  options.warmup = 20;
  options.threads = 1;
  return options;
}

const int kPatience = std::getenv("TPP_IMPATIENT") ? 1200 : 6000;  // frames

struct TourStage {
  explicit TourStage(int width = 1600, int height = 1000)
      : backend(make_null_backend({.width = width, .height = height, .scale = 1})),
        run(small_model(), config_for(*backend)),
        app(*backend, run, app_config()),
        hand(*backend, app.probes(), [this] { app.frame(false); }) {
    wait("the first frame", [this] { return app.shown() != nullptr; });
    hand.wait(3);
  }

  static AppConfig app_config() {
    AppConfig config;
    config.root = folder_of_book();
    return config;
  }
  static RunThreadConfig config_for(Backend& backend) {
    RunThreadConfig config;
    config.open = open_story;
    if (pictures())
      config.open = [](const RunOptions& wanted) { return make_source(source_config(wanted)); };
    config.background = false;
    config.sample_tokens = 8;
    config.wake = [&backend] { backend.wake(); };
    return config;
  }

  const TourGuide& guide() const { return app.tours(); }
  bool sees(const std::string& probe) const { return hand.sees(probe); }

  /// Draw until it is so; the run needs time of its own, above all under a sanitizer.
  bool comes(const std::function<bool()>& done) {
    for (int i = 0; i < kPatience; ++i) {
      app.frame(false);
      if (done()) return true;
      if (i > 20) std::this_thread::sleep_for(std::chrono::milliseconds(i < 200 ? 1 : 5));
    }
    return false;
  }
  void wait(const std::string& what, const std::function<bool()>& done) {
    if (!comes(done)) throw ScriptError("Waited in vain for: " + what + ".");
  }

  void click(const std::string& probe, float x = 0.5f, float y = 0.5f) {
    wait(probe, [&] { return sees(probe); });
    hand.click(probe, x, y);
  }

  void begin(const std::string& id) {
    REQUIRE(app.start_tour(id));
    hand.wait(3);
  }

  void picture(const std::string& name) {
    if (!pictures()) return;
    for (int i = 0; i < 60; ++i) {
      app.frame(false);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    app.frame();
    write_png(fs::path(pictures()) / (prefix + name + ".png"), app.picture());
  }

  /// The window is arranged: what the step points at is there, and the card beside it.
  void look_at_step() {
    wait("the step's beginning", [&] { return !guide().acting(); });
    const TourStep* step = guide().step();
    const auto& outline = step ? step->outline : guide().tour()->outline_question;
    for (const std::string& probe : outline) wait(probe, [&] { return !on_screen(probe).empty(); });
    wait("the card to settle", [&] { return !covers(outline); });
    const auto card = app.probes().find("tour/card");
    REQUIRE(card);
    CHECK(card->x >= 0);
    CHECK(card->y >= 0);
    CHECK(card->right() <= backend->size().width);
    CHECK(card->bottom() <= backend->size().height);
  }
  /// The first of "a|b" that is there.
  std::string on_screen(std::string_view probes) const {
    while (true) {
      const std::string probe(probes.substr(0, probes.find('|')));
      if (sees(probe)) return probe;
      if (probe.size() == probes.size()) return "";
      probes.remove_prefix(probe.size() + 1);
    }
  }
  bool covers(const std::vector<std::string>& outline) const {
    const auto card = app.probes().find("tour/card");
    return !card || std::any_of(outline.begin(), outline.end(), [&](const std::string& probe) {
      const auto rect = app.probes().find(on_screen(probe));
      return rect && card->overlaps(*rect);
    });
  }

  void answer() {
    REQUIRE(guide().at_question());
    look_at_step();
    const std::string id = guide().tour()->id;
    CHECK_FALSE(guide().finished(id));
    click("tour/question/choice/" + std::to_string(guide().tour()->question.right + 1));
    CHECK(guide().finished(id));
    hand.wait(4);  // the card grows
    picture(id + "-q");
    click("tour/finish");
    CHECK(guide().tour() == nullptr);
    hand.wait(2);
    CHECK_FALSE(sees("tour/card"));
  }

  std::string prefix;  // of pictures
  std::unique_ptr<NullBackend> backend;
  RunThread run;
  App app;
  Script hand;
};

/// What a reader's hand does so that it becomes true.
void act_as_reader(TourStage& s, const TourStep& step, const TourWait& wait) {
  using Kind = TourWait::Kind;
  const auto field = [&](const std::string& name) -> std::string {
    for (const auto& [key, value] : wait.fields)
      if (key == name) return value;
    return "";
  };
  const auto by_list = [&](const std::string& command) {  // Ctrl+K
    const viewer::Command* found = s.app.commands().find(command);
    REQUIRE(found);
    s.hand.key("Ctrl+K");
    s.wait("palette/input", [&] { return s.sees("palette/input"); });
    s.hand.wait(3);
    s.hand.type(found->title);
    s.hand.wait(3);
    s.hand.key("Enter");
  };
  switch (wait.kind) {
    case Kind::click:
      return s.click(wait.name);
    case Kind::hover:
      s.wait(wait.name, [&] { return s.sees(wait.name); });
      return s.hand.move(wait.name);
    case Kind::panel:
      if (s.sees("tab/" + wait.name)) return s.click("tab/" + wait.name);
      return by_list(wait.name == "reader" ? "view.preset6" : "panel." + wait.name);
    case Kind::playing:
      if (!s.run.playing()) s.hand.key("Space");
      return;
    case Kind::paused:
      if (s.run.playing()) s.hand.key("Space");
      return;
    case Kind::step_from:
    case Kind::steps:
      if (wait.kind == Kind::steps && wait.number <= 3) {
        for (long i = 0; i < wait.number; ++i) {
          const long before = s.app.shown()->step;
          s.hand.key("Period");
          s.wait("a step", [&] { return s.app.shown()->step > before; });
        }
      } else if (!s.run.playing()) {
        s.hand.key("Space");
      }
      return;
    case Kind::option: {
      s.click("architecture/" + wait.name);
      if (wait.name == "tied" || wait.name == "bias") return;
      s.hand.wait(3);
      return s.click("architecture/" + wait.name + "/" + wait.values[0]);
    }
    case Kind::setting:
      if (s.sees(wait.name + "/view/" + wait.values[0]))
        return s.click(wait.name + "/view/" + wait.values[0]);
      break;
    case Kind::showing:
      return s.click("transport/compare/" + wait.name);
    case Kind::two_runs:
      s.click("transport/compare");
      return s.click("transport/compare/start");
    case Kind::ran:
      return by_list(wait.name);
    case Kind::locked: {
      const std::string head = field("layer") + "/" + field("head");
      if (!field("layer").empty() && !field("head").empty()) {
        s.click((s.sees("attention/head/" + head) ? "attention/head/" : "attention/go/") + head);
        if (field("query").empty()) return;
      }
      const float tokens = float(s.app.shown()->config.T);
      if (!field("query").empty() && !field("key").empty()) {
        return s.click("attention/map", (std::stof(field("key")) + 0.5f) / tokens,
                       (std::stof(field("query")) + 0.5f) / tokens);
      }
      if (!field("pair").empty())
        return s.click((s.sees("lens/pair/0") ? "lens/pair/" : "rope/pair/") + field("pair"));
      break;
    }
    case Kind::sees:
    case Kind::gone:
    case Kind::step_below:
    case Kind::phase:
      break;
  }
  // By hand what the tour itself would do
  for (const TourAct& act : step.act) {
    INFO("by hand: " << act.name);
    switch (act.kind) {
      case TourAct::Kind::click:
        s.click(act.name, act.x, act.y);
        break;
      case TourAct::Kind::hover:
        s.hand.move(act.name, act.x, act.y);
        break;
      case TourAct::Kind::drag: {
        s.wait(act.name, [&] { return s.sees(act.name); });
        const Rect r = *s.app.probes().find(act.name);
        s.hand.drag(act.name, (act.to_x - act.x) * r.w, (act.to_y - act.y) * r.h, act.x, act.y);
        break;
      }
      case TourAct::Kind::run:
        by_list(act.name);
        break;
      case TourAct::Kind::phase:
        s.hand.key("Comma");
        break;
      case TourAct::Kind::go:
        by_list("transport.back");
        break;
      default:
        FAIL("a reader has no hand for this step");
    }
  }
}

}  // namespace

namespace {

/// Through every tour, from its first step to the last answer. `act` makes a step true.
void go_through_all(TourStage& s, const std::function<void(const TourStep&)>& act) {
  std::vector<std::string> ids;
  for (const Tour& tour : s.guide().tours()) ids.push_back(tour.id);
  REQUIRE(ids.size() >= 17);
  for (const std::string& id : ids) {
    // TPP_TOUR=13 for who writes one
    if (const char* only = std::getenv("TPP_TOUR"); only && id != only) continue;
    if (TPP_SANITIZED && id != "window" && id != "13") continue;  // the others would take minutes
    std::string where = "tour " + id;
    try {
      s.begin(id);
      const Tour& tour = *s.guide().tour();
      for (int at = 0; at < int(tour.steps.size()); ++at) {
        const TourStep& step = tour.steps[std::size_t(at)];
        where = tour.file + ", line " + std::to_string(step.line) + ": " + step.title;
        INFO(where);
        REQUIRE(s.guide().tour() == &tour);
        REQUIRE(s.guide().at() == at);
        s.look_at_step();
        const auto over = [&] {
          return s.guide().at() != at || s.guide().done() || step.wait.empty();
        };
        const std::string number = id + "-" + std::to_string(at + 1);
        s.picture(number + "a");
        if (!over()) act(step);
        s.wait("the step to be done", over);
        CHECK(s.guide().trouble().empty());
        s.hand.wait(4);  // the card grows
        s.picture(number + "b");
        if (s.guide().at() == at) s.click("tour/next");
      }
      where = tour.file + ": the question";
      s.answer();
    } catch (const std::exception& error) {
      std::string said;
      for (const std::string& toast : s.app.toasts()) said += " “" + toast + "”";
      FAIL_CHECK(where << ": " << error.what() << said);
      s.hand.key("Escape");
    }
    s.run.pause();
  }
}

}  // namespace

TEST_CASE("tours: each is gone through to its end by a reader's hand", "[viewer][tour]") {
  TourStage s;
  go_through_all(s, [&](const TourStep& step) {
    const int at = s.guide().at();
    for (const TourWait& wait : step.wait) {
      if (s.guide().done() || s.guide().at() != at) break;
      act_as_reader(s, step, wait);
    }
  });
}

TEST_CASE("tours: a reader who is stuck comes to the end by one button", "[viewer][tour]") {
  TourStage s(1000, 700);
  s.prefix = "small-";
  if (pictures()) s.app.set_appearance(Appearance::light);
  go_through_all(s, [&](const TourStep&) { s.click("tour/do"); });
}

TEST_CASE("tours: panels, commands, options and links of all of them exist", "[viewer][tour]") {
  TourStage s;
  std::vector<std::string> problems;
  REQUIRE(load_tours(folder_of_book(), problems).size() == s.guide().tours().size());
  CHECK(problems.empty());
  std::set<std::string> panels{"reader"};
  for (const PanelEntry& entry : panel_table()) panels.insert(entry.id);
  const auto check_act = [&](const TourAct& act) {
    using Kind = TourAct::Kind;
    INFO("does: " << act.name);
    if (act.kind == Kind::show || act.kind == Kind::set) CHECK(panels.contains(act.name));
    if (act.kind == Kind::run) CHECK(s.app.commands().find(act.name));
    if (act.kind != Kind::link) return;
    const ReaderWish wish = viewer_link(act.name, act.value);
    CHECK(wish.problem.empty());
    CHECK((wish.panel.empty() || panels.contains(wish.panel)));
    RunOptions options;
    for (const auto& [name, value] : wish.options) CHECK_NOTHROW(set_option(options, name, value));
    CHECK_NOTHROW(model_config(options, 256));
  };
  for (const Tour& tour : s.guide().tours()) {
    INFO(tour.file);
    CHECK(tour.minutes > 0);
    CHECK(tour.steps.size() >= 3);
    CHECK(tour.steps.size() <= 7);
    CHECK(s.app.commands().find("tour." + tour.id));
    for (const TourAct& act : tour.before_question) check_act(act);
    for (const TourStep& step : tour.steps) {
      INFO("line " << step.line);
      CHECK_FALSE(step.wait.empty());
      for (const std::string& panel : step.look) CHECK(panels.contains(panel));
      for (const TourAct& act : step.before) check_act(act);
      for (const TourAct& act : step.act) check_act(act);
      for (const TourWait& wait : step.wait) {
        using Kind = TourWait::Kind;
        INFO("waits for: " << wait.name);
        if (wait.kind == Kind::panel || wait.kind == Kind::setting)
          CHECK(panels.contains(wait.name));
        if (wait.kind == Kind::ran) CHECK(s.app.commands().find(wait.name));
        if (wait.kind != Kind::option) continue;
        RunOptions options;
        for (const std::string& value : wait.values)
          CHECK_NOTHROW(set_option(options, wait.name, value));
      }
    }
  }
}

TEST_CASE("tours: a window that changes, a tour that is left, and one that is offered",
          "[viewer][tour]") {
  TourStage s;
  s.begin("13");
  s.look_at_step();

  // Smaller, larger, another layout: the card finds a place, and says so when the thing is hidden
  for (const auto& [width, height] :
       {std::pair(1000, 700), {700, 500}, {1900, 1100}, {1600, 1000}}) {
    s.backend->resize(width, height);
    s.hand.wait(8);
    const auto card = s.app.probes().find("tour/card");
    REQUIRE(card);
    CHECK(card->right() <= float(width));
    CHECK(card->bottom() <= float(height));
  }
  s.look_at_step();
  s.app.layout().set_preset(Preset::learning);
  s.app.layout().maximise(Slot::loss);
  s.wait("the card to say that it is hidden", [&] { return s.sees("tour/show"); });
  s.click("tour/show");
  s.look_at_step();

  // Left at the second step, it waits there, also for the next session
  s.click("attention/head/1/0");
  s.hand.wait(4);
  s.click("tour/next");
  REQUIRE(s.guide().at() == 1);
  s.hand.key("Escape");
  CHECK(s.guide().tour() == nullptr);
  s.hand.wait(2);
  CHECK_FALSE(s.sees("tour/card"));
  const Session session = s.app.session();
  REQUIRE(session.panels.contains("tour"));
  CHECK(session.panels.at("tour") == "at 13 1");
  TourStage other;
  other.app.apply(session);
  other.begin("13");
  CHECK(other.guide().at() == 1);
  other.look_at_step();
  other.click("tour/again");
  CHECK(other.guide().at() == 0);
  other.look_at_step();
  other.hand.wait(8);
  other.click("tour/close");
  CHECK(other.guide().tour() == nullptr);
  CHECK_FALSE(other.app.start_tour("no such tour"));

  // Offered once
  other.app.offer_tour();
  other.hand.wait(3);
  other.click("tour/offer/close");
  other.hand.wait(2);
  CHECK_FALSE(other.sees("tour/offer"));
  other.app.offer_tour();
  other.click("tour/offer/start");
  REQUIRE(other.guide().tour());
  CHECK(other.guide().tour()->id == "window");
  other.hand.key("Escape");

  // From the text and back to it
  other.app.commands().run("read.13");
  other.wait("the reader", [&] { return other.sees("reader/tour"); });
  other.click("reader/tour");
  REQUIRE(other.guide().tour());
  other.hand.wait(3);
  CHECK_FALSE(other.sees("reader/page"));
  other.hand.key("Escape");
  other.wait("the reader again", [&] { return other.sees("reader/page"); });
}
