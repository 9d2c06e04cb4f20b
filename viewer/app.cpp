// The window's program, frame by frame.
#include "viewer/app.h"

#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <new>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "chapters/02_tape/slots.h"
#include "viewer/app_tour.h"
#include "viewer/compat.h"
#include "viewer/export.h"
#include "viewer/panels/registry.h"
#include "viewer/widgets/arithmetic.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {

constexpr double kToastSeconds = 6;
constexpr int kFramesAfterInput = 3;  // hover is known one frame late, and what follows from it two
constexpr double kTooltipWait = 0.2;  // seconds after the last input until a tooltip may appear

constexpr ImGuiWindowFlags kOverlay = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                      ImGuiWindowFlags_NoSavedSettings |
                                      ImGuiWindowFlags_NoFocusOnAppearing;

}  // namespace

/// What panels are given to send commands with. A refusal to play must not unwind through half-drawn
/// windows: it becomes a toast. A refusal to restart goes to the panel that asked.
class App::Guard final : public RunControl {
 public:
  Guard(App& app, RunThread& run) : app_(app), run_(run) {}

  void play() override {
    app_.attempt([&] {
      if (app_.plan_) {  // B begins on the way
        run_.play_until(app_.plan_->step);
      } else {
        run_.play();
      }
    });
    app_.plan_plays_ = true;
  }
  void pause() override {
    app_.plan_plays_ = false;
    run_.pause();
  }
  void step() override {
    app_.attempt([&] { run_.step(); });
  }
  void step_phase() override {
    app_.attempt([&] { run_.step_phase(); });
  }
  void reset() override { run_.reset(); }
  void restart(const RunOptions& options) override {
    try {
      if (app_.compare() == Compare::a) {
        run_.restart(options);
      } else {  // what is shown is what is changed
        run_.fork(swaps_between(app_.frame_->options, options), run_.forked_at(), {}, true);
      }
    } catch (const std::bad_alloc&) {
      throw InputError("There is not enough memory for this model: choose smaller sizes.");
    }
  }
  void seek(long step) override { run_.seek(step); }
  void set_speed(double steps_per_second) override { run_.set_speed(steps_per_second); }
  void set_learning_rate(double peak) override {
    // The knob shows the rate of the run that is shown; A's is what the runs are told
    const double a = app_.frame_ ? app_.frame_->options.learning_rate : 0;
    const double b = app_.frame_b_ ? app_.frame_b_->options.learning_rate : a;
    const bool of_b = app_.compare() == Compare::b && a != b && b > 0;
    run_.set_learning_rate(of_b ? peak * (a / b) : peak);
  }
  void set_prompt(const std::string& prompt) override { run_.set_prompt(prompt); }
  void set_temperature(double temperature) override { run_.set_temperature(temperature); }
  void want(const std::vector<std::string>& taps) override { run_.want(taps); }
  void save(const std::string& path) override { run_.save(path); }
  [[nodiscard]] bool playing() const override { return run_.playing(); }
  [[nodiscard]] double speed() const override { return run_.speed(); }

 private:
  App& app_;
  RunThread& run_;
};

App::App(Backend& backend, RunThread& run, AppConfig config)
    : backend_(backend),
      run_(run),
      config_(std::move(config)),
      guard_(std::make_unique<Guard>(*this, run)),
      theme_(config_.appearance, backend.display_scale() * config_.zoom),
      code_(config_.root),
      reader_(config_.root),
      breaks_(run, config_.load, [&backend] { backend.wake(); }) {
  for (const PanelEntry& entry : panel_table()) panels_.push_back(entry.make());
  add_commands();
  load_tours_and_commands();
  rebuild_fonts();
  if (!theme_.notice().empty()) toast(theme_.notice());
}

App::~App() = default;

// --- Commands --------------------------------------------------------------------------------------

void App::add_commands() {
  const auto add = [this](std::string id, std::string title, std::string group, Shortcut shortcut,
                          std::function<void()> action, bool repeat = false) {
    commands_.add({.id = std::move(id),
                   .title = std::move(title),
                   .group = std::move(group),
                   .shortcut = shortcut,
                   .action = std::move(action),
                   .enabled = {},
                   .repeat = repeat});
  };

  add("transport.play", "Play or pause", "Run", {Key::space}, [this] {
    if (run_.playing()) {
      guard_->pause();
    } else {
      guard_->play();
    }
  });
  add(
      "transport.step", "One step", "Run", {Key::period}, [this] { guard_->step(); }, true);
  add(
      "transport.phase", "One phase of a step", "Run", {Key::comma},
      [this] { guard_->step_phase(); }, true);
  add(
      "transport.back", "One step back", "Run", {.key = Key::comma, .shift = true},
      [this] {
        if (frame_) go_to_step(std::max(frame_->first, scrubbing_.value_or(frame_->step) - 1));
      },
      true);
  add("transport.newest", "To the newest step", "Run", {.key = Key::period, .shift = true}, [this] {
    if (frame_) go_to_step(frame_->frontier);
  });
  add("transport.reset", "Start again at step 0", "Run", {.key = key('R'), .shift = true},
      [this] { guard_->reset(); });
  add("run.save", "Save a checkpoint", "Run", {.key = key('S'), .ctrl = true, .shift = true},
      [this] {
        // What is shown is what is saved
        if (!frame_b_) return guard_->save(export_name("checkpoint", ".safetensors").string());
        if (compare() != Compare::b)
          run_.save(export_name("checkpoint-a", ".safetensors").string(), false);
        if (compare() != Compare::a)
          run_.save(export_name("checkpoint-b", ".safetensors").string(), true);
      });

  add("compare.here", "Fork here: a second run, B, beside this one", "Two runs",
      {.key = key('B'), .shift = true}, [this] { fork(ForkAt::here); });
  add("compare.start", "Fork from the start: A and B from step 0", "Two runs", {},
      [this] { fork(ForkAt::start); });
  add("compare.close", "Close B", "Two runs", {}, [this] { close_fork(); });
  add("compare.next", "Show A, B or B − A", "Two runs", {key('B')}, [this] {
    if (!frame_b_) {
      toast("There is one run. Shift+B forks it: a second one, B, goes beside it in lockstep.");
      return;
    }
    set_compare(static_cast<Compare>((static_cast<int>(compare_) + 1) % 3));
  });
  add("compare.a", "Show A", "Two runs", {}, [this] { set_compare(Compare::a); });
  add("compare.b", "Show B", "Two runs", {}, [this] { set_compare(Compare::b); });
  add("compare.difference", "Show B − A", "Two runs", {},
      [this] { set_compare(Compare::difference); });

  for (tpp::Slot* place : filled_slots()) {
    const StandIn mine{place->name, place->offered, place->label};
    add("mine." + place->name, "Mine or the book's: " + place->label, "Run", {}, [this, mine] {
      if (!frame_) return;
      const bool of_b = compare() == Compare::b;
      const bool takes_out = holds((of_b ? frame_b_ : frame_)->parts, mine);
      if (takes_out) {
        run_.take_out(of_b, {mine});
      } else {
        run_.put_in(of_b, {mine});
      }
      toast(takes_out ? "The book's again: " + mine.place : "In the model: " + mine.label);
    });
  }

  for (const Breakage& what : breakages()) {
    add("break." + what.id, "Break it: " + what.title, "Break it", {},
        [this, &what] { breaks_.ask(what); });
  }
  add("break.mend", "Mend what is broken", "Break it", {}, [this] { breaks_.mend_all(); });

  add("view.theme", "Dark or light", "View", {key('T')},
      [this] { set_appearance(theme_.dark() ? Appearance::light : Appearance::dark); });
  for (int i = 0; i < kPresets; ++i) {
    const auto preset = static_cast<Preset>(i);
    add("view.preset" + std::to_string(i + 1), std::string("Layout: ") + preset_name(preset),
        "View", {key(static_cast<char>('1' + i))}, [this, preset] {
          layout_.set_preset(preset);
          layout_.restore();
        });
  }
  add("view.larger", "Larger", "View", {.key = Key::equal, .ctrl = true},
      [this] { set_zoom(config_.zoom * 1.125f); });
  add("view.smaller", "Smaller", "View", {.key = Key::minus, .ctrl = true},
      [this] { set_zoom(config_.zoom / 1.125f); });
  add("view.normal", "Normal size", "View", {.key = key('0'), .ctrl = true},
      [this] { set_zoom(1); });
  add("view.maximise", "Maximise this panel, or restore", "View", {key('F')}, [this] {
    if (layout_.maximised()) {
      layout_.restore();
    } else if (const Panel* panel = panel_under_mouse()) {
      layout_.maximise(panel->info().slot);
    }
  });
  add("view.explain", "Explain this panel", "View", {key('E')}, [this] {
    const Panel* panel = panel_under_mouse();
    explained_ = panel && explained_ != panel->info().id ? panel->info().id : "";
  });
  add("view.code", "Open the code of the number under the mouse", "View", {Key::enter},
      [this] { open_code(); });
  add("view.palette", "Find a command", "View", {.key = key('K'), .ctrl = true},
      [this] { commands_.open_palette(); });
  add("view.help", "Keys", "View", {Key::f1}, [this] { commands_.toggle_help(); });
  add("view.release", "Close, or let go", "View", {Key::escape}, [this] {
    if (commands_.close_overlays()) return;
    if (guide_->tour() || offering_) {
      offering_ = false;
      leave_tour();
    } else if (!explained_.empty()) {
      explained_.clear();
    } else if (!toasts_.empty()) {
      toasts_.clear();
    } else if (layout_.maximised()) {
      layout_.restore();
    } else {
      selection_.release();
    }
  });
  for (const auto& panel : panels_) {
    const PanelInfo info = panel->info();
    if (is_bar(info.slot)) continue;
    add("panel." + info.id, "Show " + info.title, "Panels", {}, [this, info] {
      bring_forward(info.id);
      if (layout_.maximised()) layout_.maximise(info.slot);
    });
  }

  for (const std::string& folder : reader_.chapters()) {
    add("read." + folder.substr(0, 2), "Read " + reader_.chapter_title(folder), "Book", {},
        [this, folder] { read_chapter(folder); });
  }

  add("export.picture", "Picture of this panel (PNG)", "Files", {key('P')}, [this] {
    const Panel* panel = panel_under_mouse();
    export_picture(panel ? panel->info().id : "");
  });
  add("export.window", "Picture of the window (PNG)", "Files", {.key = key('P'), .shift = true},
      [this] { export_picture(""); });
  add("export.numbers", "Numbers of this panel (CSV)", "Files", {key('C')}, [this] {
    if (const Panel* panel = panel_under_mouse()) {
      export_csv(panel->info().id);
    } else {
      toast("Point at a panel to save its numbers.");
    }
  });
  add("session.save", "Save the session", "Files", {.key = key('S'), .ctrl = true}, [this] {
    if (is_lesson_) {
      toast("This session was made for a lesson: its file is not changed.");
      return;
    }
    if (config_.session.empty()) {
      toast("There is nowhere to save the session: name a file with --session.", true);
      return;
    }
    attempt([&] {
      save_session(config_.session, session());
      toast("Saved the session to " + config_.session.string() + ".");
    });
  });
  add("app.quit", "Quit", "Files", {.key = key('Q'), .ctrl = true},
      [this] { backend_.request_close(); });
}

void App::attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    toast(error.what(), true);
  } catch (const ExportError& error) {
    toast(error.what(), true);
  } catch (const std::bad_alloc&) {
    toast("There is not enough memory for that.", true);
  }
}

void App::toast(std::string sentence, bool error) {
  // The same sentence again moves to the end
  std::erase_if(toasts_, [&](const Toast& t) { return t.text == sentence; });
  if (toasts_.size() >= 4) toasts_.erase(toasts_.begin());
  const double now = clock();
  toasts_.push_back({std::move(sentence), error, error ? -1 : now + kToastSeconds});
}

std::vector<std::string> App::toasts() const {
  std::vector<std::string> texts;
  for (const Toast& t : toasts_) texts.push_back(t.text);
  return texts;
}

// --- Look ------------------------------------------------------------------------------------------

void App::set_appearance(Appearance appearance) {
  config_.appearance = appearance;
  theme_.set_appearance(appearance);
  theme_.apply_style();
}

void App::set_zoom(float zoom) {
  config_.zoom = std::clamp(zoom, 0.5f, 3.0f);
  if (std::abs(config_.zoom - 1) < 0.03f) config_.zoom = 1;
  fonts_are_old_ = true;  // built between two frames
}

void App::rebuild_fonts() {
  theme_.set_scale(backend_.display_scale() * config_.zoom);
  theme_.build_fonts(backend_.size().density);
  backend_.fonts_changed();
  fonts_are_old_ = false;
}

// --- Panels ----------------------------------------------------------------------------------------

std::vector<std::string> App::panel_ids() const {
  std::vector<std::string> ids;
  for (const auto& panel : panels_) ids.push_back(panel->info().id);
  return ids;
}

std::string App::title(const std::string& id) const {
  const Panel* panel = find(id);
  return panel ? panel->info().title : "";
}

std::vector<Panel*> App::panels_in(Slot slot) const {
  std::vector<Panel*> found;
  for (const auto& panel : panels_) {
    if (panel->info().slot == slot && !hidden_.hides(panel->info().id))
      found.push_back(panel.get());
  }
  return found;
}

Panel* App::active_panel(Slot slot) const {
  const std::vector<Panel*> here = panels_in(slot);
  if (here.empty()) return nullptr;
  const auto active = static_cast<std::size_t>(active_[static_cast<std::size_t>(slot)]);
  return here[active < here.size() ? active : 0];
}

Panel* App::find(const std::string& id) const {
  for (const auto& panel : panels_) {
    if (panel->info().id == id) return panel.get();
  }
  return nullptr;
}

Panel* App::panel_under_mouse() const {
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    if (slots_.shown(slot) && slots_[slot].contains(mouse.x, mouse.y)) return active_panel(slot);
  }
  return nullptr;
}

void App::bring_forward(const std::string& id) {
  const Panel* panel = find(id);
  if (!panel) return;
  const Slot slot = panel->info().slot;
  const std::vector<Panel*> here = panels_in(slot);
  const auto at = std::find(here.begin(), here.end(), panel);
  if (at == here.end()) return;  // the session hides it
  active_[static_cast<std::size_t>(slot)] = static_cast<int>(at - here.begin());
  if (is_bar(slot)) return;
  layout_.set_tab(slot);
  if (layout_.preset() == Preset::reading) return;  // it stands beside the text now
  if (!slots_.shown(slot) && !slots_.tabbed) layout_.set_preset(Preset::balanced);
}

std::optional<Rect> App::panel_rect(const std::string& id) const {
  const Panel* panel = find(id);
  if (!panel) return {};
  const Slot slot = panel->info().slot;
  if (!slots_.shown(slot) || active_panel(slot) != panel) return {};
  return slots_[slot];
}

bool App::waiting() const {
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    const Panel* panel = slots_.shown(slot) ? active_panel(slot) : nullptr;
    if (panel && panel->waiting()) return true;
  }
  return false;
}

Image App::picture(const std::string& id) {
  const Image window = backend_.read_pixels();
  if (id.empty()) return window;
  const std::optional<Rect> rect = panel_rect(id);
  return rect ? crop(window, *rect, backend_.size().density) : Image();
}

std::string App::csv(const std::string& id) const {
  std::ostringstream out;
  if (const Panel* panel = find(id)) panel->export_csv(out);
  return out.str();
}

// --- A frame ---------------------------------------------------------------------------------------

ViewContext App::context(const Ui& ui, const Rect& rect) {
  ViewContext context{ui, selection_, commands_, layout_, rect};
  context.a = frame_.get();
  context.b = frame_b_.get();
  context.compare = compare();
  context.history = &history_;
  context.history_b = frame_b_ ? &history_b_ : nullptr;
  context.control = guard_.get();
  context.time = ImGui::GetTime();
  context.breaks = &breaks_;
  context.hidden = &hidden_;
  return context;
}

void App::frame(bool present) {
  if (fonts_are_old_) rebuild_fonts();
  backend_.begin_frame();
  probes_.begin_frame();
  selection_.begin_frame();
  input_seen_ = input_changed();
  take_news();
  forget_impossible_selection();
  commands_.handle_shortcuts();
  code_.begin_frame();

  // Lay out, and ask who is on the screen what they want to see next
  const WindowSize size = backend_.size();
  slots_ = layout_.compute(size.width, size.height, theme_.scale());
  Ui ui{theme_, backend_.textures(), probes_, hover_, &code_};
  std::set<std::string> wanted;
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    Panel* panel = slots_.shown(slot) ? active_panel(slot) : nullptr;
    if (!panel) continue;
    ViewContext seen = context(ui, slots_[slot]);
    for (std::string& name : panel->taps(seen)) wanted.insert(std::move(name));
    panel->update(seen);
  }
  for (std::string& name : breaks_.taps(frame_.get())) wanted.insert(std::move(name));
  run_.want({wanted.begin(), wanted.end()});

  redraw_at_ = 0;
  draw_background(ui);
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    if (slots_.shown(slot)) draw_slot(ui, slot, slots_[slot]);
  }
  draw_splitters(ui, layout_, slots_);
  draw_narrow_tabs(ui, layout_, slots_);
  draw_explanation(ui);
  draw_toasts(ui);
  draw_tour(ui);
  commands_.draw(ui);

  backend_.end_frame(present);
  ++frames_;
  if (present) write_exports();
}

void App::redraw_by(double time) {
  if (redraw_at_ == 0 || time < redraw_at_) redraw_at_ = time;
}

void App::take_news() {
  const bool played = frame_ && frame_->playing;
  const FramePair pair = run_.frames();
  frame_ = pair.a;
  frame_b_ = pair.b;
  if (frame_ && frame_->playing && !played) forget_step();  // the curves follow again
  follow_plan();
  run_.drain(history_);
  run_.drain_b(history_b_);
  for (std::string& sentence : run_.take_notices()) toast(std::move(sentence));
  breaks_.update(frame_.get(), frame_b_.get(), history_, history_b_);
  for (const BreakWish& wish : breaks_.take_wishes()) grant(wish);
  // The transport bar tells why a run has stopped; toasts about it go when that is mended
  const std::string error = frame_ ? frame_->error : "";
  if (error != told_error_)
    std::erase_if(toasts_, [&](const Toast& t) { return t.text == told_error_; });
  told_error_ = error;
}

void App::forget_impossible_selection() {
  if (!frame_) return;
  // After a restart there may be fewer layers, heads or tokens than what was locked
  const Frame& frame = compare() == Compare::b ? *frame_b_ : *frame_;
  const ModelConfig& c = frame.config;
  const auto beyond = [](const std::optional<int>& index, Index count) {
    return index && (*index < 0 || *index >= count);
  };
  const Place locked = selection_.locked();
  Place kept = locked;
  if (beyond(kept.layer, c.layers)) kept.layer.reset();
  if (beyond(kept.head, c.H)) kept.head.reset();
  if (beyond(kept.query, c.T)) kept.query.reset();
  if (beyond(kept.key, c.T)) kept.key.reset();
  if (beyond(kept.pair, c.K() / 2)) kept.pair.reset();
  if (kept.parameter &&
      std::none_of(frame.parameters.begin(), frame.parameters.end(),
                   [&](const ParameterInfo& info) { return info.name == *kept.parameter; })) {
    kept.parameter.reset();
  }
  if (kept == locked) return;
  selection_.release();
  selection_.set(kept);
}

bool App::input_changed() {
  const ImGuiIO& io = ImGui::GetIO();
  float keys = 0;
  for (int i = 0; i < IM_ARRAYSIZE(io.MouseDown); ++i) keys = keys * 2 + (io.MouseDown[i] ? 1 : 0);
  const std::array<float, 8> now{io.MousePos.x,
                                 io.MousePos.y,
                                 keys,
                                 io.MouseWheel,
                                 io.MouseWheelH,
                                 io.DisplaySize.x,
                                 io.DisplaySize.y,
                                 float(io.InputQueueCharacters.Size)};
  const bool changed = now != last_input_;
  last_input_ = now;
  return changed || io.WantTextInput;
}

void App::draw_slot(Ui& ui, Slot slot, const Rect& rect) {
  if (slot == Slot::reader) return draw_reader(ui, rect);
  const std::vector<Panel*> here = panels_in(slot);
  if (slot == Slot::time_strip && here.empty() && !hidden_.hides("time"))
    return draw_time(ui, rect);
  if (here.empty() && !is_bar(slot)) return;  // the session hides what was here
  if (is_bar(slot)) {
    const Rect content = begin_bar(ui, slot, rect);
    if (!here.empty()) {
      ViewContext seen = context(ui, content);
      here.front()->draw(seen);
    }
    end_bar();
    return;
  }

  std::vector<SlotTab> tabs;
  for (const Panel* panel : here) {
    const PanelInfo& info = panel->info();
    tabs.push_back({info.id, info.title, info.chapter});
    if (!frame_b_) continue;
    Compare shows = compare();
    if (shows == Compare::difference && !panel->subtracts()) shows = Compare::a;
    tabs.back().badge = shows == Compare::a ? "A" : shows == Compare::b ? "B" : "B − A";
    tabs.back().badge_colour = shows == Compare::a   ? ui.colours().run_a
                               : shows == Compare::b ? ui.colours().run_b
                                                     : ui.colours().text;
  }
  PanelAction action;
  Panel* panel = active_panel(slot);
  int& active = active_[static_cast<std::size_t>(slot)];
  const Rect content =
      begin_slot(ui, slot, rect, tabs, active, layout_.maximised() == slot, &action);
  if (panel) {
    // A click on another tab takes effect in the next frame, when that panel has computed
    ViewContext seen = context(ui, content);
    panel->draw(seen);
    if (seen.redraw_in > 0) redraw_by(clock() + seen.redraw_in);
  }
  end_slot();
  if (panel) act(*panel, action);
}

void App::act(Panel& panel, const PanelAction& action) {
  const PanelInfo& info = panel.info();
  if (action.maximise) layout_.maximise(info.slot);
  if (action.explain) explained_ = explained_ == info.id ? "" : info.id;
  if (action.png) export_picture(info.id);
  if (action.csv) export_csv(info.id);
  if (action.chapter) {
    read_chapter(info.chapter);
    bring_forward(info.id);
  }
}

void App::draw_reader(Ui& ui, const Rect& rect) {
  // At first the chapter of the panel beside
  if (reader_.file().empty()) {
    const Panel* panel = find(explained_);
    if (!panel) panel = active_panel(Slot::attention);
    if (panel && !panel->info().chapter.empty()) reader_.open_chapter(panel->info().chapter);
    if (reader_.file().empty()) reader_.open("README.md");
  }
  int active = 0;
  PanelAction action;
  begin_slot(ui, Slot::reader, rect, {{"reader", "Reader", ""}}, active,
             layout_.maximised() == Slot::reader, &action);
  const ReaderWish wish = reader_.draw(ui);
  end_slot();
  if (action.maximise) layout_.maximise(Slot::reader);
  grant(wish);
}

/// A chapter, and beside it the panel that shows what it speaks of.
void App::read_chapter(const std::string& folder) {
  reader_.open_chapter(folder);
  layout_.restore();
  if (layout_.preset() != Preset::reading) layout_.set_preset(Preset::reading);
  for (const auto& panel : panels_) {
    if (panel->info().chapter == folder) return bring_forward(panel->info().id);
  }
  // Chapters whose subject is seen in another chapter's panel
  constexpr std::pair<std::string_view, const char*> kSeenIn[] = {
      {"05", "samples"},      {"07", "rope"},      {"08", "norms"},       {"09", "architecture"},
      {"14", "architecture"}, {"15", "attention"}, {"31", "architecture"}};
  for (const auto& [number, id] : kSeenIn) {
    if (folder.starts_with(number)) bring_forward(id);
  }
}

/// Where the number under the mouse is computed, in the reader beside its panel.
void App::open_code() {
  const CodePlace place = code_.shown();
  const Panel* panel = panel_under_mouse();
  if (place.file.empty()) {
    toast("Rest the mouse on a number first: its tooltip names the code.");
    return;
  }
  if (!reader_.open(place.file, place.line > 0 ? "L" + std::to_string(place.line) : "")) {
    toast("The sources are not here: " + place.file + " is not in " + config_.root.string() + ".");
    return;
  }
  layout_.restore();
  if (layout_.preset() != Preset::reading) layout_.set_preset(Preset::reading);
  if (panel) bring_forward(panel->info().id);
}

/// What a link in the text asks for: a panel beside it, a place in the model, another run.
void App::grant(const ReaderWish& wish) {
  if (!wish.problem.empty()) toast(wish.problem, true);
  if (!wish.address.empty()) {
    ImGui::SetClipboardText(wish.address.c_str());
    toast("Copied: " + wish.address);
  }
  if (!wish.tour.empty()) {
    if (!start_tour(wish.tour)) toast("There is no tour called " + wish.tour + ".", true);
    return;
  }
  if (!wish.options.empty()) {
    attempt([&] {
      if (!frame_) return;
      RunOptions options = frame_->options;
      for (const auto& [name, value] : wish.options) set_option(options, name, value);
      if (options == frame_->options) return;
      guard_->restart(options);
      std::string changed;
      for (const auto& [name, value] : wish.options) changed += " " + name + " " + value;
      toast("The run starts again, with" + changed + ".");
    });
  }
  if (!wish.panel.empty()) {
    if (!find(wish.panel)) {
      toast("There is no panel called " + wish.panel + ".", true);
      return;
    }
    layout_.restore();
    bring_forward(wish.panel);
    if (!wish.kernel.empty()) find(wish.panel)->restore(wish.kernel);
  }
  if (wish.place.step) run_.seek(*wish.place.step);
  if (!wish.place.empty()) selection_.set(wish.place);
}

void App::draw_time(Ui& ui, const Rect& rect) {
  const Rect content = begin_bar(ui, Slot::time_strip, rect);
  const long newest = frame_ ? std::max(frame_->frontier, frame_->step) : 0;
  const long now = frame_ ? frame_->step : 0;
  const double first = frame_ ? double(frame_->first) : 0;

  std::vector<StripMark> marks;
  if (frame_) {
    const auto mark = [&](long step, StripMark::Kind kind, const char* label) {
      if (step > frame_->first && step < newest) marks.push_back({double(step), kind, label});
    };
    mark(frame_->options.warmup, StripMark::Kind::event, "warm-up ends");
    mark(frame_->options.steps, StripMark::Kind::event, "the schedule ends");
    for (const long step : frame_->kept) mark(step, StripMark::Kind::keyframe, "kept");
    if (frame_->fork >= 0 && frame_b_) {
      marks.push_back({double(frame_->fork), StripMark::Kind::fork, "B begins here"});
    }
  }
  const bool following = now >= newest;
  const StripHit hit = draw_time_strip(ui, "time", ImVec2(content.w, content.h), first,
                                       std::max(first + 1, double(newest)),
                                       double(scrubbing_.value_or(now)), marks, following);
  if (hit.hovered && !hit.scrubbed && hit.mark < 0 && frame_ && newest > frame_->first &&
      tooltip_ready(ui, "time/" + std::to_string(std::lround(hit.x)))) {
    const double u = (hit.x - first) / (double(newest) - first);
    const bool kept = std::find(frame_->kept.begin(), frame_->kept.end(), std::lround(hit.x)) !=
                      frame_->kept.end();
    draw_tooltip(
        ui,
        explanation_of(
            {.name = "A step of the past",
             .formula = "first + u·(newest − first),  u the place on the strip",
             .numbers = "round(" + whole_number(frame_->first) + " + " + number_text(u, 6) +
                        " · (" + whole_number(newest) + " − " + whole_number(frame_->first) + "))",
             .value = double(std::lround(hit.x)),
             .note = kept ? ", a state that is kept" : ", run again from the kept state before",
             .why = "Click, and the run goes there: its weights, its gradients, its maps.",
             .source = "viewer/run/timeline.cpp: nearest",
             .digits = 0}));
  }
  if (hit.scrubbed) {
    const long step = std::clamp(std::lround(hit.x), long(first), std::max(long(first), newest));
    if (step != scrubbing_.value_or(now)) go_to_step(step);
  } else if (!frame_ || (frame_->travelling_to < 0 && frame_->version != sought_from_)) {
    scrubbing_.reset();  // it is there
  }
  end_bar();
}

/// The run goes to a step of its past, and every panel that knows steps shows that one.
void App::go_to_step(long step) {
  run_.seek(step);
  sought_from_ = frame_ ? frame_->version : 0;
  scrubbing_ = step;
  if (frame_ && step >= frame_->frontier) {
    forget_step();
  } else {
    selection_.set({.step = step});
  }
}

// --- Two runs ----------------------------------------------------------------------------------------

void App::set_compare(Compare compare) { compare_ = compare; }

/// B begins as A is; what is shown then is B, and a switch changes it.
void App::fork(ForkAt at) {
  if (!frame_) return;
  attempt([&] {
    run_.fork({}, at);
    forget_step();
    compare_ = Compare::b;
    toast(at == ForkAt::here
              ? "B begins here, as A is. Now change something: a switch of the architecture is B's "
                "while B is shown. The key B shows A, B or B − A."
              : "A and B begin again at step 0. Now change something: a switch of the architecture "
                "is B's while B is shown. The key B shows A, B or B − A.");
  });
}

void App::play() { guard_->play(); }

void App::plan_fork(ForkPlan plan) {
  if (!frame_) frame_ = run_.frame();
  if (frame_) (void)with_swaps(frame_->options, plan.swaps);
  plan_ = std::move(plan);
}

/// Go on to the step of the fork, and from there with two.
void App::follow_plan() {
  if (!plan_ || !frame_ || frame_->travelling_to >= 0) return;
  const ForkPlan plan = *plan_;
  if (frame_->step > plan.step) {
    plan_.reset();
    toast("B was to begin at step " + std::to_string(plan.step) +
          ", but A is further than that. Shift+B forks here.");
  } else if (frame_->step == plan.step && !frame_->playing && frame_->phase == Phase::update) {
    plan_.reset();
    attempt([&] {
      run_.fork(plan.swaps, plan.step == 0 ? ForkAt::start : ForkAt::here);
      if (plan_plays_) run_.play();
    });
  }
}

/// The damage is to be seen: its panel, its tab, its place.
void App::grant(const BreakWish& wish) {
  if (Panel* panel = find(wish.panel)) {
    if (layout_.maximised()) layout_.restore();
    bring_forward(wish.panel);
    if (!wish.view.empty()) panel->restore(wish.view);
  }
  if (!wish.place.empty()) selection_.set(wish.place);
  if (wish.show_b) set_compare(Compare::b);
  if (!wish.toast.empty()) toast(wish.toast, wish.error);
}

void App::close_fork() {
  plan_.reset();
  run_.close_fork();
  compare_ = Compare::a;
}

void App::forget_step() {
  Place rest = selection_.locked();
  if (!rest.step) return;
  rest.step.reset();
  selection_.release();
  selection_.set(rest);
}

void App::draw_explanation(Ui& ui) {
  const Panel* panel = explained_.empty() ? nullptr : find(explained_);
  if (!panel || layout_.preset() == Preset::reading) return;
  const Theme& t = theme_;
  const WindowSize size = backend_.size();
  const Rect over = panel_rect(explained_).value_or(Rect{0, 0, size.width, size.height});
  const float width = std::min(t.px(460), size.width - t.px(32));

  // Beside the panel, so that both can be seen; over it where there is no room
  float x = over.x - width - t.px(8);
  if (x < 0) x = over.right() + t.px(8);
  if (x + width > size.width) x = std::max(0.0f, over.x + (over.w - width) / 2);
  const float room = size.height - explanation_height_ - t.px(8);
  ImGui::SetNextWindowPos(ImVec2(x, std::clamp(over.y + t.px(8), 0.0f, std::max(0.0f, room))));
  ImGui::SetNextWindowSize(ImVec2(width, 0));
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ui.colours().raised);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(t.px(16), t.px(16)));
  if (ImGui::Begin("explanation", nullptr, kOverlay)) {
    {
      const FontScope title(t, Font::title);
      ImGui::TextUnformatted(panel->info().title.c_str());
    }
    ImGui::Spacing();
    ImGui::PushTextWrapPos(0);
    ImGui::TextUnformatted(panel->explain().c_str());
    ImGui::PopTextWrapPos();
    ImGui::Spacing();
    ImGui::PushStyleColor(ImGuiCol_Button, ui.colours().panel);
    if (ImGui::Button("Close")) explained_.clear();
    ImGui::PopStyleColor();
    ui.probe("explanation/close");
    const ImVec2 at = ImGui::GetWindowPos(), extent = ImGui::GetWindowSize();
    explanation_height_ = extent.y;
    probes_.record("explanation", {at.x, at.y, extent.x, extent.y});
  }
  ImGui::End();
  ImGui::PopStyleVar();
  ImGui::PopStyleColor();
}

void App::draw_toasts(Ui& ui) {
  const double now = clock();
  std::erase_if(toasts_, [&](const Toast& t) { return t.until > 0 && now >= t.until; });
  for (const Toast& t : toasts_) {
    if (t.until > 0) redraw_by(t.until);
  }

  // From the bottom upwards, the newest lowest
  const Theme& t = theme_;
  const Palette& p = ui.colours();
  const WindowSize size = backend_.size();
  const float width = std::min(t.px(560), size.width - t.px(32));
  float bottom = size.height - t.px(88);
  int clicked = -1;
  for (int i = static_cast<int>(toasts_.size()) - 1; i >= 0; --i) {
    const Toast& toast = toasts_[static_cast<std::size_t>(i)];
    const std::string name = "toast/" + std::to_string(i);
    const float text_width = width - t.px(36);
    const ImVec2 text = ImGui::CalcTextSize(toast.text.c_str(), nullptr, false, text_width);
    const float height = text.y + t.px(20);
    const ImVec2 at((size.width - width) / 2, bottom - height);
    ImGui::SetNextWindowPos(at);
    ImGui::SetNextWindowSize(ImVec2(width, height));
    ImGui::PushStyleColor(ImGuiCol_WindowBg, p.raised);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
    ImGui::Begin(name.c_str(), nullptr, kOverlay);
    if (ImGui::InvisibleButton("dismiss", ImVec2(width, height))) clicked = i;
    ui.probe(name);
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddRectFilled(at, ImVec2(at.x + t.px(4), at.y + height),
                        toast.error ? p.error : p.accent);
    list->AddText(ImGui::GetFont(), ImGui::GetFontSize(), ImVec2(at.x + t.px(18), at.y + t.px(10)),
                  p.text, toast.text.c_str(), nullptr, text_width);
    ImGui::End();
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
    bottom -= height + t.px(8);
  }
  if (clicked >= 0) toasts_.erase(toasts_.begin() + clicked);
}

// --- Files -------------------------------------------------------------------------------------------

std::filesystem::path App::export_name(const std::string& what, const char* suffix) const {
  char step[16];
  std::snprintf(step, sizeof step, "%06ld", frame_ ? frame_->step : 0L);
  std::error_code ignored;  // writing says it better
  std::filesystem::create_directories(config_.out, ignored);
  return free_name(config_.out / (what + "-" + step + suffix));
}

void App::export_picture(const std::string& id) { wanted_pictures_.push_back(id); }

void App::write_exports() {
  for (const std::string& id : std::exchange(wanted_pictures_, {})) {
    attempt([&] {
      const auto path = export_name(id.empty() ? "window" : id, ".png");
      write_png(path, picture(id));
      toast("Saved a picture to " + path.string() + ".");
    });
  }
}

void App::export_csv(const std::string& id) {
  const Panel* panel = find(id);
  if (!panel) return;
  const std::string text = csv(id);
  if (text.empty()) {
    toast("The panel " + panel->info().title + " has no numbers to save now.");
    return;
  }
  attempt([&] {
    const auto path = export_name(id, ".csv");
    write_file(path, [&](std::ostream& out) { out << text; });
    toast("Saved the numbers to " + path.string() + ".");
  });
}

// --- Session -----------------------------------------------------------------------------------------

Session App::session() const {
  Session s;
  if (frame_) s.options = frame_->options;
  if (frame_ && frame_b_) {
    s.fork = {swaps_between(frame_->options, frame_b_->options), frame_->fork};
  } else {
    s.fork = plan_;
  }
  s.compare = compare_;
  s.appearance = theme_.appearance();
  s.zoom = config_.zoom;
  s.layout = layout_.serialise();
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    if (panels_in(slot).size() > 1) s.tabs[slot_name(slot)] = active_panel(slot)->info().id;
  }
  s.selected = selection_.locked();
  s.speed = run_.speed();
  for (const auto& panel : panels_) {
    if (std::string settings = panel->settings(); !settings.empty()) {
      s.panels[panel->info().id] = std::move(settings);
    }
  }
  if (std::string place = reader_.settings(); !place.empty()) s.panels["reader"] = std::move(place);
  if (std::string places = guide_->settings(); !places.empty())
    s.panels["tour"] = std::move(places);
  return s;
}

void App::apply(const Session& session) {
  is_lesson_ = session.is_lesson();
  hidden_.patterns = session.hidden;
  const auto hides = [this](std::string_view id) {
    constexpr std::string_view kPanel = "panel.";  // the command that shows one
    return hidden_.hides(id) || (id.starts_with(kPanel) && hidden_.hides(id.substr(kPanel.size())));
  };
  commands_.hide(hides, [this](const Command& c) { toast(c.title + ": hidden by this session."); });
  set_appearance(session.appearance);
  set_zoom(session.zoom);
  layout_.parse(session.layout);
  for (const auto& [slot, id] : session.tabs) {
    const Panel* panel = find(id);
    if (!panel || slot_name(panel->info().slot) != slot) continue;
    const std::vector<Panel*> here = panels_in(panel->info().slot);
    active_[static_cast<std::size_t>(panel->info().slot)] =
        static_cast<int>(std::find(here.begin(), here.end(), panel) - here.begin());
  }
  selection_.release();
  selection_.set(session.selected);
  set_compare(session.compare);
  if (session.speed > 0) run_.set_speed(session.speed);
  for (const auto& [id, settings] : session.panels) {
    if (Panel* panel = find(id)) panel->restore(settings);
    if (id == "reader") reader_.restore(settings);
    if (id == "tour") guide_->restore(settings);
  }
  if (!session.ask.empty()) breaks_.set_asks(session.ask, config_.out / "predictions.csv");
}

// --- The loop ----------------------------------------------------------------------------------------

void App::loop(long frames, const std::function<bool()>& stop) {
  int pending = kFramesAfterInput;
  double tooltip_at = 0;
  const long first = frames_;
  while (!backend_.should_close() && (frames < 0 || frames_ - first < frames) &&
         !(stop && stop())) {
    if (pending == 0 && run_.frame() == frame_) {
      // Sleep until input, a publication, or the moment when something changes by itself
      double until = clock() + 1;
      if (redraw_at_ > 0) until = std::min(until, redraw_at_);
      if (tooltip_at > 0) until = std::min(until, tooltip_at);
      if (!backend_.input_pending()) backend_.wait_events(std::max(until - clock(), 0.001));

      const bool published = run_.frame() != frame_;
      const bool early = clock() < until || backend_.input_pending();
      const bool due =
          (redraw_at_ > 0 && clock() >= redraw_at_) || (tooltip_at > 0 && clock() >= tooltip_at);
      if (!published && !early && !due) continue;
      if (!published && early) pending = kFramesAfterInput;
      if (due) tooltip_at = 0;
    }
    frame();
    pending = std::max(0, pending - 1);
    if (input_seen_) {
      pending = kFramesAfterInput;
      tooltip_at = clock() + kTooltipWait;
    }
  }
}

double App::clock() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

}  // namespace tpp::viewer
