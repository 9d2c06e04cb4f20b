// A line of text whose dimensions have their colours: "scores ({T|T}, {T|S}), width {D|K}".
#pragma once

#include <imgui.h>

#include <string>
#include <string_view>
#include <vector>

#include "viewer/ui.h"

namespace tpp::viewer {

/// {T|…} time, {D|…} width, {H|…} head, {P|…} pair, {V|…} vocabulary, {A|…} run A, {B|…} run B,
/// {*|…} accent, {-|…} muted, {`|…} as code is set. Anything else in braces is left as it is.
struct TextRun {
  std::string_view text;
  char mark = 0;  // the letter before the bar, 0 for plain
};
std::vector<TextRun> parse_rich(std::string_view text);

/// Draw at the cursor (frame padding is not added), wrapping at `wrap` window units (0: no wrapping).
void draw_rich(Ui& ui, std::string_view text, float wrap = 0);

/// The same at a place on a draw list, on one line; returns its width.
float add_rich(Ui& ui, ImDrawList* list, ImVec2 at, std::string_view text, Rgba colour = 0);

/// The text without its marks.
std::string plain_text(std::string_view text);

}  // namespace tpp::viewer
