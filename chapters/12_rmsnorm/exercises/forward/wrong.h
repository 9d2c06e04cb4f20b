// The usual mistakes. Each is what would stand in the hole.

// [wrong eps_outside "The eps stands outside of the root: 1 / (√(mean x²) + eps). It belongs to the mean square, under the root."]
// [hole row]
rstd[n] = T(1) / (std::sqrt(x.row(n).squaredNorm() / T(x.cols())) + T(cfg.eps));
y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong no_eps "The eps is missing: a row of zeros divides by zero, and small rows are blown up."]
// [hole row]
rstd[n] = T(1) / std::sqrt(x.row(n).squaredNorm() / T(x.cols()));
y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong sum_not_mean "The sum of squares is not divided by the number of features: every row comes out shorter by √D."]
// [hole row]
rstd[n] = T(1) / std::sqrt(x.row(n).squaredNorm() + T(cfg.eps));
y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong mean_subtracted "The mean is taken off first, as LayerNorm does. RMSNorm leaves the mean alone: that is what it saves."]
// [hole row]
const T mean = x.row(n).mean();
rstd[n] = T(1) / std::sqrt((x.row(n).array() - mean).square().mean() + T(cfg.eps));
y.row(n) = ((x.row(n).array() - mean) * rstd[n]).matrix().cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong square_of_mean "It is the square of the mean, not the mean of the squares: numbers of both signs cancel before they are squared."]
// [hole row]
rstd[n] = T(1) / std::sqrt(x.row(n).mean() * x.row(n).mean() + T(cfg.eps));
y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong gain_measured "The gain is applied before the row is measured, so its size cancels. Measure x, then apply the gain."]
// [hole row]
rstd[n] = T(1) / std::sqrt(x.row(n).cwiseProduct(w).squaredNorm() / T(x.cols()) + T(cfg.eps));
y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]

// [wrong rstd_not_inverted "y is right, but rstd holds the root, not one over it: the backward pass will multiply by it."]
// [hole row]
rstd[n] = std::sqrt(x.row(n).squaredNorm() / T(x.cols()) + T(cfg.eps));
y.row(n) = (x.row(n) / rstd[n]).cwiseProduct(w);
// [/hole]
// [/wrong]
