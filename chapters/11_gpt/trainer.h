// Training: the gradient of a batch, a step of the optimiser, and the numbers that tell how it went.
//
// The unit of work is two sequences. One thread takes them forward, to the loss, and backward on its
// own tape, so their values stay in its cache, and memory does not grow with the batch. Gradients go
// to at most eight fixed shards that are summed in order. So a run gives the same bits whatever the
// number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "chapters/03_tokens/batch.h"
#include "chapters/10_optimizer/optimizer.h"
#include "chapters/10_optimizer/schedule.h"
#include "chapters/11_gpt/device_step.h"
#include "chapters/11_gpt/gpt.h"
#include "chapters/11_gpt/worker_pool.h"

namespace tpp {

struct TrainConfig {
  std::uint64_t seed = 1;
  int batch = 16;  // sequences a step
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  double clip = 1;                 // largest global gradient norm; 0: no clipping
  int threads = 0;                 // 0: one for each core. Has no effect on the result
  bool background = false;         // let a window go first
  const Device* device = nullptr;  // null: the processor. It must outlive the trainer
};

/// What one step did.
struct StepReport {
  long step = 0;    // steps done, this one included
  double loss = 0;  // nats per target, before the update
  double learning_rate = 0;
  double gradient_norm = 0;  // global, before clipping
  double clip_scale = 1;     // what the gradient was multiplied with
  int tokens = 0;
  double seconds = 0;
};

/// What one step did to one parameter. Root-mean-square sizes would hide a parameter's size: these are
/// Euclidean norms of the whole parameter.
struct ParameterReport {
  double gradient_norm = 0;  // before clipping
  double weight_norm = 0;    // before the update
  double update_norm = 0;    // of w' − w
};

/// A value that was not finite, and the step at which it was found.
struct NotFinite : std::runtime_error {
  NotFinite(std::string value, long step);
  std::string value;  // its name on the tape: "block2/attn/probs", or "gradient of …"
  long step;
};

/// All that a run is, beside its configuration: enough to continue it bit for bit. The random numbers
/// and the place in the data are functions of the seed and the step.
struct TrainState {
  long step = 0;
  LineVector<float> values, m,
      v;  // (table.extent()) each; m and v as far as the optimiser has them
};

class Trainer {
 public:
  /// `model` and `source` must outlive the trainer.
  /// Errors  InputError when the source cannot give sequences of model.config().T tokens, when its
  ///         vocabulary is larger than the model's, or for a batch that is not positive
  Trainer(const Model<float>& model, const BatchSource& source, const TrainConfig& config);
  ~Trainer();

  /// One whole step: compute_gradients(), then update(). No heap allocation after the first.
  /// Errors  NotFinite, when the loss or a gradient is not finite. The parameters are then those of
  ///         before the step; see restore_last_good().
  StepReport step();

  /// The two phases of a step. compute_gradients returns the batch's mean loss.
  double compute_gradients();
  StepReport update();
  /// True between the two.
  [[nodiscard]] bool has_gradients() const { return has_gradients_; }

  /// Mean loss over `windows` validation sequences, always the same ones.
  [[nodiscard]] double evaluate(int windows = 32);

  [[nodiscard]] long steps_done() const { return state_.step; }
  [[nodiscard]] const Model<float>& model() const { return model_; }
  [[nodiscard]] const BatchSource& source() const { return source_; }
  [[nodiscard]] const TrainConfig& config() const { return config_; }
  [[nodiscard]] const Batch& batch() const { return batch_; }
  [[nodiscard]] WorkerPool& pool() { return pool_; }

  /// Values and gradients, laid out as model().table() says. Gradients are those of the last step.
  /// From a device they are copied when asked for, and once a step.
  [[nodiscard]] const float* values() const;
  [[nodiscard]] const float* gradients() const;
  /// To change values from outside. On a device follow it by set_state(state()).
  [[nodiscard]] float* mutable_values();
  /// Put the parameters on a tape as constants, where the trainer has them: the tape stands on
  /// config().device, or on the host.
  void bind(Tape<float>& tape, std::vector<Var<float>>& bound);

  /// Also measure the size of each parameter and of its change. Costs two passes over the parameters.
  void watch_updates(bool watch) { watch_updates_ = watch; }
  /// One a parameter, of the last step; only gradient_norm unless watch_updates(true).
  [[nodiscard]] const std::vector<ParameterReport>& parameter_reports() const;

  /// Change the peak learning rate or the clipping from the next step on.
  void set_peak_learning_rate(double peak) { config_.schedule.peak = peak; }
  void set_clip(double clip) { config_.clip = clip; }
  /// Change where the schedule ends.
  void set_total_steps(long total) { config_.schedule.total = total; }

  [[nodiscard]] const TrainState& state() const;
  /// Errors  ShapeError unless the sizes are the table's
  void set_state(const TrainState& state);

  /// Keep a copy of the state every kKeepEvery steps whose loss was finite. Costs its memory.
  void keep_last_good(bool keep);
  static constexpr long kKeepEvery = 50;
  /// Go back to the newest copy; returns its step. Without one nothing happens.
  long restore_last_good();

  /// Bytes held by tapes, parameters, gradients and optimiser state.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Workspace;  // a tape and its bound parameters, one a thread

  void run_chunk(Workspace& workspace, int chunk, int shard, Write write);
  [[noreturn]] void report_not_finite();

  void next_batch();
  void prepare_batch();
  void start_device_update();
  double evaluate_on_device(int windows);
  StepReport device_report(const DeviceStep::Result& result, double seconds);

  const Model<float>& model_;
  const BatchSource& source_;
  TrainConfig config_;
  WorkerPool pool_;
  std::unique_ptr<DeviceStep> on_device_;  // null: the processor does the work
  mutable TrainState state_;               // on a device: a copy, as old as the flags say
  mutable bool values_fresh_ = true, moments_fresh_ = true, gradients_fresh_ = false;
  mutable bool reports_fresh_ = true;
  TrainState last_good_;
  Batch batch_;
  Batch prepared_;  // the batch of step `prepared_for_`, made while a device was busy
  long prepared_for_ = -1;
  mutable std::vector<LineVector<float>> shards_;  // gradients, laid out as the table
  std::vector<double> chunk_losses_;
  std::vector<double> squares_;  // of each parameter's gradient
  mutable std::vector<ParameterReport> reports_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  int chunks_ = 0;
  double targets_ = 0;  // that count, in the batch
  double loss_ = 0;
  double gradient_seconds_ = 0;
  bool has_gradients_ = false;
  bool watch_updates_ = false;
  bool keep_last_good_ = false;
};

}  // namespace tpp
