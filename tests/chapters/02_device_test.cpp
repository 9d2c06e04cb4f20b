// Chapters 02 and 07 on a device: every plain operation computes the values and gradients that it computes in double on
// the host, from columns of wider values and into gradients that hold something already.
#include "chapters/02_tape/device.h"
#include "chapters/02_tape/ops.h"
#include "chapters/07_position/sinusoidal.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using tpp::testing::check_near;

namespace {

// What an operation is given: a variable, stored as the device stores activations, or a parameter, whose float gradient
// is replaced or added to.
enum class Role { variable, parameter, parameter_added_to };
struct Given {
  Shape shape;
  Role role = Role::variable;
};

Mat<double> as_stored(Mat<double> values, Precision precision) {
  for (Index i = 0; i < values.size(); ++i) {
    const auto v = float(values.data()[i]);
    values.data()[i] = precision == Precision::bf16 ? double(Bf16(v)) : double(v);
  }
  return values;
}

// A parameter on the device: float value and gradient, and its copy in the storage type
struct OnDevice {
  DeviceMemory value, grad, copy;

  OnDevice(const Device& device, const Mat<double>& values, const Mat<double>& gradient)
      : value(device, sizeof(float) * std::size_t(values.size())),
        grad(device, sizeof(float) * std::size_t(values.size())) {
    device_upload(device, value.as<float>(), values.cast<float>(), true);
    device_upload(device, grad.as<float>(), gradient.cast<float>(), true);
    if (!device.stores_bf16()) return;
    copy = DeviceMemory(device, sizeof(Bf16) * std::size_t(values.size()));
    device_upload(device, copy.as<void>(), values.cast<float>(), false);
  }
};

// Run op forward and backward in double on the host and on the emulated device, and compare all that comes out.
// `op` takes a vector of variables of either tape. `roundings` of stored numbers are allowed in each result; gradients of
// parameters are float, so they are held to float's where `exact` says that nothing else was rounded on the way.
template <class Op>
void compare(Precision precision, const std::vector<Given>& given, Op op, double roundings,
             bool exact = false) {
  CAPTURE(precision_name(precision));
  const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, precision);
  Philox rng(21, given.size());
  std::vector<Mat<double>> values, before;
  for (const Given& g : given) {
    values.push_back(as_stored(random_normal<double>(rng, g.shape.rows, g.shape.cols), precision));
    const Mat<double> old = random_normal<double>(rng, g.shape.rows, g.shape.cols);
    before.push_back(as_stored(old, Precision::float32));
  }

  // On the host
  Tape<double> host;
  std::vector<Var<double>> host_vars;
  std::vector<Mat<double>> host_grads = before;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Write write = given[i].role == Role::parameter_added_to ? Write::add : Write::set;
    host_vars.push_back(given[i].role == Role::variable
                            ? host.variable(values[i], "x")
                            : host.parameter(values[i].data(), host_grads[i].data(),
                                             given[i].shape.rows, given[i].shape.cols, "w", write));
  }
  const Var<double> want = op(host_vars);
  const Mat<double> dy = as_stored(random_normal<double>(rng, want.rows(), want.cols()), precision);
  host.backward_from(want, dy);

  // On the device
  Tape<float> tape(device.get());
  std::vector<Var<float>> vars;
  std::vector<OnDevice> parameters;
  parameters.reserve(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].role == Role::variable) {
      vars.push_back(tape.variable(values[i].cast<float>(), "x"));
    } else {
      const Write write = given[i].role == Role::parameter_added_to ? Write::add : Write::set;
      const OnDevice& p = parameters.emplace_back(*device, values[i], before[i]);
      vars.push_back(tape.parameter(p.value.as<float>(), p.grad.as<float>(), given[i].shape.rows,
                                    given[i].shape.cols, "w", write, p.copy.as<void>()));
    }
  }
  const Var<float> got = op(vars);
  tape.backward_from(got, dy.cast<float>());

  const auto check = [&](const Mat<double>& result, const Mat<double>& wanted, bool is_float) {
    if (precision == Precision::bf16 && !is_float) {
      check_near<Bf16>(result, wanted, roundings);
    } else {
      check_near<float>(result, wanted, 8 * roundings);
    }
  };
  check(got.to_host().cast<double>(), want.value(), false);
  for (std::size_t i = 0; i < given.size(); ++i) {
    CAPTURE(i);
    const bool is_parameter = given[i].role != Role::variable;
    check(vars[i].grad_to_host().cast<double>(), host_vars[i].grad(), is_parameter && exact);
  }
}

template <class Op>
void compare_all(const std::vector<Given>& given, Op op, double roundings, bool exact = false) {
  for (const Precision p : {Precision::float32, Precision::tf32, Precision::bf16}) {
    compare(p, given, op, roundings, exact);
  }
}

// Two neighbouring parts of a value, as q and k are of qkv
template <class T>
std::array<Var<T>, 2> halves(Var<T> x) {
  const Index half = x.cols() / 2;
  return split<T, 2>(x, {half, x.cols() - half}, {"left", "right"});
}

}  // namespace

TEST_CASE("device: add") {
  compare_all(
      {{{5, 7}}, {{5, 7}}}, [](const auto& v) { return add(v[0], v[1]); }, 1);
  compare_all(
      {{{5, 7}}}, [](const auto& v) { return add(v[0], v[0]); }, 1);
  compare_all(
      {{{6, 16}}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return add(left, add(right, left));
      },
      4);
}

TEST_CASE("device: scale") {
  compare_all(
      {{{5, 7}}}, [](const auto& v) { return scale(v[0], {0.75}); }, 1);
  // The second gradient to arrive is scaled before it is added, not after
  compare_all(
      {{{6, 16}}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return add(scale(left, {3}), add(scale(left, {-0.5}), scale(right, {0.25})));
      },
      6);
}

TEST_CASE("device: multiply") {
  compare_all(
      {{{5, 7}}, {{5, 7}}}, [](const auto& v) { return multiply(v[0], v[1]); }, 1);
  compare_all(
      {{{5, 7}}}, [](const auto& v) { return multiply(v[0], v[0]); }, 3);
  compare_all(
      {{{6, 16}}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return multiply(left, right);
      },
      2);
}

TEST_CASE("device: add_row") {
  for (const Role role : {Role::parameter, Role::parameter_added_to}) {
    compare_all(
        {{{9, 8}}, {{1, 8}, role}}, [](const auto& v) { return add_row(v[0], v[1]); }, 2, true);
    compare_all(
        {{{300, 5}}, {{1, 5}, role}}, [](const auto& v) { return add_row(v[0], v[1]); }, 4, true);
  }
  compare_all(
      {{{4, 10}}, {{1, 5}, Role::parameter}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return add(add_row(left, v[1]), right);
      },
      4);
}

TEST_CASE("device: product") {
  compare_all(
      {{{5, 6}}, {{6, 7}}}, [](const auto& v) { return product(v[0], v[1]); }, 1);
  compare_all(
      {{{5, 6}}, {{6, 7}, Role::parameter_added_to}},
      [](const auto& v) { return product(v[0], v[1]); }, 1, true);
  compare_all(
      {{{5, 5}}}, [](const auto& v) { return product(v[0], v[0]); }, 3);
}

TEST_CASE("device: linear") {
  for (const Role role : {Role::parameter, Role::parameter_added_to}) {
    compare_all(
        {{{9, 6}}, {{5, 6}, role}}, [](const auto& v) { return linear(v[0], v[1]); }, 1, true);
    compare_all(
        {{{9, 6}}, {{5, 6}, role}, {{1, 5}, role}},
        [](const auto& v) { return linear(v[0], v[1], v[2]); }, 2, true);
  }
  // Columns in, and a weight with two uses, as an embedding has that also reads the logits out
  compare_all(
      {{{9, 12}}, {{6, 6}, Role::parameter}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return add(linear(left, v[1]), linear(right, v[1]));
      },
      4);
}

TEST_CASE("device: sum") {
  compare_all(
      {{{5, 7}}}, [](const auto& v) { return sum(v[0]); }, 8);
  compare_all(
      {{{5, 8}}},
      [](const auto& v) {
        const auto [left, right] = halves(v[0]);
        return sum(add(multiply(left, right), left));
      },
      16);
}

TEST_CASE("device: positions") {
  for (const Role role : {Role::parameter, Role::parameter_added_to}) {
    compare_all(
        {{{12, 5}}, {{6, 5}, role}}, [](const auto& v) { return add_positions(v[0], v[1], 4); }, 2,
        true);
  }
  compare_all(
      {{{12, 8}}},
      [](const auto& v) {
        using T = std::decay_t<decltype(v[0].to_host()(0, 0))>;
        static const Mat<T> table = sinusoidal_table<T>(4, 8);
        const ConstMatMap<T> map(table.data(), 4, 8, Eigen::OuterStride<>(8));
        return add_positions(v[0], v[0].tape->constant(map, "table"), 4);
      },
      2);
}

TEST_CASE("device: the same shapes are refused as on the host") {
  const std::unique_ptr<Device> device = open_device(DeviceKind::emulated, Precision::float32);
  Tape<float> tape(device.get());
  const auto value = [&](Index rows, Index cols) {
    return tape.variable(Mat<float>::Zero(rows, cols), "x");
  };
  CHECK_THROWS_AS(add(value(2, 3), value(3, 2)), ShapeError);
  CHECK_THROWS_AS(multiply(value(2, 3), value(2, 2)), ShapeError);
  CHECK_THROWS_AS(add_row(value(2, 3), value(1, 2)), ShapeError);
  CHECK_THROWS_AS(product(value(2, 3), value(2, 3)), ShapeError);
  CHECK_THROWS_AS(linear(value(2, 3), value(4, 2)), ShapeError);
  CHECK_THROWS_AS(add_positions(value(5, 3), value(4, 3), 4), ShapeError);
  CHECK_THROWS_AS(add_positions(value(8, 3), value(3, 3), 4), ShapeError);
}
