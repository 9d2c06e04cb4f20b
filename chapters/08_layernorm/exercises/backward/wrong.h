// The usual mistakes. Each is what would stand in one of the holes.

// [wrong unbiased_variance "The variance is divided by D − 1, as a sample's is. LayerNorm describes the row itself: divide by D."]
// [hole measure]
mean[n] = x.row(n).mean();
const T variance = (x.row(n).array() - mean[n]).square().sum() / T(x.cols() - 1);
rstd[n] = T(1) / std::sqrt(variance + T(cfg.eps));
// [/hole]
// [/wrong]

// [wrong eps_outside "The eps stands outside of the root: 1 / (√variance + eps). It belongs to the variance, under the root."]
// [hole measure]
mean[n] = x.row(n).mean();
const T variance = (x.row(n).array() - mean[n]).square().mean();
rstd[n] = T(1) / (std::sqrt(variance) + T(cfg.eps));
// [/hole]
// [/wrong]

// [wrong no_eps "The eps is missing: a row of equal numbers divides by zero."]
// [hole measure]
mean[n] = x.row(n).mean();
const T variance = (x.row(n).array() - mean[n]).square().mean();
rstd[n] = T(1) / std::sqrt(variance);
// [/hole]
// [/wrong]

// [wrong not_around_the_mean "The squares are not taken around the mean: that is RMSNorm's measure. Take the mean off first."]
// [hole measure]
mean[n] = x.row(n).mean();
const T variance = x.row(n).array().square().mean();
rstd[n] = T(1) / std::sqrt(variance + T(cfg.eps));
// [/hole]
// [/wrong]

// [wrong rstd_not_inverted "rstd holds the root, not one over it: everything after multiplies by it."]
// [hole measure]
mean[n] = x.row(n).mean();
const T variance = (x.row(n).array() - mean[n]).square().mean();
rstd[n] = std::sqrt(variance + T(cfg.eps));
// [/hole]
// [/wrong]

// [wrong gain_of_x "The gain's gradient uses x. What the gain multiplied was x̂ = (x − μ)·r."]
// [hole weights]
dw += dy.row(n).cwiseProduct(x.row(n));
if (db.size() != 0) db += dy.row(n);
// [/hole]
// [/wrong]

// [wrong weights_overwritten "Each row replaces dw and db, so only the last row counts. Gain and bias saw every row: add."]
// [hole weights]
dw.array() = dy.row(n).array() * (x.row(n).array() - m) * r;
if (db.size() != 0) db = dy.row(n);
// [/hole]
// [/wrong]

// [wrong mean_term_missing "The mean of g is not taken off. The row's mean depends on every x, so a part of the gradient goes back through it."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
dx.row(n).array() = (dx.row(n).array() - (x.row(n).array() - m) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong projection_term_missing "The part along x̂ is not taken off. The root depends on every x, too, so a part of the gradient goes back through it."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T shift = dx.row(n).mean();
dx.row(n).array() = (dx.row(n).array() - shift) * r;
// [/hole]
// [/wrong]

// [wrong scale_only "Mean and root are treated as constants: dx = dy·w·r. Both depend on x, and two terms come from that."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w) * r;
// [/hole]
// [/wrong]

// [wrong gain_not_undone "The gain is missing in dx: the gradient that reaches x̂ is dy·w."]
// [hole input]
dx.row(n) = dy.row(n);
const T shift = dx.row(n).mean();
const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
dx.row(n).array() = (dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along)) * r;
// [/hole]
// [/wrong]

// [wrong gain_at_the_end "The gain multiplies after the means are taken. It must come first: the means are of g = dy·w."]
// [hole input]
dx.row(n) = dy.row(n);
const T shift = dx.row(n).mean();
const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
dx.row(n).array() = (dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along)) * r
                    * w.array();
// [/hole]
// [/wrong]

// [wrong last_r_missing "The last factor r is missing: x̂ = (x − μ)·r, so what comes back from x̂ is multiplied by r."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T shift = dx.row(n).mean();
const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
dx.row(n).array() = dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along);
// [/hole]
// [/wrong]

// [wrong projection_on_x "The projection uses x instead of x̂: take the mean off and multiply by r, in both places."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T shift = dx.row(n).mean();
const T along = (dx.row(n).array() * x.row(n).array()).mean();
dx.row(n).array() = (dx.row(n).array() - shift - x.row(n).array() * along) * r;
// [/hole]
// [/wrong]

// [wrong sums_not_means "The two terms are sums over the row. They are means: divide by D."]
// [hole input]
dx.row(n) = dy.row(n).cwiseProduct(w);
const T shift = dx.row(n).sum();
const T along = (dx.row(n).array() * (x.row(n).array() - m)).sum() * r;
dx.row(n).array() = (dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along)) * r;
// [/hole]
// [/wrong]
