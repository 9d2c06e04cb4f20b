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
  for (int byte = 0; byte < kBytes; ++byte) {
    begin_.push_back(std::uint32_t(byte));
    bytes_.push_back(static_cast<char>(byte));
  }
  begin_.push_back(kBytes);
}

bool Tokenizer::add_merge(Merge merge) {
  const std::string left(bytes_of(merge.left)), right(bytes_of(merge.right));
  if (left.size() + right.size() > kLongestPiece) return false;
  if (!merged_.emplace(key_of(merge), vocabulary()).second) return false;
  merges_.push_back(merge);
  bytes_ += left + right;
  begin_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  return true;
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

std::vector<Word> count_words(std::string_view text) {
  std::vector<Word> words;
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = piece_end(text, begin);
    const std::string_view piece = text.substr(begin, end - begin);
    const auto [found, fresh] = index.emplace(piece, words.size());
    if (fresh) {
      words.emplace_back();
      for (const char c : piece) words.back().tokens.push_back(static_cast<unsigned char>(c));
    }
    ++words[found->second].count;
    begin = end;
  }
  return words;
}

}  // namespace

Tokenizer Tokenizer::train_bpe(std::string_view text, int vocabulary, const BpeProgress& progress) {
  if (vocabulary < kBytes || vocabulary > kLargestVocabulary) {
    throw InputError("A BPE vocabulary of " + std::to_string(vocabulary) +
                     " is not possible: choose one from 256 (the bytes alone) to 65536.");
  }
  Tokenizer tokenizer;

  // Count every pair once, and note where it occurs
  std::vector<Word> words = count_words(text);
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
                          const BpeProgress& progress) {
  if (spec == "bytes") return bytes();
  if (spec.starts_with("bpe:")) {
    int vocabulary = 0;
    const char* const end = spec.data() + spec.size();
    const auto [stop, error] = std::from_chars(spec.data() + 4, end, vocabulary);
    if (error == std::errc() && stop == end) return train_bpe(text, vocabulary, progress);
  }
  throw InputError("The tokenizer '" + std::string(spec) +
                   "' is unknown: use bytes, or bpe:N with N from 256 to 65536, such as bpe:1024.");
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
    if (fresh) encode_piece(found->first, found->second);
    piece(found->second);
    begin = end;
  }
}

std::vector<int> Tokenizer::encode(std::string_view text) const {
  std::vector<int> tokens;
  if (merges_.empty()) {
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
  return merges_.empty() ? "bytes" : "bpe:" + std::to_string(vocabulary());
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

constexpr std::string_view kHeader = "tpp-tokenizer 1\n";

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

}  // namespace

std::string Tokenizer::serialise() const {
  std::string text(kHeader);
  text += std::to_string(vocabulary()) + "\n";
  for (const Merge& merge : merges_) {
    text += std::to_string(merge.left) + " " + std::to_string(merge.right) + "\n";
  }
  return text;
}

Tokenizer Tokenizer::deserialise(std::string_view text) {
  if (!text.starts_with(kHeader)) refuse("its first line is wrong");
  text.remove_prefix(kHeader.size());
  const int vocabulary = take_number(text, '\n');
  if (vocabulary < kBytes || vocabulary > kLargestVocabulary) {
    refuse("a vocabulary of " + std::to_string(vocabulary) + " is not between 256 and 65536");
  }

  // A merge may use only tokens that exist before it
  Tokenizer tokenizer;
  while (tokenizer.vocabulary() < vocabulary) {
    const int left = take_number(text, ' ');
    const int right = take_number(text, '\n');
    const std::string merge = "merge " + std::to_string(tokenizer.vocabulary() - kBytes);
    if (std::max(left, right) >= tokenizer.vocabulary()) refuse(merge + " uses a later token");
    if (!tokenizer.add_merge({left, right})) refuse(merge + " is there twice or too long");
  }
  if (!text.empty()) refuse("it goes on after its last merge");
  return tokenizer;
}

}  // namespace tpp
