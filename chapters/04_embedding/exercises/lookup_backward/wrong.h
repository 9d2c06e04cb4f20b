// The usual mistakes. Each is what would stand in the hole.

// [wrong repeated_lost "A row is written where it should be added: of a token that stands in the text twice only the last gradient is left."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) dtable.row(tokens[n]) = dy.row(n);
// [/hole]
// [/wrong]

// [wrong repeated_lost_in_set "With Write::set each row is written anew: of a token that stands in the text twice only the last gradient is left."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) {
  if (write == Write::set) {
    dtable.row(tokens[n]) = dy.row(n);
  } else {
    dtable.row(tokens[n]) += dy.row(n);
  }
}
// [/hole]
// [/wrong]

// [wrong others_not_cleared "With Write::set each chosen row is written, but the others keep what stood there: nobody looked them up, so their gradient is 0. And a repeated token keeps only its last gradient."]
// [hole scatter]
for (Index n = 0; n < N; ++n) {
  if (write == Write::set) {
    dtable.row(tokens[n]) = dy.row(n);
  } else {
    dtable.row(tokens[n]) += dy.row(n);
  }
}
// [/hole]
// [/wrong]

// [wrong chosen_rows_cleared "With Write::set only the rows that were looked up are cleared: the other rows must become 0 too."]
// [hole scatter]
if (write == Write::set) {
  for (Index n = 0; n < N; ++n) dtable.row(tokens[n]).setZero();
}
for (Index n = 0; n < N; ++n) dtable.row(tokens[n]) += dy.row(n);
// [/hole]
// [/wrong]

// [wrong never_cleared "Write::set is not obeyed: what stood in dtable before is not part of the gradient, and must be cleared first."]
// [hole scatter]
for (Index n = 0; n < N; ++n) dtable.row(tokens[n]) += dy.row(n);
// [/hole]
// [/wrong]

// [wrong always_cleared "Write::add is not obeyed: dtable holds another use's gradient, which is lost when the table is cleared."]
// [hole scatter]
dtable.setZero();
for (Index n = 0; n < N; ++n) dtable.row(tokens[n]) += dy.row(n);
// [/hole]
// [/wrong]

// [wrong place_for_token "Row n of dy is added to row n of the table: n is a place in the text, tokens[n] is the row that stood there."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) dtable.row(n) += dy.row(n);
// [/hole]
// [/wrong]

// [wrong gathered "This looks up once more: row n of the table takes row tokens[n] of dy. Backward goes the other way, from place n to row tokens[n]."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) dtable.row(n) += dy.row(tokens[n]);
// [/hole]
// [/wrong]

// [wrong averaged "The gradients of a repeated token are averaged: a value that is used k times gets the sum of k gradients, not their mean."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) {
  Index uses = 0;
  for (const int token : tokens) uses += token == tokens[n] ? 1 : 0;
  dtable.row(tokens[n]) += dy.row(n) / T(uses);
}
// [/hole]
// [/wrong]

// [wrong first_use_only "Only the first use of a token counts here: every place where it stands sends a gradient back."]
// [hole scatter]
if (write == Write::set) dtable.setZero();
for (Index n = 0; n < N; ++n) {
  bool seen = false;
  for (Index before = 0; before < n; ++before) seen = seen || tokens[before] == tokens[n];
  if (!seen) dtable.row(tokens[n]) += dy.row(n);
}
// [/hole]
// [/wrong]
