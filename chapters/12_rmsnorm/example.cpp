// What the text of chapter 12 shows: which half of a LayerNorm does the work, what the mean changes, where no gradient
// goes, and what a model without means and biases saves.
#include "chapters/example.h"

#include <cmath>

#include "chapters/01_tensor/random.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/11_gpt/gpt.h"
#include "chapters/12_rmsnorm/part.h"
#include "chapters/12_rmsnorm/rmsnorm.h"
#include "chapters/12_rmsnorm/scalenorm.h"

using namespace tpp;

namespace {

using M = Mat<double>;

M layernorm_of(const M& x) {
  M y(x.rows(), x.cols());
  ColVec<double> mean(x.rows()), rstd(x.rows());
  const RowVec<double> gain = RowVec<double>::Ones(x.cols()), bias = RowVec<double>::Zero(x.cols());
  layernorm_forward<double>(x, gain, bias, {.eps = 0}, y, mean, rstd);
  return y;
}

M rmsnorm_of(const M& x) {
  M y(x.rows(), x.cols());
  ColVec<double> rstd(x.rows());
  const RowVec<double> gain = RowVec<double>::Ones(x.cols());
  rmsnorm_forward<double>(x, gain, {.eps = 0}, y, rstd);
  return y;
}

double rms(const M& x) { return x.norm() / std::sqrt(double(x.size())); }

// [snip halves]
// Twelve random layers, y = norm(x)·Wᵀ, whose weights are a little too large. Which half of a LayerNorm keeps
// the rows at their size: taking off the mean, or dividing by the length?
void halves() {
  const Index D = 64;
  const auto centre = [](const M& x) { return M(x.colwise() - x.rowwise().mean()); };
  const auto row = [&](const char* name, auto norm) {
    Philox rng(12);
    M x = random_normal<double>(rng, 8, D);
    std::printf("%-16s %8.2f", name, rms(x));
    for (int layer = 1; layer <= 12; ++layer) {
      const M w = random_normal<double>(rng, D, D, 1.6 / std::sqrt(double(D)));
      x = norm(x) * w.transpose();
      if (layer % 4 == 0) std::printf(" %8.2f", rms(x));
    }
    std::printf("\n");
  };
  std::printf("rms of the rows after layer    0        4        8       12\n");
  row("nothing", [](const M& x) { return x; });
  row("mean only", centre);
  row("length only", rmsnorm_of);
  row("both", layernorm_of);
}
// [/snip]

void print(const char* name, const M& x) {
  std::printf("%-22s", name);
  for (Index d = 0; d < x.cols(); ++d) std::printf(" %7.3f", x(0, d));
  std::printf("\n");
}

void mean() {
  const M x{{1, -2, 3, -2}};  // its mean is 0
  const M shifted = x.array() + 2.0;
  print("x, mean 0", x);
  print("  LayerNorm", layernorm_of(x));
  print("  RMSNorm", rmsnorm_of(x));
  print("x + 2", shifted);
  print("  LayerNorm", layernorm_of(shifted));
  print("  RMSNorm", rmsnorm_of(shifted));
  print("10 (x + 2)", 10 * shifted);
  print("  LayerNorm", layernorm_of(10 * shifted));
  print("  RMSNorm", rmsnorm_of(10 * shifted));
}

// [snip projection]
// The gradient of a row is at right angles to the row, and a row twice as long gets half of it.
void projection() {
  Philox rng(3);
  const M x = random_normal<double>(rng, 1, 6), dy = random_normal<double>(rng, 1, 6);
  const RowVec<double> w = RowVec<double>::Ones(6) + 0.3 * random_normal<double>(rng, 1, 6);
  for (const double scale : {0.5, 1.0, 2.0, 4.0}) {
    const M row = scale * x;
    M y(1, 6), dx(1, 6);
    ColVec<double> r(1);
    RowVec<double> dw(6);
    rmsnorm_forward<double>(row, w, {.eps = 0}, y, r);
    rmsnorm_backward<double>(dy, row, w, r, dx, dw);
    const double cosine = dx.row(0).dot(row.row(0)) / (dx.norm() * row.norm());
    std::printf("length of x %7.3f   of dx %7.4f   their product %7.4f   cosine %7.4f\n",
                row.norm(), dx.norm(), dx.norm() * row.norm(),
                std::abs(cosine) < 1e-12 ? 0.0 : cosine);
  }
}
// [/snip]

void parameters() {
  const auto count = [](const char* name, const NormPart<float>& norm, bool bias) {
    ModelConfig cfg;
    cfg.G = cfg.H;  // chapter 06's attention
    cfg.F = 4 * cfg.D;
    cfg.bias = bias;
    const Model<float> model(cfg, {norm, sinusoidal_part<float>(), multi_head_part<float>(),
                                   feed_forward_part<float>(Activation::gelu)});
    Index norms = 0, biases = 0, tensors = 0;
    for (const ParameterInfo& p : model.table().list()) {
      if (p.name.ends_with("/gain")) norms += p.rows * p.cols;
      if (p.name.ends_with("bias")) biases += p.rows * p.cols;
      ++tensors;
    }
    std::printf("%-22s %8d numbers in %2d tensors: %5d gains, %5d biases\n", name,
                int(model.table().numbers()), int(tensors), int(norms), int(biases));
  };
  count("LayerNorm, biases", layernorm_part<float>(), true);
  count("LayerNorm, no biases", layernorm_part<float>(), false);
  count("RMSNorm, no biases", rmsnorm_part<float>(), false);
  count("ScaleNorm, no biases", scalenorm_part<float>(), false);
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(
      argc, argv,
      {{"halves", halves}, {"mean", mean}, {"projection", projection}, {"parameters", parameters}});
}
