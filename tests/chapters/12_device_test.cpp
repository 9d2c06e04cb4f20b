// Chapters 08 and 12 on a device: the norms' values and gradients are those of the host, alone and beside a residual sum,
// whose gradient they must add to.
#include "chapters/02_tape/device.h"
#include "chapters/02_tape/ops.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/12_rmsnorm/rmsnorm.h"
#include "chapters/12_rmsnorm/scalenorm.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using tpp::testing::check_near;

namespace {

Mat<double> as_stored(Mat<double> values, Precision precision) {
  for (Index i = 0; i < values.size(); ++i) {
    const auto v = float(values.data()[i]);
    values.data()[i] = precision == Precision::bf16 ? double(Bf16(v)) : double(v);
  }
  return values;
}

// The values of gain and bias, and gradients that they already have, on the device
struct OnDevice {
  DeviceMemory value, grad;

  OnDevice(const Device& device, const Mat<double>& values, const Mat<double>& gradient)
      : value(device, sizeof(float) * std::size_t(values.size())),
        grad(device, sizeof(float) * std::size_t(values.size())) {
    device_upload(device, value.as<float>(), values.cast<float>(), true);
    device_upload(device, grad.as<float>(), gradient.cast<float>(), true);
  }
};

// Run op(x, gain, bias) in double on the host and on the emulated device. `roundings` of stored numbers are allowed.
template <class Op>
void compare(Precision precision, Write write, Index gain_size, Op op, double roundings) {
  CAPTURE(precision_name(precision), int(write));
  const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
  const Index N = 11, D = 24;
  Philox rng(23);
  const Mat<double> x = as_stored(random_normal<double>(rng, N, D), precision);
  const Mat<double> dy = as_stored(random_normal<double>(rng, N, D), precision);
  std::vector<Mat<double>> values, grads;  // of gain and bias
  for (int i = 0; i < 2; ++i) {
    values.push_back(as_stored(random_normal<double>(rng, 1, gain_size), Precision::float32));
    grads.push_back(as_stored(random_normal<double>(rng, 1, gain_size), Precision::float32));
  }
  std::vector<OnDevice> there;
  for (int i = 0; i < 2; ++i)
    there.emplace_back(*device, values[std::size_t(i)], grads[std::size_t(i)]);

  Tape<double> host;
  const Var<double> hx = host.variable(x, "x");
  std::vector<Var<double>> h;
  for (std::size_t i = 0; i < 2; ++i) {
    h.push_back(host.parameter(values[i].data(), grads[i].data(), 1, gain_size, "w", write));
  }
  const Var<double> want = op(hx, h[0], h[1]);
  host.backward_from(want, dy);

  Tape<float> tape(device.get());
  const Var<float> vx = tape.variable(x.cast<float>(), "x");
  std::vector<Var<float>> v;
  for (OnDevice& p : there) {
    v.push_back(tape.parameter(p.value.as<float>(), p.grad.as<float>(), 1, gain_size, "w", write));
  }
  const Var<float> got = op(vx, v[0], v[1]);
  tape.backward_from(got, dy.cast<float>());

  const auto near = [&](const Mat<float>& a, const Mat<double>& b, double allowed) {
    if (precision == Precision::bf16) return check_near<Bf16>(a.cast<double>(), b, allowed);
    check_near<float>(a.cast<double>(), b, allowed);
  };
  near(got.to_host(), want.value(), roundings);
  near(vx.grad_to_host(), hx.grad(), roundings);
  for (std::size_t i = 0; i < 2; ++i) {
    const Mat<float> gradient =
        device_download(*device, there[i].grad.as<float>(), 1, gain_size, gain_size, true);
    check_near<float>(gradient.cast<double>(), grads[i], 16);
  }
}

template <class Op>
void compare_all(Index gain_size, Op op, double float_roundings, double bf16_roundings) {
  for (const Write write : {Write::set, Write::add}) {
    compare(Precision::float32, write, gain_size, op, float_roundings);
    compare(Precision::bf16, write, gain_size, op, bf16_roundings);
  }
}

}  // namespace

// The gain's gradient is float; with a sum behind the norm it is that of rounded gradients, so those cases have the sum
// before it, as x + norm(x), whose gradient of x arrives first.
TEST_CASE("device: the norms", "[ch08][ch12][device]") {
  compare_all(
      24, [](auto x, auto w, auto b) { return layernorm(x, w, b, {.eps = 0.1}); }, 16, 1.1);
  compare_all(
      24, [](auto x, auto w, auto) { return rmsnorm(x, w, {.eps = 0.1}); }, 16, 1.1);
  compare_all(
      1, [](auto x, auto g, auto) { return scalenorm(x, g); }, 16, 1.1);
}

TEST_CASE("device: a norm beside a residual sum adds its gradient", "[ch08][ch12][device]") {
  compare_all(
      24, [](auto x, auto w, auto b) { return add(x, layernorm(x, w, b, {.eps = 0.1}), "y"); }, 16,
      2.5);
  compare_all(
      24, [](auto x, auto w, auto) { return add(x, rmsnorm(x, w, {.eps = 0.1}), "y"); }, 16, 2.5);
  compare_all(
      1, [](auto x, auto g, auto) { return add(x, scalenorm(x, g), "y"); }, 16, 3.5);
}
