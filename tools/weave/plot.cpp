#include "tools/weave/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "chapters/01_tensor/errors.h"
#include "tools/book/xml.h"
#include "tools/weave/results.h"

namespace tpp::weave {
namespace {

using nlohmann::json;

constexpr double kWidth = 720;
constexpr const char* kInk = "#24292f";
constexpr const char* kQuiet = "#59636e";
constexpr const char* kGrid = "#e3e6ea";
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000", "#8a6d00"};
constexpr const char* kDashes[] = {"",     "8 4", "2 3", "9 3 2 3",
                                   "14 4", "4 4", "1 4", "12 3 2 3 2 3"};
constexpr std::size_t kStyles = std::size(kColours);
static_assert(kStyles == kPlotStyles && kStyles == std::size(kDashes));

struct Axis {
  std::string label;
  bool log = false;
  std::optional<double> min, max;
};

struct Series {
  std::string label;
  std::size_t style = 0;  // which colour, dashes and shape
  std::vector<double> x;  // or the index of a name
  std::vector<std::optional<double>> y, low, high;
};

struct Plot {
  std::string title;
  Axis x, y;
  bool bars = false;
  std::vector<std::string> names;  // empty: x are numbers
  std::vector<Series> series;
};

// --- Reading ------------------------------------------------------------------------------------------

std::string text_of(const json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

Axis read_axis(const json& plot, const char* key) {
  Axis axis;
  if (!plot.contains(key)) return axis;
  const json& from = plot[key];
  axis.label = text_of(from, "label");
  axis.log = from.value("log", false);
  if (from.contains("min") && from["min"].is_number()) axis.min = from["min"].get<double>();
  if (from.contains("max") && from["max"].is_number()) axis.max = from["max"].get<double>();
  return axis;
}

std::vector<std::optional<double>> read_numbers(const json& series, const char* key,
                                                const std::string& label) {
  std::vector<std::optional<double>> numbers;
  if (!series.contains(key) || series[key].is_null()) return numbers;
  for (const json& value : series[key]) {
    if (value.is_null()) {
      numbers.emplace_back();
    } else if (value.is_number() && std::isfinite(value.get<double>())) {
      numbers.emplace_back(value.get<double>());
    } else {
      throw InputError("the series '" + label + "' has a " + key + " that is no finite number");
    }
  }
  return numbers;
}

Plot read_plot(const json& from) {
  Plot plot;
  plot.title = text_of(from, "title");
  plot.x = read_axis(from, "x");
  plot.y = read_axis(from, "y");
  plot.bars = text_of(from, "kind") == "bars";
  if (!from.contains("series") || !from["series"].is_array() || from["series"].empty()) {
    throw InputError("it has no series");
  }
  bool numbers = false, any = false;
  for (const json& entry : from["series"]) {
    Series series;
    series.label = text_of(entry, "label");
    if (!entry.contains("x") || !entry.contains("y") || entry["x"].empty()) {
      throw InputError("the series '" + series.label + "' has no x or no y");
    }
    for (const json& x : entry["x"]) {
      if (x.is_string()) {
        const std::string name = x.get<std::string>();
        const auto at = std::find(plot.names.begin(), plot.names.end(), name);
        series.x.push_back(double(at - plot.names.begin()));
        if (at == plot.names.end()) plot.names.push_back(name);
      } else if (x.is_number() && std::isfinite(x.get<double>())) {
        numbers = true;
        series.x.push_back(x.get<double>());
      } else {
        throw InputError("the series '" + series.label +
                         "' has an x that is neither a number nor a name");
      }
    }
    series.y = read_numbers(entry, "y", series.label);
    series.low = read_numbers(entry, "low", series.label);
    series.high = read_numbers(entry, "high", series.label);
    for (const auto* list : {&series.y, &series.low, &series.high}) {
      const bool optional = list != &series.y && list->empty();
      if (!optional && list->size() != series.x.size()) {
        throw InputError("the series '" + series.label + "' has lists of different lengths");
      }
    }
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      any = any || series.y[i].has_value();
      for (const auto* list : {&series.y, &series.low, &series.high}) {
        if (plot.y.log && i < list->size() && (*list)[i] && !(*(*list)[i] > 0)) {
          throw InputError("the series '" + series.label +
                           "' has a y that a logarithm cannot show");
        }
      }
      if (plot.x.log && plot.names.empty() && !(series.x[i] > 0)) {
        throw InputError("the series '" + series.label + "' has an x that a logarithm cannot show");
      }
    }
    series.style = std::size_t(entry.value("style", int(plot.series.size()))) % kStyles;
    plot.series.push_back(std::move(series));
  }
  if (numbers && !plot.names.empty()) throw InputError("its x are numbers and names");
  if (!any) throw InputError("it has no y at all");
  if (plot.series.size() > kStyles) {
    throw InputError("it has " + std::to_string(plot.series.size()) + " series; more than " +
                     std::to_string(kStyles) + " cannot be told apart");
  }
  return plot;
}

// --- Scales -------------------------------------------------------------------------------------------

struct Scale {
  bool log = false;
  double from = 0, to = 1;    // data
  double start = 0, end = 1;  // pixels
  std::vector<double> ticks;
  int decimals = 0;  // of a linear scale's ticks

  [[nodiscard]] double at(double value) const {
    const double t =
        log ? std::log(value / from) / std::log(to / from) : (value - from) / (to - from);
    return start + t * (end - start);
  }
};

double nice_step(double range, int about) {
  const double rough = range / about, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (step * power >= rough * 0.999) return step * power;
  }
  return 10 * power;
}

Scale linear_scale(double low, double high, const Axis& axis, int about, bool whole_ticks) {
  if (high - low < 1e-12 * std::max(1.0, std::abs(high))) {
    const double pad = high == 0 ? 1 : 0.1 * std::abs(high);
    low -= pad, high += pad;
  }
  low = axis.min.value_or(low), high = axis.max.value_or(high);
  if (!(high > low)) throw InputError("an axis has its max below its min");
  Scale scale;
  const double step = nice_step(high - low, about);
  scale.from = whole_ticks && !axis.min ? step * std::floor(low / step + 1e-9) : low;
  scale.to = whole_ticks && !axis.max ? step * std::ceil(high / step - 1e-9) : high;
  while (scale.decimals < 9 && std::abs(step * std::pow(10, scale.decimals) -
                                        std::round(step * std::pow(10, scale.decimals))) > 1e-6) {
    ++scale.decimals;
  }
  for (double i = std::ceil(scale.from / step - 1e-9); i * step <= scale.to + 1e-9 * step; ++i) {
    scale.ticks.push_back(i * step);
  }
  return scale;
}

Scale log_scale(double low, double high, const Axis& axis, const std::vector<double>& few) {
  Scale scale;
  scale.log = true;
  if (high / low < 1.001) low /= 1.5, high *= 1.5;
  scale.from = axis.min.value_or(low);
  scale.to = axis.max.value_or(high);
  if (!(scale.to > scale.from && scale.from > 0))
    throw InputError("an axis has no room for a logarithm");
  if (!few.empty()) {
    scale.ticks = few;  // the lengths 64, 128, 256 themselves
    return scale;
  }
  const double decades = std::log10(scale.to / scale.from);
  const std::vector<double> steps = decades < 1.5   ? std::vector<double>{1, 1.5, 2, 3, 4, 5, 6, 8}
                                    : decades < 3.5 ? std::vector<double>{1, 2, 5}
                                                    : std::vector<double>{1};
  for (int power = int(std::floor(std::log10(scale.from)));
       power <= int(std::ceil(std::log10(scale.to))); ++power) {
    if (decades > 7 && power % 2 != 0) continue;
    for (const double step : steps) {
      const double tick = step * std::pow(10, power);
      if (tick >= scale.from * 0.9999 && tick <= scale.to * 1.0001) scale.ticks.push_back(tick);
    }
  }
  return scale;
}

std::string number_text(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return formatted(value / 1e9, ".4g") + "G";
  if (size >= 1e6) return formatted(value / 1e6, ".4g") + "M";
  if (size >= 1000) return formatted(value, ",d");
  if (size > 0 && size < 0.0009) {
    const int power = int(std::floor(std::log10(size) + 1e-9));
    const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text = formatted(value / std::pow(10, power), ".3g");
    text = text == "1" ? "10⁻" : text + "·10⁻";
    for (const char c : std::to_string(-power)) text += digits[c - '0'];
    return text;
  }
  return formatted(value, ".4g");
}

// A linear scale's ticks have the same number of decimals
std::string tick_text(const Scale& scale, double value) {
  if (scale.log || std::abs(scale.to) >= 1e6 || scale.decimals == 0 || scale.decimals > 4)
    return number_text(value);
  return formatted(value, "." + std::to_string(scale.decimals) + "f");
}

// --- Drawing ------------------------------------------------------------------------------------------

std::string px(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.1f", std::abs(value) < 0.05 ? 0.0 : value);
  std::string result = text;
  if (result.size() > 2 && result.compare(result.size() - 2, 2, ".0") == 0)
    result.resize(result.size() - 2);
  return result;
}

// About what DejaVu Sans and Verdana take, the widest fonts that a reader may have
double text_width(const std::string& text, double size = 12) {
  double width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;  // the rest of a letter
    if (std::string_view("mwMW@%").find(c) != std::string_view::npos) {
      width += 11;
    } else if (std::string_view("iljI.,:;|'!()[] ").find(c) != std::string_view::npos) {
      width += 4.5;
    } else {
      width += c >= 'A' && c <= 'Z' ? 8.3 : 7.4;
    }
  }
  return width * size / 12;
}

class Svg {
 public:
  Svg(double height, const std::string& title) {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + px(kWidth) + " " + px(height) +
        "\" width=\"" + px(kWidth) + "\" height=\"" + px(height) +
        "\" role=\"img\" font-family=\"'DejaVu Sans', Verdana, 'Segoe UI', sans-serif\" "
        "font-size=\"12\">");
    add("<title>" + book::xml_escaped(title) + "</title>");
    add("<rect width=\"" + px(kWidth) + "\" height=\"" + px(height) +
        "\" rx=\"6\" fill=\"#fdfdfc\"/>");
  }
  void add(const std::string& line) { text_ += line + "\n"; }
  void line(double x1, double y1, double x2, double y2, const std::string& stroke, double width = 1,
            const std::string& dash = "") {
    add("<line x1=\"" + px(x1) + "\" y1=\"" + px(y1) + "\" x2=\"" + px(x2) + "\" y2=\"" + px(y2) +
        "\" stroke=\"" + stroke + "\" stroke-width=\"" + px(width) + "\"" +
        (dash.empty() ? "" : " stroke-dasharray=\"" + dash + "\"") + "/>");
  }
  void text(double x, double y, const std::string& words, const std::string& anchor = "start",
            const std::string& fill = kInk, double size = 12, bool bold = false) {
    add("<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" fill=\"" + fill + "\"" +
        (anchor == "start" ? "" : " text-anchor=\"" + anchor + "\"") +
        (size == 12 ? "" : " font-size=\"" + px(size) + "\"") +
        (bold ? " font-weight=\"bold\"" : "") + ">" + book::xml_escaped(words) + "</text>");
  }
  // Each series has a shape, too
  void marker(std::size_t style, double x, double y, double r = 4) {
    const std::string fill = std::string(" fill=\"") + kColours[style] + "\"/>";
    const auto at = [&](double dx, double dy) { return px(x + dx) + "," + px(y + dy) + " "; };
    switch (style % 4) {
      case 0:
        add("<circle cx=\"" + px(x) + "\" cy=\"" + px(y) + "\" r=\"" + px(r) + "\"" + fill);
        break;
      case 1:
        add("<rect x=\"" + px(x - 0.9 * r) + "\" y=\"" + px(y - 0.9 * r) + "\" width=\"" +
            px(1.8 * r) + "\" height=\"" + px(1.8 * r) + "\"" + fill);
        break;
      case 2:
        add("<polygon points=\"" + at(0, -1.2 * r) + at(1.1 * r, 0.9 * r) + at(-1.1 * r, 0.9 * r) +
            "\"" + fill);
        break;
      default:
        add("<polygon points=\"" + at(0, -1.3 * r) + at(1.3 * r, 0) + at(0, 1.3 * r) +
            at(-1.3 * r, 0) + "\"" + fill);
    }
  }
  [[nodiscard]] std::string done() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

// Words in lines of at most this width
std::vector<std::string> wrapped(const std::string& text, double width, double size) {
  std::vector<std::string> lines;
  std::string line, word;
  const auto flush = [&] {
    if (word.empty()) return;
    if (!line.empty() && text_width(line + " " + word, size) > width) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ') {
      flush();
    } else {
      word += c;
    }
  }
  flush();
  if (!line.empty()) lines.push_back(line);
  return lines;
}

double draw_title(Svg& svg, const std::string& title) {
  double y = 26;
  for (const std::string& line : wrapped(title, (kWidth - 32) * 0.95, 15)) {
    svg.text(16, y, line, "start", kInk, 15, true);
    y += 20;
  }
  return y;
}

void extend(double& low, double& high, const std::optional<double>& value) {
  if (value) low = std::min(low, *value), high = std::max(high, *value);
}

// Labels for lines that end at these heights: apart, as near as that allows, and between top and bottom
std::vector<double> spread(const std::vector<double>& ends, double gap, double top, double bottom) {
  std::vector<std::size_t> order(ends.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ends[a] < ends[b]; });
  std::vector<double> at = ends;
  for (double& y : at) y = std::clamp(y, top, bottom);
  for (int round = 0; round < 300; ++round) {
    for (std::size_t k = 0; k + 1 < order.size(); ++k) {
      const double overlap = gap - (at[order[k + 1]] - at[order[k]]);
      if (overlap > 0) at[order[k]] -= overlap / 2, at[order[k + 1]] += overlap / 2;
    }
    for (double& y : at) y = std::clamp(y, top, bottom);
  }
  return at;
}

std::string line_plot(const Plot& plot, const std::string& source) {
  // What there is
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  std::vector<double> xs;
  for (const Series& s : plot.series) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      x_low = std::min(x_low, s.x[i]), x_high = std::max(x_high, s.x[i]);
      xs.push_back(s.x[i]);
      extend(y_low, y_high, s.y[i]);
      if (!s.low.empty()) extend(y_low, y_high, s.low[i]);
      if (!s.high.empty()) extend(y_low, y_high, s.high[i]);
    }
  }
  std::sort(xs.begin(), xs.end());
  xs.erase(std::unique(xs.begin(), xs.end()), xs.end());

  const double height = 420;
  Svg svg(height, plot.title);
  const double under_title = draw_title(svg, plot.title);
  const bool labels = plot.series.size() > 1 || !plot.series[0].label.empty();
  double widest = 0;
  for (const Series& s : plot.series) widest = std::max(widest, text_width(s.label));
  widest = std::min(widest, 230.0);

  Scale y = plot.y.log ? log_scale(y_low, y_high, plot.y, {})
                       : linear_scale(y_low, y_high, plot.y, 6, true);
  if (plot.y.log) {
    const double pad = std::pow(y.to / y.from, 0.04);
    if (!plot.y.min) y.from /= pad;
    if (!plot.y.max) y.to *= pad;
  }
  double left = 20;
  for (const double tick : y.ticks) left = std::max(left, 16 + text_width(tick_text(y, tick)) + 8);
  const double right = kWidth - (labels ? widest + 54 : 24);
  const double top = under_title + (plot.y.label.empty() ? 2 : 20), bottom = height - 66;
  y.start = bottom, y.end = top;
  const bool few = plot.x.log && xs.size() <= 9;
  Scale x = plot.x.log ? log_scale(x_low, x_high, plot.x, few ? xs : std::vector<double>())
                       : linear_scale(x_low, x_high, plot.x, 7, false);
  x.start = left + 6, x.end = right - 6;

  // Axes
  if (!plot.y.label.empty()) svg.text(16, under_title + 4, plot.y.label, "start", kQuiet);
  for (const double tick : y.ticks) {
    if (tick < y.from - 1e-9 * std::abs(y.from) || tick > y.to * (1 + 1e-9)) continue;
    svg.line(left, y.at(tick), right, y.at(tick), kGrid);
    svg.text(left - 6, y.at(tick) + 4, tick_text(y, tick), "end", kQuiet);
  }
  svg.line(left, bottom, right, bottom, kQuiet);
  double written_to = -INFINITY;
  for (const double tick : x.ticks) {
    const double at = x.at(tick), half = text_width(tick_text(x, tick)) / 2;
    svg.line(at, bottom, at, bottom + 4, kQuiet);
    if (at - half < written_to + 4) continue;
    svg.text(at, bottom + 18, tick_text(x, tick), "middle", kQuiet);
    written_to = at + half;
  }
  svg.text((left + right) / 2, bottom + 36, plot.x.label, "middle", kQuiet);
  svg.text(16, height - 10, source, "start", kQuiet, 10);

  // Bands under lines
  svg.add("<clipPath id=\"in\"><rect x=\"" + px(left) + "\" y=\"" + px(top - 5) + "\" width=\"" +
          px(right - left) + "\" height=\"" + px(bottom - top + 5) + "\"/></clipPath>");
  svg.add("<g clip-path=\"url(#in)\">");
  const auto clamped = [&](double value) { return std::clamp(y.at(value), -2000.0, 3000.0); };
  for (std::size_t k = 0; k < plot.series.size(); ++k) {
    const Series& s = plot.series[k];
    if (s.low.empty() || s.high.empty()) continue;
    std::string up, down;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!s.low[i] || !s.high[i]) continue;
      up += px(x.at(s.x[i])) + "," + px(clamped(*s.high[i])) + " ";
      down = px(x.at(s.x[i])) + "," + px(clamped(*s.low[i])) + " " + down;
    }
    svg.add("<polygon points=\"" + up + down + "\" fill=\"" + kColours[s.style] +
            "\" fill-opacity=\"0.15\"/>");
  }
  std::vector<double> ends, end_xs;
  for (std::size_t k = 0; k < plot.series.size(); ++k) {
    const Series& s = plot.series[k];
    std::string points;
    std::optional<double> last;
    double last_x = 0;
    std::vector<std::pair<double, double>> broken;
    bool alone = true;  // a single value between two breaks is a point
    const auto finish = [&] {
      if (points.empty()) return;
      if (alone) {
        svg.marker(s.style, last_x, *last, 3);
      } else {
        svg.add("<polyline points=\"" + points + "\" fill=\"none\" stroke=\"" + kColours[s.style] +
                "\" stroke-width=\"2.2\" stroke-linejoin=\"round\"" +
                (*kDashes[s.style] == '\0'
                     ? ""
                     : std::string(" stroke-dasharray=\"") + kDashes[s.style] + "\"") +
                "/>");
      }
      points.clear();
      alone = true;
    };
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!s.y[i]) {
        if (!points.empty()) broken.emplace_back(last_x, *last);
        finish();
        continue;
      }
      if (!points.empty()) alone = false;
      last = clamped(*s.y[i]), last_x = x.at(s.x[i]);
      points += px(last_x) + "," + px(*last) + " ";
    }
    finish();
    for (const auto& [at_x, at_y] : broken) {  // a run that broke ends in a cross
      svg.line(at_x - 5, at_y - 5, at_x + 5, at_y + 5, kColours[s.style], 2.2);
      svg.line(at_x - 5, at_y + 5, at_x + 5, at_y - 5, kColours[s.style], 2.2);
    }
    if (s.x.size() <= 12) {
      for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (s.y[i]) svg.marker(s.style, x.at(s.x[i]), clamped(*s.y[i]), 3);
      }
    }
    ends.push_back(last.value_or(bottom));
    end_xs.push_back(last_x);
  }
  svg.add("</g>");

  // A label at each line's end, with the line's own dashes
  if (labels) {
    const std::vector<double> label_at = spread(ends, 17, top + 2, bottom - 2);
    for (std::size_t k = 0; k < plot.series.size(); ++k) {
      if (end_xs[k] > 0 && end_xs[k] < right - 24 && ends[k] > top - 5) {  // it ended early
        svg.line(end_xs[k] + 6, ends[k], right, label_at[k], kQuiet, 0.7, "1 3");
      }
      svg.line(right + 4, label_at[k], right + 26, label_at[k], kColours[plot.series[k].style], 2.2,
               kDashes[plot.series[k].style]);
      svg.text(right + 31, label_at[k] + 4, plot.series[k].label);
    }
  }
  return svg.done();
}

std::string name_plot(const Plot& plot, const std::string& source) {
  double low = INFINITY, high = -INFINITY;
  for (const Series& s : plot.series) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      extend(low, high, s.y[i]);
      if (!s.low.empty()) extend(low, high, s.low[i]);
      if (!s.high.empty()) extend(low, high, s.high[i]);
    }
  }
  if (plot.bars && !plot.y.log) low = std::min(low, 0.0), high = std::max(high, 0.0);

  // Several series share a row, one below the other
  const std::size_t several = plot.series.size();
  const double lane = 15, row = std::max(28.0, lane * double(several) + 12);
  double widest = 40;
  for (const std::string& name : plot.names) widest = std::max(widest, text_width(name));
  widest = std::min(widest, 300.0);
  const bool legend = several > 1;

  Svg probe(0, "");
  double top = draw_title(probe, plot.title) + 4;
  std::vector<std::pair<double, double>> legend_at;
  if (legend) {
    double x = 16, y = top + 8;
    for (const Series& s : plot.series) {
      const double wide = 22 + text_width(s.label) + 18;
      if (x + wide > kWidth - 10 && x > 16) x = 16, y += 19;
      legend_at.emplace_back(x, y);
      x += wide;
    }
    top = y + 16;
  }
  const double height = top + row * double(plot.names.size()) + 70;
  Svg svg(height, plot.title);
  draw_title(svg, plot.title);
  for (std::size_t k = 0; k < legend_at.size(); ++k) {
    svg.marker(plot.series[k].style, legend_at[k].first + 8, legend_at[k].second - 4);
    svg.text(legend_at[k].first + 20, legend_at[k].second, plot.series[k].label);
  }

  const double left = 16 + widest + 14, right = kWidth - 76,
               bottom = top + row * double(plot.names.size());
  Scale scale =
      plot.y.log ? log_scale(low, high, plot.y, {}) : linear_scale(low, high, plot.y, 6, true);
  if (plot.y.log) {
    if (!plot.y.min) scale.from /= std::pow(scale.to / scale.from, 0.05);
    if (!plot.y.max) scale.to *= std::pow(scale.to / scale.from, 0.03);
  }
  scale.start = left, scale.end = right;
  double written_to = -INFINITY;
  for (const double tick : scale.ticks) {
    const double at = scale.at(tick), half = text_width(tick_text(scale, tick)) / 2;
    svg.line(at, top, at, bottom, kGrid);
    if (at - half < written_to + 6) continue;
    svg.text(at, bottom + 18, tick_text(scale, tick), "middle", kQuiet);
    written_to = at + half;
  }
  svg.line(left, bottom, right, bottom, kQuiet);
  svg.text((left + right) / 2, bottom + 38, plot.y.label, "middle", kQuiet);
  svg.text(16, height - 10, source, "start", kQuiet, 10);

  for (std::size_t n = 0; n < plot.names.size(); ++n) {
    const double middle = top + row * (double(n) + 0.5);
    if (several > 1 && n > 0) svg.line(16, middle - row / 2, right, middle - row / 2, kGrid);
    svg.text(left - 12, middle + 4, plot.names[n], "end");
  }
  // Values have as many digits as it takes to tell them apart
  const int decimals =
      std::clamp(2 - int(std::floor(std::log10(std::max(high - low, 1e-9)))), 0, 5);
  bool whole = true;
  for (const Series& s : plot.series) {
    for (const auto& value : s.y) whole = whole && (!value || *value == std::floor(*value));
  }
  const std::string digits = whole ? ",d" : ",." + std::to_string(decimals) + "f";
  for (std::size_t k = 0; k < several; ++k) {
    const Series& s = plot.series[k];
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      const double at = top + row * (s.x[i] + 0.5) + lane * (double(k) - double(several - 1) / 2);
      if (!s.y[i]) {
        svg.text(left + 6, at + 4, "not finite", "start", kQuiet, 11);
        continue;
      }
      const auto inside = [&](double value) {
        return std::clamp(scale.log && value <= 0 ? scale.start : scale.at(value), scale.start,
                          scale.end);
      };
      const double x = inside(*s.y[i]);
      double label_x = x + 9;
      if (plot.bars) {
        const double zero = scale.log ? scale.start : inside(0);
        svg.add("<rect x=\"" + px(std::min(zero, x)) + "\" y=\"" + px(at - 5) + "\" width=\"" +
                px(std::abs(x - zero)) + "\" height=\"10\" fill=\"" + kColours[s.style] + "\"/>");
        label_x = std::max(zero, x) + 6;
      } else {
        svg.line(scale.start, at, x, at, kColours[s.style], 1, "1 3");
      }
      if (!s.low.empty() && !s.high.empty() && s.low[i] && s.high[i]) {
        const double a = inside(*s.low[i]), b = inside(*s.high[i]);
        const std::string ink = plot.bars ? kInk : kColours[s.style];
        svg.line(a, at, b, at, ink, 1.6);
        svg.line(a, at - 3.5, a, at + 3.5, ink, 1.6);
        svg.line(b, at - 3.5, b, at + 3.5, ink, 1.6);
        label_x = std::max(label_x, b + 7);
      }
      if (!plot.bars) svg.marker(s.style, x, at, 4.2);
      svg.text(label_x, at + 4, formatted(*s.y[i], digits), "start", kInk, 11);
    }
  }
  return svg.done();
}

}  // namespace

std::string plot_svg(const json& json_plot, const std::string& source) {
  const Plot plot = read_plot(json_plot);
  return plot.names.empty() ? line_plot(plot, source) : name_plot(plot, source);
}

}  // namespace tpp::weave
