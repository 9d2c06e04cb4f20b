// A stage for one panel: no window, a mouse by script, pictures as files.
//
//   Stage stage(540, 340);
//   stage.show(panel, &frame);            // taps, update, draw, once
//   stage.script().click("rope/pair/3");  // the mouse; each action draws frames
//   stage.picture("rope_dark.png");       // only when TPP_PICTURES names a folder
#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/panel.h"
#include "viewer/run/frame.h"
#include "viewer/run/run_control.h"
#include "viewer/script.h"
#include "viewer/shell.h"
#include "viewer/view_context.h"

namespace tpp::viewer::testing {

/// Remembers the commands that a panel sends.
struct RecordingControl : RunControl {
  std::vector<std::string> calls;
  std::vector<RunOptions> restarts;
  std::function<void(const RunOptions&)> check;  // may throw InputError, as a real one does
  bool is_playing = false;
  double speed_ = 0;

  void play() override { calls.push_back("play"), is_playing = true; }
  void pause() override { calls.push_back("pause"), is_playing = false; }
  void step() override { calls.push_back("step"); }
  void step_phase() override { calls.push_back("step_phase"); }
  void reset() override { calls.push_back("reset"); }
  void restart(const RunOptions& options) override {
    if (check) check(options);
    calls.push_back("restart");
    restarts.push_back(options);
  }
  void seek(long step) override { calls.push_back("seek " + std::to_string(step)); }
  void set_speed(double s) override { calls.push_back("speed"), speed_ = s; }
  void set_learning_rate(double) override { calls.push_back("learning_rate"); }
  void set_prompt(const std::string& prompt) override { calls.push_back("prompt " + prompt); }
  void set_temperature(double) override { calls.push_back("temperature"); }
  void want(const std::vector<std::string>&) override { calls.push_back("want"); }
  void save(const std::string& path) override { calls.push_back("save " + path); }
  bool playing() const override { return is_playing; }
  double speed() const override { return speed_; }
};

class Stage {
 public:
  Stage(int width, int height, Appearance appearance = Appearance::dark, float scale = 1)
      : theme_(appearance, scale) {
    BackendConfig config;
    config.width = width;
    config.height = height;
    config.scale = scale;
    backend_ = make_null_backend(config);
    theme_.build_fonts();
    backend_->fonts_changed();
    script_ = std::make_unique<Script>(*backend_, probes, [this] { frame(); });
  }

  /// What is shown from now on, then `frames` frames of it.
  void show(Panel& panel, const Frame* a, int frames = 2, const Frame* b = nullptr) {
    panel_ = &panel;
    a_ = a;
    b_ = b;
    for (int i = 0; i < frames; ++i) frame();
  }

  /// One whole frame: input, the panel's arithmetic, its drawing.
  void frame(bool present = false) {
    backend_->begin_frame();
    probes.begin_frame();
    selection.begin_frame();
    if (pressed({.key = Key::escape})) selection.release();
    const WindowSize size = backend_->size();
    Ui ui{theme_, *textures(), probes, hover, code};
    draw_background(ui);
    const PanelInfo& info = panel_->info();
    int active = 0;
    const Rect content = begin_slot(ui, info.slot, {0, 0, size.width, size.height},
                                    {{info.id, info.title, info.chapter}}, active, false);
    ViewContext context{ui, selection, commands, layout,  content, a_,
                        b_, compare,   history,  control, time};
    context.history_b = history_b;
    taps = panel_->taps(context);
    panel_->update(context);
    panel_->draw(context);
    redraw_in = context.redraw_in;
    end_slot();
    vertices = 0;
    backend_->end_frame(present);
    if (const ImDrawData* data = ImGui::GetDrawData()) vertices = data->TotalVtxCount;
    time += 1.0 / 60;
  }

  Script& script() { return *script_; }
  NullBackend& backend() { return *backend_; }
  TextureStore* textures() { return &backend_->textures(); }

  /// Write what is on the stage, if TPP_PICTURES names a folder. Nothing else depends on it.
  void picture(const std::string& name) {
    const char* folder = std::getenv("TPP_PICTURES");
    if (!folder) return;
    frame(true);
    std::filesystem::create_directories(folder);
    write_png(std::filesystem::path(folder) / name, backend_->read_pixels());
  }

  Probes probes;
  HoverClock hover;
  Selection selection;
  Commands commands;
  Layout layout;
  const History* history = nullptr;
  const History* history_b = nullptr;
  RunControl* control = nullptr;
  CodePlaces* code = nullptr;
  Compare compare = Compare::a;
  double time = 0;
  std::vector<std::string> taps;  // what the panel asked for in the last frame
  int vertices = 0;               // of the last frame
  double redraw_in = 0;           // that the panel asked for in it

 private:
  Theme theme_;
  std::unique_ptr<NullBackend> backend_;
  std::unique_ptr<Script> script_;
  Panel* panel_ = nullptr;
  const Frame* a_ = nullptr;
  const Frame* b_ = nullptr;
};

}  // namespace tpp::viewer::testing
