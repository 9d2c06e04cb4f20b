// Where each query looks: all heads of all layers as small maps, and one of them large, with the
// way from products to probabilities.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// The steps from a query and a key to a weight.
enum class AttentionStage { product, scaled, biased, masked, softmax };

/// One head's map at every step, computed again from the recorded queries and keys.
struct HeadStages {
  int T = 0, K = 0;
  bool has_bias = false;
  float scale = 1;                                     // 1/√K
  std::vector<float> product, scaled, biased, masked;  // (T, T); masked: −∞ where not seen
  std::vector<float> probs;                            // (T, T)
  std::vector<float> recorded;           // (T, T) of the run, empty when not asked for
  std::vector<int> visible;              // (T) how many keys each query sees
  std::vector<double> row_max, row_sum;  // (T) of the softmax
  double difference = 0;                 // largest |probs − recorded|; NaN counts

  const std::vector<float>& map(AttentionStage stage) const;
};

/// Returns what is missing, as a sentence; empty when all is there.
std::string compute_head_stages(const Frame& frame, int layer, int head, HeadStages& out);

/// What a head adds to its logits by distance: (2T − 1), by s − t + T − 1; empty when nothing.
std::vector<float> head_bias(const Frame& frame, int head, int T);

/// How spread a head's weights are, over the queries that can choose (those that see two keys or
/// more).
struct HeadSummary {
  double entropy = 0;  // bits, the mean of the queries
  double uniform = 0;  // bits, if every query looked at all its keys alike
  double sink = 0;     // mean weight on the first key
};
HeadSummary summarise_head(const TapValue& probs, int head, const Mask& mask);
/// Entropy of one query's weights, in bits.
double row_entropy(const float* weights, int count);

class AttentionPanel final : public Panel {
 public:
  AttentionPanel();
  ~AttentionPanel() override;

  const PanelInfo& info() const override;
  std::vector<std::string> taps(const ViewContext& context) const override;
  bool subtracts() const override { return true; }
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

  // What is shown, for tests
  const HeadStages& stages() const;
  AttentionStage stage() const;
  HeadSummary summary(int layer, int head) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
