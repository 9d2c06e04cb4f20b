// The usual mistakes. Each is what would stand in the hole.

// [wrong no_maximum "The maximum is not taken off: exp(1000) is beyond any number, infinity over infinity is NaN."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = x.row(n).array().exp();
  y.row(n) /= y.row(n).sum();
}
// [/hole]
// [/wrong]

// [wrong maximum_from_zero "The search for the maximum starts at 0, so a row of negative scores is never shifted up: all its exponentials vanish, and 0 / 0 is NaN. Start with the first score, or with −∞."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  const T max = std::max(T(0), x.row(n).maxCoeff());
  y.row(n) = (x.row(n).array() - max).exp();
  y.row(n) /= y.row(n).sum();
}
// [/hole]
// [/wrong]

// [wrong maximum_of_everything "The maximum is that of the whole matrix: a row far below it vanishes, and 0 / 0 is NaN. Each row takes off its own."]
// [hole rows]
const T max = x.maxCoeff();
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - max).exp();
  y.row(n) /= y.row(n).sum();
}
// [/hole]
// [/wrong]

// [wrong mean_subtracted "The mean is taken off, not the maximum. In exact arithmetic both are right, but a score far above the mean still overflows."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - x.row(n).mean()).exp();
  y.row(n) /= y.row(n).sum();
}
// [/hole]
// [/wrong]

// [wrong sum_over_columns "The sum runs down the columns: it must run along the row, over the scores that compete with each other."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - x.row(n).maxCoeff()).exp();
}
const RowVec<T> sums = y.colwise().sum();
for (Index n = 0; n < x.rows(); ++n) y.row(n) = y.row(n).cwiseQuotient(sums);
// [/hole]
// [/wrong]

// [wrong softmax_of_columns "This is the softmax of the columns, maximum and sum: the scores of one row compete with each other, not those of one column."]
// [hole rows]
for (Index i = 0; i < x.cols(); ++i) {
  y.col(i) = (x.col(i).array() - x.col(i).maxCoeff()).exp();
  y.col(i) /= y.col(i).sum();
}
// [/hole]
// [/wrong]

// [wrong sum_of_everything "The sum is that of the whole matrix: every row must add up to 1 by itself."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - x.row(n).maxCoeff()).exp();
}
y /= y.sum();
// [/hole]
// [/wrong]

// [wrong divided_by_count "The exponentials are divided by their number, not by their sum: a row must add up to 1."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - x.row(n).maxCoeff()).exp();
  y.row(n) /= T(x.cols());
}
// [/hole]
// [/wrong]

// [wrong not_divided "The exponentials are not divided by their sum: a row must add up to 1."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  y.row(n) = (x.row(n).array() - x.row(n).maxCoeff()).exp();
}
// [/hole]
// [/wrong]

// [wrong no_exponential "There is no exponential: scores are divided by their sum, which may be 0 or negative."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) y.row(n) = x.row(n) / x.row(n).sum();
// [/hole]
// [/wrong]

// [wrong log_softmax "This is the logarithm of the softmax: the result is missing its exponential."]
// [hole rows]
for (Index n = 0; n < x.rows(); ++n) {
  const T max = x.row(n).maxCoeff();
  y.row(n) = x.row(n).array() - max - std::log((x.row(n).array() - max).exp().sum());
}
// [/hole]
// [/wrong]
