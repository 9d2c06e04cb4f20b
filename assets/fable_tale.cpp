#include "assets/fable_tale.h"

#include <cctype>
#include <stdexcept>

namespace tpp::fable {
namespace {

template <class T>
const T& pick(Philox& rng, std::span<const T> list) {
  return list[rng.below(list.size())];
}

/// Split "a|b[c|d]" at the bars that no bracket holds, and give part `wanted`; count the parts.
std::string_view part(std::string_view text, std::size_t wanted, std::size_t& parts) {
  std::string_view found;
  std::size_t begin = 0, depth = 0;
  parts = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '|';
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c != '|' || depth != 0) continue;
    if (parts++ == wanted) found = text.substr(begin, i - begin);
    begin = i + 1;
  }
  return found;
}

std::size_t closing(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']' && --depth == 0) return i;
  }
  throw std::logic_error("fable template without closing bracket: " + std::string(text));
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

/// Sentences start with a capital: the first letter, and letters behind ". ", "! ", "? ", ".\" ".
void capitalise(std::string& text) {
  bool start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (start && is_letter(c)) text[i] = upper(c);
    if (c == '"' && start) continue;  // an opening quote
    if (c == ' ' && i >= 1) {
      const char before = text[i - 1];
      const bool ends = before == '.' || before == '!' || before == '?';
      start = ends || (before == '"' && i >= 2 && text[i - 2] == '.');
    } else {
      start = false;
    }
  }
}

/// Titles Have Capitals, except for small words.
void capitalise_title(std::string& text) {
  bool first = true;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = text.find(' ', i);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(i, end - i);
    const std::string_view kSmallWords = " and the a an of in on for to as with ";
    const bool small = kSmallWords.find(" " + word + " ") != std::string_view::npos;
    if (first || !small) text[i] = upper(text[i]);
    first = false;
    i = end + 1;
  }
}

}  // namespace

std::string_view article(std::string_view word) {
  const bool vowel =
      !word.empty() && std::string_view("aeiou").find(word[0]) != std::string_view::npos;
  return vowel || word.starts_with("honest") ? "an" : "a";
}

std::string_view number_word(int number) {
  constexpr std::string_view kWords[] = {
      "no",       "one",     "two",     "three",     "four",     "five",     "six",
      "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
  if (number < 0 || number > 20) throw std::out_of_range("number_word: 0 to 20");
  return kWords[number];
}

std::string_view Tale::one_of(std::string_view alternatives) {
  std::size_t parts = 0;
  (void)part(alternatives, 0, parts);
  const std::size_t wanted = rng_.below(parts);
  return part(alternatives, wanted, parts);
}

// ---------------------------------------------------------------------------------------------------
// Who and what

bool Tale::used(const Animal& kind) const {
  for (const Actor& a : actors_) {
    if (a.kind == &kind) return true;
  }
  return onlooker_ == &kind;
}

void Tale::cast(char who, std::string_view traits, unsigned need, unsigned avoid) {
  Actor& actor = actors_[who - 'A'];
  const Animal* kind = nullptr;
  do {
    kind = &pick(rng_, animals());
  } while (used(*kind) || (kind->traits & need) != need || (kind->traits & avoid) != 0);

  // A and B differ in sex; nobody shares a name or a trait
  actor.female = who == 'B' ? !actors_[0].female : rng_.below(2) == 0;
  bool taken = true;
  while (taken) {
    actor.name = pick(rng_, actor.female ? female_names() : male_names());
    taken = false;
    for (const Actor& other : actors_) taken |= &other != &actor && other.name == actor.name;
  }
  actor.kind = kind;
  const auto shared = [&](const Actor& other) {
    return &other != &actor && other.trait == actor.trait;
  };
  do {
    actor.trait = one_of(traits);
  } while (shared(actors_[0]) || shared(actors_[1]) || shared(actors_[2]));
  if (place_.empty()) {
    place_ = pick(rng_, places());
    mark_ = pick(rng_, landmarks());
    time_ = one_of("nightfall|supper|Sunday|market day|the new moon");
  }
}

void Tale::thing(char which, ThingKind kind) {
  Owned& owned = owned_[which - 'x'];
  const Owned& other = owned_['y' - which];
  do {
    owned.thing = &pick(rng_, things());
  } while (owned.thing->kind != kind || owned.thing == other.thing);
  owned.adjective = one_of(owned.thing->adjectives);
}

void Tale::treasure_or_clothing(char which) {
  thing(which, rng_.below(2) == 0 ? ThingKind::treasure : ThingKind::clothing);
}

void Tale::food(unsigned traits) {
  do {
    food_ = &pick(rng_, foods());
  } while ((food_->traits & traits) == 0);
}

void Tale::number(char which, int value) {
  numbers_[which == 'n' ? 0 : which == 'm' ? 1 : 2] = value;
}

void Tale::onlookers() {
  const Animal* kind = nullptr;
  do {
    kind = &pick(rng_, animals());
  } while (used(*kind) || (kind->traits & kBird) == 0);
  onlooker_ = kind;
  onlooker_count_ = rng_.below(2) == 0 ? 1 : 2 + int(rng_.below(3));
  onlooker_adjective_ = one_of("old|young|little|quiet");
}

void Tale::weather(std::string_view names) {
  const std::string_view name = one_of(names);
  for (const Weather& weather : weathers()) {
    if (weather.name == name) weather_ = &weather;
  }
}

// ---------------------------------------------------------------------------------------------------
// Templates

void Tale::hole(std::string_view key, std::string& out) const {
  const auto with_article = [&](std::string_view first, std::string_view second = {}) {
    out.append(article(first)).append(" ").append(first);
    if (!second.empty()) out.append(" ").append(second);
  };
  const std::string_view field =
      key.size() > 2 && key[1] == '.' ? key.substr(2) : std::string_view();
  const char head = key[0];

  // Names, animals, pronouns
  if (head >= 'A' && head <= 'C') {
    const Actor& a = actor(head);
    if (key.size() == 1)
      out += a.name;
    else if (field == "an")
      with_article(a.trait, a.kind->one);
    else if (field == "kind")
      with_article(a.kind->one);
    else if (field == "t")
      out += a.trait;
    else if (field == "he")
      out += a.female ? "she" : "he";
    else if (field == "him")
      out += a.female ? "her" : "him";
    else if (field == "his")
      out += a.female ? "her" : "his";
    else if (field == "self")
      out += a.female ? "herself" : "himself";
    else
      throw std::logic_error("fable template: unknown hole {" + std::string(key) + "}");
    return;
  }
  if (key.size() == 1 && head >= 'a' && head <= 'c') {
    out += actor(upper(head)).kind->one;
    return;
  }

  // Agreement with a number: {O:was/were}
  if (key.size() > 2 && key[1] == ':') {
    const int count = head == 'O' ? onlooker_count_
                                  : numbers_[head == 'n'   ? 0
                                             : head == 'm' ? 1
                                                           : 2];
    const std::string_view forms = key.substr(2);
    const std::size_t slash = forms.find('/');
    out += count == 1 ? forms.substr(0, slash) : forms.substr(slash + 1);
    return;
  }
  if (head == 'O') {
    if (onlooker_count_ == 1) {
      if (field == "an")
        with_article(onlooker_adjective_, onlooker_->one);
      else
        out.append("the ").append(onlooker_adjective_).append(" ").append(onlooker_->one);
    } else {
      out += field == "an" ? number_word(onlooker_count_) : "the";
      out.append(" ").append(onlooker_->many);
    }
    return;
  }

  // Numbers and food
  if (key == "n" || key == "m" || key == "k" || key.ends_with(" f")) {
    const int count = numbers_[head == 'n' ? 0 : head == 'm' ? 1 : 2];
    out += number_word(count);
    if (key.size() > 1) out.append(" ").append(count == 1 ? food_->one : food_->many);
    return;
  }
  if (head == 'f' && (key.size() == 1 || !field.empty())) {
    if (key.size() == 1)
      out += food_->one;
    else if (field == "many")
      out += food_->many;
    else if (field == "an")
      with_article(food_->one);
    return;
  }

  // Things
  if ((head == 'x' || head == 'y') && (key.size() == 1 || !field.empty())) {
    const Owned& owned = owned_[head - 'x'];
    if (key.size() == 1)
      out += owned.thing->one;
    else if (field == "an")
      with_article(owned.adjective, owned.thing->one);
    else if (field == "bare")
      with_article(owned.thing->one);
    else if (field == "full")
      out.append(owned.adjective).append(" ").append(owned.thing->one);
    else if (field == "adj")
      out += owned.adjective;
    else if (field == "use")
      out += owned.thing->use;
    else if (field == "broke")
      out += owned.thing->broke;
    else
      throw std::logic_error("fable template: unknown hole {" + std::string(key) + "}");
    return;
  }

  // Weather, places, times
  if (head == 'w' && !field.empty()) {
    if (field == "came")
      out += weather_->came;
    else if (field == "path")
      out += weather_->path;
    else if (field == "slip")
      out += weather_->slip;
    else if (field == "trace")
      out += weather_->trace;
    else if (field == "mud")
      out += weather_->mud;
    return;
  }
  if (key == "place")
    out += place_;
  else if (key == "mark")
    out += mark_;
  else if (key == "time")
    out += time_;
  else
    throw std::logic_error("fable template: unknown hole {" + std::string(key) + "}");
}

std::string Tale::expand(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') {
      const std::size_t end = closing(text, i);
      out += expand(one_of(text.substr(i + 1, end - i - 1)));
      i = end;
    } else if (text[i] == '{') {
      const std::size_t end = text.find('}', i);
      hole(text.substr(i + 1, end - i - 1), out);
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

// ---------------------------------------------------------------------------------------------------
// Telling

void Tale::add(const std::string& sentence) {
  if (!text_.empty() && text_.back() != '\n') text_ += ' ';
  text_ += sentence;
}

void Tale::paragraph() { text_ += '\n'; }

void Tale::tell(std::string_view text) {
  std::string sentence = expand(text);
  capitalise(sentence);
  add(sentence);
}

void Tale::title(std::string_view templates) {
  std::string line = expand(one_of(templates));
  capitalise_title(line);
  text_ += line;
  paragraph();
}

void Tale::moral(std::string_view templates) {
  paragraph();
  tell("Moral: " + std::string(one_of(templates)));
  paragraph();
}

void Tale::says(char who, std::string_view speech) {
  const Actor& speaker = actor(who);
  std::string words = expand(speech);
  capitalise(words);

  // The verb follows from the last mark; animals have voices of their own
  std::string_view verb = words.back() == '?' ? "asked" : words.back() == '!' ? "cried" : "said";
  if (words.back() != '?' && !speaker.kind->voice.empty() && branch(3) == 0) {
    verb = speaker.kind->voice;
  }

  // In a story of two, a pronoun is enough
  const bool two = actors_[2].kind == nullptr;
  const int form = branch(two ? 4 : 3);
  const std::string name(speaker.name);
  if (form == 0) {
    add(name + " " + std::string(verb) + ", \"" + words + "\"");
    return;
  }
  if (words.back() == '.') words.back() = ',';
  const std::string quoted = "\"" + words + "\" ";
  if (form == 1) add(quoted + std::string(verb) + " " + name + ".");
  if (form == 2) add(quoted + std::string(verb) + " the " + std::string(speaker.kind->one) + ".");
  if (form == 3) add(quoted + (speaker.female ? "she " : "he ") + std::string(verb) + ".");
}

void Tale::meet() {
  switch (branch(4)) {
    case 0:
      tell("[Once|Long ago|Once upon a time|Many years ago], {A.an} called {A} lived {place}.");
      tell("[Next door|Not far away|Across the lane] lived {B.an} called {B}.");
      break;
    case 1:
      tell("{A} the {a} and {B} the {b} were neighbours {place}.");
      tell("{A} was {A.t}, and {B} was {B.t}.");
      break;
    case 2:
      tell("There was once {A.an} whose name was {A}.");
      tell("{A.he} lived {place}, and {A.his} neighbour was {B.an} whose name was {B}.");
      break;
    default:
      tell("{place} lived {A} the {a} and {B} the {b}.");
      tell(
          "[Everyone knew that|People said that|It was well known that] {A} was {A.t} and {B} was "
          "{B.t}.");
  }
}

void Tale::meet_third() {
  tell(
      "[{C} the {c} lived [a little further on|across the field|by {mark}]|[A little further "
      "on|Across the field] lived {C.an} called {C}|They had a friend called {C}, {C.an}].");
}

}  // namespace tpp::fable
