#include "chapters/11_gpt/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "chapters/02_tape/slots.h"
#include "chapters/05_softmax/cross_entropy.h"
#include "chapters/10_optimizer/clip.h"

namespace tpp {
namespace {

constexpr int kChunk = 2;   // sequences that go through the model together
constexpr int kShards = 8;  // sums of gradients that are added up in order

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

NotFinite::NotFinite(std::string value_, long step_)
    : std::runtime_error(value_ + " is not a finite number at step " + std::to_string(step_)),
      value(std::move(value_)),
      step(step_) {}

struct Trainer::Workspace {
  Tape<float> tape;
  std::vector<Var<float>> bound;
  std::unique_ptr<Batch> validation;
};

Trainer::Trainer(const Model<float>& model, const BatchSource& source, const TrainConfig& config)
    : model_(model),
      source_(source),
      config_(config),
      pool_(config.threads, config.background),
      batch_(std::max(config.batch, 1), int(model.config().T)),
      prepared_(batch_) {
  const auto refuse = [](bool wrong, const std::string& sentence) {
    if (wrong) throw InputError(sentence);
  };
  refuse(config.batch < 1, "a batch needs at least one sequence");
  refuse(source.vocabulary() > model.config().V,
         "the text has " + std::to_string(source.vocabulary()) +
             " different tokens and the model " + "knows " + std::to_string(model.config().V) +
             ": they must come from the same tokenizer");
  source.require(int(model.config().T));

  // Parameters start as the table says; moments at zero
  const auto extent = std::size_t(model.table().extent());
  state_.values.resize(extent);
  initialise(model.table(), config.seed, state_.values.data());
  const int moments = moment_count(config.optimizer.kind);
  if (moments >= 1) state_.m.assign(extent, 0);
  if (moments >= 2) state_.v.assign(extent, 0);

  squares_.resize(std::size_t(model.table().count()));
  reports_.resize(std::size_t(model.table().count()));
  if (config.device != nullptr) {
    on_device_ =
        std::make_unique<DeviceStep>(model, *config.device, config.optimizer, batch_.B, batch_.T);
    on_device_->set_state(state_);
    shards_.assign(1, LineVector<float>(extent, 0));
    return;
  }

  // One shard of gradients a unit of work
  chunks_ = (batch_.B + kChunk - 1) / kChunk;
  shards_.assign(std::size_t(std::min(chunks_, kShards)), LineVector<float>(extent, 0));
  chunk_losses_.resize(std::size_t(chunks_));
  for (int worker = 0; worker < pool_.size(); ++worker) {
    workspaces_.push_back(std::make_unique<Workspace>());
  }
}

Trainer::~Trainer() = default;

// [snip run_chunk]
void Trainer::run_chunk(Workspace& workspace, int chunk, int shard, Write write) {
  const int first = chunk * kChunk, count = std::min(kChunk, batch_.B - first);
  const auto begin = std::size_t(first) * std::size_t(batch_.T);
  const auto size = std::size_t(count) * std::size_t(batch_.T);

  // Forward, to this chunk's share of the batch's mean loss, and back
  workspace.tape.reset();
  model_.bind(workspace.tape, state_.values.data(), shards_[std::size_t(shard)].data(), write,
              workspace.bound);
  const Var<float> loss =
      model_.loss(workspace.tape, workspace.bound, std::span(batch_.tokens).subspan(begin, size),
                  std::span(batch_.targets).subspan(begin, size), batch_.T, targets_);
  chunk_losses_[std::size_t(chunk)] = double(loss.value()(0, 0));
  workspace.tape.backward(loss);
}
// [/snip]

void Trainer::next_batch() {
  if (prepared_for_ == state_.step) {
    std::swap(batch_, prepared_);
  } else {
    source_.train(std::uint64_t(state_.step), batch_);
  }
  targets_ = double(std::ranges::count_if(batch_.targets, [](int t) { return t != kIgnored; }));
}

// [snip compute_gradients]
double Trainer::compute_gradients() {
  const double start = seconds_now();
  next_batch();
  if (on_device_) {
    on_device_->start_gradients(batch_, targets_);
    loss_ = on_device_->finish().loss;
    gradients_fresh_ = false;
    has_gradients_ = true;
    gradient_seconds_ = seconds_now() - start;
    return loss_;
  }

  // Each unit is a shard: its chunks in order, the first setting the gradient, the others adding
  const int shards = int(shards_.size());
  pool_.run(shards, [&](int shard, int worker) {
    for (int chunk = shard; chunk < chunks_; chunk += shards) {
      run_chunk(*workspaces_[std::size_t(worker)], chunk, shard,
                chunk == shard ? Write::set : Write::add);
    }
  });

  // Sum the shards in order, a parameter at a time
  const ParameterTable& table = model_.table();
  pool_.run(table.count(), [&](int p, int) {
    const ParameterInfo& info = table[p];
    Eigen::Map<ColVec<float>> total(shards_[0].data() + info.offset, info.size());
    for (int s = 1; s < shards; ++s) {
      total += Eigen::Map<ColVec<float>>(shards_[std::size_t(s)].data() + info.offset, info.size());
    }
    squares_[std::size_t(p)] = sum_of_squares(total.data(), info.size());
  });

  loss_ = 0;
  for (const double loss : chunk_losses_) loss_ += loss;
  has_gradients_ = true;
  gradient_seconds_ = seconds_now() - start;
  return loss_;
}
// [/snip]

StepReport Trainer::update() {
  require(has_gradients_, "update(): compute_gradients() comes first");
  const double start = seconds_now();
  if (on_device_) {
    start_device_update();
    return device_report(on_device_->finish(), gradient_seconds_ + seconds_now() - start);
  }

  // [snip update]
  // The global norm: of all gradients together, so that clipping keeps their direction
  double square = 0;
  for (const double s : squares_) square += s;
  const double norm = std::sqrt(square);
  has_gradients_ = false;
  if (!std::isfinite(loss_) || !std::isfinite(norm)) report_not_finite();
  if (keep_last_good_ && state_.step % kKeepEvery == 0) last_good_ = state_;

  StepReport report;
  report.step = state_.step + 1;
  report.loss = loss_;
  report.learning_rate = learning_rate(config_.schedule, state_.step);
  report.gradient_norm = norm;
  report.clip_scale = clip_scale(norm, config_.clip);
  // [/snip]
  static const Slot& place = slot("clip_scale");
  if (auto* const mine = mine_in<float>(place, clip_scale))
    report.clip_scale = mine(norm, config_.clip);

  const ParameterTable& table = model_.table();
  pool_.run(table.count(), [&](int p, int) {
    const ParameterInfo& info = table[p];
    ParameterReport& own = reports_[std::size_t(p)];
    own = {.gradient_norm = std::sqrt(squares_[std::size_t(p)])};
    const UpdateStep at{.step = report.step,
                        .lr = report.learning_rate,
                        .decay = info.decay,
                        .gradient_scale = report.clip_scale};

    // A piece at a time, so that the old values can be kept for measuring the change
    constexpr Index kPiece = 4096;
    float before[kPiece];
    double weight = 0, change = 0;
    for (Index done = 0; done < info.size(); done += kPiece) {
      const Index count = std::min(kPiece, info.size() - done), offset = info.offset + done;
      float* w = state_.values.data() + offset;
      if (watch_updates_) std::copy_n(w, count, before);
      optimizer_update<float>(config_.optimizer,
                              {.w = w,
                               .g = shards_[0].data() + offset,
                               .m = state_.m.empty() ? nullptr : state_.m.data() + offset,
                               .v = state_.v.empty() ? nullptr : state_.v.data() + offset,
                               .count = count},
                              at);
      if (watch_updates_) {
        const Eigen::Map<ColVec<float>> now(w, count), old(before, count);
        weight += double(old.squaredNorm());
        change += double((now - old).squaredNorm());
      }
    }
    own.weight_norm = std::sqrt(weight);
    own.update_norm = std::sqrt(change);
  });

  ++state_.step;
  report.tokens = batch_.B * batch_.T;
  report.seconds = gradient_seconds_ + seconds_now() - start;
  return report;
}

StepReport Trainer::step() {
  if (!on_device_) {
    compute_gradients();
    return update();
  }
  // Both phases are started before anybody waits
  const double start = seconds_now();
  next_batch();
  on_device_->start_gradients(batch_, targets_);
  gradients_fresh_ = false;
  has_gradients_ = true;
  start_device_update();
  prepare_batch();
  return device_report(on_device_->finish(), seconds_now() - start);
}

void Trainer::prepare_batch() {
  source_.train(std::uint64_t(state_.step + 1), prepared_);
  prepared_for_ = state_.step + 1;
}

void Trainer::start_device_update() {
  if (keep_last_good_ && state_.step % kKeepEvery == 0) {
    on_device_->keep_state();
    last_good_.step = state_.step;
  }
  on_device_->start_update({.step = state_.step + 1,
                            .learning_rate = learning_rate(config_.schedule, state_.step),
                            .clip = config_.clip,
                            .watch = watch_updates_});
}

StepReport Trainer::device_report(const DeviceStep::Result& result, double seconds) {
  has_gradients_ = false;
  loss_ = result.loss;
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) report_not_finite();
  StepReport report{.step = state_.step + 1,
                    .loss = result.loss,
                    .learning_rate = learning_rate(config_.schedule, state_.step),
                    .gradient_norm = result.gradient_norm,
                    .clip_scale = result.clip_scale,
                    .tokens = batch_.B * batch_.T,
                    .seconds = seconds};
  ++state_.step;
  values_fresh_ = moments_fresh_ = reports_fresh_ = false;
  return report;
}

const float* Trainer::values() const {
  if (on_device_ && !values_fresh_) {
    on_device_->get_values(state_.values.data());
    values_fresh_ = true;
  }
  return state_.values.data();
}

float* Trainer::mutable_values() {
  (void)values();
  return state_.values.data();
}

const float* Trainer::gradients() const {
  if (on_device_ && !gradients_fresh_) {
    on_device_->get_gradients(shards_[0].data());
    gradients_fresh_ = true;
  }
  return shards_.empty() ? nullptr : shards_[0].data();
}

const TrainState& Trainer::state() const {
  if (on_device_ && !(values_fresh_ && moments_fresh_)) {
    on_device_->get_state(state_);
    values_fresh_ = moments_fresh_ = true;
  }
  return state_;
}

const std::vector<ParameterReport>& Trainer::parameter_reports() const {
  if (on_device_ && !reports_fresh_) {
    const std::vector<double> gradient = on_device_->gradient_squares();
    const DeviceStep::Sizes sizes = on_device_->watched();
    for (std::size_t p = 0; p < reports_.size(); ++p) {
      reports_[p] = {.gradient_norm = std::sqrt(gradient[p])};
      if (sizes.weight.empty()) continue;
      reports_[p].weight_norm = std::sqrt(sizes.weight[p]);
      reports_[p].update_norm = std::sqrt(sizes.change[p]);
    }
    reports_fresh_ = true;
  }
  return reports_;
}

void Trainer::bind(Tape<float>& tape, std::vector<Var<float>>& bound) {
  if (on_device_) return on_device_->bind(tape, bound);
  model_.bind(tape, state_.values.data(), nullptr, Write::set, bound);
}

double Trainer::evaluate(int windows) {
  require(windows >= 1, "evaluate: at least one window");
  const int T = batch_.T, chunks = (windows + kChunk - 1) / kChunk;
  if (on_device_) return evaluate_on_device(windows);
  // [snip evaluate]
  std::vector<double> losses(std::size_t(chunks), 0), counts(std::size_t(chunks), 0);
  pool_.run(chunks, [&](int chunk, int worker) {
    Workspace& workspace = *workspaces_[std::size_t(worker)];
    if (!workspace.validation) workspace.validation = std::make_unique<Batch>(kChunk, T);
    Batch& batch = *workspace.validation;
    source_.validation(std::uint64_t(chunk), batch);

    const std::size_t used =
        std::size_t(std::min(kChunk, windows - chunk * kChunk)) * std::size_t(T);
    const auto targets = std::span(batch.targets).first(used);
    workspace.tape.reset(Grad::skip);
    model_.bind(workspace.tape, state_.values.data(), nullptr, Write::set, workspace.bound);
    const Var<float> loss = model_.loss(workspace.tape, workspace.bound,
                                        std::span(batch.tokens).first(used), targets, T, 1);
    losses[std::size_t(chunk)] = double(loss.value()(0, 0));
    counts[std::size_t(chunk)] =
        double(std::ranges::count_if(targets, [](int t) { return t != kIgnored; }));
  });
  double loss = 0, count = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) loss += losses[i], count += counts[i];
  return loss / count;
  // [/snip]
}

double Trainer::evaluate_on_device(int windows) {
  // The same sequences as on the processor, which takes them two at a time
  Batch pair(kChunk, batch_.T), many(batch_.B, batch_.T);
  const auto T = std::size_t(batch_.T);
  double loss = 0, count = 0;
  int filled = 0;
  const auto flush = [&] {
    if (filled == 0) return;
    const auto targets = std::span(many.targets).first(std::size_t(filled) * T);
    count += double(std::ranges::count_if(targets, [](int t) { return t != kIgnored; }));
    loss += on_device_->loss_sum(many, filled);
    filled = 0;
  };
  for (int window = 0; window < windows; ++window) {
    if (window % kChunk == 0) source_.validation(std::uint64_t(window / kChunk), pair);
    const auto from = std::size_t(window % kChunk) * T, to = std::size_t(filled) * T;
    std::copy_n(pair.tokens.begin() + std::ptrdiff_t(from), T,
                many.tokens.begin() + std::ptrdiff_t(to));
    std::copy_n(pair.targets.begin() + std::ptrdiff_t(from), T,
                many.targets.begin() + std::ptrdiff_t(to));
    if (++filled == batch_.B) flush();
  }
  flush();
  return loss / count;
}

void Trainer::report_not_finite() {
  // Run the batch again and look at every value and every gradient, in the order they appear
  std::string first;
  const auto look = [&first](std::string prefix) {
    return [&first, prefix](std::string_view name, const ConstMatMap<float>& value) {
      if (first.empty() && !value.allFinite()) first = prefix + std::string(name);
    };
  };
  Workspace workspace{.tape = Tape<float>(config_.device), .bound = {}, .validation = {}};
  workspace.tape.observe("*", look(""));
  workspace.tape.observe_gradient("*", look("the gradient of "));
  if (on_device_) on_device_->run_pass(workspace.tape, batch_, targets_);
  for (int chunk = 0; chunk < chunks_ && first.empty(); ++chunk) {
    run_chunk(workspace, chunk, chunk % int(shards_.size()), Write::set);
  }
  throw NotFinite(first.empty() ? "the gradient's norm" : first, state_.step + 1);
}

void Trainer::set_state(const TrainState& state) {
  const auto same = [](const auto& a, const auto& b) { return a.size() == b.size(); };
  require(same(state.values, state_.values) && same(state.m, state_.m) && same(state.v, state_.v),
          "set_state: the state must have the sizes of this model and optimiser");
  if (&state != &state_) state_ = state;
  if (on_device_) on_device_->set_state(state_);
  values_fresh_ = moments_fresh_ = true;
  has_gradients_ = false;
}

void Trainer::keep_last_good(bool keep) {
  keep_last_good_ = keep;
  if (on_device_) {
    last_good_.step = state_.step;
    if (keep) on_device_->keep_state();
    return;
  }
  last_good_ = keep ? state_ : TrainState{};
}

long Trainer::restore_last_good() {
  if (on_device_ && keep_last_good_) {
    on_device_->restore_state();
    state_.step = last_good_.step;
    values_fresh_ = moments_fresh_ = has_gradients_ = false;
  }
  if (!last_good_.values.empty()) set_state(last_good_);
  return state_.step;
}

std::size_t Trainer::memory_bytes() const {
  std::size_t numbers = state_.values.size() + state_.m.size() + state_.v.size();
  numbers += last_good_.values.size() + last_good_.m.size() + last_good_.v.size();
  for (const auto& shard : shards_) numbers += shard.size();
  std::size_t bytes = numbers * sizeof(float);
  for (const auto& workspace : workspaces_) bytes += workspace->tape.arena().capacity();
  if (on_device_) bytes += on_device_->memory_bytes();
  return bytes;
}

}  // namespace tpp
