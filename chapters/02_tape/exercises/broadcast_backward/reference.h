// Backward of a broadcast: what the forward gave to every row gets a gradient from every row.
//
//   y[n] = x[n] + b        x and y (N, D), b (1, D)
//
// dx is a copy of dy; here is db.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// The gradient of the row b. Write::set: db may hold anything before. Write::add: b was used elsewhere too, and db
/// holds the gradient of that use, to which this one is added.
///
/// Shapes  dy (N, D) → db (1, D)
// [snip add_row_backward]
template <Real T>
void add_row_backward(In<Mat<T>> dy, Out<Mat<T>> db, Write write) {
  // [hole row "Write db, as `write` says. It has one row."]
  // Every row of y was given b, so every row sends a gradient back
  if (write == Write::set) {
    db = dy.colwise().sum();
  } else {
    db += dy.colwise().sum();
  }
  // [/hole]
}
// [/snip]

}  // namespace tpp
