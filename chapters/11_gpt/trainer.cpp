#include "chapters/11_gpt/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

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
      batch_(std::max(config.batch, 1), int(model.config().T)) {
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

  // One shard of gradients a unit of work
  chunks_ = (batch_.B + kChunk - 1) / kChunk;
  shards_.assign(std::size_t(std::min(chunks_, kShards)), LineVector<float>(extent, 0));
  chunk_losses_.resize(std::size_t(chunks_));
  squares_.resize(std::size_t(model.table().count()));
  reports_.resize(std::size_t(model.table().count()));
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

// [snip compute_gradients]
double Trainer::compute_gradients() {
  const double start = seconds_now();
  source_.train(std::uint64_t(state_.step), batch_);
  targets_ = double(std::ranges::count_if(batch_.targets, [](int t) { return t != kIgnored; }));

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

// [snip update]
StepReport Trainer::update() {
  require(has_gradients_, "update(): compute_gradients() comes first");
  const double start = seconds_now();

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
// [/snip]

StepReport Trainer::step() {
  compute_gradients();
  return update();
}

double Trainer::evaluate(int windows) {
  require(windows >= 1, "evaluate: at least one window");
  const int T = batch_.T, chunks = (windows + kChunk - 1) / kChunk;
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
}

void Trainer::report_not_finite() {
  // Run the batch again and look at every value and every gradient, in the order they appear
  std::string first;
  const auto look = [&first](std::string prefix) {
    return [&first, prefix](std::string_view name, const ConstMatMap<float>& value) {
      if (first.empty() && !value.allFinite()) first = prefix + std::string(name);
    };
  };
  Workspace workspace;
  workspace.tape.observe("*", look(""));
  workspace.tape.observe_gradient("*", look("the gradient of "));
  for (int chunk = 0; chunk < chunks_ && first.empty(); ++chunk) {
    run_chunk(workspace, chunk, chunk % int(shards_.size()), Write::set);
  }
  throw NotFinite(first.empty() ? "the gradient's norm" : first, state_.step + 1);
}

void Trainer::set_state(const TrainState& state) {
  const auto same = [](const auto& a, const auto& b) { return a.size() == b.size(); };
  require(same(state.values, state_.values) && same(state.m, state_.m) && same(state.v, state_.v),
          "set_state: the state must have the sizes of this model and optimiser");
  state_ = state;
  has_gradients_ = false;
}

void Trainer::keep_last_good(bool keep) {
  keep_last_good_ = keep;
  last_good_ = keep ? state_ : TrainState{};
}

long Trainer::restore_last_good() {
  if (!last_good_.values.empty()) set_state(last_good_);
  return state_.step;
}

std::size_t Trainer::memory_bytes() const {
  std::size_t numbers = state_.values.size() + state_.m.size() + state_.v.size();
  numbers += last_good_.values.size() + last_good_.m.size() + last_good_.v.size();
  for (const auto& shard : shards_) numbers += shard.size();
  std::size_t bytes = numbers * sizeof(float);
  for (const auto& workspace : workspaces_) bytes += workspace->tape.arena().capacity();
  return bytes;
}

}  // namespace tpp
