// The usual mistakes. Each is what would stand in the hole.

// [wrong read_while_overwritten "There is no __syncthreads() between reading x[target] for the loss and overwriting the scores: another thread may be quicker."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong loss_after_gradient "The loss is taken after the gradient was written over the scores: x[target] is no score any more."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
__syncthreads();
if (t == 0) loss[n] = log_sum - x[target];
// [/hole]
// [/wrong]

// [wrong one_lost "One thread takes the share off at the target while the thread that owns that place may not have written it yet: the subtraction can be lost."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * expf(x[i] - log_sum);
}
if (t == 0) x[target] -= share;
// [/hole]
// [/wrong]

// [wrong every_thread_subtracts "All 128 threads take the share off at the target: they race, and it must happen once."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * expf(x[i] - log_sum);
}
__syncthreads();
x[target] -= share;
// [/hole]
// [/wrong]

// [wrong loss_of_block_zero "Every block writes loss[0]: a row's loss belongs to loss[n]."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[0] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[0] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong share_missing "The gradient is not multiplied by share: the loss of the batch is a mean, and a row has its part of it."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f);
}
// [/hole]
// [/wrong]

// [wrong one_not_shared "At the target a whole 1 is taken off, but the probabilities are multiplied by share: both belong in the bracket."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f);
}
// [/hole]
// [/wrong]

// [wrong loss_shared "The loss is multiplied by share: only the gradient is. The mean of the losses is taken elsewhere."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = share * (log_sum - x[target]);
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong sign_swapped "The gradient's sign is swapped: it is what the model said, minus what was true."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * ((i == target ? 1.0f : 0.0f) - expf(x[i] - log_sum));
}
// [/hole]
// [/wrong]

// [wrong target_missing "Nothing is taken off at the target: the right score is pushed down with the others."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * expf(x[i] - log_sum);
}
// [/hole]
// [/wrong]

// [wrong sum_of_one_thread "Each thread takes its own partial sum for the row's: join_sum makes one of them."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(sum);
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong maximum_of_one_thread "Each thread takes off its own maximum, not the row's: the parts of the sum have different scales."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = largest;
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong no_maximum "The maximum is not taken off: exp(100) is beyond float."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = 0;
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong maximum_forgotten "The maximum was taken off before the exponentials, but is not added to the logarithm again."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong ignored_not_zero "A row without a target keeps its probabilities as a gradient: it must be 0."]
// [hole row]
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = target == kIgnored ? 0 : log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong goes_on_after_zeros "After the zeros of an ignored row the block goes on, with a target of −1: it reads before its row, and writes over the zeros. It must be done there."]
// [hole row]
if (target == kIgnored) {
  for (int i = t; i < V; i += kThreads) x[i] = 0;
  if (t == 0) loss[n] = 0;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]

// [wrong ignored_not_written "A row without a target is left as it was: its scores will be taken for a gradient. Both loss and gradient are 0."]
// [hole row]
if (target == kIgnored) {
  if (t == 0) loss[n] = 0;
  return;
}
float largest = -INFINITY, sum = 0;
for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
largest = join_max(largest, part);
for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
const float log_sum = largest + logf(join_sum(sum, part));
if (t == 0) loss[n] = log_sum - x[target];
__syncthreads();
for (int i = t; i < V; i += kThreads) {
  x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
}
// [/hole]
// [/wrong]
