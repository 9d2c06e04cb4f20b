// Hostile recordings of kernels: whatever the bytes, read_trace gives a sound trace or one sentence.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "chapters/01_tensor/errors.h"
#include "viewer/kernels/request.h"
#include "viewer/kernels/trace.h"

namespace {

using namespace tpp::viewer;

/// Stop the fuzzer: the input is kept as a finding.
void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// What the lens relies on when it draws.
void check(const Trace& trace) {
  require(!trace.versions.empty(), "there is a version");
  for (const TraceVersion& v : trace.versions) {
    require(v.worst_line() < int(v.lines.size()), "the worst line is a line");
    for (const TraceRequest& r : v.requests) {
      require(r.line >= 0 && r.line < int(v.lines.size()), "a request has a line");
      const TraceLine& line = v.lines[std::size_t(r.line)];
      require(line.bytes >= 1 && line.bytes <= 16, "a lane's access is small");
      require(r.active != 0 && r.warp >= 0 && r.warp < 32 && r.phase >= 0, "a request is a warp's");
      for (int lane = 0; lane < kLanes; ++lane)
        require((r.offset[std::size_t(lane)] >= 0) == r.takes_part(lane),
                "active lanes have offsets");
      if (line.shared) {
        const BankPicture p = banks_of(line, r);
        require(p.wavefronts() == r.cost && p.ideal() == r.ideal,
                "wavefronts are those of the lanes");
        require(r.cost >= r.ideal && r.cost <= 512, "wavefronts are at least the passes");
      } else {
        const SectorPicture p = sectors_of(line, r);
        require(int(p.sectors.size()) == r.cost && p.ideal == r.ideal,
                "sectors are those of the lanes");
        require(r.cost >= 1 && r.cost <= 2 * kLanes, "a lane touches at most two sectors");
        require(p.used >= 1 && p.used <= p.fetched(), "what is used was fetched");
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    check(read_trace({reinterpret_cast<const char*>(data), size}, "fuzz"));
  } catch (const tpp::InputError& error) {
    const std::string text = error.what();
    require(text.find("fuzz") != std::string::npos, "an error names the file");
    require(text.size() < 600, "an error is short");
    require(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }),
            "an error is one line");
  }
  return 0;
}
