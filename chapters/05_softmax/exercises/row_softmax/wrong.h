// The usual mistakes. Each is what would stand in the hole.

// [wrong no_max "The maximum is not taken off: exp(100) is beyond float, and the row becomes NaN."]
// [hole row]
const float largest = 0;
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong max_of_one_thread "Each thread takes off its own maximum, not the row's: the parts of the sum have different scales."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong sum_of_one_thread "Each thread divides by its own partial sum: the row's sum needs everybody's part."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong tree_stops_early "The tree stops at half > 1: the last two numbers are never joined."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 1; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong tail_dropped "Only whole rounds of kThreads are walked: the last M % kThreads scores are left out."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M / kThreads * kThreads; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong not_divided "The exponentials are not divided by their sum: a row must add up to 1."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest);
// [/hole]
// [/wrong]

// [wrong barrier_missing_in_tree "There is no __syncthreads() between two rounds of the tree: a thread may read its neighbour's part before it is joined."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
}
__syncthreads();
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong barrier_missing_before_tree "There is no __syncthreads() between writing part[t] and reading part[t + half]: the neighbour may not have written yet."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
__syncthreads();
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]

// [wrong barrier_missing_after_maximum "part is written again before everybody has read the maximum from part[0]: a __syncthreads() is missing between the two."]
// [hole row]
float largest = -INFINITY;
for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
part[t] = largest;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] = fmaxf(part[t], part[t + half]);
  __syncthreads();
}
largest = part[0];
float sum = 0;
for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
part[t] = sum;
__syncthreads();
for (int half = kThreads / 2; half > 0; half /= 2) {
  if (t < half) part[t] += part[t + half];
  __syncthreads();
}
sum = part[0];
for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
// [/hole]
// [/wrong]
