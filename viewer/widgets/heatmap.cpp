// A matrix as a picture.
#include "viewer/widgets/heatmap.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "viewer/compat.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {

constexpr Rgba kLoud = rgba(255, 0, 255), kLoudDark = rgba(120, 0, 120);
constexpr std::size_t kLoudKept = 4096;  // cells that get a check pattern drawn over them

}  // namespace

ValueStats matrix_stats(const MatrixView& m, bool percentiles) {
  if (m.empty()) return {};
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(m.rows) * static_cast<std::size_t>(m.cols));
  std::int64_t masked = 0;
  for (int r = 0; r < m.rows; ++r) {
    for (int c = 0; c < m.cols; ++c) {
      if (m.masked(r, c)) {
        ++masked;
      } else {
        values.push_back(m.at(r, c));
      }
    }
  }
  ValueStats s = value_stats(values, percentiles);
  s.masked = masked;
  return s;
}

void Heatmap::clear() {
  rows_ = cols_ = 0;
  values_.clear();
  texels_.clear();
  loud_.clear();
  stats_ = {};
  version_.reset();
  dirty_ = true;
}

bool Heatmap::holds(const MatrixView& m) const {
  std::size_t i = 0;
  for (int r = 0; r < rows_; ++r) {
    for (int c = 0; c < cols_; ++c, ++i) {
      const bool same =
          std::bit_cast<std::uint32_t>(values_[i]) == std::bit_cast<std::uint32_t>(m.at(r, c));
      if (!same || m.masked(r, c) != (texels_[i] == 0)) return false;
    }
  }
  return true;
}

void Heatmap::set(const MatrixView& m, unsigned long version, const HeatmapStyle& style) {
  if (m.empty()) {
    clear();
    return;
  }
  const bool same_look = version_ && style_ == style && rows_ == m.rows && cols_ == m.cols;
  if (same_look && (version_ == version || holds(m))) {
    version_ = version;
    return;
  }
  rows_ = m.rows;
  cols_ = m.cols;
  style_ = style;
  version_ = version;
  dirty_ = true;

  // Copy the values: the view may be gone when somebody hovers
  const std::size_t n = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(cols_);
  values_.resize(n);
  std::vector<std::uint8_t> masked(n);
  for (int r = 0; r < rows_; ++r) {
    const std::size_t at = static_cast<std::size_t>(r) * static_cast<std::size_t>(cols_);
    for (int c = 0; c < cols_; ++c) {
      values_[at + static_cast<std::size_t>(c)] = m.at(r, c);
      masked[at + static_cast<std::size_t>(c)] = m.masked(r, c) ? 1 : 0;
    }
  }
  stats_ = matrix_stats(m, style.policy == RangePolicy::percentile);
  range_ = choose_range(style.policy, stats_, style.fixed,
                        style.symmetric || style.map == Colormap::signed_);

  // Colour every cell; what is masked stays clear, what is not a number is loud
  const std::array<Rgba, 256>& table = colormap_table(style.map);
  texels_.resize(n);
  loud_.clear();
  for (int r = 0; r < rows_; ++r) {
    const std::size_t at = static_cast<std::size_t>(r) * static_cast<std::size_t>(cols_);
    ValueRange range = range_;
    if (style.policy == RangePolicy::per_row) {
      range = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
      for (std::size_t i = at; i < at + static_cast<std::size_t>(cols_); ++i) {
        if (masked[i] || !std::isfinite(values_[i])) continue;
        range.lo = std::min(range.lo, values_[i]);
        range.hi = std::max(range.hi, values_[i]);
      }
      if (style.symmetric || style.map == Colormap::signed_) {
        const float most = std::max(std::fabs(range.lo), std::fabs(range.hi));
        range = {-most, most};
      }
    }
    for (int c = 0; c < cols_; ++c) {
      const std::size_t i = at + static_cast<std::size_t>(c);
      if (masked[i]) {
        texels_[i] = 0;
      } else if (!std::isfinite(values_[i])) {
        texels_[i] = (r + c) % 2 ? kLoudDark : kLoud;
        if (loud_.size() < kLoudKept) loud_.push_back(static_cast<std::uint32_t>(i));
      } else {
        texels_[i] = table[static_cast<std::size_t>(colormap_index(values_[i], range))];
      }
    }
  }
}

// Send the texels, `pool` × `pool` of them as one when the map is much finer than the screen: the
// cell that stands out most speaks for its block, and a loud one always.
void Heatmap::upload(TextureStore& store, int pool) {
  const int w = (cols_ + pool - 1) / pool, h = (rows_ + pool - 1) / pool;
  if (texture_.width() != w || texture_.height() != h) texture_ = Texture(store, w, h);
  dirty_ = false;
  pooled_ = pool;
  if (pool == 1) {
    texture_.update(texels_.data());
    return;
  }
  const float middle = style_.map == Colormap::signed_ ? 0.0f : range_.lo;
  std::vector<Rgba> out(static_cast<std::size_t>(w) * static_cast<std::size_t>(h));
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      float best = -1;
      Rgba colour = 0;
      for (int r = y * pool; r < std::min(rows_, (y + 1) * pool); ++r) {
        for (int c = x * pool; c < std::min(cols_, (x + 1) * pool); ++c) {
          const std::size_t i = static_cast<std::size_t>(r) * static_cast<std::size_t>(cols_) +
                                static_cast<std::size_t>(c);
          if (texels_[i] == 0) continue;
          const float v = values_[i];
          const float stands_out =
              std::isfinite(v) ? std::fabs(v - middle) : std::numeric_limits<float>::infinity();
          if (stands_out > best) {
            best = stands_out;
            colour = texels_[i];
          }
        }
      }
      out[static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x)] =
          colour;
    }
  }
  texture_.update(out.data());
}

HeatmapHit Heatmap::draw(Ui& ui, const char* id, const HeatmapOptions& o) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  HeatmapHit hit;
  const ImVec2 available = ImGui::GetContentRegionAvail();
  const ImVec2 size(std::max(8.0f, o.size.x > 0 ? o.size.x : available.x),
                    std::max(8.0f, o.size.y > 0 ? o.size.y : available.y));
  const ImVec2 start = ImGui::GetCursorScreenPos();

  // Nothing to show: say so in the same place
  if (empty()) {
    ImGui::Dummy(size);
    ui.probe(id);
    compat::add_rect(list, start, ImVec2(start.x + size.x, start.y + size.y), p.border);
    const FontScope small(t, Font::small);
    const std::string text = elide(empty_text, size.x - t.px(8));
    const ImVec2 extent = ImGui::CalcTextSize(text.c_str());
    list->AddText(ImVec2(std::floor(start.x + (size.x - extent.x) / 2),
                         std::floor(start.y + (size.y - extent.y) / 2)),
                  p.muted, text.c_str());
    return hit;
  }

  // Room for labels: rows at the left, columns below, turned titles are not drawn but written above
  float label_w = 0, label_h = 0, title_h = 0;
  {
    const FontScope mono(t, Font::mono_small);
    for (const std::string& s : o.row_labels) {
      label_w = std::max(label_w, ImGui::CalcTextSize(s.c_str()).x);
    }
    if (label_w > 0) label_w = std::min(label_w, std::max(t.px(24), size.x * 0.2f)) + t.px(6);
    if (!o.col_labels.empty()) label_h = ImGui::GetFontSize() + t.px(4);
  }
  if (!o.row_title.empty() || !o.col_title.empty()) {
    const FontScope small(t, Font::small);
    title_h = ImGui::GetFontSize() + t.px(4);
  }
  ImVec2 map_size(std::max(4.0f, size.x - label_w), std::max(4.0f, size.y - label_h - title_h));
  if (o.square) {
    const float cell =
        std::min(map_size.x / static_cast<float>(cols_), map_size.y / static_cast<float>(rows_));
    map_size = ImVec2(std::max(4.0f, std::floor(cell * static_cast<float>(cols_))),
                      std::max(4.0f, std::floor(cell * static_cast<float>(rows_))));
  }
  const ImVec2 a(std::floor(start.x + label_w), std::floor(start.y + title_h));
  const ImVec2 b(a.x + std::floor(map_size.x), a.y + std::floor(map_size.y));
  hit.map_min = a;
  hit.map_max = b;

  // The map takes the mouse, the whole its place in ImGui's layout
  ImGui::SetCursorScreenPos(a);
  ImGui::InvisibleButton(id, ImVec2(b.x - a.x, b.y - a.y));
  ui.probe(id);
  const bool over = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
  const bool clicked = ImGui::IsItemClicked(0);
  ImGui::SetCursorScreenPos(start);
  ImGui::Dummy(ImVec2(o.square ? label_w + map_size.x : size.x,
                      o.square ? title_h + map_size.y + label_h : size.y));
  const ImGuiIO& io = ImGui::GetIO();

  // What is seen, in cells
  if (!o.zoomable) zoom_ = 1;
  const double whole_w = cols_, whole_h = rows_;
  const auto view = [&](double& x0, double& y0, double& w, double& h) {
    w = whole_w / zoom_;
    h = whole_h / zoom_;
    centre_col_ = std::clamp(centre_col_, w / 2 / whole_w, 1 - w / 2 / whole_w);
    centre_row_ = std::clamp(centre_row_, h / 2 / whole_h, 1 - h / 2 / whole_h);
    x0 = centre_col_ * whole_w - w / 2;
    y0 = centre_row_ * whole_h - h / 2;
  };
  double x0 = 0, y0 = 0, vw = 0, vh = 0;
  view(x0, y0, vw, vh);
  const double map_w = static_cast<double>(b.x - a.x), map_h = static_cast<double>(b.y - a.y);
  if (o.zoomable) {
    const double fx = (static_cast<double>(io.MousePos.x - a.x)) / map_w,
                 fy = (static_cast<double>(io.MousePos.y - a.y)) / map_h;
    if (over && io.MouseWheel != 0) {
      // Keep the cell under the mouse where it is
      const double col = x0 + fx * vw, row = y0 + fy * vh;
      zoom_ = std::clamp(zoom_ * std::pow(1.25, static_cast<double>(io.MouseWheel)), 1.0,
                         std::max(1.0, std::max(whole_w, whole_h) / 4));
      centre_col_ = (col + (0.5 - fx) * whole_w / zoom_) / whole_w;
      centre_row_ = (row + (0.5 - fy) * whole_h / zoom_) / whole_h;
    }
    if (active && ImGui::IsMouseDragging(0)) {
      centre_col_ -= static_cast<double>(io.MouseDelta.x) / map_w / zoom_;
      centre_row_ -= static_cast<double>(io.MouseDelta.y) / map_h / zoom_;
    }
    if (over && ImGui::IsMouseDoubleClicked(0)) {
      zoom_ = 1;
      centre_col_ = centre_row_ = 0.5;
    }
    view(x0, y0, vw, vh);
  }
  const float cell_w = static_cast<float>(map_w / vw), cell_h = static_cast<float>(map_h / vh);
  const auto x_of = [&](double col) { return a.x + static_cast<float>((col - x0) / vw * map_w); };
  const auto y_of = [&](double row) { return a.y + static_cast<float>((row - y0) / vh * map_h); };

  // Two or more cells in a pixel: let the most outstanding of each block be seen
  const double finest = std::min(map_w / vw, map_h / vh);
  int pool = finest > 0.5 ? 1 : static_cast<int>(1 / finest);
  while ((std::max(rows_, cols_) + pool - 1) / pool > ui.textures.max_side()) ++pool;
  if (dirty_ || pooled_ != pool || !texture_) upload(ui.textures, pool);

  // Masked cells show the hatch below; one rectangle, cut by the map itself
  if (!hatch_ || hatch_colour_ != p.hatch) {
    const int n = 8;
    hatch_ = Texture(ui.textures, n, n, Filter::nearest, Wrap::repeat);
    Image tile(n, n);
    for (int y = 0; y < n; ++y) {
      for (int x = 0; x < n; ++x) {
        tile.at(x, y) = (x + y) % n < 2 ? p.hatch : mix(p.panel, p.hatch, 0.25f);
      }
    }
    hatch_.update(tile.pixels.data());
    hatch_colour_ = p.hatch;
  }
  if (stats_.masked > 0) {
    const float tile = 8 * std::max(1.0f, std::round(t.scale()));
    compat::add_image(list, hatch_.handle(), a, b, ImVec2(0, 0),
                      ImVec2((b.x - a.x) / tile, (b.y - a.y) / tile));
  }
  const float texels_w = static_cast<float>(texture_.width() * pooled_),
              texels_h = static_cast<float>(texture_.height() * pooled_);
  compat::add_image(
      list, texture_.handle(), a, b,
      ImVec2(static_cast<float>(x0) / texels_w, static_cast<float>(y0) / texels_h),
      ImVec2(static_cast<float>(x0 + vw) / texels_w, static_cast<float>(y0 + vh) / texels_h));

  // Cells large enough show a check where they are not a number
  list->PushClipRect(a, b, true);
  if (!loud_.empty() && std::min(cell_w, cell_h) >= 4) {
    if (!check_) {
      check_ = Texture(ui.textures, 2, 2, Filter::nearest, Wrap::repeat);
      const std::array<Rgba, 4> tile{kLoud, kLoudDark, kLoudDark, kLoud};
      check_.update(tile.data());
    }
    for (const std::uint32_t i : loud_) {
      const int r = static_cast<int>(i) / cols_, c = static_cast<int>(i) % cols_;
      const ImVec2 ca(x_of(c), y_of(r)), cb(x_of(c + 1), y_of(r + 1));
      if (cb.x < a.x || ca.x > b.x || cb.y < a.y || ca.y > b.y) continue;
      const float check = t.px(8);
      compat::add_image(list, check_.handle(), ca, cb, ImVec2(0, 0),
                        ImVec2((cb.x - ca.x) / check, (cb.y - ca.y) / check));
    }
  }

  // The cell under the mouse
  if (over) {
    const double col = x0 + static_cast<double>(io.MousePos.x - a.x) / map_w * vw;
    const double row = y0 + static_cast<double>(io.MousePos.y - a.y) / map_h * vh;
    hit.col = std::clamp(static_cast<int>(col), 0, cols_ - 1);
    hit.row = std::clamp(static_cast<int>(row), 0, rows_ - 1);
    hit.hovered = true;
    hit.clicked = clicked;
    hit.double_clicked = ImGui::IsMouseDoubleClicked(0);
    hit.value = value(hit.row, hit.col);
    hit.masked = texels_[static_cast<std::size_t>(hit.row) * static_cast<std::size_t>(cols_) +
                         static_cast<std::size_t>(hit.col)] == 0;
    hit.cell_min = ImVec2(x_of(hit.col), y_of(hit.row));
    hit.cell_max = ImVec2(x_of(hit.col + 1), y_of(hit.row + 1));
  }

  // Marks: bands for rows and columns, a frame where they cross. Dark under light, to be seen on
  // any colour.
  const auto frame = [&](ImVec2 ra, ImVec2 rb, Rgba colour) {
    const float one = t.px(1);
    // A cell thinner than a hairline still gets one
    if (rb.x - ra.x < 3 * one) rb.x = ra.x + 3 * one;
    if (rb.y - ra.y < 3 * one) rb.y = ra.y + 3 * one;
    compat::add_rect(list, ImVec2(std::floor(ra.x) - one, std::floor(ra.y) - one),
                     ImVec2(std::floor(rb.x) + one, std::floor(rb.y) + one), rgba(0, 0, 0, 170), 0,
                     one);
    compat::add_rect(list, ImVec2(std::floor(ra.x), std::floor(ra.y)),
                     ImVec2(std::floor(rb.x), std::floor(rb.y)), colour, 0, one);
  };
  const auto mark = [&](int row, int col, Rgba colour) {
    if (row >= rows_) row = -1;
    if (col >= cols_) col = -1;
    if (row >= 0)
      frame(ImVec2(a.x + 1, y_of(row)), ImVec2(b.x - 1, y_of(row + 1)),
            with_alpha(colour, col >= 0 ? 110 : 200));
    if (col >= 0)
      frame(ImVec2(x_of(col), a.y + 1), ImVec2(x_of(col + 1), b.y - 1),
            with_alpha(colour, row >= 0 ? 110 : 200));
    if (row >= 0 && col >= 0) {
      frame(ImVec2(x_of(col), y_of(row)), ImVec2(x_of(col + 1), y_of(row + 1)), colour);
    }
  };
  const Rgba white = rgba(255, 255, 255);
  mark(o.lock_row, o.lock_col, rgba(255, 214, 10));
  if (hit.hovered && o.crosshair) {
    mark(hit.row, hit.col, white);
  } else if (!hit.hovered) {
    mark(o.mark_row, o.mark_col, white);
  }
  list->PopClipRect();
  if (o.border) {
    compat::add_rect(list, ImVec2(a.x - 1, a.y - 1), ImVec2(b.x + 1, b.y + 1), p.border);
  }

  // Titles above: "query ↓" over the row labels' side, "key →" over the map
  if (title_h > 0) {
    const FontScope small(t, Font::small);
    float x = start.x;
    if (!o.row_title.empty()) {
      const std::string text = o.row_title + " ↓";
      list->AddText(ImVec2(x, start.y), o.row_dim == Dim::none ? p.muted : t.dim(o.row_dim),
                    text.c_str());
      x += ImGui::CalcTextSize(text.c_str()).x + t.px(12);
    }
    x = std::max(x, a.x);
    if (!o.col_title.empty()) {
      const std::string text = elide(o.col_title + " →", std::max(1.0f, start.x + size.x - x));
      list->AddText(ImVec2(x, start.y), o.col_dim == Dim::none ? p.muted : t.dim(o.col_dim),
                    text.c_str());
    }
  }

  // Labels, as many as fit without touching; the hovered one always, on a ground of its own
  {
    const FontScope mono(t, Font::mono_small);
    const float line = ImGui::GetFontSize();
    const auto row_label = [&](int r, Rgba colour, bool ground) {
      const std::string text = elide(o.row_labels[static_cast<std::size_t>(r)], label_w - t.px(6));
      const ImVec2 extent = ImGui::CalcTextSize(text.c_str());
      const float middle = (y_of(r) + y_of(r + 1)) / 2;
      if (middle < a.y || middle > b.y) return;
      const ImVec2 at(std::floor(a.x - t.px(5) - extent.x), std::floor(middle - line / 2));
      if (ground) {
        list->AddRectFilled(ImVec2(start.x, at.y - 1), ImVec2(a.x - 2, at.y + line + 1), p.hovered);
      }
      list->AddText(at, colour, text.c_str());
    };
    const auto col_label = [&](int c, float room, Rgba colour, bool ground) {
      const std::string text = elide(o.col_labels[static_cast<std::size_t>(c)], room);
      const ImVec2 extent = ImGui::CalcTextSize(text.c_str());
      const float middle = (x_of(c) + x_of(c + 1)) / 2;
      if (middle < a.x || middle > b.x) return;
      const ImVec2 at(std::floor(std::clamp(middle - extent.x / 2, start.x,
                                            std::max(start.x, start.x + size.x - extent.x))),
                      std::floor(b.y + t.px(3)));
      if (ground) {
        list->AddRectFilled(ImVec2(at.x - t.px(3), at.y - 1),
                            ImVec2(at.x + extent.x + t.px(3), at.y + line + 1), p.hovered);
      }
      list->AddText(at, colour, text.c_str());
    };
    const Rgba row_colour = o.row_dim == Dim::none ? p.muted : t.dim(o.row_dim);
    const Rgba col_colour = o.col_dim == Dim::none ? p.muted : t.dim(o.col_dim);
    const int row_count = std::min<int>(rows_, static_cast<int>(o.row_labels.size()));
    const int col_count = std::min<int>(cols_, static_cast<int>(o.col_labels.size()));
    if (row_count > 0) {
      const int every = std::max(1, static_cast<int>(std::ceil((line + 1) / cell_h)));
      const auto near_mark = [&](int r) {
        for (const int marked : {o.lock_row, o.mark_row, hit.row}) {
          if (marked >= 0 && std::fabs(y_of(marked) - y_of(r)) < line + 1) return true;
        }
        return false;
      };
      for (int r = 0; r < row_count; r += every) {
        if (!near_mark(r)) row_label(r, row_colour, false);
      }
      for (const int r : {o.lock_row, o.mark_row, hit.row}) {
        if (r >= 0 && r < row_count) row_label(r, p.text, true);
      }
    }
    if (col_count > 0) {
      float widest = 0;
      for (int c = 0; c < col_count; ++c) {
        widest = std::max(widest,
                          ImGui::CalcTextSize(o.col_labels[static_cast<std::size_t>(c)].c_str()).x);
      }
      widest = std::min(widest, t.px(56));
      const int every = std::max(1, static_cast<int>(std::ceil((widest + t.px(6)) / cell_w)));
      const float room = static_cast<float>(every) * cell_w - t.px(4);
      const auto half = [&](int c, float most) {
        const float w = ImGui::CalcTextSize(o.col_labels[static_cast<std::size_t>(c)].c_str()).x;
        return std::min(w, most) / 2;
      };
      const auto near_mark = [&](int c) {
        for (const int marked : {o.lock_col, o.mark_col, hit.col}) {
          if (marked < 0 || marked >= col_count) continue;
          const float apart = half(marked, t.px(120)) + half(c, room) + t.px(5);
          if (std::fabs(x_of(marked) - x_of(c)) < apart) return true;
        }
        return false;
      };
      for (int c = 0; c < col_count; c += every) {
        if (!near_mark(c)) col_label(c, room, col_colour, false);
      }
      for (const int c : {o.lock_col, o.mark_col, hit.col}) {
        if (c >= 0 && c < col_count) col_label(c, t.px(120), p.text, true);
      }
    }
  }
  return hit;
}

}  // namespace tpp::viewer
