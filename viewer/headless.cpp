// Train, then write pictures, numbers, a text and a checkpoint.
#include "viewer/headless.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <ostream>
#include <thread>

#include "chapters/01_tensor/errors.h"
#include "tools/cli/progress.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/script.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) {
    throw InputError("The folder " + folder.string() + " cannot be made" +
                     (error ? " (" + error.message() + ")" : "") + ": name another with --out.");
  }
}

/// Wait for the step, telling how it goes. The last frame is of a run that rests.
std::shared_ptr<const Frame> train(RunThread& run, long last_step, History& history) {
  const auto resting = [](const Frame& f) { return !f.playing; };
  auto frame = run.wait_for([](const Frame&) { return true; }, 600);
  if (!frame) throw InputError("The run did not start within ten minutes.");
  const long first = frame->step;
  if (last_step <= first) return frame;

  // The bar's speed is that of the whole run so far
  ProgressBar bar;
  Progress progress{
      .first = first, .last = last_step, .loss = NAN, .validation = NAN, .seconds_left = NAN};
  const auto start = std::chrono::steady_clock::now();
  std::size_t seen = 0;
  run.play_until(last_step);
  bool stopping = false;
  while (true) {
    const auto done = run.wait_for(
        [&](const Frame& f) {
          return resting(f) && (f.step >= last_step || stopping || !f.error.empty());
        },
        0.1);
    run.drain(history);
    for (; seen < history.steps.size(); ++seen) {
      const StepScalars& s = history.steps[seen];
      progress.loss = std::isfinite(progress.loss) ? 0.95 * progress.loss + 0.05 * double(s.loss)
                                                   : double(s.loss);
      if (std::isfinite(s.validation)) progress.validation = double(s.validation);
      progress.step = s.step;
    }
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto steps = double(progress.step - first);
    if (frame) {
      progress.tokens_per_second =
          steps * double(frame->options.batch) * double(frame->config.T) / std::max(elapsed, 1e-9);
    }
    progress.seconds_left = steps > 0 ? elapsed / steps * double(last_step - progress.step) : NAN;
    if (done) {
      bar.finish(progress);
      return done;
    }
    if (progress.step > first) bar.show(progress);
    if (interrupted() && !std::exchange(stopping, true)) run.pause();
  }
}

void save_checkpoint_and_wait(RunThread& run, const fs::path& path, bool of_b = false) {
  (void)run.take_notices();
  run.save(path.string(), of_b);
  while (true) {
    for (const std::string& notice : run.take_notices()) {
      if (notice.find("Saved step") == 0) return;
      throw InputError(notice);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Frames until the panels have what they asked for.
void settle(App& app, RunThread& run) {
  for (int calm = 0, frames = 0; calm < 4 && frames < 400; ++frames) {
    const auto before = run.frame();
    app.frame(false);
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    const bool still = run.answered() && run.frame() == before && before == app.shown();
    calm = still && !app.waiting() ? calm + 1 : 0;
    if (app.waiting()) frames = std::min(frames, 200);  // a recording comes, or says why not
  }
}

}  // namespace

void write_scalars(std::ostream& out, const History& history) {
  out << "step,loss,validation,learning_rate,gradient_norm,clip_scale,tokens_per_second\n";
  char line[256];
  for (const StepScalars& s : history.steps) {
    char validation[32] = "";
    if (!std::isnan(s.validation)) {
      (void)std::snprintf(validation, sizeof validation, "%.9g", double(s.validation));
    }
    (void)std::snprintf(line, sizeof line, "%ld,%.9g,%s,%.9g,%.9g,%.9g,%.6g\n", s.step,
                        double(s.loss), validation, double(s.learning_rate),
                        double(s.gradient_norm), double(s.clip_scale), double(s.tokens_per_second));
    out << line;
  }
}

int run_headless(RunThread& run, const HeadlessConfig& config) {
  // What can be wrong with the folder is found before the training, not after it
  make_folder(config.out);
  make_folder(config.out / "panels");
  write_file(config.out / "scalars.csv", [](std::ostream& out) { write_scalars(out, {}); });
  catch_interrupts();

  History history;
  const auto train_to = [&](long step) { return train(run, step, history); };
  std::shared_ptr<const Frame> frame;
  if (config.fork) {
    frame = train_to(std::min(config.fork->step, config.last_step));
    if (frame->step != config.fork->step && !interrupted() && frame->error.empty()) {
      throw InputError("B was to begin at step " + std::to_string(config.fork->step) +
                       ", and the run is at step " + std::to_string(frame->step) +
                       " then: choose another --fork-at, or other --steps.");
    }
    if (frame->step == config.fork->step) {
      run.fork(config.fork->swaps, config.fork->step == 0 ? ForkAt::start : ForkAt::here);
      while (run.forked() && !run.frames().b) {
        for (const std::string& notice : run.take_notices()) std::cerr << notice << "\n";
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }
  frame = train_to(config.last_step);
  const fs::path checkpoint = config.out / "checkpoint.safetensors",
                 checkpoint_b = config.out / "checkpoint-b.safetensors";
  save_checkpoint_and_wait(run, checkpoint);
  if (run.forked()) save_checkpoint_and_wait(run, checkpoint_b, true);
  write_file(config.out / "scalars.csv", [&](std::ostream& out) { write_scalars(out, history); });
  const auto tell = [](const fs::path& path, const char* what) {
    std::cout << "  " << path.string() << "  " << what << "\n";
  };
  if (interrupted()) {
    std::cout << "Stopped at step " << frame->step << ". Saved:\n";
    tell(checkpoint, "to go on from: --checkpoint");
    tell(config.out / "scalars.csv", "loss and more, a line a step");
    return 130;
  }
  if (!frame->error.empty()) std::cerr << frame->error << "\n";

  // The model goes on writing while the pictures are drawn
  BackendConfig window;
  window.width = config.width;
  window.height = config.height;
  window.scale = config.scale;
  const auto backend = make_null_backend(window);
  AppConfig app_config;
  app_config.out = config.out;
  app_config.root = config.root;
  App app(*backend, run, app_config);
  app.keep(history);
  if (config.session) app.apply(*config.session);
  if (run.forked()) app.set_compare(config.compare);
  if (const auto whole = run.wait_for(
          [&](const Frame& f) { return f.sample_whole && f.sample_step == f.step; }, 120)) {
    frame = whole;
  }
  write_file(config.out / "sample.txt",
             [&](std::ostream& out) { out << frame->sample_prompt << frame->sample_text << "\n"; });
  if (run.forked()) {
    settle(app, run);
    if (const auto& b = app.shown_b()) {
      write_file(config.out / "sample-b.txt",
                 [&](std::ostream& out) { out << b->sample_prompt << b->sample_text << "\n"; });
      write_file(config.out / "scalars-b.csv",
                 [&](std::ostream& out) { write_scalars(out, app.history_b()); });
    }
  }

  std::cout << "Step " << frame->step << ". Written:\n";
  for (const Appearance appearance : {Appearance::light, Appearance::dark}) {
    app.set_appearance(appearance);
    settle(app, run);
    app.frame();
    const bool dark = appearance == Appearance::dark;
    const fs::path path = config.out / (dark ? "window-dark.png" : "window-light.png");
    write_png(path, app.picture());
    tell(path, dark ? "the whole window" : "the same in light colours");
  }
  const auto draw_panel = [&](const std::string& id, const std::string& name, const char* what) {
    app.bring_forward(id);
    for (const Appearance appearance : {Appearance::light, Appearance::dark}) {
      app.set_appearance(appearance);
      settle(app, run);
      app.frame();
      const Image picture = app.picture(id);
      if (picture.pixels.empty()) continue;  // the session's layout does not show it
      const bool dark = appearance == Appearance::dark;
      const fs::path path = config.out / "panels" / (name + (dark ? ".png" : "-light.png"));
      write_png(path, picture);
      if (dark) tell(path, what);
    }
  };
  for (const std::string& id : app.panel_ids()) {
    if (id != "lens") draw_panel(id, id, app.title(id).c_str());  // it needs a cell, below
  }

  // One head large, at a query that has much to look back at
  const auto middle = [](Index count) { return int(count / 2); };
  app.selection().set({.layer = middle(frame->config.layers),
                       .head = middle(frame->config.H),
                       .query = middle(frame->config.T) + middle(frame->config.T) / 2});
  draw_panel("attention", "attention-head", "one head, step by step");
  draw_panel("rope", "rope-head", "and its turning pairs");

  // And one number of its map: where this query looks most
  const Place place = app.selection().locked();
  const std::string probs = "block" + std::to_string(place.layer.value_or(0)) + "/attn/probs";
  if (const TapValue* weights = app.shown() ? app.shown()->tap(probs) : nullptr) {
    const int query = place.query.value_or(0);
    const int row = place.head.value_or(0) * weights->cols + query;
    int key = 0;
    for (int s = 1; s <= query; ++s)
      if ((*weights)(row, s) > (*weights)(row, key)) key = s;
    app.selection().set({.key = key});
  }
  draw_panel("lens", "lens", "and one number of it, taken apart");

  // The book, beside the panel that it speaks of
  if (app.reader().open("chapters/13_rope/README.md", "the-formula")) {
    app.selection().release();
    const Preset preset = app.layout().preset();
    app.layout().set_preset(Preset::reading);
    app.bring_forward("rope");
    settle(app, run);
    app.frame();
    const fs::path path = config.out / "panels" / "reader.png";
    write_png(path, app.picture());
    tell(path, "the book beside the panels");
    app.layout().set_preset(preset);
  }
  tell(config.out / "scalars.csv", "loss and more, a line a step");
  tell(config.out / "sample.txt", "what the model writes now");
  tell(checkpoint, "to go on from: --checkpoint");
  if (run.forked()) {
    tell(config.out / "scalars-b.csv", "the same of B");
    tell(config.out / "sample-b.txt", "what B writes");
    tell(checkpoint_b, "B, to go on from");
  }
  if (!config.script.empty()) {
    app.selection().release();
    Script(*backend, app.probes(), [&app] { app.frame(); }).run(config.script);
  }
  return frame->error.empty() ? 0 : 1;
}

}  // namespace tpp::viewer
