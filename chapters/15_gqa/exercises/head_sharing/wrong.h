// The usual mistakes. Each is what would stand in one of the holes.

// [wrong modulo "h % G deals the heads out like cards, so that neighbours never share. A group is H/G neighbours: h / (H/G)."]
// [hole key_head]
return h % G;
// [/hole]
// [/wrong]

// [wrong divided_by_groups "h is divided by G, the number of groups. Divide by the size of a group, H/G."]
// [hole key_head]
return h / G;
// [/hole]
// [/wrong]

// [wrong place_in_group "h % (H/G) is the head's place within its group. The group's own number is the quotient, not the rest."]
// [hole key_head]
return h % (H / G);
// [/hole]
// [/wrong]

// [wrong not_shared "Every query head asks for a key head of its own, but there are only G of them."]
// [hole key_head]
return h;
// [/hole]
// [/wrong]

// [wrong always_the_first "All heads use key head 0. That is multi-query attention, right for G = 1 only."]
// [hole key_head]
return 0;
// [/hole]
// [/wrong]

// [wrong last_head_wins "Each head overwrites dk and dv of its group, so only the last one's gradients are left: what is read H/G times gets the sum of H/G gradients."]
// [hole gradients]
dk.middleCols(g* K, K) = dk_h;
dv.middleCols(g* K, K) = dv_h;
// [/hole]
// [/wrong]

// [wrong first_head_only "Only the first head of a group brings its gradients. The others have read the same keys and values, so theirs are added."]
// [hole gradients]
if (h % (H / G) == 0) {
  dk.middleCols(g * K, K) = dk_h;
  dv.middleCols(g * K, K) = dv_h;
}
// [/hole]
// [/wrong]

// [wrong dk_not_summed "dv is summed over the group, dk is not: the last head's gradient overwrites the others'."]
// [hole gradients]
dk.middleCols(g* K, K) = dk_h;
dv.middleCols(g* K, K) += dv_h;
// [/hole]
// [/wrong]

// [wrong dv_not_summed "dk is summed over the group, dv is not: the last head's gradient overwrites the others'."]
// [hole gradients]
dk.middleCols(g* K, K) += dk_h;
dv.middleCols(g* K, K) = dv_h;
// [/hole]
// [/wrong]

// [wrong group_mean "dk and dv are the mean over the group. Each head's output moved by its own share, so the gradients add up; nothing divides them."]
// [hole gradients]
dk.middleCols(g* K, K) += dk_h / T(H / G);
dv.middleCols(g* K, K) += dv_h / T(H / G);
// [/hole]
// [/wrong]

// [wrong place_of_the_query_head "dk_h and dv_h go to the columns of query head h. dk and dv have only G heads: they belong to key head g."]
// [hole gradients]
dk.middleCols(h* K, K) += dk_h;
dv.middleCols(h* K, K) += dv_h;
// [/hole]
// [/wrong]

// [wrong key_and_value_swapped "dk and dv have changed places: dk_h belongs to dk, dv_h to dv."]
// [hole gradients]
dk.middleCols(g* K, K) += dv_h;
dv.middleCols(g* K, K) += dk_h;
// [/hole]
// [/wrong]
