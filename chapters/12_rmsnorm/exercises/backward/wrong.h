// The usual mistakes. Each is what would stand in one of the holes.

// [wrong no_projection "The part along the row is not taken off: r is treated as a constant, but every x[d] has a share in it."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w) * r;
// [/hole]
// [/wrong]

// [wrong projection_is_a_sum "The part along the row is a sum over the features; it must be their mean: the sum over D."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * r;
dx.row(n) = (dx.row(n) - x.row(n) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong projection_on_x "The part along the row is measured with x and taken off along x: both times it must be x̂ = x · r."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) / T(x.cols());
dx.row(n) = (dx.row(n) - x.row(n) * along) * r;
// [/hole]
// [/wrong]

// [wrong one_r_missing "One r is missing in the part along the row: x̂ = x · r stands in it twice, once in the mean and once before it."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
dx.row(n) = (dx.row(n) - x.row(n) * along) * r;
// [/hole]
// [/wrong]

// [wrong last_r_missing "The last step is missing: what reaches x̂ = x · r reaches x only after one more · r."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
dx.row(n) = dx.row(n) - x.row(n) * (r * along);
// [/hole]
// [/wrong]

// [wrong projection_added "The part along the row is added; it must be taken off: where x grows, r shrinks."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
dx.row(n) = (dx.row(n) + x.row(n) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong layernorm "The mean of g is taken off too, as LayerNorm's backward does. RMSNorm's forward took no mean off, so none comes back."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
const T mean = dx.row(n).mean();
dx.row(n) = ((dx.row(n).array() - mean).matrix() - x.row(n) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong product_of_means "The mean of g times the mean of x̂ is not the mean of their product: multiply feature by feature, then average."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).mean() * x.row(n).mean() * r;
dx.row(n) = (dx.row(n) - x.row(n) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong no_gain "The gain is missing in dx: what reaches x̂ is dy ⊙ w, not dy."]
// [hole row]
const T along = dy.row(n).dot(x.row(n)) * r / T(x.cols());
dx.row(n) = (dy.row(n) - x.row(n) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong gain_last "The gain comes last in dx. Forward it came last, so backward it comes first: g = dy ⊙ w, then the part along the row."]
// [hole row]
const T along = dy.row(n).dot(x.row(n)) * r / T(x.cols());
dx.row(n) = ((dy.row(n) - x.row(n) * (r * along)) * r).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong no_eps "The row is measured again, without the eps. The forward's r has it: take rstd[n]."]
// [hole row]
const T again = T(1) / std::sqrt(x.row(n).squaredNorm() / T(x.cols()));
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = dx.row(n).dot(x.row(n)) * again / T(x.cols());
dx.row(n) = (dx.row(n) - x.row(n) * (again * along)) * again;
// [/hole]
// [/wrong]

// [wrong projection_without_eps "The part along the row is divided by the row's squared length. With an eps that takes off too much: use x̂ = x · r and the mean."]
// [hole row]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T share = dx.row(n).dot(x.row(n)) / x.row(n).squaredNorm();
dx.row(n) = (dx.row(n) - x.row(n) * share) * r;
// [/hole]
// [/wrong]

// [wrong dw_of_last_row "dw is overwritten by each row, so only the last one counts: every row used the gain, add them up."]
// [hole gain]
dw = (dy.row(n).cwiseProduct(x.row(n))) * r;
// [/hole]
// [/wrong]

// [wrong dw_of_x "dw is made of x, not of x̂: the gain multiplied x · r."]
// [hole gain]
dw += dy.row(n).cwiseProduct(x.row(n));
// [/hole]
// [/wrong]

// [wrong dw_of_y "dw is made of y, which has the gain in it already: the derivative of x̂ ⊙ w by w is x̂."]
// [hole gain]
dw += (dy.row(n).cwiseProduct(x.row(n)).cwiseProduct(w)) * r;
// [/hole]
// [/wrong]

// [wrong dw_mean "dw is the mean over the rows; the gain was used by every row, so it is their sum."]
// [hole gain]
dw += (dy.row(n).cwiseProduct(x.row(n))) * (r / T(x.rows()));
// [/hole]
// [/wrong]
