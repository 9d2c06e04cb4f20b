// The usual mistakes. Each is what would stand in one of the holes.

// [wrong right_token_kept "The pair's right token is left standing behind the new one: the new token stands for both."]
// [hole merge]
std::size_t kept = 0;
for (std::size_t i = 0; i < tokens.size(); ++i) {
  const bool here = tokens[i] == pair.left && i + 1 < tokens.size() && tokens[i + 1] == pair.right;
  tokens[kept++] = here ? merged : tokens[i];
}
tokens.resize(kept);
// [/hole]
// [/wrong]

// [wrong first_occurrence_only "Only the first occurrence is merged: a merge replaces the pair wherever it stands."]
// [hole merge]
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  if (tokens[i] != pair.left || tokens[i + 1] != pair.right) continue;
  tokens[i] = merged;
  tokens.erase(tokens.begin() + std::ptrdiff_t(i) + 1);
  break;
}
// [/hole]
// [/wrong]

// [wrong merged_from_the_right "The walk goes from the right: of "aaa" the last two letters are merged, and it must be the first two."]
// [hole merge]
for (std::size_t i = tokens.size(); i-- > 0;) {
  if (i + 1 >= tokens.size() || tokens[i] != pair.left || tokens[i + 1] != pair.right) continue;
  tokens[i] = merged;
  tokens.erase(tokens.begin() + std::ptrdiff_t(i) + 1);
}
// [/hole]
// [/wrong]

// [wrong either_order "The pair is merged in either order: (b, a) is another pair than (a, b), and another text."]
// [hole merge]
std::size_t kept = 0;
for (std::size_t i = 0; i < tokens.size(); ++i) {
  const bool here =
      i + 1 < tokens.size() && ((tokens[i] == pair.left && tokens[i + 1] == pair.right) ||
                                (tokens[i] == pair.right && tokens[i + 1] == pair.left));
  tokens[kept++] = here ? merged : tokens[i];
  if (here) ++i;
}
tokens.resize(kept);
// [/hole]
// [/wrong]

// [wrong last_token_lost "The walk stops before the last token even where that is part of no pair: it is lost from the text."]
// [hole merge]
std::size_t kept = 0;
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  const bool here = tokens[i] == pair.left && tokens[i + 1] == pair.right;
  tokens[kept++] = here ? merged : tokens[i];
  if (here) ++i;
}
tokens.resize(kept);
// [/hole]
// [/wrong]

// [wrong overlaps_counted "Overlapping pairs are counted twice: "aaa" holds (a, a) once, because a merge can use its middle letter only once."]
// [hole pairs]
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) visit(key_of({tokens[i], tokens[i + 1]}));
// [/hole]
// [/wrong]

// [wrong every_other_pair "The walk steps over every other pair: "abc" holds (a, b) and (b, c), though only one of them can be merged in the end."]
// [hole pairs]
for (std::size_t i = 0; i + 1 < tokens.size(); i += 2) visit(key_of({tokens[i], tokens[i + 1]}));
// [/hole]
// [/wrong]

// [wrong skipped_too_much "After two equal tokens a pair is always stepped over: "aab" holds (a, b) too. Only a third equal token makes an overlap."]
// [hole pairs]
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  visit(key_of({tokens[i], tokens[i + 1]}));
  if (tokens[i] == tokens[i + 1]) ++i;
}
// [/hole]
// [/wrong]

// [wrong counted_once "Each pair is visited only once: "abab" holds (a, b) twice, and how often is what training asks."]
// [hole pairs]
std::vector<std::uint64_t> seen;
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  const std::uint64_t pair = key_of({tokens[i], tokens[i + 1]});
  bool known = false;
  for (const std::uint64_t s : seen) known = known || s == pair;
  if (known) continue;
  seen.push_back(pair);
  visit(pair);
}
// [/hole]
// [/wrong]

// [wrong ties_to_the_larger "Of equally frequent pairs the larger one comes first here: ties go to the smaller left token, then to the smaller right one."]
// [hole first]
return a.count != b.count ? a.count > b.count : a.pair > b.pair;
// [/hole]
// [/wrong]

// [wrong ties_by_the_right "Ties are broken by the right token first: the left token is compared before it."]
// [hole first]
if (a.count != b.count) return a.count > b.count;
const Tokenizer::Merge p = pair_of(a.pair), q = pair_of(b.pair);
return p.right != q.right ? p.right < q.right : p.left < q.left;
// [/hole]
// [/wrong]

// [wrong ties_by_the_left_only "Ties are broken by the left token alone: where that is the same, the smaller right token decides."]
// [hole first]
if (a.count != b.count) return a.count > b.count;
return pair_of(a.pair).left < pair_of(b.pair).left;
// [/hole]
// [/wrong]

// [wrong ties_left_open "Ties are not broken: which of two equally frequent pairs is merged is then left to chance, and so is the tokenizer."]
// [hole first]
return a.count > b.count;
// [/hole]
// [/wrong]

// [wrong ties_both_ways "Of two equally frequent pairs each comes before the other: with >= there is no order."]
// [hole first]
return a.count >= b.count;
// [/hole]
// [/wrong]

// [wrong rarest_first "The rarer pair comes first here: training merges the most frequent one."]
// [hole first]
return a.count != b.count ? a.count < b.count : a.pair < b.pair;
// [/hole]
// [/wrong]

// [wrong leftmost_first "The order of learning is ignored: the leftmost pair is merged first. It must be the one that was learned first, wherever it stands."]
// [hole earliest]
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  const auto found = merged.find(key_of({tokens[i], tokens[i + 1]}));
  if (found != merged.end()) return found->second;
}
return -1;
// [/hole]
// [/wrong]

// [wrong rightmost_first "The order of learning is ignored: the last pair that is found wins. It must be the one that was learned first, wherever it stands."]
// [hole earliest]
int earliest = -1;
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  const auto found = merged.find(key_of({tokens[i], tokens[i + 1]}));
  if (found != merged.end()) earliest = found->second;
}
return earliest;
// [/hole]
// [/wrong]

// [wrong latest_first "The pair that was learned last is merged first: training merged in the other order, and made other tokens of the same text."]
// [hole earliest]
int latest = -1;
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
  const auto found = merged.find(key_of({tokens[i], tokens[i + 1]}));
  if (found != merged.end() && found->second > latest) latest = found->second;
}
return latest;
// [/hole]
// [/wrong]
