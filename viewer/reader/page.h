// A document laid out for a width: where each word, line, picture and link stands.
//
// Laying out costs a few milliseconds and is done once for a page, a width and a look; drawing then
// walks only over what is in view. So a long chapter costs a frame no more than a short one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/book/document.h"
#include "viewer/geometry.h"
#include "viewer/reader/formula_box.h"
#include "viewer/theme.h"

namespace tpp::viewer {

/// Pieces that are drawn together and scroll together: the page itself, or a wide block inside it.
struct Canvas {
  struct Text {
    ImVec2 at;  // top left
    Font font = Font::body;
    float size = 0;
    Rgba colour = 0;
    std::string text;
  };
  struct Fill {
    Rect rect;
    Rgba colour = 0;
    float rounding = 0;
  };
  struct Formula {
    ImVec2 baseline;
    FormulaBox box;
    Rgba colour = 0;
  };
  struct Link {
    Rect rect;
    std::string target;  // as the document has it
  };
  std::vector<Fill> fills;  // below everything
  std::vector<Text> texts;
  std::vector<Formula> formulas;
  std::vector<Link> links;
  float width = 0, height = 0;
};

struct Page {
  Canvas body;

  /// A block that is wider than the page: it has a box, and scrolls sideways inside it.
  struct Wide {
    Rect rect;
    Canvas inside;
    int line = 0;  // of the file, at the top; for code with line numbers
    float line_height = 0;
  };
  std::vector<Wide> wide;

  struct Picture {
    Rect rect;           // its height is a guess until the picture is read
    std::string target;  // as the document has it
    std::string words;   // what it shows
    std::string plot;    // "13_length#main" where a directive names the figures; else empty
  };
  std::vector<Picture> pictures;

  struct Heading {
    float y = 0;
    int level = 1;
    std::string slug, text;
  };
  std::vector<Heading> headings;
  float height = 0;
};

/// How high a picture is for a width; 0 where it cannot be shown.
using PictureHeight = std::function<float(const std::string& target, float width)>;

/// A source file by its path from the repository's root; empty where it cannot be read.
using SourceText = std::function<std::string(const std::string& file)>;

/// Lay out for a width in window units. A region that leaves lines out is numbered by its source. Needs a current ImGui context with the theme's fonts.
[[nodiscard]] Page lay_out(const book::Document& document, const Theme& theme, float width,
                           const PictureHeight& picture_height, const SourceText& source_text = {});

}  // namespace tpp::viewer
