#include "viewer/panels/lens.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chapters/13_rope/rope.h"
#include "viewer/panels/attention_panel.h"  // head_bias

namespace tpp::viewer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string block_name(int layer, const char* what) {
  return "block" + std::to_string(layer) + "/attn/" + what;
}

std::vector<double> head_row(const TapValue& tap, int row, int head, int K) {
  std::vector<double> out(static_cast<std::size_t>(K));
  for (int i = 0; i < K; ++i) out[std::size_t(i)] = double(tap(row, head * K + i));
  return out;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

bool has_shape(const TapValue& tap, int cols) {
  return tap.rows >= 1 && tap.cols == cols &&
         tap.data.size() == std::size_t(tap.rows) * std::size_t(tap.cols);
}

}  // namespace

// --- The shares, and what follows from them ------------------------------------------------

double Lens::share(int part, int distance) const {
  const LensPart& p = parts[std::size_t(part)];
  if (p.b < 0) return p.along;
  const double angle = double(distance) * p.theta;
  return magnitude * magnitude * (p.along * std::cos(angle) - p.across * std::sin(angle));
}

double Lens::product(int distance) const {
  double sum = 0;
  for (int p = 0; p < int(parts.size()); ++p) sum += share(p, distance);
  return sum;
}

double Lens::bias_at(int distance) const {
  const int i = T - 1 - distance;
  return i >= 0 && i < int(bias.size()) ? bias[std::size_t(i)] : 0;
}

double Lens::logit(int distance) const {
  return product(distance) / std::sqrt(double(K)) + bias_at(distance);
}

double Lens::weight(int distance) const {
  if (!seen()) return 0;
  if (!std::isfinite(row_sum)) return kNaN;
  // Relative to the larger of the row's maximum and this logit, so that nothing overflows
  const double here = logit(distance), top = std::max(row_max, here);
  const double others = row_sum * std::exp(row_max - top) - std::exp(row[std::size_t(key)] - top);
  return std::exp(here - top) / (std::max(0.0, others) + std::exp(here - top));
}

std::vector<LensStep> Lens::steps(int distance) const {
  using Kind = LensStep::Kind;
  const double product_here = product(distance);
  std::vector<LensStep> out{{Kind::product, product_here},
                            {Kind::scaled, product_here / std::sqrt(double(K))}};
  if (!bias.empty()) out.push_back({Kind::biased, logit(distance)});
  out.push_back({Kind::masked, seen() ? logit(distance) : -kInfinity});
  out.push_back({Kind::exponential, seen() ? std::exp(logit(distance) - row_max) : 0});
  out.push_back({Kind::weight, weight(distance)});
  return out;
}

double Lens::recorded_product() const { return dot(qr, kr); }

double Lens::recorded_logit() const {
  if (!seen() || recorded.empty()) return kNaN;
  const double w = recorded[std::size_t(key)];
  return w > 0 ? std::log(w) + std::log(row_sum) + row_max : kNaN;
}

double Lens::residual() const { return std::abs(product(distance()) - recorded_product()); }

double Lens::rounding() const {
  // Each turned number is two products of a rounded sine or cosine and their sum: three roundings at
  // most of numbers no longer than the pair; a product of two such has six, in two features
  double sum = 0;
  for (const LensPart& p : parts) {
    if (p.b < 0) continue;
    const auto a = std::size_t(p.a), b = std::size_t(p.b);
    sum += std::hypot(q[a], q[b]) * std::hypot(k[a], k[b]);
  }
  return 12 * unit * magnitude * magnitude * sum;
}

double Lens::logit_rounding() const {
  // K products and their sum, for this key and for all that the row's sum is made of
  double q_squared = 0, k_squared = 0, longest = 0;
  for (const double x : qr) q_squared += x * x;
  for (const double logit : row)
    if (std::isfinite(logit)) longest = std::max(longest, std::abs(logit));
  for (const double x : kr) k_squared += x * x;
  const double size = std::max(std::sqrt(q_squared * k_squared / double(K)), longest);
  constexpr double kFloat = 0x1p-24;  // every device adds up products in float
  return 4 * kFloat * (double(K) * size + std::abs(row_max) + 4) + 4 * unit +
         rounding() / std::sqrt(double(K));
}

// --- From the frame ------------------------------------------------------------------------

std::vector<std::string> lens_taps(const Frame& frame, int layer) {
  std::vector<std::string> names{block_name(layer, "q"), block_name(layer, "k")};
  if (frame.options.position == "rope") {
    names.push_back(block_name(layer, "q_rotated"));
    names.push_back(block_name(layer, "k_rotated"));
  }
  if (frame.options.position == "t5") names.push_back("position/t5");
  names.push_back(block_name(layer, "probs"));
  return names;
}

std::string read_lens(const Frame& frame, int layer, int head, int query, int key, Lens& out) {
  out = {};
  const ModelConfig& c = frame.config;
  if (layer < 0 || layer >= c.layers || head < 0 || head >= c.H) return "There is no such head.";
  const bool turns = frame.options.position == "rope";
  const TapValue* q = frame.tap(block_name(layer, "q"));
  const TapValue* k = frame.tap(block_name(layer, "k"));
  const TapValue* qr = turns ? frame.tap(block_name(layer, "q_rotated")) : q;
  const TapValue* kr = turns ? frame.tap(block_name(layer, "k_rotated")) : k;
  if (!q || !k || !qr || !kr)
    return "Waiting for this layer's queries and keys: they come with the next frame.";

  // Query head h reads key head h / (H/G)
  const int H = int(c.H), G = std::max(1, int(c.G)), K = int(c.K()), T = q->rows;
  const bool fits = K >= 1 && H % G == 0 && has_shape(*q, H * K) && has_shape(*qr, H * K) &&
                    has_shape(*k, G * K) && has_shape(*kr, G * K) && k->rows == T &&
                    qr->rows == T && kr->rows == T && (!turns || K % 2 == 0);
  if (!fits) return "The recorded queries and keys do not have the shape of this model.";
  if (query < 0 || query >= T || key < 0 || key >= T) return "There is no such query or key.";
  if (frame.options.position == "t5" && !frame.tap("position/t5"))
    return "Waiting for the bias by distance: it comes with the next frame.";
  out.layer = layer;
  out.head = head;
  out.key_head = head / (H / G);
  out.query = query;
  out.key = key;
  out.T = T;
  out.K = K;
  out.turns = turns;
  out.unit = frame.options.precision == "bf16" ? 0x1p-8 : 0x1p-24;
  out.q = head_row(*q, query, head, K);
  out.k = head_row(*k, key, out.key_head, K);
  out.qr = head_row(*qr, query, head, K);
  out.kr = head_row(*kr, key, out.key_head, K);

  // The product, in pairs or feature by feature
  if (turns) {
    const RopeConfig config = rope_config(frame.options);
    const std::vector<double> theta = rope_frequencies(K, config, c.T);
    out.magnitude = rope_magnitude(config.scaling);
    for (int p = 0; p < K / 2; ++p) {
      const bool halves = config.pairing == Pairing::halves;
      LensPart part{.a = halves ? p : 2 * p,
                    .b = halves ? p + K / 2 : 2 * p + 1,
                    .theta = theta[std::size_t(p)]};
      const auto a = std::size_t(part.a), b = std::size_t(part.b);
      part.along = out.q[a] * out.k[a] + out.q[b] * out.k[b];
      part.across = out.q[b] * out.k[a] - out.q[a] * out.k[b];
      out.parts.push_back(part);
    }
  } else {
    for (int i = 0; i < K; ++i)
      out.parts.push_back({.a = i, .along = out.q[std::size_t(i)] * out.k[std::size_t(i)]});
  }

  // The query's row: what the softmax divides by
  const std::vector<float> bias = head_bias(frame, head, T);
  out.bias.assign(bias.begin(), bias.end());
  out.visible = int(c.mask.visible(query, T));
  out.row.assign(std::size_t(T), -kInfinity);
  out.row_max = -kInfinity;
  bool finite = true;
  for (int s = 0; s < out.visible; ++s) {
    const double logit = dot(out.qr, head_row(*kr, s, out.key_head, K)) / std::sqrt(double(K)) +
                         out.bias_at(query - s);
    out.row[std::size_t(s)] = logit;
    out.row_max = std::max(out.row_max, logit);
    finite = finite && std::isfinite(logit);
  }
  if (!finite) out.row_max = kNaN;
  for (int s = 0; s < out.visible; ++s)
    out.row_sum += std::exp(out.row[std::size_t(s)] - out.row_max);

  // The weights that the run itself computed
  const TapValue* probs = frame.tap(block_name(layer, "probs"));
  if (probs && probs->rows == H * T && has_shape(*probs, T))
    for (int s = 0; s < T; ++s) out.recorded.push_back(double((*probs)(head * T + query, s)));
  return {};
}

}  // namespace tpp::viewer
