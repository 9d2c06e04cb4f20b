#include "chapters/03_tokens/baselines.h"

#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace tpp {
namespace {

/// How often each token occurs in the training part.
std::vector<double> token_counts(const Dataset& data) {
  std::vector<double> counts(std::size_t(data.tokenizer().vocabulary()), 0.0);  // (V)
  for (std::size_t i = 0; i < data.train_size(); ++i) ++counts[std::size_t(data[i])];
  return counts;
}

/// p₁: add-one smoothing gives every token a chance.
std::vector<double> unigram(const Dataset& data) {
  std::vector<double> p = token_counts(data);
  const double total = double(data.train_size()) + double(p.size());
  for (double& value : p) value = (value + 1) / total;
  return p;
}

}  // namespace

double unigram_entropy(const Dataset& data) {
  const std::vector<double> p = unigram(data);
  double nats = 0;
  for (std::size_t i = data.train_size(); i < data.size(); ++i) {
    nats -= std::log(p[std::size_t(data[i])]);
  }
  return nats / double(data.validation_size());
}

double bigram_entropy(const Dataset& data) {
  const std::vector<double> p1 = unigram(data);
  const auto key = [](int x, int y) { return std::uint32_t(x) << 16 | std::uint32_t(y); };

  // Count pairs, and for each x how often it is followed and by how many different tokens
  std::unordered_map<std::uint32_t, std::uint32_t> pairs;
  std::vector<double> followed(p1.size(), 0.0), successors(p1.size(), 0.0);  // c(x), m(x)
  for (std::size_t i = 0; i + 1 < data.train_size(); ++i) {
    const int x = data[i];
    const std::uint32_t seen = pairs[key(x, data[i + 1])]++;
    followed[std::size_t(x)] += 1;
    successors[std::size_t(x)] += seen == 0 ? 1 : 0;
  }

  // Guess every validation token from the one before it
  double nats = 0;
  for (std::size_t i = data.train_size() + 1; i < data.size(); ++i) {
    const std::size_t x = std::size_t(data[i - 1]), y = std::size_t(data[i]);
    const auto found = pairs.find(key(int(x), int(y)));
    const double count = found == pairs.end() ? 0.0 : double(found->second);
    const double m = successors[x];
    nats -= std::log(followed[x] == 0 ? p1[y] : (count + m * p1[y]) / (followed[x] + m));
  }
  return nats / double(data.validation_size() - 1);
}

}  // namespace tpp
