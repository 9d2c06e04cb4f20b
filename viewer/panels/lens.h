// One number of an attention map, taken apart: what each pair of features gave to the product of a
// query and a key, and the steps from there to a weight. Arithmetic only; the panel draws it.
//
//   share[p]  = m²·Re(q_p · conj(k_p) · e^(i·(t − s)·θ[p]))      from q and k before the rotation
//   logit     = Σ_p share[p] / √K + bias[s − t + T − 1]
//   weight[s] = e^(logit[s] − max) / Σ                           over the keys that the mask shows
//
// Everything comes from the taps of a frame, in double. So the sum of the shares can be held against
// the rotated vectors that the run recorded, and the weight against the run's own.
#pragma once

#include <string>
#include <vector>

#include "viewer/run/frame.h"

namespace tpp::viewer {

/// A pair of features that turn together; without a rotation, one feature alone.
struct LensPart {
  int a = 0, b = -1;  // which features of the head; b is −1 when there is one
  double theta = 0;   // radians from one token to the next
  double along = 0;   // q_a·k_a + q_b·k_b: what it gives at distance 0
  double across = 0;  // q_b·k_a − q_a·k_b: what a quarter of a turn takes away
};

/// One step on the way to the weight.
struct LensStep {
  enum class Kind { product, scaled, biased, masked, exponential, weight } kind = Kind::product;
  double value = 0;
};

struct Lens {
  int layer = 0, head = 0, key_head = 0, query = 0, key = 0;
  int T = 0, K = 0;
  bool turns = false;          // RoPE
  double magnitude = 1;        // m: what YaRN makes both vectors longer by
  double unit = 0;             // the rounding of what was recorded, relative: 2⁻²⁴ for float
  std::vector<double> q, k;    // (K) as projected
  std::vector<double> qr, kr;  // (K) as compared: after the rotation, of the tape
  std::vector<LensPart> parts;
  std::vector<double> bias;  // (2T − 1) by s − t + T − 1; empty: none
  int visible = 0;           // keys that the query sees
  std::vector<double> row;   // (T) the query's logits from the recorded vectors; −∞: not seen
  double row_max = 0;        // the largest logit of the row
  double row_sum = 0;        // Σ e^(logit − row_max)
  std::vector<double> recorded;  // (T) the run's own weights; empty when they are not there

  [[nodiscard]] int distance() const { return query - key; }
  [[nodiscard]] bool seen() const { return key < visible; }
  /// What a part gives to q·k, if the key stood `distance` tokens before the query.
  [[nodiscard]] double share(int part, int distance) const;
  /// Σ of the shares.
  [[nodiscard]] double product(int distance) const;
  [[nodiscard]] double bias_at(int distance) const;
  [[nodiscard]] double logit(int distance) const;
  /// The key's weight, if its logit were that of another distance and the row's others stayed.
  [[nodiscard]] double weight(int distance) const;
  /// All steps, in order. Without a bias there is no such step.
  [[nodiscard]] std::vector<LensStep> steps(int distance) const;

  /// q·k of the recorded, rotated vectors.
  [[nodiscard]] double recorded_product() const;
  /// The logit that the run's weight stands for: ln weight + ln row_sum + row_max. NaN when the weight
  /// is missing, or 0.
  [[nodiscard]] double recorded_logit() const;
  /// |Σ shares − recorded_product()|, and what rounding the rotation to `unit` may make of it.
  [[nodiscard]] double residual() const;
  [[nodiscard]] double rounding() const;
  /// What the run's own rounding may make of |logit − recorded_logit()|.
  [[nodiscard]] double logit_rounding() const;
};

/// What the lens needs of a layer.
[[nodiscard]] std::vector<std::string> lens_taps(const Frame& frame, int layer);

/// Returns what is missing, as a sentence; empty when all is there.
[[nodiscard]] std::string read_lens(const Frame& frame, int layer, int head, int query, int key,
                                    Lens& out);

}  // namespace tpp::viewer
