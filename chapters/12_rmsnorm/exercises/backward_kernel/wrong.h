// The usual mistakes. Each is what would stand in the hole.

// [wrong no_projection "The part along the row is not taken off: r is treated as a constant, but every x[d] has a share in it."]
// [hole row]
const float r = rstd[n];
for (int d = t; d < D; d += kThreads) dx[d] = dy[d] * w[d] * r;
// [/hole]
// [/wrong]

// [wrong sum_not_mean "The part along the row is a sum over the features; it must be their mean: divide by D."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0];
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong divided_by_threads "The sum is divided by the number of threads. It has a term for each feature: divide by D."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(kThreads);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong no_gain "The gain is missing: what reaches x̂ is dy ⊙ w, in the sum and in dx."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong gain_of_the_row "w is read at the row's own place, as x is. There is one gain for all rows: w[d]."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[n * D + d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[n * D + d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong rstd_of_the_thread "r is read by the thread's number. It belongs to the row: rstd[n]."]
// [hole row]
const float r = rstd[t];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong sum_of_one_thread "Each thread uses its own partial sum: the row's mean needs everybody's part."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
const float mean = along / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong tail_dropped "The sum takes whole rounds of kThreads only: the last D % kThreads features are left out."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D / kThreads * kThreads; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong dx_of_one_round "dx is written for the first kThreads features only: each thread has those at t + kThreads, t + 2·kThreads, … too."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
if (t < D) dx[t] = (dy[t] * w[t] - x[t] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong tree_stops_early "The tree stops at half > 1: the last two numbers are never joined."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 1; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong barrier_missing_in_tree "There is no __syncthreads() between two rounds of the tree: a thread may read its neighbour's part before it is joined."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
}
__syncthreads();
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong barrier_missing_before_tree "There is no __syncthreads() between writing part[t] and reading part[t + half]: the neighbour may not have written yet."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong barrier_in_branch "The __syncthreads() stands inside of the if: threads that do not add never reach it. A barrier is for all threads of the block."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
part[t] = along;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) {
    part[t] += part[t + half];
    __syncthreads();
  }
}
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]

// [wrong lost_update "All threads add to part[0] at the same time, and most sums are lost: give each its own part and join them in a tree."]
// [hole row]
const float r = rstd[n];
float along = 0;
for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
if (t == 0) part[0] = 0;
__syncthreads();
part[0] += along;
__syncthreads();
const float mean = part[0] / float(D);
for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
// [/hole]
// [/wrong]
