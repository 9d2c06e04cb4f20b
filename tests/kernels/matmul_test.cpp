// The ladder of matrix products: every version, form and storage against the double reference.
#include "kernels/matmul/matmul.h"

#include "chapters/01_tensor/matmul.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;
using twin::MatmulVersion;

namespace {

enum class Form { nn, nt, tn };

struct Sizes {
  int M, N, K;
};

// Ones, odd numbers, sizes that allow packs, one beyond the tile of v2
const std::vector<Sizes> kSizes = {{1, 1, 1},   {3, 5, 7},   {33, 31, 1}, {1, 70, 40},
                                   {40, 1, 33}, {16, 8, 16}, {65, 34, 17}};
// Edges of the larger tiles; fewer and more steps of k than a pipeline has stages
const std::vector<Sizes> kLargerSizes = {{129, 130, 9}, {136, 136, 72}, {24, 72, 200}};

template <class T>
const std::vector<MatmulVersion> kVersions = {
    MatmulVersion::v1_naive_uncoalesced, MatmulVersion::v1_naive, MatmulVersion::v2_tiled,
    MatmulVersion::v3_register_blocked, MatmulVersion::latest};
template <>
const std::vector<MatmulVersion> kVersions<float> = {MatmulVersion::v1_naive_uncoalesced,
                                                     MatmulVersion::v1_naive,
                                                     MatmulVersion::v2_tiled,
                                                     MatmulVersion::v3_register_blocked,
                                                     MatmulVersion::v4_vectorised,
                                                     MatmulVersion::v5_double_buffered};

// A sum of K products rounds K times. The errors walk at random, so √K roundings is their size beside the result's, and the
// worst of ten thousand elements lies four deviations out. bfloat16 rounds once, at the end.
template <Storage Out>
double roundings(int K) {
  return std::is_same_v<Out, float> ? 4 + 2.5 * std::sqrt(K) : 2;
}

template <Storage S>
void check_product(Philox& rng, Form form, Sizes sizes, MatmulVersion version, bool add) {
  const int M = sizes.M, N = sizes.N, K = sizes.K;
  INFO("form " << int(form) << ", version " << int(version) << ", " << M << " × " << N << " × "
               << K);
  const Input<S> a = form == Form::tn ? Input<S>(rng, K, M) : Input<S>(rng, M, K);
  const Input<S> b = form == Form::nt ? Input<S>(rng, N, K) : Input<S>(rng, K, N);
  Mat<double> want(M, N);
  const auto check = [&]<Storage Out>(Output<Out>& got, Write write) {
    const auto to = write == Write::add ? twin::Write::add : twin::Write::set;
    if (form == Form::nn) {
      matmul<double>(a.host, b.host, want, write);
      twin::matmul(nullptr, a.data(), b.data(), got.data(), M, N, K, to, version);
    } else if (form == Form::nt) {
      matmul_nt<double>(a.host, b.host, want, write);
      twin::matmul_nt(nullptr, a.data(), b.data(), got.data(), M, N, K, to, version);
    } else {
      matmul_tn<double>(a.host, b.host, want, write);
      twin::matmul_tn(nullptr, a.data(), b.data(), got.data(), M, N, K, to, version);
    }
    check_near<Out>(got.host(), want, roundings<Out>(K));
  };

  // Set, then add the same again: C = 2·A·B
  Output<S> c(M, N);
  check(c, Write::set);
  want = c.host();
  if (add) check(c, Write::add);

  // The gradient of a parameter is float, whatever the storage
  if constexpr (!std::is_same_v<S, float>) {
    Output<float> wide(M, N);
    check(wide, Write::set);
    if (add) check(wide, Write::add);
  }
}

}  // namespace

TEST_CASE("matmul: every version, form and storage at ragged sizes", "[matmul]") {
  Philox rng(101);
  for_each_storage([&]<Storage S>() {
    for (const MatmulVersion version : kVersions<S>) {
      for (const Form form : {Form::nn, Form::nt, Form::tn}) {
        for (const Sizes& sizes : kSizes) check_product<S>(rng, form, sizes, version, true);
        const bool large_tiles =
            version == MatmulVersion::latest || version >= MatmulVersion::v3_register_blocked;
        if (!large_tiles) continue;
        for (const Sizes& sizes : kLargerSizes) check_product<S>(rng, form, sizes, version, false);
      }
    }
  });
}

TEST_CASE("matmul: the large tiles of the last versions, with edges", "[matmul]") {
  // So many tiles that the last versions take the large ones; set only, or it would take long
  Philox rng(102);
  const int M = 2056, N = 1288, K = 40;
  for_each_storage([&]<Storage S>() {
    const Input<S> a(rng, M, K), b(rng, K, N);
    const Input<S> a_transposed(Mat<double>(a.host.transpose()));
    Mat<double> want(M, N);
    matmul<double>(a.host, b.host, want);
    Output<S> nn(M, N), tn(M, N);
    const auto set = twin::Write::set;
    const auto latest = MatmulVersion::latest;
    twin::matmul(nullptr, a.data(), b.data(), nn.data(), M, N, K, set, latest);
    twin::matmul_tn(nullptr, a_transposed.data(), b.data(), tn.data(), M, N, K, set, latest);
    check_near<S>(nn.host(), want, roundings<S>(K));
    CHECK(tn.host() == nn.host());
    if constexpr (!std::is_same_v<S, float>) {  // v5 has no large tiles for this form
      const Input<S> b_transposed(Mat<double>(b.host.transpose()));
      Output<S> nt(M, N);
      twin::matmul_nt(nullptr, a.data(), b_transposed.data(), nt.data(), M, N, K, set, latest);
      CHECK(nt.host() == nn.host());
    }
  });
}

TEST_CASE("matmul: rows that start anywhere", "[matmul]") {
  // Sizes that would allow packs, at addresses that do not
  Philox rng(103);
  const int M = 40, N = 48, K = 32;
  for_each_storage([&]<Storage S>() {
    for (const MatmulVersion version : kVersions<S>) {
      INFO(storage_name<S>() << ", version " << int(version));
      const Input<S> a(rng, 1, M * K + 1), b(rng, 1, K * N + 1);
      Output<S> c(1, M * N + 1);
      twin::matmul(nullptr, a.data() + 1, b.data() + 1, c.data() + 1, M, N, K, twin::Write::set,
                   version);
      const Mat<double> got = c.host();
      Mat<double> want(M, N);
      matmul<double>(Eigen::Map<const Mat<double>>(a.host.data() + 1, M, K),
                     Eigen::Map<const Mat<double>>(b.host.data() + 1, K, N), want);
      CHECK(std::isnan(got(0, 0)));
      check_near<S>(Eigen::Map<const Mat<double>>(got.data() + 1, M, N), want, roundings<S>(K));
    }
  });
}

TEST_CASE("matmul: what it refuses", "[matmul]") {
  twin::Buffer<float> x(64);
  twin::Buffer<Bf16> y(64);
  const auto product = [&](const float* a, const float* b, float* c, int M, int N, int K) {
    twin::matmul(nullptr, a, b, c, M, N, K, twin::Write::set, MatmulVersion::latest);
  };
  float* p = x.data();
  twin::fill_zero(nullptr, p, 64 * sizeof(float));
  CHECK_THROWS_AS(product(nullptr, p, p + 32, 2, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(product(p, nullptr, p + 32, 2, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(product(p, p + 4, nullptr, 2, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(product(p, p + 4, p + 32, 0, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(product(p, p + 4, p + 32, 2, 2, 0), std::invalid_argument);
  CHECK_THROWS_AS(product(p, p + 4, p + 7, 2, 2, 2), std::invalid_argument);  // on the end of b
  CHECK_THROWS_AS(product(p + 3, p + 8, p, 2, 2, 2), std::invalid_argument);  // on the start of a
  CHECK_NOTHROW(product(p, p + 4, p + 8, 2, 2, 2));
  CHECK_THROWS_AS(twin::matmul(nullptr, p, p + 4, p + 8, 2, 2, 2, twin::Write::set,
                               MatmulVersion::v6_tensor_cores),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::matmul(nullptr, y.data(), y.data() + 4, y.data() + 8, 2, 2, 2,
                               twin::Write::set, MatmulVersion::v5_double_buffered),
                  std::invalid_argument);
}
