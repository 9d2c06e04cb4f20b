// Which rows of the benchmark stand in which chapter's README.
#pragma once

#include <string_view>
#include <vector>

namespace tpp::bench {

enum class Versions { all, last };

struct ChapterRow {
  std::string_view twin;
  std::string_view shape;  // begins with this; "" is every shape
  Versions versions = Versions::all;
};
struct ChapterTable {
  std::string_view folder;
  std::vector<ChapterRow> rows;
};

/// The shape of the targets with every version; the tiny model's with the one that trains.
inline const std::vector<ChapterTable>& chapter_tables() {
  constexpr auto kLast = Versions::last;
  static const std::vector<ChapterTable> tables = {
      {"01_tensor", {{"matmul", "8192"}, {"matmul", "4096"}}},
      {"04_embedding",
       {{"embedding forward", "16384 of 50304"},
        {"embedding backward", "16384 of 50304"},
        {"embedding backward", "2048 of 256"}}},
      {"05_softmax",
       {{"softmax", "65536"},
        {"softmax backward", "65536"},
        {"softmax", "8192 × 128", kLast},
        {"cross-entropy forward + backward", "8192"},
        {"cross-entropy forward + backward", "2048", kLast}}},
      {"06_attention",
       {{"attention forward", "baby"},
        {"attention backward", "baby"},
        {"attention forward", "gpt2-size", kLast},
        {"attention backward", "gpt2-size", kLast}}},
      {"07_position", {{"positions", ""}, {"positions backward", ""}}},
      {"08_layernorm",
       {{"layernorm forward", "32768"},
        {"layernorm forward + backward", "32768"},
        {"layernorm forward", "2048", kLast},
        {"layernorm forward + backward", "2048", kLast}}},
      {"09_feedforward",
       {{"bias + gelu forward", "32768"},
        {"bias + gelu backward", "32768"},
        {"bias + solu forward", "32768", kLast},
        {"bias + solu backward", "32768", kLast}}},
      {"10_optimizer",
       {{"adamw", ""}, {"adamw + bf16 copy", ""}, {"sgd", "", kLast}, {"global norm", ""}}},
      {"12_rmsnorm",
       {{"rmsnorm forward", "32768"},
        {"rmsnorm forward + backward", "32768"},
        {"rmsnorm of a residual sum, forward", "32768", kLast},
        {"rmsnorm forward", "2048", kLast},
        {"rmsnorm forward + backward", "2048", kLast}}},
      {"13_rope",
       {{"rope", ""}, {"rope, adjacent pairs", "", kLast}, {"rope, q and k of qkv", "", kLast}}},
      {"14_swiglu",
       {{"swiglu forward", "32768"},
        {"swiglu forward + backward", "32768"},
        {"swiglu forward", "2048", kLast},
        {"swiglu forward + backward", "2048", kLast}}},
      {"15_gqa",
       {{"attention forward", "tiny × 16"},
        {"attention backward", "tiny × 16"},
        {"attention forward", "tiny × 128", kLast},
        {"attention backward", "tiny × 128", kLast}}},
  };
  return tables;
}

}  // namespace tpp::bench
