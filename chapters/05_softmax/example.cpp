// What the text of chapter 05 shows: ratios, where float breaks, surprise in numbers, and the gradient of one row.
#include "chapters/example.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "assets/fables.h"
#include "chapters/03_tokens/baselines.h"
#include "chapters/05_softmax/cross_entropy.h"
#include "chapters/05_softmax/softmax.h"

using namespace tpp;

namespace {

template <Real T>
void print(const char* title, const Mat<T>& m) {
  std::printf("%-24s", title);
  for (Index i = 0; i < m.cols(); ++i) std::printf(" %8.4f", double(m(0, i)));
  std::printf("\n");
}

void ratios() {
  Mat<double> x{{1, 2, 3}}, p(1, 3);
  softmax_forward<double>(x, p);
  print("scores", x);
  print("softmax", p);
  x.array() += 100;
  softmax_forward<double>(x, p);
  print("all 100 higher", p);
  std::printf("each over the one before  %7.4f  %7.4f    (e is 2.7183)\n", p(0, 1) / p(0, 0),
              p(0, 2) / p(0, 1));
}

// [snip naive]
// The formula as it is written, in float.
std::array<float, 3> as_written(const Mat<float>& x) {
  std::array<float, 3> p{};
  float sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += p[i] = std::exp(x(0, Index(i)));
  for (float& one : p) one /= sum;
  return p;
}
// [/snip]

void overflow() {
  std::printf("three scores              as written             less the maximum\n");
  for (const float first : {0.0f, 80.0f, 88.0f, 500.0f, -90.0f, -103.0f, -500.0f}) {
    Mat<float> x{{first, first + 1, first + 2}};
    Mat<float> p(1, 3);
    softmax_forward<float>(x, p);
    const std::array<float, 3> naive = as_written(x);
    std::printf("%6.0f %6.0f %6.0f    ", double(x(0, 0)), double(x(0, 1)), double(x(0, 2)));
    for (const float one : naive) {
      if (std::isnan(one)) std::printf("    NaN");  // C libraries disagree on its sign
      if (!std::isnan(one)) std::printf("  %5.3f", double(one));
    }
    std::printf("    %5.3f  %5.3f  %5.3f\n", double(p(0, 0)), double(p(0, 1)), double(p(0, 2)));
  }
}

void surprise() {
  std::printf("p          loss, nats    bits    perplexity    gradient of its score\n");
  for (const double p : {0.99, 0.5, 0.1, 1.0 / 256, 0.0001}) {
    const double nats = -std::log(p);
    std::printf("%6.4f   %8.3f   %8.3f   %10.2f   %14.4f\n", p, nats, nats / std::log(2.0),
                perplexity(nats), p - 1);
  }
}

void guessers() {
  const Dataset data(fables(1, 1000000), Tokenizer::bytes());
  const std::pair<const char*, double> all[] = {
      {"every byte alike", std::log(256.0)},
      {"how often each letter comes", unigram_entropy(data)},
      {"how often it follows the last letter", bigram_entropy(data)}};
  std::printf("who knows                               loss, nats    perplexity\n");
  for (const auto& [name, loss] : all) {
    std::printf("%-37s   %9.2f   %11.1f\n", name, loss, perplexity(loss));
  }
}

// [snip gradient]
void gradient() {
  const Mat<double> logits{{2, 1, 0}, {0, 0, 3}};
  const std::vector<int> targets = {0, 1};
  ColVec<double> row_loss(2), log_sum(2);
  const auto loss = [&](const Mat<double>& x) {
    return cross_entropy_forward<double>(x, targets, 2, row_loss, log_sum);
  };
  const double here = loss(logits);
  std::printf("loss %.4f: the rows' %.4f and %.4f, halved\n", here, row_loss[0], row_loss[1]);

  Mat<double> d(2, 3);
  cross_entropy_backward<double>(1, logits, targets, 2, log_sum, d);
  for (Index n = 0; n < 2; ++n) {
    std::printf("target %d: p", targets[std::size_t(n)]);
    for (Index v = 0; v < 3; ++v) std::printf(" %6.4f", std::exp(logits(n, v) - log_sum[n]));
    std::printf("  gradient");
    for (Index v = 0; v < 3; ++v) std::printf(" %7.4f", d(n, v));
    std::printf("  by small steps");
    for (Index v = 0; v < 3; ++v) {
      const double h = 1e-6;
      Mat<double> up = logits, down = logits;
      up(n, v) += h, down(n, v) -= h;
      std::printf(" %7.4f", (loss(up) - loss(down)) / (2 * h));
    }
    std::printf("\n");
    (void)loss(logits);  // row_loss and log_sum of this place again
  }
}
// [/snip]

void digits() {
  // Two equal scores, so the loss is log 2
  for (const float score : {10.0f, 1000.0f, 100000.0f}) {
    Mat<float> logits{{score, score}};
    const std::vector<int> target = {0};
    ColVec<float> row_loss(1), log_sum(1);
    (void)cross_entropy_forward<float>(logits, target, 1, row_loss, log_sum);
    std::printf("scores of %7.0f: log_sum − score = %.6f, the code's row_loss = %.6f\n",
                double(score), double(log_sum[0] - score), double(row_loss[0]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"ratios", ratios},
                       {"overflow", overflow},
                       {"surprise", surprise},
                       {"guessers", guessers},
                       {"gradient", gradient},
                       {"digits", digits}});
}
