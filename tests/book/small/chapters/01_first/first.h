// Scale a row. The one idea of this file.
#pragma once
// [snip scale]
/// Scale a row by its own length: this comment is a hundred columns wide, as the widest line may be.
template <Real T>
void scale(In<Mat<T>> x, Out<Mat<T>> y) {
  y = x * T(2);
}
// [/snip]
