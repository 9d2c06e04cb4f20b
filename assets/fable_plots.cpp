#include "assets/fable_plots.h"

namespace tpp::fable {
namespace {

// A lends a tool; it comes back, comes back broken, or does not come back.
void lending(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "kind|generous|friendly|helpful");
  t.cast('B', end == 0   ? "careful|honest|tidy"
              : end == 1 ? "clumsy|hasty|careless"
                         : "sly|greedy|selfish");
  t.thing('x', ThingKind::tool);
  t.weather("rain|snow|frost|wind|fog");
  t.onlookers();
  t.title(
      "the {a} and the {x}|the {a}, the {b} and the {x}|{A} and the {x.full}|the {b} and the "
      "{x.full}");
  t.meet();
  t.tell(
      "{A} had {x.an}[, and {A.he} took good care of it|. There was no better {x} in the "
      "village|].");
  t.tell("[One morning|One day|One evening] {B} knocked at {A}'s door.");
  t.says('B', "[May|Could] I borrow your {x}, {A}? I need it {x.use}[| and I have none].");
  t.says('A', "[Of course|Gladly|Take it, {B}], but [please |]bring it back before {time}.");
  t.says('B', "[I promise|You have my word|I will not forget].");
  t.paragraph();
  if (end == 0) {
    t.tell(
        "{B} [worked hard|did the work], [cleaned|wiped] the {x} and carried it home before "
        "{time}.");
    t.says(
        'B',
        "[Thank you, {A}|Here is your {x}, {A}]. [It was a great help|It is as clean as it was].");
    t.tell("So {B} gave the {x} back to {A}, just as {B.he} had promised.");
    t.tell(
        "[A week later|In the spring|After the harvest] {B} asked for the {x} again, and {A} [lent "
        "it gladly|did not think twice].");
    t.moral(
        "What comes back in good order is lent again.|Keep your word, and doors stay open.|Take "
        "care of what is lent to you, and you may ask again.");
  } else if (end == 1) {
    t.tell("But {w.came}, and in the morning {w.path}.");
    t.tell("On the way home {B} {w.slip}, and the {x} {x.broke}.");
    t.tell("{B} [was ashamed|wanted to hide], but {B.he} went to {A} at once.");
    t.says('B',
           "I {x.broke} your {x}, {A}. I am sorry, and I will [mend it|pay for it|find you a new "
           "one].");
    if (t.branch(2) == 0) {
      t.says('A',
             "[You told me the truth|You did not hide it], and that is worth more than {x.bare}.");
      t.tell("They mended the {x} together, and {A} [forgave|was never angry with] {B}.");
    } else {
      t.says('A', "[I am sad about my {x}|It was a good {x}], but I am glad that you told me.");
      t.tell("{B} worked for {A} until the {x} was paid for, and they stayed friends.");
    }
    t.moral(
        "A broken thing can be mended, but a lie cannot.|Own up to a mistake, and half of it is "
        "mended.|The truth is the best way to say sorry.");
  } else {
    t.tell("But {time} came and went, and {B} did not bring the {x} back.");
    t.tell("[At last|The next day] {A} went to {B}'s house.");
    t.says('A', "[Where is my {x}|May I have my {x} back], {B}?");
    t.says('B',
           "[What {x}? I have never seen your {x}|I gave it back long ago|Your {x}? I know nothing "
           "of {x.bare}].");
    t.tell("But {O.an} {O:was/were} sitting [in the hedge|on the roof|by the gate].");
    t.tell("{O} had seen everything, and {O:it/they} told {A} that the {x} was behind {B}'s door.");
    t.tell(
        "So {B} had to give the {x} back to {A}, and {B.he} [was ashamed|went home without a "
        "word].");
    t.tell("[That winter|From that day on] nobody lent {B} so much as a [spoon|needle|bucket].");
    t.moral(
        "Whoever keeps what is lent will borrow only once.|A borrowed thing that stays away takes "
        "trust with it.|A lie has short legs.");
  }
}

// A loses something and B finds it.
void lost_and_found(Tale& t) {
  const int end = t.branch(4);
  t.cast('A', "forgetful|careless|dreamy|cheerful");
  t.cast('B', end == 0   ? "honest|kind|patient"
              : end == 1 ? "clever|wise|careful"
                         : "greedy|vain|sly");
  t.cast('C', end == 1 ? "greedy|sly|vain" : "old|quiet|busy");
  t.treasure_or_clothing('x');
  t.weather();
  t.title("the lost {x}|the {x.full}|the {a} and the {x.full}|{A}'s {x}");
  t.meet();
  t.meet_third();
  t.tell(
      "{A} had {x.an} [that {A.his} grandmother had given {A.him}|and loved it more than "
      "anything|that {A.he} took everywhere].");
  t.tell("[Then|One week] {w.came}, and {w.path}.");
  t.tell("{A} {w.slip}, and {A.he} did not see that the {x} was gone.");
  t.paragraph();
  t.tell("{B} found the {x} {w.trace}.");
  if (end == 0) {
    t.tell("{B.he} went to {C} first.");
    t.says('B', "[Is this your {x}|Did you lose {x.bare}], {C}?");
    t.says('C', "No, I have never had {x.an}. Ask {A}.");
    t.tell("So {B} walked [on to|all the way to] {A}'s house, though it was [late|far|cold].");
    t.says('A', "My {x}! [I have looked for it everywhere|I thought it was gone for ever]!");
    t.tell(
        "{B} gave the {x} back to {A}, and {A} [baked {B.him} a cake|danced for joy|never forgot "
        "it].");
    t.moral(
        "A thing found is not a thing owned.|Honest hands are never empty for long.|What you find "
        "belongs to the one who lost it.");
  } else if (end == 1) {
    t.says('B', "Whose {x} is this?");
    t.says('C', "[It is mine|That is my {x}]! Give it to me!");
    t.says('B',
           "[Then turn round, {C}, and tell me what it looks like.|What does it look like, {C}? "
           "Tell me.]");
    t.tell(
        "{C} had to guess. {C.he} said that it was [black and broken|as big as a barrel|made of "
        "straw].");
    t.tell("But when {B} asked {A}, {A.he} said at once that it was {x.an}.");
    t.tell("So {B} gave the {x} to {A}, and {C} went home with nothing.");
    t.moral(
        "The owner knows the thing; the thief can only guess.|One good question is better than a "
        "long quarrel.|Whoever claims too much gets nothing.");
  } else if (end == 2) {
    t.says('B', "[Nobody has seen me|Finders are keepers|Now it is mine].");
    t.tell(
        "[All week|For many days] {B} took out the {x} only at night, and hid it under the bed by "
        "day.");
    t.tell("It gave {B.him} no joy, for {B.he} could show it to nobody.");
    t.tell("[At last|On the seventh day] {B} took the {x} to {A}.");
    t.says('B', "This is yours, {A}. I [kept|hid] it, and I am sorry.");
    t.tell("{A} thanked {B.him}, and [that night|for the first time in a week] {B} slept well.");
    t.moral(
        "What must be hidden cannot be enjoyed.|A clear heart is the softest bed.|Stolen joy is no "
        "joy.");
  } else {
    t.says('B', "[Finders are keepers|What a fine {x}! Now it is mine].");
    t.tell("{B} held it high and walked through the village to be admired.");
    t.says('C',
           "[That is {A}'s {x}|I know that {x}, and so does everyone]. [You are not {A}|{A} has "
           "been looking for it all day].");
    t.tell(
        "[Everybody laughed|Everybody turned to look], and {B} had to give the {x} back to {A}.");
    t.moral(
        "Vanity is the thief that catches itself.|Whoever shows off what is not his own shows only "
        "his shame.|Borrowed feathers do not stay on.");
  }
}

// The fast one and the slow one.
void race(Tale& t) {
  const int end = t.branch(4);
  t.cast('A', "proud|boastful|vain", kFast, kBird);
  t.cast('B', "patient|steady|quiet|modest", kSlow, kBird);
  t.onlookers();
  t.weather("rain|snow|frost|wind|fog");
  t.title("the race|the {a} and the {b}|the race to {mark}|{A} and {B}");
  t.meet();
  t.says('A',
         "[Nobody is as fast as I am|I am the fastest of all|I could run to {mark} and back before "
         "you reach the gate, {B}].");
  t.says('B',
         "[Then let us race to {mark}|I am slow, but I will race you to {mark}|Perhaps. Let us run "
         "to {mark} and see].");
  if (end == 1) t.tell("They agreed to run the next day. But {w.came}, and {w.path}.");
  t.tell("{O.an} [gave the sign|called out one, two, three], and off they went.");
  t.paragraph();
  if (end == 0) {
    t.tell("{A} was soon so far ahead that {A.he} could not see {B} any more.");
    t.tell(
        "[The sun was warm|The grass was soft], so {A} lay down under a tree and [fell "
        "asleep|closed {A.his} eyes].");
    t.tell("{B} went on, step by step, and [did not stop once|looked neither left nor right].");
    t.tell("When {A} woke up, {B} was sitting [beside|in front of] {mark}.");
    t.says('B', "[Good morning, {A}|Did you sleep well, {A}]?");
    t.moral(
        "Slow steps that do not stop arrive first.|Speed is nothing to a sleeper.|The race is not "
        "won at the start.");
  } else if (end == 1) {
    t.tell("{A} ran so fast that {A.he} {w.slip} and hurt {A.his} leg.");
    t.tell("{B} saw that {A} could not walk, and {B.he} stopped.");
    t.says('B', "[Lean on me|Hold on to me], {A}. [We will go together|{mark} can wait].");
    t.tell("They reached {mark} side by side, and {O} did not know who had won.");
    t.says('A', "{B} has won. I was fast, but {B.he} was [good|kind].");
    t.moral(
        "Whoever stops to help loses nothing.|A friend is worth more than a prize.|It is better to "
        "arrive together.");
  } else if (end == 2) {
    t.tell("{A} stopped at every house to tell everybody how fast {A.he} was.");
    t.tell("{A} told the baker, {A} told the miller, and {A} told {A.his} aunt twice.");
    t.tell("Meanwhile {B} [walked past|went by] without a word.");
    t.tell("When {A} came to {mark}, {O} {O:was/were} already [cheering for|dancing round] {B}.");
    t.says('A', "But I am faster!");
    t.says('B', "[Your legs are, {A}, but your tongue is slow|You are, {A}, when you run].");
    t.moral("Talk does not move the feet.|Do first, and talk later.|Boasting wins no race.");
  } else {
    t.tell(
        "{A} ran like the wind and was at {mark} before {B} had [crossed the first field|passed "
        "the first tree].");
    t.tell("But nobody cheered, and it was [lonely|quiet] there.");
    t.tell("So {A} ran back and walked the rest of the way beside {B}.");
    t.says('A', "[I have won|I was first], but [it is no fun alone.|who wants to win alone?]");
    t.tell("{O} laughed, and from then on {A} boasted [less|no more].");
    t.moral(
        "To win alone is only half a joy.|Even the fastest needs company.|A victory is worth as "
        "much as those who share it.");
  }
}

// One gathers, one plays, and then comes winter.
void winter_store(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', end == 1 ? "hard|stingy|busy" : "busy|careful|wise");
  t.cast('B', "lazy|merry|idle|cheerful");
  t.food(kTree | kGrown);
  t.number('n', 3 + t.branch(8));
  t.title("the winter|the {a} and the {b}|{n} baskets of {f.many}|the {b} who sang");
  t.meet();
  t.tell(
      "All summer {A} gathered {f.many}, while {B} [lay in the sun and sang|sang in the grass|sang "
      "and danced by the river].");
  t.says('B',
         "[Why do you work so hard, {A}?|Come and play, {A}!] [The summer is long|The sun is "
         "shining].");
  t.says('A', "[Winter will come|The winter is longer]. You should gather {f.many} too, {B}.");
  t.tell("But {B} only laughed. In autumn {A} had {n} baskets of {f.many}, and {B} had none.");
  t.paragraph();
  t.tell(
      "Then the snow came[, and the river froze|, and the fields were white]. {B} was hungry and "
      "knocked at {A}'s door.");
  t.says('B', "Please give me {f.an}, {A}. [I have nothing left|I have nothing to eat].");
  if (end == 0) {
    t.says('A', "Come in and eat. But next summer you will [work with me|help me].");
    t.tell(
        "{B} ate, and {B.he} did not forget. The next summer {B} carried more baskets than "
        "anyone.");
    t.tell("When winter came again, there were {f.many} for both of them.");
    t.moral(
        "Help given in winter comes back in summer.|A lesson is learned best with a full "
        "stomach.|Whoever shares today has a helper tomorrow.");
  } else if (end == 1) {
    t.says('A', "You sang all summer, so now you may dance.");
    t.tell("{A} shut the door, and {B} went away [through the snow|into the cold].");
    t.tell("{A} had enough {f.many}, but the evenings were long, and nobody sang.");
    t.tell("[At last|After a week] {A} took a basket and went out to look for {B}.");
    t.says('A',
           "[Come home with me|Take this], {B}. [A house without songs is cold|I was right, but I "
           "was not kind].");
    t.moral(
        "It is not enough to be right.|A full store does not warm a cold heart.|Bread fills the "
        "house, but friends fill the evening.");
  } else {
    t.says('A', "What can you give me for it?");
    t.says('B', "[I have only my songs|I can only sing].");
    t.tell("So {B} sang all evening, and the long night became short.");
    t.tell("From then on {A} gave {B} {f.an} for every song, and both were [happy|content].");
    t.moral(
        "Everyone has something to give.|A song is also work.|One brings the bread, and another "
        "brings the song.");
  }
}

// A cart is stuck; who helps, and who is helped later?
void stuck_cart(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "busy|hard-working|stubborn|restless", kLarge);
  t.cast('B', "proud|elegant|vain|hurried", 0, kSmall);
  t.cast('C', "small|tiny|little", kSmall);
  t.food(kGrown | kTree);
  t.weather("rain|snow");
  t.number('n', 2 + t.branch(4));
  t.title("the cart in {w.mud}|the {a} and the {c}|the cart of {f.many}|the {c} who helped");
  t.tell(
      "{w.came}, and {w.path}. But {A} the {a} had to take a cart of {f.many} to the market, and "
      "{A.he} was too {A.t} to stay at home.");
  t.tell("[Near|Not far from] {mark} the cart stuck fast.");
  t.tell("[Soon|After a while] {B} the {b} came by.");
  t.says('A', "[Please help me push, {B}.|Will you help me push the cart, {B}?]");
  t.says('B', "[I have no time|My coat would get dirty|That is no work for me], {A}.");
  t.tell("And {B} walked on, for {B.he} was very {B.t}.");
  t.paragraph();
  t.tell("Then came {C.an} called {C}.");
  t.says('C', "[I am not strong, {A}, but I can dig|I cannot push, {A}, but I can dig].");
  t.tell("{C} dug {w.mud} away from the wheels, and with one pull {A} moved the cart.");
  if (end == 0) {
    t.tell("At the market {A} sold the {f.many}, but {A.he} kept {n f} for {C}.");
    t.tell("When {B} came to buy, the cart was empty.");
    t.says('B', "Is there nothing left for me?");
    t.says('A', "[The rest is for {C}, who had time|These are for {C}, whose coat is dirty].");
    t.moral(
        "Those who help with the cart eat from the cart.|Small help is better than great "
        "excuses.|Who has no time for others finds an empty table.");
  } else if (end == 1) {
    t.tell("A little further on they saw {B} again. {B.he} had fallen into a ditch.");
    t.says('B', "Help me, {A}! Help me, {C}!");
    t.says('C', "[Shall we|Do we have time, {A}]?");
    t.says('A', "[We know how it feels to be stuck|Yes, for nobody should stay in a ditch].");
    t.tell(
        "They pulled {B} out, and {B} was [ashamed|very quiet]. {B.he} pushed the cart all the way "
        "to the market.");
    t.moral(
        "Help even those who did not help you.|The one who walks past today may lie in the ditch "
        "tomorrow.|Kindness teaches better than anger.");
  } else {
    t.says('A', "How can I thank you, {C}?");
    t.says('C', "[Let me ride on the cart|Carry me to the market, for my legs are short].");
    t.tell(
        "So {C} rode to the market on top of the {f.many}, and {B}, who was still walking, [saw "
        "them go by|had to step aside].");
    t.says('B', "May I ride too?");
    t.says('C',
           "[There is room, but next time you must dig|Yes, if you push when it sticks again].");
    t.moral(
        "Who helps to push may also ride.|The smallest friend may be the greatest help.|Work "
        "first, and then the ride is sweet.");
  }
}

// A large animal in a net and a small one with good teeth.
void net(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', end == 1 ? "proud|scornful|boastful" : "strong|mighty|gentle", kLarge);
  t.cast('B', "little|brave|nimble|quick", kSmall | kGnaws);
  t.onlookers();
  t.title("the {a} and the {b}|the net|the {a} in the net|{B} and the net");
  t.tell(
      "[Once|One day|One summer] {A.an} called {A} lay asleep {place}. {B.an} called {B} ran over "
      "{A.his} nose and woke {A.him}.");
  if (end == 1) {
    t.says('A',
           "How dare you, {B}? [Go away, you are too small to be of use|What is the world coming "
           "to]!");
    t.tell("{A} [chased {B} away|blew {B} into a bush], and {O.an} laughed.");
  } else {
    t.says('B', "Forgive me, {A}! Let me go, and one day I will help you.");
    t.says('A',
           "[You? Help me? But you make me laugh, so run along|Run along, little one. I will not "
           "hurt you].");
    t.tell("So {A} let {B} go.");
  }
  t.paragraph();
  t.tell(
      "[Not long after|A month later|When the leaves fell], {A} walked into a hunter's net near "
      "{mark}. The more {A.he} pulled, the tighter the ropes became.");
  t.tell("{B} heard {A.him} cry and came running.");
  if (end == 0) {
    t.says('B', "Lie still, {A}. [Now it is my turn|I have come to keep my promise].");
    t.tell("{B} gnawed through one rope after another, and before {time} {A} was free.");
    t.says('A',
           "[I laughed at you, {B}, and you have saved me|You are small, {B}, but your help is "
           "great].");
    t.moral(
        "Nobody is too small to help.|A kindness is never wasted.|Mercy comes back when it is "
        "needed most.");
  } else if (end == 1) {
    t.says('A', "[You have come to laugh at me, {B}|I was unkind to you, {B}. Go home].");
    t.says('B', "[No, {A}, I have come to bite the ropes|Be quiet, {A}, and let me work].");
    t.tell("{B} gnawed until {B.his} teeth hurt, and the net fell apart.");
    t.tell(
        "{A} [bowed {A.his} great head|had no words]. From that day on {A} stepped aside for every "
        "{b} on the path.");
    t.moral(
        "The small have reasons to be proud too.|Do good even to those who were unkind.|Do not "
        "look down on anyone, for you may have to look up.");
  } else {
    t.tell("But the ropes were thick, and {B} was alone.");
    t.says('B', "[Wait here|Do not give up], {A}! I will fetch the others.");
    t.tell("{B} called all {B.his} friends, and {O.an} brought the news to the rest of the wood.");
    t.tell("They gnawed all night, each at one rope, and in the morning {A} was free.");
    t.moral(
        "Many small teeth make one great saw.|What one cannot do, many can.|A friend who fetches "
        "friends is twice a friend.");
  }
}

// Someone has eaten what was cooling on the window sill.
void missing_cake(Tale& t) {
  const int end = t.branch(3);
  const int before = 3 + t.branch(8), taken = 1 + t.branch(2);
  t.cast('A', "hospitable|friendly|careful|busy");
  t.cast('B', end == 0 ? "honest|young|hungry" : "greedy|sly|naughty");
  t.cast('C', "quiet|shy|modest");
  t.food(kBaked);
  t.number('n', before);
  t.number('m', taken);
  t.number('k', before - taken);
  t.weather("rain|snow|frost|heat|wind");
  t.title("the missing {f}|{n} {f.many}|who ate the {f}?|the {b} and the {f}");
  t.meet();
  t.meet_third();
  t.tell("Then {w.came}, and {w.path}.");
  t.tell("So {A} stayed at home, baked {n f} and put them on the window sill to cool.");
  t.tell("When {A} came back, {m} of them {m:was/were} gone, and only {k f} {k:was/were} left.");
  t.says('A',
         "There were {n}, and now there {k:is/are} {k}! [Who has been here|Who has taken "
         "{m:it/them}]?");
  t.paragraph();
  if (end == 0) {
    t.tell(
        "{B} was sitting behind the house with crumbs all over {B.him}. {B.he} could have run "
        "away, but {B.he} did not.");
    t.says('B',
           "It was me, {A}. [They smelled so good|I was hungry and I did not ask]. I am sorry.");
    t.says('A',
           "[Next time, ask me, {B}, and I will give you one|If you had asked, I would have given "
           "you one].");
    t.tell("{B} swept {A}'s floor to make up for it, and {C} got {f.an} too.");
    t.moral(
        "Asking is shorter than stealing.|Who says sorry first is forgiven first.|The truth tastes "
        "better than stolen bread.");
  } else if (end == 1) {
    t.says('B', "It was {C}! I saw {C.him} with my own eyes!");
    t.says('C', "[I was at home all day|I never touched them], {A}.");
    t.tell(
        "But there were footprints {w.trace}. They led from the window to {B}'s door, and not to "
        "{C}'s.");
    t.says('A', "[Feet do not lie, {B}|These are your feet, {B}].");
    t.tell("{B} had to say sorry to {A}, and twice to {C}.");
    t.moral(
        "Who points at others should look at his own feet.|A false word leaves tracks.|To blame "
        "another makes one wrong into two.");
  } else {
    t.tell("Nobody answered. So {A} thought of a trick.");
    t.says('A', "Whoever took {m:it/them} has flour on the face!");
    t.tell(
        "At once {B} [rubbed|wiped] {B.his} face, and then everyone knew. {C} had not moved at "
        "all.");
    t.says('B', "[How did you know|Is it gone], {A}?");
    t.says('A', "[I did not know, {B}, you told me|There never was any flour, {B}].");
    t.moral(
        "A bad conscience gives itself away.|The guilty hear their name in every word.|Who has "
        "nothing to hide need not wipe his face.");
  }
}

// The stream is dry: dig one deep hole, or many shallow ones.
void dry_well(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', end == 1 ? "proud|stubborn|selfish" : "impatient|hasty|restless");
  t.cast('B', "patient|steady|calm");
  t.weather("heat");
  t.number('n', 4 + t.branch(9));
  t.number('m', 2 + t.branch(4));
  t.title("the dry summer|the {a} and the {b}|the well|{n} holes");
  t.meet();
  t.tell("One summer {w.came}. The stream was dry, and {w.path}.");
  t.says('B', "[We must dig for water|There is water under the ground, if we dig], {A}.");
  t.paragraph();
  if (end == 0) {
    t.tell(
        "{A} dug a hole, found only sand, and began another. By evening {A} had dug {n} holes, and "
        "all of them were dry.");
    t.tell(
        "{B} dug one hole. On the first day {B} found sand, and on the second day {B.he} found "
        "stones.");
    t.tell("On the [third|fourth|fifth] day the stones were wet, and then the water came.");
    t.says('A', "I dug {n} holes and found nothing! How did you do it, {B}?");
    t.says('B', "I dug one.");
    t.tell("And {B} let {A} drink.");
    t.moral(
        "One deep hole finds more water than ten shallow ones.|Patience digs the deepest well.|Who "
        "begins everything finishes nothing.");
  } else if (end == 1) {
    t.says('A', "I will dig by myself, and [the water will be mine alone|I will not share it].");
    t.tell(
        "So {A} dug on one side of the hill, and {B} dug on the other. After {m} days both were "
        "tired, and both holes were dry.");
    t.says('B', "If we had dug together, we would be twice as deep.");
    t.tell("{A} thought about it all night. In the morning {A.he} came with {A.his} spade.");
    t.says('A', "[Let us dig here|You were right, {B}]. And we will share the water.");
    t.tell("They dug together, and before {time} they both drank.");
    t.moral(
        "Two halves of a well hold no water.|Together is twice as deep.|What is shared is found "
        "sooner.");
  } else {
    t.tell(
        "They took turns, one digging and one carrying the sand. After {m} days {A} threw down the "
        "spade.");
    t.says('A', "[It is no use|There is nothing here], and I am going home.");
    t.says('B', "[Only one day more|Give me one more day], {A}.");
    t.tell(
        "{A} went home, and {B} dug on alone. The next morning {B} called, and the water was as "
        "clear as glass.");
    t.says('A', "I left one day too soon. May I drink?");
    t.says(
        'B',
        "[Half of the hole is yours, so half of the water is too|You dug for {m} days, so drink].");
    t.moral(
        "The last day of work is the one that counts.|Do not stop one step before the end.|Those "
        "who give up never know how near they were.");
  }
}

// Cry wolf, and nobody comes.
void false_alarm(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "bored|young|playful|foolish", 0, kLarge);
  t.cast('B', end == 1 ? "faithful|kind|patient" : "busy|serious|old");
  t.onlookers();
  t.food(kTree | kGrown);
  const std::string_view cry = t.one_of("Fire|Thieves|The flood is coming");
  const std::string danger(cry == "Fire"      ? "there was smoke behind {mark}"
                           : cry == "Thieves" ? "three thieves came over the hill"
                                              : "the river rose over its banks");
  const std::string loss(cry == "Fire"      ? "the barn burned down"
                         : cry == "Thieves" ? "the thieves took every sack"
                                            : "the water carried every sack away");
  const std::string shout = std::string(cry) + "! " + std::string(cry) + "!";
  t.title("the false alarm|the {a} on the hill|the {a} who cried too often|{A}'s joke");
  t.tell(
      "{A} the {a} had to watch the village's {f.many} from the hill. {A.he} was {A.t}, and "
      "[nothing ever happened|the days were long].");
  t.tell("So one day {A.he} shouted as loudly as {A.he} could.");
  t.says('A', shout);
  t.tell(
      "{B} the {b} came running, and {O.an} came too. But there was nothing to see, and {A} "
      "laughed.");
  t.tell("The next day {A} did it again.");
  t.says('A', shout);
  t.says('B', "[This is not funny|One day nobody will come], {A}.");
  t.paragraph();
  t.tell("On the third day " + danger + ".");
  t.says('A', shout);
  if (end == 0) {
    t.tell("But {O} did not move, and {B} went on with {B.his} work. Nobody came, and " + loss +
           ".");
    t.says('A', "[Why did you not come, {B}?|I called and called, {B}!]");
    t.says('B',
           "[You called three times, {A}, and twice it was a lie|We have heard that song before].");
    t.moral(
        "Nobody believes a liar, even when he tells the truth.|A false alarm is a debt that is "
        "paid later.|Trust that is played with breaks.");
  } else if (end == 1) {
    t.tell(
        "{O} did not move. But {B} looked at the hill and thought that this time the voice was "
        "different.");
    t.tell(
        "{B} ran as fast as {B.he} could, and together they saved [most of|half of|nearly all of] "
        "the {f.many}.");
    t.says('A', "Why did you come, {B}? I lied to you twice.");
    t.says('B',
           "[I would rather come three times for nothing than miss the one time you need "
           "me|Because the third time your voice shook].");
    t.tell("{A} never played that joke again.");
    t.moral(
        "A true friend comes the third time too.|Be careful with a friend's trust, for it is all "
        "you have in need.|Patience saves what a joke has put in danger.");
  } else {
    t.tell(
        "Nobody came. {A} was afraid, but {A.he} stayed and [rang the bell|blew the horn] for an "
        "hour.");
    t.tell("Then {B} understood, and {O} understood too. They came just in time.");
    t.says('A', "I am sorry, {B}. I will never cry for nothing again.");
    t.says('B',
           "[You stayed when you could have run, and that is a beginning|Now we know that you can "
           "also be brave].");
    t.moral(
        "Trust is lost in a minute and won back by work.|It is never too late to be serious.|A "
        "brave deed mends a foolish word.");
  }
}

// A trades one thing for another, and that for a third.
void trading(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', end == 1 ? "foolish|hasty|simple" : "cheerful|simple|good-natured");
  t.cast('B', "clever|sharp|friendly");
  t.cast('C', end == 2 ? "poor|old|sick" : "busy|lively|talkative");
  t.thing('x', ThingKind::clothing);
  t.thing('y', end == 1 ? ThingKind::treasure : ThingKind::tool);
  t.food(kBaked | kTree);
  t.title("the {x} and the {y}|{A} goes to market|the {a} who traded|{x.bare} for {f.an}");
  t.tell(
      "{A} the {a} went to the market with {x.an}. [Near {mark}|On the road] {A.he} met {B} the "
      "{b}, who had {y.an}.");
  t.says('B',
         "[I like your {x}, {A}. Will you take my {y} for it|Will you give me your {x} for my {y}, "
         "{A}]?");
  t.says('A', "[Why not|Gladly], for I have never had {y.bare}.");
  t.tell("So now {B} had the {x}, and {A} had the {y}.");
  t.tell("[Further on|A mile later] {A} met {C} the {c}, who had {f.an}.");
  t.paragraph();
  if (end == 0) {
    t.says('C', "[My {f} for your {y}|Will you trade your {y} for my {f}], {A}?");
    t.tell("{A} was hungry, so {A.he} gave {C} the {y} and ate the {f} at once.");
    t.tell("When {A} came home, {A.he} carried nothing, and {A.he} was singing.");
    t.tell("{A.his} neighbours said that {A.he} had lost {x.an} and {y.an}.");
    t.says('A',
           "[I have lost nothing that I needed|I was hungry, and now I am not. That is a good "
           "trade].");
    t.moral(
        "The best trade is the one that makes you happy.|A thing is worth what it gives you "
        "today.|Who is content cannot be cheated.");
  } else if (end == 1) {
    t.says('C',
           "[My {f} is fresh, and your {y} cannot be eaten|You cannot eat {y.bare}, {A}]. Will you "
           "trade?");
    t.tell(
        "{A} gave the {y} to {C} and took the {f}. But when {A} tasted it, it was [rotten|full of "
        "worms|as hard as a stone].");
    t.tell("That night the wind was cold. {B} wore the {x}, {C} had the {y}, and {A} had nothing.");
    t.says('A', "Tomorrow I will think before I say yes.");
    t.moral(
        "Think twice before you trade once.|Who says yes too quickly goes home with empty "
        "hands.|Look at what you get before you give what you have.");
  } else {
    t.tell("{C} was sad, because {C.he} needed {y.bare} and had only {f.an} to give for it.");
    t.says('A', "Take the {y}, {C}, and keep your {f}. [You need both|I can do without].");
    t.tell(
        "{A} went home with nothing. But when winter came and {A} had no {x}, {B} brought it "
        "back.");
    t.says('B', "[I heard what you did for {C}|{C} told me what you did]. Here is your {x}, {A}.");
    t.moral(
        "What is given away is not lost.|A good deed walks ahead and waits for you.|An open hand "
        "is never cold for long.");
  }
}

// A bird with something in its beak, and a flatterer under the tree.
void flattery(Tale& t) {
  const int end = t.branch(3);
  t.cast('A',
         end == 1   ? "clever|careful|wise"
         : end == 0 ? "vain|proud|foolish"
                    : "friendly|modest|kind",
         kBird);
  t.cast('B', "sly|hungry|cunning", kSly);
  t.food(kBaked | kTree);
  t.title("the {a} and the {b}|the {a} and the {f}|the {f} in the tree|the {b} under the tree");
  t.tell(
      "{A} the {a} was sitting in a tree near {mark} with {f.an} in {A.his} beak. {A} was {A.t}, "
      "and [everyone knew it|so was all {A.his} family].");
  t.tell("{B} the {b} smelled the {f} and stopped under the tree, for {B.he} was {B.t}.");
  t.says('B',
         "[Good morning|Good day|Good evening], {A}! [How beautiful your feathers are|How bright "
         "your eyes are|How well you look today]!");
  t.tell("{A} said nothing.");
  t.says('B',
         "[They say that your voice is even more beautiful|I have heard that nobody sings like "
         "you]. Will you not sing for me?");
  t.paragraph();
  if (end == 0) {
    t.tell(
        "{A} was so pleased that {A.he} opened {A.his} beak to sing. Down fell the {f}, and {B} "
        "caught it.");
    t.says('B',
           "[Thank you, {A}. Your voice is good, but your {f} is better|You have a voice, {A}, but "
           "you should find some sense].");
    t.tell("{B} went away with the {f}, and {A} had only {A.his} song.");
    t.moral(
        "Flatterers live on those who listen.|Sweet words cost the listener his supper.|Beware of "
        "praise that is hungry.");
  } else if (end == 1) {
    t.tell("{A} put the {f} under {A.his} foot, held it fast, and then {A.he} sang a long song.");
    t.tell("{B} waited for the {f} to fall, but it did not fall.");
    t.says('A',
           "[Did you like my song, {B}, or did you like my {f}?|You may clap now, {B}. The {f} "
           "stays here.]");
    t.tell("{B} [went home hungry|walked away without a word], and {A} ate the {f} in peace.");
    t.moral(
        "Enjoy the praise, but hold on to your bread.|Whoever thinks first may sing later.|A wise "
        "head can hear flattery and keep its supper.");
  } else {
    t.tell(
        "{A} looked down and saw how thin {B} was. {A} broke the {f} in two and dropped one half.");
    t.says('A', "You need not praise me, {B}. [If you are hungry, say so|It is easier to ask].");
    t.tell(
        "{B} ate and was ashamed. The next day {B} came back, and this time {B.he} said only what "
        "was true.");
    t.moral(
        "An honest question gets more than a false compliment.|Who gives freely cannot be "
        "robbed.|Kindness makes a liar honest.");
  }
}

// A secret told, and told again.
void secret(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "trusting|careful|quiet");
  t.cast('B', end == 0 ? "talkative|careless|chatty" : "loyal|silent|faithful");
  t.cast('C', end == 2 ? "curious|young|playful" : "curious|greedy|nosy");
  t.treasure_or_clothing('x');
  t.number('n', 3 + t.branch(7));
  t.title("the secret|the hidden {x}|{A}'s secret|the {b} and the secret");
  t.meet();
  t.meet_third();
  t.says('A', "Can you keep a secret, {B}? My {x} is hidden {n} steps from {mark}.");
  t.says('B', "[I will tell nobody|My lips are sealed], {A}.");
  t.tell("The next day {C} met {B} [at the well|on the road|by the gate].");
  t.says('C', "[What did {A} tell you|You look like someone with a secret. What is it], {B}?");
  t.paragraph();
  if (end == 0) {
    t.says('B', "I must not tell you that {A}'s {x} is {n} steps from {mark}.");
    t.tell(
        "As soon as the words were out, {B} wished them back. That night {C} counted {n} steps "
        "from {mark} and dug, and in the morning the {x} was gone.");
    t.says('A', "[Only you knew it|I told nobody else], {B}.");
    t.tell("{B} made {C} give the {x} back. But {A} never told {B} a secret again.");
    t.moral(
        "A secret told once is told to all.|A word that has flown out cannot be caught.|Who cannot "
        "be silent will not be trusted.");
  } else if (end == 1) {
    t.says('B', "If I told you, {C}, could you keep it to yourself?");
    t.says('C', "Oh yes, I could!");
    t.says('B', "So can I.");
    t.tell(
        "{C} [walked away angrily|had no answer to that]. When {A} heard of it, {A.he} laughed and "
        "showed {B} the {x}.");
    t.moral(
        "A closed mouth keeps an open friendship.|Be to a secret what a lock is to a door.|Who "
        "keeps a secret is given another.");
  } else {
    t.says('B', "It is not my secret, {C}, so it is not mine to give. Ask {A}.");
    t.tell(
        "So {C} asked {A}, and {A} liked {C.him} for asking. {A} led them both {n} steps from "
        "{mark} and showed them {x.an}.");
    t.says('A', "[Now it belongs to the three of us|Now we are three who know].");
    t.moral(
        "Ask the owner, not the guard.|An honest question opens more than a trick.|What is not "
        "yours to tell is not yours to give.");
  }
}

// A goes on a journey and asks B to look after something.
void promise(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "adventurous|busy|old|friendly");
  t.cast('B', end == 0   ? "faithful|careful|dutiful"
              : end == 1 ? "forgetful|lazy|dreamy"
                         : "young|shy|timid");
  t.food(kGrown);
  t.weather(end == 2 ? "rain|wind|frost" : "heat");
  const int days = 4 + t.branch(9);
  t.number('n', days);
  t.number('m', end == 1 ? 1 + t.branch(6) : 2 + t.branch(days - 3));
  t.title("the promise|{n} days|the garden|{A}'s garden|the {b} and the {f.many}");
  t.meet();
  t.says('A', "I must go on a journey, {B}. Will you look after my {f.many} for {n} days?");
  t.says('B',
         "[I promise to look after every {f}|I will look after them every day, {A}|Do not worry, "
         "{A}].");
  t.tell("So {A} went away, and {B} had the key to the garden.");
  t.paragraph();
  if (end == 0) {
    t.tell(
        "{w.came}, and the well was far away. But every [morning|evening] {B} carried water to the "
        "{f.many}.");
    t.tell("After {n} days {A} came home, and every {f} was [green|fresh|twice as big].");
    t.says('A', "I was away, but my garden was not alone.");
    t.tell("{A} gave {B} half of the {f.many}.");
    t.moral(
        "A promise is kept on the days when nobody looks.|Who waters another's garden eats from it "
        "too.|Small work every day is great work in the end.");
  } else if (end == 1) {
    t.tell(
        "On the first day {B} carried water. On the second day {B} was tired, and after that "
        "{B.he} forgot.");
    t.tell("{w.came}, and the {f.many} dried up. Only {m f} {m:was/were} left when {A} came home.");
    t.says('A', "[Did you forget your promise|What about your promise], {B}?");
    t.says('B', "I meant to go every day, and every day I meant it for tomorrow.");
    t.tell("{B} gave {A} {f.many} from {B.his} own garden, and it was a thin winter for {B.him}.");
    t.moral(
        "Tomorrow waters no garden.|A promise grows only if you tend it.|To mean well is not to do "
        "well.");
  } else {
    t.tell("For {m} days all went well. Then {w.came}, and {B} was afraid to go out.");
    t.tell(
        "But {B} thought of {A} and of the promise. {B.he} [put on two coats|took a deep breath] "
        "and covered every {f} with straw.");
    t.tell(
        "When {A} came home, the gardens all around were bare, and only {A}'s {f.many} were "
        "standing.");
    t.says('A', "And you were not afraid, {B}?");
    t.says('B', "[I was, but I had promised|I was afraid all night long].");
    t.moral(
        "To be brave is to be afraid and to go.|A promise makes the timid strong.|Courage is a "
        "promise kept in bad weather.");
  }
}

// Straw is quick, stone is slow, and the storm comes.
void two_houses(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "hasty|careless|merry", 0, kBird);
  t.cast('B', end == 1 ? "proud|stern|strict" : "careful|patient|thorough", 0, kBird);
  t.onlookers();
  t.number('n', 2 + t.branch(2));
  t.number('m', 8 + t.branch(12));
  t.title("the two houses|straw and stone|the house of straw|the {a}, the {b} and the storm");
  t.tell(
      "{A} the {a} and {B} the {b} each wanted to build a house {place}. {A} was {A.t}, and {B} "
      "was {B.t}.");
  t.tell("{A} took straw and was ready in {n} days. {B} took stones and needed {m} days.");
  t.says('A',
         "[Look at me, I am resting already|You work much too long|You are still carrying stones], "
         "{B}!");
  t.says('B', "[Look at the sky|A house is not for the sunshine], {A}.");
  t.tell("{O.an} saw it all and said nothing.");
  t.paragraph();
  t.tell(
      "Then a storm came. It shook the trees, and it blew {A}'s house away as if it were a hat.");
  t.tell("{A} ran to the house of stone, wet and cold, and knocked.");
  if (end == 0) {
    t.says('A', "Let me in, {B}! My house is gone!");
    t.says('B', "[Come in and get dry|The fire is warm, and there is room for two].");
    t.tell(
        "When the storm was over, {B} helped {A} to build again, and this time they used stone. "
        "{O} helped as well.");
    t.moral(
        "What is built well shelters two.|Build for the storm, not for the sun.|A good neighbour "
        "is the best wall.");
  } else if (end == 1) {
    t.says('B', "[You laughed at my stones|I told you so]. Why should I let you in?");
    t.says('A', "Because it is raining.");
    t.tell(
        "{B} thought about that, and {B.he} could find no better reason. So {B} opened the door.");
    t.tell(
        "They sat by the fire, and {A} [told stories|sang] until the storm was over. {B} had never "
        "had such a good evening.");
    t.moral(
        "Need is reason enough.|A strong house needs an open door.|Being right keeps nobody warm.");
  } else {
    t.tell("But {B} was not at home. {B.he} had gone out into the storm to look for {A}.");
    t.tell("They met halfway, near {mark}, and {B} held {A} fast.");
    t.says('B', "[I was afraid for you|I built my house for two], {A}. Come home.");
    t.tell(
        "In the morning {O} found them both asleep in the house of stone, with the fire still "
        "warm.");
    t.moral(
        "A house is stone, but a home is a friend.|Who builds well can also care for others.|The "
        "best walls are two arms.");
  }
}

// Rich gifts and small ones.
void gift(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "rich|proud|grand");
  t.cast('B', "poor|modest|shy");
  t.cast('C', "old|wise|lonely");
  t.treasure_or_clothing('x');
  t.food(kTree);
  t.number('n', 2 + t.branch(6));
  t.title("the birthday|the two gifts|the gift|{C}'s birthday|the {c}'s birthday");
  t.tell(
      "{C} the {c} was {C.t}, and it was {C.his} birthday. Everyone who lived {place} brought "
      "{C.him} a gift.");
  t.tell(
      "{A} the {a}, who was {A.t}, brought {x.an}. {B} the {b}, who was {B.t}, had only {f.an}.");
  t.says('A', "[Is that all, {B}?|Only {f.an}, {B}? Look at my {x}!]");
  t.tell("{B} [looked at the ground|hid the {f} behind {B.his} back].");
  t.paragraph();
  if (end == 0) {
    t.tell("{C} looked at the {x}. It was very fine, and {C} had {n} like it in {C.his} cupboard.");
    t.tell("Then {C} saw the {f} and smiled.");
    t.says('C', "My mother gave me {f.an} on every birthday, {B}. How did you know?");
    t.says('B', "I did not know. It was my last one.");
    t.tell("{C} thanked {A} for the {x}, but {C.he} kept {B} at {C.his} side all evening.");
    t.moral(
        "A gift is as great as what it costs the giver.|Small gifts find large hearts.|It is not "
        "the price that makes a gift.");
  } else if (end == 1) {
    t.says('C',
           "[Thank you both|These are fine gifts]. But who will stay and [eat with me|help me "
           "light the fire|tell me a story]?");
    t.tell("{A} had no time and left. {B} stayed, and they shared the {f}.");
    t.tell("They talked until the stars came out. When {B} went home, {C} gave {B.him} the {x}.");
    t.says('C', "You gave me an evening, {B}, and I have no use for {x.bare}.");
    t.moral(
        "Time is the gift that nobody can buy.|Who stays gives more than who brings.|The best gift "
        "sits down at the table.");
  } else {
    t.tell("But on the way home {A} heard {C} singing, and {A.he} looked in at the window.");
    t.tell("{C} was planting the seed of the {f}, and {B} was holding the lamp.");
    t.says('C', "My {x} will grow old, but this will be a tree, {B}.");
    t.tell(
        "Years later {A} sat in the shade of that tree. {B} gave {A.him} {f.an}, and {A} was not "
        "proud any more.");
    t.moral(
        "A small gift may grow.|Give what lives, and it will give again.|What shines today may be "
        "dull tomorrow, but a seed becomes a tree.");
  }
}

// Two find one thing, and a third is to judge.
void judge(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "stubborn|hot-tempered|greedy");
  t.cast('B', end == 2 ? "gentle|generous|calm" : "stubborn|quarrelsome|loud");
  t.cast('C', end == 0 ? "sly|cunning|hungry" : "wise|old|fair");
  t.food(kBaked | kTree | kGrown);
  t.title("the judge|the quarrel|one {f} for two|the {c} as judge|the {a}, the {b} and the {f}");
  t.tell("{A} the {a} and {B} the {b} found {f.an} near {mark}. {A} was {A.t}, and {B} was {B.t}.");
  t.says('A', "[I saw it first|It is mine, for I saw it first]!");
  t.says('B', end == 2 ? "I picked it up, but let us ask somebody."
                       : "[But I picked it up|It is mine, for I picked it up]!");
  t.tell("They went to {C} the {c}, who was {C.t}, and asked {C.him} to be the judge.");
  t.paragraph();
  if (end == 0) {
    t.tell("{C} cut the {f} in two, but one half was bigger.");
    t.says('C', "[That is not fair|We must make them equal].");
    t.tell(
        "So {C} took a bite from the bigger half. Now the other half was bigger, and {C} took a "
        "bite from that one.");
    t.tell("{C} went on until only the last crumb was left.");
    t.says('C', "And the last crumb is for my work. Good night, {A}, and good night, {B}.");
    t.moral(
        "When two quarrel, the third one eats.|Better a small half than a clever judge.|A quarrel "
        "is an expensive meal.");
  } else if (end == 1) {
    t.says('C', "That is easy. {A} will cut the {f}, and {B} will choose.");
    t.tell(
        "{A} cut very slowly and very carefully, for {A.he} knew that {B} would take the bigger "
        "half.");
    t.tell("So both halves were the same. {B} took one, {A} took the other, and nobody was angry.");
    t.says('A', "[It tastes better than I thought|Half of it is quite enough].");
    t.says('C', "[Peace is the best spice|That is the taste of peace].");
    t.moral(
        "One cuts, and the other chooses.|A fair rule is better than a strong voice.|Make the rule "
        "so that you would take either side.");
  } else {
    t.says('C', "Whoever wants it least shall have it.");
    t.says('A', "Then I do not want it at all!");
    t.says('B', "[I was hungry, but {A} may have it|I do want it, but I want to be friends more].");
    t.tell("{C} gave the {f} to {B}. {B} broke it in two and gave one half to {A}.");
    t.tell("{A} was ashamed, and for a long time {A.he} did not quarrel with anyone.");
    t.moral(
        "Who lets go receives.|Generous hands are never empty.|The wise judge looks at hearts.");
  }
}

// Seeds need time.
void seeds(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "impatient|restless|curious|hasty");
  t.cast('B', "patient|calm|quiet");
  t.food(kGrown);
  t.weather("wind|frost|heat");
  t.number('n', 5 + t.branch(12));
  t.number('m', 1 + t.branch(3));
  t.title("the seeds|the {a} and the {b}|the garden of {B}|{n} {f.many}");
  t.meet();
  t.tell(
      "In spring they both sowed {f.many}. {B} [watered the ground and went home|covered the seeds "
      "and waited].");
  t.paragraph();
  if (end == 0) {
    t.tell("But {A} dug up {A.his} seeds every morning to see whether they had grown.");
    t.says('B', "[Let them sleep|They cannot grow if you wake them], {A}.");
    t.says('A', "[I only want to look|I must know how they are].");
    t.tell("In autumn {B} had {n f}, and {A} had {m}.");
    t.tell("{B} gave {A} some seeds for the next year, and told {A.him} to hide {A.his} spade.");
    t.moral("What is dug up every day does not grow.|Trust the seed.|Waiting is also work.");
  } else if (end == 1) {
    t.tell(
        "{A} was [bored|tired of waiting] after a week and sold {A.his} field to {B} for {m f}.");
    t.tell(
        "Then {w.came}, and {A} laughed. But the seeds were deep in the ground, and they lived.");
    t.tell("In autumn {B} carried home {n f} from {A}'s old field alone.");
    t.says('A', "That was my field! Those were my seeds!");
    t.says('B',
           "[They were, {A}, until you could not wait|You sold me the waiting, {A}]. But come and "
           "eat with me.");
    t.moral(
        "The harvest belongs to those who wait.|Do not sell in spring what ripens in "
        "autumn.|Impatience is a bad merchant.");
  } else {
    t.tell(
        "{A} could not sit still, so {B} gave {A.him} work. {A} pulled weeds, {A} spread straw, "
        "and {A} built a fence.");
    t.tell("Then {w.came}, but the fence and the straw kept the young plants safe.");
    t.tell("In autumn they counted {n f} each.");
    t.says('A', "I thought that I was bad at waiting.");
    t.says(
        'B',
        "[You are, and that is why our fence is so good|You are, {A}, but you are good at work].");
    t.moral(
        "Restless hands need good work.|There is a use for every kind of heart.|While you wait, do "
        "what can be done.");
  }
}

// A light in the window.
void lantern(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "faithful|gentle|old|steady");
  t.cast('B', end == 2 ? "kind|grateful|young" : "mocking|thrifty|clever");
  t.onlookers();
  t.weather("fog|snow");
  t.title("the lantern|the light in the window|{A}'s light|the {a} and the lantern");
  t.meet();
  t.tell("Every night {A} put a lantern in the window, so that nobody would lose the way.");
  if (end == 2) {
    t.says('B',
           "[Let me help you|I will bring you oil for it], {A}. One day I may need it myself.");
    t.tell("So {A} had the lantern, and {B} brought the oil.");
  } else {
    t.says('B', "[Why do you burn good oil for nobody|For whom do you burn your good oil], {A}?");
    t.says('A', "[Somebody may come|One night somebody will come], {B}.");
  }
  t.paragraph();
  t.tell(
      "[Late in the year|In the darkest week] {w.came}, and {B} was far from home. {B.he} could "
      "not see {B.his} own feet, and {B.he} was afraid.");
  if (end == 0) {
    t.tell(
        "Then {B} saw a small light. {B} walked towards it, step by step, and came to {A}'s door.");
    t.says('B', "I laughed at your lantern, {A}, and it has [saved my life|brought me home].");
    t.says('A', "[Come in and warm yourself|Now you know for whom it burns].");
    t.tell(
        "From that night on there were two lights in the dark, one in {A}'s window and one in "
        "{B}'s.");
    t.moral(
        "A light burns for those who are still on the way.|No light is wasted.|Who mocks the lamp "
        "has not yet been lost.");
  } else if (end == 1) {
    t.tell("{B} called, but only {O.an} answered. {O} {O:was/were} lost as well.");
    t.tell(
        "Then a light moved in the dark. {A} had taken the lantern from the window and had come to "
        "look for {B}.");
    t.says('A', "[Follow the light|Stay close to me], {B}. It is not far.");
    t.tell("They all walked home together behind the lantern, and {O} sang for joy.");
    t.says('B', "Tomorrow I will buy you oil, {A}.");
    t.moral(
        "The best lamp comes to meet you.|Whoever carries a light leads more than one home.|Care "
        "is a light that can walk.");
  } else {
    t.tell("But the lantern burned brightly, for the oil was good, and {B} found the way.");
    t.says('A', "[You see, {B}, it was your own oil|Your oil has brought you home, {B}].");
    t.tell(
        "{B} laughed and cried at the same time. {O.an} had followed the light too, and {A} made "
        "soup for everyone.");
    t.moral(
        "The good that you do waits for you on the road.|Who feeds the lamp is not lost.|Help for "
        "all is help for yourself.");
  }
}

// Two meet on a narrow bridge.
void bridge(Tale& t) {
  const int end = t.branch(3);
  t.cast('A', "stubborn|proud|obstinate", 0, kBird | kSmall);
  t.cast('B', end == 0 ? "stubborn|proud|hot-headed" : "polite|clever|wise", 0, kBird | kSmall);
  t.onlookers();
  t.title("the bridge|the narrow bridge|the {a} and the {b} on the bridge|{A} and {B}");
  t.tell(
      "Over the stream near {mark} there was a bridge, so narrow that only one could cross at a "
      "time.");
  t.tell(
      "One day {A} the {a} came from one side, and {B} the {b} came from the other. {A} was {A.t}, "
      "and {B} was {B.t}.");
  t.tell("They met in the middle.");
  t.says('A', "[Go back, {B}. I was here first|Out of my way, {B}. I am in a hurry].");
  if (end == 0) {
    t.says('B', "[Go back yourself, {A}|I will not go back, {A}. I was here first].");
    t.tell(
        "Neither of them would take a step. They stood there until [noon|evening], and {O.an} came "
        "to look.");
    t.paragraph();
    t.tell(
        "Then they began to push. The bridge shook, the wood cracked, and both of them fell into "
        "the water.");
    t.tell(
        "Wet to the bone, {A} climbed out on one side and {B} climbed out on the other. It was the "
        "side that each had come from.");
    t.tell("{O} laughed about it for a week.");
    t.moral(
        "When nobody gives way, nobody arrives.|Two stubborn heads make one wet day.|Pride is "
        "heavy, and narrow bridges break.");
  } else if (end == 1) {
    t.says('B',
           "[You are right, you are in a hurry, and I am not|One of us must go back, and I have "
           "time].");
    t.tell(
        "{B} went back, step by step, and {A} crossed the bridge. {O.an} shook {O:its head/their "
        "heads}.");
    t.paragraph();
    t.tell("A week later they met there again. This time {B} carried a heavy sack.");
    t.tell(
        "{A} remembered. {A.he} went back at once, and {A.he} carried the sack for {B} as well.");
    t.says('A', "Now I have crossed this bridge twice, and I liked the second time better.");
    t.moral(
        "Who gives way today makes a friend for tomorrow.|Politeness is the widest bridge.|The "
        "wise one steps back first.");
  } else {
    t.says('B',
           "[Why should anyone go back|Nobody needs to go back]? Lie down, {A}, and I will climb "
           "over you.");
    t.says('A', "[Lie down? I? Lie down yourself|I never lie down. You lie down]!");
    t.says('B', "Gladly.");
    t.paragraph();
    t.tell(
        "So {B} lay down on the planks, and {A} climbed over {B.him}. It took no longer than a "
        "sneeze.");
    t.tell(
        "{O.an} had watched from the bank, and {O:it/they} told everyone how {B} had let {A} "
        "pass.");
    t.tell(
        "Everybody praised {B}. {A} thought about it for a long time, and the next time {A} lay "
        "down first.");
    t.moral(
        "It is no shame to lie down for peace.|A clever head finds a way where pride finds a "
        "wall.|Who bends does not break.");
  }
}

// Counting and sharing.
void sharing(Tale& t) {
  const int end = t.branch(3);
  const int gives = 1 + t.branch(3), more = 1 + t.branch(3), left = end == 1 ? 0 : 1 + t.branch(5);
  t.cast('A', "generous|kind|good-hearted");
  t.cast('B', end == 2 ? "greedy|ungrateful|selfish" : "hungry|tired|poor");
  t.cast('C', "hungry|lonely|weary");
  t.food(kTree | kGrown | kBaked);
  t.number('n', gives + more + left);
  t.number('m', gives);
  t.number('k', more);
  t.title("{n} {f.many}|the {a} and the {f.many}|{A} shares|the basket of {f.many}");
  t.tell(
      "{A} the {a}, who was {A.t}, had {n f} in {A.his} basket. {A.he} lived {place} and was on "
      "{A.his} way home.");
  t.tell("First {A} met {B} the {b}, who was {B.t}.");
  t.says('B', "[May I have some of your {f.many}, {A}?|I have eaten nothing today, {A}.]");
  t.tell("{A} gave {B} {m f}. Then {A} met {C} the {c}, who was {C.t}, and gave {C.him} {k f}.");
  t.number('n', left);
  t.paragraph();
  if (end == 0) {
    t.tell("When {A} came home, {n f} {n:was/were} left.");
    t.says('A', "[It is enough|{n f} {n:is/are} enough for me].");
    t.tell(
        "That night {A}'s roof fell in. In the morning {B} came with a hammer, and {C} came with a "
        "ladder.");
    t.says('C',
           "[You shared with us, {A}, and now we share the work|Your {k f} made me strong, {A}].");
    t.moral(
        "Who shares the basket does not carry it alone.|What you give makes others strong for "
        "you.|Shared bread builds roofs.");
  } else if (end == 1) {
    t.tell(
        "When {A} came home, the basket was empty. {A} went to bed [hungry|without supper], but "
        "{A.he} was not sad.");
    t.tell(
        "In the morning a big basket stood at the door. {B} had filled one half of it, and {C} had "
        "filled the other.");
    t.says('A', "I gave you so little!");
    t.says('B', "[You gave all that you had, {A}|It was not little to us, {A}].");
    t.moral(
        "An empty basket can be the fullest.|Who gives the last gives the most.|Gifts find their "
        "way home.");
  } else {
    t.says('B', "You gave {C} {k f}, and there {n:is/are} {n} left! I want {n:it/them} too!");
    t.says('A', "Then I would have nothing, {B}.");
    t.tell(
        "But {B} snatched the basket and ran. {B} ran so fast that {B.he} fell, and what was left "
        "rolled into the river.");
    t.tell(
        "{C} saw it and gave one {f} back to {A}. {B} stood on the bank with nothing but an empty "
        "basket.");
    t.moral(
        "Who grabs for more loses what there is.|Greed runs fast and falls hard.|The thankful eat, "
        "and the greedy watch the river.");
  }
}

constexpr Plot kPlots[] = {lending,  lost_and_found, race,     winter_store, stuck_cart,
                           net,      missing_cake,   dry_well, false_alarm,  trading,
                           flattery, secret,         promise,  two_houses,   gift,
                           judge,    seeds,          lantern,  bridge,       sharing};

}  // namespace

std::span<const Plot> plots() { return kPlots; }

}  // namespace tpp::fable
