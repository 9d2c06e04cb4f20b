// The furniture around panels: a window per slot with title, tabs and a maximise button, splitters
// between them. Drawing only; sizes come from Layout.
#pragma once

#include <string>
#include <vector>

#include "viewer/layout.h"
#include "viewer/ui.h"

namespace tpp::viewer {

/// A tab of a slot that holds several panels.
struct SlotTab {
  std::string id = {}, title = {}, chapter = {};
  std::string badge = {};  // which of two runs it shows: "A", "B", "B − A"
  Rgba badge_colour = 0;
};

struct PanelAction {
  bool maximise = false;  // the button, or a double click on the title
  bool explain = false;   // "?"
  bool png = false, csv = false;
  bool chapter = false;  // the chapter's tag was clicked
};

/// Open the window of a slot: ground, border, title bar (or tabs). Draw the panel between this and
/// end_slot. `active` is the index of the shown tab, changed by clicks. Returns the content's
/// rectangle; probes "slot/NAME", "slot/NAME/maximise", "slot/NAME/explain", "slot/NAME/png",
/// "slot/NAME/csv", "tab/ID".
Rect begin_slot(Ui& ui, Slot slot, const Rect& rect, const std::vector<SlotTab>& tabs, int& active,
                bool maximised, PanelAction* action = nullptr);
void end_slot();

/// A bar (transport, time strip, status): no title, content starts at the grid.
Rect begin_bar(Ui& ui, Slot slot, const Rect& rect);
void end_bar();

/// Draw and drag the splitters. Probes "splitter/left" and so on.
void draw_splitters(Ui& ui, Layout& layout, const LayoutFrame& frame);

/// The tab bar of a narrow window. Probes "tabs/NAME".
void draw_narrow_tabs(Ui& ui, Layout& layout, const LayoutFrame& frame);

/// The ground behind all slots.
void draw_background(Ui& ui);

}  // namespace tpp::viewer
