// Each decision for itself, by hand. Then training and encoding are played through with all of them.
//
// Letters are tokens; what was merged is shown in capitals, in the order of learning: A, B, C, …
#include <algorithm>
#include <map>

#include "chapters/03_tokens/exercises/bpe_merge/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Tokens = std::vector<int>;
using Merge = Tokenizer::Merge;
using Learned = std::unordered_map<std::uint64_t, int>;

constexpr int A = 256, B = 257, C = 258;  // the first merged tokens
constexpr int kRounds = 6;                // of training: the answer does not decide

Tokens tokens_of(std::string_view text) { return {text.begin(), text.end()}; }

std::string shown(int token) {
  if (token >= A && token < A + 26) return std::string(1, char('A' + token - A));
  if (token > 32 && token < 127) return std::string(1, char(token));
  return std::to_string(token);
}

std::string shown(std::span<const int> tokens) {
  std::string text;
  for (const int token : tokens) text += (text.empty() ? "" : " ") + shown(token);
  return text;
}

std::uint64_t key(int left, int right) { return std::uint64_t(left) << 32 | std::uint64_t(right); }

std::string shown_pair(std::uint64_t pair) {
  return shown(int(pair >> 32)) + shown(int(pair & 0xFFFFFFFF));
}

std::string merged(const Answer& answer, std::string_view text, Merge pair) {
  Tokens tokens = tokens_of(text);
  answer.merge(tokens, pair, A);
  return shown(tokens);
}

// In alphabetical order: the order of the visits is free
std::string pairs(const Answer& answer, std::string_view text) {
  std::vector<std::uint64_t> found = answer.pairs(input("tokens", tokens_of(text)));
  std::sort(found.begin(), found.end());
  std::string list;
  for (const std::uint64_t pair : found) list += (list.empty() ? "" : " ") + shown_pair(pair);
  return list;
}

const char* first(const Answer& answer, int a_count, std::uint64_t a, int b_count,
                  std::uint64_t b) {
  return answer.first(a_count, a, b_count, b) ? "yes" : "no";
}

std::string earliest(const Answer& answer, std::string_view text, const Learned& learned) {
  const int token = answer.earliest(input("tokens", tokens_of(text)), learned);
  return token == -1 ? "-1" : shown(token);
}

struct Word {
  Tokens tokens;
  int count;
};

struct Trained {
  std::vector<Merge> merges;
  std::vector<Word> words;
};

// The loop of training, in its plainest form
Trained train(const Answer& answer, const std::map<std::string, int>& text) {
  Trained result;
  for (const auto& [word, count] : text) result.words.push_back({tokens_of(word), count});
  for (int round = 0; round < kRounds; ++round) {
    std::map<std::uint64_t, int> counts;
    for (const Word& word : result.words) {
      for (const std::uint64_t pair : answer.pairs(word.tokens)) counts[pair] += word.count;
    }
    if (counts.empty()) break;
    // From the last one: where an order has holes, the wrong one wins
    auto best = std::prev(counts.end());
    for (auto i = best; i != counts.begin();) {
      --i;
      if (answer.first(i->second, i->first, best->second, best->first)) best = i;
    }
    const Merge pair{int(best->first >> 32), int(best->first & 0xFFFFFFFF)};
    for (Word& word : result.words) answer.merge(word.tokens, pair, A + round);
    result.merges.push_back(pair);
  }
  return result;
}

std::string shown(const Trained& trained) {
  std::string text;
  for (const Merge& m : trained.merges) {
    text += (text.empty() ? "" : ", ") + shown(m.left) + shown(m.right);
  }
  return text;
}

std::string encoded(const Answer& answer, std::string_view word, const std::vector<Merge>& merges) {
  Learned learned;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    learned.emplace(key(merges[i].left, merges[i].right), A + int(i));
  }
  Tokens tokens = tokens_of(word);
  for (std::size_t round = 0; round < word.size(); ++round) {
    const int next = answer.earliest(tokens, learned);
    if (next < A || next >= A + int(merges.size())) break;
    answer.merge(tokens, merges[std::size_t(next - A)], next);
  }
  return shown(tokens);
}

const std::map<std::string, int>& text() {
  static const std::map<std::string, int> words = {
      {"banana", 5}, {"bandana", 3}, {"aaab", 4}, {"cabana", 2}, {"baab", 3}};
  return words;
}

}  // namespace

STEP("merge a pair") {
  expect_equal(merged(answer, "abcab", {'a', 'b'}), "A c A",
               "\"abcab\", the pair (a, b) becomes A");
  expect_equal(merged(answer, "cabc", {'a', 'b'}), "c A c", "\"cabc\", the pair (a, b) becomes A");
}

STEP("merge: what is no pair stays") {
  expect_equal(merged(answer, "bacb", {'a', 'b'}), "b a c b",
               "\"bacb\", the pair (a, b) becomes A");
}

STEP("merge: one token, or none") {
  expect_equal(merged(answer, "a", {'a', 'b'}), "a", "\"a\", the pair (a, b) becomes A");
  expect_equal(merged(answer, "", {'a', 'b'}), "", "no tokens, the pair (a, b) becomes A");
}

STEP("merge: from the left") {
  expect_equal(merged(answer, "aaa", {'a', 'a'}), "A a", "\"aaa\", the pair (a, a) becomes A");
  expect_equal(merged(answer, "aaaaab", {'a', 'a'}), "A A a b",
               "\"aaaaab\", the pair (a, a) becomes A");
}

STEP("pairs") {
  expect_equal(pairs(answer, "abc"), "ab bc", "the pairs of \"abc\"");
  expect_equal(pairs(answer, "abab"), "ab ab ba", "the pairs of \"abab\"");
}

STEP("pairs: one token, or none") {
  expect_equal(pairs(answer, "a"), "", "the pairs of \"a\"");
  expect_equal(pairs(answer, ""), "", "the pairs of no tokens");
}

STEP("pairs that overlap") {
  expect_equal(pairs(answer, "aaa"), "aa", "the pairs of \"aaa\"");
  expect_equal(pairs(answer, "aaaa"), "aa aa", "the pairs of \"aaaa\"");
  expect_equal(pairs(answer, "baab"), "aa ab ba", "the pairs of \"baab\"");
  expect_equal(pairs(answer, "aaab"), "aa ab", "the pairs of \"aaab\"");
}

STEP("the most frequent comes first") {
  expect_equal(first(answer, 5, key('x', 'y'), 3, key('a', 'b')), "yes",
               "does (x, y), 5 times, come before (a, b), 3 times?");
  expect_equal(first(answer, 3, key('a', 'b'), 5, key('x', 'y')), "no",
               "does (a, b), 3 times, come before (x, y), 5 times?");
}

STEP("ties") {
  expect_equal(first(answer, 3, key('a', 'z'), 3, key('b', 'c')), "yes",
               "does (a, z) come before (b, c), both 3 times?");
  expect_equal(first(answer, 3, key('b', 'c'), 3, key('a', 'z')), "no",
               "does (b, c) come before (a, z), both 3 times?");
  expect_equal(first(answer, 3, key('a', 'b'), 3, key('a', 'c')), "yes",
               "does (a, b) come before (a, c), both 3 times?");
  expect_equal(first(answer, 3, key('a', 'c'), 3, key('a', 'b')), "no",
               "does (a, c) come before (a, b), both 3 times?");
  expect_equal(first(answer, 3, key('a', 'b'), 3, key('a', 'b')), "no",
               "does (a, b), 3 times, come before itself?");
}

STEP("training") {
  expect_equal(shown(train(answer, {{"abc", 2}, {"xbc", 2}, {"bca", 1}})),
               shown(train(reference, {{"abc", 2}, {"xbc", 2}, {"bca", 1}})),
               "the merges of \"abc\" twice, \"xbc\" twice, \"bca\" once");
  expect_equal(shown(train(answer, text())), shown(train(reference, text())),
               "the first six merges of banana ×5, bandana ×3, aaab ×4, cabana ×2, baab ×3");
}

STEP("encode: the earliest merge") {
  const Learned learned = {{key('b', 'c'), A}, {key('a', 'b'), B}, {key('c', 'd'), C}};
  expect_equal(earliest(answer, "ab", learned), "B", "\"ab\", learned: bc = A, ab = B, cd = C");
  expect_equal(earliest(answer, "abc", learned), "A", "\"abc\", learned: bc = A, ab = B, cd = C");
  expect_equal(earliest(answer, "bcd", learned), "A", "\"bcd\", learned: bc = A, ab = B, cd = C");
  expect_equal(earliest(answer, "cdab", learned), "B", "\"cdab\", learned: bc = A, ab = B, cd = C");
}

STEP("encode: nothing to merge") {
  const Learned learned = {{key('b', 'c'), A}, {key('a', 'b'), B}, {key('c', 'd'), C}};
  expect_equal(earliest(answer, "ba", learned), "-1", "\"ba\", learned: bc = A, ab = B, cd = C");
  expect_equal(earliest(answer, "", learned), "-1", "no tokens, learned: bc = A, ab = B, cd = C");
}

STEP("encode words") {
  const std::vector<Merge> merges = {{'b', 'c'}, {'a', 'b'}, {'c', 'd'}, {B, 'c'}, {A, 'd'}};
  expect_equal(encoded(answer, "abcd", merges), "a E",
               "\"abcd\", learned: bc = A, ab = B, cd = C, Bc = D, Ad = E");
  expect_equal(encoded(answer, "ababcd", merges), "B a E",
               "\"ababcd\", learned: bc = A, ab = B, cd = C, Bc = D, Ad = E");
}

STEP("encoding gives back what training made") {
  const Trained trained = train(reference, text());
  for (const auto& word : trained.words) {
    std::string letters;  // undo the merges
    std::function<void(int)> spell = [&](int token) {
      if (token < A) {
        letters += char(token);
      } else {
        const Merge m = trained.merges[std::size_t(token - A)];
        spell(m.left), spell(m.right);
      }
    };
    for (const int token : word.tokens) spell(token);
    expect_equal(encoded(answer, letters, trained.merges), shown(word.tokens),
                 "\"" + letters + "\" with the merges " + shown(trained));
  }
}
