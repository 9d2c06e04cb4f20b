// The ladder of matrix products, each rung at the sizes that it bears: the early ones would take seconds at 8192³.
#include "kernels/matmul/matmul.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::MatmulVersion;

struct Rung {
  MatmulVersion version;
  const char* name;
  bool with_float, with_bf16;
  int largest;  // size that is worth the wait
};

constexpr Rung kRungs[] = {
    {MatmulVersion::v1_naive_uncoalesced, "v1_naive_uncoalesced", true, true, 4096},
    {MatmulVersion::v1_naive, "v1_naive", true, true, 8192},
    {MatmulVersion::v2_tiled, "v2_tiled", true, true, 8192},
    {MatmulVersion::v3_register_blocked, "v3_register_blocked", true, true, 8192},
    {MatmulVersion::v4_vectorised, "v4_vectorised", true, false, 8192},
    {MatmulVersion::v5_double_buffered, "v5_double_buffered", true, false, 8192},
    {MatmulVersion::v6_tensor_cores, "v6_tensor_cores", false, true, 8192},
};

}  // namespace

void add_matmul_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    constexpr bool kFloat = std::is_same_v<T, float>;
    for (const int size : {8192, 4096, 256}) {
      for (const Rung& rung : kRungs) {
        if (size > rung.largest || !(kFloat ? rung.with_float : rung.with_bf16)) continue;
        const std::string n = std::to_string(size);
        const std::size_t count = std::size_t(size) * std::size_t(size);
        cases.push_back({.twin = "matmul",
                         .shape = n + " × " + n + " × " + n,
                         .storage = storage_of<T>(),
                         .version = rung.name,
                         .flops = 2.0 * double(count) * size,
                         .limit = kFloat ? Limit::float_product : Limit::bf16_product,
                         .prepare = [=, version = rung.version](Arena& arena) -> Launch {
                           const T* a = arena.normal<T>(count);
                           const T* b = arena.normal<T>(count);
                           T* c = arena.empty<T>(count);
                           return [=](twin::Stream stream) {
                             twin::matmul(stream, a, b, c, size, size, size, twin::Write::set,
                                          version);
                           };
                         }});
      }
    }
  });
}

}  // namespace tpp::bench
