// The clock that makes tooltips wait.
#include "viewer/ui.h"

namespace tpp::viewer {

bool HoverClock::rested(std::string_view key, double now, double delay) {
  // A tenth of a second without being asked means that the mouse was elsewhere
  if (key != key_ || now - last_ > 0.1 + delay || now < last_) {
    key_ = key;
    since_ = now;
  }
  last_ = now;
  return now - since_ >= delay;
}

}  // namespace tpp::viewer
