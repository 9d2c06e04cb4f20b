// Embedding, every version: rows gathered, gradients of repeated tokens summed in one order, the other rows untouched.
#include "kernels/embedding/embedding.h"

#include <algorithm>

#include "chapters/04_embedding/embedding.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::EmbeddingVersion;

constexpr EmbeddingVersion kVersions[] = {
    EmbeddingVersion::latest, EmbeddingVersion::v1_thread_per_column,
    EmbeddingVersion::v2_shared_scan, EmbeddingVersion::v3_slots};

struct Size {
  int N, V, D;
};
// Fewer tokens than rows, more of them than slots or than a scan's chunk has room for, one kind only
constexpr Size kSizes[] = {{1, 1, 1},   {9, 1, 8},    {40, 5, 3},    {7, 90, 40},
                           {90, 7, 33}, {130, 9, 64}, {1500, 3, 72}, {2300, 12, 16}};

// Small tokens are more frequent than large ones, as in a language.
std::vector<int> some_tokens(Philox& rng, int N, int V) {
  std::vector<int> tokens;
  for (int n = 0; n < N; ++n) tokens.push_back(int(V * rng.uniform() * rng.uniform()));
  return tokens;
}

}  // namespace

TEST_CASE("embedding: forward gathers rows", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(41);
    for (const Size size : kSizes) {
      const Input<S> table(rng, size.V, size.D);
      const std::vector<int> tokens = some_tokens(rng, size.N, size.V);
      const twin::Buffer<int> device_tokens(tokens);
      Mat<double> want(size.N, size.D);
      embedding_forward<double>(table.host, tokens, want);
      for (const EmbeddingVersion version : kVersions) {
        CAPTURE(size.N, size.V, size.D, int(version));
        Output<S> y(size.N, size.D);
        twin::embedding_forward<S>(nullptr, table.data(), device_tokens.data(), y.data(), size.N,
                                   size.V, size.D, version);
        CHECK(y.host() == want);
      }
    }
  });
}

TEST_CASE("embedding: backward sums the rows of equal tokens", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(42);
    for (const Size size : kSizes) {
      const Input<S> dy(rng, size.N, size.D);
      const Input<float> before(rng, size.V, size.D);
      const std::vector<int> tokens = some_tokens(rng, size.N, size.V);
      const twin::Buffer<int> device_tokens(tokens);
      for (const EmbeddingVersion version : kVersions) {
        for (const bool add : {false, true}) {
          CAPTURE(size.N, size.V, size.D, int(version), add);
          Mat<double> want = before.host;
          embedding_backward<double>(dy.host, tokens, want, add ? Write::add : Write::set);

          // Twice: atomics may hand out slots in another order, the sum must not notice
          Mat<double> first;
          for (int run = 0; run < 2; ++run) {
            Output<float> dtable(size.V, size.D);
            if (add)
              twin::copy(nullptr, dtable.data(), before.data(),
                         sizeof(float) * std::size_t(before.host.size()));
            twin::Buffer<float> work(twin::embedding_backward_work(size.N, size.V));
            twin::embedding_backward<S>(nullptr, dy.data(), device_tokens.data(), dtable.data(),
                                        work.data(), size.N, size.V, size.D,
                                        add ? twin::Write::add : twin::Write::set, version);
            if (run == 0) first = dtable.host();
            CHECK(dtable.host() == first);
          }
          // Up to 900 numbers, which v1 adds one after another
          check_near<float>(first, want,
                            version == EmbeddingVersion::v1_thread_per_column ? 64 : 16);
        }
      }
    }
  });
}

TEST_CASE("embedding: a rare token's rows are added in the order of their places", "[twins]") {
  // As v1 does it, to the bit, whatever order the atomics came in (SIMT_ORDER=reverse, or a GPU)
  for_each_storage([]<Storage S>() {
    Philox rng(43);
    const int N = 120, V = 40, D = 24;
    const Input<S> dy(rng, N, D);
    std::vector<int> tokens;
    for (int n = 0; n < N; ++n) tokens.push_back(int(rng.below(V)));
    const twin::Buffer<int> device_tokens(tokens);
    twin::Buffer<float> work(twin::embedding_backward_work(N, V));
    Output<float> want(V, D), got(V, D);
    for (const auto& [version, to] : {std::pair{EmbeddingVersion::v1_thread_per_column, &want},
                                      std::pair{EmbeddingVersion::v3_slots, &got}}) {
      twin::embedding_backward<S>(nullptr, dy.data(), device_tokens.data(), to->data(), work.data(),
                                  N, V, D, twin::Write::set, version);
    }
    int rare = 0;
    for (int v = 0; v < V; ++v) {
      const auto places = std::count(tokens.begin(), tokens.end(), v);
      if (places > twin::kEmbeddingSlots) continue;
      rare += places > 2;
      CHECK(got.host().row(v) == want.host().row(v));
    }
    CHECK(rare > 10);
  });
}

TEST_CASE("embedding: no tokens at all", "[twins]") {
  for (const EmbeddingVersion version : kVersions) {
    Output<float> dtable(3, 8);
    const twin::Buffer<int> tokens(1);
    const twin::Buffer<float> dy(1);
    twin::Buffer<float> work(twin::embedding_backward_work(0, 3));
    twin::embedding_forward<float>(nullptr, nullptr, tokens.data(), nullptr, 0, 3, 8, version);
    twin::embedding_backward<float>(nullptr, dy.data(), tokens.data(), dtable.data(), work.data(),
                                    0, 3, 8, twin::Write::set, version);
    CHECK(dtable.host() == Mat<double>::Zero(3, 8));
    CHECK_THROWS_AS(
        twin::embedding_forward<float>(nullptr, nullptr, nullptr, nullptr, 1, 0, 8, version),
        std::invalid_argument);
    CHECK_THROWS_AS(twin::embedding_backward<float>(nullptr, nullptr, nullptr, nullptr, nullptr, 1,
                                                    3, 0, twin::Write::set, version),
                    std::invalid_argument);
  }
}

}  // namespace tpp::testing
