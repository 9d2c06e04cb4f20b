// Text to token numbers and back: single bytes, byte pairs merged by frequency, or the unigram model.
//
// Byte-pair encoding starts with the 256 bytes and, again and again, makes the most frequent pair
// of neighbours a new token. The list of merges, in order, is the whole tokenizer. Because the
// bytes themselves are tokens, every file can be encoded, and decoding gives back every byte. Behind the
// tokens of the text there may be special ones, which no text ever becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chapters/03_tokens/unigram.h"

namespace tpp {

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
                                           const TokenizerProgress& progress = {});

  /// Learn a unigram model: see Unigram::train.
  [[nodiscard]] static Tokenizer train_unigram(std::string_view text, int vocabulary,
                                               const TokenizerProgress& progress = {});
  /// Cut by this model.
  explicit Tokenizer(Unigram model);

  /// "bytes", "bpe:1024" or "unigram:1024", as the command line says it; the last two learn from `text`.
  ///
  /// Errors  InputError: an unknown name, or a vocabulary that cannot be
  [[nodiscard]] static Tokenizer make(std::string_view spec, std::string_view text,
                                      const TokenizerProgress& progress = {});

  /// This tokenizer, with special tokens behind its last one. A text never becomes one of them, not even
  /// a text that spells their names.
  ///
  /// Errors  InputError unless each name is <…> with 1 to 20 of a–z, 0–9 and _, and none is there already
  [[nodiscard]] Tokenizer with_specials(std::vector<std::string> names) const;

  /// Tokens of a text. BPE: in every piece the earliest-learned pair is merged first, from the left.
  /// Unigram: every piece is cut in the most probable way.
  ///
  /// Cost    linear in the text; a piece seen before is looked up
  [[nodiscard]] std::vector<int> encode(std::string_view text) const;

  /// The same, handed over piece by piece, so that a long text needs no second copy.
  void encode(std::string_view text, const std::function<void(std::span<const int>)>& piece) const;

  /// decode(encode(text)) == text for any bytes. Any tokens decode; the result need not be UTF-8, and
  /// special tokens become their names.
  ///
  /// Errors  InputError on a token outside the vocabulary
  [[nodiscard]] std::string decode(std::span<const int> tokens) const;

  [[nodiscard]] int vocabulary() const { return static_cast<int>(begin_.size()) - 1; }  // V, all
  [[nodiscard]] int text_vocabulary()
      const {  // those that a text can become; the special ones follow
    return vocabulary() - static_cast<int>(specials_.size());
  }
  [[nodiscard]] std::span<const Merge> merges() const { return merges_; }  // of BPE
  [[nodiscard]] const Unigram* unigram() const { return unigram_ ? &*unigram_ : nullptr; }
  [[nodiscard]] bool is_bytes() const { return merges_.empty() && !unigram_; }  // specials aside
  [[nodiscard]] std::span<const std::string> specials() const { return specials_; }
  [[nodiscard]] std::string name() const;  // as make() takes it: "bytes", "bpe:1024"

  /// The token with this name, "<mask>". InputError if there is none.
  [[nodiscard]] int special(std::string_view name) const;

  /// The bytes that a token stands for, 1 to kLongestPiece of them; of a special token, its name.
  /// InputError outside the vocabulary. The view lives as long as the tokenizer.
  [[nodiscard]] std::string_view bytes_of(int token) const;

  /// A few lines of text, for checkpoints: a header, then a merge a line, or a token and its
  /// log-probability; then the names of special tokens.
  [[nodiscard]] std::string serialise() const;

  /// Errors  InputError on everything that serialise() does not write: a wrong header, a number out
  ///         of range, a merge of tokens that do not exist yet, a pair merged twice, a token that is
  ///         too long or there twice, a name that is none, a missing or surplus line
  [[nodiscard]] static Tokenizer deserialise(std::string_view text);

  bool operator==(const Tokenizer& other) const {
    return merges_ == other.merges_ && unigram_ == other.unigram_ && specials_ == other.specials_;
  }

 private:
  Tokenizer();
  [[nodiscard]] bool add_merge(Merge merge);  // false if the pair is there already or too long
  void add_token(std::string_view bytes);
  [[nodiscard]] bool add_special(
      const std::string& name);  // false if it is no name, or there already
  void encode_piece(std::string_view piece, std::vector<int>& tokens) const;

  std::vector<Merge> merges_;                      // of BPE
  std::unordered_map<std::uint64_t, int> merged_;  // (left, right) → token
  std::optional<Unigram> unigram_;
  std::vector<std::string> specials_;
  std::string bytes_;                 // the bytes of all tokens, one after the other
  std::vector<std::uint32_t> begin_;  // (V + 1): token t is bytes_[begin_[t] … begin_[t + 1])
};

/// How many bytes of this text a token stands for, on average. NaN for an empty text.
[[nodiscard]] double bytes_per_token(const Tokenizer& tokenizer, std::string_view text);

}  // namespace tpp
