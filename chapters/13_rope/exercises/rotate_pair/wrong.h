// The usual mistakes. Each is what would stand in one of the holes.

// [wrong sine_sign "The sine's sign is swapped: the pair turns backwards, with the clock."]
// [hole rotate]
ya = a * cosine + b * sine;
yb = b * cosine - a * sine;
// [/hole]
// [/wrong]

// [wrong overwritten "The second line uses the new ya instead of the old a: both new numbers come from both old ones."]
// [hole rotate]
ya = a * cosine - b * sine;
yb = ya * sine + b * cosine;
// [/hole]
// [/wrong]

// [wrong both_minus "Both lines subtract: that mirrors the point, it does not turn it."]
// [hole rotate]
ya = a * cosine - b * sine;
yb = a * sine - b * cosine;
// [/hole]
// [/wrong]

// [wrong sine_cosine_swapped "Sine and cosine have changed places: an angle of 0 must leave the pair as it is."]
// [hole rotate]
ya = a * sine - b * cosine;
yb = a * cosine + b * sine;
// [/hole]
// [/wrong]

// [wrong pairing_swapped "The two pairings are swapped: adjacent means (0, 1), (2, 3), …; halves means (0, K/2), (1, K/2 + 1), …"]
// [hole partners]
if (pairing == Pairing::halves) return {2 * p, 2 * p + 1};
return {p, p + K / 2};
// [/hole]
// [/wrong]

// [wrong overlapping_pairs "Adjacent pair p starts at p instead of 2p: features are turned twice, others never."]
// [hole partners]
if (pairing == Pairing::adjacent) return {p, p + 1};
return {p, p + K / 2};
// [/hole]
// [/wrong]

// [wrong frequency_half "The exponent is −p/K instead of −2p/K: the frequencies end in the middle of their range."]
// [hole frequency]
return std::pow(base, -1.0 * double(p) / double(K));
// [/hole]
// [/wrong]

// [wrong frequency_from_one "The pairs are counted from 1 here. The first pair turns by exactly 1 a token: p starts at 0."]
// [hole frequency]
return std::pow(base, -2.0 * double(p + 1) / double(K));
// [/hole]
// [/wrong]

// [wrong frequency_grows "The exponent's sign is swapped: later pairs must turn slower, not faster."]
// [hole frequency]
return std::pow(base, 2.0 * double(p) / double(K));
// [/hole]
// [/wrong]

// [wrong frequency_integers "2 * p / K is computed in whole numbers, so it is always 0 and every pair turns alike."]
// [hole frequency]
return std::pow(base, -double(2 * p / K));
// [/hole]
// [/wrong]
