// What precision does to learning: one run in four number formats, as a table and a picture. It reads what
// `tpp train --csv` wrote and, for the speed, what it said.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/table.h"

namespace tpp::bench {

struct Curve {
  std::string name, colour;
  std::vector<double> loss;  // of step i + 1
  double validation = NAN;   // the last
  std::string speed;         // "1.8M", of the whole run
};

/// curve_NAME.csv and curve_NAME.log of a folder; a curve without a file is empty.
inline Curve read_curve(const std::filesystem::path& folder, const std::string& file,
                        const std::string& name, const std::string& colour) {
  Curve curve{.name = name, .colour = colour, .loss = {}, .validation = NAN, .speed = ""};
  std::ifstream csv(folder / ("curve_" + file + ".csv"));
  for (std::string line; std::getline(csv, line);) {
    std::istringstream cells(line);
    std::array<std::string, 3> cell;  // step, loss, validation
    for (std::string& c : cell) std::getline(cells, c, ',');
    if (cell[0].empty() || cell[0][0] < '0' || cell[0][0] > '9') continue;
    curve.loss.push_back(std::strtod(cell[1].c_str(), nullptr));
    if (!cell[2].empty()) curve.validation = std::strtod(cell[2].c_str(), nullptr);
  }
  std::ifstream log(folder / ("curve_" + file + ".log"));
  for (std::string word, last; log >> word; last = word) {
    if (word == "tokens/s") curve.speed = last;
  }
  return curve;
}

inline std::vector<Curve> read_curves(const std::filesystem::path& folder) {
  return {read_curve(folder, "cpu", "float32 on the CPU", "#222222"),
          read_curve(folder, "float32", "float32", "#0072b2"),
          read_curve(folder, "tf32", "tf32", "#d55e00"),
          read_curve(folder, "bf16", "bf16", "#00875f")};
}

inline std::string three_digits(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.3f", value);
  return std::isfinite(value) ? text : "–";
}

inline std::string curves_table(const std::vector<Curve>& curves) {
  constexpr std::array kSteps = {50, 100, 200, 400, 600};
  std::vector<std::string> header = {"precision"};
  for (const int step : kSteps) header.push_back("step " + std::to_string(step));
  header.insert(header.end(), {"validation", "tokens/s"});
  Table table(header, 1);
  for (const Curve& curve : curves) {
    std::vector<std::string> row = {curve.name};
    for (const int step : kSteps) {
      row.push_back(std::size_t(step) > curve.loss.size()
                        ? "not measured"
                        : three_digits(curve.loss[std::size_t(step - 1)]));
    }
    row.push_back(curve.loss.empty() ? "not measured" : three_digits(curve.validation));
    row.push_back(curve.speed.empty() ? "not measured" : curve.speed);
    table.row(row);
  }
  return table.text();
}

/// Two panels: the losses, which lie on each other, and how far each is from float32 on the CPU, which shows what differs.
/// A ground of its own, so that it reads the same on a light page and on a dark one.
inline std::string curves_picture(const std::vector<Curve>& curves) {
  constexpr int kWindow = 10;  // each point is the mean of so many steps
  constexpr double kWidth = 860, kHeight = 560, kLeft = 64, kRight = 836;
  constexpr double kTop1 = 76, kBottom1 = 316, kTop2 = 372, kBottom2 = 512;
  std::size_t steps = 1;
  for (const Curve& c : curves) steps = std::max(steps, c.loss.size());
  const auto means = [](const std::vector<double>& v) {
    std::vector<double> out;
    for (std::size_t i = 0; i + kWindow <= v.size(); i += kWindow) {
      double sum = 0;
      for (std::size_t j = i; j < i + kWindow; ++j) sum += v[j];
      out.push_back(sum / kWindow);
    }
    return out;
  };
  std::ostringstream svg;
  svg.precision(5);
  const auto text = [&](double x, double y, const std::string& words, const std::string& more) {
    svg << "<text x=\"" << x << "\" y=\"" << y << "\" " << more << ">" << words << "</text>\n";
  };
  const auto x_of = [&](double step) { return kLeft + (kRight - kLeft) * step / double(steps); };

  svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << " " << kHeight
      << "\" width=\"" << kWidth << "\" height=\"" << kHeight
      << "\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\" "
         "fill=\"#222222\">\n"
      << "<rect x=\"0.5\" y=\"0.5\" width=\"" << kWidth - 1 << "\" height=\"" << kHeight - 1
      << "\" rx=\"8\" fill=\"#fcfcfa\" stroke=\"#c8c8c4\"/>\n";
  text(kLeft, 30, "Loss, mean of 10 steps", "font-weight=\"600\"");
  text(kLeft, kTop2 - 14, "Difference from float32 on the CPU", "font-weight=\"600\"");

  // A panel's frame: lines at round values, their names at the left; steps below
  const auto frame = [&](double top, double bottom, double low, double high, double every,
                         int digits) {
    for (double v = std::ceil(low / every - 1e-9) * every; v <= high + 1e-9; v += every) {
      const double y = bottom - (bottom - top) * (v - low) / (high - low);
      svg << "<path d=\"M" << kLeft << " " << y << "H" << kRight << "\" stroke=\""
          << (std::abs(v) < 1e-9 ? "#8a8a86" : "#e2e2de") << "\"/>\n";
      char label[32];
      (void)std::snprintf(label, sizeof label, "%.*f", digits, std::abs(v) < 1e-9 ? 0 : v);
      text(kLeft - 8, y + 4, label, "text-anchor=\"end\"");
    }
    for (std::size_t step = 0; step <= steps; step += 100) {
      text(x_of(double(step)), bottom + 18, std::to_string(step), "text-anchor=\"middle\"");
    }
  };
  const auto line = [&](const std::vector<double>& v, const Curve& c, double top, double bottom,
                        double low, double high, double width) {
    svg << "<path fill=\"none\" stroke=\"" << c.colour << "\" stroke-width=\"" << width
        << "\" stroke-linejoin=\"round\" d=\"";
    for (std::size_t i = 0; i < v.size(); ++i) {
      svg << (i == 0 ? "M" : "L") << x_of((double(i) + 0.5) * kWindow) << " "
          << bottom - (bottom - top) * (v[i] - low) / (high - low);
    }
    svg << "\"/>\n";
  };

  // Losses: the first lines are broad, so that the later ones do not hide them
  double high = 1;
  for (const Curve& c : curves) {
    for (const double v : means(c.loss)) high = std::max(high, v);
  }
  high = std::ceil(high);
  frame(kTop1, kBottom1, 0, high, 1, 0);
  double broad = 7, legend = kLeft;
  for (const Curve& c : curves) {
    svg << "<path d=\"M" << legend << " 51h24\" stroke=\"" << c.colour << "\" stroke-width=\""
        << std::min(broad, 5.0) << "\"/>\n";
    text(legend + 32, 56, c.name + (c.loss.empty() ? " (not measured)" : ""), "");
    legend += 72 + 7.6 * double(c.name.size()) + (c.loss.empty() ? 110 : 0);
    if (!c.loss.empty()) line(means(c.loss), c, kTop1, kBottom1, 0, high, broad);
    broad -= 1.8;
  }

  // Differences
  const std::vector<double> base = means(curves.front().loss);
  std::vector<std::vector<double>> apart;
  double most = 0.01;
  for (const Curve& c : curves) {
    std::vector<double> v = means(c.loss);
    v.resize(std::min(v.size(), base.size()));
    for (std::size_t i = 0; i < v.size(); ++i) most = std::max(most, std::abs(v[i] -= base[i]));
    apart.push_back(v);
  }
  const double every = most > 0.1 ? 0.1 : most > 0.02 ? 0.02 : 0.01;
  most = std::ceil(most / every) * every;
  frame(kTop2, kBottom2, -most, most, every, 2);
  for (std::size_t i = 1; i < curves.size(); ++i) {
    if (!apart[i].empty()) line(apart[i], curves[i], kTop2, kBottom2, -most, most, 1.8);
  }
  text((kLeft + kRight) / 2, kHeight - 10, "step", "text-anchor=\"middle\"");
  svg << "</svg>\n";
  return svg.str();
}

}  // namespace tpp::bench
