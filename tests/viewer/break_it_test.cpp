// Broken by clicks in the whole window: asked, predicted, revealed, mended; and a teacher's session.
#include "viewer/break/break_it.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "assets/repository.h"
#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/06_attention/attention.h"
#include "tests/testing.h"
#include "tests/viewer/small_run.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/script.h"

using namespace tpp;
using namespace tpp::viewer;

namespace {

namespace fs = std::filesystem;

RunOptions small_options() { return viewer::testing::small_options(2); }

// In the place of what a compiler would make of a wrong answer
void no_scale(In<Mat<float>> q, In<Mat<float>> k, In<Mat<float>> v, In<RowVec<float>> bias,
              Mask mask, float, Out<Mat<float>> out, Out<Mat<float>> probs) {
  attention_head_forward<float>(q, k, v, bias, mask, 1, out, probs);
}
StandIns pretend_to_build(const std::string& wrong) {
  if (wrong == "9.9=none") throw InputError("--mine: nothing in the model is called 9.9.");
  return {{"attention_head_forward", reinterpret_cast<void (*)()>(no_scale), wrong}};
}

struct Folder {
  fs::path path;
  Folder() {
    static int count = 0;
    path = fs::temp_directory_path() /
           ("tpp-break-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Stage {
  explicit Stage(AppConfig config = {}, int width = 1600)
      : backend(make_null_backend({.width = width, .height = 1000, .scale = 1})),
        run(small_options(), config_for(*backend)),
        app(*backend, run, with_builder(std::move(config))),
        hand(*backend, app.probes(), [this] { app.frame(false); }) {
    wait("the first frame", [this] { return app.shown() != nullptr; });
    hand.wait(3);
  }
  static AppConfig with_builder(AppConfig config) {
    config.load = pretend_to_build;
    return config;
  }
  static RunThreadConfig config_for(Backend& backend) {
    RunThreadConfig config = viewer::testing::quick_config();
    config.sample_tokens = 8;
    config.wake = [&backend] { backend.wake(); };
    return config;
  }
  void wait(const char* what, const std::function<bool()>& done) {
    for (int i = 0; i < 6000; ++i) {
      app.frame(false);
      if (done()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("waited in vain for: " << what);
  }
  bool sees(const std::string& name) const { return hand.sees(name); }
  bool told(const std::string& words) const {
    for (const std::string& text : app.toasts())
      if (text.find(words) != std::string::npos) return true;
    return false;
  }
  void wait_revealed() {
    wait("the reveal", [this] {
      return app.breaks().trial() && app.breaks().trial()->stage == Trial::Stage::revealed;
    });
    hand.wait(2);
  }

  std::unique_ptr<NullBackend> backend;
  RunThread run;
  App app;
  Script hand;
};

}  // namespace

TEST_CASE("break it: the table can be shown, asked and done", "[viewer][break]") {
  Stage s;
  std::set<std::string> ids, wanted{"no-warmup", "no-scale", "mask-one-more", "beta2-small"};
  for (const Breakage& b : breakages()) {
    INFO(b.id);
    CHECK(ids.insert(b.id).second);
    wanted.erase(b.id);
    CHECK(problem_of(b.question).empty());
    CHECK(b.swaps.empty() != b.wrong.empty());
    CHECK_NOTHROW(with_swaps(RunOptions{}, b.swaps));
    CHECK_FALSE(b.what.empty());
    CHECK_FALSE(b.look.empty());
    CHECK_FALSE(b.question.explanation.empty());
    CHECK_FALSE(b.measures.empty());
    CHECK_FALSE(s.app.title(b.panel).empty());
    CHECK(s.app.commands().find("break." + b.id));
    CHECK(fs::exists(repository_root() / "chapters" / b.chapter));
  }
  CHECK(wanted.empty());
  CHECK(ids.size() >= 10);
}

TEST_CASE("break it: predicted by a click, the panel comes forward, and the numbers are revealed",
          "[viewer][break]") {
  Stage s;
  const Breakage& what = *find_breakage("mask-one-more");
  s.hand.click("tab/break");
  s.hand.wait(2);
  s.hand.click("break/mask-one-more/ask");
  s.hand.wait(2);
  CHECK(s.sees("question/choice/3"));
  CHECK_FALSE(s.run.forked());  // nothing is done before the answer
  CHECK_FALSE(s.app.panel_rect("samples"));
  s.hand.click("question/choice/2");
  s.wait("the way", [&] { return s.app.breaks().trial()->stage == Trial::Stage::running; });
  CHECK(s.app.panel_rect("samples"));
  CHECK(s.app.compare() == Compare::b);
  CHECK_FALSE(s.sees("question/explanation"));
  s.wait("the badge", [&] { return s.sees("transport/broken"); });
  CHECK(s.app.breaks().badge() == "broken in B: a mask off by one");

  // A pause on the way: the reader goes on
  s.run.pause();
  s.wait("a pause", [&] { return s.sees("break/go") || s.app.breaks().trial()->answer.revealed; });
  if (s.sees("break/go")) s.hand.click("break/go");
  s.wait_revealed();
  CHECK(s.sees("question/explanation"));
  CHECK(s.sees("break/measured/loss"));
  const Trial& trial = *s.app.breaks().trial();
  CHECK(trial.answer.chosen == 1);
  CHECK(trial.numbers.size() == what.measures.size());
  for (const Measured& m : trial.numbers) {
    CHECK(std::isfinite(m.a));
    if (m.measure == Measure::loss) CHECK(m.a != m.b);  // A is the book's
  }
  CHECK(s.app.history().steps.size() >= std::size_t(what.steps));

  // The badge leads back here; mended, it goes
  s.app.bring_forward("architecture");
  s.hand.wait(2);
  s.hand.click("transport/broken");
  s.hand.wait(2);
  CHECK(s.app.panel_rect("break"));
  s.hand.click("break/mend");
  s.wait("mended", [&] { return s.app.shown_b()->parts.empty(); });
  CHECK(s.app.breaks().badge().empty());
  s.hand.click("break/leave");
  CHECK_FALSE(s.app.breaks().trial());
}

TEST_CASE("break it: every one of them, by its command", "[viewer][break]") {
  Stage s;
  for (const Breakage& b : breakages()) {
    INFO(b.id);
    REQUIRE(s.app.commands().run("break." + b.id));
    s.hand.wait(2);
    REQUIRE(s.sees("break/show"));
    s.hand.click("break/show");
    s.wait("broken", [&] { return s.app.breaks().is_on(b.id, true); });
    CHECK_FALSE(s.app.breaks().is_on(b.id, false));
    CHECK(s.app.panel_rect(b.panel));
    CHECK(s.app.breaks().badge().find(b.title) != std::string::npos);
    s.app.breaks().leave();
    REQUIRE(s.app.commands().run("break.mend"));
    s.wait("mended", [&] { return !s.app.breaks().is_on(b.id, true); });
  }
}

TEST_CASE("break it: without a question, in B, in the run itself, and back in time",
          "[viewer][break]") {
  Stage s;
  BreakIt& breaks = s.app.breaks();
  s.hand.click("tab/break");
  s.run.play_until(8);
  s.wait("eight steps", [&] { return s.app.shown()->step == 8 && !s.app.shown()->playing; });

  // A function: here, in B, beside A
  s.hand.click("break/no-scale/b");
  s.wait("B", [&] { return breaks.is_on("no-scale", true); });
  CHECK_FALSE(breaks.is_on("no-scale", false));
  CHECK(s.app.shown_b()->fork == 8);
  CHECK(s.app.shown()->parts.empty());
  CHECK(s.told("Broken in B: no 1/√K"));

  // In A as well, from here on; before, it was not
  s.run.play_until(12);
  s.wait("twelve", [&] { return s.app.shown()->step == 12 && !s.app.shown()->playing; });
  s.hand.click("break/no-scale/a");
  s.wait("A", [&] { return breaks.is_on("no-scale", false); });
  CHECK(breaks.badge() == "broken in A: no 1/√K · broken in B: no 1/√K");
  s.run.play_until(16);
  s.wait("sixteen", [&] { return s.app.shown()->step == 16 && !s.app.shown()->playing; });
  s.run.seek(10);
  s.wait("ten", [&] { return s.app.shown()->step == 10 && s.app.shown()->travelling_to < 0; });
  s.hand.wait(1);
  CHECK_FALSE(breaks.is_on("no-scale", false));
  CHECK(breaks.is_on("no-scale", true));
  s.run.seek(16);
  s.wait("sixteen again",
         [&] { return s.app.shown()->step == 16 && s.app.shown()->travelling_to < 0; });
  s.hand.wait(1);
  CHECK(breaks.is_on("no-scale", false));
  s.hand.click("break/mend-all");
  s.wait("mended", [&] { return breaks.badge().empty(); });

  // Options: B begins again, and so does the run itself
  s.hand.click("break/no-warmup/b");
  s.wait("no warm-up", [&] { return breaks.is_on("no-warmup", true); });
  CHECK(s.app.shown_b()->options.warmup == 0);
  CHECK(s.app.shown()->options.warmup == 5);
  CHECK(s.app.shown()->step == 0);
  s.hand.click("break/no-warmup/b");  // the lit letter mends
  s.wait("mended", [&] { return !s.app.shown_b(); });
  s.hand.click("break/beta2-small/a");
  s.wait("beta2", [&] { return breaks.is_on("beta2-small", false); });
  CHECK(breaks.badge() == "broken: β₂ too small");
  CHECK(s.app.shown()->options.beta2 == 0.5);
  s.hand.click("break/beta2-small/a");
  s.wait("mended", [&] { return s.app.shown()->options.beta2 == RunOptions{}.beta2; });
  CHECK(breaks.badge().empty());

  // What cannot be built says why
  Breakage none = *find_breakage("no-scale");
  none.id = "none";
  none.wrong = "9.9=none";
  breaks.apply(none, true);
  s.wait("the reason", [&] { return s.told("nothing in the model is called 9.9"); });
  CHECK_FALSE(breaks.is_building("none"));
  breaks.ask(none);
  breaks.predict(0);
  s.wait("asked again", [&] { return breaks.trial()->stage == Trial::Stage::asked; });
}

TEST_CASE("break it: the badge is there in the narrowest window", "[viewer][break]") {
  Stage s({}, 420);
  s.app.breaks().apply(*find_breakage("no-scale"), false);
  s.wait("the badge", [&] { return s.sees("transport/broken"); });
  CHECK(s.app.probes().find("transport/broken")->right() <= 420);
}

// --- A teacher's session ---------------------------------------------------------------------------

namespace {

/// The example of docs/teaching.md: what stands between its fences.
std::string documented_example() {
  const fs::path root = repository_root();
  const std::string page = text_of(root / "docs/teaching.md");
  const std::size_t fence = page.find("```json\n{\n  \"format\"");
  REQUIRE(fence != std::string::npos);
  const std::size_t from = page.find('\n', fence) + 1, to = page.find("```", from);
  return page.substr(from, to - from);
}

}  // namespace

TEST_CASE("lesson: the documented example is asked to its end, and the answers are written down",
          "[viewer][break][session]") {
  Folder folder;
  const fs::path file = folder.path / "lesson.json";
  std::ofstream(file) << documented_example();
  const Session lesson = load_session(file);
  REQUIRE(lesson.is_lesson());
  REQUIRE(lesson.ask.size() >= 3);
  AppConfig config;
  config.out = folder.path / "out";
  config.session = file;
  Stage s(config);
  s.app.apply(lesson);
  for (std::size_t i = 0; i < lesson.ask.size(); ++i) {
    INFO(i);
    s.hand.wait(3);
    REQUIRE(s.app.breaks().trial());
    CHECK(s.app.breaks().trial()->number == int(i) + 1);
    if (i == 0) {
      s.hand.click("break/show");
    } else {
      s.hand.click("question/choice/1");
    }
    s.wait_revealed();
    CHECK(s.sees("break/next") == (i + 1 < lesson.ask.size()));
    if (s.sees("break/next")) s.hand.click("break/next");
  }
  std::istringstream lines(text_of(folder.path / "out" / "predictions.csv"));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  REQUIRE(all.size() == lesson.ask.size() + 1);
  CHECK(all[0].find("time,number,id,question,predicted,right") == 0);
  CHECK(all[1].find(lesson.ask[0].id) != std::string::npos);
  CHECK(all[2].find(lesson.ask[1].question.choices[0]) != std::string::npos);

  // What it hides is not drawn, not listed, and its key says so
  CHECK_FALSE(s.sees("transport/compare"));
  CHECK_FALSE(s.sees("transport/compare/a"));
  CHECK_FALSE(s.sees("break/no-scale/ask"));
  s.hand.click("tab/architecture");
  s.hand.wait(2);
  CHECK_FALSE(s.sees("architecture/norm"));
  for (const std::string_view id : s.app.commands().match("")) {
    CHECK_FALSE(id.starts_with("compare."));
  }
  s.hand.key("B");
  CHECK(s.told("hidden by this session"));

  // The file stays as the teacher wrote it
  s.hand.key("Ctrl+S");
  CHECK(s.told("its file is not changed"));
  CHECK(text_of(file) == documented_example());
}

TEST_CASE("lesson: hidden panels leave their place", "[viewer][break][session]") {
  Stage s;
  Session session;
  session.hidden = {"architecture", "break", "samples", "transport.rate", "time"};
  s.app.apply(session);
  s.hand.wait(3);
  for (const char* gone :
       {"tab/architecture", "tab/break", "tab/samples", "transport/rate", "time"})
    CHECK_FALSE(s.sees(gone));
  CHECK(s.sees("transport/speed"));
  s.app.bring_forward("samples");
  s.hand.wait(2);
  CHECK(s.app.panel_rect("loss"));
  CHECK_FALSE(s.app.commands().run("break.no-scale"));
  CHECK_FALSE(s.app.commands().run("panel.samples"));
  s.app.apply(Session{});  // and come back
  s.hand.wait(3);
  CHECK(s.sees("transport/rate"));
  CHECK(s.sees("tab/samples"));
}

TEST_CASE("lesson: names that are hidden", "[viewer][break][session]") {
  const Hidden hidden{{"compare", "architecture.*", "break.list"}};
  CHECK(hidden.hides("compare"));
  CHECK(hidden.hides("compare.here"));
  CHECK_FALSE(hidden.hides("compares"));
  CHECK(hidden.hides("architecture.norm"));
  CHECK_FALSE(hidden.hides("architecture"));
  CHECK_FALSE(hidden.hides("break"));
  CHECK_FALSE(Hidden{}.hides("compare"));
}

TEST_CASE("lesson: hostile files get a sentence", "[viewer][break][session]") {
  const auto refused = [](const std::string& fields) {
    try {
      (void)session_from_json("{\"format\":\"transformer++ session 1\"," + fields + "}");
    } catch (const InputError& error) {
      const std::string text = error.what();
      CHECK(text.find('\n') == std::string::npos);
      return text;
    }
    return std::string();
  };
  const auto says = [&](const std::string& fields, const std::string& words) {
    INFO(fields);
    const std::string text = refused(fields);
    INFO(text);
    CHECK(text.find(words) != std::string::npos);
  };
  says(R"("hidden": "compare")", "\"hidden\" is not a list");
  says(R"("hidden": [1])", "\"hidden\" is not a list");
  says(R"("ask": {})", "\"ask\" is not a list");
  says(R"("ask": ["no-brakes"])", "\"no-brakes\", which cannot be broken");
  says(R"("ask": [7])", "\"ask/1\" is not the name of a breakage");
  says(R"("ask": ["no-scale", {"text": "?"}])", "two to four choices");
  says(R"("ask": [{"text": "?", "choices": ["a", "b"], "right": 3}])", "none of its choices");
  says(R"("ask": [{"text": "?", "choices": ["a", "b"], "right": 0}])", "\"ask/1/right\"");
  says(R"("ask": [{"text": "?", "choices": ["a", 2]}])", "\"ask/1/choices\"");
  says(R"("ask": [{"break": "no-scale", "steps": 0}])", "\"ask/1/steps\"");
  says(R"("ask": [{"break": "no-scale", "steps": 1e300}])", "\"ask/1/steps\"");
  says(R"("ask": [{"break": "no-scale", "measure": ["joy"]}])", "\"joy\" is none");
  says(R"("ask": [{"break": "no-scale", "set": {"norm": "batch"}}])", "\"ask/1/set\" cannot be");
  says(R"("ask": [{"break": "no-scale", "set": {"seed": "7"}}])", "\"ask/1/set\" cannot be");
  says(R"("ask": [{"break": "no-scale", "wrong": "6.1; rm"}])", "\"ask/1/wrong\"");
  says(R"("ask": [{"break": "no-scale", "text": ")" + std::string(3000, 'x') + "\"}]",
       "at most 2000");
  std::string many = "\"ask\": [";
  for (int i = 0; i < 60; ++i) many += "\"no-scale\",";
  says(many + "\"no-scale\"]", "at most 50");
  CHECK(refused(R"("ask": ["no-scale"], "hidden": ["compare"])").empty());
  const Session own = session_from_json(
      R"({"format":"transformer++ session 1","ask":[{"text":"Which?","choices":["a","b"],"right":2}]})");
  REQUIRE(own.ask.size() == 1);
  CHECK(own.ask[0].question.right == 1);
  CHECK(own.ask[0].id == "question-1");
  // It is not written back: a reader's session is no lesson
  CHECK_FALSE(session_from_json(to_json(own)).is_lesson());
}
