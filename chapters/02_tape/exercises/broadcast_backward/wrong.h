// The usual mistakes. Each is what would stand in the hole.

// [wrong last_row_only "Each row's gradient replaces the one before, so only the last row is left: the forward gave b to every row, so all of them are summed."]
// [hole row]
for (Index n = 0; n < dy.rows(); ++n) db.row(0) = dy.row(n);
// [/hole]
// [/wrong]

// [wrong last_row_in_set "With Write::set each row's gradient replaces the one before. Clear db once, before the rows, and then add them all."]
// [hole row]
for (Index n = 0; n < dy.rows(); ++n) {
  if (write == Write::set) {
    db.row(0) = dy.row(n);
  } else {
    db.row(0) += dy.row(n);
  }
}
// [/hole]
// [/wrong]

// [wrong not_summed "Only row 0 of dy is used: the forward gave b to every row, so every row sends a gradient back."]
// [hole row]
if (write == Write::set) {
  db.row(0) = dy.row(0);
} else {
  db.row(0) += dy.row(0);
}
// [/hole]
// [/wrong]

// [wrong averaged "This is the mean over the rows: N uses of b send N gradients, and they are added, not averaged."]
// [hole row]
if (write == Write::set) {
  db = dy.colwise().mean();
} else {
  db += dy.colwise().mean();
}
// [/hole]
// [/wrong]

// [wrong overwritten "The sum replaces what stands in db even with Write::add: the gradient of b's other use is lost."]
// [hole row]
db = dy.colwise().sum();
// [/hole]
// [/wrong]

// [wrong always_added "The sum is added even with Write::set: what stood in db before is not part of the gradient."]
// [hole row]
db += dy.colwise().sum();
// [/hole]
// [/wrong]

// [wrong set_and_add_swapped "Write::set and Write::add have changed places: set replaces, add adds."]
// [hole row]
if (write == Write::add) {
  db = dy.colwise().sum();
} else {
  db += dy.colwise().sum();
}
// [/hole]
// [/wrong]

// [wrong wrong_axis "The features of a row are summed, not the rows of a feature: db[d] is the sum over n of dy[n,d]."]
// [hole row]
if (write == Write::set) db.setZero();
for (Index d = 0; d < db.cols(); ++d) db(0, d) += dy.row(d).sum();
// [/hole]
// [/wrong]

// [wrong all_in_one "Everything is summed into one number: each feature has a gradient of its own."]
// [hole row]
if (write == Write::set) db.setZero();
db.array() += dy.sum();
// [/hole]
// [/wrong]
