// A tree of eights over a growing series.
#include "viewer/widgets/pyramid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace tpp::viewer {
namespace {
constexpr std::size_t kFan = 8;
}

Pyramid::Node Pyramid::leaf(std::size_t i) const {
  const float v = y_[i];
  if (std::isfinite(v)) return {v, v, 1, false};
  return {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), 0, true};
}

Pyramid::Node Pyramid::join(const Node& a, const Node& b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max), a.finite + b.finite, a.gap || b.gap};
}

void Pyramid::push(double x, float y) {
  if (std::isnan(x) || (!x_.empty() && x < x_.back())) {
    throw std::invalid_argument(
        "A series goes on at x = " + std::to_string(x) + " after " +
        (x_.empty() ? std::string("nothing") : std::to_string(x_.back())) +
        ": x must be a number and never go back. Use truncate_after first.");
  }
  x_.push_back(x);
  y_.push_back(y);
  ++version_;

  // Close every node that this point completes, from the lowest level up
  std::size_t done = x_.size();
  for (std::size_t k = 0; done % kFan == 0; ++k) {
    done /= kFan;
    if (levels_.size() <= k) levels_.emplace_back();
    const std::size_t first = (done - 1) * kFan;
    Node node = k == 0 ? leaf(first) : levels_[k - 1][first];
    for (std::size_t i = 1; i < kFan; ++i) {
      node = join(node, k == 0 ? leaf(first + i) : levels_[k - 1][first + i]);
    }
    levels_[k].push_back(node);
  }
}

void Pyramid::clear() {
  x_.clear();
  y_.clear();
  levels_.clear();
  ++version_;
}

void Pyramid::truncate_after(double last) {
  const auto keep =
      static_cast<std::size_t>(std::upper_bound(x_.begin(), x_.end(), last) - x_.begin());
  if (keep == x_.size()) return;
  x_.resize(keep);
  y_.resize(keep);
  std::size_t whole = keep;
  for (auto& level : levels_) {
    whole /= kFan;
    level.resize(std::min(level.size(), whole));
  }
  ++version_;
}

std::size_t Pyramid::lower_bound(double x) const {
  return static_cast<std::size_t>(std::lower_bound(x_.begin(), x_.end(), x) - x_.begin());
}

std::size_t Pyramid::nearest(double x) const {
  if (x_.empty()) return 0;
  const std::size_t i = lower_bound(x);
  if (i == x_.size()) return i - 1;
  if (i > 0 && x - x_[i - 1] < x_[i] - x) return i - 1;
  return i;
}

Pyramid::Extent Pyramid::extent(std::size_t begin, std::size_t end) const {
  end = std::min(end, x_.size());
  Node sum{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), 0,
           false};

  // Take the largest whole node that starts here and still fits
  for (std::size_t i = begin; i < end;) {
    std::size_t level = 0, span = 1;
    while (level < levels_.size() && i % (span * kFan) == 0 && i + span * kFan <= end) {
      ++level;
      span *= kFan;
    }
    sum = join(sum, level == 0 ? leaf(i) : levels_[level - 1][i / span]);
    i += span;
  }
  if (sum.finite == 0) return {0, 0, 0, sum.gap};
  return {sum.min, sum.max, sum.finite, sum.gap};
}

}  // namespace tpp::viewer
