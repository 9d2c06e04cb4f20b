// The interface of a panel. update() computes and never draws; draw() draws and never computes: so
// panels can be tested without a window, and a frame costs what is on the screen.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "viewer/layout.h"

namespace tpp::viewer {

struct ViewContext;  // viewer/view_context.h

struct PanelInfo {
  std::string id = {};       // "attention": probes, commands, file names
  std::string title = {};    // "Attention"
  std::string chapter = {};  // "06_attention": what F1 and the reader open; empty for none
  Slot slot = Slot::attention;
};

class Panel {
 public:
  virtual ~Panel() = default;

  virtual const PanelInfo& info() const = 0;

  /// Names of values on the tape that this panel wants in the next frame, given the selection:
  /// "block2/attn/probs". Asked only while the panel is visible.
  virtual std::vector<std::string> taps(const ViewContext&) const { return {}; }

  /// Can it show B − A? A panel that cannot shows A then, and its title says so.
  virtual bool subtracts() const { return false; }

  /// New frame or new selection: compute what draw() will show. No ImGui, no textures.
  virtual void update(const ViewContext&) {}

  /// Draw into the current ImGui window, already at the panel's place. No arithmetic over tensors.
  virtual void draw(ViewContext&) = 0;

  /// Is something that it will show still being made elsewhere? Pictures wait for it.
  virtual bool waiting() const { return false; }

  /// What this panel shows and how to read it, a few sentences.
  virtual std::string explain() const { return {}; }

  /// What is shown, as CSV with a header line. Writes nothing when there is nothing to export.
  virtual void export_csv(std::ostream&) const {}

  /// What the reader chose inside this panel (a tab, a slider), as one line for the session file; and
  /// back. restore() ignores what settings() could not have written.
  virtual std::string settings() const { return {}; }
  virtual void restore(const std::string&) {}
};

/// One row of the explicit table of panels (viewer/panels/registry.cpp): no static registration.
struct PanelEntry {
  const char* id;
  std::unique_ptr<Panel> (*make)();
};

}  // namespace tpp::viewer
