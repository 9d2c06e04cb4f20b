// The book's pictures in the reader.
#include "viewer/reader/figures.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "chapters/01_tensor/errors.h"
#include "viewer/compat.h"
#include "viewer/reader/formula_box.h"
#include "viewer/widgets/curve.h"

namespace tpp::viewer {

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return bytes.size() > (64u << 20) ? std::string() : bytes;
}

/// Without its pixels: a page with many pictures decodes those that are seen.
bool read_size(const std::string& bytes, int& width, int& height) {
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  int channels = 0;
  return !bytes.empty() &&
         stbi_info_from_memory(data, int(bytes.size()), &width, &height, &channels) != 0 &&
         width > 0 && height > 0 && long(width) * height <= 64'000'000;
}

}  // namespace

std::optional<Image> read_png(const std::filesystem::path& path) {
  const std::string bytes = bytes_of(path);
  int width = 0, height = 0, channels = 0;
  if (!read_size(bytes, width, height)) return {};
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  stbi_uc* pixels = stbi_load_from_memory(data, int(bytes.size()), &width, &height, &channels, 4);
  if (!pixels) return {};
  Image image(width, height);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const stbi_uc* p = pixels + 4 * i;
    image.pixels[i] = rgba(p[0], p[1], p[2], p[3]);
  }
  stbi_image_free(pixels);
  return image;
}

// --- Plots ------------------------------------------------------------------------------------------

namespace {

using Json = nlohmann::json;

double number(const Json& value) { return value.is_number() ? value.get<double>() : NAN; }

std::vector<double> numbers(const Json& line, const char* field) {
  std::vector<double> found;
  if (!line.contains(field) || !line.at(field).is_array()) return found;
  for (const Json& value : line.at(field)) found.push_back(number(value));
  return found;
}

Plot::Axis axis(const Json& plot, const char* field) {
  Plot::Axis axis;
  if (!plot.contains(field) || !plot.at(field).is_object()) return axis;
  axis.label = plot.at(field).value("label", "");
  axis.log = plot.at(field).value("log", false);
  return axis;
}

/// The labels of all plots of a file, in order, where this plot shares one with another; else nothing.
std::vector<std::string> labels_in_common(const Json& plots, const std::string& which) {
  constexpr std::size_t kLooks = 8;  // more would repeat colours
  std::vector<std::string> labels;
  bool shared = false;
  for (const auto& [name, plot] : plots.items()) {
    for (const Json& series : plot.at("series")) {
      const std::string label = series.value("label", "");
      const bool known = std::find(labels.begin(), labels.end(), label) != labels.end();
      if (!known) labels.push_back(label);
      if (name == which) continue;
      for (const Json& mine : plots.at(which).at("series")) {
        shared = shared || mine.value("label", "") == label;
      }
    }
  }
  if (!shared || labels.size() > kLooks) labels.clear();
  return labels;
}

}  // namespace

Plot read_plot(const std::filesystem::path& results, std::string_view name) {
  const std::size_t hash = name.find('#');
  const std::string file(name.substr(0, hash)),
      which(hash == std::string_view::npos ? "main" : name.substr(hash + 1));
  const std::filesystem::path path = results / (file + ".json");
  std::ifstream in(path);
  if (!in) throw InputError("There are no figures for this plot: " + file + ".json is missing.");
  try {
    const Json plots = Json::parse(in).at("plots");
    const Json plot = plots.at(which);
    const std::vector<std::string> looks = labels_in_common(plots, which);
    Plot made;
    made.title = plot.value("title", "");
    made.x = axis(plot, "x");
    made.y = axis(plot, "y");
    for (const Json& series : plot.at("series")) {
      Plot::Line line;
      line.label = series.value("label", "");
      line.y = numbers(series, "y");
      line.low = numbers(series, "low");
      line.high = numbers(series, "high");
      for (const Json& x : series.at("x")) {
        if (x.is_string()) {
          const auto at = std::find(made.names.begin(), made.names.end(), x.get<std::string>());
          line.x.push_back(double(at - made.names.begin()));
          if (at == made.names.end()) made.names.push_back(x.get<std::string>());
        } else {
          line.x.push_back(number(x));
        }
      }
      line.x.resize(line.y.size(), NAN);
      if (line.low.size() != line.y.size() || line.high.size() != line.y.size()) {
        line.low.clear();
        line.high.clear();
      }
      const auto look = std::find(looks.begin(), looks.end(), line.label);
      line.look = look == looks.end() ? int(made.lines.size()) : int(look - looks.begin());
      made.lines.push_back(std::move(line));
    }
    return made;
  } catch (const Json::exception&) {
    throw InputError("The figures of this plot, " + file + ".json#" + which + ", cannot be read.");
  }
}

namespace {

/// From numbers to places on one axis.
struct Scale {
  double low = 0, high = 1;
  bool log = false;
  float from = 0, to = 1;

  [[nodiscard]] double inner(double v) const { return log ? std::log10(v) : v; }
  [[nodiscard]] float at(double v) const {
    return from + float((inner(v) - inner(low)) / (inner(high) - inner(low))) * (to - from);
  }
  [[nodiscard]] bool shows(double v) const { return std::isfinite(v) && (!log || v > 0); }
};

/// Round numbers from low to high, about `count` of them.
std::vector<double> ticks(const Scale& scale, int count) {
  std::vector<double> found;
  if (scale.log) {
    for (double power = std::pow(10, std::floor(std::log10(scale.low))); power <= scale.high;
         power *= 10) {
      for (const double m : {1.0, 2.0, 5.0}) {
        const bool all = std::log10(scale.high / scale.low) < 2;
        if (power * m >= scale.low && power * m <= scale.high && (all || m == 1)) {
          found.push_back(power * m);
        }
      }
    }
    return found;
  }
  const double rough = (scale.high - scale.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double m : {5.0, 2.0, 1.0}) {
    if (power * m >= rough) step = power * m;
  }
  for (double v = std::ceil(scale.low / step) * step; v <= scale.high + step * 1e-6; v += step) {
    found.push_back(std::abs(v) < step * 1e-6 ? 0 : v);
  }
  return found;
}

Scale fit(const Plot& plot, bool vertical) {
  Scale scale;
  scale.log = vertical ? plot.y.log : plot.x.log;
  double low = INFINITY, high = -INFINITY;
  const auto see = [&](double v) {
    if (!std::isfinite(v) || (scale.log && v <= 0)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  };
  for (const Plot::Line& line : plot.lines) {
    for (const double v : vertical ? line.y : line.x) see(v);
    if (!vertical) continue;
    for (const double v : line.low) see(v);
    for (const double v : line.high) see(v);
  }
  if (!(low <= high)) low = scale.log ? 0.1 : 0, high = 1;
  if (!vertical && !plot.names.empty()) low -= 0.4, high += 0.4;
  if (scale.log) {
    if (low == high) low /= 2, high *= 2;
    if (vertical) {
      const double room = std::pow(high / low, 0.06);
      low /= room;
      high *= room;
    }
  } else {
    const double room = (high > low ? high - low : std::max(1e-9, std::abs(high))) * 0.06;
    if (vertical || low == high) low -= room, high += room;
  }
  scale.low = low;
  scale.high = high;
  return scale;
}

}  // namespace

void draw_plot(Ui& ui, const Plot& plot, const Rect& rect) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.bottom()), p.raised,
                      t.px(4));
  const float size = t.font_size(Font::small);
  const auto width_of = [&](const std::string& text) {
    return text_width(t, Font::small, size, text);
  };
  const auto put = [&](float x, float y, Rgba colour, const std::string& text) {
    list->AddText(t.font(Font::small), size, ImVec2(std::floor(x), std::floor(y)), colour,
                  text.c_str());
  };

  // The names of the lines above, as many to a row as there is room for
  float y = rect.y + t.px(8), x = rect.x + t.px(12);
  if (!plot.title.empty()) {
    put(x, y, p.text, plot.title);
    y += size + t.px(6);
  }
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const float w = t.px(22) + width_of(plot.lines[i].label) + t.px(14);
    if (x + w > rect.right() && x > rect.x + t.px(12)) {
      x = rect.x + t.px(12);
      y += size + t.px(3);
    }
    const float middle = y + size / 2;
    list->AddLine(ImVec2(x, middle), ImVec2(x + t.px(16), middle), t.series(plot.lines[i].look),
                  t.px(2));
    put(x + t.px(22), y, p.muted, plot.lines[i].label);
    x += w;
  }
  y += size + t.px(8);

  // Axes, with round numbers
  Scale across = fit(plot, false), up = fit(plot, true);
  float left = 0;
  const std::vector<double> marks = ticks(up, 5);
  for (const double v : marks) left = std::max(left, width_of(number_text(v, 3)));
  const Rect inner{rect.x + t.px(16) + left, y + (plot.y.label.empty() ? 0 : size + t.px(2)),
                   rect.w - left - t.px(32), 0};
  const float bottom = rect.bottom() - t.px(14) - size - (plot.x.label.empty() ? 0 : size);
  across.from = inner.x;
  across.to = inner.right();
  up.from = bottom;
  up.to = inner.y;
  if (bottom - inner.y < t.px(30) || inner.w < t.px(40)) return;
  if (!plot.y.label.empty()) put(rect.x + t.px(12), y - t.px(2), p.muted, plot.y.label);
  for (const double v : marks) {
    const float at = std::floor(up.at(v));
    list->AddLine(ImVec2(inner.x, at), ImVec2(inner.right(), at), p.grid);
    const std::string text = number_text(v, 3);
    put(inner.x - t.px(6) - width_of(text), at - size / 2, p.muted, text);
  }
  const auto name_below = [&](double v, const std::string& text) {
    const float at = across.at(v);
    list->AddLine(ImVec2(at, bottom), ImVec2(at, bottom + t.px(3)), p.muted);
    put(std::clamp(at - width_of(text) / 2, rect.x, rect.right() - width_of(text)),
        bottom + t.px(4), p.muted, text);
  };
  if (plot.names.empty()) {
    for (const double v : ticks(across, 6)) name_below(v, number_text(v, 3));
  } else {
    for (std::size_t i = 0; i < plot.names.size(); ++i) name_below(double(i), plot.names[i]);
  }
  if (!plot.x.label.empty()) {
    put(inner.right() - width_of(plot.x.label), bottom + t.px(6) + size, p.muted, plot.x.label);
  }

  list->PushClipRect(ImVec2(inner.x, inner.y - 1), ImVec2(inner.right(), bottom + 1), true);
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const Plot::Line& line = plot.lines[i];
    const Rgba colour = t.series(line.look);
    std::vector<ImVec2> points;
    const auto end_line = [&] {
      if (points.size() > 1 && plot.names.empty()) {
        compat::add_polyline(list, points.data(), int(points.size()), colour, false, t.px(2));
      }
      points.clear();
    };
    for (std::size_t k = 0; k < line.y.size(); ++k) {
      if (!across.shows(line.x[k]) || !up.shows(line.y[k])) {
        end_line();
        continue;
      }
      // Points of one name stand beside each other
      const float nudge =
          plot.names.empty() ? 0 : t.px(5) * (float(i) - float(plot.lines.size() - 1) / 2);
      const ImVec2 at(across.at(line.x[k]) + nudge, up.at(line.y[k]));
      if (!line.low.empty() && up.shows(line.low[k]) && up.shows(line.high[k])) {
        list->AddLine(ImVec2(at.x, up.at(line.low[k])), ImVec2(at.x, up.at(line.high[k])),
                      with_alpha(colour, plot.names.empty() ? 90 : 255), t.px(2));
      }
      if (line.y.size() < 24 || !plot.names.empty()) list->AddCircleFilled(at, t.px(3), colour, 12);
      points.push_back(at);
    }
    end_line();
  }
  list->PopClipRect();
}

// --- What was read -----------------------------------------------------------------------------------

Figures::Picture& Figures::picture(const std::string& file) {
  const auto [at, is_new] = pictures_.try_emplace(file);
  Picture& p = at->second;
  if (is_new && !read_size(bytes_of(root_ / file), p.width, p.height)) p.width = p.height = 0;
  return p;
}

float Figures::height(const std::string& file, float width) {
  const Picture& p = picture(file);
  if (p.width == 0) return 0;
  return std::round(width * float(p.height) / float(p.width));
}

void Figures::draw_picture(Ui& ui, const std::string& file, const Rect& rect) {
  Picture& p = picture(file);
  if (p.width == 0) return;
  if (!p.texture) {
    if (std::max(p.width, p.height) > ui.textures.max_side()) return;
    const std::optional<Image> image = read_png(root_ / file);
    if (!image || image->width != p.width || image->height != p.height) {
      p.width = 0;  // damaged, or another by now
      return;
    }
    p.texture = Texture(ui.textures, p.width, p.height, Filter::linear);
    p.texture.update(image->pixels.data());
  }
  ImGui::GetWindowDrawList()->AddImage(compat::texture_id(p.texture.handle()),
                                       ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.bottom()));
}

void Figures::draw_plot_named(Ui& ui, const std::string& name, const Rect& rect) {
  const auto [at, is_new] = plots_.try_emplace(name);
  NamedPlot& found = at->second;
  if (is_new) {
    try {
      found.plot = read_plot(root_ / "bench" / "results", name);
    } catch (const InputError& error) {
      found.error = error.what();
    }
  }
  if (found.plot) {
    draw_plot(ui, *found.plot, rect);
  } else {
    ImGui::GetWindowDrawList()->AddText(ImVec2(rect.x, rect.y), ui.colours().muted,
                                        found.error.c_str());
  }
}

}  // namespace tpp::viewer
