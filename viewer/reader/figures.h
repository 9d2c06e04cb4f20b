// The book's pictures in the reader: PNG files as textures, and plots drawn from their figures in the
// colours of the window.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/geometry.h"
#include "viewer/image.h"
#include "viewer/ui.h"

namespace tpp::viewer {

/// Nothing where the file is missing, damaged, or larger than 64 million pixels.
[[nodiscard]] std::optional<Image> read_png(const std::filesystem::path& path);

/// A plot of bench/results/NAME.json: lines, or points where x are names.
struct Plot {
  struct Line {
    std::string label;
    std::vector<double> x, y, low, high;  // low and high: a band, or empty
    int look = 0;                         // its colour: one label, one colour in a file's plots
  };
  struct Axis {
    std::string label;
    bool log = false;
  };
  std::string title;
  Axis x, y;
  std::vector<std::string> names;  // of x = 0, 1, …, where x are names
  std::vector<Line> lines;
};

/// "13_length#main" of a folder with results. Errors: InputError, one sentence
[[nodiscard]] Plot read_plot(const std::filesystem::path& results, std::string_view name);

void draw_plot(Ui& ui, const Plot& plot, const Rect& rect);

/// Pictures and plots that were read, by their file.
class Figures {
 public:
  explicit Figures(std::filesystem::path root) : root_(std::move(root)) {}

  /// Height for a width; 0 where there is no such picture. `file` is from the root.
  [[nodiscard]] float height(const std::string& file, float width);
  void draw_picture(Ui& ui, const std::string& file, const Rect& rect);
  void draw_plot_named(Ui& ui, const std::string& name, const Rect& rect);

  /// Between two frames: a picture that is still to be drawn would be missing.
  void forget_pictures() { pictures_.clear(); }

 private:
  struct Picture {
    int width = 0, height = 0;  // 0: there is none
    Texture texture;            // from when it is first seen
  };
  struct NamedPlot {
    std::optional<Plot> plot;
    std::string error;
  };
  Picture& picture(const std::string& file);

  std::filesystem::path root_;
  std::map<std::string, Picture> pictures_;
  std::map<std::string, NamedPlot> plots_;
};

}  // namespace tpp::viewer
