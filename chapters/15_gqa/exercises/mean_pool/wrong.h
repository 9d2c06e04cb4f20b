// The usual mistakes. Each is what would stand in the hole.

// [wrong sum "The heads of a group are added up, not averaged: the pooled keys are H/G times too long, and so is every logit."]
// [hole pool]
pooled.setZero();
for (Index h = 0; h < H; ++h) pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K);
// [/hole]
// [/wrong]

// [wrong divided_by_groups "The sum is divided by G, the number of groups. A mean divides by what was added: H/G heads."]
// [hole pool]
pooled.setZero();
for (Index h = 0; h < H; ++h) {
  pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K) / T(G);
}
// [/hole]
// [/wrong]

// [wrong divided_by_heads "The sum is divided by H, all the heads. Only H/G of them are in a group."]
// [hole pool]
pooled.setZero();
for (Index h = 0; h < H; ++h) {
  pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K) / T(H);
}
// [/hole]
// [/wrong]

// [wrong modulo "Head h goes to group h % G: every G-th head is pooled. Those that will share are neighbours, h / (H/G)."]
// [hole pool]
pooled.setZero();
for (Index h = 0; h < H; ++h) {
  pooled.middleRows(h % G * K, K) += w.middleRows(h * K, K) / T(group);
}
// [/hole]
// [/wrong]

// [wrong rows_not_heads "Neighbouring rows are averaged instead of neighbouring heads: a head's rows are different features and must not mix."]
// [hole pool]
for (Index i = 0; i < G * K; ++i) {
  pooled.row(i) = w.middleRows(i * group, group).colwise().mean();
}
// [/hole]
// [/wrong]

// [wrong first_head "The first head of each group is kept and the others are dropped; the mean keeps a part of each."]
// [hole pool]
for (Index g = 0; g < G; ++g) pooled.middleRows(g* K, K) = w.middleRows(g * group * K, K);
// [/hole]
// [/wrong]

// [wrong last_head_wins "Each head overwrites its group, so only a share of the last one is left: add them up."]
// [hole pool]
for (Index h = 0; h < H; ++h) {
  pooled.middleRows(h / group * K, K) = w.middleRows(h * K, K) / T(group);
}
// [/hole]
// [/wrong]

// [wrong not_zeroed "The sums start at whatever stood in pooled. Set it to 0 first."]
// [hole pool]
for (Index h = 0; h < H; ++h) {
  pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K) / T(group);
}
// [/hole]
// [/wrong]
