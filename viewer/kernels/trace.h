// What the emulator's recorder saw of a kernel's run, read back from its file: the source lines with
// their sums, and each request of block 0 with the bytes that its lanes asked for.
//
//   {"format": "tpp-trace 1", "chapter": "05", "section": "softmax", "title": "…",
//    "versions": [{"name": "v1_…", "least": BYTES, "record": what simt::Recorder::json() says}, …]}
//
// ./run counts 05 softmax --trace FILE writes it for a chapter's ladder, ./run learn trace 5.3 for a
// reader's own kernel. The file may come from anywhere: what is read is sound, or refused.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tpp::viewer {

constexpr int kLanes = 32;

/// What one source line did to one array, all blocks together.
struct TraceLine {
  std::string kernel, file, array;
  int line = 0;
  bool shared = false;  // in shared memory: banks and wavefronts; else global: sectors
  enum class Op { load, store, atom } op = Op::load;
  int bytes = 0;               // a lane's access
  std::uint64_t requests = 0;  // of warps
  std::uint64_t lanes = 0;     // active ones, all requests together
  std::uint64_t cost = 0;      // sectors, or wavefronts
  std::uint64_t ideal = 0;     // the same, if the lanes stood side by side, or in different banks
  std::vector<int> kept = {};  // the requests of block 0, by their place in TraceVersion::requests

  [[nodiscard]] std::uint64_t excess() const { return cost > ideal ? cost - ideal : 0; }
};

/// One instruction of one warp, once.
struct TraceRequest {
  int line = 0;              // which of TraceVersion::lines
  int phase = 0;             // barriers of the block before it
  int warp = 0;              // of the block
  std::uint32_t active = 0;  // a bit for each lane that takes part
  int cost = 0;              // sectors or wavefronts, as the recorder counted them
  int ideal = 0;             // the same, if its lanes stood side by side, or in different banks
  int base = 0;              // where the array begins, modulo 128
  std::array<std::int32_t, kLanes> offset{};  // bytes from the array's begin; −1 for idle lanes

  [[nodiscard]] bool takes_part(int lane) const { return (active >> lane & 1u) != 0; }
};

struct TraceKernel {
  std::string name;
  std::array<int, 3> grid{}, block{};
};

struct TraceSource {
  std::string name, path;
  std::vector<std::string> lines;
};

struct TraceTotals {
  std::uint64_t requests = 0, sectors = 0, ideal_sectors = 0;      // global memory
  std::uint64_t shared = 0, wavefronts = 0, ideal_wavefronts = 0;  // shared memory
  [[nodiscard]] std::uint64_t bytes() const { return 32 * sectors; }
};

/// One kernel's run, or that of several kernels that do one thing together.
struct TraceVersion {
  std::string name;
  std::uint64_t least = 0;  // bytes: each input once, each output once; 0: not known
  std::vector<TraceKernel> kernels;
  std::vector<TraceSource> sources;
  std::vector<TraceLine> lines;
  std::vector<TraceRequest> requests;
  TraceTotals totals;

  [[nodiscard]] const TraceSource* source(std::string_view name) const;
  /// Of the lines that block 0 runs: the one with the most sectors or wavefronts beyond the ideal; if
  /// all are ideal, the costliest. −1 when there is none.
  [[nodiscard]] int worst_line() const;
};

struct Trace {
  std::string chapter, section, title;
  std::vector<TraceVersion> versions;
};

/// `file` is its name, for messages.
/// Errors: InputError, one sentence, for whatever is no trace.
[[nodiscard]] Trace read_trace(std::string_view json, const std::string& file);

}  // namespace tpp::viewer
