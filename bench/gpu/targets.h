// The rows that have a target (TARGETS: share of the copy bandwidth, or of cuBLASLt's product), by their names. A case
// with such a name, shape and storage is held to it; bench/peers/torch_gpu.py measures PyTorch under the same names.
#pragma once

#include <array>
#include <string_view>

namespace tpp::bench {

struct Target {
  std::string_view twin, shape, storage;
  double share;  // of the limit, at least
};

// What counts as moved, in numbers of the tensor: rmsnorm and layernorm forward 2 (x, y), forward + backward 5 (x, y; x, dy,
// dx); swiglu forward 3 (gate, value, y), forward + backward 8 (and gate, value, dy, dgate, dvalue); rope 2; softmax 2;
// cross-entropy forward + backward 2 (logits, dlogits); adamw 7 (p, g, m, v; p, m, v). Gains, statistics and indices add
// their bytes once.
inline constexpr std::array kTargets = {
    Target{"rmsnorm forward", "32768 × 2048", "float", 0.90},
    Target{"rmsnorm forward", "32768 × 2048", "bf16", 0.90},
    Target{"rmsnorm forward + backward", "32768 × 2048", "float", 0.90},
    Target{"rmsnorm forward + backward", "32768 × 2048", "bf16", 0.90},
    Target{"layernorm forward", "32768 × 2048", "float", 0.90},
    Target{"layernorm forward", "32768 × 2048", "bf16", 0.90},
    Target{"swiglu forward", "32768 × 5504", "float", 0.95},
    Target{"swiglu forward", "32768 × 5504", "bf16", 0.95},
    Target{"swiglu forward + backward", "32768 × 5504", "float", 0.95},
    Target{"swiglu forward + backward", "32768 × 5504", "bf16", 0.95},
    Target{"rope", "8 × 4096 × 16 × 128", "float", 0.90},
    Target{"rope", "8 × 4096 × 16 × 128", "bf16", 0.90},
    Target{"cross-entropy forward + backward", "8192 × 50304", "float", 0.90},
    Target{"cross-entropy forward + backward", "8192 × 50304", "bf16", 0.90},
    Target{"softmax", "65536 × 1024", "float", 0.95},
    Target{"softmax", "65536 × 1024", "bf16", 0.90},
    Target{"adamw", "134 M", "float", 0.90},
    Target{"matmul", "8192 × 8192 × 8192", "float", 0.85},
    Target{"matmul", "8192 × 8192 × 8192", "bf16", 0.55},
};

}  // namespace tpp::bench
