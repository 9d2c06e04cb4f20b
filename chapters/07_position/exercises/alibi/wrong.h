// The usual mistakes. Each is what would stand in one of the holes.

// [wrong slopes_grow "The exponent's sign is missing: the slopes are 2, 4, 8, … and the bias drowns every score. They are 1/2, 1/4, 1/8, …"]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp2(8.0 * double(h + 1) / double(power)));
// [/hole]
// [/wrong]

// [wrong heads_from_zero "The heads are counted from 0 here, so the first slope is 1. The sequence starts with its own factor: the exponent has h + 1."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp2(-8.0 * double(h) / double(power)));
// [/hole]
// [/wrong]

// [wrong base_e "The base is e, not 2."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp(-8.0 * double(h + 1) / double(power)));
// [/hole]
// [/wrong]

// [wrong factor_half "Each slope is half of the one before, for any number of heads. That is right for 8 heads only: the last slope is always 2⁻⁸, so the factor depends on their number."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp2(-double(h + 1)));
// [/hole]
// [/wrong]

// [wrong arithmetic "The slopes fall by equal steps. The sequence is geometric: each is the one before times the same factor."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(double(power - h) / double(power) * 0.5);
// [/hole]
// [/wrong]

// [wrong slopes_reversed "The slopes are in reverse order: head 0 has the steepest, 2^(−8/H)."]
// [hole slopes]
for (Index h = 0; h < power; ++h)
  slopes.push_back(std::exp2(-8.0 * double(power - h) / double(power)));
// [/hole]
// [/wrong]

// [wrong all_heads_one_sequence "The exponent is divided by all heads. Where their number is no power of two, the first slopes are those of the next smaller power."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp2(-8.0 * double(h + 1) / double(heads)));
// [/hole]
// [/wrong]

// [wrong between_even "These are the second, fourth, … slopes of twice as many heads, and they are there already. The first, third, … lie between."]
// [hole between]
for (Index h = 0; h < heads - power; ++h)
  slopes.push_back(std::exp2(-8.0 * double(2 * h + 2) / double(2 * power)));
// [/hole]
// [/wrong]

// [wrong between_all "These are the slopes of twice as many heads one after another: only every other one is new."]
// [hole between]
for (Index h = 0; h < heads - power; ++h)
  slopes.push_back(std::exp2(-8.0 * double(h + 1) / double(2 * power)));
// [/hole]
// [/wrong]

// [wrong sign "The sign is swapped: the bias rewards distance. It must be negative, so that far keys lose."]
// [hole entry]
bias(h, o) = T(slopes[std::size_t(h)] * double(std::abs(o - (length - 1))));
// [/hole]
// [/wrong]

// [wrong distance_with_sign "The distance has a sign here, so keys on one side of the query are rewarded. It is |s − t|."]
// [hole entry]
bias(h, o) = T(-slopes[std::size_t(h)] * double(o - (length - 1)));
// [/hole]
// [/wrong]

// [wrong distance_with_sign_back "The distance is t − s, which is negative for the keys after the query: those are rewarded. It is |s − t|."]
// [hole entry]
bias(h, o) = T(-slopes[std::size_t(h)] * double(length - 1 - o));
// [/hole]
// [/wrong]

// [wrong middle_off_by_one "The query itself is expected at column length, one too far: it stands at column length − 1."]
// [hole entry]
bias(h, o) = T(-slopes[std::size_t(h)] * double(std::abs(o - length)));
// [/hole]
// [/wrong]

// [wrong column_not_distance "The column's number is taken for the distance. Column length − 1 is distance 0; the first column is the farthest key."]
// [hole entry]
bias(h, o) = T(-slopes[std::size_t(h)] * double(o));
// [/hole]
// [/wrong]

// [wrong integers "−8 · (h + 1) / P is computed in whole numbers and cut off: with more than 8 heads, neighbours get the same slope."]
// [hole slopes]
for (Index h = 0; h < power; ++h) slopes.push_back(std::exp2(double(-8 * (h + 1) / power)));
// [/hole]
// [/wrong]
