// The usual mistakes. Each is what would stand in one of the holes, or in both.

// [wrong overwritten "The gradient replaces what stands there even with Write::add: at a fork, the gradient of the other use is lost."]
// [hole left]
da = dy * b.transpose();
// [/hole]
// [hole right]
db = a.transpose() * dy;
// [/hole]
// [/wrong]

// [wrong overwritten_left "The left operand's gradient replaces what stands there even with Write::add: at a fork, the gradient of the other use is lost."]
// [hole left]
da = dy * b.transpose();
// [/hole]
// [/wrong]

// [wrong overwritten_right "The right operand's gradient replaces what stands there even with Write::add: at a fork, the gradient of the other use is lost."]
// [hole right]
db = a.transpose() * dy;
// [/hole]
// [/wrong]

// [wrong always_added "The gradient is added even with Write::set: the first gradient of a value must replace whatever the memory held."]
// [hole left]
da += dy * b.transpose();
// [/hole]
// [hole right]
db += a.transpose() * dy;
// [/hole]
// [/wrong]

// [wrong always_added_left "The left operand's gradient is added even with Write::set: the first gradient of a value must replace whatever the memory held."]
// [hole left]
da += dy * b.transpose();
// [/hole]
// [/wrong]

// [wrong always_added_right "The right operand's gradient is added even with Write::set: the first gradient of a value must replace whatever the memory held."]
// [hole right]
db += a.transpose() * dy;
// [/hole]
// [/wrong]

// [wrong set_and_add_swapped "Write::set and Write::add have changed places: set replaces, add adds."]
// [hole left]
if (write == Write::add) {
  da = dy * b.transpose();
} else {
  da += dy * b.transpose();
}
// [/hole]
// [hole right]
if (write == Write::add) {
  db = a.transpose() * dy;
} else {
  db += a.transpose() * dy;
}
// [/hole]
// [/wrong]

// [wrong left_not_transposed "da is dy·b here, without the transpose: dy is (M, N) and b is (K, N), so b must be turned for the sizes to fit."]
// [hole left]
if (write == Write::set) {
  da = dy * b;
} else {
  da += dy * b;
}
// [/hole]
// [/wrong]

// [wrong left_order_swapped "da is bᵀ·dy here: matrices do not commute, and dy stands on the left because b stood on the right."]
// [hole left]
if (write == Write::set) {
  da = b.transpose() * dy;
} else {
  da += b.transpose() * dy;
}
// [/hole]
// [/wrong]

// [wrong left_dy_transposed "da is dyᵀ·b here, with the wrong one transposed: it is b that changes sides, so b is turned."]
// [hole left]
if (write == Write::set) {
  da = dy.transpose() * b;
} else {
  da += dy.transpose() * b;
}
// [/hole]
// [/wrong]

// [wrong right_not_transposed "db is a·dy here, without the transpose: a is (M, K) and dy is (M, N), so a must be turned for the sizes to fit."]
// [hole right]
if (write == Write::set) {
  db = a * dy;
} else {
  db += a * dy;
}
// [/hole]
// [/wrong]

// [wrong right_order_swapped "db is dy·aᵀ here: matrices do not commute, and dy stands on the right because a stood on the left."]
// [hole right]
if (write == Write::set) {
  db = dy * a.transpose();
} else {
  db += dy * a.transpose();
}
// [/hole]
// [/wrong]

// [wrong right_result_transposed "db is dyᵀ·a here, which is the gradient transposed: it must have b's shape, (K, N)."]
// [hole right]
if (write == Write::set) {
  db = dy.transpose() * a;
} else {
  db += dy.transpose() * a;
}
// [/hole]
// [/wrong]

// [wrong not_transposed "Neither operand is transposed: da = dy·bᵀ and db = aᵀ·dy, as the sizes demand."]
// [hole left]
if (write == Write::set) {
  da = dy * b;
} else {
  da += dy * b;
}
// [/hole]
// [hole right]
if (write == Write::set) {
  db = a * dy;
} else {
  db += a * dy;
}
// [/hole]
// [/wrong]

// [wrong number_by_number "These are the gradients of a ⊙ b, number by number. In a product of matrices each number of a meets a whole row of b."]
// [hole left]
if (write == Write::set) {
  da = dy.cwiseProduct(b);
} else {
  da += dy.cwiseProduct(b);
}
// [/hole]
// [hole right]
if (write == Write::set) {
  db = dy.cwiseProduct(a);
} else {
  db += dy.cwiseProduct(a);
}
// [/hole]
// [/wrong]

// [wrong left_result_transposed "da is b·dyᵀ here, which is the gradient transposed: it must have a's shape, (M, K)."]
// [hole left]
if (write == Write::set) {
  da = b * dy.transpose();
} else {
  da += b * dy.transpose();
}
// [/hole]
// [/wrong]
