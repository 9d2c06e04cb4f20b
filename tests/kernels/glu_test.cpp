// Gated units on the device, against chapter 14 in double.
#include "kernels/glu/glu.h"

#include "chapters/14_swiglu/glu.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;

namespace {

constexpr auto kVersions = {twin::GluVersion::latest, twin::GluVersion::v1_number_a_thread,
                            twin::GluVersion::v2_vector_loads, twin::GluVersion::v3_many_in_flight};
constexpr auto kKinds = {Gate::glu, Gate::bilinear, Gate::reglu, Gate::geglu, Gate::swiglu};

// Gate and value are the halves of one matrix whose rows are `padding` numbers longer, and so are their gradients.
template <Storage S>
void check_glu(Gate kind, Index N, Index F, Index padding, twin::GluVersion version) {
  INFO("kind " << int(kind) << ", version " << int(version) << ", " << N << " × " << F << " + "
               << padding);
  Philox rng(std::uint64_t(1000 * N + F));
  const Index wide = 2 * F + padding;
  const Input<S> both(rng, N, wide, 2), dy(rng, N, F);
  const Mat<double> gate = both.host.leftCols(F), value = both.host.middleCols(F, F);
  Mat<double> y(N, F), dgate(N, F), dvalue(N, F);
  glu_forward<double>(kind, gate, value, y);
  glu_backward<double>(kind, dy.host, gate, value, dgate, dvalue);

  const auto twin_kind = static_cast<twin::Gate>(kind);
  const int n = int(N), f = int(F), ld = int(wide);
  Output<S> y_twin(N, F), dboth(N, wide);
  twin::glu_forward<S>(nullptr, twin_kind, both.data(), ld, both.data() + F, ld, y_twin.data(), n,
                       f, version);
  twin::glu_backward<S>(nullptr, twin_kind, dy.data(), both.data(), ld, both.data() + F, ld,
                        dboth.data(), ld, dboth.data() + F, ld, n, f, version);
  check_near<S>(y_twin.host(), y);
  const Mat<double> gradients = dboth.host();
  check_near<S>(gradients.leftCols(F), dgate);
  check_near<S>(gradients.middleCols(F, F), dvalue);
  for (Index i = 0; i < N; ++i) {  // nothing is written beside the columns
    for (Index j = 2 * F; j < wide; ++j) CHECK(std::isnan(gradients(i, j)));
  }
}

struct Size {
  Index N, F, padding;
};

}  // namespace

TEST_CASE("glu: every kind, version and storage at ragged sizes") {
  // One number; odd widths; rows that packs fit and a stride that they do not; both widths of a pack; many columns
  const auto sizes = {Size{1, 1, 0}, {3, 7, 1}, {5, 12, 0}, {3, 16, 3}, {37, 24, 8}, {2, 1032, 0}};
  for (const Gate kind : kKinds) {
    for (const twin::GluVersion version : kVersions) {
      for (const Size& s : sizes) {
        for_each_storage([&]<Storage S>() { check_glu<S>(kind, s.N, s.F, s.padding, version); });
      }
    }
  }
}

TEST_CASE("glu: a matrix large enough for several rows a thread, with rows left over") {
  check_glu<float>(Gate::swiglu, 1025, 2048, 0, {});
  check_glu<Bf16>(Gate::geglu, 1027, 4096, 8, {});
}

TEST_CASE("glu: a large gate passes or closes, and nothing overflows") {
  Mat<double> gates(1, 8);
  gates << -1000, -200, -90, -20, 20, 90, 200, 1000;
  for_each_storage([&]<Storage S>() {
    const Input<S> gate(gates), ones(Mat<double>(Mat<double>::Ones(1, 8)));
    for (const twin::GluVersion version : kVersions) {
      for (const Gate kind : {Gate::glu, Gate::geglu, Gate::swiglu}) {
        INFO("kind " << int(kind) << ", version " << int(version));
        Output<S> y(1, 8), dgate(1, 8), dvalue(1, 8);
        const auto twin_kind = static_cast<twin::Gate>(kind);
        twin::glu_forward<S>(nullptr, twin_kind, gate.data(), 8, ones.data(), 8, y.data(), 1, 8,
                             version);
        twin::glu_backward<S>(nullptr, twin_kind, ones.data(), gate.data(), 8, ones.data(), 8,
                              dgate.data(), 8, dvalue.data(), 8, 1, 8, version);
        for (int i = 0; i < 8; ++i) {
          const double open = gates(0, i) > 0 ? 1 : 0, at = kind == Gate::glu ? 1 : gate.host(0, i);
          CHECK(std::abs(y.host()(0, i) - open * at) <= 1e-6);
          CHECK(std::abs(dvalue.host()(0, i) - open * at) <= 1e-6);
          CHECK(std::abs(dgate.host()(0, i) - (kind == Gate::glu ? 0 : open)) <= 1e-6);
        }
      }
    }
  });
}

TEST_CASE("glu: shapes that cannot be are refused") {
  const twin::Buffer<float> in(8);
  twin::Buffer<float> out(8);
  const auto forward = [&](int ldg, int ldv, int N, int F) {
    twin::glu_forward<float>(nullptr, twin::Gate::swiglu, in.data(), ldg, in.data(), ldv,
                             out.data(), N, F, {});
  };
  CHECK_THROWS_AS(forward(4, 4, 0, 4), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 4, 1, 0), std::invalid_argument);
  CHECK_THROWS_AS(forward(3, 4, 1, 4), std::invalid_argument);
  CHECK_THROWS_AS(forward(4, 3, 1, 4), std::invalid_argument);
  CHECK_THROWS_AS(twin::glu_backward<float>(nullptr, twin::Gate::swiglu, in.data(), in.data(), 4,
                                            in.data(), 4, out.data(), 3, out.data(), 4, 1, 4, {}),
                  std::invalid_argument);
}
