// Fables: the grammar holds in every story, names are introduced before they are spoken, sums are
// right.
#include "assets/fables.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "assets/book.h"
#include "assets/fable_tale.h"
#include "assets/fable_words.h"
#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"

using namespace tpp;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tpp-fables-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::size_t files() const {
    return std::size_t(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The stories that every property is checked on.
const std::vector<std::string>& stories() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> list;
    for (std::uint64_t number = 0; number < 3000; ++number) list.push_back(fable_story(17, number));
    return list;
  }();
  return all;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Words, and whether each stands between quotation marks.
struct Word {
  std::string text;
  bool spoken;
};

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  bool spoken = false;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back({word, spoken});
    word.clear();
    if (c == '"') spoken = !spoken;
  }
  return words;
}

/// Where this sequence of words starts, at or behind `from`; "*" stands for any word. -1 if nowhere.
int find_words(const std::vector<Word>& words, const std::string& pattern, int from = 0) {
  std::vector<std::string> wanted;
  std::istringstream stream(pattern);
  for (std::string word; stream >> word;) wanted.push_back(word);
  const auto same = [](const Word& word, const std::string& want) {
    return want == "*" || word.text == want;
  };
  const auto found =
      std::search(words.begin() + from, words.end(), wanted.begin(), wanted.end(), same);
  return found == words.end() ? -1 : int(found - words.begin());
}

bool is_name(const std::string& word) {
  const auto in = [&](std::span<const std::string_view> list) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  return in(fable::female_names()) || in(fable::male_names());
}

bool is_female(const std::string& name) {
  const auto list = fable::female_names();
  return std::find(list.begin(), list.end(), name) != list.end();
}

int number_of(const std::string& word) {
  for (int n = 0; n <= 20; ++n) {
    if (fable::number_word(n) == word) return n;
  }
  FAIL("not a number: " << word);
  return -1;
}

}  // namespace

TEST_CASE("fables: a seed and a number make a story", "[fables]") {
  CHECK(fable_story(1, 5) == fable_story(1, 5));
  CHECK(fable_story(1, 5) != fable_story(1, 6));
  CHECK(fable_story(1, 5) != fable_story(2, 5));
}

TEST_CASE("fables: a shorter text is a prefix of a longer one and ends with a story", "[fables]") {
  const std::string text = fables(3, 50'000);
  CHECK(text.size() <= 50'000);
  CHECK(text.size() > 48'000);
  CHECK(text.starts_with(fable_story(3, 0) + "\n" + fable_story(3, 1) + "\n"));
  for (const std::size_t bytes : {0, 100, 700, 5'000, 49'999}) {
    const std::string part = fables(3, bytes);
    CHECK(part.size() <= bytes);
    CHECK(text.starts_with(part));
    CHECK((part.empty() || part.ends_with(".\n\n")));
  }
  // Exactly as many bytes as a whole number of stories
  const std::string two = fable_story(3, 0) + "\n" + fable_story(3, 1) + "\n";
  CHECK(fables(3, two.size()) == two);
  CHECK(fables(3, two.size() - 1) == fable_story(3, 0) + "\n");
}

TEST_CASE("fables: a title, two paragraphs, a moral", "[fables]") {
  std::size_t bytes = 0;
  for (const std::string& story : stories()) {
    INFO(story);
    const std::vector<std::string> lines = lines_of(story);
    REQUIRE(lines.size() == 4);
    REQUIRE(!lines[0].ends_with('.'));
    REQUIRE(lines[3].starts_with("Moral: "));
    REQUIRE(lines[3].ends_with('.'));
    REQUIRE((story.size() > 350 && story.size() < 1200));
    bytes += story.size();
  }
  const std::size_t mean = bytes / stories().size();
  CHECK((mean > 500 && mean < 900));
}

TEST_CASE("fables: no hole, bracket or stray space is left, sentences start with capitals",
          "[fables]") {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto mark = [](char c) { return c == '.' || c == '!' || c == '?'; };
  for (const std::string& story : stories()) {
    INFO(story);
    for (const char* const wrong :
         {"{",  "}",  "[",  "]",  "|",  "/",  "  ", " .",  " ,",  " !",
          " ?", "..", ",,", ",.", ".,", "?.", "!.", "\n ", " \n", "\"\""}) {
      INFO(wrong);
      REQUIRE(story.find(wrong) == std::string::npos);
    }
    REQUIRE(std::count(story.begin(), story.end(), '"') % 2 == 0);
    bool spoken = false;
    for (std::size_t i = 0; i < story.size(); ++i) {
      const char c = story[i];
      REQUIRE((c == '\n' || (c >= ' ' && c <= '~')));
      if (c == '"') spoken = !spoken;
      const bool line = i == 0 || story[i - 1] == '\n';
      const bool sentence = i >= 2 && story[i - 1] == ' ' && mark(story[i - 2]);
      const bool speech = i >= 1 && story[i - 1] == '"' && spoken;
      const bool told = i >= 3 && story[i - 1] == ' ' && story[i - 2] == '"' && story[i - 3] == '.';
      if (line || sentence || speech || told) REQUIRE(!lower(c));
    }
  }
}

TEST_CASE("fables: who is named in speech was introduced before", "[fables]") {
  for (const std::string& story : stories()) {
    std::set<std::string> told;
    const std::vector<Word> words = words_of(story.substr(story.find('\n')));  // without the title
    std::set<std::string> names;
    for (const Word& word : words) {
      if (!is_name(word.text)) continue;
      names.insert(word.text);
      if (!word.spoken) told.insert(word.text);
      INFO(word.text << " in\n" << story);
      REQUIRE(told.count(word.text) == 1);
    }
    INFO(story);
    REQUIRE(names.size() >= 2);
    REQUIRE(names.size() <= 3);
  }
}

TEST_CASE("fables: a name belongs to one animal", "[fables]") {
  std::set<std::string> kinds;
  for (const fable::Animal& a : fable::animals()) kinds.emplace(a.one);
  for (const std::string& story : stories()) {
    std::map<std::string, std::string> owner;
    const std::vector<Word> words = words_of(story.substr(story.find('\n')));
    const auto belongs = [&](const std::string& name, const std::string& kind) {
      if (!is_name(name) || kinds.count(kind) == 0) return;
      INFO(name << ", " << kind << " in\n" << story);
      REQUIRE(owner.emplace(name, kind).first->second == kind);
    };
    for (std::size_t i = 0; i + 4 < words.size(); ++i) {
      if (words[i + 1].text == "the") belongs(words[i].text, words[i + 2].text);
      if (words[i + 1].text == "called") belongs(words[i + 2].text, words[i].text);
      if (words[i + 1].text == "whose") belongs(words[i + 4].text, words[i].text);
    }
    std::set<std::string> different;
    for (const auto& [name, kind] : owner) different.insert(kind);
    INFO(story);
    REQUIRE(owner.size() >= 2);
    REQUIRE(different.size() == owner.size());
  }
}

TEST_CASE("fables: a before consonants, an before vowels", "[fables]") {
  for (const std::string& story : stories()) {
    const std::vector<Word> words = words_of(story);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      const std::string& article = words[i].text;
      if (article != "a" && article != "an" && article != "An" && article != "A") continue;
      const std::string next = words[i + 1].text;
      const bool vowel = std::string_view("aeiouAEIOU").find(next[0]) != std::string_view::npos;
      if (next == "use") continue;  // said as "yoose"
      const bool silent = next == "honest" || next == "hour" || next == "Honest";
      INFO(article << " " << next << " in\n" << story);
      REQUIRE((article.size() == 2) == (vowel || silent));
    }
  }
}

TEST_CASE("fables: verbs and nouns agree with their number", "[fables]") {
  std::set<std::string> singular, plural;
  for (const fable::Animal& a : fable::animals()) {
    if (a.one == a.many) continue;
    singular.emplace(a.one), plural.emplace(a.many);
  }
  for (const fable::Food& f : fable::foods()) singular.emplace(f.one), plural.emplace(f.many);
  int plural_verbs = 0, singular_verbs = 0;
  for (const std::string& story : stories()) {
    const std::vector<Word> words = words_of(story);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      const std::string& word = words[i].text;
      const std::string& next = words[i + 1].text;
      INFO(word << " " << next << " in\n" << story);
      if (plural.count(word) == 1) {
        REQUIRE((next != "was" && next != "has" && next != "is"));
        plural_verbs += next == "were" ? 1 : 0;
      }
      if (singular.count(word) == 1) {
        // "Nell the hare and Ned the frog were neighbours": there the verb's subject is both
        const bool both = i + 2 < words.size() && words[i + 2].text == "neighbours";
        REQUIRE((both || (next != "were" && next != "are" && next != "have")));
        singular_verbs += next == "was" ? 1 : 0;
      }
      if (word == "one") REQUIRE(plural.count(next) == 0);
      if (word == "two" || word == "three" || word == "ten") REQUIRE(singular.count(next) == 0);
    }
  }
  CHECK(plural_verbs > 100);  // there is something to learn
  CHECK(singular_verbs > 100);
}

TEST_CASE("fables: pronouns follow the name", "[fables]") {
  int found = 0;
  for (const std::string& story : stories()) {
    const std::vector<Word> words = words_of(story);
    const auto word = [&](int at) { return words[std::size_t(at)].text; };
    INFO(story);
    if (const int at = find_words(words, "So * gave the * back to * just as * had"); at >= 0) {
      ++found;
      REQUIRE(is_female(word(at + 1)) == (word(at + 10) == "she"));
      REQUIRE(is_female(word(at + 1)) != is_female(word(at + 7)));  // so "she" says who
    }
    if (const int at = find_words(words, "whose name was * * lived"); at >= 0) {
      ++found;
      REQUIRE(is_female(word(at + 3)) == (word(at + 4) == "She"));
    }
  }
  CHECK(found > 200);
}

TEST_CASE("fables: the sums are right", "[fables]") {
  int cakes = 0, shared = 0;
  for (const std::string& story : stories()) {
    const std::vector<Word> words = words_of(story);
    const auto number = [&](int at) { return number_of(words[std::size_t(at)].text); };
    const auto word = [&](int at) { return words[std::size_t(at)].text; };
    INFO(story);
    const int baked = find_words(words, "baked * * and put");
    if (baked >= 0) {
      const int gone = find_words(words, "came back * of them * gone and only * * * left");
      REQUIRE(gone >= 0);
      REQUIRE(number(baked + 1) - number(gone + 2) == number(gone + 9));
      REQUIRE((number(gone + 2) == 1) == (word(gone + 5) == "was"));
      REQUIRE((number(gone + 9) == 1) == (word(gone + 11) == "was"));
      ++cakes;
    }
    const int home = find_words(words, "came home * * * left");
    if (home >= 0) {
      const int had = find_words(words, "had * * in * basket");
      const int first = find_words(words, "gave * * * Then", had);
      const int second = find_words(words, "gave * * * When", first + 1);
      REQUIRE((had >= 0 && first >= 0 && second >= 0));
      REQUIRE(number(had + 1) == number(first + 2) + number(second + 2) + number(home + 2));
      ++shared;
    }
  }
  CHECK(cakes > 50);
  CHECK(shared > 20);
}

TEST_CASE("fables: a rich vocabulary, and everything in the lists is used", "[fables]") {
  CHECK(fable::animals().size() >= 40);
  CHECK(fable::things().size() >= 60);
  std::map<std::string, int> counts;
  for (const std::string& story : stories()) {
    for (Word& word : words_of(story)) {
      std::transform(word.text.begin(), word.text.end(), word.text.begin(),
                     [](unsigned char c) { return char(std::tolower(c)); });
      ++counts[word.text];
    }
  }
  CHECK(counts.size() > 900);
  for (const fable::Animal& a : fable::animals()) CHECK(counts[std::string(a.one)] > 0);
  for (const fable::Thing& t : fable::things()) CHECK(counts[std::string(t.one)] > 0);
  for (const fable::Food& f : fable::foods()) CHECK(counts[std::string(f.many)] > 0);
  std::set<std::string> titles, morals;
  for (const std::string& story : stories()) {
    titles.insert(story.substr(0, story.find('\n')));
    morals.insert(story.substr(story.find("Moral: ")));
  }
  CHECK(titles.size() > 1000);
  CHECK(morals.size() > 150);

  // No two stories are the same
  CHECK(std::set<std::string>(stories().begin(), stories().end()).size() == stories().size());
}

TEST_CASE("fables: small helpers", "[fables]") {
  CHECK(fable::article("owl") == "an");
  CHECK(fable::article("hare") == "a");
  CHECK(fable::article("honest") == "an");
  CHECK(fable::number_word(0) == "no");
  CHECK(fable::number_word(20) == "twenty");
  CHECK_THROWS_AS(fable::number_word(21), std::out_of_range);
  CHECK_THROWS_AS(fable::number_word(-1), std::out_of_range);

  fable::Tale tale(1, 1);
  tale.tell("[one|one], two. three");
  CHECK(tale.text() == "One, two. Three");
  CHECK_THROWS_AS(tale.tell("{nonsense}"), std::logic_error);
  CHECK_THROWS_AS(tale.tell("[open"), std::logic_error);
}

// ---------------------------------------------------------------------------------------------------
// Files

TEST_CASE("fables: the file is written once, and again if it is another generator's", "[fables]") {
  const Folder folder;
  const fs::path deep = folder.path / "assets" / "generated";
  const fs::path path = ensure_fables(deep, 1, 5);
  const std::string text = read(path);
  CHECK(text == fables(5, 1'000'000));
  CHECK(ensure_fables(deep, 1, 6) != path);

  // Not written again while it is good: a mark at its end survives
  const auto scribble = [&](std::size_t where) {
    std::string changed = text;
    changed[where] = '#';
    std::ofstream(path, std::ios::binary) << changed;
  };
  scribble(text.size() - 5);
  CHECK(ensure_fables(deep, 1, 5) == path);
  CHECK(read(path)[text.size() - 5] == '#');

  // Replaced if it starts differently or is too short
  scribble(10);
  (void)ensure_fables(deep, 1, 5);
  CHECK(read(path) == text);
  std::ofstream(path, std::ios::binary) << text.substr(0, 500'000);
  (void)ensure_fables(deep, 1, 5);
  CHECK(read(path) == text);
}

TEST_CASE("fables: what cannot be written is said, and nothing is left", "[fables]") {
  const Folder folder;
  CHECK_THROWS_AS(ensure_fables(folder.path, 0, 1), InputError);
  CHECK_THROWS_AS(ensure_fables(folder.path, 1025, 1), InputError);
  std::ofstream(folder.path / "file") << "x";
  CHECK_THROWS_AS(ensure_fables(folder.path / "file", 1, 1), InputError);
  CHECK_THROWS_AS(ensure_fables(folder.path / "file" / "below", 1, 1), InputError);
  CHECK(folder.files() == 1);

  // A disk that is full after 64 KB, as far as this process can tell
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 65'536;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    (void)ensure_fables(folder.path, 1, 1);
  } catch (const InputError& error) {
    message = error.what();
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);
  CHECK(message.find("cannot save") != std::string::npos);
  CHECK(folder.files() == 1);
}

TEST_CASE("book: every chapter and source in order, generated files left out", "[book]") {
  const Folder folder;
  const fs::path root = folder.path / "project";
  const auto write = [&](const char* name, const char* text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  };
  CHECK_THROWS_AS(book(root), InputError);
  write("README.md", "Hello");
  write("chapters/02_b/b.cpp", "int b;\n");
  write("chapters/01_a/README.md", "# a\n");
  write("chapters/01_a/data.bin", "no");
  write("kernels/k.cu", "__global__\n");
  write("assets/generated/old.md", "no");
  write("elsewhere/x.md", "no");
  CHECK(book(root) ==
        "===== README.md =====\nHello\n\n"
        "===== chapters/01_a/README.md =====\n# a\n\n"
        "===== chapters/02_b/b.cpp =====\nint b;\n\n"
        "===== kernels/k.cu =====\n__global__\n\n");

  const fs::path path = ensure_book(root, folder.path / "out");
  CHECK(read(path) == book(root));
  write("chapters/02_b/b.cpp", "int c;\n");
  CHECK(ensure_book(root, folder.path / "out") == path);
  CHECK(read(path).find("int c;") != std::string::npos);
}
