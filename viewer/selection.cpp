// Hover, lock, release: what each does to the shared selection.
#include "viewer/selection.h"

namespace tpp::viewer {
namespace {

// Call f on every field of two places.
template <class A, class B, class F>
void each_field(A& a, B& b, F f) {
  f(a.run, b.run);
  f(a.step, b.step);
  f(a.layer, b.layer);
  f(a.head, b.head);
  f(a.query, b.query);
  f(a.key, b.key);
  f(a.pair, b.pair);
  f(a.parameter, b.parameter);
}

bool agrees(const Place& asked, const Place& with) {
  bool any = false, all = true;
  each_field(asked, with, [&](const auto& a, const auto& b) {
    if (!a) return;
    any = true;
    all = all && b && *a == *b;
  });
  return any && all;
}

}  // namespace

Place Place::over(const Place& under) const {
  Place out = *this;
  each_field(out, under, [](auto& a, const auto& b) {
    if (!a) a = b;
  });
  return out;
}

void Selection::begin_frame() {
  if (!(next_ == hovered_)) ++version_;
  hovered_ = std::move(next_);
  next_ = Place{};
}

void Selection::hover(const Place& place) { next_ = place.over(next_); }

void Selection::lock(const Place& place) {
  if (place.empty()) return;
  ++version_;
  if (agrees(place, locked_)) {
    each_field(locked_, place, [](auto& l, const auto& p) {
      if (p) l.reset();
    });
  } else {
    locked_ = place.over(locked_);
  }
}

void Selection::set(const Place& place) {
  Place now = place.over(locked_);
  if (now == locked_) return;
  locked_ = std::move(now);
  ++version_;
}

bool Selection::release() {
  if (locked_.empty()) return false;
  locked_ = Place{};
  ++version_;
  return true;
}

bool Selection::is_hovered(const Place& place) const { return agrees(place, hovered_); }
bool Selection::is_locked(const Place& place) const { return agrees(place, locked_); }

}  // namespace tpp::viewer
