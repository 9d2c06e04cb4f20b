// What the checks call.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp::learn {

struct Answer {
  std::pair<Index, Index> (*place)(Index B, Index T, Index H, Index K, Index b, Index h, Index t,
                                   Index k);
  Index (*probs_row)(Index B, Index T, Index H, Index K, Index b, Index h, Index t);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER                                                                       \
  {                                                                                  \
    .place =                                                                         \
        [](Index B, Index T, Index H, Index K, Index b, Index h, Index t, Index k) { \
          const auto place = head_place({B, T, H, K}, b, h, t, k);                   \
          return std::pair<Index, Index>(place.row, place.col);                      \
        },                                                                           \
    .probs_row = [](Index B, Index T, Index H, Index K, Index b, Index h, Index t) { \
      return Index(probs_row({B, T, H, K}, b, h, t));                                \
    }                                                                                \
  }
