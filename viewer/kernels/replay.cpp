#include "viewer/kernels/replay.h"

#include <algorithm>

namespace tpp::viewer {

void Replay::open(std::shared_ptr<const Trace> trace) {
  trace_ = std::move(trace);
  choose_version(0);
}

const TraceVersion* Replay::version() const {
  return trace_ && !trace_->versions.empty() ? &trace_->versions[std::size_t(version_)] : nullptr;
}

void Replay::choose_version(int version) {
  const int count = trace_ ? int(trace_->versions.size()) : 0;
  version_ = std::clamp(version, 0, std::max(0, count - 1));
  warp_ = line_ = -1;
  file_.clear();
  sums_.clear();
  warps_ = 0;
  if (const TraceVersion* v = this->version()) {
    for (const TraceRequest& r : v->requests) warps_ = std::max(warps_, r.warp + 1);
    for (int i = 0; i < int(v->lines.size()); ++i) {
      const TraceLine& l = v->lines[std::size_t(i)];
      SourceSum& sum = sums_[l.file][l.line];
      sum.lines.push_back(i);
      TraceTotals& t = sum.totals;
      (l.shared ? t.shared : t.requests) += l.requests;
      (l.shared ? t.wavefronts : t.sectors) += l.cost;
      (l.shared ? t.ideal_wavefronts : t.ideal_sectors) += l.ideal;
    }
  }
  select(-1);
}

void Replay::only_warp(int warp) {
  const int keep = shown_.empty() ? -1 : shown_[std::size_t(at_)];
  warp_ = warp >= 0 && warp < warps_ ? warp : -1;
  select(keep);
}

void Replay::only_line(const std::string& file, int line) {
  const int keep = shown_.empty() ? -1 : shown_[std::size_t(at_)];
  file_ = file;
  line_ = file.empty() ? -1 : line;
  select(keep);
}

/// The requests that pass; `keep` stays the present one, or the next that passes.
void Replay::select(int keep) {
  shown_.clear();
  at_ = 0;
  const TraceVersion* v = version();
  if (!v) return;
  for (int i = 0; i < int(v->requests.size()); ++i) {
    const TraceRequest& r = v->requests[std::size_t(i)];
    const TraceLine& l = v->lines[std::size_t(r.line)];
    if (warp_ >= 0 && r.warp != warp_) continue;
    if (line_ >= 0 && (l.line != line_ || l.file != file_)) continue;
    shown_.push_back(i);
  }
  const auto next = std::lower_bound(shown_.begin(), shown_.end(), keep);
  go(int(next - shown_.begin()));
}

void Replay::go(int at) { at_ = std::clamp(at, 0, std::max(0, int(shown_.size()) - 1)); }

void Replay::go_to_worst() {
  const TraceVersion* v = version();
  const int worst = v ? v->worst_line() : -1;
  if (worst < 0) return;
  const std::vector<int>& kept = v->lines[std::size_t(worst)].kept;
  const auto costliest = std::max_element(kept.begin(), kept.end(), [v](int a, int b) {
    const TraceRequest &x = v->requests[std::size_t(a)], &y = v->requests[std::size_t(b)];
    return x.cost - x.ideal < y.cost - y.ideal;
  });
  warp_ = line_ = -1;
  file_.clear();
  select(*costliest);
}

const TraceRequest* Replay::request() const {
  const TraceVersion* v = version();
  return v && !shown_.empty() ? &v->requests[std::size_t(shown_[std::size_t(at_)])] : nullptr;
}

const TraceLine* Replay::request_line() const {
  const TraceRequest* r = request();
  return r ? &version()->lines[std::size_t(r->line)] : nullptr;
}

const std::map<int, SourceSum>& Replay::sums(std::string_view file) const {
  static const std::map<int, SourceSum> none;
  const auto found = sums_.find(file);
  return found == sums_.end() ? none : found->second;
}

}  // namespace tpp::viewer
