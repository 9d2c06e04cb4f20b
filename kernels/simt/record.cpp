// The recorder: the n-th execution of one instruction by each lane of a warp, between two barriers, is one request.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <tuple>

#include "kernels/simt/internal.h"

namespace tpp::simt {

Recording* recording = nullptr;

namespace {

constexpr std::size_t kMaxKept = 100000;  // requests with all their lanes, for json()
constexpr std::uint64_t kLine = 128;      // bytes: four sectors, and one word of each bank

struct Request {
  std::uint64_t opened = 0;  // by its first lane: requests in the order in which they began
  std::uint32_t active = 0;
  std::uint64_t address[kLanes] = {};
};

// One instruction of one warp.
struct Stream {
  const std::string* array = nullptr;
  std::uint64_t done = 0;            // requests already summed
  std::uint64_t count[kLanes] = {};  // executions by each lane
  std::deque<Request> open;
};

using StreamKey = std::tuple<const void*, std::uint32_t, std::uint64_t, Access, std::size_t, char>;
using SumKey = std::tuple<std::size_t, const void*, char, Access, std::size_t, std::string>;

struct Kept {
  SumKey key;
  std::uint64_t opened;
  std::uint32_t phase, warp, active, sectors, wavefronts, base;
  std::int64_t offset[kLanes];
};

// A kernel, and how it was launched first.
struct Launched {
  std::string name;
  dim3 grid, block;
};

// How many distinct values there are; sorts.
std::size_t distinct(std::vector<std::uint64_t>& v) {
  std::sort(v.begin(), v.end());
  return static_cast<std::size_t>(std::unique(v.begin(), v.end()) - v.begin());
}

struct Cost {
  std::uint32_t sectors = 0, ideal_sectors = 0, wavefronts = 0, ideal_wavefronts = 0;
};

Cost cost_of(const Request& r, char space, Access access, std::size_t bytes) {
  Cost cost;
  std::vector<std::uint64_t> values;
  if (space == 'g') {
    for (std::uint32_t rest = r.active; rest != 0; rest &= rest - 1) {
      const std::uint64_t a = r.address[std::countr_zero(rest)];
      for (std::uint64_t s = a / 32; s <= (a + bytes - 1) / 32; ++s) values.push_back(s);
    }
    cost.sectors = static_cast<std::uint32_t>(distinct(values));
    values.clear();
    for (std::uint32_t rest = r.active; rest != 0; rest &= rest - 1) {
      values.push_back(r.address[std::countr_zero(rest)]);
    }
    cost.ideal_sectors = static_cast<std::uint32_t>((distinct(values) * bytes + 31) / 32);
    return cost;
  }

  // Wide accesses go in passes of 16 or 8 lanes. In a pass a bank serves one word a wavefront; equal words are one,
  // except for atomics.
  const int lanes = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  for (int first = 0; first < kLanes; first += lanes) {
    std::vector<std::uint64_t> banks[32];
    bool any = false;
    for (int l = first; l < first + lanes; ++l) {
      if ((r.active >> l & 1u) == 0) continue;
      any = true;
      for (std::uint64_t word = r.address[l] / 4; word <= (r.address[l] + bytes - 1) / 4; ++word) {
        banks[word % 32].push_back(word);
      }
    }
    std::size_t most = 0;
    for (auto& bank : banks) {
      most = std::max(most, access == Access::kAtomic ? bank.size() : distinct(bank));
    }
    cost.wavefronts += static_cast<std::uint32_t>(most);
    cost.ideal_wavefronts += any ? 1 : 0;
  }
  return cost;
}

const char* op_name(Access access) {
  return access == Access::kRead ? "load" : access == Access::kWrite ? "store" : "atom";
}

}  // namespace

struct Recording {
  std::vector<Launched> kernels;
  std::size_t kernel = 0;
  std::uint64_t opened = 0;
  std::map<StreamKey, Stream> streams;  // of the running phase
  std::map<SumKey, LineStats> sums;
  std::vector<Kept> kept;

  void sum(Worker& w, const StreamKey& at, const Stream& stream, const Request& request) {
    const auto& [pc, warp, begin, access, bytes, space] = at;
    const Cost cost = cost_of(request, space, access, bytes);
    const SumKey key{kernel, pc, space, access, bytes, *stream.array};
    LineStats& s = sums[key];
    s.requests += 1;
    s.lanes += static_cast<std::uint64_t>(std::popcount(request.active));
    s.sectors += cost.sectors;
    s.ideal_sectors += cost.ideal_sectors;
    s.wavefronts += cost.wavefronts;
    s.ideal_wavefronts += cost.ideal_wavefronts;
    if (w.block != 0 || kept.size() >= kMaxKept) return;
    Kept k{key,
           request.opened,
           w.phase,
           warp,
           request.active,
           cost.sectors,
           cost.wavefronts,
           std::uint32_t(begin % kLine),
           {}};
    for (int l = 0; l < kLanes; ++l) {
      k.offset[l] = (request.active >> l & 1u) != 0
                        ? static_cast<std::int64_t>(request.address[l] - begin)
                        : -1;
    }
    kept.push_back(std::move(k));
  }
};

void record_launch(const Grid& grid) {
  const std::string name = kernel_text(grid);
  auto& kernels = recording->kernels;
  const auto found = std::find_if(kernels.begin(), kernels.end(),
                                  [&name](const Launched& k) { return k.name == name; });
  recording->kernel = static_cast<std::size_t>(found - kernels.begin());
  if (found == kernels.end()) kernels.push_back({name, grid.launch.grid, grid.launch.block});
  recording->streams.clear();
}

void record(Worker& w, char space, Access access, std::size_t bytes, std::uintptr_t address,
            std::uintptr_t array_begin, const std::string* array, const void* pc) {
  const std::uint32_t index = w.lane->index, lane = index % kLanes;
  const StreamKey key{pc, index / kLanes, array_begin, access, bytes, space};
  Stream& stream = recording->streams[key];
  stream.array = array;
  const std::uint64_t at = stream.count[lane]++ - stream.done;
  while (at >= stream.open.size()) stream.open.push_back({.opened = recording->opened++});
  Request& request = stream.open[at];
  request.active |= 1u << lane;
  request.address[lane] = address;

  // A full warp will not add more to its oldest request.
  while (!stream.open.empty() && stream.open.front().active == ~0u) {
    recording->sum(w, key, stream, stream.open.front());
    stream.open.pop_front();
    ++stream.done;
  }
}

void record_phase_end(Worker& w) {
  for (const auto& [key, stream] : recording->streams) {
    for (const Request& request : stream.open) recording->sum(w, key, stream, request);
  }
  recording->streams.clear();
}

Recorder::Recorder() {
  if (!checked()) {
    throw Error(
        "simt: the recorder needs the checked build of the kernels: a fast build sees no accesses");
  }
  const std::lock_guard lock(device_lock());
  if (recording != nullptr) throw Error("simt: another recorder is alive");
  recording_ = std::make_unique<Recording>();
  recording = recording_.get();
}

Recorder::~Recorder() {
  const std::lock_guard lock(device_lock());
  recording = nullptr;
}

namespace {

// Several instructions can stand in one line: an unrolled loop, for example.
struct Merged {
  std::vector<LineStats> lines;
  std::map<SumKey, std::size_t> line_of;
  std::map<std::string, std::string> paths;  // of the files that they name
};

Merged merged(const Recording& recording) {
  std::vector<const void*> addresses;
  for (const auto& [key, sum] : recording.sums) addresses.push_back(std::get<1>(key));
  const std::vector<SourceLine> places = source_lines(addresses);

  std::map<std::tuple<std::size_t, std::string, int, char, Access, std::size_t, std::string>,
           std::pair<LineStats, std::vector<const SumKey*>>>
      found;
  Merged result;
  std::size_t i = 0;
  for (const auto& [key, sum] : recording.sums) {
    const auto& [kernel, pc, space, access, bytes, array] = key;
    const SourceLine& place = places[i++];
    auto& [s, keys] = found[{kernel, place.file, place.line, space, access, bytes, array}];
    keys.push_back(&key);
    result.paths[place.file] = place.path;
    s.kernel = recording.kernels[kernel].name;
    s.file = place.file;
    s.line = place.line;
    s.space = space;
    s.op = op_name(access);
    s.bytes = static_cast<int>(bytes);
    s.array = array;
    s.requests += sum.requests;
    s.lanes += sum.lanes;
    s.sectors += sum.sectors;
    s.ideal_sectors += sum.ideal_sectors;
    s.wavefronts += sum.wavefronts;
    s.ideal_wavefronts += sum.ideal_wavefronts;
  }
  for (auto& [place, line] : found) {
    for (const SumKey* key : line.second) result.line_of[*key] = result.lines.size();
    result.lines.push_back(std::move(line.first));
  }
  return result;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (static_cast<unsigned char>(c) < 32) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string triple(const dim3& d) {
  return "[" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + "]";
}

}  // namespace

std::vector<LineStats> Recorder::lines() const {
  const std::lock_guard lock(device_lock());
  return merged(*recording_).lines;
}

LineStats Recorder::line(const std::string& op, const std::string& array) const {
  std::vector<LineStats> found;
  for (LineStats& s : lines()) {
    if (s.op == op && s.array == array) found.push_back(std::move(s));
  }
  if (found.size() != 1) {
    throw Error("simt: " + std::to_string(found.size()) + " lines " + op + " " + array +
                "; the recording holds\n" + table());
  }
  return found[0];
}

std::string Recorder::table() const {
  std::string text, kernel;
  char row[512];
  for (const LineStats& s : lines()) {
    if (s.kernel != kernel) {
      kernel = s.kernel;
      std::snprintf(row, sizeof(row), "%s\n  %-24s %-11s %-24s %9s %10s %21s %23s\n",
                    kernel.c_str(), "line", "op", "array", "requests", "lanes/req",
                    "sectors/req (ideal)", "wavefronts/req (ideal)");
      text += row;
    }
    const double n = static_cast<double>(s.requests);
    const std::string op = s.op + "." + s.space + std::to_string(s.bytes * 8);
    char cost[64];
    const bool global = s.space == 'g';
    const std::uint64_t actual = global ? s.sectors : s.wavefronts;
    const std::uint64_t ideal = global ? s.ideal_sectors : s.ideal_wavefronts;
    std::snprintf(cost, sizeof(cost), "%.2f (%.2f)", static_cast<double>(actual) / n,
                  static_cast<double>(ideal) / n);
    const char* hint = actual < 2 * ideal ? ""
                       : global           ? "  <- not coalesced"
                                          : "  <- bank conflicts";
    std::snprintf(row, sizeof(row), "  %-24s %-11s %-24s %9llu %10.1f %*s%s\n",
                  (s.file + ":" + std::to_string(s.line)).c_str(), op.c_str(), s.array.c_str(),
                  static_cast<unsigned long long>(s.requests), static_cast<double>(s.lanes) / n,
                  global ? 21 : 45, cost, hint);
    text += row;
  }
  return text;
}

std::string Recorder::json() const {
  const std::lock_guard lock(device_lock());
  const Merged all = merged(*recording_);
  std::string text = "{\"kernels\": [";
  const char* comma = "\n";
  for (const Launched& kernel : recording_->kernels) {
    text += comma + ("{\"name\": " + quoted(kernel.name)) + ", \"grid\": " + triple(kernel.grid) +
            ", \"block\": " + triple(kernel.block) + "}";
    comma = ",\n";
  }
  text += "],\n\"files\": {";
  comma = "\n";
  for (const auto& [name, path] : all.paths) {
    std::ifstream in(path, std::ios::binary);
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    text += comma + quoted(name) + ": {\"path\": " + quoted(path) +
            ", \"text\": " + quoted(source) + "}";
    comma = ",\n";
  }
  text += "},\n\"lines\": [";
  comma = "\n";
  const auto number = [&text](const char* name, std::uint64_t value) {
    text += std::string(", \"") + name + "\": " + std::to_string(value);
  };
  for (const LineStats& s : all.lines) {
    text += comma + ("{\"kernel\": " + quoted(s.kernel)) + ", \"file\": " + quoted(s.file) +
            ", \"line\": " + std::to_string(s.line) + ", \"space\": \"" + s.space +
            "\", \"op\": " + quoted(s.op) + ", \"array\": " + quoted(s.array);
    number("bytes", static_cast<std::uint64_t>(s.bytes));
    number("requests", s.requests);
    number("lanes", s.lanes);
    number("sectors", s.sectors);
    number("ideal_sectors", s.ideal_sectors);
    number("wavefronts", s.wavefronts);
    number("ideal_wavefronts", s.ideal_wavefronts);
    text += "}";
    comma = ",\n";
  }
  text += "],\n\"requests\": [";
  comma = "\n";
  std::vector<const Kept*> kept;
  for (const Kept& k : recording_->kept) kept.push_back(&k);
  std::sort(kept.begin(), kept.end(),
            [](const Kept* a, const Kept* b) { return a->opened < b->opened; });
  for (const Kept* k : kept) {
    text += comma;
    comma = "[";
    for (const std::uint64_t value :
         {std::uint64_t(all.line_of.at(k->key)), std::uint64_t(k->phase), std::uint64_t(k->warp),
          std::uint64_t(k->active), std::uint64_t(k->sectors), std::uint64_t(k->wavefronts),
          std::uint64_t(k->base)}) {
      text += comma + std::to_string(value);
      comma = ", ";
    }
    text += ", ";
    comma = "[";
    for (std::uint32_t rest = k->active; rest != 0; rest &= rest - 1) {
      text += comma + std::to_string(k->offset[std::countr_zero(rest)]);
      comma = ",";
    }
    text += "]]";
    comma = ",\n";
  }
  return text + "]}\n";
}

}  // namespace tpp::simt
