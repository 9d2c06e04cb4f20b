// The usual mistakes. Each is what would stand in the hole.

// [wrong no_scale "The sum is not scaled: scores are products times scale."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong no_mask "The mask is missing: a query must not see the keys that come after it."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = scale * sum;
// [/hole]
// [/wrong]

// [wrong mask_off_by_one "The mask is off by one: a query sees itself, s ≤ t. Without it the first query would see nothing at all."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s < t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong mask_turned "The mask is turned round: it hides the past and shows the future."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s >= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong mask_zero "Hidden scores are 0 here, and exp(0) is 1: the softmax would still give them a share. They are −∞."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : 0;
// [/hole]
// [/wrong]

// [wrong hidden_not_written "Hidden scores are not written: whatever stood in the memory will go into the softmax."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s <= t) scores[t * T + s] = scale * sum;
// [/hole]
// [/wrong]

// [wrong scores_transposed "The score is stored at [s, t]: the row is the query, so it belongs to scores[t * T + s]."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[s * T + t] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong tile_transposed "The keys' tile is read as [j][x]: that is feature x of key j. A tile holds a key in each row, so it is [x][j]."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[j][x];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong key_of_this_thread "The tile is filled with key s0 + x in row y, so each thread fetches feature x of the wrong key: row y of the tile is key s0 + y."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s < T && i < K ? k[s * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong features_not_checked "Features beyond K are fetched from the next row: they must count as 0, or the sum goes too far."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && t * K + i < T * K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && (s0 + y) * K + i < T * K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong rows_not_checked "The rows of a tile are not held against T: the last tile reads beyond the end of q and k."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = i < K ? q[t * K + i] : 0;
  tile_k[y][x] = i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong last_round_missing "Only whole rounds are walked: the last K % kTile features are left out."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 + kTile <= K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong barrier_missing_before_sum "There is no __syncthreads() between filling the tiles and reading them: a neighbour may not have fetched yet."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong barrier_missing_after_sum "There is no __syncthreads() at the end of a round: a quick thread overwrites a tile that others still read."]
// [hole score]
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]

// [wrong left_early "Threads beyond T leave before the barrier. They are needed: they fetch numbers for the others, and all must reach __syncthreads()."]
// [hole score]
if (t >= T || s >= T) return;
float sum = 0;
for (int i0 = 0; i0 < K; i0 += kTile) {
  const int i = i0 + x;
  tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
  tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
  __syncthreads();
  for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
  __syncthreads();
}
if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
// [/hole]
// [/wrong]
