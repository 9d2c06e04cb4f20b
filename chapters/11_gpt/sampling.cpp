#include "chapters/11_gpt/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/02_tape/device.h"

namespace tpp {

std::vector<double> sampling_distribution(std::span<const float> logits,
                                          const SamplingConfig& config) {
  if (!(config.temperature >= 0)) throw InputError("the temperature must be 0 or more");
  if (config.top_k < 0) throw InputError("top-k must be 0 (all tokens) or more");
  if (!(config.top_p > 0 && config.top_p <= 1)) {
    throw InputError("top-p must be above 0 and at most 1 (all tokens)");
  }
  require(!logits.empty(), "sampling_distribution: there must be a token to choose");

  // Order the tokens, the likeliest first; equals by their number, so that the order is certain
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](int a, int b) { return logits[std::size_t(a)] > logits[std::size_t(b)]; });

  // At temperature 0 the likeliest has it all
  std::vector<double> p(logits.size(), 0);
  if (config.temperature == 0) {
    p[std::size_t(order[0])] = 1;
    return p;
  }

  // [snip cuts]
  // Cut by rank
  if (config.top_k > 0 && std::size_t(config.top_k) < order.size()) {
    order.resize(std::size_t(config.top_k));
  }
  double sum = 0;
  const double most = double(logits[std::size_t(order[0])]);
  for (const int token : order) {
    p[std::size_t(token)] =
        std::exp((double(logits[std::size_t(token)]) - most) / config.temperature);
    sum += p[std::size_t(token)];
  }

  // Cut by mass: keep tokens until they hold top_p, the one that crosses it included
  double kept = 0;
  for (const int token : order) {
    double& own = p[std::size_t(token)];
    if (kept >= config.top_p * sum) {
      own = 0;
    } else {
      kept += own;
    }
  }
  for (double& own : p) own /= kept;
  // [/snip]
  return p;
}

int draw(std::span<const double> distribution, double uniform) {
  double below = 0;
  int last = 0;
  for (std::size_t token = 0; token < distribution.size(); ++token) {
    if (distribution[token] == 0) continue;
    last = int(token);
    below += distribution[token];
    if (uniform < below) return last;
  }
  return last;  // rounding left the sum a little below one
}

Generator::Generator(const Model<float>& model, const float* values, std::uint64_t seed,
                     const Device* device)
    : model_(model),
      values_(const_cast<float*>(values)),  // the tape binds it as a constant
      tape_(device),
      logits_(std::size_t(model.config().V)),
      rng_(seed, name_hash("sampling")) {
  if (device == nullptr) return;
  const Eigen::Map<const Mat<float>> all(values, 1, model.table().extent());
  on_device_ = DeviceMemory(*device, std::size_t(all.size()) * sizeof(float));
  values_ = on_device_.as<float>();
  device_upload(*device, values_, all, true);
  if (!device->stores_bf16()) return;
  copies_ = DeviceMemory(*device, std::size_t(all.size()) * sizeof(Bf16));
  device_upload(*device, copies_.as<Bf16>(), all, false);
}

Var<float> Generator::forward(std::span<const int> tokens) {
  tape_.reset(Grad::skip);
  model_.bind(tape_, values_, nullptr, Write::set, bound_, copies_.as<Bf16>());
  return model_.forward(tape_, bound_, tokens, Index(tokens.size()));
}

std::vector<int> Generator::likeliest(std::span<const int> tokens) {
  const Var<float> logits = forward(tokens);  // (T, V)
  const Mat<float> all = logits.tape->on_device() ? logits.to_host() : Mat<float>(logits.value());
  std::vector<int> best(tokens.size());
  for (std::size_t t = 0; t < best.size(); ++t) {
    Index token = 0;
    (void)all.row(Index(t)).maxCoeff(&token);
    best[t] = int(token);
  }
  return best;
}

std::span<const float> Generator::logits(std::span<const int> tokens) {
  require(!tokens.empty(), "logits: there must be a token to go on from");
  const auto seen = tokens.last(std::min(tokens.size(), std::size_t(model_.config().T)));
  const Var<float> all = forward(seen);
  const Index last = all.rows() - 1;
  Eigen::Map<RowVec<float>> row(logits_.data(), Index(logits_.size()));
  if (tape_.on_device()) {
    row = all.to_host().row(last);
  } else {
    row = all.value().row(last);
  }
  return logits_;
}

// [snip generate]
void Generator::generate(std::vector<int>& tokens, int count, const SamplingConfig& config,
                         const std::function<bool(int)>& each) {
  for (int i = 0; i < count; ++i) {
    const int token = draw(sampling_distribution(logits(tokens), config), rng_.uniform());
    tokens.push_back(token);
    if (each && !each(token)) return;
  }
}
// [/snip]

}  // namespace tpp
