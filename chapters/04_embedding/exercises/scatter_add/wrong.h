// The usual mistakes. Each is what would stand in the hole.

// [wrong lost_updates "Each thread adds its own tokens into dtable: two threads with the same token read the same old number, and one of the two sums is lost."]
// [hole sum]
if (d < D) dtable[v * D + d] = 0;
__syncthreads();
for (int n = t; n < N; n += kThreads) {
  if (tokens[n] != v) continue;
  for (int c = int(blockIdx.y) * kThreads; c < D && c < (int(blockIdx.y) + 1) * kThreads; ++c) {
    dtable[v * D + c] += dy[n * D + c];
  }
}
// [/hole]
// [/wrong]

// [wrong order_by_chance "With atomicAdd no sum is lost, but the threads add in the order in which they come: floats in another order give other bits, so no two runs are alike."]
// [hole sum]
if (d < D) dtable[v * D + d] = 0;
__syncthreads();
for (int n = t; n < N; n += kThreads) {
  if (tokens[n] != v) continue;
  for (int c = int(blockIdx.y) * kThreads; c < D && c < (int(blockIdx.y) + 1) * kThreads; ++c) {
    atomicAdd(&dtable[v * D + c], dy[n * D + c]);
  }
}
// [/hole]
// [/wrong]

// [wrong added_to_rubbish "The sum is added to what stands in dtable, which nobody has cleared: store it."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] += sum;
// [/hole]
// [/wrong]

// [wrong rows_left_out "A row whose token does not occur is not written: its gradient is 0, not what stood there before."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D && sum != 0) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong repeated_lost "Only the last place of a token counts: a repeated token gets the sum."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum = dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong first_round_only "Only the first kThreads tokens are looked at: the rounds must go on until n0 has passed N."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < kThreads; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong last_round_dropped "Only whole rounds are walked: where N is no multiple of kThreads the last tokens are left out."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 + kThreads <= N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong old_tokens_read "The last round reads all of seen[], also the places that it has not filled: where N is no multiple of kThreads nothing, or an old token, stands there."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong tokens_unguarded "The tokens are read beyond their end: in the last round n0 + t may be N or more."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong place_in_round "i counts the places of this round: the place in the text is n0 + i."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[i * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong row_is_n_long "dy's rows are D numbers long, not N: dy[n,d] lies at n·D + d."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * N + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong columns_unguarded "Threads with d ≥ D write too: past the end of the row lies the next row, and past the last one nothing."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong threads_left_early "Threads beyond the last column return at once: but they are needed to copy tokens, and every thread must reach every barrier."]
// [hole sum]
if (d >= D) return;
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong barrier_after_copy_missing "There is no barrier between copying the tokens and reading them: a neighbour's token may not be there yet."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
  __syncthreads();
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong barrier_after_round_missing "There is no barrier at the end of a round: a fast thread copies the next tokens while others still read these."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
  }
}
if (d < D) dtable[v * D + d] = sum;
// [/hole]
// [/wrong]

// [wrong every_block_scatters "Every block adds every token where it belongs, so many blocks write one row and lose each other's sums. Block v owns row v, and writes nothing else."]
// [hole sum]
for (int n = t; n < N; n += kThreads) {
  for (int c = 0; c < D; ++c) dtable[tokens[n] * D + c] += dy[n * D + c];
}
// [/hole]
// [/wrong]

// [wrong column_of_the_block "t counts the columns of this block: where there are more than kThreads, the column is d."]
// [hole sum]
float sum = 0;
for (int n0 = 0; n0 < N; n0 += kThreads) {
  if (n0 + t < N) seen[t] = tokens[n0 + t];
  __syncthreads();
  for (int i = 0; i < kThreads && n0 + i < N; ++i) {
    if (seen[i] == v && t < D) sum += dy[(n0 + i) * D + t];
  }
  __syncthreads();
}
if (t < D) dtable[v * D + t] = sum;
// [/hole]
// [/wrong]
