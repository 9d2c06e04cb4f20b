// What a pass on a device launches: sums that wait for the norm behind them, queries and keys turned together, gradients
// of gains in the second queue. Each saves launches, and none may change a bit.
#include <algorithm>

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/ops.h"
#include "chapters/05_softmax/cross_entropy.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/12_rmsnorm/rmsnorm.h"
#include "chapters/12_rmsnorm/scalenorm.h"
#include "chapters/13_rope/rope.h"
#include "tests/kernels/twins.h"

using namespace tpp;

namespace {

using Table = twin::Table<float>;

// A twin that counts how often it is called, and in which queue
template <auto Member, class F = std::remove_reference_t<decltype(std::declval<Table&>().*Member)>>
struct Counted;
template <auto Member, class... Args>
struct Counted<Member, void (*)(twin::Stream, Args...)> {
  static inline void (*original)(twin::Stream, Args...) = nullptr;
  static inline int calls = 0;
  static void call(twin::Stream stream, Args... args) {
    ++calls;
    original(stream, args...);
  }
  static void put_into(Table& table) {
    original = table.*Member, calls = 0;
    table.*Member = &call;
  }
};
template <auto Member>
int calls() {
  return Counted<Member>::calls;
}

std::vector<std::pair<twin::Stream, twin::Stream>> waits;  // who, for whom
decltype(twin::Runtime::wait_for) real_wait_for;

// The emulator in float32, with its twins counted. It does everything at once, so it may have a second queue, as a GPU
// has: what is launched there and who waits is the same
struct Counting {
  std::unique_ptr<Device> plain;
  twin::Backend backend;
  std::unique_ptr<Device> device;

  explicit Counting(bool two_queues = false)
      : plain(open_device(DeviceKind::emulated, Precision::float32)),
        backend{plain->runtime(), plain->float32(), bf16_table(), sizeof(twin::Backend)} {
    Table& t = backend.float32;
    Counted<&Table::add>::put_into(t);
    Counted<&Table::fill>::put_into(t);
    Counted<&Table::column_sums>::put_into(t);
    Counted<&Table::rmsnorm_forward>::put_into(t);
    Counted<&Table::rmsnorm_residual_forward>::put_into(t);
    Counted<&Table::rope_forward_both>::put_into(t);
    Counted<&Table::rope_backward>::put_into(t);
    Counted<&Table::rope_backward_both>::put_into(t);
    Counted<&Table::cross_entropy_scale>::put_into(t);
    waits.clear();
    real_wait_for = backend.runtime.wait_for;
    backend.runtime.wait_for = [](twin::Stream who, twin::Stream whom) {
      waits.emplace_back(who, whom);
      real_wait_for(who, whom);
    };
    device = std::make_unique<Device>(backend, two_queues ? DeviceKind::gpu : DeviceKind::emulated,
                                      Precision::float32);
  }

  static twin::Table<Bf16> bf16_table() {
    const auto other = open_device(DeviceKind::emulated, Precision::bf16);
    // A copy: a fresh table would name every twin, also in builds that have none
    return other->run([]<class S>(const twin::Table<S>& table, twin::Stream) -> twin::Table<Bf16> {
      if constexpr (std::is_same_v<S, Bf16>) {
        return table;
      } else {
        throw std::logic_error("the device stores float");
      }
    });
  }
};

Mat<float> random(std::uint64_t seed, Index rows, Index cols) {
  Philox rng(seed);
  return random_normal<double>(rng, rows, cols).cast<float>();
}

struct Parameter {
  Index rows, cols;
  DeviceMemory value, grad;
  Parameter(const Device& device, const Mat<float>& values)
      : rows(values.rows()),
        cols(values.cols()),
        value(device, sizeof(float) * std::size_t(values.size())),
        grad(device, sizeof(float) * std::size_t(values.size())) {
    device_upload(device, value.as<float>(), values, true);
  }
  Var<float> on(Tape<float>& tape) {
    return tape.parameter(value.as<float>(), grad.as<float>(), rows, cols, "w", Write::set);
  }
};

}  // namespace

TEST_CASE("launches: a sum and the norm of it are one launch, and the same bits",
          "[ch02][ch12][device]") {
  const Counting counting;
  const Mat<float> a = random(1, 9, 24), b = random(2, 9, 24), dy = random(3, 9, 24);
  Parameter gain(*counting.device, random(4, 1, 24));
  const auto run = [&](bool look) {
    Tape<float> tape(counting.device.get());
    const Var<float> va = tape.variable(a, "a"), vb = tape.variable(b, "b");
    const Var<float> sum = add(va, vb, "sum");
    if (look) (void)sum.to_host();
    const Var<float> y = add(rmsnorm(sum, gain.on(tape)), sum, "y");
    tape.backward_from(y, dy);
    return std::vector<Mat<float>>{sum.to_host(), y.to_host(), va.grad_to_host(),
                                   vb.grad_to_host()};
  };
  const auto together = run(false);
  CHECK(calls<&Table::rmsnorm_residual_forward>() == 1);
  CHECK(calls<&Table::rmsnorm_forward>() == 0);
  CHECK(calls<&Table::add>() == 1);  // y's, when the tape runs back
  const auto apart = run(true);
  CHECK(calls<&Table::rmsnorm_residual_forward>() == 1);
  CHECK(calls<&Table::rmsnorm_forward>() == 1);
  CHECK(calls<&Table::add>() == 3);
  for (std::size_t i = 0; i < apart.size(); ++i) CHECK(together[i] == apart[i]);
  CHECK(together[0] == a + b);
}

TEST_CASE("launches: a sum is there for everybody who asks", "[ch02][device]") {
  const Counting counting;
  const Mat<float> a = random(1, 5, 8), b = random(2, 5, 8);
  Tape<float> tape(counting.device.get());
  int seen = 0;
  tape.observe("watched", [&](std::string_view, const ConstMatMap<float>& value) {
    CHECK(value == a + b);
    ++seen;
  });
  // Twice, so that memory is used again and holds the last pass's numbers or worse
  for (int pass = 0; pass < 2; ++pass) {
    tape.reset();
    const Var<float> va = tape.variable(a, "a"), vb = tape.variable(b, "b");
    (void)add(va, vb, "watched");
    CHECK(seen == pass + 1);
    CHECK(add(va, vb, "copied").to_host() == a + b);
    const auto parts = split<float, 2>(add(va, vb, "parts"), {5, 3}, {"left", "right"});
    CHECK(parts[1].to_host() == (a + b).rightCols(3));

    // One waits when the next comes; a sum of a sum
    const Var<float> first = add(va, vb, "first"), second = add(vb, vb, "second");
    CHECK(first.to_host() == a + b);
    CHECK(second.to_host() == b + b);
    CHECK(add(add(va, vb, "inner"), vb, "outer").to_host() == (a + b) + b);

    // Read by the closure of a product alone, and never
    const Var<float> read_late = add(va, vb, "late");
    const Var<float> y = multiply(read_late, scale(va, 1.0F));
    (void)add(va, va, "never");
    const int before = calls<&Table::add>();
    tape.backward_from(y, Mat<float>::Ones(5, 8));
    CHECK(calls<&Table::add>() == before + 1);  // none waits when closures run, on whatever queue
    CHECK(tape.find("never").to_host() == a + a);
    CHECK(vb.grad_to_host() == a);
  }
  tape.reset();
  const Var<float> va = tape.variable(a, "a");
  (void)add(va, va, "left behind");
  tape.reset();  // nobody makes it any more
  CHECK(tape.variable(b, "b").to_host() == b);
}

TEST_CASE("launches: a sum of parts of wider values is made before its norm",
          "[ch02][ch12][device]") {
  const Counting counting;
  const Mat<float> x = random(5, 7, 16);
  Parameter gain(*counting.device, random(4, 1, 8));
  Tape<float> tape(counting.device.get()), other;
  const auto [left, right] = split<float, 2>(tape.variable(x, "x"), {8, 8}, {"left", "right"});
  const Mat<float> got = rmsnorm(add(left, right, "sum"), gain.on(tape)).to_host();
  CHECK(calls<&Table::rmsnorm_residual_forward>() == 0);
  Mat<float> w = random(4, 1, 8);
  const Mat<float> sum = x.leftCols(8) + x.rightCols(8);
  const Mat<float> want =
      rmsnorm(other.variable(sum, "sum"), other.parameter(w.data(), nullptr, 1, 8, "w", Write::set))
          .to_host();
  testing::check_near<float>(got.cast<double>(), want.cast<double>(), 8);
}

TEST_CASE("launches: queries and keys turn together, whichever of them has a gradient",
          "[ch02][ch13][device]") {
  const Counting counting;
  const Index length = 3, K = 8;
  const RopeTable<float> table = rope_table<float>(length, K);
  const Mat<float> x = random(6, 6, 16 + 8 + 8), dy = random(7, 6, 8);
  const auto run = [&](const Device* device, int use, bool both) {
    Tape<float> tape(device);
    tape.keep_gradients(use >= 3);  // and once with gradients kept, once without
    const Var<float> vx = tape.variable(x, "x");
    const auto [q, k, v] = split<float, 3>(scale(vx, 1.0F), {16, 8, 8}, {"q", "k", "v"});
    const auto rotated = both ? rope_both(q, k, length, K, table, Pairing::halves)
                              : std::array{rope(q, length, K, table, Pairing::halves, "q_rotated"),
                                           rope(k, length, K, table, Pairing::halves, "k_rotated")};
    const auto half = split<float, 2>(rotated[0], {8, 8}, {"first", "second"});
    const Var<float> y = use == 1   ? multiply(half[0], v)
                         : use == 2 ? multiply(rotated[1], v)
                                    : multiply(multiply(half[0], rotated[1]), add(v, k));
    tape.backward_from(y, dy);
    CHECK(tape.name(rotated[0]) == "q_rotated");
    CHECK(tape.name(rotated[1]) == "k_rotated");
    return std::vector<Mat<float>>{y.to_host(), vx.grad_to_host()};
  };
  for (const int use : {0, 1, 2, 3}) {
    CAPTURE(use);
    const int together = calls<&Table::rope_backward_both>(), one = calls<&Table::rope_backward>();
    const auto got = run(counting.device.get(), use, true);
    CHECK(calls<&Table::rope_backward_both>() - together == (use == 1 || use == 2 ? 0 : 1));
    CHECK(calls<&Table::rope_backward>() - one == (use == 1 || use == 2 ? 1 : 0));
    const auto apart = run(counting.device.get(), use, false);
    const auto host = run(nullptr, use, false), host_both = run(nullptr, use, true);
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i] == apart[i]);
      CHECK(host_both[i] == host[i]);
      testing::check_near<float>(got[i].cast<double>(), host[i].cast<double>(), 32);
    }
  }
  CHECK(calls<&Table::rope_forward_both>() == 4);
}

TEST_CASE("launches: a loss whose gradient is 1 launches nothing for it", "[ch02][ch05][device]") {
  const Counting counting;
  const Mat<float> x = random(8, 4, 12);
  const std::vector<int> targets = {3, 0, 11, 5};
  const auto run = [&](float seed, float factor) {
    Tape<float> tape(counting.device.get());
    const Var<float> vx = tape.variable(x, "x");
    Var<float> loss = cross_entropy(vx, targets);
    if (factor != 1) loss = scale(loss, factor);
    tape.backward(loss, seed);
    return vx.grad_to_host();
  };
  const Mat<float> once = run(1, 1);
  CHECK(calls<&Table::cross_entropy_scale>() == 0);
  CHECK(calls<&Table::fill>() == 0);
  CHECK(run(2, 1) == 2 * once);
  CHECK(calls<&Table::cross_entropy_scale>() == 1);
  CHECK(run(1, 4) == 4 * once);  // the 1 is the factor's, not the loss's
  CHECK(calls<&Table::cross_entropy_scale>() == 2);
  CHECK(run(1, 1) == once);
}

TEST_CASE("launches: gains and biases end in the second queue, and the pass waits for it",
          "[ch02][ch08][ch12][device]") {
  const Mat<float> x = random(9, 40, 24), dy = random(10, 40, 24);
  const auto run = [&](bool two_queues) {
    const Counting counting(two_queues);
    const Device& device = *counting.device;
    std::vector<Parameter> p;
    for (const Index rows : {1, 1, 1, 24, 1}) {
      p.emplace_back(device, random(11 + p.size(), rows, 24));
    }
    Parameter length(device, random(20, 1, 1));
    Tape<float> tape(&device);
    std::vector<Var<float>> w;
    for (Parameter& one : p) w.push_back(one.on(tape));
    const Var<float> vx = tape.variable(x, "x");
    const Var<float> normed = layernorm(rmsnorm(vx, w[0]), w[1], w[2]);
    // The first gain a second time: its gradient is added to
    const Var<float> y = rmsnorm(scalenorm(linear(normed, w[3], w[4]), length.on(tape)), w[0]);
    tape.backward_from(y, dy);
    if (two_queues) {
      REQUIRE(!waits.empty());
      const std::pair<twin::Stream, twin::Stream> joined(device.stream(), device.side_stream());
      CHECK(waits.back() == joined);
      // And once before the first gain's gradient is added to
      CHECK(std::count(waits.begin(), waits.end(), joined) == 2);
    } else {
      CHECK(waits.empty());
    }
    std::vector<Mat<float>> grads = {vx.grad_to_host()};
    p.push_back(std::move(length));
    for (const Parameter& one : p) {
      grads.push_back(
          device_download(device, one.grad.as<float>(), one.rows, one.cols, one.cols, true));
    }
    return grads;
  };
  const auto one = run(false), two = run(true);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    CHECK(one[i] == two[i]);
  }
}
