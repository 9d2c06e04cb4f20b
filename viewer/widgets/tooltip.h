// The explain tooltip: what this number is, its formula, the same with the numbers in it, the
// result, why it matters, and where the code is. At most seven lines.
#pragma once

#include <string>
#include <string_view>

#include "viewer/ui.h"

namespace tpp::viewer {

/// All parts are rich text (rich_text.h). Empty parts are left out.
struct Explanation {
  std::string name = {};     // "attention probability, layer 2, head 1, query 7 → key 3"
  std::string formula = {};  // "softmax_{T|s}(q·k / √{D|K})"
  std::string numbers = {};  // "exp(1.92 − 3.01) / 4.43"
  std::string result = {};   // "0.0759"
  std::string why = {};      // one line
  std::string source = {};   // "FILE: NAME" (code_places.h); shown as "FILE:LINE"
};

/// Has the mouse rested on `key` for 150 ms? Ask before composing the text: it saves the work.
bool tooltip_ready(Ui& ui, std::string_view key);

/// Draw it at the mouse, now. Probe "tooltip"; its parts are the words "tooltip/name", "tooltip/formula",
/// "tooltip/numbers", "tooltip/result", "tooltip/why" and "tooltip/source".
void draw_tooltip(Ui& ui, const Explanation& explanation);

/// A one-line hint for the last item, after the same wait: `ImGui::Button("▶"); hint(ui, "Play");`
void hint(Ui& ui, std::string_view text, std::string_view shortcut = {});

}  // namespace tpp::viewer
