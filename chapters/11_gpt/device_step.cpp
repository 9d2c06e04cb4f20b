#include "chapters/11_gpt/device_step.h"

#include <algorithm>
#include <cstring>

#include "chapters/02_tape/device.h"
#include "chapters/11_gpt/trainer.h"

namespace tpp {
namespace {

/// A number in memory that the device can copy from while the host goes on.
template <class T>
class Pinned {
 public:
  Pinned(const Device& device, std::size_t count)
      : device_(device),
        data_(static_cast<T*>(device.runtime().allocate_pinned(count * sizeof(T)))),
        count_(count) {
    std::fill_n(data_, count, T{});
  }
  ~Pinned() { device_.runtime().release_pinned(data_); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::span<T> span() const { return {data_, count_}; }
  T* operator->() const { return data_; }

 private:
  const Device& device_;
  T* data_;
  std::size_t count_;
};

/// The configuration as the twin has it: the same kinds in the same order.
twin::OptimizerRule rule(const OptimizerConfig& cfg) {
  return {.kind = twin::OptimizerKind(int(cfg.kind)),
          .momentum = cfg.momentum,
          .beta1 = cfg.beta1,
          .beta2 = cfg.beta2,
          .eps = cfg.eps,
          .weight_decay = cfg.weight_decay};
}

twin::NormPlan norm_plan(const ParameterTable& table) {
  std::vector<twin::NormSegment> segments;
  for (const ParameterInfo& p : table.list()) {
    segments.push_back({std::size_t(p.offset), std::size_t(p.size())});
  }
  return twin::plan_global_norm(segments);
}

}  // namespace

struct DeviceStep::Memory {
  Memory(const Device& device, const ParameterTable& table, int moments, std::size_t tokens_)
      : extent(std::size_t(table.extent())),
        plan(norm_plan(table)),
        values(device, extent * sizeof(float)),
        gradients(device, extent * sizeof(float)),
        m(device, (moments >= 1 ? extent : 1) * sizeof(float)),
        v(device, (moments >= 2 ? extent : 1) * sizeof(float)),
        decay_of_line(device, extent / kLine + 1),
        plan_pieces(device, plan.pieces.size() * sizeof(twin::NormPiece)),
        plan_first(device, plan.first.size() * sizeof(int)),
        partial(device, plan.pieces.size() * sizeof(double)),
        squares(device, std::size_t(table.count()) * sizeof(double)),
        tokens(device, tokens_ * sizeof(int)),
        targets(device, tokens_ * sizeof(int)),
        step(device, sizeof(twin::OptimizerStep)),
        norm(device, sizeof(twin::GradientNorm)),
        host_tokens(device, tokens_),
        host_targets(device, tokens_),
        host_step(device, 1),
        host_norm(device, 1),
        host_loss(device, 1) {
    if (device.stores_bf16()) copies = DeviceMemory(device, extent * sizeof(Bf16));
  }

  [[nodiscard]] twin::NormPlanOnDevice plan_on_device() const {
    return {plan_pieces.as<twin::NormPiece>(), plan_first.as<int>(), int(plan.pieces.size()),
            int(plan.first.size()) - 1};
  }

  static constexpr std::size_t kLine = std::size_t(twin::kDecayLine);
  std::size_t extent;
  twin::NormPlan plan;
  DeviceMemory values, gradients, m, v;  // (extent) floats each
  DeviceMemory copies;                   // (extent) bfloat16, if that is how weights are read
  DeviceMemory decay_of_line, plan_pieces, plan_first, partial, squares;
  DeviceMemory tokens, targets;  // (B·T) ints
  DeviceMemory step, norm;
  DeviceMemory before, change, weight_squares, change_squares;  // of a watched update
  DeviceMemory kept_values, kept_m, kept_v;                     // of keep_state()
  Pinned<int> host_tokens, host_targets;
  Pinned<twin::OptimizerStep> host_step;
  Pinned<twin::GradientNorm> host_norm;
  Pinned<float> host_loss;
};

struct DeviceStep::Graphs {
  twin::Graph gradients = nullptr, update = nullptr;
  int warm_gradients = 0, warm_update = 0;
};

DeviceStep::DeviceStep(const Model<float>& model, const Device& device,
                       const OptimizerConfig& optimizer, int B, int T)
    : model_(model),
      device_(device),
      optimizer_(optimizer),
      B_(B),
      T_(T),
      memory_(std::make_unique<Memory>(device, model.table(), moment_count(optimizer.kind),
                                       std::size_t(B) * std::size_t(T))),
      graphs_(std::make_unique<Graphs>()),
      tape_(&device) {
  const ParameterTable& table = model.table();
  const twin::Runtime& runtime = device.runtime();

  // Which weights decay, and how the norm's sum is cut
  std::vector<unsigned char> decays(memory_->decay_of_line.bytes(), 0);
  for (const ParameterInfo& p : table.list()) {
    const auto first = std::size_t(p.offset) / Memory::kLine;
    const auto lines = twin::ceil_div(std::size_t(p.size()), Memory::kLine);
    std::fill_n(decays.begin() + std::ptrdiff_t(first), lines, static_cast<unsigned char>(p.decay));
  }
  runtime.upload(device.stream(), memory_->decay_of_line.as<void>(), decays.data(), decays.size());
  const twin::NormPlan& plan = memory_->plan;
  runtime.upload(device.stream(), memory_->plan_pieces.as<void>(), plan.pieces.data(),
                 plan.pieces.size() * sizeof(twin::NormPiece));
  runtime.upload(device.stream(), memory_->plan_first.as<void>(), plan.first.data(),
                 plan.first.size() * sizeof(int));
  runtime.fill_zero(device.stream(), memory_->gradients.as<void>(), memory_->gradients.bytes());
  runtime.synchronize(device.stream());
}

DeviceStep::~DeviceStep() {
  device_.runtime().synchronize(device_.stream());
  drop_graphs();
}

void DeviceStep::drop_graphs() {
  const auto drop = [&](twin::Graph& graph, int& warm) {
    if (graph != nullptr) device_.runtime().destroy_graph(graph);
    graph = nullptr;
    warm = 0;
  };
  drop(graphs_->gradients, graphs_->warm_gradients);
  drop(graphs_->update, graphs_->warm_update);
}

// --- A step -----------------------------------------------------------------------------------------

// [snip replayed]
// The first time: do it, and see what memory it takes. The second time: write it down. Then: replay
template <class F>
void DeviceStep::replayed(twin::Graph& graph, int& warm, F&& pass) {
  const twin::Runtime& runtime = device_.runtime();
  if (graph == nullptr && warm++ == 0) return pass();
  if (graph == nullptr) {
    tape_.reset();  // its memory becomes one block, before the writing starts
    runtime.synchronize(device_.stream());
    runtime.begin_capture(device_.stream());
    try {
      pass();
    } catch (...) {
      if (twin::Graph broken = runtime.end_capture(device_.stream())) runtime.destroy_graph(broken);
      throw;
    }
    graph = runtime.end_capture(device_.stream());
  }
  runtime.replay(graph, device_.stream());
}
// [/snip]

void DeviceStep::start_gradients(const Batch& batch, double targets) {
  require(batch.B == B_ && batch.T == T_, "start_gradients: a batch of another size");
  if (targets != targets_) {  // the mean's divisor is part of what was written down
    drop_graphs();
    targets_ = targets;
  }
  std::ranges::copy(batch.tokens, memory_->host_tokens.data());
  std::ranges::copy(batch.targets, memory_->host_targets.data());
  replayed(graphs_->gradients, graphs_->warm_gradients, [&] { gradients_pass(); });
}

// [snip gradients_pass]
void DeviceStep::gradients_pass() {
  const twin::Runtime& runtime = device_.runtime();
  const auto stream = device_.stream();
  const std::span<const int> tokens = memory_->host_tokens.span(),
                             targets = memory_->host_targets.span();
  runtime.upload(stream, memory_->tokens.as<void>(), tokens.data(), tokens.size_bytes());
  runtime.upload(stream, memory_->targets.as<void>(), targets.data(), targets.size_bytes());
  tape_.mirror(tokens, memory_->tokens.as<int>());
  tape_.mirror(targets, memory_->targets.as<int>());

  // The whole batch at once: a device wants many rows
  tape_.reset();
  model_.bind(tape_, memory_->values.as<float>(), memory_->gradients.as<float>(), Write::set,
              bound_, memory_->copies.as<Bf16>());
  const Var<float> loss = model_.loss(tape_, bound_, tokens, targets, T_, targets_);
  runtime.download_later(stream, memory_->host_loss.data(), loss.device<float>(), sizeof(float));
  tape_.backward(loss);
}
// [/snip]

void DeviceStep::start_update(const Update& update) {
  const std::size_t bytes = memory_->values.bytes();
  if (update.watch && memory_->before.bytes() == 0) {
    const std::size_t squares = memory_->squares.bytes();
    memory_->before = DeviceMemory(device_, bytes);
    memory_->change = DeviceMemory(device_, bytes);
    memory_->weight_squares = DeviceMemory(device_, squares);
    memory_->change_squares = DeviceMemory(device_, squares);
  }
  if (update.watch != watch_ || update.clip != clip_) {
    drop_graphs();
    watch_ = update.watch;
    clip_ = update.clip;
  }
  *memory_->host_step.data() =
      twin::optimizer_step(rule(optimizer_), update.learning_rate, update.step, 1);
  replayed(graphs_->update, graphs_->warm_update, [&] { update_pass(); });
}

void DeviceStep::update_pass() {
  Memory& own = *memory_;
  const twin::Runtime& runtime = device_.runtime();
  const twin::Table<float>& twin = device_.float32();
  const auto stream = device_.stream();
  const twin::NormPlanOnDevice plan = own.plan_on_device();
  float *w = own.values.as<float>(), *g = own.gradients.as<float>();
  auto* step = own.step.as<twin::OptimizerStep>();
  auto* partial = own.partial.as<double>();
  runtime.upload(stream, step, own.host_step.data(), sizeof(twin::OptimizerStep));

  // The norm of all gradients together, and the factor that shortens them
  twin.global_norm(stream, g, plan, clip_, partial, own.squares.as<double>(), step,
                   own.norm.as<twin::GradientNorm>(), {});
  runtime.download_later(stream, own.host_norm.data(), own.norm.as<void>(),
                         sizeof(twin::GradientNorm));

  if (watch_) runtime.copy(stream, own.before.as<void>(), w, own.values.bytes());
  twin.optimizer_update(stream, rule(optimizer_), step, own.decay_of_line.as<unsigned char>(), w, g,
                        own.m.as<float>(), own.v.as<float>(), own.copies.as<Bf16>(), own.extent,
                        {});
  if (!watch_) return;

  // How large the weights were, and how far they moved
  float *before = own.before.as<float>(), *change = own.change.as<float>();
  const int N = 1, D = int(own.extent);
  twin.global_norm(stream, before, plan, 0, partial, own.weight_squares.as<double>(), nullptr,
                   nullptr, {});
  twin.scale(stream, before, D, -1.0f, change, D, N, D);
  twin.add_to(stream, w, D, change, D, N, D);
  twin.global_norm(stream, change, plan, 0, partial, own.change_squares.as<double>(), nullptr,
                   nullptr, {});
}

DeviceStep::Result DeviceStep::finish() {
  device_.runtime().synchronize(device_.stream());
  const twin::GradientNorm& norm = *memory_->host_norm.data();
  return {.loss = *memory_->host_loss.data(), .gradient_norm = norm.norm, .clip_scale = norm.scale};
}

// --- Looking ----------------------------------------------------------------------------------------

void DeviceStep::bind(Tape<float>& tape, std::vector<Var<float>>& bound) const {
  model_.bind(tape, memory_->values.as<float>(), nullptr, Write::set, bound,
              memory_->copies.as<Bf16>());
}

void DeviceStep::run_pass(Tape<float>& tape, const Batch& batch, double targets) {
  std::vector<Var<float>> bound;
  tape.reset(Grad::record);
  model_.bind(tape, memory_->values.as<float>(), memory_->gradients.as<float>(), Write::set, bound,
              memory_->copies.as<Bf16>());
  const Var<float> loss = model_.loss(tape, bound, batch.tokens, batch.targets, T_, targets);
  tape.backward(loss);
}

double DeviceStep::loss_sum(const Batch& batch, int sequences) {
  const auto used = std::size_t(sequences) * std::size_t(T_);
  Tape<float> tape(&device_);
  std::vector<Var<float>> bound;
  tape.reset(Grad::skip);
  bind(tape, bound);
  const Var<float> loss = model_.loss(tape, bound, std::span(batch.tokens).first(used),
                                      std::span(batch.targets).first(used), T_, 1);
  return double(loss.to_host()(0, 0));
}

// --- Copies -----------------------------------------------------------------------------------------

void DeviceStep::set_state(const TrainState& state) {
  const twin::Runtime& runtime = device_.runtime();
  const auto put = [&](const DeviceMemory& to, const LineVector<float>& from) {
    if (!from.empty()) {
      runtime.upload(device_.stream(), to.as<void>(), from.data(), from.size() * sizeof(float));
    }
  };
  put(memory_->values, state.values);
  put(memory_->m, state.m);
  put(memory_->v, state.v);
  if (device_.stores_bf16()) {
    std::vector<Bf16> rounded(state.values.size());
    std::ranges::transform(state.values, rounded.begin(), [](float x) { return Bf16(x); });
    runtime.upload(device_.stream(), memory_->copies.as<void>(), rounded.data(),
                   rounded.size() * sizeof(Bf16));
    runtime.synchronize(device_.stream());
  }
  runtime.synchronize(device_.stream());
}

void DeviceStep::get_values(float* values) const {
  device_.runtime().download(device_.stream(), values, memory_->values.as<void>(),
                             memory_->extent * sizeof(float));
}

void DeviceStep::get_gradients(float* gradients) const {
  device_.runtime().download(device_.stream(), gradients, memory_->gradients.as<void>(),
                             memory_->extent * sizeof(float));
}

void DeviceStep::get_state(TrainState& state) const {
  const twin::Runtime& runtime = device_.runtime();
  const auto get = [&](LineVector<float>& to, const DeviceMemory& from) {
    if (!to.empty()) {
      runtime.download(device_.stream(), to.data(), from.as<void>(), to.size() * sizeof(float));
    }
  };
  get(state.values, memory_->values);
  get(state.m, memory_->m);
  get(state.v, memory_->v);
}

void DeviceStep::keep_state() {
  const auto keep = [&](DeviceMemory& to, const DeviceMemory& from) {
    if (to.bytes() == 0) to = DeviceMemory(device_, from.bytes());
    device_.runtime().copy(device_.stream(), to.as<void>(), from.as<void>(), from.bytes());
  };
  keep(memory_->kept_values, memory_->values);
  keep(memory_->kept_m, memory_->m);
  keep(memory_->kept_v, memory_->v);
}

void DeviceStep::restore_state() {
  if (memory_->kept_values.bytes() == 0) return;
  const auto back = [&](DeviceMemory& to, const DeviceMemory& from) {
    device_.runtime().copy(device_.stream(), to.as<void>(), from.as<void>(), from.bytes());
  };
  back(memory_->values, memory_->kept_values);
  back(memory_->m, memory_->kept_m);
  back(memory_->v, memory_->kept_v);
  if (device_.stores_bf16()) {
    const int D = int(memory_->extent);
    device_.float32().round_to_bf16(device_.stream(), memory_->values.as<float>(), D,
                                    memory_->copies.as<Bf16>(), D, 1, D);
  }
  device_.runtime().synchronize(device_.stream());
}

std::vector<double> DeviceStep::gradient_squares() const {
  std::vector<double> squares(std::size_t(model_.table().count()));
  device_.runtime().download(device_.stream(), squares.data(), memory_->squares.as<void>(),
                             squares.size() * sizeof(double));
  return squares;
}

DeviceStep::Sizes DeviceStep::watched() const {
  Sizes sizes;
  if (!watch_) return sizes;
  const auto get = [&](std::vector<double>& to, const DeviceMemory& from) {
    to.resize(std::size_t(model_.table().count()));
    device_.runtime().download(device_.stream(), to.data(), from.as<void>(),
                               to.size() * sizeof(double));
  };
  get(sizes.weight, memory_->weight_squares);
  get(sizes.change, memory_->change_squares);
  return sizes;
}

std::size_t DeviceStep::memory_bytes() const {
  std::size_t bytes = tape_.device_bytes();
  for (const DeviceMemory* memory :
       {&memory_->values, &memory_->gradients, &memory_->m, &memory_->v, &memory_->copies,
        &memory_->before, &memory_->change, &memory_->kept_values, &memory_->kept_m,
        &memory_->kept_v}) {
    bytes += memory->bytes();
  }
  return bytes;
}

}  // namespace tpp
