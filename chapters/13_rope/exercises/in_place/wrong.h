// The usual mistakes. Each is what would stand in the hole.

// [wrong overwritten "The second number is made from the new first one, which has just been written over the old: read a and b before you write either."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + p;
  first[0] = first[0] * c - first[half] * s;
  first[half] = first[0] * s + first[half] * c;
}
// [/hole]
// [/wrong]

// [wrong sine_sign "The sine's sign is swapped: the pairs turn backwards, with the clock."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c + b * s;
  first[half] = b * c - a * s;
}
// [/hole]
// [/wrong]

// [wrong adjacent "The partners are neighbours, 2p and 2p + 1. Here a pair is half a head apart: p and p + K/2."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + 2 * p;
  const float a = first[0], b = first[1];
  first[0] = a * c - b * s;
  first[1] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong values_too "The values are turned as well. Only queries and keys are compared; what is mixed afterwards must not depend on the place: 2·H heads, not 3·H."]
// [hole turn]
for (int i = t; i < 3 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong keys_forgotten "Only the queries are turned. The keys must turn too, so that a product sees how far apart the two stand."]
// [hole turn]
for (int i = t; i < H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong position_of_the_row "The angle is that of row n. A batch has several sequences, and each starts at position 0: n % T."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n * half + p], s = sine[n * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong position_counts_heads "The angle's position is the head's number. All heads of a token stand at the same position, n % T."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[head % T * half + p], s = sine[head % T * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong table_transposed "The tables are read as (K/2, T). They are (T, K/2): position · K/2 + p."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[p * T + n % T], s = sine[p * T + n % T];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong pair_of_the_row "The angle's column is the pair's number in the row, not in its head: every head starts at pair 0 again, i % half."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + i], s = sine[n % T * half + i];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong one_angle "All pairs of a head turn by the first pair's angle. Each has its own, column p of the tables."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half], s = sine[n % T * half];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong heads_overlap "Heads start every K/2 numbers instead of every K, so two threads write the same number."]
// [hole turn]
for (int i = t; i < 2 * H * half; i += kThreads) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * half + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong one_round "Only the first kThreads pairs of a row are turned: each thread has those at t + kThreads, t + 2·kThreads, … too."]
// [hole turn]
if (const int i = t; i < 2 * H * half) {
  const int head = i / half, p = i % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* first = row + head * K + p;
  const float a = first[0], b = first[half];
  first[0] = a * c - b * s;
  first[half] = a * s + b * c;
}
// [/hole]
// [/wrong]

// [wrong thread_a_number "Each thread turns one number and reads its partner's, which the partner's thread writes at the same time. In place, one thread must have the whole pair."]
// [hole turn]
for (int i = t; i < 2 * H * K; i += kThreads) {
  const int head = i / K, d = i % K, p = d % half;
  const float c = cosine[n % T * half + p], s = sine[n % T * half + p];
  float* x = row + head * K;
  if (d < half) {
    x[d] = x[d] * c - x[d + half] * s;
  } else {
    x[d] = x[d - half] * s + x[d] * c;
  }
}
// [/hole]
// [/wrong]
