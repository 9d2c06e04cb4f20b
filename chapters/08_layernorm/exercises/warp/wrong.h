// The usual mistakes. Each is what would stand in one of the holes.

// [wrong no_shuffle "add_lanes returns each lane's own value: nobody has the sum."]
// [hole sum]
return value;
// [/hole]
// [/wrong]

// [wrong down_only "The sum goes down to lane 0 only (__shfl_down_sync): the other lanes have a part of it. Use __shfl_xor_sync, or hand lane 0's result to all by __shfl_sync."]
// [hole sum]
for (int k = 16; k > 0; k /= 2) value += __shfl_down_sync(0xffffffffu, value, k);
return value;
// [/hole]
// [/wrong]

// [wrong rounds_from_8 "The rounds start at 8: the two halves of the warp are never joined. There are five rounds, from 16."]
// [hole sum]
for (int k = 8; k > 0; k /= 2) value += __shfl_xor_sync(0xffffffffu, value, k);
return value;
// [/hole]
// [/wrong]

// [wrong rounds_end_early "The rounds end at 2: neighbours are never joined. The last round is k = 1."]
// [hole sum]
for (int k = 16; k > 1; k /= 2) value += __shfl_xor_sync(0xffffffffu, value, k);
return value;
// [/hole]
// [/wrong]

// [wrong width_16 "The width 16 cuts the warp in two: a lane whose partner is in the other half gets its own value. Leave the width away, it is 32."]
// [hole sum]
for (int k = 16; k > 0; k /= 2) value += __shfl_xor_sync(0xffffffffu, value, k, 16);
return value;
// [/hole]
// [/wrong]

// [wrong half_mask "The mask names 16 lanes, and 32 come. It must name every lane that takes part: 0xffffffffu."]
// [hole sum]
for (int k = 16; k > 0; k /= 2) value += __shfl_xor_sync(0x0000ffffu, value, k);
return value;
// [/hole]
// [/wrong]

// [wrong shared_without_barrier "The lanes read each other's numbers in shared memory without a __syncwarp() in between: a neighbour may not have written yet. Lanes do not run in step."]
// [hole sum]
__shared__ float part[32 * kWarps];
part[threadIdx.x] = value;
float all = 0;
for (int k = 0; k < 32; ++k) all += part[threadIdx.x / 32 * 32 + k];
return all;
// [/hole]
// [/wrong]

// [wrong one_row_a_block "All warps of a block work on one row. A block has kWarps rows, and the warp's number, threadIdx.x / 32, says which is whose."]
// [hole place]
lane = int(threadIdx.x) % 32;
n = int(blockIdx.x);
// [/hole]
// [/wrong]

// [wrong lane_is_thread "lane is the thread's number in the block. In its warp it is threadIdx.x % 32."]
// [hole place]
lane = int(threadIdx.x);
n = int(blockIdx.x) * kWarps + int(threadIdx.x) / 32;
// [/hole]
// [/wrong]

// [wrong lane_and_warp_swapped "% and / are swapped: neighbours are lanes of one warp, so the lane is threadIdx.x % 32 and the warp threadIdx.x / 32."]
// [hole place]
lane = int(threadIdx.x) / 32;
n = int(blockIdx.x) * kWarps + int(threadIdx.x) % 32;
// [/hole]
// [/wrong]

// [wrong mean_of_one_lane "Each lane takes its own numbers' mean: the row's needs everybody's. Call add_lanes."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = sum / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong squares_of_one_lane "Each lane has its own variance: the row's needs everybody's squares. Call add_lanes."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(squares / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong tail_dropped "Only whole rounds of 32 are walked: the last D % 32 numbers are not measured."]
// [hole row]
float sum = 0;
for (int d = lane; d < D / 32 * 32; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D / 32 * 32; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong beyond_the_row "Every lane walks the last round, though the row has ended for some: they read the next row, or memory that is not theirs. Stop at d < D."]
// [hole row]
float sum = 0;
for (int d = lane; d < (D + 31) / 32 * 32; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < (D + 31) / 32 * 32; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong shuffle_in_the_loop "add_lanes stands in the loop, and in the last round the lanes beyond the row do not come: those that do wait for them. Add up your own numbers first."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += add_lanes(x[d]);
const float mean = sum / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong idle_lanes_gone "Lanes without a number leave before the shuffles, whose mask still names them. They must stay, with a sum of 0."]
// [hole row]
if (lane >= D) return;
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong divided_by_32 "The sums are divided by 32, the number of lanes. A mean of D numbers divides by D."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / 32;
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / 32 + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong not_around_the_mean "The squares are not taken around the mean: take it off first."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += x[d] * x[d];
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong unbiased_variance "The variance is divided by D − 1, as a sample's is. LayerNorm describes the row itself: divide by D."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D - 1) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong eps_outside "The eps stands outside of the root: it belongs to the variance, under the root."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / (sqrtf(add_lanes(squares) / float(D)) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
// [/hole]
// [/wrong]

// [wrong gain_forgotten "The gain w[d] is missing."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r + b[d];
// [/hole]
// [/wrong]

// [wrong bias_forgotten "The bias b[d] is missing."]
// [hole row]
float sum = 0;
for (int d = lane; d < D; d += 32) sum += x[d];
const float mean = add_lanes(sum) / float(D);
float squares = 0;
for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);
for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d];
// [/hole]
// [/wrong]
