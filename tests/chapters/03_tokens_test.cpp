// Tokens: every byte comes back, merges are the ones a careful count finds, windows stay where they
// belong.
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "chapters/01_tensor/errors.h"
#include "chapters/01_tensor/random.h"
#include "chapters/03_tokens/baselines.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/03_tokens/pretokenise.h"
#include "chapters/03_tokens/tokenizer.h"
#include "tests/allocation_count.h"
#include "tests/testing.h"

using namespace tpp;
using tpp::testing::Approx;
namespace fs = std::filesystem;
using Merge = Tokenizer::Merge;

namespace {

/// A folder of its own for each test, removed at the end.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tpp-tokens-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    fs::permissions(path, fs::perms::others_all, fs::perm_options::add);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
};

/// Text of `length` characters of an alphabet: small alphabets give many repeated pairs.
std::string random_text(Philox& rng, std::size_t length, std::string_view alphabet) {
  std::string text;
  while (text.size() < length) text += alphabet[rng.below(alphabet.size())];
  return text;
}

std::string random_bytes(Philox& rng, std::size_t length) {
  std::string text;
  while (text.size() < length) text += static_cast<char>(rng.next() & 0xFF);
  return text;
}

/// The trainer as one would write it first: count everything again before each merge.
std::vector<Merge> naive_bpe(std::string_view text, int vocabulary) {
  std::vector<std::vector<int>> words;
  for (const std::string_view piece : pretokenise(text)) {
    words.emplace_back();
    for (const char c : piece) words.back().push_back(static_cast<unsigned char>(c));
  }
  const auto replace = [](const std::vector<int>& word, std::pair<int, int> pair, int merged) {
    std::vector<int> out;
    for (std::size_t i = 0; i < word.size();) {
      const bool here = i + 1 < word.size() && word[i] == pair.first && word[i + 1] == pair.second;
      out.push_back(here ? merged : word[i]);
      i += here ? 2 : 1;
    }
    return out;
  };
  std::vector<Merge> merges;
  while (256 + int(merges.size()) < vocabulary) {
    std::set<std::pair<int, int>> pairs;
    for (const auto& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) pairs.insert({word[i], word[i + 1]});
    }
    // A pair's count is how many tokens its merge would save
    std::size_t best_count = 1;
    std::pair<int, int> best;
    for (const auto& pair : pairs) {  // in the order of ties
      std::size_t count = 0;
      for (const auto& word : words) count += word.size() - replace(word, pair, 0).size();
      if (count > best_count) best_count = count, best = pair;
    }
    if (best_count < 2) break;
    for (auto& word : words) word = replace(word, best, 256 + int(merges.size()));
    merges.push_back({best.first, best.second});
  }
  return merges;
}

std::vector<Merge> merges_of(const Tokenizer& tokenizer) {
  return {tokenizer.merges().begin(), tokenizer.merges().end()};
}

}  // namespace

namespace Catch {
template <>
struct StringMaker<Merge> {
  static std::string convert(const Merge& m) {
    return "(" + std::to_string(m.left) + ", " + std::to_string(m.right) + ")";
  }
};
}  // namespace Catch

// ---------------------------------------------------------------------------------------------------
// Pre-tokenisation

TEST_CASE("tokens: words take their leading space, runs of one kind stay together", "[tokens]") {
  using Pieces = std::vector<std::string_view>;
  CHECK(pretokenise("Hello world").size() == 2);
  CHECK(pretokenise("Hello world, 42 x9!") ==
        Pieces{"Hello", " world", ",", " 42", " x", "9", "!"});
  CHECK(pretokenise("a  b") == Pieces{"a", " ", " b"});
  CHECK(pretokenise("a\n\n  b\t") == Pieces{"a", "\n\n ", " b", "\t"});
  CHECK(pretokenise("a\nb") == Pieces{"a", "\n", "b"});
  CHECK(pretokenise("end  ") == Pieces{"end", "  "});
  CHECK(pretokenise("na\xC3\xAFve caf\xC3\xA9") == Pieces{"na\xC3\xAFve", " caf\xC3\xA9"});
  CHECK(pretokenise(" ") == Pieces{" "});
  CHECK(pretokenise("").empty());
  CHECK_THROWS_AS(piece_end("abc", 3), std::out_of_range);
}

TEST_CASE("tokens: pieces join to the text, none is empty or too long", "[tokens]") {
  Philox rng(3);
  std::vector<std::string> texts{std::string(5000, 'a'), std::string(5000, ' '),
                                 std::string(5000, '\0')};
  for (int i = 0; i < 20; ++i) {
    texts.push_back(random_bytes(rng, rng.below(3000)));
    texts.push_back(random_text(rng, 2000, "ab 1.\n"));
  }
  for (const std::string& text : texts) {
    std::string joined;
    for (const std::string_view piece : pretokenise(text)) {
      CHECK(!piece.empty());
      CHECK(piece.size() <= kLongestPiece);
      joined += piece;
    }
    CHECK(joined == text);
  }
}

// ---------------------------------------------------------------------------------------------------
// Byte-pair encoding

TEST_CASE("tokens: BPE of aaabdaaabac, by hand", "[tokens]") {
  // aaabdaaabac   (a,a) 2: each "aaa" holds it once. (a,b) 2. Tie: left a = a, right a < b: (a,a) =
  // Z ZabdZabac     (Z,a) 2, (a,b) 2. Tie: left a = 97 < Z = 256: (a,b) = Y ZYdZYac       (Z,Y) 2:
  // (Z,Y) = X XdXac         no pair twice: stop
  const Tokenizer tokenizer = Tokenizer::train_bpe("aaabdaaabac", 300);
  CHECK(merges_of(tokenizer) == std::vector<Merge>{{'a', 'a'}, {'a', 'b'}, {256, 257}});
  CHECK(tokenizer.vocabulary() == 259);
  CHECK(tokenizer.encode("aaabdaaabac") == std::vector<int>{258, 'd', 258, 'a', 'c'});
  CHECK(tokenizer.bytes_of(258) == "aaab");
  CHECK(tokenizer.name() == "bpe:259");
}

TEST_CASE("tokens: overlapping pairs count once", "[tokens]") {
  // (b,c) 3 times. "aaaa" holds three neighbours (a,a) but only two that can be merged.
  const Tokenizer tokenizer = Tokenizer::train_bpe("aaaa\nbc\nbc\nbc", 257);
  CHECK(merges_of(tokenizer) == std::vector<Merge>{{'b', 'c'}});

  // After the merge (a,a), "aaa" is (aa, a): its count must not go below zero or linger
  CHECK(merges_of(Tokenizer::train_bpe("aaa\naaa\nxaaaaax\n", 400)) ==
        naive_bpe("aaa\naaa\nxaaaaax\n", 400));
}

TEST_CASE("tokens: ties go to the smaller left token, then the smaller right one", "[tokens]") {
  CHECK(merges_of(Tokenizer::train_bpe("zy\nzy\nba\nba", 257)) == std::vector<Merge>{{'b', 'a'}});
  CHECK(merges_of(Tokenizer::train_bpe("mz\nmz\nma\nma", 257)) == std::vector<Merge>{{'m', 'a'}});
}

TEST_CASE("tokens: incremental counts give the naive trainer's merges", "[tokens]") {
  Philox rng(11);
  for (int i = 0; i < 12; ++i) {
    const std::string_view alphabet = i % 3 == 0 ? "ab" : i % 3 == 1 ? "abc \n" : "abcdefgh .1";
    const std::string text = random_text(rng, 400 + 50 * std::size_t(i), alphabet);
    INFO(text);
    CHECK(merges_of(Tokenizer::train_bpe(text, 320)) == naive_bpe(text, 320));
  }
}

TEST_CASE("tokens: encoding merges in the order of learning", "[tokens]") {
  // (b,c) was learned before (a,b): "abc" is a·bc. From the left it would be ab·c.
  const Tokenizer tokenizer = Tokenizer::deserialise("tpp-tokenizer 1\n258\n98 99\n97 98\n");
  CHECK(tokenizer.encode("abc") == std::vector<int>{'a', 256});
  CHECK(tokenizer.encode("abab") == std::vector<int>{257, 257});
  CHECK(tokenizer.encode("ab bc") == std::vector<int>{257, ' ', 256});
}

TEST_CASE("tokens: encoding the training text replays the training", "[tokens]") {
  // Training leaves every piece merged; encode must arrive at the same tokens, so that as many
  // pairs are left as the naive trainer leaves: none of the learned ones.
  Philox rng(12);
  const std::string text = random_text(rng, 3000, "abcde \n");
  const Tokenizer tokenizer = Tokenizer::train_bpe(text, 300);
  std::vector<int> expected;
  for (const std::string_view piece : pretokenise(text)) {
    std::vector<int> word;
    for (const char c : piece) word.push_back(static_cast<unsigned char>(c));
    for (std::size_t m = 0; m < tokenizer.merges().size(); ++m) {  // every merge, in order
      std::vector<int> next;
      for (std::size_t i = 0; i < word.size();) {
        const Merge merge = tokenizer.merges()[m];
        const bool here = i + 1 < word.size() && Merge{word[i], word[i + 1]} == merge;
        next.push_back(here ? 256 + int(m) : word[i]);
        i += here ? 2 : 1;
      }
      word = next;
    }
    expected.insert(expected.end(), word.begin(), word.end());
  }
  CHECK(tokenizer.encode(text) == expected);
}

TEST_CASE("tokens: any bytes come back", "[tokens]") {
  Philox rng(5);
  const std::string learned =
      random_text(rng, 4000, "the cat sat on a mat.\n") + "na\xC3\xAFve \xE2\x82\xAC";
  std::vector<std::string> texts{"",
                                 " ",
                                 std::string(3, '\0'),
                                 std::string(700, 'a'),
                                 learned,
                                 "\xE2\x82\xAC \xF0\x9F\x98\x80",
                                 "\xFF\xFE\xC3",
                                 std::string("a\0b", 3)};
  for (int i = 0; i < 20; ++i) texts.push_back(random_bytes(rng, rng.below(2000)));
  for (const Tokenizer& tokenizer : {Tokenizer::bytes(), Tokenizer::train_bpe(learned, 400)}) {
    for (const std::string& text : texts) {
      const std::vector<int> tokens = tokenizer.encode(text);
      CHECK(tokenizer.decode(tokens) == text);
      for (const int token : tokens) CHECK((token >= 0 && token < tokenizer.vocabulary()));
    }
  }
  CHECK(Tokenizer::bytes().encode("A\xFF") == std::vector<int>{65, 255});
  CHECK(Tokenizer::train_bpe(learned, 400).encode(learned).size() < learned.size());
}

TEST_CASE("tokens: encoding by pieces is encoding", "[tokens]") {
  Philox rng(6);
  const std::string text = random_text(rng, 5000, "ab c\n");
  const Tokenizer tokenizer = Tokenizer::train_bpe(text, 300);
  std::vector<int> joined;
  tokenizer.encode(text, [&](std::span<const int> piece) {
    joined.insert(joined.end(), piece.begin(), piece.end());
  });
  CHECK(joined == tokenizer.encode(text));
  CHECK(bytes_per_token(tokenizer, text) == Approx(5000.0 / double(joined.size())));
  CHECK(bytes_per_token(Tokenizer::bytes(), "abc") == 1.0);
  CHECK(std::isnan(bytes_per_token(tokenizer, "")));
}

TEST_CASE("tokens: impossible vocabularies, names and tokens throw", "[tokens]") {
  for (const int vocabulary : {-1, 0, 255, 65537}) {
    CHECK_THROWS_AS(Tokenizer::train_bpe("aaa", vocabulary), InputError);
  }
  CHECK(Tokenizer::train_bpe("aaa", 256) == Tokenizer::bytes());
  CHECK(Tokenizer::train_bpe("", 1024) == Tokenizer::bytes());
  for (const char* const name :
       {"", "byte", "bpe", "bpe:", "bpe:12", "bpe:1024x", "bpe:99999999999"}) {
    CHECK_THROWS_AS(Tokenizer::make(name, "text"), InputError);
  }
  CHECK(Tokenizer::make("bytes", "text") == Tokenizer::bytes());
  CHECK(Tokenizer::make("bpe:257", "aa\naa") == Tokenizer::train_bpe("aa\naa", 257));

  const Tokenizer bytes = Tokenizer::bytes();
  CHECK_THROWS_AS(bytes.bytes_of(256), InputError);
  CHECK_THROWS_AS(bytes.decode(std::vector<int>{65, -1}), InputError);
}

TEST_CASE("tokens: progress counts up to the vocabulary and may stop the training", "[tokens]") {
  Philox rng(8);
  const std::string text = random_text(rng, 5000, "abcdef \n");
  std::vector<int> seen;
  (void)Tokenizer::train_bpe(text, 270, [&](int done, int wanted) {
    seen.push_back(done);
    CHECK(wanted == 270);
  });
  REQUIRE(seen.size() == 14);
  CHECK(seen.front() == 257);
  CHECK(seen.back() == 270);
  const auto stop = [](int, int) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH(Tokenizer::train_bpe(text, 270, stop), "enough");
}

TEST_CASE("tokens: a tokenizer survives being written and read", "[tokens]") {
  Philox rng(7);
  const std::string text = random_text(rng, 5000, "abcdef \n");
  for (const Tokenizer& tokenizer : {Tokenizer::bytes(), Tokenizer::train_bpe(text, 500)}) {
    const Tokenizer read = Tokenizer::deserialise(tokenizer.serialise());
    CHECK(read == tokenizer);
    CHECK(read.encode(text) == tokenizer.encode(text));
    CHECK(read.serialise() == tokenizer.serialise());
  }
}

TEST_CASE("tokens: a tokenizer from a stranger is checked", "[tokens]") {
  const std::string good = "tpp-tokenizer 1\n258\n97 98\n256 99\n";
  CHECK(Tokenizer::deserialise(good).bytes_of(257) == "abc");
  const std::vector<std::string> bad{
      "",
      "tpp-tokenizer 2\n256\n",
      "tpp-tokenizer 1\n",
      "tpp-tokenizer 1\n255\n",
      "tpp-tokenizer 1\n-5\n",
      "tpp-tokenizer 1\n65537\n",
      "tpp-tokenizer 1\n99999999999999999999\n",
      "tpp-tokenizer 1\n257\n97 256\n",         // itself
      "tpp-tokenizer 1\n258\n97 98\n400 97\n",  // not there yet
      "tpp-tokenizer 1\n257\n-1 97\n",          // negative
      "tpp-tokenizer 1\n258\n97 98\n97 98\n",   // twice
      "tpp-tokenizer 1\n257\n97 98",            // cut off
      "tpp-tokenizer 1\n257\n97\n98\n",         // wrong separator
      "tpp-tokenizer 1\n257\n097 98\n",         // not as we write it
      "tpp-tokenizer 1\n257\n97  98\n",
      good + "1 2\n",  // goes on
      good + "\n",
  };
  for (const std::string& text : bad) {
    INFO(text);
    CHECK_THROWS_AS(Tokenizer::deserialise(text), InputError);
  }

  // Doubling 65,000 times would need more memory than there is: tokens end at kLongestPiece bytes
  std::string bomb = "tpp-tokenizer 1\n300\n97 97\n";
  for (int token = 257; token < 300; ++token) {
    bomb += std::to_string(token - 1) + " " + std::to_string(token - 1) + "\n";
  }
  CHECK_THROWS_AS(Tokenizer::deserialise(bomb), InputError);

  // Every prefix and many scrambled copies either throw or give a tokenizer that is consistent
  Philox rng(9);
  const std::string whole = Tokenizer::train_bpe(random_text(rng, 2000, "abc \n"), 290).serialise();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CHECK_THROWS_AS(Tokenizer::deserialise(std::string_view(whole).substr(0, cut)), InputError);
  }
  for (int i = 0; i < 2000; ++i) {
    std::string text = whole;
    text[rng.below(text.size())] = static_cast<char>(rng.next() & 0xFF);
    try {
      const Tokenizer tokenizer = Tokenizer::deserialise(text);
      CHECK(tokenizer.serialise() == text);
    } catch (const InputError&) {
    }
  }
}

// ---------------------------------------------------------------------------------------------------
// Files

TEST_CASE("tokens: a mapped file is its bytes", "[tokens]") {
  const Folder folder;
  Philox rng(2);
  const std::string bytes = random_bytes(rng, 100'000);
  TextFile file(folder.write("a.bin", bytes));
  CHECK(file.view() == bytes);
  CHECK(file.path() == folder.path / "a.bin");

  TextFile moved = std::move(file);
  CHECK(moved.view() == bytes);
  moved = TextFile(folder.write("b.txt", "other"));
  CHECK(moved.view() == "other");
}

TEST_CASE("tokens: files that cannot be read say why", "[tokens]") {
  const Folder folder;
  const auto message = [](const fs::path& path) -> std::string {
    try {
      const TextFile file(path);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message(folder.path / "missing") == "Cannot read the text '" +
                                                (folder.path / "missing").string() +
                                                "': there is no such file; check the path.");
  CHECK(message("").find("no such file") != std::string::npos);
  CHECK(message(folder.path).find("it is a folder") != std::string::npos);
  CHECK(message(folder.write("empty", "")).find("it is empty") != std::string::npos);
  CHECK(message("/dev/null").find("not a regular file") != std::string::npos);

  // A pipe without a writer must not be waited for
  REQUIRE(::mkfifo((folder.path / "pipe").c_str(), 0666) == 0);
  CHECK(message(folder.path / "pipe").find("not a regular file") != std::string::npos);

  // Root may read everything: become nobody for a moment
  const fs::path secret = folder.write("secret", "text");
  fs::permissions(secret, fs::perms::none);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::seteuid(65534) == 0);
  const std::string denied = message(secret);
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK(denied.find("permission denied") != std::string::npos);
}

// ---------------------------------------------------------------------------------------------------
// Batches

TEST_CASE("tokens: a file and a string, bytes and BPE, are the same data", "[tokens]") {
  const Folder folder;
  Philox rng(21);
  const std::string text = random_text(rng, 20'000, "abcdef \n") + random_bytes(rng, 300);
  const Dataset mapped(TextFile(folder.write("t", text)), Tokenizer::bytes());
  const Dataset held(text, Tokenizer::bytes());
  REQUIRE(mapped.size() == text.size());
  CHECK(mapped.train_size() == text.size() - text.size() / 10);
  CHECK(mapped.train_size() + mapped.validation_size() == mapped.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (mapped[i] != held[i] || mapped[i] != static_cast<unsigned char>(text[i])) FAIL(i);
  }

  const Tokenizer bpe = Tokenizer::train_bpe(text, 400);
  const Dataset merged(TextFile(folder.path / "t"), bpe);
  const std::vector<int> tokens = bpe.encode(text);
  REQUIRE(merged.size() == tokens.size());
  std::vector<int> read(tokens.size());
  merged.copy(0, read);
  CHECK(read == tokens);
  CHECK(merged[17] == tokens[17]);
  CHECK(merged.bytes() == text.size());
  CHECK(merged.bytes_per_token() == Approx(double(text.size()) / double(tokens.size())));
  CHECK_THROWS_AS(merged.copy(1, read), std::out_of_range);
  CHECK_THROWS_AS(Dataset("", Tokenizer::bytes()), InputError);
}

TEST_CASE("tokens: windows are text, targets are one further, parts do not mix", "[tokens]") {
  Philox rng(22);
  const std::string text = random_bytes(rng, 3000);
  for (const int vocabulary : {256, 300}) {
    const TextSource source(Dataset(text, Tokenizer::train_bpe(text, vocabulary)), 1);
    const std::size_t n = source.data().size(), border = source.data().train_size();
    for (const int T : {1, 7, 64}) {
      Batch batch(5, T);
      std::size_t first = n, last = 0;
      for (std::uint64_t step = 0; step < 200; ++step) {
        const bool training = step % 2 == 0;
        training ? source.train(step, batch) : source.validation(step / 2, batch);
        for (int b = 0; b < batch.B; ++b) {
          const std::size_t offset =
              training ? source.train_offset(step, b, T)
                       : source.validation_offset(step / 2 * 5 + std::uint64_t(b), T);
          const std::size_t end = offset + std::size_t(T);  // the last target's place
          if (training) REQUIRE(end < border);
          if (!training) REQUIRE((offset >= border && end < n));
          if (training) first = std::min(first, offset), last = std::max(last, end);
          for (int t = 0; t < T; ++t) {
            const std::size_t i = std::size_t(b * T + t);
            REQUIRE(batch.tokens[i] == source.data()[offset + std::size_t(t)]);
            REQUIRE(batch.targets[i] == source.data()[offset + std::size_t(t) + 1]);
          }
        }
      }
      // 500 windows reach nearly to both ends of the training part
      CHECK(first < border / 50);
      CHECK(last > border - border / 50);
    }
  }
}

TEST_CASE("tokens: the first and last place of a part can be drawn", "[tokens]") {
  // 40 tokens: 36 for training, 4 for validation. With T = 3, validation has one place,
  // training 33.
  const TextSource source(Dataset(std::string(40, 'x'), Tokenizer::bytes()), 4);
  source.require(3);
  std::set<std::size_t> places;
  for (std::uint64_t step = 0; step < 2000; ++step) places.insert(source.train_offset(step, 0, 3));
  CHECK(places.size() == 33);
  CHECK(*places.begin() == 0);
  CHECK(*places.rbegin() == 32);  // 32 … 34 and its last target 35
  for (std::uint64_t i = 0; i < 10; ++i) CHECK(source.validation_offset(i, 3) == 36);
}

TEST_CASE("tokens: a batch is a function of seed, step and sequence", "[tokens]") {
  Philox rng(23);
  const std::string text = random_bytes(rng, 50'000);
  const TextSource a(Dataset(text, Tokenizer::bytes()), 1),
      same(Dataset(text, Tokenizer::bytes()), 1);
  const TextSource other(Dataset(text, Tokenizer::bytes()), 2);
  Batch x(4, 16), y(4, 16), wide(8, 16);
  a.train(7, x);
  a.train(3, y);  // order of calls does not matter
  same.train(7, y);
  CHECK(x.tokens == y.tokens);
  CHECK(x.targets == y.targets);

  // Sequence b does not depend on how many there are
  a.train(7, wide);
  CHECK(std::equal(x.tokens.begin(), x.tokens.end(), wide.tokens.begin()));

  a.train(8, y);
  CHECK(x.tokens != y.tokens);
  other.train(7, y);
  CHECK(x.tokens != y.tokens);

  // The validation data is the same for every seed
  a.validation(2, x);
  other.validation(2, y);
  CHECK(x.tokens == y.tokens);
}

TEST_CASE("tokens: windows are spread evenly", "[tokens]") {
  const TextSource source(Dataset(std::string(100'000, 'x'), Tokenizer::bytes()), 1);
  for (const int windows : {8, 50, 233}) {
    std::set<std::size_t> places;
    for (int i = 0; i < windows; ++i)
      places.insert(source.validation_offset(std::uint64_t(i), 128));
    REQUIRE(places.size() == std::size_t(windows));
    const double spacing = double(10'000 - 128) / windows;
    std::size_t before = *places.begin();
    for (const std::size_t place : places) {
      CHECK(double(place - before) <
            2.7 * spacing);  // three gap lengths, the longest 1 + φ of the others
      before = place;
    }
  }
  // Training: each tenth of the places gets a tenth of the windows, within four standard deviations
  std::vector<int> tenths(10);
  for (std::uint64_t step = 0; step < 2500; ++step) {
    for (int b = 0; b < 4; ++b) ++tenths[source.train_offset(step, b, 128) * 10 / (90'000 - 128)];
  }
  for (const int count : tenths) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("tokens: a text too short for T says what would do", "[tokens]") {
  const TextSource source(Dataset(std::string(100, 'x'), Tokenizer::bytes()), 1);
  source.require(9);
  Batch fits(1, 9), too_long(1, 10);
  source.train(0, fits);
  CHECK_THROWS_AS(source.train(0, too_long), InputError);
  CHECK_THROWS_AS(source.validation(0, too_long), InputError);
  CHECK_THROWS_AS(source.require(0), InputError);
  CHECK_THROWS_WITH(
      source.require(128),
      "The text is too short: it has 100 tokens, and T = 128 needs 1290 (its last tenth is for "
      "validation and must hold T + 1): give a longer text, or set T to 9 or less.");
  const TextSource tiny(Dataset("too short", Tokenizer::bytes()), 1);
  CHECK_THROWS_AS(tiny.require(1), InputError);
  CHECK_THROWS_AS(Batch(0, 4), InputError);
  CHECK_THROWS_AS(Batch(4, 0), InputError);
}

TEST_CASE("tokens: serving a batch allocates nothing", "[tokens]") {
  Philox rng(24);
  const std::string text = random_text(rng, 50'000, "abcdef \n");
  for (const int vocabulary : {256, 300}) {
    const TextSource source(Dataset(text, Tokenizer::train_bpe(text, vocabulary)), 1);
    Batch batch(8, 64);
    const std::uint64_t before = testing::allocation_count();
    for (std::uint64_t step = 0; step < 50; ++step) {
      source.train(step, batch);
      source.validation(step, batch);
    }
    CHECK(testing::allocation_count() == before);
  }
}

TEST_CASE("tokens: opening a text learns the tokenizer from its training part", "[tokens]") {
  // "qz" is frequent only in the last tenth: a tokenizer that had seen it would merge it first
  const Folder folder;
  std::string text;
  for (int i = 0; i < 900; ++i) text += "ab ";
  for (int i = 0; i < 100; ++i) text += "qz ";
  const TextSource source = open_text(folder.write("t.txt", text), "bpe:300", 1);
  for (int token = 256; token < source.vocabulary(); ++token) {
    CHECK(source.tokenizer().bytes_of(token).find('q') == std::string_view::npos);
  }
  CHECK(source.vocabulary() > 256);
  CHECK(source.describe().find("t.txt") == 0);
  CHECK(!source.prompt().empty());
  CHECK_THROWS_AS(open_text(folder.path / "no", "bytes", 1), InputError);
  CHECK_THROWS_AS(open_text(folder.path / "t.txt", "words", 1), InputError);
}

// ---------------------------------------------------------------------------------------------------
// Baselines

TEST_CASE("tokens: entropies by hand", "[tokens]") {
  // 20 bytes: 18 train, 2 validate. "abababababababababab": train has 9 a, 9 b, 9 pairs ab, 8 pairs
  // ba.
  const Dataset data("abababababababababab", Tokenizer::bytes());
  const double p1 = (9.0 + 1) / (18 + 256);
  CHECK(unigram_entropy(data) == Approx(-std::log(p1)));  // validation "ab": both have p₁
  // One validation pair, (a, b): c(a,b) = 9, c(a) = 9, one successor
  CHECK(bigram_entropy(data) == Approx(-std::log((9 + p1) / (9 + 1))));

  // A pair never seen falls back to p₁ in full for an unseen x, in part for a seen one
  const Dataset unseen("aaaaaaaaaaaaaaaaaacb", Tokenizer::bytes());  // validation "cb"
  CHECK(bigram_entropy(unseen) == Approx(-std::log(1.0 / (18 + 256))));
  const Dataset fresh("aaaaaaaaaaaaaaaaaaab",
                      Tokenizer::bytes());  // validation "ab"; c(a) = 17, m = 1
  CHECK(bigram_entropy(fresh) == Approx(-std::log(1.0 / (18 + 256) / 18)));
}

TEST_CASE("tokens: p(y|x) sums to one, and more context guesses better", "[tokens]") {
  // A Markov chain over four letters with known entropy: next is +1 with 0.9, else uniform
  Philox rng(31);
  std::string text = "a";
  while (text.size() < 300'000) {
    const bool step = rng.uniform() < 0.9;
    text += char('a' + (step ? (text.back() - 'a' + 1) % 4 : int(rng.below(4))));
  }
  const Dataset data(text, Tokenizer::bytes());
  const double likely = 0.9 + 0.1 / 4, other = 0.1 / 4;
  const double entropy = -likely * std::log(likely) - 3 * other * std::log(other);
  CHECK(bigram_entropy(data) == Approx(entropy).margin(0.02));
  CHECK(unigram_entropy(data) == Approx(std::log(4.0)).margin(0.01));

  const TextSource source(Dataset(text, Tokenizer::train_bpe(text, 300)), 1);
  const std::vector<Baseline> baselines = source.baselines();
  REQUIRE(baselines.size() == 3);
  CHECK(baselines[0].loss == Approx(std::log(double(source.vocabulary()))));
  for (std::size_t i = 1; i < 3; ++i) CHECK(baselines[i].loss < baselines[i - 1].loss);
}
