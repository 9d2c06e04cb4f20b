// Regions: one in another, indented, with marks of an exercise.
#pragma once

// [snip outer]
inline int twice(int a) {
  // [snip inner]

  // Add it to itself
  // [hole twice "what to write"]
  return a + a;
  // [/hole]
  // [/snip]
}
// [/snip outer]

// [snip one_line]
constexpr int kFour = 4;
// [/snip]
