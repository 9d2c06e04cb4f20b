// The usual mistakes. Each is what would stand in the hole.

// [wrong not_divided "The gradient is not divided by count. The loss is the mean over the targets, so each row has only its share of it."]
// [hole rows]
const T share = dloss;
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong divided_by_rows "The gradient is divided by the number of rows. Ignored rows do not count: the loss was divided by count."]
// [hole rows]
const T share = T(double(dloss) / double(logits.rows()));
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong dloss_missing "The gradient that arrives, dloss, is not used: the loss may be a part of something larger."]
// [hole rows]
const T share = T(1 / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong ignored_probabilities "A row without a target keeps its probabilities. It had no part in the loss, so its gradient is 0."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  if (targets[n] != kIgnored) dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong ignored_not_written "A row without a target is left as it was. It must be set to 0: whatever stood there before would count as a gradient."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) continue;
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong target_missing "Nothing is taken off at the target. Without it every score is pushed down, the right one too."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
}
// [/hole]
// [/wrong]

// [wrong sign_swapped "The sign is swapped: what was true, minus what the model said. A step against this gradient makes the loss larger."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * -share;
  dlogits(n, targets[n]) += share;
}
// [/hole]
// [/wrong]

// [wrong one_not_shared "At the target a whole 1 is taken off, but the probabilities were divided by count already: take off 1 before, or the share after."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(n, targets[n]) -= T(1);
}
// [/hole]
// [/wrong]

// [wrong no_exponential "The exponential is missing: logits − log_sum is the logarithm of the probability."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]) * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong log_sum_missing "log_sum is not taken off: exp(logits) is no probability before it is divided by its sum."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = logits.row(n).array().exp() * share;
  dlogits(n, targets[n]) -= share;
}
// [/hole]
// [/wrong]

// [wrong target_for_all_rows "The 1 is taken off in the first row for every target: each row has its own."]
// [hole rows]
const T share = T(double(dloss) / count);
for (Index n = 0; n < logits.rows(); ++n) {
  if (targets[n] == kIgnored) {
    dlogits.row(n).setZero();
    continue;
  }
  dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
  dlogits(0, targets[n]) -= share;
}
// [/hole]
// [/wrong]
