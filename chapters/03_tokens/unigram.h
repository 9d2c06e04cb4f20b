// A vocabulary with probabilities: the unigram language model, and the most probable cut of a word.
//
// Byte-pair encoding is a list of merges, and a word has one cut. Here every token has a probability,
// a cut has the product of its tokens' probabilities, and a word has as many cuts as there are ways to
// put tokens side by side. Training keeps the tokens without which the text would become improbable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chapters/01_tensor/random.h"

namespace tpp {

/// Called now and then while a tokenizer is learned: `done` of `wanted` merges or rounds. It may throw to stop.
using TokenizerProgress = std::function<void(int done, int wanted)>;

/// Tokens 0…255 are the bytes, so every word has a cut; the others have 2 to 16 bytes.
///
///   p(cut) = Π p(token),   p(word) = Σ p(cut) over all cuts of the word
///
/// Paper   Kudo 2018, arXiv:1804.10959, section 3.2
class Unigram {
 public:
  static constexpr int kBytes = 256;
  static constexpr std::size_t kLongest = 16;  // bytes of a token

  struct Token {
    std::string bytes;
    double log_p = 0;  // natural logarithm of its probability
    bool operator==(const Token&) const = default;
  };

  /// The bytes first, in order, then longer tokens that are all different. Probabilities need not add up to one.
  ///
  /// Errors  InputError: a byte out of place, a token twice, a length out of range, a log_p outside −100 … 0
  explicit Unigram(std::vector<Token> tokens);

  /// Learn from a text, until there are `vocabulary` tokens. A text without enough substrings that occur twice gives
  /// fewer.
  ///
  /// Errors  InputError unless 256 ≤ vocabulary ≤ 65536; whatever `progress` throws
  /// Cost    E rounds over the text's distinct words, each 16 look-ups a byte; E grows with the logarithm of (seeds /
  ///         vocabulary), about 40 for a megabyte. Memory: 8 bytes a byte of distinct words, and the seeds
  /// Paper   Kudo 2018, section 3.2. Deviations: symbols are bytes, not characters; seeds are substrings of words, and
  ///         never a part of a UTF-8 letter; what a removal costs is estimated by the best other cut of the token, as
  ///         SentencePiece does; no probability falls below kLeastProbability
  [[nodiscard]] static Unigram train(std::string_view text, int vocabulary,
                                     const TokenizerProgress& progress = {});

  [[nodiscard]] int vocabulary() const { return static_cast<int>(tokens_.size()); }
  [[nodiscard]] std::span<const Token> tokens() const { return tokens_; }

  /// The most probable cut (Viterbi). Of equally probable cuts the one whose last token is longest, and so on backwards.
  ///
  /// Cost    16 look-ups a byte. `without`: a token that may not be used, or −1
  void best(std::string_view word, std::vector<int>& tokens, int without = -1) const;

  /// ln p(word): all cuts together.
  [[nodiscard]] double log_likelihood(std::string_view word) const;

  /// Add `times` · (how often each token is expected in a cut of the word, cuts weighted by their probability) to
  /// `expected` (V), and return ln p(word).
  double expect(std::string_view word, double times, std::span<double> expected) const;

  /// A cut at random: its probability is p(cut)^alpha, normalised. alpha 1 follows the model; 0 makes all cuts equally
  /// likely. A model that trains on such cuts meets a word in many forms.
  ///
  /// Paper   Kudo 2018, section 3.3 (subword regularisation), with all cuts instead of the l best
  void sample(std::string_view word, double alpha, Philox& rng, std::vector<int>& tokens) const;

  /// Other probabilities for the same tokens (V).
  void set_log_p(std::span<const double> log_p);

  bool operator==(const Unigram& other) const { return tokens_ == other.tokens_; }

 private:
  template <class Visit>
  void for_each_token(std::string_view word, std::size_t begin, Visit visit) const;
  [[nodiscard]] int child(int node, char byte) const;
  void forward(std::string_view word, double alpha, std::vector<double>& sum) const;

  std::vector<Token> tokens_;  // (V)
  std::unordered_map<std::uint64_t, int>
      children_;               // (node, byte) → node: the tokens as a tree of bytes
  std::vector<int> token_of_;  // of a node; −1: no token ends here
};

/// A distinct word of a text, and how often it occurs.
struct CountedWord {
  std::string_view bytes;
  std::int64_t count = 0;
};
[[nodiscard]] std::vector<CountedWord> count_words(std::string_view text);

/// The 256 bytes and the `most` substrings of 2 to 16 bytes that occur twice, those first that cover most of the
/// text (occurrences · bytes). Their probabilities are as frequent as they are.
[[nodiscard]] std::vector<Unigram::Token> unigram_seeds(std::span<const CountedWord> words,
                                                        std::size_t most);

/// One round of expectation and maximisation: the same tokens with probabilities under which the text is at least as
/// likely. Returns ln p(text) under the old ones.
///
///   p'(token) = expected(token) / Σ expected,   but at least kLeastProbability
double unigram_em(Unigram& model, std::span<const CountedWord> words,
                  std::vector<double>& expected);

inline constexpr double kLeastProbability = 1e-12;

}  // namespace tpp
