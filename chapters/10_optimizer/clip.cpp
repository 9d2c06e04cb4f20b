#include "chapters/10_optimizer/clip.h"

#include <array>

#include "chapters/10_optimizer/exercises/clip/reference.h"  // clip_scale

namespace tpp {

// [snip sum_of_squares]
template <Real T>
double sum_of_squares(const T* x, Index count) {
  constexpr Index kSums = 16;  // enough that no addition waits for the one before it
  std::array<double, kSums> sums{};
  const Index whole = count / kSums * kSums;
  for (Index i = 0; i < whole; i += kSums) {
    for (Index k = 0; k < kSums; ++k) sums[k] += double(x[i + k]) * double(x[i + k]);
  }
  for (Index i = whole; i < count; ++i) sums[i - whole] += double(x[i]) * double(x[i]);

  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}
// [/snip]

template double sum_of_squares<float>(const float*, Index);
template double sum_of_squares<double>(const double*, Index);

}  // namespace tpp
