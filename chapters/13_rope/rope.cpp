#include "chapters/13_rope/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/13_rope/exercises/rotate_pair/reference.h"  // rotate_pair, partners, frequency

namespace tpp {

// [snip rope_frequencies]
std::vector<double> rope_frequencies(Index K, double base) {
  require(K > 0 && K % 2 == 0, "rope: a head needs an even number of features, they turn in pairs");
  require(base > 0, "rope: the base must be positive");
  std::vector<double> theta;
  for (Index p = 0; p < K / 2; ++p) theta.push_back(rope_frequency(p, K, base));
  return theta;
}
// [/snip]

// [snip rope_scaled]
std::vector<double> rope_frequencies(Index K, const RopeConfig& cfg, Index length) {
  using Kind = RopeScaling::Kind;
  const RopeScaling& scaling = cfg.scaling;
  const double s = scaling.factor;
  require(s >= 1 && std::isfinite(s), "rope: the scaling's factor must be at least 1");
  require(scaling.trained >= 0, "rope: the trained length cannot be negative");
  require(scaling.slow > 0 && scaling.slow < scaling.fast, "rope: YaRN wants 0 < slow < fast");

  std::vector<double> theta = rope_frequencies(K, cfg.base);
  const double trained = scaling.trained > 0 ? scaling.trained : double(length) / s;
  for (Index p = 0; p < K / 2; ++p) {
    double& angle = theta[std::size_t(p)];
    if (scaling.kind == Kind::linear) angle /= s;
    if (scaling.kind == Kind::ntk && p > 0) angle *= std::pow(s, -2.0 * double(p) / double(K - 2));
    if (scaling.kind == Kind::yarn) {
      const double turns = trained * angle / (2 * std::numbers::pi);
      // A share of 0 leaves the pair as it is, a share of 1 slows it by the whole factor
      const double share = (scaling.fast - turns) / (scaling.fast - scaling.slow);
      angle = std::lerp(angle, angle / s, std::clamp(share, 0.0, 1.0));
    }
  }
  return theta;
}

double rope_magnitude(const RopeScaling& scaling) {
  return scaling.kind == RopeScaling::Kind::yarn ? 0.1 * std::log(scaling.factor) + 1 : 1;
}
// [/snip]

// [snip rope_table]
template <Real T>
RopeTable<T> rope_table(Index length, Index K, RopeConfig cfg) {
  const std::vector<double> theta = rope_frequencies(K, cfg, length);
  const double magnitude = rope_magnitude(cfg.scaling);
  RopeTable<T> table{Mat<T>(length, K / 2), Mat<T>(length, K / 2)};
  for (Index t = 0; t < length; ++t) {
    for (Index p = 0; p < K / 2; ++p) {
      // In double: floats near 1000 lie 0.00006 apart, so the angle would lose what the cosine needs
      const double angle = double(t) * theta[std::size_t(p)];
      table.cos(t, p) = T(magnitude * std::cos(angle));
      table.sin(t, p) = T(magnitude * std::sin(angle));
    }
  }
  return table;
}
// [/snip]

namespace {

template <Real T>
void require_rope(Shape x, Index length, Index K, const RopeTable<T>& table, Shape y) {
  require(K > 0 && K % 2 == 0, "rope: a head needs an even number of features, they turn in pairs");
  require(x.cols % K == 0, "rope: the columns must be whole heads of K features");
  require(length > 0 && x.rows % length == 0, "rope: the rows must be whole sequences");
  require_shape("rope: the table's sine", shape_of(table.sin), shape_of(table.cos));
  require_shape("rope: the table", {std::min(table.cos.rows(), length), table.cos.cols()},
                {length, K / 2});
  require_shape("rope: the output", y, x);
}

// [snip rope_rotate]
// Turn by `direction` (+1 or −1) times the angle.
template <Real T>
void rotate(In<Mat<T>> x, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
            T direction, Out<Mat<T>> y) {
  const Index half = K / 2;
  for (Index n = 0; n < x.rows(); ++n) {
    const Index t = n % length;
    for (Index first = 0; first < x.cols(); first += K) {
      if (pairing == Pairing::halves) {
        // All the first partners stand together, and all the second: K/2 planes turn at once
        y.row(n).segment(first, half).array() =
            x.row(n).segment(first, half).array() * table.cos.row(t).array() -
            x.row(n).segment(first + half, half).array() * (direction * table.sin.row(t).array());
        y.row(n).segment(first + half, half).array() =
            x.row(n).segment(first, half).array() * (direction * table.sin.row(t).array()) +
            x.row(n).segment(first + half, half).array() * table.cos.row(t).array();
      } else {
        for (Index p = 0; p < half; ++p) {
          const T c = table.cos(t, p), s = direction * table.sin(t, p);
          const auto [a, b] = rope_partners(p, K, Pairing::adjacent);
          rotate_pair<T>(x(n, first + a), x(n, first + b), c, s, y(n, first + a), y(n, first + b));
        }
      }
    }
  }
}
// [/snip]

}  // namespace

// [snip rope_forward]
template <Real T>
void rope_forward(In<Mat<T>> x, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
                  Out<Mat<T>> y) {
  require_rope<T>(shape_of(x), length, K, table, shape_of(y));
  rotate<T>(x, length, K, table, pairing, T(1), y);
}
// [/snip]

// [snip rope_backward]
template <Real T>
void rope_backward(In<Mat<T>> dy, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
                   Out<Mat<T>> dx) {
  require_rope<T>(shape_of(dy), length, K, table, shape_of(dx));
  rotate<T>(dy, length, K, table, pairing, T(-1), dx);
}
// [/snip]

namespace {

// A reader's function instead of the book's, a pair at a time. Says whether there is one.
template <Real T>
bool turned_by_reader(In<Mat<T>> x, Index length, Index K, const RopeTable<T>& table,
                      Pairing pairing, T direction, Out<Mat<T>> y) {
  static const Slot& place = slot("rope_rotate_pair");
  auto* const mine = mine_in<T>(place, rotate_pair<T>);
  if (mine == nullptr) return false;
  require_rope<T>(shape_of(x), length, K, table, shape_of(y));
  for (Index n = 0; n < x.rows(); ++n) {
    const Index t = n % length;
    for (Index first = 0; first < x.cols(); first += K) {
      for (Index p = 0; p < K / 2; ++p) {
        const auto [a, b] = rope_partners(p, K, pairing);
        mine(x(n, first + a), x(n, first + b), table.cos(t, p), direction * table.sin(t, p),
             y(n, first + a), y(n, first + b));
      }
    }
  }
  return true;
}

}  // namespace

template <Real T>
Var<T> rope(Var<T> x, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
            std::string_view name) {
  const Var<T> y = x.tape->make(x.rows(), x.cols(), name);
  if (x.tape->on_device()) {
    require_rope(x.shape(), length, K, table, y.shape());
    // The table goes to the device once and stays there; only the slowest version wants the base
    const twin::RopeAngles angles{x.tape->device_constant(table.cos.data(), table.cos.size()),
                                  x.tape->device_constant(table.sin.data(), table.sin.size()), 0};
    const auto twin_pairing = static_cast<twin::Pairing>(pairing);
    const int N = int(x.rows()), heads = int(x.cols() / K);
    run_twin(*x.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> from = x.template view<S>(), to = y.template view<S>();
      twin.rope_forward(stream, from.data, from.stride, int(length), int(K), angles, twin_pairing,
                        to.data, to.stride, N, heads, {});
    });
    return x.tape->record(y, {x}, [=](Tape<T>& tape) {
      const Sink<T> dx = tape.sink(x);
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> dy = y.template grad_view<S>(), to = dx.template view<S>();
        twin.rope_backward(stream, dy.data, dy.stride, int(length), int(K), angles, twin_pairing,
                           to.data, to.stride, N, heads, {});
      });
    });
  }
  if (!turned_by_reader<T>(x.value(), length, K, table, pairing, T(1), y.value()))
    rope_forward<T>(x.value(), length, K, table, pairing, y.value());
  return x.tape->record(y, {x}, [=, table = &table](Tape<T>& tape) {
    const Sink<T> dx = tape.sink(x);
    if (!turned_by_reader<T>(y.grad(), length, K, *table, pairing, T(-1), dx.mat()))
      rope_backward<T>(y.grad(), length, K, *table, pairing, dx.mat());
  });
}

namespace {

/// One launch turns both, forwards and back.
template <Real T>
std::array<Var<T>, 2> rope_both_on_device(Var<T> q, Var<T> k, Index length, Index K,
                                          const RopeTable<T>& table, Pairing pairing) {
  Tape<T>& tape = *q.tape;
  require_rope(q.shape(), length, K, table, q.shape());
  require_rope(k.shape(), length, K, table, {q.rows(), k.cols()});
  const Var<T> q_rotated = tape.make(q.rows(), q.cols(), "q_rotated");
  const Var<T> k_rotated = tape.make(k.rows(), k.cols(), "k_rotated");
  const twin::RopeAngles angles{tape.device_constant(table.cos.data(), table.cos.size()),
                                tape.device_constant(table.sin.data(), table.sin.size()), 0};
  const auto twin_pairing = static_cast<twin::Pairing>(pairing);
  const int N = int(q.rows()), q_heads = int(q.cols() / K), k_heads = int(k.cols() / K);
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const auto heads = [](DeviceView<S> from, DeviceView<S> to, int count) {
      return twin::RopeHeads<S>{from.data, from.stride, to.data, to.stride, count};
    };
    twin.rope_forward_both(stream,
                           heads(q.template view<S>(), q_rotated.template view<S>(), q_heads),
                           heads(k.template view<S>(), k_rotated.template view<S>(), k_heads),
                           int(length), int(K), angles, twin_pairing, N, {});
  });

  // On the way back the keys' closure comes first, since they were made last. Both gradients are complete then: whoever
  // used either came after both. So it turns both, and says so. Where only one has a gradient, each turns its own
  T* both_turned = tape.scratch(1);
  *both_turned = 0;
  const auto turn_one = [=](Tape<T>& t, Var<T> y, Var<T> x, int heads) {
    const Sink<T> dx = t.sink(x);
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> dy = y.template grad_view<S>(), to = dx.template view<S>();
      twin.rope_backward(stream, dy.data, dy.stride, int(length), int(K), angles, twin_pairing,
                         to.data, to.stride, N, heads, {});
    });
  };
  tape.record(q_rotated, {q}, [=](Tape<T>& t) {
    if (*both_turned == 0) turn_one(t, q_rotated, q, q_heads);
  });
  tape.record(k_rotated, {k, q}, [=](Tape<T>& t) {
    if (!q_rotated.has_grad()) return turn_one(t, k_rotated, k, k_heads);
    *both_turned = 1;
    const Sink<T> dq = t.sink(q), dk = t.sink(k);
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const auto heads = [](DeviceView<S> from, DeviceView<S> to, int count) {
        return twin::RopeHeads<S>{from.data, from.stride, to.data, to.stride, count};
      };
      twin.rope_backward_both(
          stream, heads(q_rotated.template grad_view<S>(), dq.template view<S>(), q_heads),
          heads(k_rotated.template grad_view<S>(), dk.template view<S>(), k_heads), int(length),
          int(K), angles, twin_pairing, N, {});
    });
  });
  return {q_rotated, k_rotated};
}

}  // namespace

template <Real T>
std::array<Var<T>, 2> rope_both(Var<T> q, Var<T> k, Index length, Index K,
                                const RopeTable<T>& table, Pairing pairing) {
  if (q.tape->on_device()) return rope_both_on_device(q, k, length, K, table, pairing);
  const Var<T> q_rotated = rope(q, length, K, table, pairing, "q_rotated");
  return {q_rotated, rope(k, length, K, table, pairing, "k_rotated")};
}

#define TPP_INSTANTIATE(T)                                                                       \
  template RopeTable<T> rope_table<T>(Index, Index, RopeConfig);                                 \
  template void rope_forward<T>(In<Mat<T>>, Index, Index, const RopeTable<T>&, Pairing,          \
                                Out<Mat<T>>);                                                    \
  template void rope_backward<T>(In<Mat<T>>, Index, Index, const RopeTable<T>&, Pairing,         \
                                 Out<Mat<T>>);                                                   \
  template Var<T> rope<T>(Var<T>, Index, Index, const RopeTable<T>&, Pairing, std::string_view); \
  template std::array<Var<T>, 2> rope_both<T>(Var<T>, Var<T>, Index, Index, const RopeTable<T>&, \
                                              Pairing);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
