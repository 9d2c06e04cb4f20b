// What chapter 01 shows: where numbers lie, random numbers by name, and a test that ones cannot pass.
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/matmul.h"
#include "chapters/01_tensor/random.h"
#include "chapters/example.h"

namespace {

using namespace tpp;
using Matrix = Mat<double>;

// --- Where the numbers lie --------------------------------------------------------------------------

// Two tokens with six features; the two middle columns are a view of the same memory.
void layout() {
  Matrix x(2, 6);  // (N, D)
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = double(i);
  MatMap<double> middle(x.data() + 2, 2, 2, Eigen::OuterStride<>(x.cols()));  // (N, 2)
  middle(1, 0) = 80;

  std::printf("in memory:     ");
  for (Index i = 0; i < x.size(); ++i) std::printf(" %g", x.data()[i]);
  std::printf("\nx(1, 2):        %g\n", x(1, 2));
  std::printf("view's rows:    %ld numbers apart, %ld long\n", long(middle.outerStride()),
              long(middle.cols()));
}

// The message of a product that does not fit, up to the place where it was called
void shapes() {
  const Matrix a = Matrix::Zero(2, 3), b = Matrix::Zero(4, 5);
  Matrix c(2, 5);
  try {
    matmul<double>(a, b, c);
  } catch (const ShapeError& error) {
    const std::string text = error.what();
    std::printf("ShapeError: %s\n", text.substr(0, text.find("  [")).c_str());
  }
}

// --- Random numbers ---------------------------------------------------------------------------------

// The first weights of one layer, drawn alone and after another layer was added to the model.
void names() {
  const std::uint64_t seed = 1;
  const auto show = [](const char* how, Philox& rng) {
    std::printf("%-34s", how);
    for (int i = 0; i < 3; ++i) std::printf("%9.4f", rng.normal());
    std::printf("\n");
  };

  // One sequence for all: what comes later depends on what was drawn before
  Philox one(seed), longer(seed);
  for (int i = 0; i < 4; ++i) (void)longer.normal();  // the weights of the new layer
  show("one sequence", one);
  show("one sequence, a layer more", longer);

  // A stream for each name
  Philox alone(seed, name_hash("block2/attn/wo"));
  Philox added(seed, name_hash("block1/attn/wo"));
  for (int i = 0; i < 4; ++i) (void)added.normal();
  Philox after(seed, name_hash("block2/attn/wo"));
  show("a stream a name", alone);
  show("a stream a name, a layer more", after);
}

// --- The gradient test ------------------------------------------------------------------------------

Matrix ones(Index rows, Index cols) { return Matrix::Ones(rows, cols); }

// The slope of ⟨u, a·b⟩ when a moves along v, by differences: nobody's formula is believed.
double slope(const Matrix& a, const Matrix& b, const Matrix& u, const Matrix& v) {
  const double h = 1e-4;
  const Matrix ahead = (a + h * v) * b, behind = (a - h * v) * b;
  return (project(u, ahead) - project(u, behind)) / (2 * h);
}

// Four formulas for the gradient of a in y = a·b. One is right. Which of them does a test refuse?
void blind() {
  Philox rng(3);
  const Index n = 4;  // square, so that no shape check helps
  const Matrix a = random_normal<double>(rng, n, n), b = random_normal<double>(rng, n, n);
  const Matrix u = random_normal<double>(rng, n, n), v = random_normal<double>(rng, n, n);

  struct Formula {
    const char* text;
    std::function<Matrix(const Matrix& dy)> da;
  };
  const Formula formulas[] = {
      {"dy * b^T (right)", [&](const Matrix& dy) { return Matrix(dy * b.transpose()); }},
      {"dy * b", [&](const Matrix& dy) { return Matrix(dy * b); }},
      {"dy^T * b^T", [&](const Matrix& dy) { return Matrix(dy.transpose() * b.transpose()); }},
      {"b^T * dy", [&](const Matrix& dy) { return Matrix(b.transpose() * dy); }},
  };
  std::printf("%-18s%14s%14s%14s\n", "da", "u, v ones", "u ones", "u, v random");
  for (const Formula& f : formulas) {
    std::printf("%-18s", f.text);
    const auto test = [&](const Matrix& dy, const Matrix& along) {
      const GradientCheck check{.numeric = slope(a, b, dy, along),
                                .analytic = f.da(dy).cwiseProduct(along).sum()};
      std::printf("%14s", check.agrees() ? "passes" : "refused");
    };
    test(ones(n, n), ones(n, n));
    test(ones(n, n), v);
    test(u, v);
    std::printf("\n");
  }
}

// The right gradient of y = exp(x): for which step h does the test say so, in double and in float?
template <Real T>
bool agrees_at(T h) {
  Philox rng(4);
  const Mat<T> x = random_normal<T>(rng, 3, 3), u = random_normal<T>(rng, 3, 3),
               v = random_normal<T>(rng, 3, 3);
  const auto f = [&](T step) { return u.cwiseProduct(Mat<T>((x + step * v).array().exp())).sum(); };
  const T numeric = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
  const T analytic = (u.array() * x.array().exp() * v.array()).sum();
  return GradientCheck{double(numeric), double(analytic)}.agrees();
}

void steps() {
  std::printf("%-10s%10s%10s\n", "h", "double", "float");
  for (const double h : {0.3, 1e-2, 1e-4, 1e-6, 1e-12}) {
    std::printf("%-10.0e%10s%10s\n", h, agrees_at<double>(h) ? "passes" : "refused",
                agrees_at<float>(float(h)) ? "passes" : "refused");
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tpp::run_examples(argc, argv,
                           {{"layout", layout},
                            {"shapes", shapes},
                            {"names", names},
                            {"blind", blind},
                            {"steps", steps}});
}
