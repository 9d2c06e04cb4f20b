// What the last lane of a meeting computes for everybody.
#include "kernels/simt/warp.h"

#include <bit>

#include "kernels/simt/internal.h"

namespace tpp::simt {

namespace {

template <class F>
void each(std::uint32_t members, F f) {
  for (; members != 0; members &= members - 1) f(std::countr_zero(members));
}

// PTX shfl: the last lane of a segment, and which lane is the source.
template <Shuffle kHow>
void shuffle(Lane* lanes, std::uint32_t members) {
  each(members, [&](int l) {
    Lane& lane = lanes[l];
    const int first = l & ~(lane.width - 1), last = first + lane.width - 1;
    int source = l;
    if constexpr (kHow == Shuffle::kIndex) source = first | (lane.argument & (lane.width - 1));
    if constexpr (kHow == Shuffle::kUp) source = l - lane.argument;
    if constexpr (kHow == Shuffle::kDown) source = l + lane.argument;
    if constexpr (kHow == Shuffle::kXor) source = l ^ lane.argument;
    if (kHow == Shuffle::kUp ? source < first : source > last) source = l;
    // A lane that is not there gives a NaN in every floating-point type.
    const bool there = source >= 0 && source < kLanes && (members >> source & 1u) != 0;
    lane.out = there ? lanes[source].in : ~0ull;
  });
}

constexpr Meeting kShuffles[] = {{"__shfl_sync", &shuffle<Shuffle::kIndex>},
                                 {"__shfl_up_sync", &shuffle<Shuffle::kUp>},
                                 {"__shfl_down_sync", &shuffle<Shuffle::kDown>},
                                 {"__shfl_xor_sync", &shuffle<Shuffle::kXor>}};

template <Vote kHow>
void vote(Lane* lanes, std::uint32_t members) {
  std::uint32_t bits = 0;
  each(members, [&](int l) { bits |= (lanes[l].in != 0 ? 1u : 0u) << l; });
  if constexpr (kHow == Vote::kAny) bits = bits != 0;
  if constexpr (kHow == Vote::kAll) bits = bits == members;
  each(members, [&](int l) { lanes[l].out = bits; });
}

template <Vote kHow>
void match(Lane* lanes, std::uint32_t members) {
  each(members, [&](int l) {
    std::uint32_t same = 0;
    each(members, [&](int k) { same |= (lanes[k].in == lanes[l].in ? 1u : 0u) << k; });
    lanes[l].out = kHow == Vote::kMatchAny || same == members ? same : 0;
  });
}

constexpr Meeting kVotes[] = {{"__ballot_sync", &vote<Vote::kBallot>},
                              {"__any_sync", &vote<Vote::kAny>},
                              {"__all_sync", &vote<Vote::kAll>},
                              {"__match_any_sync", &match<Vote::kMatchAny>},
                              {"__match_all_sync", &match<Vote::kMatchAll>}};

template <Reduce kHow>
void reduce(Lane* lanes, std::uint32_t members) {
  auto total = static_cast<std::uint32_t>(lanes[std::countr_zero(members)].in);
  each(members & (members - 1), [&](int l) {
    const auto v = static_cast<std::uint32_t>(lanes[l].in);
    const auto signed_v = static_cast<std::int32_t>(v), signed_t = static_cast<std::int32_t>(total);
    if constexpr (kHow == Reduce::kAdd) total += v;
    if constexpr (kHow == Reduce::kMin) total = v < total ? v : total;
    if constexpr (kHow == Reduce::kMax) total = total < v ? v : total;
    if constexpr (kHow == Reduce::kMinSigned) total = signed_v < signed_t ? v : total;
    if constexpr (kHow == Reduce::kMaxSigned) total = signed_t < signed_v ? v : total;
    if constexpr (kHow == Reduce::kAnd) total &= v;
    if constexpr (kHow == Reduce::kOr) total |= v;
    if constexpr (kHow == Reduce::kXor) total ^= v;
  });
  each(members, [&](int l) { lanes[l].out = total; });
}

constexpr Meeting kReduces[] = {{"__reduce_add_sync", &reduce<Reduce::kAdd>},
                                {"__reduce_min_sync", &reduce<Reduce::kMin>},
                                {"__reduce_max_sync", &reduce<Reduce::kMax>},
                                {"__reduce_min_sync", &reduce<Reduce::kMinSigned>},
                                {"__reduce_max_sync", &reduce<Reduce::kMaxSigned>},
                                {"__reduce_and_sync", &reduce<Reduce::kAnd>},
                                {"__reduce_or_sync", &reduce<Reduce::kOr>},
                                {"__reduce_xor_sync", &reduce<Reduce::kXor>}};

// The only warp function that orders memory.
void join(Lane* lanes, std::uint32_t members) {
  if (checked()) synchronise_clocks(*worker, lanes, members);
}
constexpr Meeting kSyncwarp{"__syncwarp", &join};

}  // namespace

void warp_barrier(unsigned mask, Site site) {
  const Runtime runtime;
  meet(kSyncwarp, mask, site);
}

std::uint64_t warp_shuffle(Shuffle how, unsigned mask, std::uint64_t bits, int argument, int width,
                           Site site) {
  const Runtime runtime;
  if (width < 1 || width > kLanes || (width & (width - 1)) != 0) {
    refuse("a shuffle's width must be 1, 2, 4, 8, 16 or 32");
  }
  Lane& lane = *worker->lane;
  lane.in = bits;
  lane.argument = argument;
  lane.width = width;
  meet(kShuffles[static_cast<int>(how)], mask, site);
  return lane.out;
}

std::uint64_t warp_vote(Vote how, unsigned mask, std::uint64_t bits, Site site) {
  const Runtime runtime;
  Lane& lane = *worker->lane;
  lane.in = bits;
  meet(kVotes[static_cast<int>(how)], mask, site);
  return lane.out;
}

std::uint32_t warp_reduce(Reduce how, unsigned mask, std::uint32_t bits, Site site) {
  const Runtime runtime;
  Lane& lane = *worker->lane;
  lane.in = bits;
  meet(kReduces[static_cast<int>(how)], mask, site);
  return static_cast<std::uint32_t>(lane.out);
}

}  // namespace tpp::simt
