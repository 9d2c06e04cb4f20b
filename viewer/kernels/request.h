// A request taken apart: which sectors of global memory, or which banks of shared memory, its lanes
// meet in, and what that costs.
//
//   sector    = ⌊address / 32⌋          a request fetches each sector that a lane touches, whole
//   bank      = ⌊address / 4⌋ mod 32    a bank gives one word a wavefront; equal words are one
//
// Accesses of 8 bytes pass in halves of a warp, those of 16 in quarters. Addresses are offsets in the
// array plus where the array begins, modulo 128: that is all that sectors and banks depend on.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "viewer/kernels/trace.h"

namespace tpp::viewer {

constexpr int kSectorBytes = 32, kLineBytes = 128, kBanks = 32, kWordBytes = 4;

/// A piece of 32 bytes of global memory that a request touches.
struct Sector {
  std::int64_t begin = 0;                        // bytes from the array's begin; may be below 0
  std::array<std::uint32_t, kSectorBytes> by{};  // which lanes ask for each byte
  [[nodiscard]] int used() const;                // bytes that some lane asks for
  [[nodiscard]] std::uint32_t lanes() const;     // all that meet here
};

struct SectorPicture {
  std::vector<Sector> sectors;  // by address
  int used = 0;                 // bytes of them that were asked for
  int ideal = 0;                // sectors, if the same values stood side by side
  [[nodiscard]] int fetched() const { return int(sectors.size()) * kSectorBytes; }
};
[[nodiscard]] SectorPicture sectors_of(const TraceLine& line, const TraceRequest& request);

/// A word that a bank serves in one wavefront.
struct BankWord {
  std::int64_t begin = 0;   // of its four bytes, from the array's begin
  std::uint32_t lanes = 0;  // that it serves
};

/// Lanes that the banks serve together: a warp, a half or a quarter of it.
struct BankPass {
  std::uint32_t lanes = 0;
  std::array<std::vector<BankWord>, kBanks> banks;  // what each has to give, one a wavefront
  [[nodiscard]] int wavefronts() const;
};

struct BankPicture {
  std::vector<BankPass> passes;  // those with a lane
  [[nodiscard]] int wavefronts() const;
  [[nodiscard]] int ideal() const { return int(passes.size()); }
};
[[nodiscard]] BankPicture banks_of(const TraceLine& line, const TraceRequest& request);

/// Sectors or wavefronts, as the request's memory has it.
[[nodiscard]] int cost_of(const TraceLine& line, const TraceRequest& request);
[[nodiscard]] int ideal_of(const TraceLine& line, const TraceRequest& request);

}  // namespace tpp::viewer
