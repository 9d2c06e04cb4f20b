// RoPE on the device, against chapter 13 in double.
#include "kernels/rope/rope.h"

#include "chapters/13_rope/rope.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;

namespace {

using twin::RopeVersion;

constexpr auto kVersions = {RopeVersion::latest, RopeVersion::v1_thread_per_pair,
                            RopeVersion::v2_table, RopeVersion::v3_vector_loads};
constexpr auto kPairings = {Pairing::adjacent, Pairing::halves};
constexpr double kBase = 10000;

// The table on the device: float, as it is for both storages. It is longer than the sequences.
struct Table {
  RopeTable<double> host;
  twin::Buffer<float> cos, sin;

  Table(Index length, Index K)
      : host(rope_table<double>(length + 3, K, {.base = kBase})),
        cos(floats(host.cos)),
        sin(floats(host.sin)) {}
  [[nodiscard]] twin::RopeAngles angles() const { return {cos.data(), sin.data(), float(kBase)}; }
  static std::vector<float> floats(const Mat<double>& m) {
    std::vector<float> values;
    for (Index i = 0; i < m.size(); ++i) values.push_back(float(m.data()[i]));
    return values;
  }
};

// In float, v1's angle is off by three of its roundings: power, product and cosine's argument. The angle is up to the
// length, and the error turns the number as far as it is long.
double roundings(RopeVersion version, Index length, bool is_float) {
  return version == RopeVersion::v1_thread_per_pair && is_float ? 8 + 6 * double(length) : 8;
}

struct Size {
  Index B, T, heads, K, padding;  // padding: how much wider than the heads the rows are
};

template <Storage S>
void check_rope(const Size& z, Pairing pairing, RopeVersion version) {
  INFO("B " << z.B << ", T " << z.T << ", heads " << z.heads << ", K " << z.K << " + " << z.padding
            << ", pairing " << int(pairing) << ", version " << int(version));
  Philox rng(std::uint64_t(z.T * 100 + z.K));
  const Table table(z.T, z.K);
  const Index N = z.B * z.T, width = z.heads * z.K;
  const Input<S> x(rng, N, width + z.padding);
  const Mat<double> columns = x.host.leftCols(width);
  Mat<double> y(N, width), dx(N, width);
  rope_forward<double>(columns, z.T, z.K, table.host, pairing, y);
  rope_backward<double>(columns, z.T, z.K, table.host, pairing, dx);

  const int n = int(N), ld = int(width + z.padding), length = int(z.T), K = int(z.K),
            heads = int(z.heads);
  const auto twin_pairing = static_cast<twin::Pairing>(pairing);
  const double most = roundings(version, z.T, std::is_same_v<S, float>);
  Output<S> y_twin(N, width), dx_wide(N, width + z.padding);
  twin::rope_forward<S>(nullptr, x.data(), ld, length, K, table.angles(), twin_pairing,
                        y_twin.data(), int(width), n, heads, version);
  check_near<S>(y_twin.host(), y, most);
  twin::rope_backward<S>(nullptr, x.data(), ld, length, K, table.angles(), twin_pairing,
                         dx_wide.data(), ld, n, heads, version);
  const Mat<double> wide = dx_wide.host();
  check_near<S>(wide.leftCols(width), dx, most);
  for (Index i = 0; i < N; ++i) {  // nothing is written beside the columns
    for (Index j = width; j < wide.cols(); ++j) CHECK(std::isnan(wide(i, j)));
  }

  // In place
  twin::Buffer<S> place(std::size_t(x.host.size()));
  twin::copy(nullptr, place.data(), x.data(), place.size() * sizeof(S));
  twin::rope_forward<S>(nullptr, place.data(), ld, length, K, table.angles(), twin_pairing,
                        place.data(), ld, n, heads, version);
  const std::vector<S> turned = place.to_host(), apart = y_twin.device.to_host();
  bool same = true;
  for (Index i = 0; i < N; ++i) {
    for (Index j = 0; j < ld; ++j) {
      const double got = double(turned[std::size_t(i * ld + j)]);
      same = same && got == (j < width ? double(apart[std::size_t(i * width + j)]) : x.host(i, j));
    }
  }
  CHECK(same);
}

// q and k are columns of one matrix with v, and are turned together.
template <Storage S>
void check_both(const Size& z, Index G, Pairing pairing, RopeVersion version) {
  const Index H = z.heads, K = z.K, N = z.B * z.T, wide = (H + 2 * G) * K;
  INFO("version " << int(version) << ", pairing " << int(pairing));
  Philox rng(7);
  const Table table(z.T, K);
  const Input<S> qkv(rng, N, wide);
  Mat<double> q(N, H * K), k(N, G * K), dq(N, H * K), dk(N, G * K);
  const Mat<double> q_in = qkv.host.leftCols(H * K), k_in = qkv.host.middleCols(H * K, G * K);
  rope_forward<double>(q_in, z.T, K, table.host, pairing, q);
  rope_forward<double>(k_in, z.T, K, table.host, pairing, k);
  rope_backward<double>(q_in, z.T, K, table.host, pairing, dq);
  rope_backward<double>(k_in, z.T, K, table.host, pairing, dk);

  const auto twin_pairing = static_cast<twin::Pairing>(pairing);
  const double most = roundings(version, z.T, std::is_same_v<S, float>);
  Output<S> q_twin(N, H * K), k_twin(N, G * K);
  const twin::RopeHeads<S> queries{qkv.data(), int(wide), q_twin.data(), int(H * K), int(H)};
  const twin::RopeHeads<S> keys{qkv.data() + H * K, int(wide), k_twin.data(), int(G * K), int(G)};
  twin::rope_forward_both<S>(nullptr, queries, keys, int(z.T), int(K), table.angles(), twin_pairing,
                             int(N), version);
  check_near<S>(q_twin.host(), q, most);
  check_near<S>(k_twin.host(), k, most);
  twin::rope_backward_both<S>(nullptr, queries, keys, int(z.T), int(K), table.angles(),
                              twin_pairing, int(N), version);
  check_near<S>(q_twin.host(), dq, most);
  check_near<S>(k_twin.host(), dk, most);
}

}  // namespace

TEST_CASE("rope: every version, storage and pairing at ragged sizes") {
  // One pair; odd numbers of pairs and heads; packs that fit in one storage only; rows of more than 256 packs; more heads
  // than a thread has; strides that packs do not fit
  const auto sizes = {Size{1, 1, 1, 2, 0}, {2, 5, 3, 6, 1},   {1, 7, 1, 8, 0},   {2, 9, 5, 16, 0},
                      {1, 3, 3, 16, 3},    {3, 4, 2, 32, 16}, {1, 2, 70, 32, 0}, {1, 11, 4, 24, 8}};
  for (const RopeVersion version : kVersions) {
    for (const Pairing pairing : kPairings) {
      for (const Size& s : sizes) {
        for_each_storage([&]<Storage S>() { check_rope<S>(s, pairing, version); });
      }
    }
  }
}

TEST_CASE("rope: queries and keys of one matrix, together as apart") {
  for (const RopeVersion version : kVersions) {
    for (const Pairing pairing : kPairings) {
      for_each_storage([&]<Storage S>() { check_both<S>({2, 5, 3, 16, 0}, 2, pairing, version); });
    }
  }
}

TEST_CASE("rope: matrices large enough for several heads a thread, with heads left over") {
  check_both<float>({3, 683, 5, 128, 0}, 3, Pairing::halves, {});
  check_both<float>({3, 683, 5, 128, 0}, 3, Pairing::adjacent, {});
  check_both<Bf16>({6, 683, 5, 128, 0}, 3, Pairing::halves, {});
  check_both<Bf16>({6, 683, 5, 128, 0}, 3, Pairing::adjacent, {});
}

TEST_CASE("rope: there and back again") {
  Philox rng(3);
  const Index T = 6, heads = 2, K = 32;
  const Table table(T, K);
  const Input<float> x(rng, 2 * T, heads * K);
  for (const Pairing pairing : kPairings) {
    Output<float> y(2 * T, heads * K), back(2 * T, heads * K);
    const auto twin_pairing = static_cast<twin::Pairing>(pairing);
    const int ld = int(heads * K), N = int(2 * T);
    twin::rope_forward<float>(nullptr, x.data(), ld, int(T), int(K), table.angles(), twin_pairing,
                              y.data(), ld, N, int(heads), {});
    twin::rope_backward<float>(nullptr, y.data(), ld, int(T), int(K), table.angles(), twin_pairing,
                               back.data(), ld, N, int(heads), {});
    check_near<float>(back.host(), x.host);
    CHECK(!((y.host() - x.host).norm() <= 0.1));  // it had turned
  }
}

TEST_CASE("rope: shapes that cannot be are refused") {
  twin::Buffer<float> x(64);
  const Table table(2, 4);
  const auto forward = [&](int ldx, int length, int K, int ldy, int N, int heads) {
    twin::rope_forward<float>(nullptr, x.data(), ldx, length, K, table.angles(),
                              twin::Pairing::halves, x.data(), ldy, N, heads, {});
  };
  CHECK_THROWS_AS(forward(3, 2, 3, 3, 2, 1), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 2, 0, 4, 2, 1), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 0, 4, 4, 2, 1), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 2, 4, 4, 0, 1), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 2, 4, 4, 2, 0), std::invalid_argument);
  CHECK_THROWS_AS(forward(7, 2, 4, 8, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(forward(8, 2, 4, 7, 2, 2), std::invalid_argument);
}
