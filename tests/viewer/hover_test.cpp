// Every number that a panel draws is explained where the mouse rests on it: its name, the formula, the
// formula with its numbers, the result, why it matters, and the line of code. The numbers are done
// again and have to give the result; with two runs, A, B and B − A are told apart.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include "chapters/03_tokens/dataset.h"
#include "tests/testing.h"
#include "tests/viewer/evaluate.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/registry.h"
#include "viewer/script.h"

namespace tpp::viewer::testing {
namespace {

std::unique_ptr<BatchSource> open_story(const RunOptions& options) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the fox saw the hen and the hen saw the fox. ";
  return std::make_unique<TextSource>(Dataset(text, Tokenizer::bytes()), options.seed);
}

RunOptions small_options() {
  RunOptions options;
  options.layers = 2;
  options.width = 16;
  options.heads = 2;
  options.attention = "gqa:1";
  options.length = 16;
  options.batch = 4;
  options.steps = 200;
  options.warmup = 5;
  options.threads = 1;
  return options;
}

/// A number on the screen, and what its tooltip has to say.
struct Number {
  const char* probe;    // where the mouse rests
  const char* name;     // stands in the tooltip's name
  const char* formula;  // stands in its formula
  const char* source;   // the file that computes it
  float x = 0.5f, y = 0.5f;
  bool whole_run = false;     // it is of no run alone: there is no A or B in its name
  bool only_a_and_b = false;  // B − A of it has no meaning: A's is told
};

/// The window with two runs, and a mouse.
struct Window {
  explicit Window(const RunOptions& options = small_options(), Appearance look = Appearance::dark,
                  float scale = 1)
      : backend(make_null_backend(
            {.width = int(1600 * scale), .height = int(1000 * scale), .scale = scale})),
        run(options, config_for(*backend)),
        app(*backend, run, config(look)),
        hand(*backend, app.probes(), [this] { app.frame(false); }) {
    backend->set_frame_time(0.09);  // so that the mouse has soon rested
    wait("the first frame", [&] { return app.shown() != nullptr; });
  }
  static AppConfig config(Appearance look) {
    AppConfig c;
    c.appearance = look;
    c.root = TPP_SOURCES;
    return c;
  }
  static RunThreadConfig config_for(Backend& backend) {
    RunThreadConfig c;
    c.open = open_story;
    c.background = false;
    c.sample_tokens = 8;
    c.wake = [&backend] { backend.wake(); };
    return c;
  }
  void wait(const std::string& what, const std::function<bool()>& done) {
    for (int i = 0; i < 6000; ++i) {
      app.frame(false);
      if (done()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(i < 20 ? 1 : 5));
    }
    FAIL("waited in vain for: " << what);
  }

  /// Some steps; and a second run with another norm and another width of its feed-forward layers.
  void train(long steps) {
    run.play_until(steps);
    wait("the steps", [&] { return app.shown()->step == steps && !app.shown()->playing; });
  }
  void fork(const char* option, const char* value) {
    run.fork({{option, value}}, ForkAt::start);
    wait("run B", [&] { return app.shown_b() != nullptr; });
    train(12);
    wait("B's steps", [&] { return app.shown_b() && app.shown_b()->step == 12; });
  }

  [[nodiscard]] std::string says(const char* part) const {
    return app.probes().words(std::string("tooltip/") + part);
  }
  /// Rest on a probe until its tooltip has its numbers.
  void rest(const Number& n) {
    hand.move_to(2, 2);
    hand.wait(3);
    wait(n.probe, [&] { return hand.sees(n.probe); });
    hand.move(n.probe, n.x, n.y);
    wait(std::string("the tooltip of ") + n.probe, [&] {
      return !says("name").empty() && says("numbers").find("next frame") == std::string::npos;
    });
    hand.wait(2);
  }
  /// Its six parts; returns what is wrong with it, a line each.
  [[nodiscard]] std::string wrong(const Number& n) {
    std::string out;
    const auto expect = [&](bool good, const std::string& what) {
      if (!good) out += "\n  " + what;
    };
    for (const char* part : {"name", "formula", "numbers", "result", "why", "source"})
      expect(!says(part).empty(), std::string("has no ") + part);
    const auto contains = [&](const char* part, const std::string& words) {
      expect(plain_text(says(part)).find(words) != std::string::npos,
             std::string(part) + " is \"" + says(part) + "\", without \"" + words + "\"");
    };
    contains("name", n.name);
    contains("formula", n.formula);
    contains("source", std::string(n.source) + ":");  // and the line
    const std::string arithmetic = wrong_arithmetic(says("numbers"), says("result"));
    expect(arithmetic.empty(), arithmetic);

    // Whose it is
    const std::string name = says("name");
    const bool two = app.shown_b() != nullptr && !n.whole_run;
    Compare shows = app.compare();
    if (shows == Compare::difference && n.only_a_and_b) shows = Compare::a;
    const std::string whose = !two                  ? ""
                              : shows == Compare::a ? "{A|A}  "
                              : shows == Compare::b ? "{B|B}  "
                                                    : "{B|B} − {A|A}  ";
    expect(name.starts_with(whose) && (two || !name.starts_with("{A|A}")),
           "does not say whose it is: " + name);
    if (two && shows == Compare::difference) {
      expect(says("numbers").starts_with("{B|B "), "is not B − A: " + says("numbers"));
      expect(says("numbers").find("{A|A ") != std::string::npos, "has no A");
    }

    // On the window, and no longer than it may be
    const Rect r = app.probes().find("tooltip").value_or(Rect{});
    const WindowSize size = backend->size();
    expect(r.x >= 0 && r.y >= 0 && r.right() <= size.width && r.bottom() <= size.height,
           "leaves the window");
    const Theme& t = app.theme();
    const float line = t.font_size(Font::body) * 1.2f + t.px(3);
    expect(r.h <= 7 * line + t.px(16), "is longer than seven lines");
    return out;
  }

  /// The tooltip as a file, if TPP_PICTURES names a folder. Nothing else depends on it.
  void picture(const std::string& name) {
    const char* folder = std::getenv("TPP_PICTURES");
    if (!folder) return;
    app.frame(true);
    std::filesystem::create_directories(folder);
    const Rect r = app.probes().find("tooltip").value_or(Rect{});
    write_png(std::filesystem::path(folder) / name, crop(app.picture(), r, 1));
  }

  std::unique_ptr<NullBackend> backend;
  RunThread run;
  App app;
  Script hand;
};

/// What to do so that the numbers of a panel are there, and which they are.
struct Scene {
  const char* panel;
  std::function<void(Window&)> set;
  std::vector<Number> numbers;
};

void large(Window& w, const char* panel) {
  w.app.selection().release();
  w.app.layout().restore();
  w.app.bring_forward(panel);
  for (const auto& entry : panel_table()) {
    if (std::string(entry.id) != panel) continue;
    const Slot slot = entry.make()->info().slot;
    if (!is_bar(slot)) w.app.layout().maximise(slot);
  }
  w.hand.wait(3);
}

const char* kAttention = "viewer/panels/attention_panel.cpp";
const char* kOneHead = "chapters/06_attention/exercises/one_head/reference.h";
const char* kSoftmax = "chapters/05_softmax/exercises/forward/reference.h";

std::vector<Scene> scenes() {
  std::vector<Scene> all;
  const auto head = [](const char* tab) {
    return [tab](Window& w) {
      large(w, "attention");
      w.app.selection().set({.layer = 1, .head = 1, .query = 12, .key = 5});
      w.wait("a large head", [&] { return w.hand.sees(tab) && w.hand.sees("attention/map"); });
      w.hand.click(tab);
      w.hand.wait(2);
    };
  };
  all.push_back({"attention",
                 [](Window& w) { large(w, "attention"); },
                 {{"attention/head/1/0", "Attention weight, layer 1, head 0, query 11", "e^(logit",
                   kSoftmax, 0.3f, 0.72f},
                  {"attention/head/1/0", "Attention weight, layer 1, head 0, query 3", "p[t,s] = 0",
                   "chapters/06_attention/mask.h", 0.7f, 0.22f},
                  {"attention/head/0/1/entropy", "Entropy of layer 0, head 1", "log₂", kAttention},
                  {"attention/head/0/1/sink", "Sink of layer 0, head 1", "mean over t of p[t, 0]",
                   kAttention}}});
  all.push_back({"attention",
                 head("attention/tab/product"),
                 {{"attention/map", "Product, layer 1, head 1, query 11", "Σ_i q[t,i]·k[s,i]",
                   kOneHead, 0.4f, 0.72f}}});
  all.push_back({"attention",
                 head("attention/tab/scaled"),
                 {{"attention/map", "Scaled product, layer 1, head 1", "/ √K",
                   "chapters/06_attention/attention.cpp", 0.4f, 0.72f}}});
  all.push_back(
      {"attention",
       head("attention/tab/masked"),
       {{"attention/map", "Logit, layer 1, head 1", "q[t]·k[s] / √K", kOneHead, 0.4f, 0.72f}}});
  const auto softmax = head("attention/tab/softmax");
  all.push_back(
      {"attention",
       softmax,
       {{"attention/map", "Attention weight, layer 1, head 1, query 11", "e^(logit", kSoftmax, 0.4f,
         0.72f},
        {"attention/large/entropy", "Entropy of layer 1, head 1, mean", "log₂", kAttention},
        {"attention/large/sink", "Sink of layer 1, head 1", "p[t, 0]", kAttention},
        {"attention/off", "Largest difference of layer 1, head 1", "max over", kAttention, .5f, .5f,
         false, true},
        {"attention/query/entropy", "query 12", "−Σ_s p[t,s]·log₂ p[t,s]", kAttention, .5f, .5f,
         false, true},
        {"attention/bars", "query 12", "e^(logit", kSoftmax, 0.5f, 0.1f},
        {"attention/row", "query 12", "e^(logit", kSoftmax, 0.1f, 0.5f},
        {"attention/line/0", "Product", "Σ_i", kOneHead, .5f, .5f, false, true},
        {"attention/line/1", "Scaled product", "/ √K", "chapters/06_attention/attention.cpp", .5f,
         .5f, false, true},
        {"attention/line/2", "Logit", "q[t]·k[s] / √K", kOneHead, .5f, .5f, false, true},
        {"attention/line/5", "Attention weight", "e^(logit", kSoftmax, .5f, .5f, false, true}}});
  return all;
}

/// All numbers of a panel, in the run or runs that the window shows.
void hover_all(Window& w, const std::string& panel) {
  int seen = 0;
  for (const Scene& scene : scenes()) {
    if (scene.panel != panel) continue;
    scene.set(w);
    for (const Number& n : scene.numbers) {
      CAPTURE(n.probe);
      w.rest(n);
      INFO("name     " << w.says("name") << "\nformula  " << w.says("formula") << "\nnumbers  "
                       << w.says("numbers") << "\nresult   " << w.says("result") << "\nwhy      "
                       << w.says("why") << "\nsource   " << w.says("source"));
      CHECK(w.wrong(n) == "");
      w.picture(panel + formatted("-%d-%02d.png", int(w.app.compare()), seen));
      ++seen;
    }
  }
  CHECK(seen > 0);
}

void hover_in_both(const std::string& panel) {
  Window w(small_options(), std::getenv("TPP_LIGHT") ? Appearance::light : Appearance::dark);
  w.train(12);
  hover_all(w, panel);
  w.fork("norm", "layernorm");
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    w.app.set_compare(compare);
    CAPTURE(int(compare));
    hover_all(w, panel);
  }
}

TEST_CASE("hover: numbers that do not give their result are found", "[viewer][hover]") {
  const auto good = [](const char* numbers, const char* result) {
    INFO(numbers << " = " << result << ": " << wrong_arithmetic(numbers, result));
    CHECK(wrong_arithmetic(numbers, result).empty());
  };
  const auto bad = [](const char* numbers, const char* result) {
    INFO(numbers << " = " << result);
    CHECK_FALSE(wrong_arithmetic(numbers, result).empty());
  };
  good("1.20 + 3.40", "4.60");
  good("1.20 + 3.40", "4.61");  // 1.204 + 3.404
  bad("1.20 + 3.40", "4.62");
  good("e^(1.923 − 3.011) / 4.432", "0.0760 (7.6 %)");
  bad("e^(1.923 − 3.011) / 4.432", "0.0770");
  good("{B|B 0.4120} − {A|A 0.3310}", "+0.081 bits");
  bad("{B|B 0.412} − {A|A 0.331}", "−0.081");
  good("(0.98 + 1.02 + 12.1{-| of 13 others}) / 15", "0.94");
  good("−0.500·log₂ 0.500 − 0.250·log₂ 0.250 + 0.500", "1.5 bits");
  good("√16,384 · 1.200e-4", "0.01536");
  good("12 · 10,000^(−4/8)", "0.12 rad");
  good("2 · 3² + |−4| / max(1, 2)", "20");
  good("cos(60°) + sin(π / 2)", "1.5");
  good("ln 256", "5.545");
  bad("ln 256", "5.56");
  good("NaN / 3.0", "NaN");
  bad("NaN / 3.0", "1");
  bad("1.0 / 3.0", "NaN");
  good("−∞", "−∞");
  bad("1.2 + ", "1.2");
  bad("1.2 3.4", "1.2");
  bad("", "1.2");
  bad("0.4 · 3", "1.2");  // 0.35 · 3 … 0.45 · 3: it could be anything
}

TEST_CASE("hover: attention", "[viewer][hover]") { hover_in_both("attention"); }

}  // namespace
}  // namespace tpp::viewer::testing
