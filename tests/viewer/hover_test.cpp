// Every number that a panel draws is explained where the mouse rests on it: its name, the formula, the
// formula with its numbers, the result, why it matters, and the line of code. The numbers are done
// again and have to give the result; with two runs, A, B and B − A are told apart.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "chapters/03_tokens/dataset.h"
#include "tests/testing.h"
#include "tests/viewer/evaluate.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/small_run.h"
#include "tests/viewer/synthetic_frame.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/registry.h"
#include "viewer/script.h"

namespace tpp::viewer::testing {
namespace {

/// A number on the screen, and what its tooltip has to say.
struct Number {
  const char* probe;    // where the mouse rests
  const char* name;     // stands in the tooltip's name
  const char* formula;  // stands in its formula
  const char* source;   // the file that computes it
  float x = 0.5f, y = 0.5f;
  bool whole_run = false;        // it is of no run alone: there is no A or B in its name
  bool only_a_and_b = false;     // B − A of it has no meaning: A's is told
  bool of_differences = false;   // with B − A its numbers are not two numbers, or one of both
  bool b_in_difference = false;  // with B − A it is B's
};

/// The window with two runs, and a mouse.
struct Window {
  explicit Window(const RunOptions& options = small_options(2), Appearance look = Appearance::dark,
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
    const std::string named = n.name;
    contains("name", named.substr(named.starts_with("{") ? named.find('}') + 1 : 0));
    contains("formula", n.formula);
    contains("source", n.source);
    const std::string source = says("source");
    const std::size_t colon = source.rfind(':');
    expect(colon != std::string::npos && std::atoi(source.c_str() + colon + 1) > 0,
           "source has no line: " + source);
    const std::string arithmetic = wrong_arithmetic(says("numbers"), says("result"));
    expect(arithmetic.empty(), arithmetic);

    // Whose it is: as the window shows, or as the table says
    const std::string name = says("name");
    const bool two = app.shown_b() != nullptr && !n.whole_run;
    Compare shows = app.compare();
    if (shows == Compare::difference && n.only_a_and_b) shows = Compare::a;
    if (shows == Compare::difference && n.b_in_difference) shows = Compare::b;
    if (named.starts_with("{A}")) shows = Compare::a;
    if (named.starts_with("{B}")) shows = Compare::b;
    if (named.starts_with("{B − A}")) shows = Compare::difference;
    const std::string whose = !two                  ? ""
                              : shows == Compare::a ? "{A|A}  "
                              : shows == Compare::b ? "{B|B}  "
                                                    : "{B|B} − {A|A}  ";
    const bool of_both = two && shows == Compare::difference;
    expect(name.starts_with(whose) ||
               (of_both && n.of_differences && name.starts_with("{B|B} / {A|A}  ")),
           "does not say whose it is: " + name);
    expect(two || name.find("{A|A}") == std::string::npos, "speaks of A, and there is one run");
    if (two && shows == Compare::difference && !n.of_differences) {
      expect(says("numbers").starts_with("{B|B "), "is not B − A: " + says("numbers"));
      expect(says("numbers").find("{A|A ") != std::string::npos, "has no A");
    }

    out += too_large();
    return out;
  }

  /// On the window, and no longer than seven lines?
  [[nodiscard]] std::string too_large() const {
    const Rect r = app.probes().find("tooltip").value_or(Rect{});
    const WindowSize size = backend->size();
    const Theme& t = app.theme();
    const float line = t.font_size(Font::body) * 1.2f + t.px(3);
    std::string out;
    if (r.x < 0 || r.y < 0 || r.right() > size.width || r.bottom() > size.height)
      out += "\n  leaves the window";
    if (r.h > 7 * line + t.px(16)) out += "\n  is longer than seven lines";
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
  const auto view = [](const char* panel, const char* choice) {
    return [panel, choice](Window& w) {
      large(w, panel);
      if (!choice) return;
      w.wait(choice, [&] { return w.hand.sees(choice); });
      w.hand.click(choice);
      w.hand.wait(3);
    };
  };
  // A window so large that norms show all four of their views
  all.push_back(
      {"norms",
       view("norms", nullptr),
       {{"norms/stream/plot", "RMS of block1/attn/residual", "√(Σ_d x[t,d]² / D)",
         "chapters/08_layernorm/placement.h", 0.7f, 0.5f},
        {"norms/norms/plot", "RMS of block", "√(Σ_d x[t,d]² / D)", "chapters/", 0.3f, 0.02f},
        {"norms/norms/plot", "RMS of ", "√(Σ_d x[t,d]² / D)", "chapters/", 0.3f, 0.98f},
        {"norms/gains/map", "/norm/gain, feature", "g[d] = 1 + what was learned", "chapters/", 0.4f,
         0.3f},
        {"norms/gains/means", "Mean of block0/attn/norm/gain", "Σ_d g[d] / D", "chapters/", 0.5f,
         0.05f},
        {"norms/gains/colours", "a gain", "least + u·(most − least)", "viewer/colormap.cpp", 0.3f,
         0.5f, true},
        {"norms/values/rms", "RMS of block1/ffn/residual", "√(Σ_t Σ_d", "viewer/panels/norms", .5f,
         .5f, false, false, true},
        {"norms/values/mean", "Mean of block1/ffn/residual", "Σ_t Σ_d", "viewer/panels/norms", .5f,
         .5f, false, false, true},
        {"norms/values/largest", "Largest of block1/ffn/residual", "/ RMS", "viewer/panels/norms",
         .5f, .5f, false, false, true},
        {"norms/values/plot", "Values of block1/ffn/residual from", "how many",
         "viewer/colormap.cpp", 0.5f, 0.4f, false, false, true},
        {"norms/logit", "Largest logit, at position", "max over t, v",
         "chapters/11_gpt/gpt.cpp"}}});
  const char* trainer = "chapters/11_gpt/trainer.cpp";
  all.push_back(
      {"gradients",
       view("gradients", nullptr),
       {{"gradients/map", "Gradient of ", "‖g‖ = √(Σ g²)", "chapters/10_optimizer/clip.cpp", 0.4f,
         0.3f, false, false, true},
        {"gradients/map", ", step 12", "‖g‖ = √(Σ g²)", "chapters/10_optimizer/clip.cpp", 0.99f,
         0.6f, false, false, true},
        {"gradients/bars", "Gradient of ", "‖g‖ = √(Σ g²)", "chapters/10_optimizer/clip.cpp", 0.5f,
         0.3f, false, false, true},
        {"gradients/ratios", "Update over weight of ", "‖w′ − w‖ / ‖w‖", trainer, 0.5f, 0.3f},
        {"gradients/clips", "Clipping at step", "limit / max(limit, ‖g‖)",
         "chapters/10_optimizer/exercises/clip/reference.h", 0.3f, 0.5f, false, true},
        {"gradients/colours", "‖g‖", "10^(least", "viewer/colormap.cpp", 0.6f, 0.5f, true}}});
  const char* entropy = "chapters/05_softmax/cross_entropy.cpp";
  const char* loss = "viewer/panels/loss_panel.cpp";
  all.push_back({"loss one run",
                 view("loss", nullptr),
                 {{"loss/smoothed", "Smoothed loss, step 12", "w = 1 − 0.9ⁿ", loss},
                  {"loss/validation", "Validation loss, step", "never trained on", trainer},
                  {"loss/perplexity", "Perplexity, step 12", "e^loss", entropy},
                  {"loss/bits", "Bits per byte, step 12", "loss / ln 2", loss},
                  {"loss/tokens", "Tokens a second, step 12", "seconds of the step",
                   "viewer/run/run_thread.cpp"},
                  {"loss/plot", "The guesser \"uniform\"", "ln V", "chapters/03_tokens/dataset.cpp",
                   0.6f, 0.07f},
                  {"loss/plot", "The guesser \"bigram\"", "ln p[v | u]",
                   "chapters/03_tokens/baselines.cpp", 0.6f, 0.85f},
                  {"loss/rate", "Learning rate of step 3", "peak · t / warmup",
                   "chapters/10_optimizer/schedule.cpp", 0.24f, 0.5f},
                  {"loss/rate", "Learning rate of step 10", "½·(1 + cos πp)",
                   "chapters/10_optimizer/schedule.cpp", 0.82f, 0.5f}}});
  all.push_back({"loss two runs",
                 view("loss", nullptr),
                 {{"loss/smoothed", "{A}Smoothed loss, step 12", "w = 1 − 0.9ⁿ", loss},
                  {"loss/smoothed_b", "{B}Smoothed loss, step 12", "w = 1 − 0.9ⁿ", loss},
                  {"loss/smoothed_more", "{B − A}Smoothed loss, step 12", "w = 1 − 0.9ⁿ", loss},
                  {"loss/validation", "{A}Validation loss, step", "never trained on", trainer},
                  {"loss/validation_b", "{B}Validation loss, step", "never trained on", trainer}}});
  all.push_back({"samples",
                 view("samples", nullptr),
                 {{"samples/next", "Next token “", "e^(logit − ln Σ)",
                   "chapters/11_gpt/sampling.cpp", 0.5f, 0.02f}}});
  all.push_back({"samples list",
                 view("samples", nullptr),
                 {{"samples/listed", "What these 10 tokens have together", "Σ p[v]",
                   "viewer/run/probe.cpp"}}});
  const char* thread = "viewer/run/run_thread.cpp";
  all.push_back(
      {"bars",
       view("attention", nullptr),
       {{"status/watch", "Watching, as a share", "seconds of training", "viewer/run/governor.h",
         .5f, .5f, true},
        {"status/samples", "Writing, as a share", "seconds of training", "viewer/run/governor.h",
         .5f, .5f, true},
        {"status/memory", "Memory of the run", "MiB", trainer, .5f, .5f, true},
        {"status/past", "kept states", "MiB", "viewer/run/timeline.cpp", .5f, .5f, true},
        {"status/history", "Numbers of past steps", "MiB", "viewer/run/frame.h", .5f, .5f, true},
        {"status/threads", "Threads of a run", "threads", "chapters/11_gpt/trainer.h", .5f, .5f,
         true},
        {"status/frames", "Frames of this window", "frames / seconds",
         "viewer/panels/status_panel.cpp", .5f, .5f, true},
        {"time", "A step of the past", "first + u·(newest − first)", "viewer/run/timeline.cpp",
         0.4f, 0.4f, true},
        {"transport/counter", "Step 12 of 200", "step · B·T", trainer, .5f, .5f, false, true},
        {"transport/rate", "Learning rate of step 13, the next", "½·(1 + cos πp)",
         "chapters/10_optimizer/schedule.cpp", .5f, .5f, false, true},
        {"transport/steps", "Steps a second", "tokens a second / (B·T)", thread, .5f, .5f, false,
         true},
        {"transport/tokens", "Tokens a second", "steps a second · B·T", thread, .5f, .5f, false,
         true}}});
  // Block diagram: with B − A it is B's
  const auto of_b = [](Number n) {
    n.b_in_difference = true;
    return n;
  };
  const char* gqa = "chapters/15_gqa/gqa";
  const char* gpt = "chapters/11_gpt/gpt.cpp";
  all.push_back(
      {"architecture",
       view("architecture", nullptr),
       {of_b(
            {"architecture/part/embed", "Embedding:", "Σ rows · columns", "chapters/04_embedding"}),
        of_b({"architecture/part/attn", "Attention, layer 0:", "Σ rows · columns", gqa}),
        of_b({"architecture/part/attn/norm", "Norm, layer 0:", "Σ rows · columns", "chapters/"}),
        of_b({"architecture/part/ffn", "SwiGLU, layer 0:", "Σ rows · columns",
              "chapters/14_swiglu/glu.cpp"}),
        of_b({"architecture/part/attn/residual", "Residual sum", "T · D",
              "chapters/08_layernorm/placement.h"}),
        of_b({"architecture/part/unembed", "Un-embedding", "shared with the embedding", gpt}),
        of_b({"architecture/logits", "Logits", "T · V", gpt}),
        of_b({"architecture/parameters", "Parameters", "layers · those of a layer + the rest",
              "chapters/02_tape/parameters.h"}),
        of_b({"architecture/flops", "Work for a token", "6 · layers · T · D", gpt}),
        of_b({"architecture/cache", "Memory that generation keeps", "2 · layers · G · K · 4",
              gqa})}});
  const char* rope = "viewer/panels/rope_panel.cpp";
  const char* turn = "chapters/13_rope/rope.cpp";
  all.push_back(
      {"rope",
       view("rope", nullptr),
       {{"rope/pair/1", "Angle of pair 1 of 4 at position 15", "base^(−2p/K)", turn, .5f, .5f,
         false, true},
        {"rope/waves", "Wavelength of pair", "2π · base^(2p/K)", turn, 0.5f, 0.5f, false, true},
        {"rope/score", "Mean score at distance 4", "Σ_p of the pairs below", rope, 0.27f, 0.5f},
        {"rope/parts", "Part of pair 1 at distance 4", "|q|·|k|·cos(φq − φk + d·θ[p]) / √K", rope,
         0.27f, 0.4f},
        {"rope/colours", "a pair's part", "least + u·(most − least)", "viewer/colormap.cpp", 0.7f,
         0.5f, true}}});
  all.push_back({"rope one run",
                 view("rope", nullptr),
                 {{"rope/off", "Off the run's own", "|mean score", rope}}});
  const auto lens = [](Window& w) {
    large(w, "lens");
    w.app.selection().set({.layer = 1, .head = 1, .query = 12, .key = 5});
    w.wait("the lens", [&] { return w.hand.sees("lens/step/weight"); });
  };
  const char* lens_code = "viewer/panels/lens.cpp";
  all.push_back(
      {"lens",
       lens,
       {{"lens/pair/1", "Share of pair 1, layer 1, head 1, query 12", "cos(φq − φk", turn},
        {"lens/share/0", "Share of pair 0, layer 1", "cos(φq − φk", turn},
        {"lens/features", "Query 12", "q[t, i] = Σ_d", "chapters/11_gpt/parts.cpp", 0.3f, 0.03f},
        {"lens/features", "Query at 12, feature", "a·cos(tθ) − b·sin(tθ)", turn, 0.3f, 0.30f},
        {"lens/features", "Key at 5, feature", "a·sin(tθ) + b·cos(tθ)", turn, 0.3f, 0.93f},
        {"lens/step/product", "Product, layer 1, head 1", "Σ_p |q|·|k|·cos", kOneHead},
        {"lens/step/scaled", "Scaled product", "/ √K", "chapters/06_attention/attention.cpp"},
        {"lens/step/masked", "Logit under the mask", "visible(t)", "chapters/06_attention/mask.h",
         .5f, .5f, false, true},
        {"lens/step/exponential", "Exponential", "e^(logit − the row's largest)", kSoftmax},
        {"lens/step/weight", "Attention weight", "/ Σ over the keys", kSoftmax},
        {"lens/off/product", "Off the tape's q·k", "Σ_p of the shares", lens_code, .5f, .5f, false,
         true},
        {"lens/off/logit", "Off the run's logit", "ln weight + ln Σ", lens_code, .5f, .5f, false,
         true},
        {"lens/distance", "if they stood 8 apart", "d·θ[p]) / √K", turn, 0.53f, 0.5f},
        {"lens/row", "Attention weight, layer 1, head 1, query 12", "e^(logit", kSoftmax, 0.1f,
         0.5f},
        {"lens/row", "Attention weight, layer 1, head 1, query 12", "since s ≥ visible(t)",
         "chapters/06_attention/mask.h", 0.95f, 0.5f}}});
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
  Window w(small_options(2), std::getenv("TPP_LIGHT") ? Appearance::light : Appearance::dark);
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
TEST_CASE("hover: norms", "[viewer][hover]") { hover_in_both("norms"); }
TEST_CASE("hover: gradients", "[viewer][hover]") { hover_in_both("gradients"); }
TEST_CASE("hover: next tokens", "[viewer][hover]") { hover_in_both("samples"); }
TEST_CASE("hover: bars and lines around the panels", "[viewer][hover]") { hover_in_both("bars"); }

TEST_CASE("hover: architecture", "[viewer][hover]") { hover_in_both("architecture"); }
TEST_CASE("hover: rope", "[viewer][hover]") { hover_in_both("rope"); }
TEST_CASE("hover: lens", "[viewer][hover]") { hover_in_both("lens"); }

TEST_CASE("hover: loss", "[viewer][hover]") {
  Window w;
  w.train(12);
  hover_all(w, "loss one run");
  hover_all(w, "samples list");
  hover_all(w, "rope one run");
  w.fork("norm", "layernorm");
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    w.app.set_compare(compare);
    CAPTURE(int(compare));
    hover_all(w, "loss two runs");
  }
}

/// Rest on places all over the window; every tooltip that has arithmetic has to be whole and right.
/// Returns the probes' names that were told, by their tooltips' names.
std::set<std::string> sweep(Window& w, float step) {
  std::set<std::string> told;
  const WindowSize size = w.backend->size();
  for (float y = step / 2; y < size.height; y += step) {
    for (float x = step / 3; x < size.width; x += step) {
      w.hand.move_to(x, y);
      w.hand.wait(3);
      if (!w.hand.sees("tooltip") || w.says("formula").empty()) continue;
      if (w.says("numbers").find("next frame") != std::string::npos) continue;
      told.insert(w.says("name"));
      INFO(x << ", " << y << "\nname     " << w.says("name") << "\nformula  " << w.says("formula")
             << "\nnumbers  " << w.says("numbers") << "\nresult   " << w.says("result"));
      CHECK(wrong_arithmetic(w.says("numbers"), w.says("result")) == "");
      CHECK_FALSE(w.says("why").empty());
      CHECK(w.says("source").rfind(':') != std::string::npos);
      CHECK(w.too_large() == "");
    }
  }
  return told;
}

TEST_CASE("hover: wherever the mouse rests, the arithmetic is right", "[viewer][hover]") {
  Window w;
  w.train(12);
  CHECK(sweep(w, 37).size() > 60);
  w.app.selection().set({.layer = 0, .head = 1});
  w.app.bring_forward("lens");
  w.app.bring_forward("samples");
  w.hand.wait(4);
  CHECK(sweep(w, 37).size() > 60);
}

TEST_CASE("hover: light, and twice as large", "[viewer][hover]") {
  Window w(small_options(2), Appearance::light, 2);
  w.train(12);
  for (const char* panel : {"norms", "lens", "gradients", "rope"}) hover_all(w, panel);
  CHECK(sweep(w, 111).size() > 20);
}

TEST_CASE("hover: two runs that differ in their parts", "[viewer][hover]") {
  Window w;
  w.train(8);
  const auto swap = GENERATE(std::pair<const char*, const char*>{"position", "alibi"},
                             std::pair<const char*, const char*>{"position", "t5"},
                             std::pair<const char*, const char*>{"placement", "deepnorm"});
  CAPTURE(swap.first, swap.second);
  w.fork(swap.first, swap.second);
  for (const Compare compare : {Compare::b, Compare::difference}) {
    w.app.set_compare(compare);
    w.app.selection().set({.layer = 0, .head = 1});
    w.hand.wait(4);
    CHECK(sweep(w, 53).size() > 20);
  }
}

TEST_CASE("hover: Enter opens the line of code that the tooltip names", "[viewer][hover]") {
  Window w;
  w.train(3);
  large(w, "attention");
  w.rest({"attention/head/1/0/entropy", "", "", ""});
  const std::string source = w.says("source");
  w.hand.key("Enter");
  w.hand.wait(3);
  CHECK(w.app.layout().preset() == Preset::reading);
  CHECK(source.starts_with(w.app.reader().file() + ":"));
  CHECK(w.app.reader().file() == kAttention);

  // Nothing under the mouse, nothing to open
  w.hand.move_to(2, 2);
  w.hand.wait(4);
  w.hand.key("Enter");
  w.hand.wait(2);
  REQUIRE_FALSE(w.app.toasts().empty());
  CHECK(w.app.toasts().back().find("Rest the mouse on a number") != std::string::npos);
}

/// Each panel by itself, the mouse all over it.
template <class Check>
void sweep_panels(const Frame* frame, const History* history, const Check& check) {
  for (const PanelEntry& entry : panel_table()) {
    if (std::string(entry.id) == "kernels") continue;  // it shows a trace, and no run
    Stage stage(900, 640);
    stage.backend().set_frame_time(0.09);
    stage.history = history;
    const std::unique_ptr<Panel> panel = entry.make();
    for (const bool locked : {false, true}) {
      if (locked) stage.selection.set({.layer = 1, .head = 1, .query = 9, .key = 4});
      stage.show(*panel, frame, 3);
      for (float y = 30; y < 640; y += 41) {
        for (float x = 20; x < 900; x += 61) {
          stage.script().move_to(x, y);
          stage.script().wait(3);
          INFO(entry.id << " " << x << " " << y);
          check(stage.probes);
        }
      }
    }
  }
}

TEST_CASE("hover: what is not a number is said plainly", "[viewer][hover]") {
  const Frame frame = nan_frame();
  const History history = synthetic_history(frame, 40, false);
  int seen = 0;
  sweep_panels(&frame, &history, [&](const Probes& probes) {
    const std::string numbers = probes.words("tooltip/numbers"),
                      result = probes.words("tooltip/result");
    const bool none = result.starts_with("NaN") || result.starts_with("∞") ||
                      result.starts_with("−∞") || result.starts_with("+∞");
    if (!none || probes.words("tooltip/formula").empty()) return;
    ++seen;
    INFO(probes.words("tooltip/name") << "\n" << numbers << "\n" << result);
    const bool says = numbers.find("NaN") != std::string::npos ||
                      numbers.find("∞") != std::string::npos ||
                      numbers.find("next frame") != std::string::npos;
    CHECK(says);
    CHECK_FALSE(probes.words("tooltip/why").empty());
  });
  CHECK(seen > 20);
}

TEST_CASE("hover: nothing is told where there is no run", "[viewer][hover]") {
  sweep_panels(nullptr, nullptr, [](const Probes& probes) {
    INFO(probes.words("tooltip/name") << "\n" << probes.words("tooltip/numbers"));
    const std::string source = probes.words("tooltip/source");
    // But how many frames the window draws
    CHECK((source.empty() || source.starts_with("viewer/panels/status_panel.cpp")));
  });
  // A frame of no model and no step: what is told of its sizes is right
  const Frame empty;
  const History none;
  sweep_panels(&empty, &none, [](const Probes& probes) {
    if (probes.words("tooltip/formula").empty()) return;
    const std::string numbers = probes.words("tooltip/numbers"),
                      result = probes.words("tooltip/result");
    INFO(probes.words("tooltip/name"));
    CHECK(wrong_arithmetic(numbers, result) == "");
  });
}

}  // namespace
}  // namespace tpp::viewer::testing
