// One mechanism a step: columns of a head, rows of a sequence, nothing twice; rows of the probabilities; then all heads.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/exercises/heads/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

// softmax(q·kᵀ)·v, every query sees every key
void one_head(const Mat<double>& q, const Mat<double>& k, const Mat<double>& v, Mat<double>& probs,
              Mat<double>& out) {
  probs = (q * k.transpose()).array().exp().matrix();
  for (Index t = 0; t < probs.rows(); ++t) probs.row(t) /= probs.row(t).sum();
  out = probs * v;
}

constexpr Index B = 2, T = 3, H = 4, K = 5;

}  // namespace

STEP("columns of a head") {
  // One position, two heads of three features
  std::vector<int> columns;
  for (Index h = 0; h < 2; ++h) {
    for (Index k = 0; k < 3; ++k)
      columns.push_back(int(answer.place(1, 1, 2, 3, 0, h, 0, k).second));
  }
  expect_equal(columns, std::vector<int>{0, 1, 2, 3, 4, 5},
               "columns of head 0's features 0, 1, 2, then head 1's (B = 1, T = 1, H = 2, K = 3)");
}

STEP("rows of a sequence") {
  // Head 0 and head 2 of each position stand in one row
  std::vector<int> rows, columns;
  for (Index b = 0; b < 2; ++b) {
    for (Index t = 0; t < 3; ++t) {
      const auto [row, column] = answer.place(2, 3, 4, 5, b, 2, t, 1);
      rows.push_back(int(row));
      columns.push_back(int(column));
    }
  }
  expect_equal(rows, std::vector<int>{0, 1, 2, 3, 4, 5},
               "rows of positions 0, 1, 2 of sequence 0, then of sequence 1; head 2, feature 1 "
               "(B = 2, T = 3, H = 4, K = 5)");
  expect_equal(columns, std::vector<int>{11, 11, 11, 11, 11, 11},
               "columns of the same: head 2, feature 1, K = 5");
}

STEP("every number belongs to one head") {
  std::vector<int> flat;
  for (Index b = 0; b < B; ++b) {
    for (Index h = 0; h < H; ++h) {
      for (Index t = 0; t < T; ++t) {
        for (Index k = 0; k < K; ++k) {
          const auto [row, column] = answer.place(B, T, H, K, b, h, t, k);
          flat.push_back(int(row * H * K + column));
        }
      }
    }
  }
  std::sort(flat.begin(), flat.end());
  std::vector<int> all(std::size_t(B * T * H * K));
  std::iota(all.begin(), all.end(), 0);
  expect_equal(flat, all, "the places of all heads, sorted (B = 2, T = 3, H = 4, K = 5)");
}

STEP("rows of the probabilities") {
  std::vector<int> queries, heads;
  for (Index t = 0; t < T; ++t) queries.push_back(int(answer.probs_row(B, T, H, K, 0, 0, t)));
  expect_equal(queries, std::vector<int>{0, 1, 2},
               "rows of queries 0, 1, 2 of the first head (B = 2, T = 3, H = 4)");
  for (Index b = 0; b < B; ++b) {
    for (Index h = 0; h < H; ++h) heads.push_back(int(answer.probs_row(B, T, H, K, b, h, 0)));
  }
  expect_equal(heads, std::vector<int>{0, 3, 6, 9, 12, 15, 18, 21},
               "first rows of the heads of sequence 0, then of sequence 1 (B = 2, T = 3, H = 4)");
}

STEP("all heads of all sequences") {
  // Cut q, k, v into heads by your places, attend, and put the results back by them
  Philox rng(62);
  const Mat<double> q = random_normal<double>(rng, B * T, H * K);
  const Mat<double> k = random_normal<double>(rng, B * T, H * K);
  const Mat<double> v = random_normal<double>(rng, B * T, H * K);
  Mat<double> out = Mat<double>::Constant(B * T, H * K, std::nan("")), want_out = out;
  Mat<double> probs = Mat<double>::Constant(B * H * T, T, std::nan("")), want_probs = probs;
  for (Index b = 0; b < B; ++b) {
    for (Index h = 0; h < H; ++h) {
      Mat<double> qh(T, K), kh(T, K), vh(T, K), p, y;
      for (Index t = 0; t < T; ++t) {
        for (Index f = 0; f < K; ++f) {
          const auto [row, column] = answer.place(B, T, H, K, b, h, t, f);
          qh(t, f) = q(row, column), kh(t, f) = k(row, column), vh(t, f) = v(row, column);
        }
      }
      one_head(qh, kh, vh, p, y);
      for (Index t = 0; t < T; ++t) {
        probs.row(answer.probs_row(B, T, H, K, b, h, t)) = p.row(t);
        for (Index f = 0; f < K; ++f) {
          const auto [row, column] = answer.place(B, T, H, K, b, h, t, f);
          out(row, column) = y(t, f);
        }
      }
      one_head(q.block(b * T, h * K, T, K), k.block(b * T, h * K, T, K),
               v.block(b * T, h * K, T, K), p, y);
      want_probs.middleRows((b * H + h) * T, T) = p;
      want_out.block(b * T, h * K, T, K) = y;
    }
  }
  expect_near(out, want_out, "out of 2 sequences of 3 positions, 4 heads of 5");
  expect_near(probs, want_probs, "probs of 2 sequences of 3 positions, 4 heads of 5");
}
