// Chapters 04 and 05 on a device: embedding, softmax and cross-entropy have the host's values and gradients; a loss that is
// used with a factor, and scores that are used twice, too.
#include "chapters/02_tape/device.h"
#include "chapters/02_tape/ops.h"
#include "chapters/04_embedding/embedding.h"
#include "chapters/05_softmax/cross_entropy.h"
#include "chapters/05_softmax/softmax.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using tpp::testing::check_near;

namespace {

constexpr Precision kPrecisions[] = {Precision::float32, Precision::bf16};

Mat<double> as_stored(Mat<double> values, Precision precision) {
  for (Index i = 0; i < values.size(); ++i) {
    const auto v = float(values.data()[i]);
    values.data()[i] = precision == Precision::bf16 ? double(Bf16(v)) : double(v);
  }
  return values;
}

void near(Precision precision, const Mat<float>& got, const Mat<double>& want, double roundings) {
  if (precision == Precision::bf16) return check_near<Bf16>(got.cast<double>(), want, 2);
  check_near<float>(got.cast<double>(), want, roundings);
}

}  // namespace

TEST_CASE("device: softmax", "[device]") {
  for (const Precision precision : kPrecisions) {
    const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
    Philox rng(71);
    const Mat<double> x = as_stored(random_normal<double>(rng, 9, 40), precision);
    const Mat<double> dy = as_stored(random_normal<double>(rng, 9, 40), precision);
    Tape<double> host;
    const Var<double> hx = host.variable(x, "x"), want = softmax(hx);
    host.backward_from(want, dy);
    Tape<float> tape(device.get());
    const Var<float> vx = tape.variable(x.cast<float>(), "x"), got = softmax(vx);
    tape.backward_from(got, dy.cast<float>());
    near(precision, got.to_host(), want.value(), 16);
    near(precision, vx.grad_to_host(), hx.grad(), 32);
  }
}

TEST_CASE("device: cross-entropy, with a seed, and with scores that are used twice", "[device]") {
  const std::vector<int> targets = {3, 0, kIgnored, 39, 7, 7, 21};
  for (const Precision precision : kPrecisions) {
    const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
    for (const float seed : {1.0f, 0.375f}) {
      for (const int uses : {1, 2}) {
        if (uses == 2 && precision == Precision::bf16)
          continue;  // add() takes activations, not losses
        CAPTURE(precision_name(precision), seed, uses);
        Philox rng(72);
        const Mat<double> x = as_stored(random_normal<double>(rng, 7, 40, 2), precision);
        const auto run = [&](const auto& variable) {
          const auto first = cross_entropy(variable, targets);
          if (uses == 1) return first;
          return add(first, cross_entropy(variable, targets, 11));
        };
        Tape<double> host;
        const Var<double> hx = host.variable(x, "x"), want = run(hx);
        host.backward(want, double(seed));
        Tape<float> tape(device.get());
        const Var<float> vx = tape.variable(x.cast<float>(), "x"), got = run(vx);
        const Mat<float> loss = got.to_host();
        check_near<float>(loss.cast<double>(), want.value(), 8);
        check_near<float>(tape.find("token_loss").to_host().cast<double>(),
                          host.find("token_loss").value(), 8);
        tape.backward(got, seed);
        near(precision, vx.grad_to_host(), hx.grad(), 24);
      }
    }

    // Without gradients: the losses alone
    Tape<float> tape(device.get());
    tape.reset(Grad::skip);
    Tape<double> host;
    Philox rng(73);
    const Mat<double> x = as_stored(random_normal<double>(rng, 7, 300), precision);
    const Var<float> got = cross_entropy(tape.variable(x.cast<float>(), "x"), targets);
    const Var<double> want = cross_entropy(host.variable(x, "x"), targets);
    check_near<float>(got.to_host().cast<double>(), want.value(), 8);

    const std::vector<int> wrong = {3, 0, 1, 300, 7, 7, 21};
    CHECK_THROWS_AS(cross_entropy(tape.at(0), wrong), ShapeError);
    CHECK_THROWS_AS(cross_entropy(tape.at(0), std::vector<int>(7, kIgnored)), ShapeError);
  }
}

TEST_CASE("device: embedding, whose table's gradient is set or added to", "[device]") {
  const std::vector<int> tokens = {3, 0, 3, 8, 3, 1, 0};
  const Index V = 9, D = 24;
  for (const Precision precision : kPrecisions) {
    const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
    for (const Write write : {Write::set, Write::add}) {
      Philox rng(74);
      Mat<double> table = as_stored(random_normal<double>(rng, V, D), precision);
      Mat<double> gradient = as_stored(random_normal<double>(rng, V, D), Precision::float32);
      const Mat<double> dy = as_stored(random_normal<double>(rng, 7, D), precision);
      const std::size_t size = std::size_t(V * D);
      const DeviceMemory value(*device, sizeof(float) * size), copy(*device, sizeof(float) * size),
          grad(*device, sizeof(float) * size);
      device_upload(*device, value.as<float>(), table.cast<float>(), true);
      device_upload(*device, copy.as<float>(), table.cast<float>(), false);
      device_upload(*device, grad.as<float>(), gradient.cast<float>(), true);

      Tape<float> tape(device.get());
      const Var<float> there =
          tape.parameter(value.as<float>(), grad.as<float>(), V, D, "table", write,
                         precision == Precision::bf16 ? copy.as<void>() : nullptr);
      const Var<float> got = embedding(there, tokens);
      tape.backward_from(got, dy.cast<float>());

      Tape<double> host;
      const Var<double> here = host.parameter(table.data(), gradient.data(), V, D, "table", write);
      const Var<double> want = embedding(here, tokens);
      host.backward_from(want, dy);
      CHECK(got.to_host().cast<double>() == want.value());
      const Mat<float> after = device_download(*device, grad.as<float>(), V, D, D, true);
      check_near<float>(after.cast<double>(), gradient, 4);
      CHECK_THROWS_AS(embedding(there, std::vector<int>{0, 9}), ShapeError);
    }
  }
}
