// Smallest and largest of any stretch of a long series in logarithmic time: a million points draw
// as fast as a thousand, and no spike is lost.
#pragma once

#include <cstddef>
#include <vector>

namespace tpp::viewer {

/// A series y over x that only grows. NaN is a gap; it counts in no minimum or maximum.
class Pyramid {
 public:
  struct Extent {
    float min = 0, max = 0;  // of the finite values
    std::size_t finite = 0;  // how many; 0 makes min and max meaningless
    bool gap = false;        // some value was not finite
  };

  /// Append a point. Errors: std::invalid_argument when x is not a number or below the last one.
  void push(double x, float y);
  void clear();
  /// Drop all points with x > last: the run went back in time.
  void truncate_after(double last);

  std::size_t size() const { return x_.size(); }
  bool empty() const { return x_.empty(); }
  double x(std::size_t i) const { return x_[i]; }
  float y(std::size_t i) const { return y_[i]; }
  double front_x() const { return x_.front(); }
  double back_x() const { return x_.back(); }

  /// First index with x[i] ≥ x; size() when there is none.
  std::size_t lower_bound(double x) const;
  /// The index whose x is nearest; size() when empty.
  std::size_t nearest(double x) const;

  /// Over points begin … end−1. Cost: O(log n).
  Extent extent(std::size_t begin, std::size_t end) const;

  /// Grows with every change.
  unsigned long version() const { return version_; }

 private:
  struct Node {
    float min, max;  // +∞, −∞ when nothing finite
    std::size_t finite;
    bool gap;
  };
  Node leaf(std::size_t i) const;
  static Node join(const Node& a, const Node& b);

  std::vector<double> x_;
  std::vector<float> y_;
  std::vector<std::vector<Node>> levels_;  // levels_[k][i]: points i·8^(k+1) … (i+1)·8^(k+1)−1
  unsigned long version_ = 0;
};

}  // namespace tpp::viewer
