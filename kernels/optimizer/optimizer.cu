// guard: optimizer_v2 has ld.global.v4 st.global.v4
#include "kernels/optimizer/optimizer.h"

#include "kernels/optimizer/v1_thread_per_weight.cuh"
#include "kernels/optimizer/v2_vector_loads.cuh"

namespace tpp::twin {
namespace {

constexpr int kThreads = 256, kPacks = 1;

unsigned blocks_for(std::size_t items, int a_block) {
  const std::size_t blocks = ceil_div(items, std::size_t(a_block));
  require(blocks <= 0x7fffffff, "optimizer: more weights than a launch can have blocks for");
  return unsigned(blocks);
}

template <OptimizerKind kKind>
void update(cudaStream_t stream, const OptimizerRule& r, const OptimizerStep* step,
            const unsigned char* decay_of_line, float* w, const float* g, float* m, float* v,
            __nv_bfloat16* copy, std::size_t n, OptimizerVersion version) {
  require(step != nullptr && w != nullptr && g != nullptr,
          "optimizer: the step, weights and gradients must be there");
  require(!kHasM<kKind> || m != nullptr, "optimizer: this kind needs a buffer m of first moments");
  require(!kHasV<kKind> || v != nullptr, "optimizer: this kind needs a buffer v of second moments");
  const FloatRule rule{float(r.momentum),  float(r.beta1), float(1 - r.beta1),   float(r.beta2),
                       float(1 - r.beta2), float(r.eps),   float(r.weight_decay)};

  // Whole packs at once; the last few numbers, or all of a buffer that starts in the middle of a pack, one by one
  const auto at_pack = [](const void* p, std::uintptr_t bytes) {
    return reinterpret_cast<std::uintptr_t>(p) % bytes == 0;
  };
  const bool vectors = version != OptimizerVersion::v1_thread_per_weight && at_pack(w, 16) &&
                       at_pack(g, 16) && (!kHasM<kKind> || at_pack(m, 16)) &&
                       (!kHasV<kKind> || at_pack(v, 16)) && at_pack(copy, 8);
  const std::size_t packs = vectors ? n / kPack<float> : 0, whole = packs * kPack<float>;
  if (packs > 0) {
    launch(optimizer_v2<kKind, kThreads, kPacks>, blocks_for(packs, kThreads * kPacks), kThreads, 0,
           stream)(rule, step, decay_of_line, w, g, m, v, copy, packs);
  }
  if (whole == n) return;  // as it is when every parameter has whole lines
  const auto after = [whole](auto* p) { return p == nullptr ? p : p + whole; };
  launch(optimizer_v1<kKind>, blocks_for(n - whole, kThreads), kThreads, 0, stream)(
      rule, step, decay_of_line == nullptr ? nullptr : decay_of_line + whole / kDecayLine,
      w + whole, g + whole, after(m), after(v), after(copy), n - whole);
}

}  // namespace

void optimizer_update(Stream stream, const OptimizerRule& rule, const OptimizerStep* step,
                      const unsigned char* decay_of_line, float* w, const float* g, float* m,
                      float* v, Bf16* copy, std::size_t n, OptimizerVersion version) {
  const auto is_rate = [](double beta) { return beta >= 0 && beta < 1; };
  require(is_rate(rule.momentum) && is_rate(rule.beta1) && is_rate(rule.beta2),
          "optimizer: momentum, beta1 and beta2 must lie in [0, 1)");
  if (n == 0) return;
  const auto run = [&](auto kernel_of) {
    kernel_of(cuda_stream(stream), rule, step, decay_of_line, w, g, m, v, native(copy), n, version);
  };
  switch (rule.kind) {
    case OptimizerKind::sgd:
      return run(update<OptimizerKind::sgd>);
    case OptimizerKind::momentum:
      return run(update<OptimizerKind::momentum>);
    case OptimizerKind::adam:
      return run(update<OptimizerKind::adam>);
    case OptimizerKind::adamw:
      return run(update<OptimizerKind::adamw>);
  }
  require(false, "optimizer: there is no such kind");
}

}  // namespace tpp::twin
