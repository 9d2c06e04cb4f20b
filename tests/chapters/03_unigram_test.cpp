// The unigram model against everything that can be counted: all cuts of a word, all substrings of a text. And special
// tokens, which no text becomes.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "assets/fables.h"
#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/baselines.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/03_tokens/tokenizer.h"
#include "chapters/03_tokens/unigram.h"
#include "tests/testing.h"

using namespace tpp;
using tpp::testing::Approx;

namespace {

std::string random_text(Philox& rng, std::size_t length, std::string_view alphabet) {
  std::string text;
  while (text.size() < length) text += alphabet[rng.below(alphabet.size())];
  return text;
}

/// The bytes, and pieces of an alphabet, all with random probabilities.
Unigram random_model(Philox& rng, std::string_view alphabet, int pieces) {
  std::vector<Unigram::Token> tokens;
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back({std::string(1, static_cast<char>(byte)), -1 - 4 * rng.uniform()});
  }
  std::set<std::string> there;
  while (int(there.size()) < pieces) {
    const std::string piece = random_text(rng, 2 + rng.below(3), alphabet);
    if (there.insert(piece).second) tokens.push_back({piece, -1 - 6 * rng.uniform()});
  }
  return Unigram(std::move(tokens));
}

struct Cut {
  std::vector<int> tokens;
  double log_p = 0;
};

/// Every way to cut a word, by trying every token at every place.
std::vector<Cut> all_cuts(const Unigram& model, std::string_view word) {
  if (word.empty()) return {Cut{}};
  std::vector<Cut> cuts;
  for (int t = 0; t < model.vocabulary(); ++t) {
    const Unigram::Token& token = model.tokens()[std::size_t(t)];
    if (!word.starts_with(token.bytes)) continue;
    for (Cut& rest : all_cuts(model, word.substr(token.bytes.size()))) {
      rest.tokens.insert(rest.tokens.begin(), t);
      rest.log_p += token.log_p;
      cuts.push_back(std::move(rest));
    }
  }
  return cuts;
}

std::vector<std::string> some_words(Philox& rng) {
  std::vector<std::string> words{"a", "ab", "aaaa"};
  for (int i = 0; i < 12; ++i) words.push_back(random_text(rng, 3 + rng.below(6), "abc"));
  return words;
}

}  // namespace

TEST_CASE("unigram: the best cut is the best of all cuts", "[tokens][unigram]") {
  Philox rng(1);
  const Unigram model = random_model(rng, "abc", 20);
  std::vector<int> tokens;
  for (const std::string& word : some_words(rng)) {
    const std::vector<Cut> cuts = all_cuts(model, word);
    const auto best = std::max_element(
        cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) { return a.log_p < b.log_p; });
    model.best(word, tokens);
    CHECK(tokens == best->tokens);

    // Without one of its tokens: the best of the cuts that do not have it
    const auto longest = std::max_element(tokens.begin(), tokens.end());
    if (*longest < 256) continue;
    const int without = *longest;
    double score = -INFINITY;
    for (const Cut& cut : cuts) {
      const bool has = std::find(cut.tokens.begin(), cut.tokens.end(), without) != cut.tokens.end();
      if (!has) score = std::max(score, cut.log_p);
    }
    model.best(word, tokens, without);
    double got = 0;
    for (const int token : tokens) got += model.tokens()[std::size_t(token)].log_p;
    CHECK(got == Approx(score).epsilon(1e-12));
    CHECK(std::find(tokens.begin(), tokens.end(), without) == tokens.end());
  }
}

TEST_CASE("unigram: the sum over cuts, and what is expected of each token", "[tokens][unigram]") {
  Philox rng(2);
  const Unigram model = random_model(rng, "abc", 20);
  for (const std::string& word : some_words(rng)) {
    double sum = 0;
    std::vector<double> want(model.tokens().size(), 0.0), got(want);
    const std::vector<Cut> cuts = all_cuts(model, word);
    for (const Cut& cut : cuts) sum += std::exp(cut.log_p);
    for (const Cut& cut : cuts) {
      for (const int token : cut.tokens) want[std::size_t(token)] += 3 * std::exp(cut.log_p) / sum;
    }
    CHECK(model.log_likelihood(word) == Approx(std::log(sum)).epsilon(1e-12));
    CHECK(model.expect(word, 3, got) == Approx(std::log(sum)).epsilon(1e-12));
    double bytes = 0;  // what is expected covers the word
    for (std::size_t t = 0; t < want.size(); ++t) {
      CHECK(std::abs(got[t] - want[t]) <= 1e-12);
      bytes += got[t] * double(model.tokens()[t].bytes.size());
    }
    CHECK(bytes == Approx(3.0 * double(word.size())).epsilon(1e-12));
  }

  // A word whose probability is far below what a double can hold
  CHECK(std::isfinite(model.log_likelihood(std::string(100'000, 'q'))));
}

TEST_CASE("unigram: cuts are drawn as often as they are probable", "[tokens][unigram]") {
  Philox rng(3);
  const Unigram model = random_model(rng, "ab", 10);
  const std::string word = "abbaababab";
  const std::vector<Cut> cuts = all_cuts(model, word);
  REQUIRE(cuts.size() > 10);
  for (const double alpha : {0.0, 0.3, 1.0}) {
    std::map<std::vector<int>, double> share;
    double sum = 0;
    for (const Cut& cut : cuts) sum += std::exp(alpha * cut.log_p);
    std::vector<int> tokens;
    const int draws = 20'000;
    for (int i = 0; i < draws; ++i) {
      model.sample(word, alpha, rng, tokens);
      share[tokens] += 1.0 / draws;
    }
    for (const Cut& cut : cuts) {
      const double p = std::exp(alpha * cut.log_p) / sum;
      const double got = share.contains(cut.tokens) ? share[cut.tokens] : 0.0;
      CHECK(std::abs(got - p) <= 5 * std::sqrt(p * (1 - p) / draws) + 1e-9);  // five deviations
    }
  }
  CHECK_THROWS_AS(
      [&] {
        std::vector<int> tokens;
        model.sample(word, -1, rng, tokens);
      }(),
      ShapeError);
}

TEST_CASE("unigram: seeds are the substrings that a careful count finds", "[tokens][unigram]") {
  Philox rng(4);
  const std::string text = random_text(rng, 400, "ab \n") + " Zo\xC3\xABn Zo\xC3\xABn";
  const std::vector<CountedWord> words = count_words(text);
  std::size_t bytes = 0;
  for (const CountedWord& word : words) bytes += word.bytes.size() * std::size_t(word.count);
  CHECK(bytes == text.size());

  std::map<std::string, double> counts;
  for (const CountedWord& word : words) {
    for (std::size_t i = 0; i < word.bytes.size(); ++i) {
      for (std::size_t n = 2; n <= Unigram::kLongest && i + n <= word.bytes.size(); ++n) {
        counts[std::string(word.bytes.substr(i, n))] += double(word.count);
      }
    }
  }
  std::set<std::string> want, got;
  for (const auto& [piece, count] : counts) {
    const bool half = piece.front() == '\xAB' || piece.back() == '\xC3';  // of a letter
    if (count >= 2 && !half) want.insert(piece);
  }
  const std::vector<Unigram::Token> seeds = unigram_seeds(words, 1'000'000);
  double p = 0;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (i >= 256) got.insert(seeds[i].bytes);
    p += std::exp(seeds[i].log_p);
  }
  CHECK(got == want);
  CHECK(got.contains("o\xC3\xAB"));
  CHECK(p == Approx(1.0).epsilon(1e-6));

  // The first of them cover most
  const std::vector<Unigram::Token> few = unigram_seeds(words, 5);
  REQUIRE(few.size() == 261);
  double least = INFINITY;
  std::set<std::string> chosen;
  for (std::size_t i = 256; i < few.size(); ++i) {
    chosen.insert(few[i].bytes);
    least = std::min(least, counts[few[i].bytes] * double(few[i].bytes.size()));
  }
  for (const std::string& piece : want) {
    if (!chosen.contains(piece)) CHECK(counts[piece] * double(piece.size()) <= least);
  }
}

TEST_CASE("unigram: a round of EM never makes the text less likely", "[tokens][unigram]") {
  Philox rng(5);
  for (const std::string& text : {random_text(rng, 3000, "abcd \n"), fables(3, 20'000)}) {
    const std::vector<CountedWord> words = count_words(text);
    Unigram model(unigram_seeds(words, 2000));
    std::vector<double> expected;
    double before = -INFINITY, first = 0;
    for (int round = 0; round < 25; ++round) {
      const double now = unigram_em(model, words, expected);
      CHECK(now >= before - 1e-9 * std::abs(now));
      if (round == 0) first = now;
      before = now;

      double p = 0;
      for (const Unigram::Token& token : model.tokens()) {
        p += std::exp(token.log_p);
        CHECK(std::exp(token.log_p) >= 0.99 * kLeastProbability);
      }
      CHECK(p == Approx(1.0).epsilon(1e-9));
    }
    CHECK(before > first + 1);  // and it does learn
  }
}

TEST_CASE("unigram: a vocabulary has the size that was asked for", "[tokens][unigram]") {
  const std::string text = fables(1, 60'000);
  for (const int vocabulary : {256, 257, 300, 512, 1024}) {
    int last = 0, rounds = 0;
    const Tokenizer tokenizer =
        Tokenizer::train_unigram(text, vocabulary, [&](int done, int wanted) {
          CHECK(done > last);
          CHECK(done <= wanted);
          last = done, rounds = wanted;
        });
    CHECK(tokenizer.vocabulary() == vocabulary);
    CHECK(tokenizer.name() == "unigram:" + std::to_string(vocabulary));
    CHECK(last == rounds);
    CHECK(tokenizer == Tokenizer::make(tokenizer.name(), text));  // learned twice, the same
  }
  CHECK(Tokenizer::train_unigram("ab cd ef", 300).vocabulary() == 256);  // nothing occurs twice
  CHECK(Tokenizer::train_unigram("", 300).vocabulary() == 256);
  for (const int vocabulary : {-1, 0, 255, 65537}) {
    CHECK_THROWS_AS(Tokenizer::train_unigram(text, vocabulary), InputError);
  }
  for (const char* name :
       {"unigram", "unigram:", "unigram:x", "unigram:1024k", "unigram:255", "Unigram:300"}) {
    CHECK_THROWS_AS(Tokenizer::make(name, "text"), InputError);
  }
  const auto stop = [](int, int) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH(Tokenizer::train_unigram(text, 300, stop), "enough");
}

TEST_CASE("unigram: every byte comes back", "[tokens][unigram]") {
  Philox rng(6);
  const std::string learned = fables(1, 30'000);
  const Tokenizer tokenizer = Tokenizer::train_unigram(learned, 400);
  std::string any;
  while (any.size() < 20'000) any += static_cast<char>(rng.next() & 0xFF);
  for (const std::string& text :
       {learned, any, std::string(5000, '\0'), std::string("Zo\xC3\xAB"), std::string()}) {
    const std::vector<int> tokens = tokenizer.encode(text);
    CHECK(tokenizer.decode(tokens) == text);
    CHECK(std::all_of(tokens.begin(), tokens.end(), [](int t) { return t >= 0 && t < 400; }));
  }
  CHECK(tokenizer.encode(learned).size() * 3 < learned.size() * 2);
  for (int token = 256; token < 400; ++token) {
    CHECK(tokenizer.bytes_of(token) == tokenizer.unigram()->tokens()[std::size_t(token)].bytes);
    if (token > 256) {  // numbered by their probability
      CHECK(tokenizer.unigram()->tokens()[std::size_t(token)].log_p <=
            tokenizer.unigram()->tokens()[std::size_t(token) - 1].log_p);
    }
  }
}

TEST_CASE("unigram: on the fables its tokens are worth a merge or two", "[tokens][unigram]") {
  const std::string text = fables(1, 200'000);
  const Dataset bpe(text, Tokenizer::train_bpe(training_part(text), 512));
  const Dataset unigram(text, Tokenizer::train_unigram(training_part(text), 512));
  const double of_bpe = unigram_entropy(bpe) / bpe.bytes_per_token();
  const double of_unigram = unigram_entropy(unigram) / unigram.bytes_per_token();
  INFO("nats a byte by frequency: BPE " << of_bpe << ", unigram " << of_unigram);
  INFO("bytes a token: BPE " << bpe.bytes_per_token() << ", unigram " << unigram.bytes_per_token());
  CHECK(of_unigram < of_bpe);  // it is what training makes small
}

TEST_CASE("unigram: a tokenizer survives being written and read", "[tokens][unigram]") {
  const std::string text = fables(1, 20'000);
  for (const Tokenizer& tokenizer :
       {Tokenizer::train_unigram(text, 300),
        Tokenizer::train_unigram(text, 300).with_specials({"<mask>", "<span_0>"}),
        Tokenizer::train_bpe(text, 300).with_specials({"<mask>"}),
        Tokenizer::bytes().with_specials({"<prefix>"})}) {
    const Tokenizer read = Tokenizer::deserialise(tokenizer.serialise());
    CHECK(read == tokenizer);
    CHECK(read.vocabulary() == tokenizer.vocabulary());
    CHECK(read.encode(text) == tokenizer.encode(text));
    CHECK(read.serialise() == tokenizer.serialise());
    CHECK(read.name() == tokenizer.name());
  }
  // What an older program could read stays as it was
  CHECK(Tokenizer::bytes().serialise() == "tpp-tokenizer 1\n256\n");
}

TEST_CASE("unigram: a tokenizer from a stranger is checked", "[tokens][unigram]") {
  Philox rng(7);
  const Tokenizer tokenizer =
      Tokenizer::train_unigram(random_text(rng, 2000, "abc \n"), 262).with_specials({"<mask>"});
  const std::string good = tokenizer.serialise();
  REQUIRE(Tokenizer::deserialise(good) == tokenizer);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const std::string line = good.substr(
      good.find("\n61 ") + 1, good.find('\n', good.find("\n61 ") + 1) - good.find("\n61 "));
  const std::vector<std::string> bad{with("unigram", "trigram"),
                                     with("\n262\n", "\n263\n"),
                                     with("\n262\n", "\n261\n"),
                                     with("\n262\n", "\n255\n"),
                                     with(line, "61 1\n"),
                                     with(line, "61 nan\n"),
                                     with(line, "61 -inf\n"),
                                     with(line, "61 -101\n"),
                                     with(line, "61 -1.50\n"),
                                     with(line, "61  -1\n"),
                                     with(line, "6 -1\n"),
                                     with(line, "6G -1\n"),
                                     with(line, "62 -1\n"),
                                     with(line, ""),
                                     with("<mask>", "mask"),
                                     with("<mask>", "<>"),
                                     with("<mask>", "<Mask>"),
                                     with("<mask>", "<m k>"),
                                     good + "<mask>\n",
                                     good + "\n",
                                     good + "<more>",
                                     "tpp-tokenizer 2\nbpe\n256\n",
                                     "tpp-tokenizer 2\nbpe\n257\n97 98\n",
                                     with("<mask>", "<" + std::string(21, 'a') + ">")};
  for (const std::string& text : bad) {
    INFO(text.substr(0, 40) << " … "
                            << text.substr(text.size() - std::min<std::size_t>(40, text.size())));
    CHECK_THROWS_AS(Tokenizer::deserialise(text), InputError);
  }
  const std::size_t whole =
      good.size() - std::string("<mask>\n").size();  // there it is complete already
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    if (cut != whole)
      CHECK_THROWS_AS(Tokenizer::deserialise(std::string_view(good).substr(0, cut)), InputError);
  }
  for (int i = 0; i < 2000; ++i) {
    std::string text = good;
    text[rng.below(text.size())] = static_cast<char>(rng.next() & 0xFF);
    try {
      const Tokenizer read = Tokenizer::deserialise(text);
      CHECK(read.serialise() == text);
      CHECK(read.decode(read.encode("abcabc \xFF")) == "abcabc \xFF");
    } catch (const InputError&) {
    }
  }
}

TEST_CASE("tokens: no text becomes a special token", "[tokens]") {
  const std::string learned = fables(1, 20'000) + "<mask> <mask> <mask> <mask>";
  for (const Tokenizer& plain : {Tokenizer::bytes(), Tokenizer::train_bpe(learned, 300),
                                 Tokenizer::train_unigram(learned, 300)}) {
    const Tokenizer tokenizer = plain.with_specials({"<mask>", "<end>"});
    CHECK(tokenizer.vocabulary() == plain.vocabulary() + 2);
    CHECK(tokenizer.text_vocabulary() == plain.vocabulary());
    CHECK(tokenizer.special("<mask>") == plain.vocabulary());
    CHECK(tokenizer.special("<end>") == plain.vocabulary() + 1);
    CHECK(tokenizer.name() == plain.name());
    CHECK(tokenizer.bytes_of(tokenizer.special("<mask>")) == "<mask>");

    // The letters of its name are letters
    const std::string text = "a <mask> and an <end>";
    const std::vector<int> tokens = tokenizer.encode(text);
    CHECK(tokens == plain.encode(text));
    CHECK(*std::max_element(tokens.begin(), tokens.end()) < tokenizer.text_vocabulary());
    CHECK(tokenizer.decode(tokens) == text);
    CHECK(tokenizer.decode(std::vector<int>{'a', tokenizer.special("<end>")}) == "a<end>");

    CHECK_THROWS_AS(tokenizer.special("<other>"), InputError);
    CHECK_THROWS_AS(tokenizer.with_specials({"<mask>"}), InputError);
    CHECK_THROWS_AS(plain.with_specials({"<a>", "<a>"}), InputError);
    for (const char* name : {"", "mask", "<>", "<A>", "<a b>", "<a", "a>", "<\n>"}) {
      CHECK_THROWS_AS(plain.with_specials({name}), InputError);
    }
  }
  CHECK_FALSE(Tokenizer::bytes() == Tokenizer::bytes().with_specials({"<mask>"}));
}
