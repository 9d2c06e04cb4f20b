// Which ladders of kernels can be counted: chapter, name, and the function of counts.cpp that launches them. The one
// list for ./run counts and for the viewer, which links no checked kernels and so asks that program.
#pragma once

#define TPP_COUNTED(SECTION)                          \
  SECTION("01", "product", matmul)                    \
  SECTION("04", "forward", embedding_forward)         \
  SECTION("04", "backward", embedding_backward)       \
  SECTION("05", "softmax", softmax)                   \
  SECTION("05", "softmax_backward", softmax_backward) \
  SECTION("05", "cross_entropy", cross_entropy)       \
  SECTION("06", "forward", attention_forward)         \
  SECTION("06", "backward", attention_backward)       \
  SECTION("07", "forward", position_bias_forward)     \
  SECTION("07", "backward", position_bias_backward)   \
  SECTION("08", "forward", layernorm_forward)         \
  SECTION("08", "backward", layernorm_backward)       \
  SECTION("09", "gelu", gelu_forward)                 \
  SECTION("09", "gelu_backward", gelu_backward)       \
  SECTION("09", "solu", solu_forward)                 \
  SECTION("09", "solu_backward", solu_backward)       \
  SECTION("10", "adamw", adamw)                       \
  SECTION("10", "global_norm", global_norm)           \
  SECTION("12", "forward", rmsnorm_forward)           \
  SECTION("12", "backward", rmsnorm_backward)         \
  SECTION("13", "halves", rope_halves)                \
  SECTION("13", "adjacent", rope_adjacent)            \
  SECTION("13", "backward", rope_backward)            \
  SECTION("14", "forward", swiglu_forward)            \
  SECTION("14", "backward", swiglu_backward)          \
  SECTION("15", "forward", gqa_forward)               \
  SECTION("15", "backward", gqa_backward)
