// The usual mistakes. Each is what would stand in the hole.

// [wrong pairs_swapped "Sine and cosine have changed places: the even columns are the sines."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::cos(angle) : std::sin(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong own_wavelength "Each column has a wavelength of its own. A cosine shares that of the sine before it: only then does a step in time turn the pair."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong next_wavelength "The cosine has the wavelength of the next pair: both columns of a pair use the even one's number."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d + d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong exponent_doubled "The exponent is doubled: 2i is the column of the sine already, so it is −2i/D with 2i = d, not −2d/D."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -2.0 * double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong pair_number "The exponent is −i/D with the pair's number i. It is −2i/D: the waves end in the middle of their range."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d / 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong frequency_grows "The exponent's sign is swapped: later columns must turn slower, not faster."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong integer_division "d / D is computed in whole numbers, so it is always 0 and every pair turns alike."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d / D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong halves "The sines fill the first half of the columns, the cosines the second. Here they alternate: a sine, its cosine, the next sine."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency =
      std::pow(10000.0, -2.0 * double(d < (D + 1) / 2 ? d : d - (D + 1) / 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(d < (D + 1) / 2 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong positions_from_one "The positions are counted from 1. The first row is position 0: all sines 0, all cosines 1."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t + 1) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong sines_only "All columns are sines. A cosine beside each sine is what tells a rising wave from a falling one."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = double(t) * frequency;
    table(t, d) = T(std::sin(angle));
  }
}
// [/hole]
// [/wrong]

// [wrong two_pi "The angle is multiplied by 2π. The wavelength of the first pair is 2π positions, so its angle is t itself."]
// [hole waves]
for (Index d = 0; d < D; ++d) {
  const double frequency = std::pow(10000.0, -double(d - d % 2) / double(D));
  for (Index t = 0; t < length; ++t) {
    const double angle = 6.283185307179586 * double(t) * frequency;
    table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}
// [/hole]
// [/wrong]
