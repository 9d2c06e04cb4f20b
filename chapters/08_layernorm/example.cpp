// What the text of chapter 08 shows: growth through a stack, one row by hand, the two projections, four placements.
#include "chapters/example.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "chapters/01_tensor/matmul.h"
#include "chapters/01_tensor/random.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/08_layernorm/placement.h"

using namespace tpp;

namespace {

void print(const std::string& title, const Mat<double>& row) {
  // Columns as they are seen: neither the later bytes of a letter nor the hat on x̂ take one
  int seen = 0;
  for (const char c : title) seen += (c & 0xC0) != 0x80 && (c & 0xFE) != 0xCC;
  std::printf("%s%*s", title.c_str(), std::max(0, 26 - seen), "");
  for (Index d = 0; d < row.cols(); ++d) std::printf(" %8.4f", row(0, d) == 0 ? 0 : row(0, d));
  std::printf("\n");
}

Mat<double> norm_of(const Mat<double>& x, double eps = 1e-5) {
  Mat<double> y(x.rows(), x.cols());
  ColVec<double> mean(x.rows()), rstd(x.rows());
  layernorm_forward<double>(x, RowVec<double>::Ones(x.cols()), RowVec<double>(), {.eps = eps}, y,
                            mean, rstd);
  return y;
}

void growth() {
  // 40 layers of random weights: those of the second column are a tenth too large, of the third a tenth too small
  const Index D = 256;
  std::printf("layer      right   10 %% more   10 %% less   10 %% more, normed\n");
  Mat<double> x[4];
  Philox rng(8);
  x[0] = random_normal<double>(rng, 1, D);
  x[1] = x[2] = x[3] = x[0];
  const double size[4] = {1, 1.1, 0.9, 1.1};
  for (int layer = 1; layer <= 40; ++layer) {
    const Mat<double> w = random_normal<double>(rng, D, D) / std::sqrt(double(D));
    for (int i = 0; i < 4; ++i) {
      x[i] = Mat<double>(size[i] * x[i] * w.transpose());
      if (i == 3) x[i] = norm_of(x[i]);
    }
    if (layer != 1 && layer % 10 != 0) continue;
    std::printf("%5d ", layer);
    for (const Mat<double>& one : x) std::printf("  %10.3f", one.norm() / std::sqrt(double(D)));
    std::printf("\n");
  }
}

void one_row() {
  const Mat<double> x{{1, 2, 3, 6}};
  Mat<double> y(1, 4);
  ColVec<double> mean(1), rstd(1);
  layernorm_forward<double>(x, RowVec<double>::Ones(4), RowVec<double>(), {.eps = 0}, y, mean,
                            rstd);
  print("x", x);
  std::printf("mean %.4f, variance %.4f, r %.4f\n", mean[0], 1 / (rstd[0] * rstd[0]), rstd[0]);
  print("x̂", y);
  print("x̂ of x + 100", norm_of(x.array() + 100, 0));
  print("x̂ of 7x", norm_of(7 * x, 0));
}

// [snip projections]
void projections() {
  const Mat<double> x{{1, 2, 3, 6}};
  const RowVec<double> w = RowVec<double>::Ones(4);
  Mat<double> y(1, 4), dx(1, 4);
  ColVec<double> mean(1), rstd(1);
  RowVec<double> dw(4), db(4);
  layernorm_forward<double>(x, w, RowVec<double>(), {.eps = 0}, y, mean, rstd);

  // The gradient that arrives; then one that only shifts the row, and one that only scales it
  const Mat<double> given[3] = {Mat<double>{{1, 0, 0, 0}}, Mat<double>::Ones(1, 4), y};
  const char* names[3] = {"dy: the first feature", "dy: the same everywhere", "dy: x̂ itself"};
  for (int i = 0; i < 3; ++i) {
    layernorm_backward<double>(given[i], x, w, mean, rstd, dx, dw, db);
    print(names[i], given[i]);
    print("  dx", dx.array().abs().maxCoeff() < 1e-12 ? Mat<double>(0 * dx) : dx);
    if (i > 0) continue;
    std::printf("  sum of dx %.4f, of dx·x̂ %.4f\n", std::abs(dx.sum()),
                std::abs(dx.cwiseProduct(y).sum()));
  }
}
// [/snip]

// A stack of random linear sublayers: how large the stream gets, and the gradient of each sublayer's weights.
void placements() {
  const Index N = 64, D = 64;
  const std::pair<const char*, Placement> all[] = {{"pre", Placement::pre},
                                                   {"post", Placement::post},
                                                   {"sandwich", Placement::sandwich},
                                                   {"deepnorm", Placement::deepnorm}};
  const auto size = [](const auto& m) { return m.norm() / std::sqrt(double(m.size())); };
  std::printf("placement    sublayers   stream     gradient of the weights, first to last\n");
  for (const int blocks : {8, 24, 96}) {
    for (const auto& [name, placement] : all) {
      Philox rng(9);
      const bool deep = placement == Placement::deepnorm;
      const DeepNormScale scale = deepnorm_scale(blocks / 2);  // a layer has two sublayers
      Tape<double> tape;
      const Var<double> gain = tape.input(Mat<double>::Ones(1, D), "gain");
      const auto norm = [&](Var<double> x) { return layernorm<double>(x, gain); };
      Var<double> x = tape.input(random_normal<double>(rng, N, D), "x");
      std::vector<Var<double>> weights;
      for (int block = 0; block < blocks; ++block) {
        const double deviation = (deep ? scale.beta : 1) / std::sqrt(double(D));
        weights.push_back(tape.variable(random_normal<double>(rng, D, D, deviation), "w"));
        const auto sublayer = [&](Var<double> in) { return linear<double>(in, weights.back()); };
        x = residual_block<double>(placement, x, norm, sublayer, norm, deep ? scale.alpha : 1);
      }
      tape.backward_from(norm(x), random_normal<double>(rng, N, D));
      std::printf("%-10s   %9d   %6.2f ", name, blocks, size(x.value()));
      for (const int quarter : {0, 1, 2, 3, 4}) {
        const int block = std::min(quarter * blocks / 4, blocks - 1);
        std::printf("  %6.3f", size(weights[std::size_t(block)].grad()) / std::sqrt(double(N)));
      }
      std::printf("\n");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"growth", growth},
                       {"one_row", one_row},
                       {"projections", projections},
                       {"placements", placements}});
}
