// What the model is made of: a diagram from tokens to logits, and a switch for each component.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"
#include "viewer/theme.h"

namespace tpp::viewer {

/// One thing in the diagram. Parts stand in the order in which a token meets them.
struct DiagramPart {
  enum class Where {
    trunk,   // on the residual stream: all of it goes through
    branch,  // beside it: reads from the stream, and its result is added
    add,     // the sum on the stream
    enter,   // positions, which are added to the embeddings
  };
  Where where = Where::trunk;
  std::string id;         // "attn/norm": probes, and what it is in another model, too
  std::string title;      // "RMSNorm"
  std::string detail;     // rich text: shape, or what it does
  std::string prefix;     // of its parameters in the shown layer: "block0/attn/norm/"; may be empty
  long long numbers = 0;  // in those parameters
  Dim dim = Dim::none;
  int block = -1;        // 0 attention's half of a block, 1 the feed-forward half, −1 outside
  std::string settings;  // what decides it beside what is written: shapes, rotations
  std::string formula, why, source;
};

/// The parts of a frame's model, with the parameters of this layer.
std::vector<DiagramPart> diagram_parts(const Frame& frame, int layer);

/// Is this part another one in the other model, or not in it at all? The weights do not count.
bool differs(const DiagramPart& part, const std::vector<DiagramPart>& others);

struct ModelTotals {
  long long parameters = 0;
  double flops_per_token = 0;  // forward and backward, as Model::flops_per_token counts them
  long long cache_bytes_per_token = 0;  // keys and values of all layers, 4 bytes a number
};
ModelTotals model_totals(const Frame& frame);

class ArchitecturePanel final : public Panel {
 public:
  ArchitecturePanel();
  ~ArchitecturePanel() override;

  const PanelInfo& info() const override;
  bool subtracts() const override { return true; }  // what differs is outlined
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

  /// What the line under the switches says: a restart, or why it could not be. For tests.
  const std::string& note() const;
  bool note_is_error() const;
  /// The name of the recipe that the parts are of, or "own".
  const std::string& recipe() const;
  /// The parts that differ between two runs, by their ids.
  std::vector<std::string> outlined() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
