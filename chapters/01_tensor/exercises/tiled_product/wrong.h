// The usual mistakes. Each is what would stand in the hole.

// [wrong last_tile_dropped "Only whole tiles along K are walked: where K is no multiple of kTile the last products are missing."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 + kTile <= K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong first_tile_only "Only one tile along K is multiplied: the sum must go on until k0 has passed K."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < kTile; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong edge_by_wrong_index "The edge of B is asked with x instead of y: its tile's row is k0 + y, and along K it ends where that does."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + x < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong edges_of_a_unguarded "A is read beyond its edges: where m ≥ M or k0 + x ≥ K there is nothing to read, and the tile needs a 0."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = A[m * K + k0 + x];
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong edge_along_k_unguarded "Only the edges of C are looked at, not K's: the last tile of A then reads on into the next row, and B past its end."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong edges_of_c_unguarded "C is written by threads beyond its edges: m ≥ M lies past the array, n ≥ N in the next row."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong threads_left_early "Threads beyond the edge of C return at once: but they are needed to copy, and every thread must reach every barrier."]
// [hole tiles]
if (m >= M || n >= N) return;
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong barrier_after_copy_missing "There is no barrier between copying and multiplying: a thread reads numbers that its neighbours have not copied yet."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong barrier_after_sum_missing "There is no barrier at the end of a round: a fast thread copies the next tile while others still read this one."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong b_transposed "B's tile is read transposed: C[m,n] needs column x of it, so k is its row."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[x][k];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong a_transposed "A's tile is read transposed: C[m,n] needs row y of it, so k is its column."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[k][y] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong row_of_b_is_k_long "B's rows are N numbers long, not K: B[k,n] lies at k·N + n."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * K + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong row_of_a_is_m_long "A's rows are K numbers long, not M: A[m,k] lies at m·K + k."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * M + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong k0_forgotten "Every round copies the first tile of A again: its column is k0 + x."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong sum_starts_anew "The sum starts at 0 in every round, so only the last tile's products are left: it must live through all rounds."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  sum = 0;
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]

// [wrong c_transposed "C is stored transposed: its rows are N numbers long, so C[m,n] lies at m·N + n."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
  tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[n * M + m] = sum;
// [/hole]
// [/wrong]

// [wrong edges_not_zeroed "Beyond the edges the tiles keep what stood there before: a number that does not exist must be a 0 in the tile."]
// [hole tiles]
float sum = 0;
for (int k0 = 0; k0 < K; k0 += kTile) {
  if (m < M && k0 + x < K) tile_a[y][x] = A[m * K + k0 + x];
  if (k0 + y < K && n < N) tile_b[y][x] = B[(k0 + y) * N + n];
  __syncthreads();
  for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  __syncthreads();
}
if (m < M && n < N) C[m * N + n] = sum;
// [/hole]
// [/wrong]
