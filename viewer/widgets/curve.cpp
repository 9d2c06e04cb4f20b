// Lines over steps.
#include "viewer/widgets/curve.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "viewer/compat.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {

// "1e-05" → "1e−5": short exponents, a true minus.
std::string tidy(std::string text) {
  const std::size_t e = text.find('e');
  if (e != std::string::npos) {
    std::size_t digits = e + 2;
    if (text[e + 1] == '+') text.erase(e + 1, 1), digits = e + 1;
    while (digits + 1 < text.size() && text[digits] == '0') text.erase(digits, 1);
  }
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += "−";
    } else {
      out += c;
    }
  }
  return out;
}

// A line of dashes along a polyline; `offset` carries the dash over from piece to piece.
void add_dashes(ImDrawList* list, ImVec2 a, ImVec2 b, Rgba colour, float thickness, float on,
                float off, float& offset) {
  const float dx = b.x - a.x, dy = b.y - a.y, length = std::sqrt(dx * dx + dy * dy);
  if (!(length > 0)) return;
  const float period = on + off;
  float at = 0;
  while (at < length) {
    const float phase = std::fmod(offset, period);
    const bool drawn = phase < on;
    const float step = std::min((drawn ? on : period) - phase, length - at) + 1e-3f;
    if (drawn) {
      const float f0 = at / length, f1 = std::min(1.0f, (at + step) / length);
      list->AddLine(ImVec2(a.x + dx * f0, a.y + dy * f0), ImVec2(a.x + dx * f1, a.y + dy * f1),
                    colour, thickness);
    }
    at += step;
    offset += step;
  }
}

// Can a value be shown on this axis?
bool drawable_point(float v, bool log) { return std::isfinite(v) && !(log && v <= 0); }

}  // namespace

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  if (value == 0) return "0";
  char text[48];
  const double size = std::fabs(value);
  if (size >= 1e-3 && size < 1e6) {
    // Significant digits, but never fewer than the whole part has
    int decimals = digits - 1 - static_cast<int>(std::floor(std::log10(size)));
    decimals = std::clamp(decimals, 0, 9);
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
  } else {
    std::snprintf(text, sizeof text, "%.*e", std::max(0, digits - 1), value);
  }
  return tidy(text);
}

std::string axis_number(double value, double step) {
  if (!std::isfinite(value)) return number_text(value);
  if (step == 0) step = value;
  char text[48];
  const double size = std::max(std::fabs(value), std::fabs(step));
  if (size == 0) return "0";
  const auto decimals_for = [](double s) {
    return std::clamp(static_cast<int>(std::ceil(-std::log10(std::fabs(s)) - 1e-9)), 0, 9);
  };
  if (size >= 1e9 || std::fabs(step) < 1e-4) {
    if (value == 0) return "0";
    std::snprintf(
        text, sizeof text, "%.*e",
        std::clamp(static_cast<int>(std::round(std::log10(size / std::fabs(step)))), 0, 3), value);
  } else if (size >= 1e6) {
    std::snprintf(text, sizeof text, "%.*fM", decimals_for(step / 1e6), value / 1e6);
  } else if (size >= 1e4) {
    std::snprintf(text, sizeof text, "%.*fk", decimals_for(step / 1e3), value / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.*f", decimals_for(step), value);
  }
  return tidy(text);
}

std::vector<double> axis_ticks(double lo, double hi, int count, bool log) {
  std::vector<double> ticks;
  if (!(hi > lo) || !std::isfinite(lo) || !std::isfinite(hi) || count < 1) return ticks;
  if (log) {
    if (!(lo > 0)) return ticks;
    const auto add = [&](double v) {
      if (v >= lo * (1 - 1e-9) && v <= hi * (1 + 1e-9)) ticks.push_back(v);
    };
    // The decades inside: each, or each second, third …; with 2 and 5 between when there are few
    const int from = static_cast<int>(std::ceil(std::log10(lo) - 1e-9)),
              to = static_cast<int>(std::floor(std::log10(hi) + 1e-9));
    const int every = std::max(1, (to - from + count) / count);
    for (int e = from; e <= to; ++e) {
      if ((to - e) % every == 0) add(std::pow(10.0, e));
    }
    if (to - from < 1 && (count > 1 || ticks.empty())) {
      ticks.clear();
      for (int e = from - 1; e <= to + 1; ++e) {
        for (const double m : {1.0, 2.0, 5.0}) add(m * std::pow(10.0, e));
      }
    }
    if (!ticks.empty()) return ticks;
  }
  const double raw = (hi - lo) / count, power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = power;
  for (const double m : {1.0, 2.0, 5.0, 10.0}) {
    step = m * power;
    if (step >= raw * (1 - 1e-9)) break;
  }
  const double first = std::ceil(lo / step - 1e-9);
  for (int i = 0; i < 100; ++i) {
    const double v = (first + i) * step;
    if (v > hi + step * 1e-9) break;
    ticks.push_back(std::fabs(v) < step * 1e-9 ? 0 : v);
  }
  // A step wider than the range may miss it: ask for a finer one
  if (ticks.empty() && count < 64) return axis_ticks(lo, hi, count + 1);
  return ticks;
}

CurveHit CurvePlot::draw(Ui& ui, const char* id, std::span<const Series> series,
                         const CurveOptions& o, std::span<const EventMark> events,
                         std::span<const Guide> guides) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImGuiIO& io = ImGui::GetIO();
  CurveHit hit;
  const ImVec2 available = ImGui::GetContentRegionAvail(), start = ImGui::GetCursorScreenPos();
  const ImVec2 size(std::max(t.px(40), o.size.x > 0 ? o.size.x : available.x),
                    std::max(t.px(32), o.size.y > 0 ? o.size.y : available.y));

  // All x there is
  double all_min = std::numeric_limits<double>::infinity(), all_max = -all_min;
  for (const Series& s : series) {
    if (!s.data || s.data->empty()) continue;
    all_min = std::min(all_min, s.data->front_x());
    all_max = std::max(all_max, s.data->back_x());
  }
  const bool any = all_min <= all_max;
  if (!any) {
    all_min = 0;
    all_max = 1;
  }
  if (all_max <= all_min) all_max = all_min + 1;

  // The visible x: given, or the mouse's, or all
  double x0 = all_min, x1 = all_max;
  if (view_) {
    x0 = view_->first;
    x1 = view_->second;
  }
  if (o.x_min) x0 = *o.x_min;
  if (o.x_max) x1 = *o.x_max;
  if (!(x1 > x0)) x1 = x0 + 1;

  // The visible y: from what is visible
  double lo = std::numeric_limits<double>::infinity(), hi = -lo;
  const auto take = [&](double v) {
    if (!std::isfinite(v) || (o.log_y && v <= 0)) return;
    lo = std::min(lo, v);
    hi = std::max(hi, v);
  };
  for (const Series& s : series) {
    if (!s.data || !s.in_range) continue;
    const std::size_t begin = s.data->lower_bound(x0);
    std::size_t end = s.data->lower_bound(x1);
    while (end < s.data->size() && s.data->x(end) <= x1) ++end;
    // Pieces, so that a logarithmic axis finds small positive values beside zeros
    const std::size_t pieces = o.log_y ? 256 : 1, count = end > begin ? end - begin : 0;
    for (std::size_t k = 0; k < pieces && count > 0; ++k) {
      const std::size_t from = begin + count * k / pieces, to = begin + count * (k + 1) / pieces;
      if (to <= from) continue;
      const Pyramid::Extent e = s.data->extent(from, to);
      if (e.finite == 0) continue;
      take(static_cast<double>(e.min));
      take(static_cast<double>(e.max));
    }
  }
  const bool seen = lo <= hi;
  for (const Guide& g : guides) {
    if (g.in_range) take(g.y);
  }
  if (!(lo <= hi)) {
    lo = o.log_y ? 0.1 : 0;
    hi = 1;
  }
  if (o.log_y) {
    const double grow = std::max(std::pow(hi / lo, 0.05), 1.05);
    lo /= grow;
    hi *= grow;
  } else {
    const double grow = hi > lo ? (hi - lo) * 0.05 : std::max(std::fabs(hi) * 0.05, 1e-6);
    lo -= grow;
    hi += grow;
  }
  if (o.y_min && (!o.log_y || *o.y_min > 0)) lo = *o.y_min;
  if (o.y_max && (!o.log_y || *o.y_max > 0)) hi = *o.y_max;
  if (!(hi > lo)) hi = lo + (lo == 0 ? 1 : std::fabs(lo));

  // Room for numbers and titles
  float header = 0, footer = 0, left = 0, line = 0;
  {
    const FontScope small(t, Font::small);
    line = ImGui::GetFontSize();
    if (!o.y_title.empty() || o.legend) header = line + t.px(5);
    if (o.show_x_axis) footer = line + t.px(4);
  }
  const float plot_h = std::max(8.0f, size.y - header - footer);
  const int y_count = std::clamp(static_cast<int>(plot_h / (line * 1.8f)), 1, 8);
  const std::vector<double> y_ticks = axis_ticks(lo, hi, y_count, o.log_y);
  std::vector<std::string> y_texts;
  {
    const FontScope mono(t, Font::mono_small);
    const double step = y_ticks.size() > 1 ? y_ticks[1] - y_ticks[0] : 0;
    for (const double v : y_ticks) {
      y_texts.push_back(o.log_y ? axis_number(v) : axis_number(v, step));
      left = std::max(left, ImGui::CalcTextSize(y_texts.back().c_str()).x);
    }
    // The same least width for all plots, so that stacked ones stand under each other
    left = std::max(left, ImGui::CalcTextSize("0.000").x) + t.px(6);
  }
  const ImVec2 a(std::floor(start.x + left), std::floor(start.y + header));
  const ImVec2 b(std::floor(std::max(start.x + size.x - t.px(2), a.x + 8)),
                 a.y + std::floor(plot_h));

  // Mouse
  ImGui::InvisibleButton(id, size);
  ui.probe(id);
  const bool over = ImGui::IsItemHovered() && io.MousePos.x >= a.x && io.MousePos.x < b.x &&
                    io.MousePos.y >= a.y - 2 && io.MousePos.y < b.y + 2;
  const double per_unit = (x1 - x0) / static_cast<double>(b.x - a.x);
  if (any && over && io.MouseWheel != 0 && !(o.x_min && o.x_max)) {
    const double at = x0 + static_cast<double>(io.MousePos.x - a.x) * per_unit;
    const double zoom = std::pow(0.8, static_cast<double>(io.MouseWheel));
    double n0 = at - (at - x0) * zoom, n1 = at + (x1 - at) * zoom;
    if (n1 - n0 >= all_max - all_min) {
      view_.reset();
    } else if (n1 - n0 > (all_max - all_min) * 1e-6) {
      const double shift = n0 < all_min ? all_min - n0 : n1 > all_max ? all_max - n1 : 0;
      view_ = {n0 + shift, n1 + shift};
    }
  }
  if (any && ImGui::IsItemActive() && ImGui::IsMouseDragging(0) && view_) {
    double shift = -static_cast<double>(io.MouseDelta.x) * per_unit;
    shift = std::clamp(shift, std::min(0.0, all_min - view_->first),
                       std::max(0.0, all_max - view_->second));
    view_ = {view_->first + shift, view_->second + shift};
  }
  if (over && ImGui::IsMouseDoubleClicked(0)) view_.reset();
  hit.clicked = over && ImGui::IsMouseReleased(0) && ImGui::IsItemDeactivated() &&
                std::fabs(io.MousePos.x - io.MouseClickedPos[0].x) < t.px(4);
  hit.view_min = x0;
  hit.view_max = x1;
  hit.plot_min = a;
  hit.plot_max = b;

  const auto x_of = [&](double x) {
    return a.x + static_cast<float>((x - x0) / (x1 - x0) * static_cast<double>(b.x - a.x));
  };
  const double log_lo = o.log_y ? std::log10(lo) : 0, log_hi = o.log_y ? std::log10(hi) : 1;
  const auto y_of = [&](double y) {
    const double f = o.log_y ? (y > 0 ? (std::log10(y) - log_lo) / (log_hi - log_lo) : -1e3)
                             : (y - lo) / (hi - lo);
    return b.y - static_cast<float>(std::clamp(f, -1e3, 1e3)) * (b.y - a.y);
  };

  // Grid and numbers
  {
    const FontScope mono(t, Font::mono_small);
    const float mono_line = ImGui::GetFontSize();
    for (std::size_t i = 0; i < y_ticks.size(); ++i) {
      const float y = std::floor(y_of(y_ticks[i]));
      list->AddRectFilled(ImVec2(a.x, y), ImVec2(b.x, y + 1), p.grid);
      const float w = ImGui::CalcTextSize(y_texts[i].c_str()).x;
      const float ty = std::clamp(y - mono_line / 2, a.y - t.px(2), b.y - mono_line + t.px(4));
      list->AddText(ImVec2(std::floor(a.x - t.px(5) - w), std::floor(ty)), p.muted,
                    y_texts[i].c_str());
    }
    if (o.show_x_axis) {
      const float title_w = [&] {
        const FontScope small(t, Font::small);
        return ImGui::CalcTextSize(o.x_title.c_str()).x;
      }();
      const std::vector<double> ticks =
          axis_ticks(x0, x1, std::clamp(static_cast<int>((b.x - a.x) / t.px(90)), 1, 12));
      const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
      for (const double v : ticks) {
        const float x = std::floor(x_of(v));
        list->AddRectFilled(ImVec2(x, a.y), ImVec2(x + 1, b.y), p.grid);
        const std::string text = axis_number(v, step);
        const float w = ImGui::CalcTextSize(text.c_str()).x;
        const float tx = std::clamp(x - w / 2, a.x, std::max(a.x, b.x - w));
        if (tx + w > b.x - title_w - t.px(10) && title_w > 0) continue;
        list->AddText(ImVec2(std::floor(tx), b.y + t.px(3)), p.muted, text.c_str());
      }
      const FontScope small(t, Font::small);
      list->AddText(ImVec2(b.x - title_w, b.y + t.px(2)), p.muted, o.x_title.c_str());
    }
  }

  list->PushClipRect(ImVec2(a.x, a.y), ImVec2(b.x, b.y), true);
  const FontScope small(t, Font::small);

  // Guides: dashed, their labels at the right
  for (const Guide& g : guides) {
    if (!std::isfinite(g.y) || (o.log_y && g.y <= 0)) continue;
    const float y = std::floor(y_of(g.y)) + 0.5f;
    const Rgba colour = g.colour ? g.colour : p.guide;
    float offset = 0;
    add_dashes(list, ImVec2(a.x, y), ImVec2(b.x, y), colour, t.px(1), t.px(5), t.px(4), offset);
  }
  for (const EventMark& e : events) {
    if (e.x < x0 || e.x > x1) continue;
    const float x = std::floor(x_of(e.x));
    list->AddRectFilled(ImVec2(x, a.y), ImVec2(x + t.px(1), b.y),
                        with_alpha(e.colour ? e.colour : p.event, 170));
  }

  // Lines: single points while there are few, one stroke a column when there are many
  for (const Series& s : series) {
    if (!s.data || s.data->empty()) continue;
    const Pyramid& d = *s.data;
    const Rgba colour = s.colour ? s.colour : p.run_a;
    const float thickness = std::max(1.0f, s.thickness * t.scale());
    std::size_t begin = d.lower_bound(x0);
    std::size_t end = d.lower_bound(x1);
    if (begin > 0) --begin;
    while (end < d.size() && d.x(end) <= x1) ++end;
    if (end < d.size()) ++end;
    const float on = t.px(6), off = t.px(4);

    if (static_cast<float>(end - begin) <= 2 * (b.x - a.x)) {
      float offset = 0;
      points_.clear();
      const auto flush = [&] {
        const int n = static_cast<int>(points_.size());
        if (s.style == LineStyle::dots || n == 1) {
          for (const ImVec2& q : points_) {
            list->AddCircleFilled(q, s.style == LineStyle::dots ? thickness + t.px(1) : thickness,
                                  colour, 12);
          }
        } else if (s.style == LineStyle::dashed) {
          for (int i = 0; i + 1 < n; ++i) {
            const std::size_t k = static_cast<std::size_t>(i);
            add_dashes(list, points_[k], points_[k + 1], colour, thickness, on, off, offset);
          }
        } else if (n > 1) {
          compat::add_polyline(list, points_.data(), n, colour, false, thickness);
        }
        points_.clear();
      };
      for (std::size_t i = begin; i < end; ++i) {
        if (drawable_point(d.y(i), o.log_y)) {
          points_.emplace_back(x_of(d.x(i)), y_of(static_cast<double>(d.y(i))));
        } else {
          flush();
        }
      }
      flush();
      continue;
    }

    // Each column of the screen from its smallest to its largest value
    columns_.clear();
    std::size_t i = d.lower_bound(x0);
    int smooth = 0, filled = 0;
    for (float x = a.x; x < b.x; x += 1) {
      const double right = x0 + static_cast<double>(x + 1 - a.x) * per_unit;
      const std::size_t next = std::max(i, std::min(end, d.lower_bound(right)));
      if (next == i) continue;
      const Pyramid::Extent e = d.extent(i, next);
      i = next;
      if (e.finite == 0 || (o.log_y && e.max <= 0)) {
        columns_.push_back({x, 0, 0, true});
        continue;
      }
      const float top = y_of(static_cast<double>(e.max));
      const float low = o.log_y && e.min <= 0 ? b.y : y_of(static_cast<double>(e.min));
      columns_.push_back({x, top, low, false});
      ++filled;
      if (low - top < 2.5f * t.scale()) ++smooth;
    }

    // A smooth line is drawn as a line; its few spikes are points of it
    if (smooth * 10 >= filled * 7) {
      float offset = 0;
      points_.clear();
      for (std::size_t k = 0; k <= columns_.size(); ++k) {
        if (k == columns_.size() || columns_[k].gap) {
          if (s.style != LineStyle::dashed) {
            compat::add_polyline(list, points_.data(), static_cast<int>(points_.size()), colour,
                                 false, thickness);
          } else {
            for (std::size_t n = 1; n < points_.size(); ++n) {
              add_dashes(list, points_[n - 1], points_[n], colour, thickness, on, off, offset);
            }
          }
          points_.clear();
          continue;
        }
        const Column& c = columns_[k];
        if (c.low - c.top < 2.5f * t.scale()) {
          points_.emplace_back(c.x + 0.5f, (c.top + c.low) / 2);
        } else {
          points_.emplace_back(c.x + 0.5f, c.top);
          points_.emplace_back(c.x + 0.5f, c.low);
        }
      }
      continue;
    }

    // A rough one as strokes, each reaching the one before
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      const Column& c = columns_[k];
      if (c.gap || (s.style == LineStyle::dashed && std::fmod(c.x - a.x, on + off) >= on)) continue;
      float top = c.top, low = c.low;
      if (k > 0 && !columns_[k - 1].gap) {
        top = std::min(top, columns_[k - 1].low);
        low = std::max(low, columns_[k - 1].top);
      }
      list->AddRectFilled(ImVec2(c.x, top - thickness / 2), ImVec2(c.x + 1, low + thickness / 2),
                          colour);
    }
  }

  // The selected step
  if (o.cursor && *o.cursor >= x0 && *o.cursor <= x1) {
    const float x = std::floor(x_of(*o.cursor));
    list->AddRectFilled(ImVec2(x, a.y), ImVec2(x + t.px(1), b.y), p.accent);
  }

  // Labels over the lines, on a ground of their own
  const auto label = [&](ImVec2 at, const std::string& text, Rgba colour) {
    const ImVec2 extent = ImGui::CalcTextSize(text.c_str());
    list->AddRectFilled(ImVec2(at.x - t.px(3), at.y),
                        ImVec2(at.x + extent.x + t.px(3), at.y + extent.y),
                        with_alpha(p.panel, 210), t.px(3));
    list->AddText(at, colour, text.c_str());
  };
  float used = -1e9f;
  for (const Guide& g : guides) {
    if (g.label.empty() || !std::isfinite(g.y) || (o.log_y && g.y <= 0)) continue;
    float y = y_of(g.y) - line - t.px(2);
    if (y < a.y) y = y_of(g.y) + t.px(2);
    if (y + line > b.y || std::fabs(y - used) < line) continue;
    used = y;
    const float w = ImGui::CalcTextSize(g.label.c_str()).x;
    label(ImVec2(std::floor(b.x - w - t.px(6)), std::floor(y)), g.label, p.muted);
  }
  float free_from = a.x;
  for (const EventMark& e : events) {
    if (e.label.empty() || e.x < x0 || e.x > x1) continue;
    const float w = ImGui::CalcTextSize(e.label.c_str()).x;
    float x = x_of(e.x) + t.px(5);
    if (x + w > b.x) x = x_of(e.x) - w - t.px(5);
    if (x < free_from) continue;
    free_from = x + w + t.px(8);
    label(ImVec2(std::floor(x), a.y + t.px(2)), e.label, p.text);
  }
  if (!any || !seen) {
    const char* text = any ? "Nothing finite in view" : "No data yet";
    const ImVec2 extent = ImGui::CalcTextSize(text);
    label(ImVec2(std::floor((a.x + b.x - extent.x) / 2), std::floor((a.y + b.y - extent.y) / 2)),
          text, any ? p.error : p.muted);
  }

  // Values at the mouse
  if (over && any) {
    hit.hovered = true;
    hit.x = x0 + static_cast<double>(io.MousePos.x - a.x) * per_unit;
    const double f = static_cast<double>((b.y - io.MousePos.y) / (b.y - a.y));
    hit.y = o.log_y ? std::pow(10.0, log_lo + f * (log_hi - log_lo)) : lo + f * (hi - lo);
  }
  if (hit.hovered && o.readout) {
    list->AddRectFilled(ImVec2(std::floor(io.MousePos.x), a.y),
                        ImVec2(std::floor(io.MousePos.x) + 1, b.y), with_alpha(p.text, 120));
    struct Row {
      std::string name, value;
      Rgba colour;
    };
    std::vector<Row> rows;
    rows.push_back({o.x_title, axis_number(std::round(hit.x), 1), p.muted});
    for (const Series& s : series) {
      if (!s.data || s.data->empty()) continue;
      const std::size_t i = s.data->nearest(hit.x);
      const float v = s.data->y(i);
      const Rgba colour = with_alpha(s.colour ? s.colour : p.run_a, 255);
      rows.push_back({s.name, number_text(static_cast<double>(v), o.decimals),
                      std::isfinite(v) ? colour : p.error});
      if (drawable_point(v, o.log_y) && s.data->x(i) >= x0 && s.data->x(i) <= x1) {
        const ImVec2 at(x_of(s.data->x(i)), y_of(static_cast<double>(v)));
        list->AddCircleFilled(at, t.px(4), p.panel, 12);
        list->AddCircleFilled(at, t.px(3), colour, 12);
      }
    }
    float name_w = 0, value_w = 0;
    for (const Row& r : rows) {
      name_w = std::max(name_w, ImGui::CalcTextSize(r.name.c_str()).x);
      value_w = std::max(value_w, ImGui::CalcTextSize(r.value.c_str()).x);
    }
    const float w = name_w + value_w + t.px(28),
                h = line * static_cast<float>(rows.size()) + t.px(10);
    float x = io.MousePos.x + t.px(12);
    if (x + w > b.x) x = io.MousePos.x - t.px(12) - w;
    x = std::max(a.x, x);
    const float y =
        std::clamp(io.MousePos.y - h / 2, a.y + t.px(2), std::max(a.y + t.px(2), b.y - h));
    list->PopClipRect();
    list->PushClipRect(start, ImVec2(start.x + size.x, start.y + size.y), true);
    list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h), with_alpha(p.raised, 240), t.px(4));
    compat::add_rect(list, ImVec2(x, y), ImVec2(x + w, y + h), p.border, t.px(4));
    float row_y = y + t.px(5);
    for (const Row& r : rows) {
      list->AddText(ImVec2(x + t.px(8), row_y), p.muted, r.name.c_str());
      const float vw = ImGui::CalcTextSize(r.value.c_str()).x;
      list->AddText(ImVec2(x + w - t.px(8) - vw, row_y), r.colour, r.value.c_str());
      row_y += line;
    }
  }
  list->PopClipRect();

  // Title at the left, what each line is at the right
  if (header > 0) {
    float right = b.x;
    if (o.legend) {
      for (std::size_t k = series.size(); k-- > 0;) {
        const Series& s = series[k];
        if (s.name.empty()) continue;
        const float w = ImGui::CalcTextSize(s.name.c_str()).x, sample = t.px(18);
        if (right - w - sample - t.px(6) < a.x) break;
        right -= w;
        list->AddText(ImVec2(std::floor(right), start.y), p.text, s.name.c_str());
        right -= sample + t.px(4);
        const Rgba colour = s.colour ? s.colour : p.run_a;
        const float y = std::floor(start.y + line / 2), thickness = std::max(2.0f, t.px(2));
        if (s.style == LineStyle::dots) {
          list->AddCircleFilled(ImVec2(right + sample / 2, y), t.px(3), colour, 12);
        } else if (s.style == LineStyle::dashed) {
          float offset = 0;
          add_dashes(list, ImVec2(right, y), ImVec2(right + sample, y), colour, thickness, t.px(5),
                     t.px(3), offset);
        } else {
          list->AddRectFilled(ImVec2(right, y - thickness / 2),
                              ImVec2(right + sample, y + thickness / 2), colour);
        }
        right -= t.px(12);
      }
    }
    if (!o.y_title.empty()) {
      const std::string title = elide(o.y_title, std::max(1.0f, right - start.x));
      list->AddText(start, p.muted, title.c_str());
    }
  }
  return hit;
}

}  // namespace tpp::viewer
