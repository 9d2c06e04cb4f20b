#include "viewer/panels/kernel_request.h"

#include <imgui.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "viewer/colormap.h"
#include "viewer/compat.h"
#include "viewer/panels/drawing.h"

namespace tpp::viewer {
namespace {

const char* verb(TraceLine::Op op) {
  return op == TraceLine::Op::load ? "loads" : op == TraceLine::Op::store ? "stores" : "updates";
}

std::string counted(long long n, const char* one, const char* many) {
  return with_thousands(n) + " " + (n == 1 ? one : many);
}

/// "x[37]" where a lane has at most a word; else its bytes.
std::string element(const TraceLine& line, std::int64_t offset) {
  if (line.bytes <= 4 && offset % line.bytes == 0)
    return line.array + "[" + with_thousands(offset / line.bytes) + "]";
  return "bytes " + with_thousands(offset) + " to " + with_thousands(offset + line.bytes - 1) +
         " of " + line.array;
}

/// "0–7, 12": which lanes.
std::string lane_list(std::uint32_t lanes) {
  std::string text;
  for (int l = 0; l < kLanes; ++l) {
    if ((lanes >> l & 1u) == 0) continue;
    int end = l;
    while (end + 1 < kLanes && (lanes >> (end + 1) & 1u) != 0) ++end;
    text += (text.empty() ? "" : ", ") + std::to_string(l);
    if (end > l) text += (end > l + 1 ? "–" : ", ") + std::to_string(end);
    l = end;
  }
  return text;
}

int first_lane(std::uint32_t lanes) { return lanes == 0 ? -1 : std::countr_zero(lanes); }

/// Where the lanes, and below them the words, stand.
struct Grid {
  float x = 0, cell = 0, gutter = 0;
  [[nodiscard]] float at(int column) const { return x + float(column) * cell; }
};

/// The ticks 0, 8, 16, 24, 31 over 32 columns.
void put_ticks(const Ui& ui, ImDrawList* list, const Grid& grid, float y, const char* name) {
  const Rgba ink = ui.colours().muted;
  put_text_right(ui, list, grid.x - ui.theme.px(6), y, ink, name);
  for (const int tick : {0, 8, 16, 24, 31}) {
    put_text_middle(ui, list, std::floor(grid.at(tick) + grid.cell / 2), y, ink,
                    std::to_string(tick));
  }
}

}  // namespace

RequestScene scene_of(const TraceLine& line, const TraceRequest& request) {
  RequestScene scene{line, request, {}, {}};
  if (line.shared) {
    scene.banks = banks_of(line, request);
  } else {
    scene.sectors = sectors_of(line, request);
  }
  return scene;
}

std::string request_sentence(const RequestScene& s) {
  const int active = std::popcount(s.request.active);
  std::string text = "Warp " + std::to_string(s.request.warp) + " " + verb(s.line.op) + " " +
                     s.line.array + ": " + counted(s.line.bytes, "byte", "bytes") + " a lane";
  if (active < kLanes) text += ", " + counted(active, "lane", "lanes") + " of 32";
  return text + ".";
}

std::string cost_sentence(const RequestScene& s) {
  const int cost = s.request.cost, ideal = s.request.ideal;
  if (!s.line.shared) {
    const std::string fetched = counted(cost, "sector", "sectors");
    if (cost <= ideal) return fetched + ": as few as these values fit in.";
    return fetched + " for " + counted(s.sectors.used, "byte", "bytes") + "; side by side, " +
           with_thousands(ideal) + " would hold them.";
  }
  const std::string passes = counted(cost, "wavefront", "wavefronts");
  if (cost <= ideal) {
    return passes + ": no bank is asked for two words" +
           (ideal > 1 ? " at a time (wide accesses pass in " + std::to_string(ideal) + " parts)."
                      : ".");
  }
  return passes + " instead of " + with_thousands(ideal) +
         ": lanes want different words of one bank.";
}

std::string launch_text(const TraceVersion& version, const std::string& kernel) {
  for (const TraceKernel& k : version.kernels) {
    if (k.name != kernel) continue;
    const auto product = [](const std::array<int, 3>& n) { return double(n[0]) * n[1] * n[2]; };
    const double blocks = product(k.grid), threads = product(k.block);
    if (blocks > 1e15 || threads > 1e15) return "";  // no launch of this world
    return counted((long long)blocks, "block", "blocks") + " of " +
           counted((long long)threads, "thread", "threads");
  }
  return "";
}

Explanation explain_lane(const RequestScene& s, int lane) {
  Explanation e;
  const std::string who =
      "lane " + std::to_string(lane) + " of warp " + std::to_string(s.request.warp);
  e.source = s.line.file + ":" + std::to_string(s.line.line);
  if (lane < 0 || lane >= kLanes || !s.request.takes_part(lane)) {
    e.name = who + " takes no part";
    e.why = "It is idle here: a condition leaves it out, or it has come to its end.";
    return e;
  }
  const std::int64_t offset = s.request.offset[std::size_t(lane)];
  const std::int64_t address = offset + s.request.base;
  e.name = who + " " + verb(s.line.op) + " " + element(s.line, offset);
  const std::string byte = std::to_string(offset);
  const bool moved = s.request.base != 0;
  const std::string from = moved ? "(" + byte + " + " + std::to_string(s.request.base) + ")" : byte;
  if (!s.line.shared) {
    const std::int64_t sector = address / kSectorBytes;
    e.formula = moved ? "sector = ⌊(byte + begin) / 32⌋" : "sector = ⌊byte / 32⌋";
    e.numbers = "⌊" + from + " / 32⌋";
    e.result = "sector " + with_thousands(sector);
    const auto at = std::find_if(
        s.sectors.sectors.begin(), s.sectors.sectors.end(),
        [&](const Sector& x) { return x.begin + s.request.base == sector * kSectorBytes; });
    if (at != s.sectors.sectors.end()) {
      const int others = std::popcount(at->lanes()) - 1;
      e.why = (others == 0   ? std::string("No other lane wants this sector: ")
               : others == 1 ? std::string("One other lane meets it there: ")
                             : std::to_string(others) + " other lanes meet it there: ") +
              std::to_string(at->used()) + " of the 32 bytes fetched are asked for.";
    }
    return e;
  }
  const std::int64_t word = address / kWordBytes, bank = word % kBanks;
  e.formula = moved ? "bank = ⌊(byte + begin) / 4⌋ mod 32" : "bank = ⌊byte / 4⌋ mod 32";
  e.numbers = "⌊" + from + " / 4⌋ mod 32";
  e.result = "bank " + std::to_string(bank);
  if (s.line.bytes > kWordBytes)
    e.result += " and the " + std::to_string(s.line.bytes / 4 - 1) + " after it";
  for (const BankPass& pass : s.banks.passes) {
    if ((pass.lanes >> lane & 1u) == 0) continue;
    const auto& words = pass.banks[std::size_t(bank)];
    const auto mine = std::find_if(words.begin(), words.end(),
                                   [&](const BankWord& w) { return (w.lanes >> lane & 1u) != 0; });
    if (mine == words.end()) continue;
    const int sharing = std::popcount(mine->lanes) - 1;
    e.why = words.size() == 1 ? std::string("The bank has one word to give")
                              : "The bank has " + std::to_string(words.size()) +
                                    " words to give, one a wavefront; this is number " +
                                    std::to_string(mine - words.begin() + 1);
    e.why += sharing > 0 ? ", and gives it to " + counted(sharing, "other lane", "other lanes") +
                               " at once."
                         : std::string(".");
  }
  return e;
}

Rgba lane_colour(const Theme& theme, int lane) {
  // The map's end that looks like the ground is left off
  const float low = theme.dark() ? 0.22f : 0.0f, high = theme.dark() ? 1.0f : 0.80f;
  return colormap_colour(Colormap::viridis, low + (high - low) * float(lane) / (kLanes - 1),
                         {0, 1});
}

namespace {

/// Where the mouse is: a lane's cell, or a place in memory.
struct Hit {
  int lane = -1;
  bool any = false;       // over the picture at all
  std::string key;        // of the tooltip
  Explanation told = {};  // when it is no lane's
};

class Drawing {
 public:
  Drawing(Ui& ui, const Rect& rect, const RequestScene& scene, int lane)
      : ui_(ui), theme_(ui.theme), p_(ui.colours()), s_(scene), lane_(lane), rect_(rect) {
    list_ = ImGui::GetWindowDrawList();
    mouse_ = ImGui::GetIO().MousePos;
    small_ = theme_.font_size(Font::small);
    grid_.gutter = text_width(ui, Font::small, "00,000") + theme_.px(8);
    grid_.cell = std::floor(std::min((rect.w - grid_.gutter) / kLanes, theme_.px(22)));
    grid_.x = rect.x + grid_.gutter;
  }

  Hit draw() {
    if (grid_.cell < 3) return hit_;
    float y = rect_.y;
    const Rgba verdict =
        s_.request.cost >= 2 * s_.request.ideal && s_.request.cost > s_.request.ideal ? p_.warning
        : s_.request.cost > s_.request.ideal                                          ? p_.text
                                                                                      : p_.good;
    y += put_wrapped(ui_, list_, rect_.x, y, rect_.w, p_.text, request_sentence(s_), Font::body) +
         theme_.px(2);
    y += put_wrapped(ui_, list_, rect_.x, y, rect_.w, verdict, cost_sentence(s_)) + theme_.px(6);
    y = draw_lanes(y) + theme_.px(8);
    const float legend = small_ + theme_.px(6);
    const Rect memory{rect_.x, y, rect_.w, rect_.bottom() - y - legend};
    if (memory.h > theme_.px(20)) {
      hot_ = ImGui::IsWindowHovered() && memory.contains(mouse_.x, mouse_.y);
      ui_.probes.record("kernels/memory", memory);
      s_.line.shared ? draw_banks(memory) : draw_sectors(memory);
      draw_legend({rect_.x, rect_.bottom() - legend + theme_.px(4), rect_.w, legend});
    }
    return hit_;
  }

 private:
  [[nodiscard]] bool faint(std::uint32_t lanes) const {
    return lane_ >= 0 && (lanes >> lane_ & 1u) == 0;
  }
  [[nodiscard]] Rgba paint(std::uint32_t lanes) const {
    const Rgba colour = lane_colour(theme_, first_lane(lanes));
    return faint(lanes) ? mix(p_.panel, colour, 0.35f) : colour;
  }
  void outline(float x0, float y0, float x1, float y1) const {
    compat::add_rect(list_, ImVec2(x0 - 1, y0 - 1), ImVec2(x1 + 1, y1 + 1), p_.hover_mark, 0,
                     theme_.px(1.5f));
  }

  float draw_lanes(float y) {
    put_ticks(ui_, list_, grid_, y, "lane");
    y += small_ + theme_.px(2);
    const float height = std::min(grid_.cell, theme_.px(16));
    for (int l = 0; l < kLanes; ++l) {
      const float x0 = grid_.at(l), x1 = x0 + grid_.cell - 1;
      const bool active = s_.request.takes_part(l);
      if (active) {
        list_->AddRectFilled(ImVec2(x0, y), ImVec2(x1, y + height), paint(1u << l));
      } else {
        compat::add_rect(list_, ImVec2(x0, y), ImVec2(x1, y + height), p_.hatch);
      }
      if (l == lane_) outline(x0, y, x1, y + height);
      const Rect cell{x0, y, grid_.cell, height};
      ui_.probes.record("kernels/lane/" + std::to_string(l), cell);
      if (ImGui::IsWindowHovered() && cell.contains(mouse_.x, mouse_.y)) {
        hit_ = {l, true, "kernels/lane/" + std::to_string(l), {}};
      }
    }
    return y + height;
  }

  void draw_sectors(const Rect& area) {
    // One row a line of 128 bytes; a gap where lines are left out
    struct Row {
      std::int64_t begin;  // address modulo nothing: base included
      const Sector* sectors[4] = {};
    };
    std::vector<Row> rows;
    for (const Sector& sector : s_.sectors.sectors) {
      const std::int64_t address = sector.begin + s_.request.base,
                         line = address / kLineBytes * kLineBytes;
      if (rows.empty() || rows.back().begin != line) rows.push_back({line, {}});
      rows.back().sectors[(address - line) / kSectorBytes] = &sector;
    }
    int gaps = 0;
    for (std::size_t i = 1; i < rows.size(); ++i)
      gaps += rows[i].begin != rows[i - 1].begin + kLineBytes ? 1 : 0;
    put_text_right(ui_, list_, grid_.x - theme_.px(6), area.y, p_.muted, "byte");
    put_text(ui_, list_, grid_.x, area.y, p_.muted, "lines of 128 bytes in " + s_.line.array);
    const float top = area.y + small_ + theme_.px(3);
    const float gap = gaps > 8 ? theme_.px(1) : theme_.px(3);
    const float room = area.bottom() - top - float(gaps) * gap;
    const float height = std::floor(std::min(room / float(rows.size()), theme_.px(18)));
    if (height < 2) return;
    const float rim = height > theme_.px(5) ? 1 : 0;

    float y = top, label_end = -1e9f;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i > 0 && rows[i].begin != rows[i - 1].begin + kLineBytes) y += gap;
      const float y1 = y + height - rim;
      if (y >= label_end) {
        put_text_right(ui_, list_, grid_.x - theme_.px(6),
                       std::floor(y + (height - small_) / 2 - theme_.px(1)), p_.muted,
                       with_thousands(rows[i].begin - s_.request.base));
        label_end = y + small_;
      }
      for (int q = 0; q < 4; ++q) {
        const float x0 = grid_.at(8 * q), x1 = grid_.at(8 * q + 8) - theme_.px(2);
        const Sector* sector = rows[i].sectors[q];
        if (!sector) {
          compat::add_rect(list_, ImVec2(x0, y), ImVec2(x1, y1), p_.hatch);
          if (hot_ && Rect{x0, y, x1 - x0, height}.contains(mouse_.x, mouse_.y)) {
            hit_ = {-1, true, "kernels/untouched/" + std::to_string(i * 4 + std::size_t(q)), {}};
            hit_.told.name = "This sector is not fetched";
            hit_.told.why = "No lane of this request asks for one of its bytes.";
          }
          continue;
        }
        draw_sector(*sector, x0, y, y1);
      }
      y += height;
    }
  }

  void draw_sector(const Sector& sector, float x, float y0, float y1) {
    const float byte = grid_.cell / kWordBytes;
    for (int b = 0; b < kSectorBytes;) {
      const std::uint32_t lanes = sector.by[std::size_t(b)];
      // As far as the same lanes reach, but words apart where one lane has one
      int end = b + 1;
      while (end < kSectorBytes && sector.by[std::size_t(end)] == lanes &&
             (lanes != 0 || end % kWordBytes != 0) && (lanes == 0 || end - b < s_.line.bytes)) {
        ++end;
      }
      float x0 = x + float(b) * byte, x1 = x + float(end) * byte - 1;
      if (end == kSectorBytes) x1 = std::min(x1, x + 8 * grid_.cell - theme_.px(2));
      if (lanes != 0) {
        list_->AddRectFilled(ImVec2(x0, y0), ImVec2(x1, y1), paint(lanes));
        if (lane_ >= 0 && (lanes >> lane_ & 1u) != 0) outline(x0, y0, x1, y1);
      } else {
        list_->AddRectFilled(ImVec2(x0, y0), ImVec2(x1, y1), p_.hatch);
      }
      if (hot_ && Rect{x0, y0, x1 - x0 + 1, y1 - y0 + 1}.contains(mouse_.x, mouse_.y)) {
        if (lanes != 0) {
          const int l = first_lane(lanes);
          hit_ = {l, true, "kernels/lane/" + std::to_string(l), {}};
          if (std::popcount(lanes) > 1) {
            hit_.told = explain_lane(s_, l);
            hit_.told.name =
                "lanes " + lane_list(lanes) + " of warp " + std::to_string(s_.request.warp) +
                " want " + element(s_.line, sector.begin + b - (sector.begin + b) % s_.line.bytes);
            hit_.key = "kernels/lanes/" + std::to_string(sector.begin + b);
          }
        } else {
          hit_ = {-1, true, "kernels/wasted/" + std::to_string(sector.begin + b), {}};
          hit_.told.name = "fetched in vain: bytes " + with_thousands(sector.begin + b) + " to " +
                           with_thousands(sector.begin + end - 1) + " of " + s_.line.array;
          hit_.told.why = "They come with their sector. No lane of this request asks for them.";
          hit_.told.result = std::to_string(sector.used()) + " of the sector's 32 bytes are used";
        }
      }
      b = end;
    }
  }

  void draw_banks(const Rect& area) {
    int rows = 0;
    for (const BankPass& pass : s_.banks.passes) rows += pass.wavefronts();
    put_ticks(ui_, list_, grid_, area.y, "bank");
    const float top = area.y + small_ + theme_.px(3);
    const bool parts = s_.banks.passes.size() > 1;
    const float gap = theme_.px(4);
    const float room = area.bottom() - top - (parts ? gap * float(s_.banks.passes.size() - 1) : 0);
    const float height = std::floor(std::min(room / float(std::max(1, rows)), theme_.px(18)));
    if (height < 2) return;
    const float rim = height > theme_.px(5) ? 1 : 0;
    float y = top, label_end = -1e9f;
    int wavefront = 0;
    for (const BankPass& pass : s_.banks.passes) {
      const int deep = pass.wavefronts();
      for (int w = 0; w < deep; ++w) {
        ++wavefront;
        if (y >= label_end) {
          put_text_right(ui_, list_, grid_.x - theme_.px(6),
                         std::floor(y + (height - small_) / 2 - theme_.px(1)), p_.muted,
                         std::to_string(wavefront));
          label_end = y + small_;
        }
        for (int bank = 0; bank < kBanks; ++bank) {
          const float x0 = grid_.at(bank), x1 = x0 + grid_.cell - 1, y1 = y + height - rim;
          const auto& words = pass.banks[std::size_t(bank)];
          const bool here = hot_ && Rect{x0, y, grid_.cell, height}.contains(mouse_.x, mouse_.y);
          if (w >= int(words.size())) {
            list_->AddRectFilled(ImVec2(x0, y), ImVec2(x1, y1), mix(p_.panel, p_.hatch, 0.35f));
            if (here) {
              hit_ = {-1,
                      true,
                      "kernels/idle/" + std::to_string(bank) + "/" + std::to_string(wavefront),
                      {}};
              hit_.told.name = "bank " + std::to_string(bank) + " is idle in wavefront " +
                               std::to_string(wavefront);
              hit_.told.why = words.empty() ? "No lane wants a word of it."
                                            : "It has given all that was wanted of it.";
            }
            continue;
          }
          draw_word(words[std::size_t(w)], x0, y, x1, y1);
          if (here) {
            const BankWord& word = words[std::size_t(w)];
            const int l = first_lane(word.lanes);
            hit_ = {l,
                    true,
                    "kernels/word/" + std::to_string(bank) + "/" + std::to_string(wavefront),
                    {}};
            hit_.told = explain_lane(s_, l);
            hit_.told.name =
                "bank " + std::to_string(bank) + ", wavefront " + std::to_string(wavefront) +
                ": byte " + with_thousands(word.begin) + " of " + s_.line.array + " for " +
                (std::popcount(word.lanes) > 1 ? "lanes " : "lane ") + lane_list(word.lanes);
          }
        }
        y += height;
      }
      y += gap;
    }
  }

  void draw_word(const BankWord& word, float x0, float y0, float x1, float y1) {
    // Several lanes: as many stripes as can be told apart, in their order
    std::vector<int> lanes;
    for (int l = 0; l < kLanes; ++l)
      if ((word.lanes >> l & 1u) != 0) lanes.push_back(l);
    const int stripes = std::clamp(int((x1 - x0) / theme_.px(3)), 1, int(lanes.size()));
    for (int i = 0; i < stripes; ++i) {
      const int l = lanes[std::size_t(i * (int(lanes.size()) - 1) / std::max(1, stripes - 1))];
      const float a = x0 + (x1 - x0) * float(i) / float(stripes),
                  b = x0 + (x1 - x0) * float(i + 1) / float(stripes);
      const Rgba colour = lane_colour(theme_, l);
      list_->AddRectFilled(ImVec2(a, y0), ImVec2(b, y1),
                           faint(word.lanes) ? mix(p_.panel, colour, 0.35f) : colour);
    }
    if (lane_ >= 0 && (word.lanes >> lane_ & 1u) != 0) outline(x0, y0, x1, y1);
  }

  void draw_legend(const Rect& at) {
    float x = at.x;
    const float side = std::floor(small_ * 0.7f),
                top = at.y + std::floor((small_ - side) / 2) + theme_.px(1);
    const auto item = [&](Rgba fill, bool hollow, const char* words) {
      if (x + side + theme_.px(5) + text_width(ui_, Font::small, words) > at.right()) return;
      if (fill == 0) {
        x -= side + theme_.px(5);  // words alone
      } else if (hollow) {
        compat::add_rect(list_, ImVec2(x, top), ImVec2(x + side, top + side), fill);
      } else {
        list_->AddRectFilled(ImVec2(x, top), ImVec2(x + side, top + side), fill);
      }
      x += side + theme_.px(5);
      x += put_text(ui_, list_, x, at.y, p_.muted, words) + theme_.px(14);
    };
    if (s_.line.shared) {
      item(lane_colour(theme_, 16), false, "a word for its lane");
      item(mix(p_.panel, p_.hatch, 0.35f), false, "idle");
      item(0, false, "a row is a wavefront");
    } else {
      item(lane_colour(theme_, 16), false, "asked for");
      item(p_.hatch, false, "fetched in vain");
      item(p_.hatch, true, "not fetched");
    }
  }

  Ui& ui_;
  const Theme& theme_;
  const Palette& p_;
  const RequestScene& s_;
  int lane_;
  Rect rect_;
  ImDrawList* list_ = nullptr;
  ImVec2 mouse_;
  Grid grid_;
  float small_ = 0;
  bool hot_ = false;
  Hit hit_;
};

}  // namespace

void draw_request(Ui& ui, const Rect& rect, const RequestScene& scene, int& lane) {
  const Hit hit = Drawing(ui, rect, scene, lane).draw();
  lane = hit.lane;
  if (!hit.any || !tooltip_ready(ui, hit.key)) return;
  draw_tooltip(ui, hit.told.name.empty() ? explain_lane(scene, hit.lane) : hit.told);
}

}  // namespace tpp::viewer
