// What the text of chapter 14 shows: the gates of the family, a task that wants a switch, the widths that make layers
// equal, and the gates of a layer that has learned.
#include <algorithm>
#include <array>
#include <cmath>

#include "chapters/01_tensor/random.h"
#include "chapters/09_feedforward/activation.h"
#include "chapters/14_swiglu/glu.h"
#include "chapters/example.h"

using namespace tpp;

namespace {

using M = Mat<double>;

constexpr std::array kNames = {"glu", "bilinear", "reglu", "geglu", "swiglu"};

// What becomes of a value of 1, by its gate.
void gates() {
  const M gate{{-4, -2, -1, 0, 1, 2, 4}}, value = M::Ones(1, 7);
  std::printf("%-10s", "gate");
  for (Index f = 0; f < 7; ++f) std::printf(" %7.0f", gate(0, f));
  for (int kind = 0; kind < 5; ++kind) {
    M y(1, 7);
    glu_forward<double>(Gate(kind), gate, value, y);
    std::printf("\n%-10s", kNames[std::size_t(kind)]);
    for (Index f = 0; f < 7; ++f) std::printf(" %7.3f", y(0, f));
  }
  std::printf("\n");
}

void widths() {
  std::printf("   D   plain F = 4·D   weights   8/3·D   gated F   weights\n");
  for (const Index D : {96, 128, 512, 4096}) {
    const Index plain = 4 * D, gated = gated_width(D);
    std::printf("%4d   %13d %9d %7.1f %9d %9d\n", int(D), int(plain), int(2 * D * plain),
                8 * double(D) / 3, int(gated), int(3 * D * gated));
  }
}

// Two layers with 4 inputs, 4 outputs and 96 weights: 12 hidden features with two matrices, or 8 with three.
struct Plain {
  M w_in, w_out, pre, hidden;

  explicit Plain(Philox& rng)
      : w_in(random_normal<double>(rng, 12, 4, 0.5)),
        w_out(random_normal<double>(rng, 4, 12, 0.3)) {}

  M forward(const M& x) {
    pre = x * w_in.transpose();
    hidden.resizeLike(pre);
    activation_forward<double>(Activation::relu, pre, hidden);
    return hidden * w_out.transpose();
  }
  std::vector<M> backward(const M& x, const M& dy) {
    const M dhidden = dy * w_out;
    M dpre(pre.rows(), pre.cols());
    activation_backward<double>(Activation::relu, dhidden, pre, hidden, dpre);
    return {dpre.transpose() * x, dy.transpose() * hidden};
  }
  std::vector<M*> weights() { return {&w_in, &w_out}; }
};

// [snip layers]
struct Gated {
  Gate kind;
  M w_gate, w_value, w_out, gate, value, hidden;

  Gated(Gate g, Philox& rng)
      : kind(g),
        w_gate(random_normal<double>(rng, 8, 4, 0.5)),
        w_value(random_normal<double>(rng, 8, 4, 0.5)),
        w_out(random_normal<double>(rng, 4, 8, 0.3)) {}

  M forward(const M& x) {
    gate = x * w_gate.transpose(), value = x * w_value.transpose();
    hidden.resizeLike(gate);
    glu_forward<double>(kind, gate, value, hidden);
    return hidden * w_out.transpose();
  }
  std::vector<M> backward(const M& x, const M& dy) {
    const M dhidden = dy * w_out;
    M dgate(gate.rows(), gate.cols()), dvalue(gate.rows(), gate.cols());
    glu_backward<double>(kind, dhidden, gate, value, dgate, dvalue);
    return {dgate.transpose() * x, dvalue.transpose() * x, dy.transpose() * hidden};
  }
  std::vector<M*> weights() { return {&w_gate, &w_value, &w_out}; }
};
// [/snip]

// [snip tasks]
/// What feature d shall become, from itself and its neighbour: their product, or itself while the neighbour is positive.
M wanted(const M& x, bool product) {
  M y(x.rows(), x.cols());
  for (Index d = 0; d < x.cols(); ++d) {
    const auto other = x.col((d + 1) % x.cols()).array();
    if (product)
      y.col(d) = x.col(d).array() * other;
    else
      y.col(d) = (other > 0).select(x.col(d), 0);
  }
  return y;
}
// [/snip]

/// Gradient descent with momentum; returns the mean squared error on inputs that were not learned from.
template <class Layer>
double learn(Layer& layer, Philox rng, bool product) {
  std::vector<M> speed;
  for (const M* w : layer.weights()) speed.push_back(M::Zero(w->rows(), w->cols()));
  for (int step = 0; step < 1500; ++step) {
    const M x = random_normal<double>(rng, 64, 4);
    const M dy = (layer.forward(x) - wanted(x, product)) / 64;
    const std::vector<M> gradients = layer.backward(x, dy);
    for (std::size_t i = 0; i < speed.size(); ++i) {
      speed[i] = 0.9 * speed[i] + gradients[i];
      *layer.weights()[i] -= 0.02 * speed[i];
    }
  }
  const M x = random_normal<double>(rng, 1024, 4);
  return (layer.forward(x) - wanted(x, product)).squaredNorm() / double(x.size());
}

void products() {
  const auto row = [](const char* name, auto make) {
    std::printf("%-10s", name);
    for (const bool product : {true, false}) {
      std::vector<double> errors;
      for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        Philox rng(seed);
        auto layer = make(rng);
        errors.push_back(learn(layer, rng, product));
      }
      std::ranges::sort(errors);
      std::printf(" %9.3f (%.3f to %.3f)", errors[2], errors[0], errors[4]);
    }
    std::printf("\n");
  };
  std::printf("error of           a product                 a switch\n");
  row("relu", [](Philox& rng) { return Plain(rng); });
  for (int kind = 0; kind < 5; ++kind) {
    row(kNames[std::size_t(kind)], [&](Philox& rng) { return Gated(Gate(kind), rng); });
  }
}

// How far open are the gates of a SwiGLU layer, σ(gate), before and after it has learned?
void histogram() {
  const auto row = [&](const char* name, Gated& layer) {
    Philox fresh(2);
    layer.forward(random_normal<double>(fresh, 1024, 4));
    std::array<int, 5> bins{};
    for (const double g : layer.gate.reshaped()) {
      const double open = 1 / (1 + std::exp(-g));
      ++bins[std::size_t(std::min(4, int(5 * open)))];
    }
    std::printf("%-16s", name);
    for (const int count : bins) std::printf(" %9.0f%%", 100.0 * count / double(layer.gate.size()));
    std::printf("\n");
  };
  std::printf("σ(gate)            0 to 0.2   0.2–0.4    0.4–0.6    0.6–0.8   0.8 to 1\n");
  Philox rng(1);
  const Gated start(Gate::swiglu, rng);
  Gated layer = start;
  row("before", layer);
  learn(layer, rng, true);
  row("after a product", layer);
  layer = start;
  learn(layer, rng, false);
  row("after a switch", layer);
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(
      argc, argv,
      {{"gates", gates}, {"widths", widths}, {"products", products}, {"histogram", histogram}});
}
