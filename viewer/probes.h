// Where things are on the screen, by name: widgets say it as they draw, scripts and tours ask. A
// click in a test is "the middle of transport/play", never a pixel position.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "viewer/geometry.h"

namespace tpp::viewer {

class Probes {
 public:
  /// Forget the rectangles of the frame before the last; call once a frame.
  void begin_frame() { ++frame_; }

  /// This name is here, in this frame. Names read like paths: "attention/head/2/1".
  void record(std::string_view name, const Rect& rect);
  /// The same for the last ImGui item: `ImGui::Button("Play"); probes.item("transport/play");`
  void item(std::string_view name);

  /// These words stand here: what a tooltip says.
  void note(std::string_view name, std::string_view words);
  /// The words that were noted in this frame or the last; empty for none.
  std::string words(std::string_view name) const;

  /// Where it was in this frame or the last, if it was drawn.
  std::optional<Rect> find(std::string_view name) const;

  /// All names drawn in this frame or the last, sorted: for messages and tours.
  std::string known() const;

 private:
  struct Seen {
    Rect rect;
    long frame = 0;
  };
  struct Said {
    std::string words;
    long frame = 0;
  };
  std::map<std::string, Seen, std::less<>> seen_;
  std::map<std::string, Said, std::less<>> said_;
  long frame_ = 1;
};

}  // namespace tpp::viewer
