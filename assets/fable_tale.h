// A story being told: who is in it, what they own, and a small language that keeps the grammar
// right.
//
// Plots are written as English with holes. "{A} gave the {x} back to {B}, and {A.he} was glad."
// becomes "Hugo gave the scarf back to Nell, and he was glad." because the tale remembers its cast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "assets/fable_words.h"
#include "chapters/01_tensor/random.h"

namespace tpp::fable {

/// The language of templates.
///
///   [a|b|c]           one of these, at random; they nest, and one may be empty
///   {A} {B} {C}       the name;            {a} {b} {c}  the animal: "hare"
///   {A.an}            "a proud hare";      {A.kind}     "a hare";      {A.t}  "proud"
///   {A.he} .him .his .self                 he or she and so on
///   {x} {y}           the thing: "scarf";  {x.an} "a red scarf";  {x.full} "red scarf";  {x.adj}
///   "red" {x.use} {x.broke} a tool's use and how it breaks;              {x.bare} "a scarf" {f}
///   {f.many} {f.an}                    food: "apple", "apples", "an apple" {n} {m} {k} number
///   words;        {n f}  "one apple", "three apples" {O} {O.an}        onlookers: "the old heron"
///   or "the wrens"; "an old heron" or "three wrens" {O:was/were} {n:was/were}              by
///   number {w.came} .path .slip .trace .mud       the weather and what follows from it {place}
///   {mark} {time}                  "by the river", "the old mill", "nightfall"
class Tale {
 public:
  Tale(std::uint64_t seed, std::uint64_t number) : rng_(seed, number) {}

  // Chance
  [[nodiscard]] int branch(int ways) { return int(rng_.below(std::uint64_t(ways))); }
  [[nodiscard]] std::string_view one_of(std::string_view alternatives);  // "a|b|c"

  // Who and what. A and B are of different sexes, so that "he" and "she" say who.
  void cast(char who, std::string_view traits, unsigned need = 0, unsigned avoid = 0);
  void thing(char which, ThingKind kind);
  void treasure_or_clothing(char which);
  void food(unsigned traits);
  void number(char which, int value);
  void onlookers();
  void weather(std::string_view names = "rain|snow|frost|wind|fog|heat");

  // Telling. A sentence starts with a capital by itself.
  void title(std::string_view templates);  // "one|another"
  void meet();                             // introduce A and B
  void meet_third();                       // introduce C
  void tell(std::string_view text);
  void says(char who, std::string_view speech);  // with its "said Hugo"
  void paragraph();
  void moral(std::string_view templates);  // "one|another"; the last line

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Actor {
    const Animal* kind = nullptr;
    std::string_view name, trait;
    bool female = false;
  };
  struct Owned {
    const Thing* thing = nullptr;
    std::string_view adjective;
  };

  [[nodiscard]] const Actor& actor(char who) const { return actors_[who - 'A']; }
  [[nodiscard]] bool used(const Animal& kind) const;
  [[nodiscard]] std::string expand(std::string_view text);
  void hole(std::string_view key, std::string& out) const;
  void add(const std::string& sentence);

  Philox rng_;
  std::string text_;
  Actor actors_[3];                   // A, B, C
  Owned owned_[2];                    // x, y
  const Food* food_ = nullptr;        // f
  int numbers_[3] = {2, 2, 2};        // n, m, k
  const Animal* onlooker_ = nullptr;  // O
  int onlooker_count_ = 1;
  std::string_view onlooker_adjective_;
  const Weather* weather_ = nullptr;  // w
  std::string_view place_, mark_, time_;
};

/// "a" or "an", for the word that follows.
[[nodiscard]] std::string_view article(std::string_view word);

/// "three"; up to twenty.
[[nodiscard]] std::string_view number_word(int number);

}  // namespace tpp::fable
