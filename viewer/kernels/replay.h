// Going through a recording request by request: which version, which of its requests, and which now.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/kernels/trace.h"

namespace tpp::viewer {

/// What the accesses of one source line come to, all blocks together.
struct SourceSum {
  TraceTotals totals;
  std::vector<int> lines;  // of TraceVersion::lines
};

class Replay {
 public:
  /// From the start of a trace's first version.
  void open(std::shared_ptr<const Trace> trace);
  [[nodiscard]] const Trace* trace() const { return trace_.get(); }

  void choose_version(int version);
  [[nodiscard]] int version_index() const { return version_; }
  [[nodiscard]] const TraceVersion* version() const;  // null without a trace

  /// Only these requests: of one warp, of one source line. −1 and an empty name: all.
  void only_warp(int warp);
  void only_line(const std::string& file, int line);
  [[nodiscard]] int warp() const { return warp_; }
  [[nodiscard]] int line() const { return line_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] int warps() const { return warps_; }  // of block 0

  /// The requests that are gone through, by their place in TraceVersion::requests.
  [[nodiscard]] const std::vector<int>& shown() const { return shown_; }
  [[nodiscard]] int at() const { return at_; }  // a place in shown(), 0 when it is empty
  void go(int at);
  [[nodiscard]] bool last() const { return at_ + 1 >= int(shown_.size()); }
  /// To the costliest request of the worst line, among all requests.
  void go_to_worst();

  [[nodiscard]] const TraceRequest* request() const;  // null when there is none
  [[nodiscard]] const TraceLine* request_line() const;

  /// By the source's line, for the version that is shown.
  [[nodiscard]] const std::map<int, SourceSum>& sums(std::string_view file) const;

 private:
  void select(int keep);

  std::shared_ptr<const Trace> trace_;
  int version_ = 0, warp_ = -1, line_ = -1, at_ = 0, warps_ = 0;
  std::string file_;
  std::vector<int> shown_;
  std::map<std::string, std::map<int, SourceSum>, std::less<>> sums_;
};

}  // namespace tpp::viewer
