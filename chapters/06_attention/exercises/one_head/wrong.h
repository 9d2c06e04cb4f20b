// The usual mistakes. Each is what would stand in one of the holes.

// [wrong products_transposed "Keys and queries have changed places: row t must hold query t's products, and this is the transposed matrix."]
// [hole compare]
probs.block(t0, 0, rows, seen) = k.middleRows(t0, rows) * q.topRows(seen).transpose();
// [/hole]
// [/wrong]

// [wrong no_scale "The products are not scaled. Without 1/√K they grow with the width of the head, and the softmax picks a single key."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong divided_by_scale "The products are divided by scale. It is the factor itself, 1/√K for the width K, not √K."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= T(1) / scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong bias_scaled "The bias is added before the scale, so it is scaled too. Scale the products, then add the bias."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  row *= scale;
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong bias_reversed "The bias is read from the other end: t − s instead of s − t. Entry T − 1 is the query itself, and earlier keys stand before it."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) {
    for (Index s = 0; s < visible; ++s) row[s] += bias[t - s + L - 1];
  }
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong mask_after_softmax "The mask comes after the softmax: hidden keys have taken their share already, and a row no longer adds up to 1."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(seen).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, seen).array();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
  probs.row(t).tail(L - visible).setZero();
}
// [/hole]
// [/wrong]

// [wrong masked_logit_zero "The hidden logits are set to 0 before the softmax, and exp(0) is 1: they still get a share. Hidden means −∞ there, or left out."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto seen_part = probs.row(t).head(visible).array();
  seen_part *= scale;
  if (bias.size() != 0) seen_part += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  auto row = probs.row(t).array();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong mask_one_more "The mask is off by one: every query sees one key more than it may, its own next token. It learns to copy the answer."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = std::min(mask.visible(t, L) + 1, seen);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong mask_one_less "The mask is off by one: every query misses the last key that it may see, under a causal mask itself."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = std::max<Index>(mask.visible(t, L) - 1, 1);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong mask_ignored "The mask is not used: every query sees every key, the future too."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  auto row = probs.row(t).head(seen).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, seen).array();
  probs.row(t).tail(L - seen).setZero();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong softmax_over_queries "The softmax runs over queries, down the columns. Each query shares its attention among keys: every row adds up to 1."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setConstant(std::numeric_limits<T>::lowest());
}
for (Index s = 0; s < L; ++s) {
  auto column = probs.col(s).segment(t0, rows).array();
  const T largest = column.maxCoeff();
  if (largest == std::numeric_limits<T>::lowest()) {
    column.setZero();
    continue;
  }
  column = (column - largest).exp();
  column /= column.sum();
}
// [/hole]
// [/wrong]

// [wrong not_divided "The exponentials are not divided by their sum: a row of weights must add up to 1."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = (row - row.maxCoeff()).exp();
}
// [/hole]
// [/wrong]

// [wrong no_maximum "The row's maximum is not taken off: the exponential of a large logit is beyond any number, and the row becomes NaN."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  row = row.exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong foreign_maximum "One maximum is taken for all rows of the block. In a row whose logits lie far below it every exponential is 0, and 0/0 is NaN: each row needs a maximum of its own."]
// [hole weights]
T largest = probs.row(t0)(0) * scale;
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  probs.row(t).tail(L - visible).setZero();
  largest = std::max(largest, row.maxCoeff());
}
for (Index t = t0; t < t0 + rows; ++t) {
  auto row = probs.row(t).head(mask.visible(t, L)).array();
  row = (row - largest).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong hidden_not_zeroed "The hidden part of each row is not set to 0: products of queries and keys still stand there, and they are mixed in as if they were weights."]
// [hole weights]
for (Index t = t0; t < t0 + rows; ++t) {
  const Index visible = mask.visible(t, L);
  auto row = probs.row(t).head(visible).array();
  row *= scale;
  if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
  row = (row - row.maxCoeff()).exp();
  row *= T(1) / row.sum();
}
// [/hole]
// [/wrong]

// [wrong weights_transposed "The values are mixed by the transposed weights: each key hands its value to the queries by its column, but a query takes by its row."]
// [hole mix]
out.middleRows(t0, rows) = probs.block(0, t0, seen, rows).transpose() * v.topRows(seen);
// [/hole]
// [/wrong]
