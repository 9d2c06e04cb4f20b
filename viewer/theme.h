// How things look: colours for dark and light, fonts, and the 8-unit grid, all scaled with the
// display. The only place where a colour is written down.
#pragma once

#include <imgui.h>

#include <string>

#include "viewer/image.h"

namespace tpp::viewer {

enum class Appearance { dark, light };

/// Dimensions of tensors. Each has one colour, in formulas, on axes and in code.
enum class Dim { none, time, width, head, pair, vocab };

/// Which of the two runs.
enum class RunId { a, b };

struct Palette {
  // Surfaces
  Rgba window = 0;   // behind the panels
  Rgba panel = 0;    // a panel's ground
  Rgba raised = 0;   // buttons, inputs, tabs, tooltips
  Rgba hovered = 0;  // the same under the mouse
  Rgba pressed = 0;  // the same held down
  Rgba border = 0;   // hairlines around panels
  Rgba grid = 0;     // plot grid lines
  // Text, each at contrast ≥ 4.5 on window, panel and raised
  Rgba text = 0;
  Rgba muted = 0;      // captions, axis numbers, hints
  Rgba accent = 0;     // the selected, the active; also as text
  Rgba on_accent = 0;  // text on an accent-filled button
  Rgba good = 0, warning = 0, error = 0;
  Rgba run_a = 0, run_b = 0;  // Okabe–Ito blue and orange, brightened in dark
  Rgba dim_time = 0, dim_width = 0, dim_head = 0, dim_pair = 0, dim_vocab = 0;
  // Marks
  Rgba hover_mark = 0;  // hovered row, column, cell
  Rgba lock_mark = 0;   // locked ones
  Rgba hatch = 0;       // masked cells
  Rgba event = 0;       // vertical event lines
  Rgba guide = 0;       // horizontal guide lines
};
const Palette& palette(Appearance appearance);

/// Sizes at 1×: body 15, small 13, title 18, mono 13, mono_small 12. The reader draws strong (bold) and
/// formula (with serifs) letters of 18 smaller where it needs them.
enum class Font { body, small, title, strong, formula, mono, mono_small, count };

class Theme {
 public:
  /// `scale` is the display's times the user's (Ctrl +/−).
  explicit Theme(Appearance appearance = Appearance::dark, float scale = 1);

  /// Load fonts into the current ImGui context at this scale and set ImGui's style. Follow it with
  /// Backend::fonts_changed(). Searches TPP_FONT_DIR, then the usual folders, for DejaVu; without
  /// it, ImGui's built-in font is used and notice() says so.
  void build_fonts(float density = 1);

  /// Set ImGui's colours and spacing only. build_fonts does it too.
  void apply_style() const;

  void set_appearance(Appearance appearance);
  void set_scale(float scale) { scale_ = scale; }  // then build_fonts

  Appearance appearance() const { return appearance_; }
  bool dark() const { return appearance_ == Appearance::dark; }
  const Palette& colours() const { return palette(appearance_); }
  float scale() const { return scale_; }
  const std::string& notice() const { return notice_; }  // empty when all is well

  /// Window units for a length given at 1×, on whole units so that hairlines stay sharp.
  float px(float units) const;
  /// Steps of the 8-unit grid: grid(1) is a gap, grid(3) a row of controls.
  float grid(float steps) const { return px(8 * steps); }
  /// The body font's size.
  float em() const { return font_size(Font::body); }
  float font_size(Font font) const;
  ImFont* font(Font font) const { return fonts_[static_cast<int>(font)]; }

  Rgba run(RunId id) const { return id == RunId::a ? colours().run_a : colours().run_b; }
  Rgba dim(Dim dim) const;
  /// Colours for more than two lines in one plot, told apart also by eyes that mix up red and
  /// green.
  Rgba series(int index) const;

 private:
  Appearance appearance_;
  float scale_;
  ImFont* fonts_[static_cast<int>(Font::count)] = {};
  std::string notice_;
};

/// Use a font until the end of the scope: `FontScope mono(theme, Font::mono);`
class FontScope {
 public:
  FontScope(const Theme& theme, Font font);
  ~FontScope() { ImGui::PopFont(); }
  FontScope(const FontScope&) = delete;
  FontScope& operator=(const FontScope&) = delete;
};

/// WCAG 2.1 contrast ratio of two opaque colours, 1 … 21.
double contrast(Rgba a, Rgba b);

/// Straight mix of two colours, t = 0 gives a.
Rgba mix(Rgba a, Rgba b, float t);

}  // namespace tpp::viewer
