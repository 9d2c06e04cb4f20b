// Which ladders of kernels can be counted: chapter, name, and the function of counts.cpp that launches them. The one
// list for ./run counts and for the viewer, which links no checked kernels and so asks that program.
#pragma once

#define TPP_COUNTED(SECTION)                                  \
  SECTION("01_tensor", "product", matmul)                     \
  SECTION("04_embedding", "forward", embedding_forward)       \
  SECTION("04_embedding", "backward", embedding_backward)     \
  SECTION("05_softmax", "softmax", softmax)                   \
  SECTION("05_softmax", "softmax_backward", softmax_backward) \
  SECTION("05_softmax", "cross_entropy", cross_entropy)       \
  SECTION("06_attention", "forward", attention_forward)       \
  SECTION("06_attention", "backward", attention_backward)     \
  SECTION("07_position", "forward", position_bias_forward)    \
  SECTION("07_position", "backward", position_bias_backward)  \
  SECTION("08_layernorm", "forward", layernorm_forward)       \
  SECTION("08_layernorm", "backward", layernorm_backward)     \
  SECTION("09_feedforward", "gelu", gelu_forward)             \
  SECTION("09_feedforward", "gelu_backward", gelu_backward)   \
  SECTION("09_feedforward", "solu", solu_forward)             \
  SECTION("09_feedforward", "solu_backward", solu_backward)   \
  SECTION("10_optimizer", "adamw", adamw)                     \
  SECTION("10_optimizer", "global_norm", global_norm)         \
  SECTION("12_rmsnorm", "forward", rmsnorm_forward)           \
  SECTION("12_rmsnorm", "backward", rmsnorm_backward)         \
  SECTION("13_rope", "halves", rope_halves)                   \
  SECTION("13_rope", "adjacent", rope_adjacent)               \
  SECTION("13_rope", "backward", rope_backward)               \
  SECTION("14_swiglu", "forward", swiglu_forward)             \
  SECTION("14_swiglu", "backward", swiglu_backward)           \
  SECTION("15_gqa", "forward", gqa_forward)                   \
  SECTION("15_gqa", "backward", gqa_backward)
