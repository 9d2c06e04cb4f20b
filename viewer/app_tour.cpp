// The window as a guided tour sees it: what is on the screen, what the run does, and a hand.
#include "viewer/app_tour.h"

#include <imgui.h>

#include <algorithm>

#include "chapters/01_tensor/errors.h"
#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::viewer {
namespace {

constexpr int kRest = 45;        // frames for which the hand stays on what it points at
constexpr double kLongest = 20;  // seconds to wait for the run

}  // namespace

std::optional<Rect> App::TourEyes::visible(const std::string& probe) const {
  const std::optional<Rect> rect = app_.probes_.find(probe);
  if (!rect || rect->empty()) return {};
  const WindowSize size = app_.backend_.size();
  Rect room{0, 0, size.width, size.height};
  if (!probe.starts_with("tab/") && app_.find(panel_of_probe(probe))) {
    const std::optional<Rect> panel = app_.panel_rect(panel_of_probe(probe));
    if (!panel) return {};
    room = *panel;
  }
  const float x = std::max(rect->x, room.x), y = std::max(rect->y, room.y);
  const Rect seen{x, y, std::min(rect->right(), room.right()) - x,
                  std::min(rect->bottom(), room.bottom()) - y};
  if (seen.w < 0.5f * rect->w || seen.h < 0.5f * rect->h) return {};
  return seen;
}

bool App::TourEyes::sees(const std::string& probe) const { return visible(probe).has_value(); }

bool App::TourEyes::clicked(const std::string& probe) const {
  const ImGuiIO& io = ImGui::GetIO();
  const std::optional<Rect> rect = visible(probe);
  return rect && io.MouseReleased[0] &&
         rect->contains(io.MouseClickedPos[0].x, io.MouseClickedPos[0].y);
}

bool App::TourEyes::hovered(const std::string& probe) const {
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const std::optional<Rect> rect = visible(probe);
  return rect && rect->contains(mouse.x, mouse.y);
}

bool App::TourEyes::panel_shown(const std::string& id) const {
  if (id == "reader") return app_.slots_.shown(Slot::reader);
  return app_.panel_rect(id).has_value();
}

Place App::TourEyes::locked() const { return app_.selection_.locked(); }

long App::TourEyes::step() const { return app_.frame_ ? app_.frame_->step : 0; }

bool App::TourEyes::playing() const { return app_.run_.playing(); }

std::string App::TourEyes::phase() const {
  if (!app_.frame_) return "";
  switch (app_.frame_->phase) {
    case Phase::forward:
      return "forward";
    case Phase::backward:
      return "backward";
    case Phase::update:
      break;
  }
  return "update";
}

std::string App::TourEyes::option(const std::string& name) const {
  const Frame* shown = app_.compare() == Compare::b ? app_.frame_b_.get() : app_.frame_.get();
  try {
    return shown ? get_option(shown->options, name) : "";
  } catch (const InputError&) {
    return "";
  }
}

std::string App::TourEyes::setting(const std::string& id) const {
  const Panel* panel = app_.find(id);
  return panel ? panel->settings() : "";
}

std::string App::TourEyes::showing() const {
  const Compare now = app_.compare();
  return now == Compare::a ? "a" : now == Compare::b ? "b" : "difference";
}

bool App::TourEyes::two_runs() const { return app_.frame_b_ != nullptr; }

long App::TourEyes::times_run(const std::string& command) const {
  return app_.commands_.times_run(command);
}

bool App::TourEyes::busy() const {
  if (app_.backend_.input_pending() || rest_ > 0) return true;
  if (!app_.frame_ || app_.scrubbing_ || app_.frame_->travelling_to >= 0) return true;
  if (app_.clock() > since_ + kLongest) return false;
  if (leaves_ > 0 && app_.frame_->step >= leaves_) return true;
  const bool on_the_way = until_ > app_.frame_->step;
  if (stops_ ? on_the_way || app_.run_.playing() : on_the_way && app_.run_.playing()) return true;
  return wanted_ && !(app_.frame_->options == *wanted_);
}

void App::TourEyes::let_go() {
  leaves_ = until_ = 0;
  stops_ = false;
  wanted_.reset();
}

void App::TourEyes::begin_frame() {
  if (stops_ && step() >= until_ && !app_.run_.playing()) stops_ = false;
  if (rest_ == 0) return;
  // The mouse is the reader's again
  if (--rest_ == 0) app_.backend_.inject({.kind = InputEvent::Kind::release});
}

void App::TourEyes::point(const TourAct& act) {
  const std::optional<Rect> rect = visible(act.name);
  if (!rect) return;
  const auto move = [&](float x, float y) {
    app_.backend_.inject(
        {.kind = InputEvent::Kind::move, .x = rect->x + rect->w * x, .y = rect->y + rect->h * y});
  };
  const auto button = [&](bool down) {
    app_.backend_.inject({.kind = InputEvent::Kind::button, .down = down});
  };
  move(act.x, act.y);
  rest_ = kRest;
  if (act.kind == TourAct::Kind::hover) return;
  // A button changes in a frame of its own, after the mouse has come
  button(false);
  button(true);
  if (act.kind == TourAct::Kind::drag) {
    for (int i = 1; i <= 8; ++i) {
      const float f = float(i) / 8;
      move(act.x + (act.to_x - act.x) * f, act.y + (act.to_y - act.y) * f);
      button(true);
    }
  }
  button(false);
  rest_ = act.kind == TourAct::Kind::click ? 4 : 16;
}

void App::TourEyes::act(const TourAct& act) {
  using Kind = TourAct::Kind;
  let_go();
  since_ = app_.clock();
  const auto play_to = [&](long step) {
    until_ = step;
    stops_ = !app_.run_.playing() && step > this->step();
    if (stops_) {
      app_.attempt([&] { app_.run_.play_until(step); });
    }
  };
  switch (act.kind) {
    case Kind::defaults:
      return set_defaults();
    case Kind::fill:
      app_.layout_.restore();
      if (const Panel* panel = app_.find(act.name); panel && !is_bar(panel->info().slot))
        app_.layout_.maximise(panel->info().slot);
      return;
    case Kind::show:
      app_.layout_.restore();
      if (act.name == "reader") {
        app_.layout_.set_preset(Preset::reading);
      } else {
        app_.bring_forward(act.name);
      }
      return;
    case Kind::run:
      if (act.name == "transport.reset" || act.name == "compare.start") leaves_ = step();
      (void)app_.commands_.run(act.name);
      return;
    case Kind::release:
      app_.selection_.release();
      return;
    case Kind::link: {
      const ReaderWish wish = viewer_link(act.name, act.value);
      if (app_.frame_ && !wish.options.empty() && app_.compare() == Compare::a) {
        app_.attempt([&] {
          RunOptions options = app_.frame_->options;
          for (const auto& [name, value] : wish.options) set_option(options, name, value);
          wanted_ = options;
        });
      }
      app_.grant(wish);
      return;
    }
    case Kind::click:
    case Kind::hover:
    case Kind::drag:
      point(act);
      return;
    case Kind::set:
      if (Panel* panel = app_.find(act.name)) panel->restore(act.value);
      return;
    case Kind::play:
      app_.attempt([&] { app_.run_.play(); });
      return;
    case Kind::pause:
      app_.run_.pause();
      return;
    case Kind::phase:
      app_.attempt([&] { app_.run_.step_phase(); });
      return;
    case Kind::steps:
      play_to(step() + act.number);
      return;
    case Kind::until:
      play_to(act.number);
      return;
    case Kind::go:
      app_.go_to_step(act.number);
      return;
  }
}

/// The parts and the rate with which the program starts, in one run: what tours speak of.
void App::TourEyes::set_defaults() {
  if (!app_.frame_) return;
  if (app_.run_.forked()) app_.close_fork();
  const RunOptions start;
  RunOptions options = app_.frame_->options;
  for (const OptionInfo& info : option_table()) {
    if (info.group == OptionInfo::Group::parts)
      set_option(options, info.name, get_option(start, info.name));
  }
  const bool restarts = !(options == app_.frame_->options);
  options.learning_rate = start.learning_rate;
  if (!restarts && app_.frame_->options == options) return;
  wanted_ = options;
  app_.attempt([&] {
    if (!restarts) return app_.run_.set_learning_rate(options.learning_rate);
    app_.run_.restart(options);
    app_.toast("The run starts again, with the parts of the default model.");
  });
}

// --- The application's part ------------------------------------------------------------------------

void App::load_tours_and_commands() {
  std::vector<std::string> problems;
  guide_ = std::make_unique<TourGuide>(load_tours(config_.root, problems));
  tour_eyes_ = std::make_unique<TourEyes>(*this);
  for (std::string& problem : problems) toast(std::move(problem), true);
  for (const Tour& tour : guide_->tours()) {
    commands_.add({.id = "tour." + tour.id,
                   .title = "Tour: " + tour.title,
                   .group = "Tours",
                   .action = [this, id = tour.id] { (void)start_tour(id); }});
  }
}

bool App::start_tour(const std::string& id) {
  if (!guide_->find(id)) return false;
  leave_tour();
  offering_ = false;
  // Beside the text there is room for one panel, and tours speak of several
  if (layout_.preset() == Preset::reading) {
    layout_before_tour_ = layout_.serialise();
    layout_.set_preset(Preset::balanced);
  }
  layout_.restore();
  return guide_->start(id, *tour_eyes_, clock());
}

void App::leave_tour() {
  if (guide_->alone()) layout_.restore();
  guide_->close();
  after_tour();
}

/// The reader stands open again, if it did.
void App::after_tour() {
  if (guide_->tour() || layout_before_tour_.empty()) return;
  (void)layout_.parse(std::exchange(layout_before_tour_, {}));
}

void App::offer_tour() { offering_ = guide_->find("window") != nullptr; }

void App::draw_tour(Ui& ui) {
  const WindowSize size = backend_.size();
  const Rect window{0, 0, size.width, size.height};
  tour_eyes_->begin_frame();
  bool changed = tour_eyes_->resting();
  if (offering_ && !guide_->tour() && !commands_.palette_open() && !commands_.help_open()) {
    const int answer = tour_view_.draw_offer(ui, *guide_->find("window"), window);
    if (answer != 0) offering_ = false;
    if (answer > 0) (void)start_tour("window");
    changed = changed || answer != 0;
  }
  if (guide_->tour()) {
    changed = guide_->update(*tour_eyes_, clock()) || changed;
    // The list of commands and the page of keys stand in front of everything
    if (!commands_.palette_open() && !commands_.help_open()) {
      TourScene scene;
      scene.window = window;
      scene.find = [this](const std::string& probe) { return tour_eyes_->visible(probe); };
      // Also where a panel will stand that is behind another now
      scene.panel_rect = [this](const std::string& id) -> std::optional<Rect> {
        const Panel* panel = find(id);
        if (!panel || !slots_.shown(panel->info().slot)) return {};
        return slots_[panel->info().slot];
      };
      scene.panel_title = [this](const std::string& id) { return title(id); };
      scene.now = clock();
      changed = tour_view_.draw(ui, *guide_, *tour_eyes_, scene) || changed;
      if (const std::string wish = tour_view_.take_wish(); !wish.empty()) (void)start_tour(wish);
    }
    if (const double at = guide_->hint_at(); at > 0) {
      redraw_at_ = redraw_at_ > 0 ? std::min(redraw_at_, at) : at;
    }
    after_tour();
  }
  if (changed) input_seen_ = true;  // what follows from it is drawn too
}

}  // namespace tpp::viewer
