// How the model knows where a token stands. For RoPE: how far each pair has turned, how long it
// takes for a whole turn, and what that does to scores at a distance. Other schemes: their biases
// or tables.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chapters/13_rope/rope.h"
#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// One head's queries and keys before the rotation, as points in the planes that turn.
struct RopeHead {
  int T = 0, K = 0;
  Pairing pairing = Pairing::halves;
  std::vector<float> q, k;  // (T, K)

  int pairs() const { return K / 2; }
  int first(int p) const { return pairing == Pairing::halves ? p : 2 * p; }
  int second(int p) const { return pairing == Pairing::halves ? p + K / 2 : 2 * p + 1; }
};
/// Returns what is missing, as a sentence; empty when all is there.
std::string read_rope_head(const Frame& frame, int layer, int head, RopeHead& out);

/// The mean of q·k/√K over the queries that have a key at a distance, and each pair's part of it.
///
///   part[p, d] = mean over t ≥ d of Re(q_p[t] · conj(k_p[t − d]) · e^(i·d·θ[p])) / √K
///   score[d]   = Σ_p part[p, d]
struct RopeScore {
  int T = 0, pairs = 0;
  std::vector<float> score;  // (T)
  std::vector<float> part;   // (K/2, T)
};
RopeScore rope_score_by_distance(const RopeHead& head, double base);
/// The same with any frequencies (K/2), and queries and keys that the table makes `magnitude` times as long.
RopeScore rope_score_by_distance(const RopeHead& head, std::span<const double> theta,
                                 double magnitude);

class RopePanel final : public Panel {
 public:
  RopePanel();
  ~RopePanel() override;

  const PanelInfo& info() const override;
  std::vector<std::string> taps(const ViewContext& context) const override;
  bool subtracts() const override { return true; }
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

  // What is shown, for tests
  const RopeScore& score() const;
  const RopeScore& what_if() const;
  double what_if_base() const;  // 0 when there is none
  int position() const;
  double difference()
      const;  // largest |score from unrotated q, k − score from the recorded rotated|

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
