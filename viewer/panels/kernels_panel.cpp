#include "viewer/panels/kernels_panel.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "tools/book/highlight.h"
#include "viewer/compat.h"
#include "viewer/export.h"
#include "viewer/panels/controls.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/kernel_request.h"
#include "viewer/reader/ink.h"
#include "viewer/view_context.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

constexpr double kPerSecond[] = {4, 40};  // requests, while it plays
constexpr double kLookEvery = 0.5;        // seconds, at a reader's file

/// "32.0 (4.0)": what a request takes, and what it would take at best.
std::string a_request(std::uint64_t cost, std::uint64_t ideal, std::uint64_t requests) {
  if (requests == 0) return "–";
  return formatted("%.1f (%.1f)", double(cost) / double(requests),
                   double(ideal) / double(requests));
}

/// As the recorder marks a line: beyond the ideal, and twice it.
Rgba verdict_colour(const Palette& p, std::uint64_t cost, std::uint64_t ideal) {
  return cost >= 2 * ideal && cost > ideal ? p.warning : cost > ideal ? p.text : p.good;
}

/// "5.3": it becomes part of a command and of a file's name.
bool is_exercise(std::string_view id) {
  const std::size_t dot = id.find('.');
  const auto number = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 3 &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return dot != std::string_view::npos && number(id.substr(0, dot)) && number(id.substr(dot + 1));
}

/// A source file, its words coloured.
struct Listing {
  struct Piece {
    float column = 0;  // in letters
    book::Ink ink = book::Ink::plain;
    std::string text;
  };
  std::vector<std::vector<Piece>> lines;
  float widest = 0;  // letters
};

int letters(std::string_view text) {
  return int(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

Listing listing_of(const TraceSource& source) {
  std::string all;
  for (const std::string& line : source.lines) all += line + "\n";
  Listing listing;
  listing.lines.resize(source.lines.size());
  std::size_t line = 0;
  float column = 0;
  for (const book::InkSpan& span : book::highlight("cuda", all)) {
    for (std::size_t at = span.begin; at < span.end && line < listing.lines.size();) {
      const std::size_t end = std::min(all.find('\n', at), span.end);
      if (end > at) {
        std::string text = all.substr(at, end - at);
        const auto width = float(letters(text));
        listing.lines[line].push_back({column, span.ink, std::move(text)});
        column += width;
        listing.widest = std::max(listing.widest, column);
      }
      at = end;
      if (at < span.end) {
        ++at;
        ++line;
        column = 0;
      }
    }
  }
  return listing;
}

}  // namespace

struct KernelsPanel::State {
  PanelInfo info{"kernels", "Kernel lens", "05_softmax", Slot::attention};
  KernelRecorder recorder;

  KernelChoice choice{"05", "softmax"};
  std::string wanted_version;  // by name; empty: the first
  bool asked = false;          // the recorder was told the choice
  std::string problem;
  std::vector<MyKernel> mine;

  Replay replay;
  bool playing = false;
  int speed = 0;
  double next_at = 0;  // of the clock
  int lane = -1;       // under the mouse

  // Of the present request
  const TraceVersion* scene_version = nullptr;
  int scene_request = -1;
  RequestScene scene;
  bool has_scene = false;

  // Of its file
  std::string listed;
  const TraceVersion* listed_version = nullptr;
  Listing listing;
  int marked_line = -1;  // was brought into view

  std::vector<std::pair<float, bool>> strip;  // per column: cost over ideal, and of shared memory
  std::size_t strip_requests = 0;
  int strip_first = -1, strip_last = -1, strip_version = -1;

  explicit State(KernelPrograms programs) : recorder(std::move(programs)) {}

  fs::file_time_type saved;  // their file, when it was recorded
  double look_at = 0;        // when to look whether it was saved again

  void choose(const KernelChoice& c, const std::string& version);
  [[nodiscard]] fs::file_time_type time_of_mine() const;
  void open(std::shared_ptr<const Trace> trace);
  void forget();
  void prepare();

  void draw_choice(ViewContext& context, const Rect& rect);
  float draw_table(ViewContext& context, const Rect& rect);
  void draw_controls(ViewContext& context, const Rect& rect);
  void draw_strip(ViewContext& context, const Rect& rect);
  void draw_source(ViewContext& context, const Rect& rect);
  void draw_gutter_tip(ViewContext& context, int line, const SourceSum& sum);
  [[nodiscard]] std::string choice_text() const;
};

KernelsPanel::KernelsPanel(KernelPrograms programs)
    : state_(std::make_unique<State>(std::move(programs))) {}
KernelsPanel::~KernelsPanel() = default;
const PanelInfo& KernelsPanel::info() const { return state_->info; }
const Replay& KernelsPanel::replay() const { return state_->replay; }
const std::string& KernelsPanel::problem() const { return state_->problem; }
bool KernelsPanel::playing() const { return state_->playing; }
int KernelsPanel::lane() const { return state_->lane; }
bool KernelsPanel::waiting() const { return state_->recorder.busy(); }

void KernelsPanel::show(std::shared_ptr<const Trace> trace) {
  state_->asked = true;
  state_->open(std::move(trace));
}

// --- What is looked at ------------------------------------------------------------------------------

void KernelsPanel::State::choose(const KernelChoice& c, const std::string& version) {
  const bool same = c == choice && replay.trace() != nullptr;
  choice = c;
  wanted_version = version;
  for (const KernelLadder& ladder : kernel_ladders()) {
    const std::string chapter = c.mine() ? c.section.substr(0, c.section.find('.')) : c.chapter;
    if (ladder.choice.chapter == chapter || ladder.choice.chapter == "0" + chapter)
      info.chapter = ladder.folder;
  }
  if (!same) {
    asked = false;
    problem.clear();
    forget();
    return;
  }
  for (int i = 0; i < int(replay.trace()->versions.size()); ++i)
    if (replay.trace()->versions[std::size_t(i)].name == version) replay.choose_version(i);
}

/// Nothing is shown, and nothing remembered of what was.
void KernelsPanel::State::forget() {
  replay.open(nullptr);
  playing = false;
  scene_version = listed_version = nullptr;
  strip_version = -1;
}

void KernelsPanel::State::open(std::shared_ptr<const Trace> trace) {
  forget();
  replay.open(std::move(trace));
  for (int i = 0; i < int(replay.trace()->versions.size()); ++i)
    if (replay.trace()->versions[std::size_t(i)].name == wanted_version) replay.choose_version(i);
}

void KernelsPanel::update(const ViewContext& context) {
  State& s = *state_;
  if (!s.asked) {
    s.asked = true;
    s.problem.clear();
    s.recorder.want(s.choice);
  }
  if (auto result = s.recorder.take()) {
    s.mine = std::move(result->mine);
    s.saved = s.time_of_mine();
    s.problem = std::move(result->problem);
    if (result->trace) s.open(std::move(result->trace));
  }

  // Theirs is recorded again at every save
  if (s.choice.mine() && !s.recorder.busy() && context.time >= s.look_at) {
    s.look_at = context.time + kLookEvery;
    if (s.time_of_mine() != s.saved) s.asked = false;
  }

  if (s.playing && context.time >= s.next_at) {
    if (s.replay.last()) {
      s.playing = false;
    } else {
      s.replay.go(s.replay.at() + 1);
      s.next_at = context.time + 1 / kPerSecond[s.speed];
    }
  }
  s.prepare();
}

fs::file_time_type KernelsPanel::State::time_of_mine() const {
  for (const MyKernel& k : mine) {
    std::error_code gone;
    if (choice.mine() && k.id == choice.section) return fs::last_write_time(k.file, gone);
  }
  return {};
}

/// What the drawing needs of the present request.
void KernelsPanel::State::prepare() {
  const TraceVersion* version = replay.version();
  const TraceRequest* request = replay.request();
  has_scene = request != nullptr;
  if (!has_scene) return;
  const int at = replay.shown()[std::size_t(replay.at())];
  if (version != scene_version || at != scene_request) {
    scene = scene_of(*replay.request_line(), *request);
    scene_version = version;
    scene_request = at;
  }
  if (version != listed_version || scene.line.file != listed) {
    const TraceSource* source = version->source(scene.line.file);
    listing = source ? listing_of(*source) : Listing{};
    listed = scene.line.file;
    listed_version = version;
    marked_line = -1;
  }
}

std::string KernelsPanel::State::choice_text() const {
  if (choice.mine()) {
    for (const MyKernel& k : mine)
      if (k.id == choice.section) return "Yours: " + k.id + " " + k.title;
    return "Yours: " + choice.section;
  }
  for (const KernelLadder& ladder : kernel_ladders())
    if (ladder.choice == choice) return choice.chapter + "  " + ladder.title;
  return choice.chapter + "  " + choice.section;
}

// --- Drawing ----------------------------------------------------------------------------------------

void KernelsPanel::State::draw_choice(ViewContext& context, const Rect& rect) {
  const Theme& t = context.theme;
  ImGui::SetCursorScreenPos(ImVec2(rect.x, rect.y));
  ImGui::SetNextItemWidth(std::min(rect.w * 0.45f, t.px(300)));
  KernelChoice chosen = choice;
  const bool open_now =
      ImGui::BeginCombo("##ladder", choice_text().c_str(), ImGuiComboFlags_HeightLargest);
  if (!open_now) context.probe("kernels/ladder");
  if (open_now) {
    for (const MyKernel& k : mine) {
      const KernelChoice c{"yours", k.id};
      if (ImGui::Selectable(("Yours: " + k.id + " " + k.title).c_str(), c == choice)) chosen = c;
      context.probe("kernels/ladder/yours/" + k.id);
    }
    if (!mine.empty()) ImGui::Separator();
    for (const KernelLadder& ladder : kernel_ladders()) {
      const std::string words = ladder.choice.chapter + "  " + ladder.title;
      if (ImGui::Selectable(words.c_str(), ladder.choice == choice)) chosen = ladder.choice;
      context.probe("kernels/ladder/" + ladder.choice.chapter + "/" + ladder.choice.section);
    }
    ImGui::EndCombo();
  }
  if (!(chosen == choice)) choose(chosen, "");
  if (!replay.trace()) return;
  const float x = rect.x + std::min(rect.w * 0.45f, t.px(300)) + t.px(12);
  // What it ran on; "the same shape" means the ladder above it in the list
  std::string words = replay.trace()->title;
  if (const std::size_t same = words.find(", the same shape"); same != std::string::npos)
    words.resize(same);
  const std::string launch = has_scene ? launch_text(*replay.version(), scene.line.kernel) : "";
  if (!launch.empty()) words += " · " + launch;
  const FontScope small(t, Font::small);
  put_text(context, ImGui::GetWindowDrawList(), x, rect.y + t.px(5), context.colours().muted,
           elide(recorder.busy() ? "Recording …" : words, rect.right() - x));
}

/// The versions, one a row; a click shows one. Returns the height.
float KernelsPanel::State::draw_table(ViewContext& context, const Rect& rect) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto& versions = replay.trace()->versions;
  const float font = t.font_size(Font::small), row = font + t.px(5);

  // Right edges of the columns
  const bool roomy = rect.w >= t.px(620);
  const float names = roomy ? rect.w * 0.28f : rect.w * 0.36f;
  const int columns = roomy ? 5 : 3;
  const auto edge = [&](int column) {
    return rect.x + names + (rect.w - names - t.px(6)) * float(column + 1) / float(columns);
  };
  const int sectors = roomy ? 1 : 0, times = roomy ? 2 : 1, wavefronts = roomy ? 4 : 2;
  float y = rect.y;
  const auto group = [&](int first, int last, const char* words) {
    const float x0 = (first == 0 ? rect.x + names : edge(first - 1)) + t.px(14), x1 = edge(last);
    put_text_middle(context, list, (x0 + x1) / 2, y, p.muted, words);
    list->AddRectFilled(ImVec2(x0, y + font + t.px(1)), ImVec2(x1, y + font + t.px(2)), p.grid);
  };
  group(0, times, "global memory");
  group(times + 1, wavefronts, "shared memory");
  y += font + t.px(4);
  if (roomy) put_text_right(context, list, edge(0), y, p.muted, "requests");
  put_text_right(context, list, edge(sectors), y, p.muted, "sectors each");
  put_text_right(context, list, edge(times), y, p.muted, "× least");
  if (roomy) put_text_right(context, list, edge(3), y, p.muted, "requests");
  put_text_right(context, list, edge(wavefronts), y, p.muted, "wavefronts each");
  y += font + t.px(4);

  double most = 1;
  for (const TraceVersion& v : versions)
    if (v.least > 0) most = std::max(most, double(v.totals.bytes()) / double(v.least));
  for (int i = 0; i < int(versions.size()); ++i) {
    const TraceVersion& v = versions[std::size_t(i)];
    const TraceTotals& n = v.totals;
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    const std::string id = "kernels/version/" + v.name;
    if (ImGui::InvisibleButton(id.c_str(), ImVec2(std::max(1.0f, rect.w), row))) {
      wanted_version = v.name;
      replay.choose_version(i);
      playing = false;
    }
    context.probe(id);
    const bool chosen = i == replay.version_index(), hovered = ImGui::IsItemHovered();
    if (chosen || hovered) {
      list->AddRectFilled(ImVec2(rect.x, y), ImVec2(rect.right(), y + row),
                          chosen ? with_alpha(p.accent, 48) : p.hovered, t.px(3));
    }
    if (chosen) list->AddRectFilled(ImVec2(rect.x, y), ImVec2(rect.x + t.px(3), y + row), p.accent);
    const float at = y + t.px(2);
    {
      const FontScope small(t, Font::small);
      put_text(context, list, rect.x + t.px(9), at, p.text, elide(v.name, names - t.px(9)));
    }
    if (roomy) {
      put_text_right(context, list, edge(0), at, p.muted, with_thousands((long long)n.requests));
      put_text_right(context, list, edge(3), at, p.muted,
                     n.shared == 0 ? "–" : with_thousands((long long)n.shared));
    }
    put_text_right(context, list, edge(sectors), at,
                   n.requests == 0 ? p.muted : verdict_colour(p, n.sectors, n.ideal_sectors),
                   a_request(n.sectors, n.ideal_sectors, n.requests));
    if (v.least > 0) {
      const double ratio = double(n.bytes()) / double(v.least);
      const float width =
          (edge(times) - edge(times - 1) - t.px(14)) * float(std::log1p(ratio) / std::log1p(most));
      list->AddRectFilled(ImVec2(edge(times) - width, y + row - t.px(3)),
                          ImVec2(edge(times), y + row - t.px(1)), with_alpha(p.accent, 150));
      put_text_right(context, list, edge(times), at, p.text, formatted("%.2f", ratio));
    } else {
      put_text_right(context, list, edge(times), at, p.muted, "–");
    }
    put_text_right(context, list, edge(wavefronts), at,
                   n.shared == 0 ? p.muted : verdict_colour(p, n.wavefronts, n.ideal_wavefronts),
                   a_request(n.wavefronts, n.ideal_wavefronts, n.shared));
    if (hovered && tooltip_ready(context, id)) {
      Explanation e;
      e.name = v.name;
      e.formula = "32 bytes · sectors / least bytes";
      e.numbers = "32 · " + with_thousands((long long)n.sectors) + " / " +
                  with_thousands((long long)v.least);
      e.result = v.least > 0
                     ? formatted("%.2f", double(n.bytes()) / double(v.least)) + " times the least"
                     : "";
      if (v.least == 0) e.formula.clear(), e.numbers.clear();
      e.why =
          "A request is one load or store of a warp. In brackets: if its lanes stood side by side, "
          "or in "
          "different banks. Least: each input read once, each output written once.";
      draw_tooltip(context, e);
    }
    y += row;
  }
  return y - rect.y;
}

void KernelsPanel::State::draw_controls(ViewContext& context, const Rect& rect) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  float x = rect.x;
  const auto button = [&](const char* id, const char* words, const char* what) {
    const float width = text_width(context, Font::small, words) + t.px(18);
    const bool clicked = put_button(context, std::string("kernels/") + id,
                                    {x, rect.y, width, rect.h}, words, p.raised, p.text);
    hint(context, what);
    x += width + t.px(4);
    return clicked;
  };
  if (button("previous", "◀", "The request before")) {
    playing = false;
    replay.go(replay.at() - 1);
  }
  if (button("play", playing ? "❚❚" : "▶", playing ? "Stop" : "Go through the requests")) {
    playing = !playing;
    if (playing && replay.last()) replay.go(0);
    next_at = context.time + 1 / kPerSecond[speed];
  }
  if (button("next", "▶|", "The next request")) {
    playing = false;
    replay.go(replay.at() + 1);
  }
  if (button("speed", speed == 0 ? "× 1" : "× 10", "How fast they play: 4 or 40 a second"))
    speed = 1 - speed;
  if (button("worst", "Worst line",
             "To the line with the most sectors or wavefronts beyond the ideal")) {
    playing = false;
    replay.go_to_worst();
  }
  if (replay.warps() > 1) {
    const std::string words =
        replay.warp() < 0 ? "all warps" : "warp " + std::to_string(replay.warp());
    if (button("warp", words.c_str(), "Only one warp's requests: click for the next")) {
      playing = false;
      replay.only_warp(replay.warp() + 1 < replay.warps() ? replay.warp() + 1 : -1);
    }
  }
  if (replay.line() >= 0) {
    const std::string words = "only line " + std::to_string(replay.line()) + "  ×";
    if (button("line", words.c_str(), "Show all lines' requests again")) replay.only_line("", -1);
  }

  // Where we are
  const TraceRequest* request = replay.request();
  if (!request) return;
  const std::string words = with_thousands(replay.at() + 1) + " of " +
                            with_thousands((long long)replay.shown().size()) +
                            " requests of block 0, phase " + std::to_string(request->phase);
  const FontScope small(t, Font::small);
  const float room = rect.right() - x - t.px(8);
  const std::string cut = elide(words, room);
  put_text_right(context, list, rect.right(), rect.y + (rect.h - t.font_size(Font::small)) / 2,
                 p.muted, cut);
}

/// All requests from left to right, as high as they cost beyond the ideal; drag to go through them.
void KernelsPanel::State::draw_strip(ViewContext& context, const Rect& rect) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const TraceVersion* version = replay.version();
  const auto count = replay.shown().size();
  const int columns = std::max(1, int(rect.w));

  // The dearest request of each column
  const int first = count ? replay.shown().front() : -1, last = count ? replay.shown().back() : -1;
  if (int(strip.size()) != columns || strip_requests != count || strip_first != first ||
      strip_last != last || strip_version != replay.version_index()) {
    strip.assign(std::size_t(columns), {0.0f, false});
    for (std::size_t i = 0; i < count; ++i) {
      const TraceRequest& r = version->requests[std::size_t(replay.shown()[i])];
      const float ratio = float(r.cost) / float(std::max(1, r.ideal));
      const auto from = std::size_t(double(i) / double(count) * columns);
      const auto to = std::max(from + 1, std::size_t(double(i + 1) / double(count) * columns));
      for (std::size_t c = from; c < std::min(to, strip.size()); ++c)
        if (ratio > strip[c].first) strip[c] = {ratio, version->lines[std::size_t(r.line)].shared};
    }
    strip_requests = count;
    strip_first = first;
    strip_last = last;
    strip_version = replay.version_index();
  }
  ImGui::SetCursorScreenPos(ImVec2(rect.x, rect.y));
  ImGui::InvisibleButton("kernels/strip", ImVec2(std::max(1.0f, rect.w), std::max(1.0f, rect.h)));
  context.probe("kernels/strip");
  list->AddRectFilled(ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.bottom()), p.raised,
                      t.px(3));
  if (count == 0) return;
  if (ImGui::IsItemActive()) {
    playing = false;
    const float f = (ImGui::GetIO().MousePos.x - rect.x) / rect.w;
    replay.go(int(std::clamp(f, 0.0f, 1.0f) * float(count)));
  }
  for (int c = 0; c < columns; ++c) {
    const auto [ratio, shared] = strip[std::size_t(c)];
    if (ratio <= 0) continue;
    const float height = (rect.h - t.px(4)) * (0.2f + 0.8f * std::log2(ratio) / 5);
    list->AddRectFilled(ImVec2(rect.x + float(c), rect.bottom() - std::min(height, rect.h)),
                        ImVec2(rect.x + float(c) + 1, rect.bottom()),
                        with_alpha(t.series(shared ? 1 : 0), ratio > 1 ? 230 : 120));
  }
  const float x = std::floor(rect.x + rect.w * (float(replay.at()) + 0.5f) / float(count));
  list->AddRectFilled(ImVec2(x - t.px(1), rect.y - t.px(2)),
                      ImVec2(x + t.px(1), rect.bottom() + t.px(2)), p.text);
  hint(context,
       "All requests of block 0 in their order, blue for global and orange for shared memory; as "
       "high as "
       "they cost beyond the ideal. Drag to go through them.");
}

void KernelsPanel::State::draw_gutter_tip(ViewContext& context, int line, const SourceSum& sum) {
  if (!tooltip_ready(context, "kernels/source/" + std::to_string(line))) return;
  Explanation e;
  e.name = listed + ":" + std::to_string(line);
  const TraceVersion& v = *replay.version();
  for (const int i : sum.lines) {
    const TraceLine& l = v.lines[std::size_t(i)];
    const double n = double(l.requests);
    e.why += (e.why.empty() ? "" : "\n") +
             std::string(l.op == TraceLine::Op::load    ? "loads "
                         : l.op == TraceLine::Op::store ? "stores "
                                                        : "updates ") +
             l.array + ", " + std::to_string(l.bytes) +
             " B a lane: " + with_thousands((long long)l.requests) + " requests, " +
             formatted("%.1f", double(l.cost) / n) + (l.shared ? " wavefronts" : " sectors") +
             formatted(" each (%.1f)", double(l.ideal) / n);
  }
  e.source = "All blocks together. Click to go through this line's requests alone.";
  draw_tooltip(context, e);
}

void KernelsPanel::State::draw_source(ViewContext& context, const Rect& rect) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const float font = t.font_size(Font::mono_small), row = font + t.px(4);
  const float small = t.font_size(Font::small);
  ImDrawList* outside = ImGui::GetWindowDrawList();

  // The columns of numbers: those of memory that this version uses
  const TraceTotals& totals = replay.version()->totals;
  const float column = text_width(context, Font::small, "wavefr.") + t.px(8);
  const float sectors_end = totals.requests > 0 ? column : 0;
  const float numbers = sectors_end + (totals.shared > 0 ? column : 0);
  const float digits = text_width(context, Font::mono_small, "000") + t.px(18);
  const TraceSource* source = replay.version()->source(listed);
  if (totals.requests > 0)
    put_text_right(context, outside, rect.x + sectors_end, rect.y, p.muted, "sectors");
  if (totals.shared > 0)
    put_text_right(context, outside, rect.x + numbers, rect.y, p.muted, "wavefr.");
  {
    const FontScope scope(t, Font::small);
    const float x = rect.x + numbers + t.px(14);
    std::string name = listed;
    if (source && source->path.rfind("/kernels/") != std::string::npos)
      name = source->path.substr(source->path.rfind("/kernels/") + 1);
    put_text(context, outside, x, rect.y, p.muted, elide(name, rect.right() - x));
  }
  const Rect view{rect.x, rect.y + small + t.px(4), rect.w, rect.h - small - t.px(4)};
  if (view.h < row) return;
  ImGui::SetCursorScreenPos(ImVec2(view.x, view.y));
  ImGui::PushStyleColor(ImGuiCol_ChildBg, p.window);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  compat::begin_child("kernels/code", ImVec2(view.w, view.h), false,
                      ImGuiWindowFlags_HorizontalScrollbar);
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const float code_x = numbers + digits;
  const float letter = text_width(context, Font::mono_small, "0000000000") / 10;
  const auto lines = int(listing.lines.size());

  // The present line in view
  const int now = scene.line.line;
  if (marked_line != now) {
    const float y = float(now - 1) * row, top = ImGui::GetScrollY();
    if (marked_line < 0 || y < top + row || y + 2 * row > top + view.h)
      ImGui::SetScrollY(std::max(0.0f, y - view.h * 0.4f));
    marked_line = now;
  }

  const auto& sums = replay.sums(listed);
  const float left = origin.x + ImGui::GetScrollX();  // the numbers stay where they are
  const int from = std::max(0, int(ImGui::GetScrollY() / row));
  const int to = std::min(lines, from + int(view.h / row) + 2);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool hot = ImGui::IsWindowHovered();
  for (int i = from; i < to; ++i) {
    const float y = origin.y + float(i) * row;
    const auto sum = sums.find(i + 1);
    const Rect whole{left, y, view.w, row};
    const bool here = hot && whole.contains(mouse.x, mouse.y);
    if (i + 1 == now) {
      list->AddRectFilled(ImVec2(left, y), ImVec2(left + view.w, y + row),
                          with_alpha(p.accent, 56));
      list->AddRectFilled(ImVec2(left, y), ImVec2(left + t.px(3), y + row), p.accent);
    } else if (here && sum != sums.end()) {
      list->AddRectFilled(ImVec2(left, y), ImVec2(left + view.w, y + row),
                          with_alpha(p.hovered, 160));
    }
    for (const Listing::Piece& piece : listing.lines[std::size_t(i)]) {
      put_text(context, list, std::floor(origin.x + code_x + piece.column * letter), y + t.px(2),
               ink_colour(p, piece.ink), piece.text, Font::mono_small);
    }
    // Numbers over what has scrolled under them
    if (ImGui::GetScrollX() > 0) {
      const Rgba ground = i + 1 == now ? mix(p.window, p.accent, 0.22f) : p.window;
      list->AddRectFilled(ImVec2(left, y), ImVec2(left + code_x - t.px(6), y + row), ground);
    }
    put_text_right(context, list, left + code_x - t.px(10), y + t.px(2), p.muted,
                   std::to_string(i + 1), Font::mono_small);
    if (sum == sums.end()) continue;
    const TraceTotals& n = sum->second.totals;
    const auto cost = [&](float x, std::uint64_t a, std::uint64_t ideal, std::uint64_t requests) {
      if (requests == 0) return;
      put_text_right(context, list, x, y + t.px(1), verdict_colour(p, a, ideal),
                     formatted("%.1f", double(a) / double(requests)));
    };
    cost(left + sectors_end, n.sectors, n.ideal_sectors, n.requests);
    cost(left + numbers, n.wavefronts, n.ideal_wavefronts, n.shared);
    context.probes.record("kernels/source/" + std::to_string(i + 1), whole);
    if (!here) continue;
    draw_gutter_tip(context, i + 1, sum->second);
    if (ImGui::IsMouseClicked(0)) {
      const bool again = replay.line() == i + 1 && replay.file() == listed;
      playing = false;
      replay.only_line(again ? "" : listed, again ? -1 : i + 1);
    }
  }
  ImGui::Dummy(ImVec2(code_x + listing.widest * letter + t.px(16), float(lines) * row));
  context.probes.record("kernels/code", view);
  ImGui::EndChild();
  ImGui::PopStyleVar();
  ImGui::PopStyleColor();
}

void KernelsPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  const Rect area = context.rect.inset(t.px(8));
  if (area.w < t.px(120) || area.h < t.px(80)) return;
  if (s.recorder.busy()) {
    context.redraw_in = 0.1;
  } else if (s.choice.mine()) {
    context.redraw_in = kLookEvery;
  }
  s.draw_choice(context, {area.x, area.y, area.w, t.px(24)});
  Rect rest{area.x, area.y + t.px(32), area.w, area.h - t.px(32)};

  // Nothing to show: why
  if (!s.problem.empty()) return put_note(context, rest, s.problem);
  if (!s.replay.trace()) {
    return put_note(
        context, rest,
        s.recorder.building()
            ? "Building the program that records kernels. That is done once, and takes a minute."
            : "Recording: the emulator runs the kernels on a small shape.");
  }
  const auto take = [&rest](float height) {
    const Rect taken{rest.x, rest.y, rest.w, std::min(height, rest.h)};
    rest.y += taken.h;
    rest.h -= taken.h;
    return taken;
  };
  take(s.draw_table(context, rest) + t.px(6));
  if (rest.h < t.px(60)) return;
  s.draw_controls(context, take(t.px(22)));
  take(t.px(5));
  s.draw_strip(context, take(t.px(22)));
  take(t.px(8));
  s.prepare();  // a click may have moved
  if (!s.has_scene)
    return put_note(context, rest, "Block 0 of this kernel asks nothing of memory.");

  // The source beside the request, or below it
  if (rest.w >= t.px(560)) {
    const float left = std::floor(rest.w - std::clamp(rest.w * 0.45f, t.px(330), t.px(800)));
    s.draw_source(context, {rest.x, rest.y, left - t.px(14), rest.h});
    draw_request(context, {rest.x + left, rest.y, rest.w - left, rest.h}, s.scene, s.lane);
  } else {
    draw_request(context, take(rest.h * 0.55f), s.scene, s.lane);
    s.draw_source(context, rest);
  }
  if (s.playing) context.redraw_in = std::max(0.001, s.next_at - context.time);
}

std::string KernelsPanel::explain() const {
  return "What a kernel asks of memory, seen request by request: one load or store of one warp. "
         "The emulator has run "
         "the kernel on a small shape and written down every lane's address.\n\n"
         "The table compares the versions of a ladder; click one. Below stand its source, with "
         "what each line costs "
         "on average, and the present request: its 32 lanes in their colours, and where their "
         "bytes lie. Global "
         "memory is fetched in sectors of 32 bytes: the fewer sectors for the same bytes, the "
         "better, and bytes that "
         "nobody asked for are hatched grey. Shared memory has 32 banks, each of which gives one "
         "word a wavefront: "
         "lanes that want different words of one bank wait for each other.\n\n"
         "The strip is the whole run of block 0; high bars cost more than they must. Click a "
         "source line to see its "
         "requests alone, and hover a lane for its arithmetic.";
}

void KernelsPanel::export_csv(std::ostream& out) const {
  const Trace* trace = state_->replay.trace();
  if (!trace) return;
  out << "chapter,section,version,kernel,file,line,memory,operation,array,bytes_a_lane,requests,"
         "lanes,cost,ideal\n";
  for (const TraceVersion& v : trace->versions) {
    for (const TraceLine& l : v.lines) {
      const char* op = l.op == TraceLine::Op::load    ? "load"
                       : l.op == TraceLine::Op::store ? "store"
                                                      : "atom";
      out << csv_field(trace->chapter) << ',' << csv_field(trace->section) << ','
          << csv_field(v.name) << ',' << csv_field(l.kernel) << ',' << csv_field(l.file) << ','
          << l.line << ',' << (l.shared ? "shared" : "global") << ',' << op << ','
          << csv_field(l.array) << ',' << l.bytes << ',' << l.requests << ',' << l.lanes << ','
          << l.cost << ',' << l.ideal << '\n';
    }
  }
}

std::string KernelsPanel::settings() const {
  const State& s = *state_;
  std::string text = s.choice.chapter + "/" + s.choice.section;
  if (const TraceVersion* v = s.replay.version()) return text + "/" + v->name;
  return s.wanted_version.empty() ? text : text + "/" + s.wanted_version;
}

void KernelsPanel::restore(const std::string& settings) {
  const std::size_t a = settings.find('/'), b = settings.find('/', a + 1);
  if (a == std::string::npos) return;
  const KernelChoice choice{settings.substr(0, a),
                            settings.substr(a + 1, b == std::string::npos ? b : b - a - 1)};
  const auto& ladders = kernel_ladders();
  const bool known = std::any_of(ladders.begin(), ladders.end(),
                                 [&](const KernelLadder& l) { return l.choice == choice; });
  const bool exercise = choice.mine() && is_exercise(choice.section);
  if (!known && !exercise) return;
  state_->choose(choice, b == std::string::npos ? "" : settings.substr(b + 1));
}

}  // namespace tpp::viewer
