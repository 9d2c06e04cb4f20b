#include "chapters/03_tokens/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/pretokenise.h"

namespace tpp {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// ln(eᵃ + eᵇ), without leaving the logarithms: the products of a long word are too small for a double.
double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

bool inside_letter(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}  // UTF-8

}  // namespace

// ---------------------------------------------------------------------------------------------------
// The tokens as a tree of bytes

Unigram::Unigram(std::vector<Token> tokens) : tokens_(std::move(tokens)), token_of_(1, -1) {
  const auto refuse = [](bool wrong, const std::string& what) {
    if (wrong) throw InputError("This is not a unigram vocabulary: " + what + ".");
  };
  refuse(tokens_.size() < std::size_t(kBytes), "it has fewer than 256 tokens");
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const auto& [bytes, log_p] = tokens_[i];
    const std::string which = "token " + std::to_string(i);
    if (i < std::size_t(kBytes)) {
      refuse(bytes != std::string(1, static_cast<char>(i)),
             which + " is not the byte " + std::to_string(i));
    } else {
      refuse(bytes.size() < 2 || bytes.size() > kLongest, which + " has not 2 to 16 bytes");
    }
    refuse(!(log_p <= 0 && log_p >= -100), which + " has a log-probability outside -100 to 0");
    int node = 0;
    for (const char byte : bytes) {
      const std::uint64_t key = std::uint64_t(node) << 8 | static_cast<unsigned char>(byte);
      const auto [found, fresh] = children_.emplace(key, static_cast<int>(token_of_.size()));
      if (fresh) token_of_.push_back(-1);
      node = found->second;
    }
    refuse(token_of_[std::size_t(node)] >= 0, which + " is there twice");
    token_of_[std::size_t(node)] = static_cast<int>(i);
  }
}

void Unigram::set_log_p(std::span<const double> log_p) {
  require(log_p.size() == tokens_.size(), "set_log_p: a probability for each token");
  for (std::size_t i = 0; i < tokens_.size(); ++i) tokens_[i].log_p = std::min(log_p[i], 0.0);
}

int Unigram::child(int node, char byte) const {
  const auto found = children_.find(std::uint64_t(node) << 8 | static_cast<unsigned char>(byte));
  return found == children_.end() ? -1 : found->second;
}

/// Visit the tokens that stand in `word` at `begin`, the shortest first: visit(where it ends, token).
template <class Visit>
void Unigram::for_each_token(std::string_view word, std::size_t begin, Visit visit) const {
  int node = 0;
  for (std::size_t end = begin; end < word.size();) {
    node = child(node, word[end++]);
    if (node < 0) return;
    if (token_of_[std::size_t(node)] >= 0) visit(end, token_of_[std::size_t(node)]);
  }
}

// ---------------------------------------------------------------------------------------------------
// Cuts of a word

// [snip viterbi]
void Unigram::best(std::string_view word, std::vector<int>& tokens, int without) const {
  // The best cut of the first `end` bytes is the best cut of fewer, and one token more
  std::vector<double> score(word.size() + 1, kNever);
  std::vector<int> last(word.size() + 1, -1);  // the token that ends there
  score[0] = 0;
  for (std::size_t begin = 0; begin < word.size(); ++begin) {
    for_each_token(word, begin, [&](std::size_t end, int token) {
      const double with = score[begin] + tokens_[std::size_t(token)].log_p;
      if (with > score[end] && token != without) score[end] = with, last[end] = token;
    });
  }

  // Walk back from the end
  tokens.clear();
  for (std::size_t end = word.size(); end > 0;
       end -= tokens_[std::size_t(tokens.back())].bytes.size()) {
    tokens.push_back(last[end]);
  }
  std::reverse(tokens.begin(), tokens.end());
}
// [/snip]

// [snip unigram_forward]
void Unigram::forward(std::string_view word, double alpha, std::vector<double>& sum) const {
  // sum[end]: the logarithm of what all cuts of the first `end` bytes have together
  sum.assign(word.size() + 1, kNever);
  sum[0] = 0;
  for (std::size_t begin = 0; begin < word.size(); ++begin) {
    for_each_token(word, begin, [&](std::size_t end, int token) {
      sum[end] = log_add(sum[end], sum[begin] + alpha * tokens_[std::size_t(token)].log_p);
    });
  }
}
// [/snip]

double Unigram::log_likelihood(std::string_view word) const {
  std::vector<double> sum;
  forward(word, 1, sum);
  return sum.back();
}

// [snip unigram_expect]
double Unigram::expect(std::string_view word, double times, std::span<double> expected) const {
  std::vector<double> before, after(word.size() + 1, kNever);
  forward(word, 1, before);

  // The same from the end: after[begin] is what all cuts of the rest have together. On the way, each
  // token gets the share of the cuts that go through it
  after[word.size()] = 0;
  for (std::size_t begin = word.size(); begin-- > 0;) {
    for_each_token(word, begin, [&](std::size_t end, int token) {
      const double through = tokens_[std::size_t(token)].log_p + after[end];
      after[begin] = log_add(after[begin], through);
      expected[std::size_t(token)] += times * std::exp(before[begin] + through - before.back());
    });
  }
  return before.back();
}
// [/snip]

void Unigram::sample(std::string_view word, double alpha, Philox& rng,
                     std::vector<int>& tokens) const {
  require(alpha >= 0 && alpha <= 100, "sample: alpha must be from 0 to 100");
  std::vector<double> sum;
  forward(word, alpha, sum);

  // From the end: the last token is drawn by its share of all cuts that end here, then the one before
  tokens.clear();
  for (std::size_t end = word.size(); end > 0;) {
    double left = rng.uniform();
    int drawn = -1;
    const std::size_t first = end > kLongest ? end - kLongest : 0;
    for (std::size_t begin = first; begin < end && left >= 0; ++begin) {
      int node = 0;
      for (std::size_t i = begin; i < end && node >= 0; ++i) node = child(node, word[i]);
      if (node < 0 || token_of_[std::size_t(node)] < 0) continue;
      drawn = token_of_[std::size_t(node)];
      left -= std::exp(sum[begin] + alpha * tokens_[std::size_t(drawn)].log_p - sum[end]);
    }
    tokens.push_back(drawn);
    end -= tokens_[std::size_t(drawn)].bytes.size();
  }
  std::reverse(tokens.begin(), tokens.end());
}

// ---------------------------------------------------------------------------------------------------
// Training

std::vector<CountedWord> count_words(std::string_view text) {
  std::vector<CountedWord> words;
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = piece_end(text, begin);
    const auto [found, fresh] = index.emplace(text.substr(begin, end - begin), words.size());
    if (fresh) words.push_back({found->first, 0});
    ++words[found->second].count;
    begin = end;
  }
  return words;
}

std::vector<Unigram::Token> unigram_seeds(std::span<const CountedWord> words, std::size_t most) {
  // Every place of every word, sorted by what follows: equal beginnings then stand together
  struct Place {
    std::uint32_t word, begin;
  };
  std::vector<Place> places;
  double bytes = 0;
  std::vector<double> of_byte(Unigram::kBytes, 0.0);
  for (std::uint32_t w = 0; w < words.size(); ++w) {
    for (std::uint32_t i = 0; i < words[w].bytes.size(); ++i) {
      const char byte = words[w].bytes[i];
      of_byte[static_cast<unsigned char>(byte)] += double(words[w].count);
      bytes += double(words[w].count);
      if (!inside_letter(byte)) places.push_back({w, i});
    }
  }
  const auto rest = [&](const Place& p) {
    return words[p.word].bytes.substr(p.begin, Unigram::kLongest);
  };
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    const int order = rest(a).compare(rest(b));
    return order != 0 ? order < 0 : a.word != b.word ? a.word < b.word : a.begin < b.begin;
  });

  // Of each length, add up the neighbours that begin alike
  struct Seed {
    std::string_view bytes;
    double count;
  };
  std::vector<Seed> seeds;
  for (std::size_t length = 2; length <= Unigram::kLongest; ++length) {
    Seed seed{{}, 0};
    const auto finish = [&] {
      if (seed.count >= 2) seeds.push_back(seed);
    };
    for (const Place& place : places) {
      const std::string_view word = words[place.word].bytes, here = rest(place).substr(0, length);
      const std::size_t end = place.begin + length;
      if (here.size() < length || (end < word.size() && inside_letter(word[end]))) continue;
      if (here != seed.bytes) finish(), seed = {here, 0};
      seed.count += double(words[place.word].count);
    }
    finish();
  }

  // The best, and of equals the first in the order of bytes
  const auto covers = [](const Seed& s) { return s.count * double(s.bytes.size()); };
  std::sort(seeds.begin(), seeds.end(), [&](const Seed& a, const Seed& b) {
    return covers(a) != covers(b) ? covers(a) > covers(b) : a.bytes < b.bytes;
  });
  seeds.resize(std::min(seeds.size(), most));

  double total = bytes;
  for (const Seed& seed : seeds) total += seed.count;
  const auto log_p = [&](double count) {
    return std::log(std::max(count / total, kLeastProbability));
  };
  std::vector<Unigram::Token> tokens;
  for (int byte = 0; byte < Unigram::kBytes; ++byte) {
    tokens.push_back(
        {std::string(1, static_cast<char>(byte)),
         total > 0 ? log_p(of_byte[std::size_t(byte)]) : std::log(1.0 / Unigram::kBytes)});
  }
  for (const Seed& seed : seeds) tokens.push_back({std::string(seed.bytes), log_p(seed.count)});
  return tokens;
}

double unigram_em(Unigram& model, std::span<const CountedWord> words,
                  std::vector<double>& expected) {
  // Expectation: how often is each token used, if every word is cut in all ways at once?
  expected.assign(model.tokens().size(), 0.0);
  double log_likelihood = 0;
  for (const CountedWord& word : words) {
    log_likelihood += double(word.count) * model.expect(word.bytes, double(word.count), expected);
  }

  // Maximisation: the frequencies that were expected. What is hardly used keeps the least probability, and the others
  // share what that leaves
  double used = 0, all = 0, left = 1;
  for (const double count : expected) all += count;
  if (!(all > 0)) return log_likelihood;
  const auto rare = [&](double count) { return count / all < kLeastProbability; };
  for (const double count : expected) rare(count) ? left -= kLeastProbability : used += count;
  std::vector<double> log_p(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    log_p[i] = std::log(rare(expected[i]) ? kLeastProbability : expected[i] / used * left);
  }
  model.set_log_p(log_p);
  return log_likelihood;
}

Unigram Unigram::train(std::string_view text, int vocabulary, const TokenizerProgress& progress) {
  if (vocabulary < kBytes || vocabulary > 65536) {
    throw InputError("A unigram vocabulary of " + std::to_string(vocabulary) +
                     " is not possible: choose one from 256 (the bytes alone) to 65536.");
  }
  constexpr int kRounds = 2, kLastRounds = 4;  // of EM, before a pruning and at the end
  constexpr double kKept = 0.8;                // of the tokens, by a pruning
  constexpr std::size_t kSeeds = 20;           // for each token wanted
  const std::vector<CountedWord> words = count_words(text);
  Unigram model(unigram_seeds(words, kSeeds * std::size_t(vocabulary - kBytes)));

  // Say how far it is: each pruning keeps four fifths
  const auto wanted = std::size_t(vocabulary);
  int prunings = 0, done = 0;
  for (auto size = double(model.tokens().size()); size > double(wanted); size *= kKept) ++prunings;
  const int rounds = prunings * kRounds + kLastRounds;
  std::vector<double> expected;
  const auto em = [&](int times) {
    for (int i = 0; i < times; ++i) {
      unigram_em(model, words, expected);
      if (progress) progress(std::min(++done, rounds), rounds);
    }
  };

  while (model.tokens().size() > wanted) {
    em(kRounds);
    // [snip unigram_prune]
    // What would the text lose with this token? Each use would become the best other cut of its bytes
    struct Loss {
      double nats;
      std::size_t token;
    };
    std::vector<Loss> losses;
    std::vector<int> other;
    for (std::size_t t = kBytes; t < model.tokens_.size(); ++t) {
      const Token& token = model.tokens_[t];
      model.best(token.bytes, other, int(t));
      double without = 0;
      for (const int part : other) without += model.tokens_[std::size_t(part)].log_p;
      losses.push_back({expected[t] * (token.log_p - without), t});
    }

    // Keep those that would be missed most
    std::sort(losses.begin(), losses.end(), [](const Loss& a, const Loss& b) {
      return a.nats != b.nats ? a.nats > b.nats : a.token < b.token;
    });
    const auto four_fifths = std::size_t(kKept * double(model.tokens_.size()));
    losses.resize(std::max(wanted, four_fifths) - kBytes);
    // [/snip]
    std::vector<Token> kept(model.tokens_.begin(), model.tokens_.begin() + kBytes);
    for (const Loss& loss : losses) kept.push_back(std::move(model.tokens_[loss.token]));
    model = Unigram(std::move(kept));
  }
  em(kLastRounds);

  // Number them by their probability
  std::vector<Token> tokens = std::move(model.tokens_);
  std::sort(tokens.begin() + kBytes, tokens.end(), [](const Token& a, const Token& b) {
    return a.log_p != b.log_p ? a.log_p > b.log_p : a.bytes < b.bytes;
  });
  return Unigram(std::move(tokens));
}

}  // namespace tpp
