// Recordings without an emulator: requests from a rule, with what they cost counted here, by other
// means than the lens'.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tpp::viewer::testing {

/// Written as the recorder writes it.
class TraceText {
 public:
  explicit TraceText(std::string version = "v1", std::uint64_t least = 4096)
      : version_(std::move(version)), least_(least) {}

  /// A line of the source; returns its number for request().
  int line(const std::string& array, int number, char space = 'g', const std::string& op = "load",
           int bytes = 4) {
    lines_.push_back({array, number, space, op, bytes, 0, 0, 0, 0});
    return int(lines_.size()) - 1;
  }

  /// A request of that line; `offset` gives each lane's byte, or −1 for none.
  void request(int line, int warp, const std::function<int(int)>& offset, int phase = 0,
               int base = 0) {
    Line& l = lines_[std::size_t(line)];
    std::uint32_t active = 0;
    std::string offsets;
    std::set<std::int64_t> sectors, values;
    std::vector<std::int64_t> at(32, -1);
    for (int lane = 0; lane < 32; ++lane) {
      at[std::size_t(lane)] = offset(lane);
      if (at[std::size_t(lane)] < 0) continue;
      active |= 1u << lane;
      ++l.lanes;
      offsets += (offsets.empty() ? "" : ",") + std::to_string(at[std::size_t(lane)]);
      values.insert(at[std::size_t(lane)]);
      for (int b = 0; b < l.bytes; ++b) sectors.insert((base + at[std::size_t(lane)] + b) / 32);
    }
    // A bank's words, in each part of the warp that passes together
    const int lanes = l.bytes <= 4 ? 32 : l.bytes <= 8 ? 16 : 8;
    int wavefronts = 0, ideal_wavefronts = 0;
    for (int first = 0; first < 32; first += lanes) {
      std::map<int, std::multiset<std::int64_t>> banks;
      for (int lane = first; lane < first + lanes; ++lane) {
        if (at[std::size_t(lane)] < 0) continue;
        std::set<std::int64_t> words;
        for (int b = 0; b < l.bytes; ++b) words.insert((base + at[std::size_t(lane)] + b) / 4);
        for (const std::int64_t w : words)
          if (l.op == "atom" || banks[int(w % 32)].count(w) == 0) banks[int(w % 32)].insert(w);
      }
      std::size_t most = 0;
      for (const auto& [bank, words] : banks) most = std::max(most, words.size());
      wavefronts += int(most);
      ideal_wavefronts += most > 0 ? 1 : 0;
    }
    const bool global = l.space == 'g';
    const int cost = global ? int(sectors.size()) : wavefronts;
    l.requests += 1;
    l.cost += std::uint64_t(cost);
    l.ideal += std::uint64_t(global ? (int(values.size()) * l.bytes + 31) / 32 : ideal_wavefronts);
    requests_ += (requests_.empty() ? "" : ",\n") + std::string("[") + std::to_string(line) + "," +
                 std::to_string(phase) + "," + std::to_string(warp) + "," + std::to_string(active) +
                 "," + std::to_string(global ? cost : 0) + "," + std::to_string(global ? 0 : cost) +
                 "," + std::to_string(base) + ",[" + offsets + "]]";
  }

  /// The version alone.
  [[nodiscard]] std::string version() const {
    std::string text =
        R"({"name": ")" + version_ + R"(", "least": )" + std::to_string(least_) +
        R"(, "record": {"kernels": [{"name": "kernel", "grid": [2,1,1], "block": [64,1,1]}],
"files": {"kernel.cuh": {"path": "/book/kernels/toy/kernel.cuh", "text": ")";
    for (int i = 1; i <= 40; ++i)
      text += "  y[" + std::to_string(i) + "] = 2 * x[i];  // a comment\\n";
    text += R"("}}, "lines": [)";
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Line& l = lines_[i];
      const bool global = l.space == 'g';
      const auto number = [](const char* name, std::uint64_t value) {
        return std::string(", \"") + name + "\": " + std::to_string(value);
      };
      text += (i == 0 ? "" : ",") +
              std::string(R"({"kernel": "kernel", "file": "kernel.cuh", "line": )") +
              std::to_string(l.number) + R"(, "space": ")" + l.space + R"(", "op": ")" + l.op +
              R"(", "array": ")" + l.array + "\"" + number("bytes", std::uint64_t(l.bytes)) +
              number("requests", std::max<std::uint64_t>(1, l.requests)) +
              number("lanes", l.lanes) + number("sectors", global ? l.cost : 0) +
              number("ideal_sectors", global ? l.ideal : 0) +
              number("wavefronts", global ? 0 : l.cost) +
              number("ideal_wavefronts", global ? 0 : l.ideal) + "}";
    }
    return text + "], \"requests\": [" + requests_ + "]}}";
  }

  /// A whole file, of these versions.
  [[nodiscard]] static std::string file(const std::vector<TraceText>& versions) {
    std::string text =
        R"({"format": "tpp-trace 1", "chapter": "05", "section": "softmax", "title": "a toy", "versions": [)";
    for (std::size_t i = 0; i < versions.size(); ++i)
      text += (i == 0 ? "" : ",\n") + versions[i].version();
    return text + "]}\n";
  }

 private:
  struct Line {
    std::string array;
    int number;
    char space;
    std::string op;
    int bytes;
    std::uint64_t requests, lanes, cost, ideal;
  };
  std::string version_;
  std::uint64_t least_;
  std::vector<Line> lines_;
  std::string requests_;
};

/// Two versions of a toy: a strided walk with a bank conflict, and the same side by side.
inline std::string toy_trace() {
  TraceText slow("v1_strided"), fast("v2_side_by_side");
  for (TraceText* t : {&slow, &fast}) {
    const int stride = t == &slow ? 1024 : 4, bank = t == &slow ? 128 : 4;
    const int load = t->line("x", 10), put = t->line("tile", 12, 's', "store"),
              get = t->line("tile", 14, 's', "load", 16), store = t->line("y", 20, 'g', "store");
    for (int i = 0; i < 6; ++i) {
      for (int warp = 0; warp < 2; ++warp) {
        t->request(load, warp, [&](int lane) { return lane * stride + 128 * i; });
        t->request(
            put, warp, [&](int lane) { return lane * bank; }, 0, 64);
      }
      for (int warp = 0; warp < 2; ++warp)
        t->request(
            get, warp, [&](int lane) { return lane % 8 * 16; }, 1, 64);
      t->request(
          store, 0, [&](int lane) { return lane < 5 ? 4 * lane : -1; }, 1);
    }
  }
  return TraceText::file({slow, fast});
}

}  // namespace tpp::viewer::testing
