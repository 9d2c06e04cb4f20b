// A training step on a device: the parameters live there, and one step is a list of launches that is
// written down once and replayed.
//
// A processor would wait for the host between launches that take a few microseconds each. So the second
// step of a run is captured into two graphs, one that ends in the gradients and one for the update. From
// then on the host sends tokens and a learning rate, replays, and reads a loss and a norm.
#pragma once

#include <memory>
#include <vector>

#include "chapters/03_tokens/batch.h"
#include "chapters/10_optimizer/optimizer.h"
#include "chapters/11_gpt/gpt.h"
#include "kernels/device/device.h"

namespace tpp {

struct TrainState;

class DeviceStep {
 public:
  /// `model` and `device` must outlive it.
  DeviceStep(const Model<float>& model, const Device& device, const OptimizerConfig& optimizer,
             int B, int T);
  ~DeviceStep();
  DeviceStep(const DeviceStep&) = delete;
  DeviceStep& operator=(const DeviceStep&) = delete;

  /// Copy all of a run's numbers to the device, or back.
  void set_state(const TrainState& state);
  void get_state(TrainState& state) const;
  void get_values(float* values) const;
  void get_gradients(float* gradients) const;
  /// Keep a copy of the state on the device; go back to it.
  void keep_state();
  void restore_state();

  /// What the update needs to know, and what comes back.
  struct Update {
    long step = 1;  // from 1
    double learning_rate = 0;
    double clip = 0;     // largest norm; 0: none
    bool watch = false;  // measure each parameter and its change
  };
  struct Result {
    double loss = 0;
    double gradient_norm = 0;
    double clip_scale = 1;
  };

  /// Start the gradients of a batch, whose mean is over `targets` targets. Returns at once.
  void start_gradients(const Batch& batch, double targets);
  /// Start the update. Nothing is changed when the loss or the norm is not finite.
  void start_update(const Update& update);
  /// Wait, and read the results of what was started.
  [[nodiscard]] Result finish();

  /// The mean loss of `batch`'s first `sequences` sequences times their number of targets.
  [[nodiscard]] double loss_sum(const Batch& batch, int sequences);

  /// Put the parameters on a tape of this device, as constants.
  void bind(Tape<float>& tape, std::vector<Var<float>>& bound) const;
  /// A pass of this batch on `tape`, with its gradients if it records them: for looking in.
  void run_pass(Tape<float>& tape, const Batch& batch, double targets);

  /// Of each parameter, from the last step: Σ g², and after a watched update Σ w² and Σ (w′ − w)².
  [[nodiscard]] std::vector<double> gradient_squares() const;
  struct Sizes {
    std::vector<double> weight, change;
  };
  [[nodiscard]] Sizes watched() const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Memory;
  struct Graphs;
  void gradients_pass();
  void update_pass();
  template <class F>
  void replayed(twin::Graph& graph, int& warm, F&& pass);
  void drop_graphs();

  const Model<float>& model_;
  const Device& device_;
  OptimizerConfig optimizer_;
  int B_, T_;
  double targets_ = 0;
  double clip_ = 0;
  bool watch_ = false;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Graphs> graphs_;
  Tape<float> tape_;
  std::vector<Var<float>> bound_;
};

}  // namespace tpp
