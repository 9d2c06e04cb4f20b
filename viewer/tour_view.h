// How a guided tour looks: all but what it is about a little darker, and near them a card that
// never covers what it points at.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "viewer/geometry.h"
#include "viewer/tour.h"
#include "viewer/ui.h"

namespace tpp::viewer {

/// Where a card of this size stands in the window: inside it, clear of every outlined rectangle if that
/// can be, near them, and off `soft` ones where there is a choice.
[[nodiscard]] Rect place_card(const std::vector<Rect>& outlined, const std::vector<Rect>& soft,
                              float width, float height, const Rect& window);

/// What is left of a window when some rectangles are cut out: rectangles that do not overlap.
[[nodiscard]] std::vector<Rect> cut_out(const Rect& window, const std::vector<Rect>& holes);

/// What the card is drawn from.
struct TourScene {
  Rect window;
  std::function<std::optional<Rect>(const std::string& probe)> find;  // the part that can be seen
  std::function<std::optional<Rect>(const std::string& panel)> panel_rect;
  std::function<std::string(const std::string& panel)> panel_title;
  double now = 0;  // seconds
};

class TourView {
 public:
  /// Shade, outlines, card; call after the panels. True when a button was used. Probes "tour/card",
  /// "tour/next", "tour/back", "tour/do", "tour/show", "tour/again", "tour/close", "tour/finish",
  /// "tour/following", "tour/question/choice/1" and so on.
  bool draw(Ui& ui, TourGuide& guide, TourWorld& world, const TourScene& scene);

  /// "The window in one minute": an offer, for the first start. Probes "tour/offer/start" and
  /// "tour/offer/close". Returns 1 for yes, −1 for no, 0 while it is open.
  int draw_offer(Ui& ui, const Tour& tour, const Rect& window);

  /// The tour that the last press of "Next:" asked for; empty for none.
  [[nodiscard]] std::string take_wish() { return std::exchange(wish_, {}); }

 private:
  void draw_shade(Ui& ui, const std::vector<Rect>& outlined, const std::vector<Rect>& lit,
                  const Rect& window);
  bool draw_step(Ui& ui, TourGuide& guide, TourWorld& world, const TourScene& scene, float width);
  bool draw_question_card(Ui& ui, TourGuide& guide, TourWorld& world, double now, float width);

  Rect card_;          // in the last frame
  Rect window_;        // then
  float height_ = 0;   // that its content took
  std::string shown_;  // tour and step that it showed
  std::string wish_;
  int settling_ = 0;  // frames in which its height may still change
};

}  // namespace tpp::viewer
