#include "chapters/03_tokens/tokenizer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <queue>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/exercises/bpe_merge/reference.h"  // comes_first, merge_in, …
#include "chapters/03_tokens/pretokenise.h"

namespace tpp {

Tokenizer::Tokenizer() {
  begin_.push_back(0);
  for (int byte = 0; byte < kBytes; ++byte) add_token(std::string(1, static_cast<char>(byte)));
}

Tokenizer::Tokenizer(Unigram model) : Tokenizer() {
  for (const Unigram::Token& token : model.tokens().subspan(kBytes)) add_token(token.bytes);
  unigram_ = std::move(model);
}

void Tokenizer::add_token(std::string_view bytes) {
  bytes_ += bytes;
  begin_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

bool Tokenizer::add_merge(Merge merge) {
  const std::string left(bytes_of(merge.left)), right(bytes_of(merge.right));
  if (left.size() + right.size() > kLongestPiece) return false;
  if (!merged_.emplace(key_of(merge), vocabulary()).second) return false;
  merges_.push_back(merge);
  add_token(left + right);
  return true;
}

bool Tokenizer::add_special(const std::string& name) {
  constexpr std::size_t kLongestName = 20;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (name.size() < 3 || name.size() > kLongestName + 2 || name.front() != '<' ||
      name.back() != '>')
    return false;
  if (!std::all_of(name.begin() + 1, name.end() - 1, allowed)) return false;
  if (std::find(specials_.begin(), specials_.end(), name) != specials_.end()) return false;
  if (vocabulary() >= kLargestVocabulary) return false;
  specials_.push_back(name);
  add_token(name);
  return true;
}

Tokenizer Tokenizer::with_specials(std::vector<std::string> names) const {
  Tokenizer tokenizer = *this;
  for (const std::string& name : names) {
    if (tokenizer.add_special(name)) continue;
    throw InputError(
        "'" + name +
        "' cannot be a special token: a name is <…> with 1 to 20 of a-z, 0-9 and _, no two "
        "are equal, and there are at most 65536 tokens in all.");
  }
  return tokenizer;
}

int Tokenizer::special(std::string_view name) const {
  const auto found = std::find(specials_.begin(), specials_.end(), name);
  if (found == specials_.end()) {
    throw InputError("This tokenizer has no special token " + std::string(name) + ".");
  }
  return text_vocabulary() + static_cast<int>(found - specials_.begin());
}

// ---------------------------------------------------------------------------------------------------
// Training

namespace {

/// A distinct piece of the text, as tokens, and how often it occurs.
struct Word {
  std::vector<int> tokens;
  std::int64_t count = 0;
};

/// A pair's frequency, and the words that hold it or once did.
struct PairUse {
  std::int64_t count = 0;
  std::vector<std::uint32_t> words;
};

/// The queue's top is what comes before all others.
struct ComesLater {
  bool operator()(const Candidate& a, const Candidate& b) const { return comes_first(b, a); }
};

std::vector<Word> words_as_bytes(std::string_view text) {
  std::vector<Word> words;
  for (const CountedWord& counted : count_words(text)) {
    Word word{{}, counted.count};
    for (const char c : counted.bytes) word.tokens.push_back(static_cast<unsigned char>(c));
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

Tokenizer Tokenizer::train_bpe(std::string_view text, int vocabulary,
                               const TokenizerProgress& progress) {
  if (vocabulary < kBytes || vocabulary > kLargestVocabulary) {
    throw InputError("A BPE vocabulary of " + std::to_string(vocabulary) +
                     " is not possible: choose one from 256 (the bytes alone) to 65536.");
  }
  Tokenizer tokenizer;

  // Count every pair once, and note where it occurs
  std::vector<Word> words = words_as_bytes(text);
  std::unordered_map<std::uint64_t, PairUse> uses;
  for (std::uint32_t w = 0; w < words.size(); ++w) {
    for_each_pair(words[w].tokens, [&](std::uint64_t pair) {
      PairUse& use = uses[pair];
      use.count += words[w].count;
      if (use.words.empty() || use.words.back() != w) use.words.push_back(w);
    });
  }
  std::priority_queue<Candidate, std::vector<Candidate>, ComesLater> queue;
  for (const auto& [pair, use] : uses) queue.push({use.count, pair});

  std::vector<std::uint64_t> changed;
  while (tokenizer.vocabulary() < vocabulary && !queue.empty()) {
    // [snip take_best]
    // Take the most frequent pair; an entry whose count has changed since is stale
    const Candidate best = queue.top();
    queue.pop();
    if (best.count < 2) break;
    const auto found = uses.find(best.pair);
    if (found == uses.end() || found->second.count != best.count) continue;
    const std::vector<std::uint32_t> holders = std::move(found->second.words);
    uses.erase(found);
    const int merged = tokenizer.vocabulary();
    if (!tokenizer.add_merge(pair_of(best.pair))) continue;
    // [/snip]

    // In every word that holds it: take the word's pairs out, merge, put the new pairs in
    changed.clear();
    for (const std::uint32_t w : holders) {
      Word& word = words[w];
      const std::size_t before = word.tokens.size();
      const auto remove = [&](std::uint64_t pair) {
        if (pair == best.pair) return;
        uses[pair].count -= word.count;
        changed.push_back(pair);
      };
      const auto add = [&](std::uint64_t pair) {
        PairUse& use = uses[pair];
        use.count += word.count;
        changed.push_back(pair);
        const auto [left, right] = pair_of(pair);
        if (left != merged && right != merged) return;  // an old pair: the word is noted already
        if (use.words.empty() || use.words.back() != w) use.words.push_back(w);
      };
      std::vector<int> after = word.tokens;
      merge_in(after, pair_of(best.pair), merged);
      if (after.size() == before) continue;  // it once held the pair
      for_each_pair(word.tokens, remove);
      for_each_pair(after, add);
      word.tokens = std::move(after);
    }

    // Queue the new counts
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    for (const std::uint64_t pair : changed) {
      const auto use = uses.find(pair);
      if (use->second.count > 0) {
        queue.push({use->second.count, pair});
      } else {
        uses.erase(use);
      }
    }
    if (progress) progress(tokenizer.vocabulary(), vocabulary);
  }
  return tokenizer;
}

Tokenizer Tokenizer::make(std::string_view spec, std::string_view text,
                          const TokenizerProgress& progress) {
  if (spec == "bytes") return bytes();
  for (const auto& [kind, train] :
       {std::pair("bpe:", &train_bpe), std::pair("unigram:", &train_unigram)}) {
    if (!spec.starts_with(kind)) continue;
    int vocabulary = 0;
    const char* const end = spec.data() + spec.size();
    const auto [stop, error] =
        std::from_chars(spec.data() + std::string_view(kind).size(), end, vocabulary);
    if (error == std::errc() && stop == end) return train(text, vocabulary, progress);
  }
  throw InputError(
      "The tokenizer '" + std::string(spec) +
      "' is unknown: use bytes, or bpe:N or unigram:N with N from 256 to 65536, such as bpe:1024.");
}

Tokenizer Tokenizer::train_unigram(std::string_view text, int vocabulary,
                                   const TokenizerProgress& progress) {
  return Tokenizer(Unigram::train(text, vocabulary, progress));
}

// ---------------------------------------------------------------------------------------------------
// Encoding and decoding

// [snip encode]
void Tokenizer::encode_piece(std::string_view piece, std::vector<int>& tokens) const {
  tokens.clear();
  for (const char c : piece) tokens.push_back(static_cast<unsigned char>(c));

  // Merge in the order of learning, not by length: that is how the training text was merged
  while (tokens.size() > 1) {
    const int earliest = earliest_merge(tokens, merged_);
    if (earliest < 0) return;
    merge_in(tokens, merges_[std::size_t(earliest - kBytes)], earliest);
  }
}
// [/snip]

void Tokenizer::encode(std::string_view text,
                       const std::function<void(std::span<const int>)>& piece) const {
  // Words return: remember what each became, and start afresh before that takes much memory
  constexpr std::size_t kRemembered = 1 << 16;
  std::unordered_map<std::string_view, std::vector<int>> known;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = piece_end(text, begin);
    if (known.size() >= kRemembered) known.clear();
    const auto [found, fresh] = known.try_emplace(text.substr(begin, end - begin));
    if (fresh && unigram_) unigram_->best(found->first, found->second);
    if (fresh && !unigram_) encode_piece(found->first, found->second);
    piece(found->second);
    begin = end;
  }
}

std::vector<int> Tokenizer::encode(std::string_view text) const {
  std::vector<int> tokens;
  if (is_bytes()) {
    tokens.reserve(text.size());
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  encode(text, [&](std::span<const int> piece) {
    tokens.insert(tokens.end(), piece.begin(), piece.end());
  });
  return tokens;
}

std::string Tokenizer::decode(std::span<const int> tokens) const {
  std::string text;
  for (const int token : tokens) text += bytes_of(token);
  return text;
}

std::string_view Tokenizer::bytes_of(int token) const {
  if (token < 0 || token >= vocabulary()) {
    throw InputError("Token " + std::to_string(token) + " does not exist: the vocabulary has " +
                     std::to_string(vocabulary()) + " tokens, numbered from 0.");
  }
  const std::uint32_t begin = begin_[std::size_t(token)], end = begin_[std::size_t(token) + 1];
  return std::string_view(bytes_).substr(begin, end - begin);
}

std::string Tokenizer::name() const {
  if (is_bytes()) return "bytes";
  return (unigram_ ? "unigram:" : "bpe:") + std::to_string(text_vocabulary());
}

double bytes_per_token(const Tokenizer& tokenizer, std::string_view text) {
  std::size_t tokens = 0;
  tokenizer.encode(text, [&](std::span<const int> piece) { tokens += piece.size(); });
  return tokens == 0 ? std::numeric_limits<double>::quiet_NaN()
                     : double(text.size()) / double(tokens);
}

// ---------------------------------------------------------------------------------------------------
// As text

namespace {

// The second form is for what the first cannot say: probabilities and special tokens
constexpr std::string_view kHeader = "tpp-tokenizer 1\n", kSecondHeader = "tpp-tokenizer 2\n";
constexpr std::string_view kHex = "0123456789abcdef";

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("This is not a tokenizer that can be used: " + what +
                   ". Use a checkpoint that this program wrote.");
}

/// Read a number that ends with `stop`, and step behind it.
int take_number(std::string_view& text, char stop) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const bool padded = text.size() > 1 && text[0] == '0' && text[1] != stop;
  if (error != std::errc() || at == end || *at != stop || number < 0 || padded) {
    refuse("a number is missing or malformed");
  }
  text.remove_prefix(std::size_t(at - text.data()) + 1);
  return number;
}

/// Take what stands before `stop`, and step behind it.
std::string_view take_until(std::string_view& text, char stop) {
  const std::size_t at = text.find(stop);
  if (at == std::string_view::npos) refuse("a line is cut off");
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes)
    hex += {kHex[static_cast<unsigned char>(c) >> 4], kHex[static_cast<unsigned char>(c) & 15]};
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = kHex.find(hex[i]),
                      low = i + 1 < hex.size() ? kHex.find(hex[i + 1]) : kHex.npos;
    if (high == kHex.npos || low == kHex.npos) refuse("a token's bytes are malformed");
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

/// The shortest text that reads back as the same number.
std::string shortest(double number) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

}  // namespace

std::string Tokenizer::serialise() const {
  std::string text(!unigram_ && specials_.empty() ? kHeader : kSecondHeader);
  if (unigram_ || !specials_.empty()) text += unigram_ ? "unigram\n" : "bpe\n";
  text += std::to_string(text_vocabulary()) + "\n";
  for (const Merge& merge : merges_) {
    text += std::to_string(merge.left) + " " + std::to_string(merge.right) + "\n";
  }
  if (unigram_) {
    for (const Unigram::Token& token : unigram_->tokens()) {
      text += to_hex(token.bytes) + " " + shortest(token.log_p) + "\n";
    }
  }
  for (const std::string& name : specials_) text += name + "\n";
  return text;
}

Tokenizer Tokenizer::deserialise(std::string_view text) {
  const bool second = text.starts_with(kSecondHeader);
  if (!second && !text.starts_with(kHeader)) refuse("its first line is wrong");
  text.remove_prefix(kHeader.size());
  const std::string_view kind = second ? take_until(text, '\n') : "bpe";
  if (kind != "bpe" && kind != "unigram") refuse("it is neither bpe nor unigram");
  const int vocabulary = take_number(text, '\n');
  if (vocabulary < kBytes || vocabulary > kLargestVocabulary) {
    refuse("a vocabulary of " + std::to_string(vocabulary) + " is not between 256 and 65536");
  }

  // A probability is written in one way only
  std::vector<Unigram::Token> tokens;
  for (int i = 0; kind == "unigram" && i < vocabulary; ++i) {
    std::string bytes = from_hex(take_until(text, ' '));
    const std::string_view written = take_until(text, '\n');
    double log_p = 0;
    const auto [stop, error] =
        std::from_chars(written.data(), written.data() + written.size(), log_p);
    if (error != std::errc() || stop != written.data() + written.size() ||
        shortest(log_p) != written) {
      refuse("a probability is malformed");
    }
    tokens.push_back({std::move(bytes), log_p});
  }
  Tokenizer tokenizer = tokens.empty() ? Tokenizer() : Tokenizer(Unigram(std::move(tokens)));

  // A merge may use only tokens that exist before it
  while (tokenizer.vocabulary() < vocabulary) {
    const int left = take_number(text, ' ');
    const int right = take_number(text, '\n');
    const std::string merge = "merge " + std::to_string(tokenizer.vocabulary() - kBytes);
    if (std::max(left, right) >= tokenizer.vocabulary()) refuse(merge + " uses a later token");
    if (!tokenizer.add_merge({left, right})) refuse(merge + " is there twice or too long");
  }
  if (second && kind == "bpe" && text.empty())
    refuse("it has no special tokens: the first form would do");
  while (second && !text.empty()) {
    const std::string name(take_until(text, '\n'));
    if (!tokenizer.add_special(name)) refuse("a special token has no name of its own");
  }
  if (!text.empty()) refuse("it goes on after its last merge");
  return tokenizer;
}

}  // namespace tpp
