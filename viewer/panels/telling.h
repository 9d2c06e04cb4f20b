// The tooltips of panels: the number under the mouse, of the run that is shown or of both.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "viewer/run/frame.h"
#include "viewer/view_context.h"
#include "viewer/widgets/arithmetic.h"

namespace tpp::viewer {

/// Where there are two runs, a name says whose number it is.
inline std::string whose(const ViewContext& context, Compare compare) {
  if (!context.b) return {};
  return compare == Compare::a ? "{A|A}  " : compare == Compare::b ? "{B|B}  " : "{B|B} − {A|A}  ";
}

/// Draw the tooltip of a number. `tell(frame, history)` says it for one run, as an optional Told: empty
/// where that run has no such number. With B − A it is asked of both; a number that only one of them
/// has is told of A.
template <class Tell>
void tell(ViewContext& context, const Tell& tell_of, bool subtracts = true) {
  const Frame* frame = context.shown();
  if (!frame) return;
  std::optional<Told> told = tell_of(*frame, context.shown_history());
  Compare compare = context.compare;
  if (compare == Compare::difference) {
    std::optional<Told> of_b;
    if (subtracts && context.b) of_b = tell_of(*context.b, context.history_b);
    if (told && of_b) {
      Explanation e = difference_of(*told, *of_b);
      e.name = whose(context, compare) + e.name;
      return draw_tooltip(context, e);
    }
    compare = Compare::a;
  }
  if (!told) return;
  Explanation e = explanation_of(*told);
  e.name = whose(context, compare) + e.name;
  draw_tooltip(context, e);
}

/// The same for a number that is known already, of this run.
inline void tell_one(ViewContext& context, Compare compare, const Told& told) {
  Explanation e = explanation_of(told);
  e.name = whose(context, compare) + e.name;
  draw_tooltip(context, e);
}

/// Is the mouse resting on this place of the window? For numbers that are drawn as text. Probe: the id.
inline bool resting_on(Ui& ui, const std::string& id, const Rect& rect) {
  ui.probes.record(id, rect);
  return ImGui::IsWindowHovered() &&
         ImGui::IsMouseHoveringRect(ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.bottom())) &&
         tooltip_ready(ui, id);
}

}  // namespace tpp::viewer
