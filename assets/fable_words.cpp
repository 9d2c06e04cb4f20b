#include "assets/fable_words.h"

namespace tpp::fable {
namespace {

constexpr Animal kAnimals[] = {
    {"mouse", "mice", "squeaked", kSmall | kGnaws},
    {"vole", "voles", "squeaked", kSmall | kGnaws},
    {"shrew", "shrews", "squeaked", kSmall | kGnaws},
    {"dormouse", "dormice", "squeaked", kSmall | kGnaws},
    {"hamster", "hamsters", "squeaked", kSmall | kGnaws},
    {"rat", "rats", "squeaked", kSmall | kGnaws},
    {"squirrel", "squirrels", "chattered", kSmall | kGnaws | kFast},
    {"mole", "moles", "muttered", kSmall | kSlow},
    {"hedgehog", "hedgehogs", "grunted", kSmall | kSlow},
    {"frog", "frogs", "croaked", kSmall},
    {"toad", "toads", "croaked", kSmall | kSlow},
    {"newt", "newts", "whispered", kSmall | kSlow},
    {"lizard", "lizards", "hissed", kSmall | kFast},
    {"wren", "wrens", "chirped", kSmall | kBird},
    {"robin", "robins", "chirped", kSmall | kBird},
    {"sparrow", "sparrows", "chirped", kSmall | kBird},
    {"finch", "finches", "chirped", kSmall | kBird},
    {"swallow", "swallows", "twittered", kSmall | kBird},
    {"thrush", "thrushes", "twittered", kSmall | kBird},
    {"quail", "quails", "clucked", kSmall | kBird},
    {"hare", "hares", "", kFast},
    {"rabbit", "rabbits", "", kFast},
    {"fox", "foxes", "", kFast | kSly},
    {"badger", "badgers", "grunted", kSlow},
    {"otter", "otters", "whistled", kFast},
    {"beaver", "beavers", "grunted", kSlow | kGnaws},
    {"weasel", "weasels", "hissed", kFast | kSly},
    {"stoat", "stoats", "hissed", kFast | kSly},
    {"marten", "martens", "", kFast | kSly},
    {"cat", "cats", "purred", kSly | kFast},
    {"dog", "dogs", "barked", kFast},
    {"goat", "goats", "bleated", kFast},
    {"sheep", "sheep", "bleated", kSlow},
    {"pig", "pigs", "grunted", kSlow},
    {"chicken", "chickens", "clucked", kBird},
    {"duck", "ducks", "quacked", kBird | kSlow},
    {"goose", "geese", "honked", kBird | kSlow},
    {"crow", "crows", "cawed", kBird},
    {"raven", "ravens", "cawed", kBird},
    {"rook", "rooks", "cawed", kBird},
    {"magpie", "magpies", "chattered", kBird},
    {"jay", "jays", "screeched", kBird},
    {"owl", "owls", "hooted", kBird},
    {"heron", "herons", "", kBird},
    {"stork", "storks", "", kBird},
    {"pigeon", "pigeons", "cooed", kBird},
    {"dove", "doves", "cooed", kBird},
    {"tortoise", "tortoises", "", kSlow},
    {"bear", "bears", "growled", kLarge | kSlow},
    {"wolf", "wolves", "growled", kLarge | kFast},
    {"bison", "bison", "grunted", kLarge},
    {"deer", "deer", "", kLarge | kFast},
    {"elk", "elk", "", kLarge | kFast},
    {"horse", "horses", "neighed", kLarge | kFast},
    {"pony", "ponies", "neighed", kLarge | kFast},
    {"donkey", "donkeys", "brayed", kLarge | kSlow},
    {"buffalo", "buffaloes", "bellowed", kLarge | kSlow},
    {"mule", "mules", "brayed", kLarge | kSlow},
    {"moose", "moose", "bellowed", kLarge | kSlow},
};

constexpr std::string_view kPainted = "red|blue|green|old|new|fine";
constexpr std::string_view kMetal = "silver|golden|copper|tiny|bright|shiny";
constexpr std::string_view kCloth = "red|blue|green|yellow|white|brown|grey";

constexpr Thing kThings[] = {
    {"ladder", kPainted, "to mend my roof", "broke", ThingKind::tool},
    {"spade", kPainted, "to dig my garden", "broke", ThingKind::tool},
    {"basket", kPainted, "to carry my plums home", "broke", ThingKind::tool},
    {"lantern", kPainted, "to find my way tonight", "cracked", ThingKind::tool},
    {"kettle", kPainted, "to make tea for my aunt", "cracked", ThingKind::tool},
    {"rope", kPainted, "to tie up my boat", "snapped", ThingKind::tool},
    {"hammer", kPainted, "to mend my door", "broke", ThingKind::tool},
    {"saw", kPainted, "to cut wood for the winter", "snapped", ThingKind::tool},
    {"bucket", kPainted, "to fetch water from the well", "broke", ThingKind::tool},
    {"wheelbarrow", kPainted, "to bring in my turnips", "broke", ThingKind::tool},
    {"axe", kPainted, "to split my logs", "broke", ThingKind::tool},
    {"rake", kPainted, "to gather the leaves", "snapped", ThingKind::tool},
    {"needle", "long|short|fine|silver|old|new", "to sew my blanket", "snapped", ThingKind::tool},
    {"broom", kPainted, "to sweep my floor", "broke", ThingKind::tool},
    {"pot", kPainted, "to cook my soup", "cracked", ThingKind::tool},
    {"oar", kPainted, "to cross the lake", "snapped", ThingKind::tool},
    {"cart", kPainted, "to take my grain to the mill", "broke", ThingKind::tool},
    {"brush", kPainted, "to paint my fence", "broke", ThingKind::tool},
    {"sickle", "old|new|sharp|fine", "to cut the long grass", "broke", ThingKind::tool},
    {"hoe", kPainted, "to weed my beans", "broke", ThingKind::tool},
    {"drum", kPainted, "to play at the wedding", "tore", ThingKind::tool},
    {"fiddle", "old|new|fine|brown", "to play at the wedding", "cracked", ThingKind::tool},
    {"umbrella", kPainted, "to visit my uncle in the rain", "tore", ThingKind::tool},
    {"sack", "old|new|big|brown|grey", "to carry my flour", "tore", ThingKind::tool},
    {"sledge", kPainted, "to bring home some wood", "broke", ThingKind::tool},
    {"pan", "old|new|big|copper", "to fry my mushrooms", "cracked", ThingKind::tool},
    {"jug", kPainted, "to fetch some milk", "cracked", ThingKind::tool},

    {"button", kMetal, "", "", ThingKind::treasure},
    {"ring", kMetal, "", "", ThingKind::treasure},
    {"bell", kMetal, "", "", ThingKind::treasure},
    {"coin", kMetal, "", "", ThingKind::treasure},
    {"key", kMetal, "", "", ThingKind::treasure},
    {"whistle", kMetal, "", "", ThingKind::treasure},
    {"mirror", "round|small|silver|golden|old", "", "", ThingKind::treasure},
    {"bead", "red|blue|green|white|golden", "", "", ThingKind::treasure},
    {"thimble", kMetal, "", "", ThingKind::treasure},
    {"spoon", kMetal, "", "", ThingKind::treasure},
    {"feather", "red|blue|white|long|golden", "", "", ThingKind::treasure},
    {"marble", "red|blue|green|white|round", "", "", ThingKind::treasure},
    {"locket", kMetal, "", "", ThingKind::treasure},
    {"brooch", kMetal, "", "", ThingKind::treasure},
    {"medal", kMetal, "", "", ThingKind::treasure},
    {"comb", "silver|golden|white|tiny", "", "", ThingKind::treasure},
    {"flute", "silver|golden|white|wooden", "", "", ThingKind::treasure},
    {"ribbon", kCloth, "", "", ThingKind::treasure},
    {"pearl", "white|grey|round|tiny|bright", "", "", ThingKind::treasure},
    {"compass", "golden|copper|old|small", "", "", ThingKind::treasure},
    {"shell", "white|blue|round|tiny|bright", "", "", ThingKind::treasure},
    {"buckle", kMetal, "", "", ThingKind::treasure},

    {"scarf", kCloth, "", "", ThingKind::clothing},
    {"hat", kCloth, "", "", ThingKind::clothing},
    {"cloak", kCloth, "", "", ThingKind::clothing},
    {"shawl", kCloth, "", "", ThingKind::clothing},
    {"coat", kCloth, "", "", ThingKind::clothing},
    {"cap", kCloth, "", "", ThingKind::clothing},
    {"apron", kCloth, "", "", ThingKind::clothing},
    {"blanket", kCloth, "", "", ThingKind::clothing},
    {"waistcoat", kCloth, "", "", ThingKind::clothing},
    {"bonnet", kCloth, "", "", ThingKind::clothing},
    {"jacket", kCloth, "", "", ThingKind::clothing},
    {"belt", kCloth, "", "", ThingKind::clothing},
};

constexpr Food kFoods[] = {
    {"apple", "apples", kTree},
    {"pear", "pears", kTree},
    {"plum", "plums", kTree},
    {"nut", "nuts", kTree},
    {"fig", "figs", kTree},
    {"peach", "peaches", kTree},
    {"cherry", "cherries", kTree},
    {"chestnut", "chestnuts", kTree},
    {"walnut", "walnuts", kTree},
    {"acorn", "acorns", kTree},
    {"bun", "buns", kBaked},
    {"cake", "cakes", kBaked},
    {"pie", "pies", kBaked},
    {"loaf", "loaves", kBaked},
    {"biscuit", "biscuits", kBaked},
    {"pancake", "pancakes", kBaked},
    {"dumpling", "dumplings", kBaked},
    {"tart", "tarts", kBaked},
    {"turnip", "turnips", kGrown},
    {"carrot", "carrots", kGrown},
    {"cabbage", "cabbages", kGrown},
    {"pumpkin", "pumpkins", kGrown},
    {"radish", "radishes", kGrown},
    {"onion", "onions", kGrown},
    {"potato", "potatoes", kGrown},
    {"tomato", "tomatoes", kGrown},
    {"bean", "beans", kGrown},
    {"melon", "melons", kGrown},
};

constexpr Weather kWeathers[] = {
    {"rain", "it rained all night", "the path was muddy", "slipped in the mud", "in the mud",
     "the mud"},
    {"snow", "snow fell all night", "the path was deep in snow", "stumbled in the snow",
     "in the snow", "the snow"},
    {"frost", "a hard frost came in the night", "the path was covered with ice",
     "slipped on the ice", "in the frost", "the ice"},
    {"wind", "a strong wind blew all night", "the path was full of branches",
     "tripped over a branch", "among the fallen leaves", "the branches"},
    {"fog", "a thick fog rose in the night", "nobody could see the path", "walked into a tree",
     "in the wet grass", "the fog"},
    {"heat", "the sun burned for many days", "the path was covered with dust",
     "stumbled over a dry root", "in the dust", "the dust"},
};

constexpr std::string_view kFemale[] = {
    "Ada",  "Bella", "Clara", "Daisy", "Elsie", "Fern",  "Greta", "Hilda", "Ida",    "Judith",
    "Kate", "Lily",  "Mabel", "Nell",  "Olga",  "Poppy", "Rosa",  "Sally", "Tilly",  "Una",
    "Vera", "Wanda", "Agnes", "Betty", "Dora",  "Emma",  "Flora", "Gwen",  "Hannah", "Martha",
};

constexpr std::string_view kMale[] = {
    "Alfie",  "Barnaby", "Caspar", "Dexter", "Edgar",  "Finn",  "George", "Hugo", "Ivan",  "Jasper",
    "Konrad", "Leo",     "Milo",   "Ned",    "Oscar",  "Percy", "Rufus",  "Sam",  "Toby",  "Ulric",
    "Victor", "Walter",  "Arthur", "Bruno",  "Duncan", "Emil",  "Felix",  "Gus",  "Henry", "Martin",
};

constexpr std::string_view kPlaces[] = {
    "by the river",
    "at the edge of the wood",
    "under an old oak",
    "on a green hill",
    "near the mill",
    "behind the village",
    "beside a quiet pond",
    "at the foot of a mountain",
    "in a small valley",
    "next to the orchard",
    "on the far side of the bridge",
    "by the sea",
    "in the tall grass",
    "among the willows",
    "near the crossroads",
    "below the castle",
    "on the island in the lake",
    "in the old quarry",
};

constexpr std::string_view kLandmarks[] = {
    "the old mill",    "the old signpost", "the big oak",      "the crossroads",
    "the broken gate", "the tall pine",    "the baker's shop", "the village well",
    "the white stone", "the ruined tower", "the hollow tree",  "the blacksmith's shop",
};

}  // namespace

std::span<const Animal> animals() { return kAnimals; }
std::span<const Thing> things() { return kThings; }
std::span<const Food> foods() { return kFoods; }
std::span<const Weather> weathers() { return kWeathers; }
std::span<const std::string_view> female_names() { return kFemale; }
std::span<const std::string_view> male_names() { return kMale; }
std::span<const std::string_view> places() { return kPlaces; }
std::span<const std::string_view> landmarks() { return kLandmarks; }

}  // namespace tpp::fable
