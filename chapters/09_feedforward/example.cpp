// What the text of chapter 09 shows: two linear layers that are one, what a curve between them buys, the curves and
// their slopes, SoLU's row, dead units, the gradient test.
#include "chapters/example.h"

#include <cmath>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/random.h"
#include "chapters/02_tape/ops.h"
#include "chapters/09_feedforward/activation.h"

using namespace tpp;

namespace {

struct Named {
  const char* name;
  Activation kind;
};
constexpr Named kAll[] = {{"relu", Activation::relu},
                          {"gelu", Activation::gelu},
                          {"gelu_tanh", Activation::gelu_tanh},
                          {"swish", Activation::swish},
                          {"solu", Activation::solu}};

Mat<double> apply(Activation kind, const Mat<double>& x) {
  Mat<double> y(x.rows(), x.cols());
  activation_forward<double>(kind, x, y);
  return y;
}

Mat<double> slope(Activation kind, const Mat<double>& x) {
  const Mat<double> dy = Mat<double>::Ones(x.rows(), x.cols()), y = apply(kind, x);
  Mat<double> dx(x.rows(), x.cols());
  activation_backward<double>(kind, dy, x, y, dx);
  return dx;
}

// Two linear layers, one after the other, beside the one layer that their product is
void collapse() {
  Philox rng(9);
  const Mat<double> x = random_normal<double>(rng, 5, 8);    // (N, D)
  const Mat<double> w1 = random_normal<double>(rng, 32, 8);  // (F, D)
  const Mat<double> w2 = random_normal<double>(rng, 8, 32);  // (D, F)
  const Mat<double> product = w2 * w1;                       // (D, D)

  const Mat<double> hidden = x * w1.transpose();  // (N, F)
  const Mat<double> two = hidden * w2.transpose(), one = x * product.transpose();
  const Mat<double> curved = apply(Activation::relu, hidden) * w2.transpose();
  std::printf("without a curve: largest difference from one layer  %.4f\n",
              (two - one).cwiseAbs().maxCoeff());
  std::printf("with relu:       largest difference from one layer  %.4f\n",
              (curved - one).cwiseAbs().maxCoeff());
  std::printf("parameters of the two layers  %d, of the one  %d\n", 2 * 8 * 32, 8 * 8);
}

// [snip exclusive_or]
// Learn "exactly one of the two is 1" from its four cases, with and without a curve in the middle
double learn_exclusive_or(const Activation* kind, int steps) {
  Philox rng(3);
  const Mat<double> x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, minus_target{{0}, {-1}, {-1}, {0}};
  Mat<double> w1 = random_normal<double>(rng, 8, 2), b1 = Mat<double>::Zero(1, 8);
  Mat<double> w2 = random_normal<double>(rng, 1, 8, 0.3), b2 = Mat<double>::Zero(1, 1);
  Tape<double> tape;
  double loss = 0;
  for (int step = 0; step <= steps; ++step) {
    tape.reset();
    const Var<double> v1 = tape.variable(w1, "w1"), c1 = tape.variable(b1, "b1"),
                      v2 = tape.variable(w2, "w2"), c2 = tape.variable(b2, "b2");
    Var<double> h = linear(tape.input(x, "x"), v1, c1);  // (4, 8)
    if (kind != nullptr) h = activation(*kind, h);
    const Var<double> error = add(linear(h, v2, c2), tape.input(minus_target, "−target"));
    const Var<double> mean = scale(sum(multiply(error, error)), 0.25);
    loss = mean.value()(0, 0);
    tape.keep_gradients(true);
    tape.backward(mean);
    w1 -= 0.1 * v1.grad(), b1 -= 0.1 * c1.grad(), w2 -= 0.1 * v2.grad(), b2 -= 0.1 * c2.grad();
  }
  return loss;
}

void exclusive_or() {
  constexpr Activation kRelu = Activation::relu, kGelu = Activation::gelu;
  std::printf("mean squared error after %5d %8d %8d steps\n", 0, 100, 2000);
  for (const auto& [name, kind] :
       {std::pair{"no curve", (const Activation*)nullptr}, {"relu", &kRelu}, {"gelu", &kGelu}}) {
    std::printf("%-24s %6.4f   %6.4f   %6.4f\n", name, learn_exclusive_or(kind, 0),
                learn_exclusive_or(kind, 100), learn_exclusive_or(kind, 2000));
  }
}
// [/snip]

void values() {
  const Mat<double> x{{-4, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4}};
  std::printf("%6s | %8s %8s %8s %8s | slopes: %8s %8s %8s %8s\n", "x", "relu", "gelu", "tanh form",
              "swish", "relu", "gelu", "tanh form", "swish");
  Mat<double> y[4], s[4];
  for (int k = 0; k < 4; ++k) y[k] = apply(kAll[k].kind, x), s[k] = slope(kAll[k].kind, x);
  for (Index i = 0; i < x.cols(); ++i) {
    std::printf("%6.1f | %8.4f %8.4f %9.4f %8.4f |         %8.4f %8.4f %9.4f %8.4f\n", x(0, i),
                y[0](0, i), y[1](0, i), y[2](0, i), y[3](0, i), s[0](0, i), s[1](0, i), s[2](0, i),
                s[3](0, i));
  }
}

// Walk along x in small steps, and keep what is lowest and what differs most
void curves() {
  const Mat<double> x = RowVec<double>::LinSpaced(200001, -10, 10);
  for (const auto& [name, kind] : {kAll[1], kAll[3]}) {
    Index at = 0;
    const Mat<double> y = apply(kind, x), s = slope(kind, x);
    const double lowest = y.row(0).minCoeff(&at);
    std::printf("%-5s lowest value %7.4f at x = %7.4f, largest slope %.4f\n", name, lowest,
                x(0, at), s.maxCoeff());
  }
  const auto difference = [&](auto f) {
    return (f(Activation::gelu, x) - f(Activation::gelu_tanh, x)).eval().cwiseAbs().maxCoeff();
  };
  std::printf("gelu against its tanh form: values differ by at most %.6f, slopes by %.6f\n",
              difference(apply), difference(slope));
}

void solu_rows() {
  const Mat<double> x{{4, 1, 0, -1}, {4, 4, 0, -1}, {2, 2, 2, 2}, {40, 10, 0, 0}};
  const Mat<double> y = apply(Activation::solu, x);
  for (Index n = 0; n < x.rows(); ++n) {
    std::printf("x %5.0f %5.0f %5.0f %5.0f    x·softmax(x) %8.4f %8.4f %8.4f %8.4f\n", x(n, 0),
                x(n, 1), x(n, 2), x(n, 3), y(n, 0), y(n, 1), y(n, 2), y(n, 3));
  }
}

// [snip dead]
// 1000 units whose inputs are normal numbers with this mean. A unit is dead if none of 200 tokens opens it
void dead() {
  std::printf("mean of the inputs        0     -1     -2     -3     -4\n");
  for (const auto& [name, kind] : {kAll[0], kAll[1], kAll[3]}) {
    std::printf("%-5s without slope  ", name);
    for (const double mean : {0.0, -1.0, -2.0, -3.0, -4.0}) {
      Philox rng(7);
      Mat<double> x = random_normal<double>(rng, 200, 1000);  // (tokens, units)
      x.array() += mean;
      const Mat<double> s = slope(kind, x);
      std::printf(" %6ld",
                  long((s.colwise().template lpNorm<Eigen::Infinity>().array() == 0).count()));
    }
    std::printf("\n");
  }
}
// [/snip]

void gradient() {
  std::printf("%-10s %14s %14s\n", "", "⟨u, J·v⟩", "⟨Jᵀ·u, v⟩");
  for (const auto& [name, kind] : kAll) {
    Philox rng(5);
    const Mat<double> x = random_normal<double>(rng, 4, 6), u = random_normal<double>(rng, 4, 6);
    const Mat<double> y = apply(kind, x);
    Mat<double> dx(4, 6);
    activation_backward<double>(kind, u, x, y, dx);
    const GradientCheck check = check_gradient(rng, x, dx, [&, k = kind](const Mat<double>& moved) {
      return project(u, apply(k, moved));
    });
    std::printf("%-10s %12.6f %12.6f\n", name, check.numeric, check.analytic);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"collapse", collapse},
                       {"exclusive_or", exclusive_or},
                       {"values", values},
                       {"curves", curves},
                       {"solu_rows", solu_rows},
                       {"dead", dead},
                       {"gradient", gradient}});
}
