// A matrix as a picture: one texel a cell, one textured rectangle a frame, whatever the size.
// set() computes colours when the data changed; draw() uploads once and handles the mouse.
#pragma once

#include <imgui.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "viewer/colormap.h"
#include "viewer/ui.h"
#include "viewer/widgets/matrix_view.h"

namespace tpp::viewer {

struct HeatmapStyle {
  Colormap map = Colormap::viridis;
  RangePolicy policy = RangePolicy::fixed;
  ValueRange fixed{0, 1};  // for RangePolicy::fixed
  bool symmetric = false;  // −m … m: always for Colormap::signed_

  bool operator==(const HeatmapStyle& o) const {
    return map == o.map && policy == o.policy && fixed.lo == o.fixed.lo && fixed.hi == o.fixed.hi &&
           symmetric == o.symmetric;
  }
};

struct HeatmapOptions {
  ImVec2 size{0, 0};      // window units, labels included; 0 fills what is left
  bool square = false;    // cells as high as wide
  bool zoomable = false;  // wheel zooms, drag pans, double click shows all
  bool border = true;
  std::span<const std::string> row_labels = {},
                               col_labels = {};  // tokens; drawn as far as they fit
  std::string row_title = {}, col_title = {};    // "query", "key"
  Dim row_dim = Dim::none, col_dim = Dim::none;  // colour of titles and labels
  int mark_row = -1, mark_col = -1;  // highlighted from outside: hovered elsewhere, −1 none
  int lock_row = -1, lock_col = -1;  // locked
  bool crosshair = true;             // row and column lines through the hovered cell
};

struct HeatmapHit {
  bool hovered = false;  // the mouse is on a cell: row, col and value are it
  bool clicked = false;
  bool double_clicked = false;
  int row = -1, col = -1;
  float value = 0;
  bool masked = false;
  ImVec2 cell_min{0, 0}, cell_max{0, 0};  // the cell on the screen
  ImVec2 map_min{0, 0}, map_max{0, 0};    // the map without labels, to draw brackets beside
};

/// Statistics over what is not masked.
ValueStats matrix_stats(const MatrixView& matrix, bool percentiles = false);

class Heatmap {
 public:
  /// Take a matrix. `version` is the caller's: while it and the style stay the same, nothing is
  /// done, and little when another version holds the same numbers. Values are copied, so the view may go. No ImGui. Cost: one pass for statistics, one for
  /// colours (about 80 ms for 2048²).
  void set(const MatrixView& matrix, unsigned long version, const HeatmapStyle& style = {});

  /// Forget the data; draw() then says `empty_text`.
  void clear();

  /// Draw at the cursor. `id` is unique in its window; the map's probe is the id itself.
  HeatmapHit draw(Ui& ui, const char* id, const HeatmapOptions& options = {});

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  bool empty() const { return rows_ == 0; }
  float value(int r, int c) const {
    return values_[static_cast<std::size_t>(r) * static_cast<std::size_t>(cols_) +
                   static_cast<std::size_t>(c)];
  }
  const ValueStats& stats() const { return stats_; }
  ValueRange range() const { return range_; }
  const HeatmapStyle& style() const { return style_; }
  const std::vector<Rgba>& texels() const { return texels_; }  // (rows, cols); masked: alpha 0

  std::string empty_text = "No data yet";

 private:
  [[nodiscard]] bool holds(
      const MatrixView& matrix) const;  // of the same size: bit for bit, masks too
  void upload(TextureStore& store, int pool);

  int rows_ = 0, cols_ = 0;
  std::vector<float> values_;        // (rows, cols)
  std::vector<Rgba> texels_;         // (rows, cols)
  std::vector<std::uint32_t> loud_;  // first cells that are NaN or ∞, by index
  ValueStats stats_;
  ValueRange range_;
  HeatmapStyle style_;
  std::optional<unsigned long> version_;

  Texture texture_;
  int pooled_ = 0;     // cells a texel of texture_ stands for, per side
  bool dirty_ = true;  // texels_ are newer than texture_
  Texture hatch_, check_;
  Rgba hatch_colour_ = 0;

  // What is seen, in cells; all when zoom is 1
  double centre_row_ = 0.5, centre_col_ = 0.5, zoom_ = 1;
};

}  // namespace tpp::viewer
