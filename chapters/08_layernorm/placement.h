// Where the norm stands: four ways to wrap a sublayer and add it to the residual stream.
//
// The stream is what the blocks read from and add to. A norm on the way in (pre) leaves the stream
// itself alone, so gradients pass it untouched, but it grows with depth. A norm on the stream
// (post) keeps it small and scales every gradient that passes.
#pragma once

#include "chapters/02_tape/ops.h"

namespace tpp {

/// Paper   post: Vaswani et al. 2017, arXiv:1706.03762, section 3.1
///         pre: Xiong et al. 2020, arXiv:2002.04745
///         sandwich: Ding et al. 2021, arXiv:2105.13290
///         deepnorm: Wang et al. 2022, arXiv:2203.00555
enum class Placement {
  pre,       // x + f(norm_in(x))
  post,      // norm_out(x + f(x))
  sandwich,  // x + norm_out(f(norm_in(x)))
  deepnorm,  // norm_out(α·x + f(x))
};

/// Does the placement call norm_in, and norm_out? A norm that is not called needs no parameters.
[[nodiscard]] constexpr bool uses_norm_in(Placement placement) {
  return placement == Placement::pre || placement == Placement::sandwich;
}
[[nodiscard]] constexpr bool uses_norm_out(Placement placement) {
  return placement != Placement::pre;
}

/// DeepNorm's two numbers: the stream counts α times, and some weights start β times smaller.
struct DeepNormScale {
  double alpha = 1;  // of the stream, in every residual sum
  double beta =
      1;  // of the starts of the value, output and feed-forward weights, not query and key
};

/// For a decoder-only (or encoder-only) model of N layers, each an attention and a feed-forward
/// block.
///
///   α = (2N)^(1/4),     β = (8N)^(−1/4)
///
/// Errors  ShapeError unless layers is positive
/// Paper   Wang et al. 2022, arXiv:2203.00555, figure 2
[[nodiscard]] DeepNormScale deepnorm_scale(int layers);

/// One sublayer with its norms and its residual sum, which is recorded as "residual".
///
/// norm_in, sublayer and norm_out map a Var<T> (N, D) to a Var<T> (N, D). `alpha` is deepnorm's
/// alone.
// [snip residual_block]
template <Real T, class F, class N1, class N2>
Var<T> residual_block(Placement placement, Var<T> x, N1 norm_in, F sublayer, N2 norm_out,
                      double alpha = 1) {
  switch (placement) {
    case Placement::pre:
      return add(x, sublayer(norm_in(x)), "residual");
    case Placement::post:
      return norm_out(add(x, sublayer(x), "residual"));
    case Placement::sandwich:
      return add(x, norm_out(sublayer(norm_in(x))), "residual");
    case Placement::deepnorm:
      break;
  }
  return norm_out(add(scale(x, T(alpha), "scaled"), sublayer(x), "residual"));
}
// [/snip]

}  // namespace tpp
