// The fables' dictionary: who may appear in a story, what they may own, what the sky may do.
#pragma once

#include <span>
#include <string_view>

namespace tpp::fable {

enum AnimalTraits : unsigned {
  kSmall = 1,   // fits into a nest
  kLarge = 2,   // pulls a cart
  kBird = 4,    // has a beak and may sit in a tree
  kFast = 8,    // would win a race
  kSlow = 16,   // would lose one
  kGnaws = 32,  // can bite through a net
  kSly = 64,    // would flatter a bird
};

struct Animal {
  std::string_view one, many;  // "mouse", "mice"
  std::string_view voice;      // "squeaked"
  unsigned traits;
};

enum class ThingKind { tool, treasure, clothing };

struct Thing {
  std::string_view one;
  std::string_view adjectives;  // "red|blue": one is chosen for a story, and stays
  std::string_view use;         // tools: "I need it … to mend my roof"
  std::string_view broke;       // tools: how it breaks
  ThingKind kind;
};

enum FoodTraits : unsigned { kBaked = 1, kGrown = 2, kTree = 4 };

struct Food {
  std::string_view one, many;  // "loaf", "loaves"
  unsigned traits;
};

struct Weather {
  std::string_view name;   // "rain"
  std::string_view came;   // "it rained all night"
  std::string_view path;   // "the path was muddy"
  std::string_view slip;   // "slipped in the mud"
  std::string_view trace;  // where footprints show: "in the mud"
  std::string_view mud;    // the nuisance itself: "the mud"
};

[[nodiscard]] std::span<const Animal> animals();
[[nodiscard]] std::span<const Thing> things();
[[nodiscard]] std::span<const Food> foods();
[[nodiscard]] std::span<const Weather> weathers();
[[nodiscard]] std::span<const std::string_view> female_names();
[[nodiscard]] std::span<const std::string_view> male_names();
[[nodiscard]] std::span<const std::string_view> places();     // "by the river"
[[nodiscard]] std::span<const std::string_view> landmarks();  // "the old mill"

}  // namespace tpp::fable
