// A matrix of floats that somebody else owns: what maps are drawn from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tpp::viewer {

struct MatrixView {
  const float* data = nullptr;  // (rows, cols), row-major
  int rows = 0, cols = 0;
  std::ptrdiff_t stride = 0;           // from one row to the next; 0 means cols
  const std::uint8_t* mask = nullptr;  // (rows, cols) dense, 1 where masked; null for none
  bool causal = false;                 // columns after the row (right-aligned) are masked
  bool minus_infinity_masks = true;    // −∞ is how a mask looks in logits

  bool empty() const { return data == nullptr || rows <= 0 || cols <= 0; }
  float at(int r, int c) const {
    return data[static_cast<std::ptrdiff_t>(r) * (stride ? stride : cols) + c];
  }
  bool masked(int r, int c) const;
};

inline bool MatrixView::masked(int r, int c) const {
  if (mask && mask[static_cast<std::ptrdiff_t>(r) * cols + c]) return true;
  if (causal && c > r + (cols - rows)) return true;
  return minus_infinity_masks && at(r, c) < -3.4028234e38f;
}

}  // namespace tpp::viewer
