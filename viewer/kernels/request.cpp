#include "viewer/kernels/request.h"

#include <algorithm>
#include <bit>

namespace tpp::viewer {
namespace {

/// As recorded: congruent to the address modulo 128.
std::int64_t address_of(const TraceRequest& request, int lane) {
  return std::int64_t(request.base) + request.offset[std::size_t(lane)];
}

int passes_of(int bytes) { return bytes <= 4 ? 1 : bytes <= 8 ? 2 : 4; }

}  // namespace

int Sector::used() const {
  return int(std::count_if(by.begin(), by.end(), [](std::uint32_t lanes) { return lanes != 0; }));
}

std::uint32_t Sector::lanes() const {
  std::uint32_t all = 0;
  for (const std::uint32_t lanes : by) all |= lanes;
  return all;
}

SectorPicture sectors_of(const TraceLine& line, const TraceRequest& request) {
  SectorPicture picture;
  std::vector<std::int64_t> numbers, addresses;
  for (int lane = 0; lane < kLanes; ++lane) {
    if (!request.takes_part(lane)) continue;
    const std::int64_t first = address_of(request, lane), last = first + line.bytes - 1;
    addresses.push_back(first);
    for (std::int64_t s = first / kSectorBytes; s <= last / kSectorBytes; ++s) numbers.push_back(s);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (const std::int64_t s : numbers)
    picture.sectors.push_back({.begin = s * kSectorBytes - request.base});

  // Whose bytes they are
  for (int lane = 0; lane < kLanes; ++lane) {
    if (!request.takes_part(lane)) continue;
    const std::int64_t first = address_of(request, lane);
    for (std::int64_t byte = first; byte < first + line.bytes; ++byte) {
      const auto at = std::lower_bound(numbers.begin(), numbers.end(), byte / kSectorBytes);
      Sector& sector = picture.sectors[std::size_t(at - numbers.begin())];
      sector.by[std::size_t(byte % kSectorBytes)] |= 1u << lane;
    }
  }
  for (const Sector& sector : picture.sectors) picture.used += sector.used();

  // Side by side, each value once
  std::sort(addresses.begin(), addresses.end());
  const auto values = std::unique(addresses.begin(), addresses.end()) - addresses.begin();
  picture.ideal = (int(values) * line.bytes + kSectorBytes - 1) / kSectorBytes;
  return picture;
}

int BankPass::wavefronts() const {
  std::size_t most = 0;
  for (const auto& bank : banks) most = std::max(most, bank.size());
  return int(most);
}

int BankPicture::wavefronts() const {
  int sum = 0;
  for (const BankPass& pass : passes) sum += pass.wavefronts();
  return sum;
}

BankPicture banks_of(const TraceLine& line, const TraceRequest& request) {
  BankPicture picture;
  const int passes = passes_of(line.bytes), lanes = kLanes / passes;
  for (int p = 0; p < passes; ++p) {
    BankPass pass;
    for (int lane = p * lanes; lane < (p + 1) * lanes; ++lane) {
      if (!request.takes_part(lane)) continue;
      pass.lanes |= 1u << lane;
      const std::int64_t first = address_of(request, lane), last = first + line.bytes - 1;
      for (std::int64_t word = first / kWordBytes; word <= last / kWordBytes; ++word) {
        std::vector<BankWord>& bank = pass.banks[std::size_t(word % kBanks)];
        const std::int64_t begin = word * kWordBytes - request.base;
        const auto same = std::find_if(bank.begin(), bank.end(),
                                       [begin](const BankWord& w) { return w.begin == begin; });
        // An atomic changes its word: lanes that share one wait for each other
        if (same == bank.end() || line.op == TraceLine::Op::atom) {
          bank.push_back({begin, 1u << lane});
        } else {
          same->lanes |= 1u << lane;
        }
      }
    }
    if (pass.lanes != 0) picture.passes.push_back(std::move(pass));
  }
  return picture;
}

int cost_of(const TraceLine& line, const TraceRequest& request) {
  return line.shared ? banks_of(line, request).wavefronts()
                     : int(sectors_of(line, request).sectors.size());
}

int ideal_of(const TraceLine& line, const TraceRequest& request) {
  return line.shared ? banks_of(line, request).ideal() : sectors_of(line, request).ideal;
}

}  // namespace tpp::viewer
