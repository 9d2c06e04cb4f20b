// Lines over steps: drawn from min/max pyramids, one vertical stroke a pixel at most, so the cost
// is the screen's width and not the run's length.
#pragma once

#include <imgui.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "viewer/ui.h"
#include "viewer/widgets/pyramid.h"

namespace tpp::viewer {

enum class LineStyle { solid, dashed, dots };

struct Series {
  std::string name = {};
  const Pyramid* data = nullptr;
  Rgba colour = 0;
  LineStyle style = LineStyle::solid;
  float thickness = 1.5f;  // at 1×
  bool in_range = true;    // takes part in choosing the y range
};

/// A vertical line: something happened at this step.
struct EventMark {
  double x = 0;
  std::string label = {};
  Rgba colour = 0;  // 0: the theme's
};

/// A horizontal dashed line with a label at its right end.
struct Guide {
  double y = 0;
  std::string label = {};
  Rgba colour = 0;
  bool in_range = true;  // keep it in view
};

struct CurveOptions {
  ImVec2 size{0, 0};  // 0 fills what is left
  bool log_y = false;
  std::string x_title = "step", y_title = {};
  std::optional<double> x_min = {}, x_max = {};  // fixed view; otherwise all, then the mouse's
  std::optional<double> y_min = {}, y_max = {};  // otherwise from what is visible
  std::optional<double> cursor = {};             // the selected step: a vertical line
  bool legend = true;
  bool readout = true;      // values at the mouse
  bool show_x_axis = true;  // false for a plot stacked on another with the same x
  int decimals = 3;         // significant digits of the readout
};

struct CurveHit {
  bool hovered = false;
  bool clicked = false;
  double x = 0;  // at the mouse
  double y = 0;
  double view_min = 0, view_max = 0;      // visible x: give it to a stacked plot's x_min, x_max
  ImVec2 plot_min{0, 0}, plot_max{0, 0};  // the plot without numbers and titles
};

class CurvePlot {
 public:
  /// Draw at the cursor. Wheel zooms x about the mouse, drag pans, double click shows all.
  CurveHit draw(Ui& ui, const char* id, std::span<const Series> series,
                const CurveOptions& options = {}, std::span<const EventMark> events = {},
                std::span<const Guide> guides = {});

  /// Show all again.
  void reset_view() { view_.reset(); }
  /// What the wheel left in view; nothing means all.
  std::optional<std::pair<double, double>> view() const { return view_; }
  void set_view(double x0, double x1) { view_ = {x0, x1}; }

 private:
  std::optional<std::pair<double, double>> view_;
  struct Column {
    float x, top, low;
    bool gap;
  };
  std::vector<ImVec2> points_;  // kept for their memory
  std::vector<Column> columns_;
};

/// Round numbers for an axis from lo to hi, about `count` of them; decades when `log`.
std::vector<double> axis_ticks(double lo, double hi, int count, bool log = false);
/// "1.25", "3.0e-4", "12k": short, and the same number of digits for similar numbers.
std::string axis_number(double value, double step = 0);
/// `digits` significant digits, never longer than digits + 6 characters; "NaN", "−∞".
std::string number_text(double value, int digits = 4);

}  // namespace tpp::viewer
