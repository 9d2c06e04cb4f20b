// What the checks call.
#pragma once

#include "chapters/06_attention/attention.h"

namespace tpp::learn {

struct Answer {
  Index (*key_head)(Index h, Index H, Index G);
  void (*forward)(In<Mat<double>> q, In<Mat<double>> k, In<Mat<double>> v, Index H, Index G,
                  Out<Mat<double>> out, Out<Mat<double>> probs);
  void (*backward)(In<Mat<double>> dout, In<Mat<double>> q, In<Mat<double>> k, In<Mat<double>> v,
                   In<Mat<double>> probs, Index H, Index G, Out<Mat<double>> dq,
                   Out<Mat<double>> dk, Out<Mat<double>> dv);
};

// What `--mine` puts into the model
struct Slots {
  Index (*key_head)(Index h, Index H, Index G);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER                                                     \
  {                                                                \
    .key_head = key_head, .forward = shared_heads_forward<double>, \
    .backward = shared_heads_backward<double>                      \
  }
#define SLOTS \
  { .key_head = key_head }
