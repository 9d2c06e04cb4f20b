// Chapters 06, 07 and 15 on a device: attention over columns of qkv with T5's and ALiBi's biases is that of the host.
#include <memory>

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/ops.h"
#include "chapters/06_attention/attention.h"
#include "chapters/07_position/relative_bias.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using tpp::testing::check_near;

namespace {

constexpr Index B = 2, L = 21, H = 4, G = 2, K = 8, kBuckets = 32;
enum class Bias { none, t5, alibi };

// One pass: qkv and the table of T5's biases in, heads out.
template <class T>
Var<T> run(Tape<T>& tape, Var<T> qkv, Var<T> table, Mask mask, Bias which, const Mat<T>& slopes) {
  auto [q, k, v] = split<T, 3>(qkv, {H * K, G * K, G * K}, {"q", "k", "v"});
  Var<T> bias;
  if (which == Bias::t5) bias = t5_bias(table, L, mask.kind == Mask::Kind::full);
  if (which == Bias::alibi) bias = alibi_bias<T>(tape, slopes, L);
  const AttentionConfig cfg{.T = L, .H = H, .G = G, .mask = mask};
  return detail::attention_with_heads(q, k, v, bias, cfg, "heads");
}

template <Storage S>
void compare(Mask mask, Bias which) {
  const Precision precision = std::is_same_v<S, float> ? Precision::float32 : Precision::bf16;
  CAPTURE(precision_name(precision), int(mask.kind), int(which));
  const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
  Philox rng(41);
  const auto stored = [](Mat<double> x, bool as_float) {
    for (Index i = 0; i < x.size(); ++i) {
      const float f = float(x.data()[i]);
      x.data()[i] = as_float ? double(f) : double(S(f));
    }
    return x;
  };
  const Mat<double> x = stored(random_normal<double>(rng, B * L, (H + 2 * G) * K), false);
  const Mat<double> dy = stored(random_normal<double>(rng, B * L, H * K), false);
  Mat<double> table = stored(random_normal<double>(rng, kBuckets, H), true);
  Mat<double> dtable = Mat<double>::Constant(kBuckets, H, 0.5);  // there already: to be added to

  DeviceMemory value(*device, sizeof(float) * kBuckets * H);
  DeviceMemory grad(*device, sizeof(float) * kBuckets * H);
  device_upload(*device, value.as<float>(), table.cast<float>(), true);
  device_upload(*device, grad.as<float>(), dtable.cast<float>(), true);

  Tape<double> host;
  const Var<double> hx = host.variable(x, "qkv");
  const Var<double> ht =
      host.parameter(table.data(), dtable.data(), kBuckets, H, "table", Write::add);
  const Var<double> want = run<double>(host, hx, ht, mask, which, alibi_bias<double>(H, L + 5));
  host.backward_from(want, dy);

  Tape<float> tape(device.get());
  const Var<float> vx = tape.variable(x.cast<float>(), "qkv");
  const Var<float> vt =
      tape.parameter(value.as<float>(), grad.as<float>(), kBuckets, H, "table", Write::add);
  const Var<float> got = run<float>(tape, vx, vt, mask, which, alibi_bias<float>(H, L + 5));
  tape.backward_from(got, dy.cast<float>());

  // As in tests/kernels/attention_test.cpp; here the probabilities that the device rounded go backwards, too
  const double roundings = std::is_same_v<S, float> ? 64 : 24;
  const auto near = [&](const Mat<float>& a, const Mat<double>& b) {
    check_near<S>(a.cast<double>(), b, roundings);
  };
  near(tape.find("probs").to_host(), host.find("probs").value());
  near(got.to_host(), want.value());
  near(vx.grad_to_host(), hx.grad());
  near(device_download(*device, grad.as<float>(), kBuckets, H, H, true), dtable);
}

}  // namespace

TEST_CASE("attention on a device is the host's, with every mask and bias", "[ch06][device]") {
  const int mask = GENERATE(range(0, 4));
  const Mask masks[] = {Mask::causal(), Mask::full(), Mask::prefix(5), Mask::padding(13)};
  const Bias bias = GENERATE(Bias::none, Bias::t5, Bias::alibi);
  compare<float>(masks[mask], bias);
  compare<Bf16>(masks[mask], bias);
}
