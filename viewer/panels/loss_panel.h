// How well it guesses: the loss over the steps, between what simple guessers get and the best so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// The mean of what was seen, the newest counting most: m ← β·m + (1 − β)·x, divided by 1 − βⁿ so that
/// the start is not pulled to 0. What is not finite is passed over.
class Smoother {
 public:
  explicit Smoother(double beta = 0.9) : beta_(beta) {}
  double push(double x);
  double value() const;  // NaN before the first

 private:
  double beta_, mean_ = 0, weight_ = 0;
};

class LossPanel final : public Panel {
 public:
  LossPanel();
  ~LossPanel() override;

  const PanelInfo& info() const override;
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;
  std::string settings() const override;
  void restore(const std::string& text) override;

  // What is shown, for tests
  struct Readout {
    long step = -1;  // −1: no step yet
    double train = 0, smoothed = 0, validation = 0, learning_rate = 0, tokens_per_second = 0;
    double perplexity = 0, bits = 0;  // of the training loss; bits per target
  };
  Readout readout(long step) const;    // at the step, or the nearest there is, of the run shown
  Readout readout_b(long step) const;  // of run B
  /// How much more B's smoothed loss is than A's, at this step; NaN when they do not both have it.
  [[nodiscard]] double more(long step) const;
  bool subtracts() const override { return true; }
  bool log_steps() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
