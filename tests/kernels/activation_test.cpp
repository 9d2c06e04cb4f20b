// Bias and activation on the device, against chapter 09 in double.
#include "kernels/activation/activation.h"

#include "chapters/09_feedforward/activation.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;

namespace {

using twin::ActivationVersion;

constexpr auto kVersions = {ActivationVersion::latest, ActivationVersion::v1_number_a_thread,
                            ActivationVersion::v2_vector_loads};
constexpr auto kKinds = {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                         Activation::swish, Activation::solu};

template <Storage S>
void check_activation(Activation kind, Index N, Index F, bool with_bias, twin::Write write,
                      ActivationVersion version) {
  INFO("kind " << int(kind) << ", version " << int(version) << ", " << N << " × " << F << ", bias "
               << with_bias << ", add " << (write == twin::Write::add));
  Philox rng(std::uint64_t(1000 * N + F));
  const Input<S> x(rng, N, F, 2), dy(rng, N, F);
  const Input<float> bias(rng, 1, F), before(rng, 1, F);
  Mat<double> sum = x.host, y(N, F), dx(N, F), dbias = Mat<double>::Zero(1, F);
  if (with_bias) sum.rowwise() += bias.row();
  activation_forward<double>(kind, sum, y);
  activation_backward<double>(kind, dy.host, sum, y, dx);
  if (write == twin::Write::add) dbias = before.host;
  dbias += dx.colwise().sum();

  const auto twin_kind = static_cast<twin::Activation>(kind);
  const int n = int(N), f = int(F);
  const float* b = with_bias ? bias.data() : nullptr;
  Output<S> y_twin(N, F), dx_twin(N, F), dx_alone(N, F);
  Output<float> dbias_twin(1, F);
  if (write == twin::Write::add) {
    twin::copy(nullptr, dbias_twin.data(), before.data(), std::size_t(F) * sizeof(float));
  }
  twin::Buffer<float> work(twin::activation_backward_work(n, f));
  twin::activation_forward<S>(nullptr, twin_kind, x.data(), b, y_twin.data(), n, f, version);
  twin::activation_backward<S>(nullptr, twin_kind, dy.data(), x.data(), b, dx_twin.data(),
                               dbias_twin.data(), write, work.data(), n, f, version);
  twin::activation_backward<S>(nullptr, twin_kind, dy.data(), x.data(), b, dx_alone.data(), nullptr,
                               {}, nullptr, n, f, version);
  // solu's dx is a difference: where one number has almost all of softmax, dy·(1 + x) and ⟨dy, y⟩ are nearly equal
  const double most = kind == Activation::solu && std::is_same_v<S, float> ? 64 : 8;
  // and v1 adds a row's exponentials one after another
  check_near<S>(y_twin.host(), y, kind == Activation::solu ? 24 : 8);
  check_near<S>(dx_twin.host(), dx, most);
  check_near<S>(dx_alone.host(), dx, most);
  if (kind == Activation::solu) {
    check_near<S>(dbias_twin.host(), dbias, most);  // from dx as it is stored
  } else {
    check_near<float>(dbias_twin.host(), dbias, 32);  // a sum of 300 numbers, some of which cancel
  }
}

struct Size {
  Index N, F;
};

}  // namespace

TEST_CASE("activation: every kind, version and storage at ragged sizes") {
  // One number; odd widths; packs of one storage only; many rows for the sums of dbias; many columns
  const auto sizes = {Size{1, 1}, {3, 7}, {2, 12}, {37, 24}, {301, 8}, {2, 1032}};
  for (const Activation kind : kKinds) {
    for (const ActivationVersion version : kVersions) {
      for (const Size& s : sizes) {
        for_each_storage([&]<Storage S>() {
          check_activation<S>(kind, s.N, s.F, true, s.N % 2 ? twin::Write::set : twin::Write::add,
                              version);
        });
      }
      for_each_storage(
          [&]<Storage S>() { check_activation<S>(kind, 5, 16, false, twin::Write::set, version); });
    }
  }
}

TEST_CASE("activation: a matrix large enough for several rows a thread, with rows left over") {
  check_activation<float>(Activation::swish, 1025, 2048, true, twin::Write::set, {});
  check_activation<Bf16>(Activation::gelu, 1027, 4096, true, twin::Write::add, {});
}

TEST_CASE("activation: far out a number passes or is stopped, and relu's slope at 0 is 0") {
  Mat<double> values(1, 8);
  values << -1000, -200, -90, -20, 0, 90, 200, 1000;
  const Input<float> x(values), ones(Mat<double>(Mat<double>::Ones(1, 8)));
  for (const ActivationVersion version : kVersions) {
    for (const auto kind : {twin::Activation::relu, twin::Activation::gelu,
                            twin::Activation::gelu_tanh, twin::Activation::swish}) {
      INFO("kind " << int(kind) << ", version " << int(version));
      Output<float> y(1, 8), dx(1, 8);
      twin::activation_forward<float>(nullptr, kind, x.data(), nullptr, y.data(), 1, 8, version);
      twin::activation_backward<float>(nullptr, kind, ones.data(), x.data(), nullptr, dx.data(),
                                       nullptr, {}, nullptr, 1, 8, version);
      for (int i = 0; i < 8; ++i) {
        const double at = values(0, i), middle = kind == twin::Activation::relu ? 0 : 0.5;
        CHECK(std::abs(y.host()(0, i) - std::max(at, 0.0)) <= 1e-6);
        CHECK(std::abs(dx.host()(0, i) - (at > 0 ? 1 : at < 0 ? 0 : middle)) <= 1e-6);
      }
    }
  }
}

TEST_CASE("activation: shapes that cannot be are refused") {
  const twin::Buffer<float> in(8);
  twin::Buffer<float> out(8);
  const auto forward = [&](int N, int F) {
    twin::activation_forward<float>(nullptr, twin::Activation::relu, in.data(), nullptr, out.data(),
                                    N, F, {});
  };
  CHECK_THROWS_AS(forward(0, 4), std::invalid_argument);
  CHECK_THROWS_AS(forward(1, 0), std::invalid_argument);
  CHECK_THROWS_AS(
      twin::activation_backward<float>(nullptr, twin::Activation::relu, in.data(), in.data(),
                                       nullptr, out.data(), out.data(), {}, nullptr, 1, 4, {}),
      std::invalid_argument);
}
