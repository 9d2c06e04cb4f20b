// What chapter 04 shows: a lookup is a product, repeated tokens, one table for both ends, and its scale.
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "assets/fables.h"
#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "chapters/04_embedding/embedding.h"
#include "chapters/example.h"

namespace {

using namespace tpp;
using Matrix = Mat<double>;

// [snip one_hot]
// Row n is 1 at token n and 0 elsewhere.
Matrix one_hot(std::span<const int> tokens, Index V) {
  Matrix one = Matrix::Zero(Index(tokens.size()), V);  // (N, V)
  for (Index n = 0; n < one.rows(); ++n) one(n, tokens[std::size_t(n)]) = 1;
  return one;
}
// [/snip]

void lookup() {
  Matrix table(4, 2);  // (V, D)
  table << 1, 2, 10, 20, 100, 200, 1000, 2000;
  const std::vector<int> tokens = {2, 0, 2};
  Matrix y(3, 2);  // (N, D)
  embedding_forward<double>(table, tokens, y);
  const Matrix product = one_hot(tokens, 4) * table;
  for (Index n = 0; n < y.rows(); ++n) {
    std::printf("token %d   lookup %4g %4g   product %4g %4g\n", tokens[std::size_t(n)], y(n, 0),
                y(n, 1), product(n, 0), product(n, 1));
  }
}

// A batch of bytes as the default model reads it: 2,048 of them
std::vector<int> some_bytes() {
  std::vector<int> tokens;
  for (const char c : fables(1, 4096).substr(0, 2048)) {
    tokens.push_back(static_cast<unsigned char>(c));
  }
  return tokens;
}

// The gradient of the table, right and with repeated tokens lost.
void repeated() {
  const std::vector<int> tokens = some_bytes();
  const Index N = Index(tokens.size()), V = 256, D = 16;
  Philox rng(5);
  const Matrix table = random_normal<double>(rng, V, D), dy = random_normal<double>(rng, N, D);

  Matrix sums(V, D), last = Matrix::Zero(V, D);
  embedding_backward<double>(dy, tokens, sums);
  for (Index n = 0; n < N; ++n) last.row(tokens[std::size_t(n)]) = dy.row(n);  // wrong: no sum

  const std::set<int> distinct(tokens.begin(), tokens.end());
  std::printf("%d places, %d distinct tokens\n", int(N), int(distinct.size()));
  const auto forward = [&](const Matrix& at) {
    Matrix y(N, D);
    embedding_forward<double>(at, tokens, y);
    return project(dy, y);
  };
  const auto show = [&](const char* how, const Matrix& dtable) {
    const GradientCheck check = check_gradient(rng, table, dtable, forward);
    std::printf("%-20s norm %6.1f   the test %s\n", how, dtable.norm(),
                check.agrees() ? "passes" : "refuses it");
  };
  show("every use added", sums);
  show("only the last use", last);
}

// The same model with one table and with two: whose gradient reaches which row?
void tied() {
  const Index V = 5, D = 3;
  const std::vector<int> tokens = {1, 3, 1};
  Philox rng(6);
  const Matrix start = random_normal<double>(rng, V, D), u = random_normal<double>(rng, 3, V);
  const auto run = [&](Tape<double>& tape, Var<double> in, Var<double> out) {
    tape.backward_from(linear(embedding(in, tokens), out), u);  // (N, D), then (N, V)
  };

  Tape<double> two;
  const Var<double> in = two.variable(start, "embed"), out = two.variable(start, "unembed");
  run(two, in, out);
  Tape<double> one;
  const Var<double> both = one.variable(start, "embed");
  run(one, both, both);

  std::printf("%-6s%12s%14s%10s\n", "token", "embedding", "un-embedding", "tied");
  for (Index v = 0; v < V; ++v) {
    std::printf("%-6d%12.4f%14.4f%10.4f\n", int(v), in.grad().row(v).norm(),
                out.grad().row(v).norm(), both.grad().row(v).norm());
  }
  const Matrix difference = both.grad() - in.grad() - out.grad();
  std::printf("tied = sum of both: %s\n", difference.norm() <= 1e-12 ? "yes" : "no");
}

// A table with entries of deviation s: how large are its rows as inputs, and the logits that it gives?
void deviation() {
  const Index V = 256, D = 128, N = 64;
  Philox rng(7);
  Matrix x = random_normal<double>(rng, N, D);  // what a norm hands to the un-embedding
  x.array().colwise() /= (x.array().square().rowwise().mean()).sqrt();
  const Matrix unit = random_normal<double>(rng, V, D);
  std::printf("%-22s%16s%16s\n", "deviation of the table", "a feature", "a logit");
  for (const double s : {0.02, 1 / std::sqrt(double(D)), 1.0}) {
    const Matrix table = s * unit, logits = x * table.transpose();
    std::printf("%-22.4f%16.2f%16.2f\n", s, std::sqrt(table.array().square().mean()),
                std::sqrt(logits.array().square().mean()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tpp::run_examples(
      argc, argv,
      {{"lookup", lookup}, {"repeated", repeated}, {"tied", tied}, {"deviation", deviation}});
}
