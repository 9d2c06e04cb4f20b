// The products of the models' layers by the library: its first suggestion, and the fastest of eight.
#include "kernels/cublaslt/product.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Layer {
  const char* name;
  twin::ProductShape shape;
};

// y = x·wᵀ, dx = dy·w, dw = dyᵀ·x of one layer with N rows
void append(std::vector<Layer>& layers, const char* forward, const char* dx, const char* dw, int N,
            int out, int in) {
  layers.push_back({forward, {.transpose_b = true, .M = N, .N = out, .K = in}});
  layers.push_back({dx, {.M = N, .N = in, .K = out}});
  layers.push_back({dw, {.transpose_a = true, .M = out, .N = in, .K = N}});
}

template <Storage T, Storage Out>
void add_product(Cases& cases, const Layer& layer, const std::string& storage, bool tf32,
                 bool tune) {
  const twin::ProductShape s = layer.shape;
  const auto size = [](int rows, int columns) { return std::size_t(rows) * std::size_t(columns); };
  cases.push_back(
      {.twin = std::string("layer product: ") + layer.name,
       .shape = std::to_string(s.M) + " × " + std::to_string(s.N) + " × " + std::to_string(s.K),
       .storage = storage,
       .version = tune ? "fastest of eight" : "first suggestion",
       .flops = 2.0 * s.M * s.N * s.K,
       .limit = std::is_same_v<T, Bf16> ? Limit::bf16_product
                : tf32                  ? Limit::tf32_product
                                        : Limit::float_product,
       .prepare = [=](Arena& arena) -> Launch {
         const T *a = arena.normal<T>(size(s.M, s.K)), *b = arena.normal<T>(size(s.K, s.N));
         Out* c = arena.empty<Out>(size(s.M, s.N));
         const int lda = s.transpose_a ? s.M : s.K, ldb = s.transpose_b ? s.K : s.N;
         twin::tune_products(tune);
         return [=](twin::Stream stream) {
           twin::product(stream, s, a, lda, b, ldb, c, s.N, twin::Write::set, tf32);
         };
       }});
}

}  // namespace

void add_cublaslt_cases(Cases& cases) {
  std::vector<Layer> layers;
  append(layers, "tiny qkv", "tiny qkv dx", "tiny qkv dw", 2048, 256, 128);
  append(layers, "tiny gate and value", "tiny gate and value dx", "tiny gate and value dw", 2048,
         688, 128);
  append(layers, "gpt2-size qkv", "gpt2-size qkv dx", "gpt2-size qkv dw", 16384, 2304, 768);
  for (const Layer& layer : layers) {
    const bool is_gradient = layer.shape.transpose_a;  // of a parameter: float
    for (const bool tune : {false, true}) {
      add_product<float, float>(cases, layer, "float", false, tune);
      add_product<float, float>(cases, layer, "tf32", true, tune);
      if (is_gradient) {
        add_product<Bf16, float>(cases, layer, "bf16", false, tune);
      } else {
        add_product<Bf16, Bf16>(cases, layer, "bf16", false, tune);
      }
    }
  }
}

}  // namespace tpp::bench
