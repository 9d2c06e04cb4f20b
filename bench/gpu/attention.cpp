// Attention with its probabilities in memory, at the shapes of the models that train here. What it must move: q, k, v, out
// and the probabilities once; backward also their gradients.
#include "kernels/attention/attention.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Model {
  std::string name;
  twin::AttentionShape shape;
};
const Model kModels[] = {
    {"tiny × 16: 16 × 128, 4/2 heads of 32", {16, 128, 4, 2, 32, 0.17678f, {}}},
    {"tiny × 128: 128 × 128, 4/2 heads of 32", {128, 128, 4, 2, 32, 0.17678f, {}}},
    {"baby × 64: 64 × 256, 6 heads of 64", {64, 256, 6, 6, 64, 0.125f, {}}},
    {"gpt2-size × 16: 16 × 1024, 12 heads of 64", {16, 1024, 12, 12, 64, 0.125f, {}}},
};

// q, k and v are columns of one matrix
template <Storage T>
struct Buffers {
  int width;
  const T *q, *k, *v, *dout;
  T *out, *probs, *dq, *dk, *dv;

  Buffers(Arena& arena, const twin::AttentionShape& s) : width((s.H + 2 * s.G) * s.K) {
    const std::size_t rows = std::size_t(s.B) * s.T, heads = std::size_t(s.H) * s.K;
    const T* qkv = arena.normal<T>(rows * width);
    T* dqkv = arena.empty<T>(rows * width);
    q = qkv, k = q + s.H * s.K, v = k + s.G * s.K;
    dq = dqkv, dk = dq + s.H * s.K, dv = dk + s.G * s.K;
    dout = arena.normal<T>(rows * heads);
    out = arena.empty<T>(rows * heads);
    probs = arena.empty<T>(rows * s.H * s.T);
  }
  void forward(twin::Stream stream, const twin::AttentionShape& s,
               twin::AttentionVersion version) const {
    twin::attention_forward<T>(stream, q, width, k, width, v, width, nullptr, out, probs, s,
                               version);
  }
};

template <Storage T>
void add(Cases& cases, const Model& model, const std::string& name,
         twin::AttentionVersion version) {
  const twin::AttentionShape s = model.shape;
  const double rows = double(s.B) * s.T, numbers = rows * s.H * s.K + rows * s.G * s.K;
  const double probs = rows * s.H * s.T;
  cases.push_back({.twin = "attention forward",
                   .shape = model.name,
                   .storage = storage_of<T>(),
                   .version = name,
                   .bytes = double(sizeof(T)) * (2 * numbers + probs),
                   .prepare = [=](Arena& arena) -> Launch {
                     const Buffers<T> x(arena, s);
                     return [=](twin::Stream stream) { x.forward(stream, s, version); };
                   }});
  cases.push_back(
      {.twin = "attention backward",
       .shape = model.name,
       .storage = storage_of<T>(),
       .version = name,
       .bytes = double(sizeof(T)) * (4 * numbers + probs),
       .prepare = [=](Arena& arena) -> Launch {
         const Buffers<T> x(arena, s);
         float* work = arena.empty<float>(twin::attention_backward_work(s, false, version) + 1);
         x.forward(nullptr, s, version);
         return [=](twin::Stream stream) {
           twin::attention_backward<T>(stream, x.dout, x.q, x.width, x.k, x.width, x.v, x.width,
                                       x.out, x.probs, x.dq, x.width, x.dk, x.width, x.dv, x.width,
                                       nullptr, twin::Write::set, work, s, version);
         };
       }});
}

}  // namespace

void add_attention_cases(Cases& cases) {
  using Version = twin::AttentionVersion;
  for (const Model& model : kModels) {
    for_each_storage([&]<Storage T>() {
      add<T>(cases, model, "v1_unfused_naive", Version::v1_unfused_naive);
      add<T>(cases, model, "v2_unfused_tiled", Version::v2_unfused_tiled);
      add<T>(cases, model, "v3_head_fused", Version::v3_head_fused);
      if (std::is_same_v<T, Bf16>) {
        add<T>(cases, model, "v4_tensor_cores", Version::v4_tensor_cores);
      }
    });
  }
}

}  // namespace tpp::bench
