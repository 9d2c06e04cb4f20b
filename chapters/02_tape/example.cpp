// What chapter 02 shows: a graph with a fork, forwards and back, and what a careless operation does to it.
#include <cstdio>
#include <string>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/matmul.h"
#include "chapters/02_tape/ops.h"
#include "chapters/example.h"

namespace {

using namespace tpp;
using Matrix = Mat<double>;

// --- A fork -----------------------------------------------------------------------------------------

// [snip graph]
// h is used twice: by the square, and by the sum that goes around it.
Var<double> graph(Var<double> x, Var<double> w) {
  const auto scope = x.tape->scope("block0");
  const Var<double> h = product(x, w, "h");             // (1, 1)
  const Var<double> square = multiply(h, h, "square");  // (1, 1)
  return sum(add(h, square, "sum"), "loss");
}
// [/snip]

void walk() {
  const auto show = [](const char* what) {
    return [what](std::string_view name, const ConstMatMap<double>& m) {
      std::printf("%s%-15s", what, std::string(name).c_str());
      for (Index i = 0; i < m.rows(); ++i) {
        for (Index j = 0; j < m.cols(); ++j) std::printf(" %g", m(i, j));
      }
      std::printf("\n");
    };
  };
  Tape<double> tape;
  tape.observe("*", show("value     "));
  tape.observe_gradient("*", show("gradient  "));

  Matrix x(1, 2), w(2, 1);
  x << 1, 2;
  w << 3, 1;
  const Var<double> on_tape = tape.variable(x, "x");
  tape.backward(graph(on_tape, tape.variable(w, "w")));
}

// --- A careless operation ---------------------------------------------------------------------------

// [snip careless]
// y = x·wᵀ, as chapter 02 has it; or careless: x's gradient is stored, whatever stands there.
Var<double> layer(Var<double> x, Var<double> w, bool careless) {
  const Var<double> y = x.tape->make(x.rows(), w.rows(), "layer");
  matmul_nt<double>(x.value(), w.value(), y.value());
  return x.tape->record(y, {x, w}, [=](Tape<double>& tape) {
    const Target<double> dx = tape.target(x), dw = tape.target(w);
    matmul<double>(y.grad(), w.value(), dx.mat, careless ? Write::set : dx.write);
    matmul_tn<double>(y.grad(), x.value(), dw.mat, dw.write);
  });
}
// [/snip]

constexpr Index kRows = 32, kWidth = 8;
constexpr int kLayers = 4;

using Weights = std::vector<Matrix>;  // the first one, and one a layer: (kWidth, kWidth) each

Weights start(std::uint64_t seed, double scale) {
  Philox rng(seed);
  Weights weights;
  for (int i = 0; i <= kLayers; ++i) {
    weights.push_back(random_normal<double>(rng, kWidth, kWidth, scale));
  }
  return weights;
}

// [snip stream]
// A stream to which every layer adds, squared at the end: h is used by the layer and by the sum.
Var<double> stream(Var<double> x, const std::vector<Var<double>>& w, bool careless) {
  Var<double> h = linear(x, w[0]);
  for (int i = 1; i <= kLayers; ++i) h = add(h, layer(h, w[std::size_t(i)], careless));
  return multiply(h, h);
}
// [/snip]

// Half the mean square of what `weights` make of x, minus the target. Their gradients, when asked for
double loss_of(const Weights& weights, const Matrix& x, const Matrix& target, bool careless,
               Weights* gradients) {
  Tape<double> tape;
  std::vector<Var<double>> w;
  for (const Matrix& m : weights) w.push_back(tape.variable(m, "w"));
  const Var<double> y = stream(tape.input(x, "x"), w, careless);
  const Matrix difference = y.value() - target;
  if (gradients != nullptr) {
    tape.backward_from(y, difference / double(difference.size()));
    gradients->clear();
    for (const Var<double>& v : w) gradients->push_back(v.grad());
  }
  return 0.5 * difference.squaredNorm() / double(difference.size());
}

Matrix target_of(const Matrix& x) {
  const Weights teacher = start(8, 0.2);
  Tape<double> tape;
  std::vector<Var<double>> w;
  for (const Matrix& m : teacher) w.push_back(tape.input(m, "w"));
  return stream(tape.input(x, "x"), w, false).value();
}

void overwritten() {
  Philox rng(7);
  const Matrix x = random_normal<double>(rng, kRows, kWidth), target = target_of(x);
  std::printf("%-10s%18s%18s\n", "step", "added", "overwritten");
  Weights sums = start(9, 0.1), lasts = start(9, 0.1), gradients;
  for (int step = 0; step <= 3000; ++step) {
    const double right = loss_of(sums, x, target, false, &gradients);
    for (std::size_t i = 0; i < gradients.size(); ++i) sums[i] -= 0.05 * gradients[i];
    const double wrong = loss_of(lasts, x, target, true, &gradients);
    for (std::size_t i = 0; i < gradients.size(); ++i) lasts[i] -= 0.05 * gradients[i];
    if (step == 0 || step == 100 || step == 300 || step == 1000 || step == 3000) {
      std::printf("%-10d%18.4f%18.4f\n", step, right, wrong);
    }
  }
}

// The test of chapter 01 on each weight's gradient
void tested() {
  Philox rng(7);
  const Matrix x = random_normal<double>(rng, kRows, kWidth), target = target_of(x);
  const Weights weights = start(9, 0.1);
  std::printf("%-14s%12s%14s\n", "gradient of", "added", "overwritten");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::printf("weight %-7zu", i);
    for (const bool careless : {false, true}) {
      Weights gradients;
      (void)loss_of(weights, x, target, careless, &gradients);
      Philox direction(10, i);
      const GradientCheck check =
          check_gradient(direction, weights[i], gradients[i], [&](const Matrix& at) {
            Weights moved = weights;
            moved[i] = at;
            return loss_of(moved, x, target, careless, nullptr);
          });
      std::printf("%*s", careless ? 14 : 12, check.agrees() ? "passes" : "refused");
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tpp::run_examples(argc, argv,
                           {{"walk", walk}, {"overwritten", overwritten}, {"tested", tested}});
}
