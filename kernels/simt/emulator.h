// What a test or a viewer may ask of the emulator: its errors, its settings, its recorder.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tpp::simt {

/// A mistake of a kernel or of its launch. The message names kernel, block, threads, array and source line.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The order in which a warp's ready lanes run. A right kernel gives right answers in each.
enum class Order { kForward, kReverse, kRandom };

struct Options {
  int threads =
      0;  // cores to spread blocks over, 0 for all; a checked build uses one. SIMT_THREADS
  Order order = Order::kForward;  // SIMT_ORDER=forward, reverse, random or random:7
  std::uint32_t seed = 1;
  double watchdog_seconds =
      20;  // a lane that runs longer without meeting another; 0 for no watchdog
};
Options& options();

/// Is code of the checked build linked in? Only then are races and accesses seen.
bool checked();

/// Call a buffer by a name in messages and tables, instead of "buffer #3".
void name_buffer(const void* device_pointer, std::string name);

/// What one source line did to one array, summed over the warps of a launch.
struct LineStats {
  std::string kernel, file;
  int line = 0;
  char space = 'g';  // g: global, s: shared
  std::string op;    // load, store, atom
  int bytes = 0;     // a lane's access
  std::string array;
  std::uint64_t requests = 0;  // warp-wide instructions
  std::uint64_t lanes = 0;     // active lanes, all requests together
  std::uint64_t sectors = 0;   // distinct 32-byte pieces (global)
  std::uint64_t ideal_sectors = 0;
  std::uint64_t wavefronts = 0;  // passes over the 32 banks (shared)
  std::uint64_t ideal_wavefronts = 0;

  double sectors_per_request() const { return double(sectors) / double(requests); }
  double wavefronts_per_request() const { return double(wavefronts) / double(requests); }
  std::uint64_t total_bytes() const { return lanes * std::uint64_t(bytes); }
};

struct Recording;

/// Records every launch while it lives. Errors: Error in a fast build, which sees no accesses, and
/// when another recorder lives.
class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// One entry for each line, operation and array; kernels in order of launch, lines in order.
  std::vector<LineStats> lines() const;
  /// The one entry of this operation ("load", "store", "atom") on this array. Errors: Error unless there is exactly one.
  LineStats line(const std::string& op, const std::string& array) const;
  /// For people.
  std::string table() const;
  /// For programs: {"kernels": [{name, grid, block}], "files": {name: {path, text}}, "lines": [what lines() says],
  /// "requests": [[line, phase, warp, active, sectors, wavefronts, base, [offset …]], …]}. The requests are those of
  /// block 0, in the order in which they began; `line` counts the lines from 0, an offset in bytes is from the array's
  /// begin and stands there for each active lane, `base` is the array's begin modulo 128.
  std::string json() const;

 private:
  std::unique_ptr<Recording> recording_;
};

}  // namespace tpp::simt
