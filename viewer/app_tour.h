// The window as a guided tour sees it (viewer/tour.h). For app.cpp and app_tour.cpp alone.
#pragma once

#include <optional>
#include <string>

#include "viewer/app.h"

namespace tpp::viewer {

class App::TourEyes final : public TourWorld {
 public:
  explicit TourEyes(App& app) : app_(app) {}

  /// The part of a probe's rectangle that the window and its panel show; nothing when less than half
  /// of it is seen.
  [[nodiscard]] std::optional<Rect> visible(const std::string& probe) const;

  [[nodiscard]] bool sees(const std::string& probe) const override;
  [[nodiscard]] bool clicked(const std::string& probe) const override;
  [[nodiscard]] bool hovered(const std::string& probe) const override;
  [[nodiscard]] bool panel_shown(const std::string& id) const override;
  [[nodiscard]] Place locked() const override;
  [[nodiscard]] long step() const override;
  [[nodiscard]] bool playing() const override;
  [[nodiscard]] std::string phase() const override;
  [[nodiscard]] std::string option(const std::string& name) const override;
  [[nodiscard]] std::string setting(const std::string& panel) const override;
  [[nodiscard]] std::string showing() const override;
  [[nodiscard]] bool two_runs() const override;
  [[nodiscard]] long times_run(const std::string& command) const override;
  [[nodiscard]] bool busy() const override;
  void act(const TourAct& act) override;
  void let_go() override;

  void begin_frame();
  /// Does the hand still point somewhere?
  [[nodiscard]] bool resting() const { return rest_ > 0; }

 private:
  void point(const TourAct& act);
  void set_defaults();

  App& app_;
  int rest_ = 0;                      // frames until the mouse is given back
  double since_ = 0;                  // the last act
  long until_ = 0;                    // a step that the run goes to
  bool stops_ = false;                // by itself, there
  std::optional<RunOptions> wanted_;  // options that the run is to have
  long leaves_ = 0;                   // the step from which it is to begin anew; 0: it is not
};

}  // namespace tpp::viewer
