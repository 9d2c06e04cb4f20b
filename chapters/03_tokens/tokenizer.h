// Text to token numbers and back: single bytes, or byte pairs merged by frequency.
//
// Byte-pair encoding starts with the 256 bytes and, again and again, makes the most frequent pair
// of neighbours a new token. The list of merges, in order, is the whole tokenizer. Because the
// bytes themselves are tokens, every file can be encoded, and decoding gives back every byte.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tpp {

/// Called after each merge with (vocabulary so far, vocabulary asked for). It may throw to stop.
using BpeProgress = std::function<void(int done, int wanted)>;

class Tokenizer {
 public:
  static constexpr int kBytes = 256;                // tokens 0…255 are the bytes themselves
  static constexpr int kLargestVocabulary = 65536;  // a token fits into 16 bits

  /// Two neighbours that become one token. Merge i makes token 256 + i.
  struct Merge {
    int left;
    int right;
    bool operator==(const Merge&) const = default;
  };

  /// One token a byte, V = 256.
  [[nodiscard]] static Tokenizer bytes() { return {}; }

  /// Learn merges from a text until there are `vocabulary` tokens.
  ///
  /// The most frequent pair is merged first. A pair's frequency is the number of replacements that
  /// its merge would make: "aaa" holds the pair (a, a) once, not twice. Of equally frequent pairs
  /// the one with the smaller left token wins, then the one with the smaller right token. Learning
  /// stops early when no pair occurs twice: the vocabulary is then smaller than asked.
  ///
  /// Errors  InputError unless 256 ≤ vocabulary ≤ 65536; whatever `progress` throws
  /// Cost    one pass to count distinct pieces, then per merge the pieces that hold its pair
  /// Paper   Sennrich, Haddow, Birch 2016, arXiv:1508.07909, algorithm 1; over bytes as in
  ///         Radford et al. 2019 (GPT-2), section 2.2. Deviations: no end-of-word symbol (the
  ///         leading space marks the start of a word), and overlapping pairs are counted as said
  ///         above.
  [[nodiscard]] static Tokenizer train_bpe(std::string_view text, int vocabulary,
                                           const BpeProgress& progress = {});

  /// "bytes" or "bpe:1024", as the command line says it; bpe learns from `text`.
  ///
  /// Errors  InputError: an unknown name, or a vocabulary that train_bpe refuses
  [[nodiscard]] static Tokenizer make(std::string_view spec, std::string_view text,
                                      const BpeProgress& progress = {});

  /// Tokens of a text: in every piece the earliest-learned pair is merged first, from the left.
  ///
  /// Cost    linear in the text; a piece seen before is looked up
  [[nodiscard]] std::vector<int> encode(std::string_view text) const;

  /// The same, handed over piece by piece, so that a long text needs no second copy.
  void encode(std::string_view text, const std::function<void(std::span<const int>)>& piece) const;

  /// decode(encode(text)) == text for any bytes. Any tokens decode; the result need not be UTF-8.
  ///
  /// Errors  InputError on a token outside the vocabulary
  [[nodiscard]] std::string decode(std::span<const int> tokens) const;

  [[nodiscard]] int vocabulary() const { return kBytes + static_cast<int>(merges_.size()); }  // V
  [[nodiscard]] std::span<const Merge> merges() const { return merges_; }  // V − 256
  [[nodiscard]] std::string name() const;                                  // "bytes" or "bpe:1024"

  /// The bytes that a token stands for, 1 to kLongestPiece of them. InputError outside the
  /// vocabulary. The view lives as long as the tokenizer.
  [[nodiscard]] std::string_view bytes_of(int token) const;

  /// A few lines of text: a header, then a merge a line. For checkpoints.
  [[nodiscard]] std::string serialise() const;

  /// Errors  InputError on everything that serialise() does not write: a wrong header, a number out
  /// of
  ///         range, a merge of tokens that do not exist yet, a pair merged twice, a token that is
  ///         too long, a missing or surplus line
  [[nodiscard]] static Tokenizer deserialise(std::string_view text);

  bool operator==(const Tokenizer& other) const { return merges_ == other.merges_; }

 private:
  Tokenizer();
  [[nodiscard]] bool add_merge(Merge merge);  // false if the pair is there already or too long
  void encode_piece(std::string_view piece, std::vector<int>& tokens) const;

  std::vector<Merge> merges_;                      // (V − 256)
  std::unordered_map<std::uint64_t, int> merged_;  // (left, right) → token
  std::string bytes_;                              // the bytes of all tokens, one after the other
  std::vector<std::uint32_t> begin_;  // (V + 1): token t is bytes_[begin_[t] … begin_[t + 1])
};

/// How many bytes of this text a token stands for, on average. NaN for an empty text.
[[nodiscard]] double bytes_per_token(const Tokenizer& tokenizer, std::string_view text);

}  // namespace tpp
