#include "viewer/kernels/trace.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "chapters/01_tensor/errors.h"
#include "viewer/kernels/request.h"

namespace tpp::viewer {
namespace {

using Json = nlohmann::json;

// More than any recording has; less than hurts
constexpr std::size_t kMostBytes = std::size_t(64) << 20;
constexpr std::size_t kMostVersions = 64, kMostLines = 10000, kMostRequests = 200000;
constexpr std::size_t kLongestName = 400, kLongestSource = std::size_t(1) << 20;

/// Walks the file and refuses what is not sound; `file` stands in each sentence.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError("The trace " + file_ + " cannot be shown: " + why + ".");
  }

  const Json& member(const Json& object, const char* name) const {
    if (!object.is_object()) refuse(std::string("something with \"") + name + "\" is missing");
    const auto found = object.find(name);
    if (found == object.end()) refuse(std::string("\"") + name + "\" is missing");
    return *found;
  }
  const Json& list(const Json& object, const char* name, std::size_t most) const {
    const Json& value = member(object, name);
    if (!value.is_array()) refuse(std::string("\"") + name + "\" is no list");
    if (value.size() > most) refuse(std::string("\"") + name + "\" is too long");
    return value;
  }
  std::string text(const Json& object, const char* name, std::size_t longest = kLongestName) const {
    return text_of(member(object, name), name, longest);
  }
  std::string text_of(const Json& value, const char* name, std::size_t longest) const {
    if (!value.is_string()) refuse(std::string("\"") + name + "\" is no text");
    std::string words = value.get<std::string>();
    if (words.size() > longest) refuse(std::string("\"") + name + "\" is too long");
    if (longest == kLongestName &&
        std::any_of(words.begin(), words.end(), [](char c) { return c >= 0 && c < ' '; })) {
      refuse(std::string("\"") + name + "\" holds more than one line");
    }
    return words;
  }
  std::uint64_t number(const Json& value, const char* name, std::uint64_t most) const {
    if (!value.is_number_unsigned()) refuse(std::string("\"") + name + "\" is no whole number");
    const auto n = value.get<std::uint64_t>();
    if (n > most) refuse(std::string("\"") + name + "\" is too large");
    return n;
  }
  std::uint64_t count(const Json& object, const char* name) const {
    return number(member(object, name), name, std::uint64_t(1) << 52);
  }
  int small(const Json& object, const char* name, int most) const {
    return int(number(member(object, name), name, std::uint64_t(most)));
  }
  std::array<int, 3> triple(const Json& object, const char* name) const {
    const Json& values = list(object, name, 3);
    if (values.size() != 3) refuse(std::string("\"") + name + "\" is no triple");
    std::array<int, 3> result{};
    for (std::size_t i = 0; i < 3; ++i)
      result[i] = int(number(values[i], name, std::uint64_t(std::numeric_limits<int>::max())));
    return result;
  }

  TraceLine line(const Json& object) const;
  TraceRequest request(const Json& row, const std::vector<TraceLine>& lines) const;
  TraceVersion version(const Json& object) const;

 private:
  const std::string& file_;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TraceLine Reader::line(const Json& object) const {
  TraceLine line;
  line.kernel = text(object, "kernel");
  line.file = text(object, "file");
  line.array = text(object, "array");
  line.line = small(object, "line", 1000000);
  const std::string space = text(object, "space"), op = text(object, "op");
  if (space != "g" && space != "s") refuse("\"space\" is neither \"g\" nor \"s\"");
  line.shared = space == "s";
  if (op == "load") {
    line.op = TraceLine::Op::load;
  } else if (op == "store") {
    line.op = TraceLine::Op::store;
  } else if (op == "atom") {
    line.op = TraceLine::Op::atom;
  } else {
    refuse("\"op\" is neither \"load\", \"store\" nor \"atom\"");
  }
  line.bytes = small(object, "bytes", 16);
  if (line.bytes < 1) refuse("\"bytes\" is 0");
  line.requests = count(object, "requests");
  line.lanes = count(object, "lanes");
  line.cost = count(object, line.shared ? "wavefronts" : "sectors");
  line.ideal = count(object, line.shared ? "ideal_wavefronts" : "ideal_sectors");
  if (line.requests == 0) refuse("a line without a request");
  return line;
}

TraceRequest Reader::request(const Json& row, const std::vector<TraceLine>& lines) const {
  if (!row.is_array() || row.size() != 8 || !row[7].is_array())
    refuse("a request is no list of seven numbers and the offsets");
  TraceRequest r;
  if (lines.empty()) refuse("a request without a line");
  r.line = int(number(row[0], "line", lines.size() - 1));
  const TraceLine& line = lines[std::size_t(r.line)];
  r.phase = int(number(row[1], "phase", 1000000000));
  r.warp = int(number(row[2], "warp", 31));
  r.active = std::uint32_t(number(row[3], "active", 0xffffffffu));
  r.cost = int(number(row[line.shared ? 5 : 4], "cost", 1000));
  r.base = int(number(row[6], "base", kLineBytes - 1));
  if (r.active == 0) refuse("a request of no lane");
  if (row[7].size() != std::size_t(std::popcount(r.active)))
    refuse("a request has not one offset for each active lane");
  std::size_t next = 0;
  r.offset.fill(-1);
  for (int lane = 0; lane < kLanes; ++lane) {
    if (!r.takes_part(lane)) continue;
    r.offset[std::size_t(lane)] = std::int32_t(number(row[7][next++], "offset", 2000000000));
  }
  if (cost_of(line, r) != r.cost)
    refuse("a request's sectors or wavefronts are not those of its lanes");
  r.ideal = ideal_of(line, r);
  return r;
}

TraceVersion Reader::version(const Json& object) const {
  TraceVersion v;
  v.name = text(object, "name");
  v.least = count(object, "least");
  const Json& record = member(object, "record");
  for (const Json& kernel : list(record, "kernels", kMostLines))
    v.kernels.push_back({text(kernel, "name"), triple(kernel, "grid"), triple(kernel, "block")});
  const Json& files = member(record, "files");
  if (!files.is_object() || files.size() > 1000) refuse("\"files\" is no table of sources");
  for (const auto& [name, source] : files.items()) {
    v.sources.push_back({text_of(name, "file", kLongestName), text(source, "path", 4096),
                         split(text(source, "text", kLongestSource))});
  }
  for (const Json& row : list(record, "lines", kMostLines)) v.lines.push_back(line(row));
  for (const Json& row : list(record, "requests", kMostRequests)) {
    v.requests.push_back(request(row, v.lines));
    v.lines[std::size_t(v.requests.back().line)].kept.push_back(int(v.requests.size()) - 1);
  }
  for (const TraceLine& l : v.lines) {
    if (l.kept.size() > l.requests) refuse("a line has more requests than it says");
    TraceTotals& t = v.totals;
    (l.shared ? t.shared : t.requests) += l.requests;
    (l.shared ? t.wavefronts : t.sectors) += l.cost;
    (l.shared ? t.ideal_wavefronts : t.ideal_sectors) += l.ideal;
  }
  return v;
}

}  // namespace

const TraceSource* TraceVersion::source(std::string_view wanted) const {
  for (const TraceSource& s : sources)
    if (s.name == wanted) return &s;
  return nullptr;
}

int TraceVersion::worst_line() const {
  int worst = -1;
  for (int i = 0; i < int(lines.size()); ++i) {
    const TraceLine& a = lines[std::size_t(i)];
    if (a.kept.empty()) continue;
    if (worst < 0) {
      worst = i;
      continue;
    }
    const TraceLine& b = lines[std::size_t(worst)];
    if (a.excess() > b.excess() || (a.excess() == b.excess() && a.cost > b.cost)) worst = i;
  }
  return worst;
}

Trace read_trace(std::string_view json, const std::string& file) {
  const Reader reader(file);
  if (json.size() > kMostBytes) reader.refuse("it is larger than 64 MB");
  const Json all = Json::parse(json, nullptr, false);
  if (all.is_discarded()) reader.refuse("it is no JSON");
  if (!all.is_object() || !all.contains("format") || all["format"] != "tpp-trace 1")
    reader.refuse("it is no recording of a kernel");
  Trace trace;
  trace.chapter = reader.text(all, "chapter");
  trace.section = reader.text(all, "section");
  trace.title = reader.text(all, "title");
  for (const Json& version : reader.list(all, "versions", kMostVersions))
    trace.versions.push_back(reader.version(version));
  if (trace.versions.empty()) reader.refuse("it holds no version of a kernel");
  return trace;
}

}  // namespace tpp::viewer
