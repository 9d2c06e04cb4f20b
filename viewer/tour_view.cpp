// The card of a guided tour, and what it points at.
#include "viewer/tour_view.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viewer/compat.h"
#include "viewer/widgets/question.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr ImGuiWindowFlags kCard = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav |
                                   ImGuiWindowFlags_NoFocusOnAppearing;
constexpr ImGuiWindowFlags kShade = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                    ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoInputs |
                                    ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav |
                                    ImGuiWindowFlags_NoFocusOnAppearing;

double shared_area(const Rect& a, const Rect& b) {
  const float w = std::min(a.right(), b.right()) - std::max(a.x, b.x);
  const float h = std::min(a.bottom(), b.bottom()) - std::max(a.y, b.y);
  return w > 0 && h > 0 ? double(w) * double(h) : 0;
}

Rect grown(const Rect& r, float by) { return {r.x - by, r.y - by, r.w + 2 * by, r.h + 2 * by}; }

Rect clipped(const Rect& r, const Rect& to) {
  const float x = std::max(r.x, to.x), y = std::max(r.y, to.y);
  return {x, y, std::max(0.0f, std::min(r.right(), to.right()) - x),
          std::max(0.0f, std::min(r.bottom(), to.bottom()) - y)};
}

/// How far apart two rectangles stand.
float gap_between(const Rect& a, const Rect& b) {
  const float dx = std::max({0.0f, a.x - b.right(), b.x - a.right()});
  const float dy = std::max({0.0f, a.y - b.bottom(), b.y - a.bottom()});
  return std::hypot(dx, dy);
}

/// A button in the card; the strong one is what to press next.
bool card_button(Ui& ui, const char* probe, const std::string& words, bool strong = false) {
  const Palette& p = ui.colours();
  ImGui::PushStyleColor(ImGuiCol_Button, strong ? p.accent : p.panel);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, strong ? mix(p.accent, p.text, 0.2f) : p.hovered);
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, strong ? mix(p.accent, p.text, 0.3f) : p.pressed);
  ImGui::PushStyleColor(ImGuiCol_Text, strong ? p.on_accent : p.text);
  const bool pressed = ImGui::Button((words + "##" + probe).c_str());
  ImGui::PopStyleColor(4);
  ui.probe(probe);
  return pressed;
}

void coloured(Ui& ui, Rgba colour, const std::string& text, float width) {
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  draw_rich(ui, text, width);
  ImGui::PopStyleColor();
}

void begin_card(Ui& ui, const char* name, const Rect& at) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImGui::SetNextWindowPos(ImVec2(at.x, at.y));
  ImGui::SetNextWindowSize(ImVec2(at.w, 0));
  ImGui::PushStyleColor(ImGuiCol_WindowBg, p.raised);
  ImGui::PushStyleColor(ImGuiCol_Border, p.accent);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(t.px(16), t.px(12)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, t.px(6));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 1);
  ImGui::Begin(name, nullptr, kCard);
}

/// Where it stood, and how high its content was.
Rect end_card() {
  const ImVec2 at = ImGui::GetWindowPos(), size = ImGui::GetWindowSize();
  ImGui::End();
  ImGui::PopStyleVar(3);
  ImGui::PopStyleColor(2);
  return {at.x, at.y, size.x, size.y};
}

}  // namespace

Rect place_card(const std::vector<Rect>& outlined, const std::vector<Rect>& soft, float width,
                float height, const Rect& window) {
  const float w = std::min(width, window.w), h = std::min(height, window.h);
  const float last_x = std::max(window.x, window.right() - w),
              last_y = std::max(window.y, window.bottom() - h);
  std::vector<float> xs{window.x, last_x, window.x + (window.w - w) / 2};
  std::vector<float> ys{window.y, last_y, window.y + (window.h - h) / 2};

  // Beside each outlined thing, in line with its edges and its middle; else somewhere
  const float gap = 14;
  for (const Rect& r : outlined) {
    for (const float x : {r.right() + gap, r.x - w - gap, r.x, r.right() - w, r.x + (r.w - w) / 2})
      xs.push_back(x);
    for (const float y :
         {r.bottom() + gap, r.y - h - gap, r.y, r.bottom() - h, r.y + (r.h - h) / 2})
      ys.push_back(y);
  }
  constexpr int kGrid = 12;
  for (int i = 1; i < kGrid; ++i) {
    xs.push_back(window.x + (last_x - window.x) * float(i) / kGrid);
    ys.push_back(window.y + (last_y - window.y) * float(i) / kGrid);
  }

  Rect best{window.x, window.y, w, h};
  double least = std::numeric_limits<double>::infinity();
  for (const float x0 : xs) {
    for (const float y0 : ys) {
      const Rect at{std::floor(std::clamp(x0, window.x, last_x)),
                    std::floor(std::clamp(y0, window.y, last_y)), w, h};
      double cost = 0, near = outlined.empty() ? 0 : std::numeric_limits<double>::infinity();
      for (const Rect& r : outlined) {
        cost += 1000 * shared_area(at, grown(r, 6));
        near = std::min(near, double(gap_between(at, r)));
      }
      for (const Rect& r : soft) cost += 0.2 * shared_area(at, r);
      // What lies between is crossed by the eye each time
      cost += 2 * near;
      if (outlined.empty()) cost += std::abs(double(at.y - window.y - (window.h - h) / 2));
      if (cost < least) {
        least = cost;
        best = at;
      }
    }
  }
  return best;
}

std::vector<Rect> cut_out(const Rect& window, const std::vector<Rect>& holes) {
  std::vector<float> edges{window.y, window.bottom()};
  for (const Rect& hole : holes) {
    edges.push_back(std::clamp(hole.y, window.y, window.bottom()));
    edges.push_back(std::clamp(hole.bottom(), window.y, window.bottom()));
  }
  std::sort(edges.begin(), edges.end());
  std::vector<Rect> left;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const float top = edges[i], bottom = edges[i + 1];
    if (!(bottom > top)) continue;
    // In this band, from one hole to the next
    std::vector<std::pair<float, float>> gone;
    for (const Rect& hole : holes) {
      if (hole.y < bottom && hole.bottom() > top) gone.emplace_back(hole.x, hole.right());
    }
    std::sort(gone.begin(), gone.end());
    float x = window.x;
    for (const auto& [from, to] : gone) {
      if (from > x) left.push_back({x, top, std::min(from, window.right()) - x, bottom - top});
      x = std::max(x, to);
    }
    if (x < window.right()) left.push_back({x, top, window.right() - x, bottom - top});
  }
  return left;
}

void TourView::draw_shade(Ui& ui, const std::vector<Rect>& outlined, const std::vector<Rect>& lit,
                          const Rect& window) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImGui::SetNextWindowPos(ImVec2(window.x, window.y));
  ImGui::SetNextWindowSize(ImVec2(window.w, window.h));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::Begin("tour shade", nullptr, kShade);
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->PushClipRectFullScreen();
  std::vector<Rect> rings, holes = lit;
  for (const Rect& r : outlined) rings.push_back(clipped(grown(r, t.px(5)), window.inset(t.px(2))));
  holes.insert(holes.end(), rings.begin(), rings.end());
  const Rgba shade = t.dark() ? rgba(0, 0, 0, 110) : rgba(27, 29, 33, 48);
  if (!lit.empty()) {
    for (const Rect& r : cut_out(window, holes)) {
      list->AddRectFilled(ImVec2(r.x, r.y), ImVec2(r.right(), r.bottom()), shade);
    }
  }
  for (const Rect& r : rings) {
    compat::add_rect(list, ImVec2(r.x, r.y), ImVec2(r.right(), r.bottom()), p.accent, t.px(4),
                     t.px(2));
  }
  list->PopClipRect();
  ImGui::End();
  ImGui::PopStyleVar();
}

bool TourView::draw(Ui& ui, TourGuide& guide, TourWorld& world, const TourScene& scene) {
  const Tour* tour = guide.tour();
  if (!tour) {
    shown_.clear();
    return false;
  }
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();

  // What it points at, as far as that can be seen, and the panels around it
  std::vector<Rect> outlined, lit;
  const TourStep* step = guide.step();
  const auto light = [&](const std::string& panel) {
    if (const auto rect = scene.panel_rect(panel)) lit.push_back(*rect);
  };
  for (const std::string& probe : step ? step->outline : tour->outline_question) {
    const std::string seen = first_seen(probe, world);
    const std::optional<Rect> rect = scene.find(seen);
    if (!rect) continue;
    outlined.push_back(clipped(*rect, scene.window));
    light(panel_of_probe(seen));
  }
  for (const std::string& panel : step ? step->look : tour->look_question) light(panel);
  std::vector<Rect> soft = lit;
  soft.push_back({scene.window.x + scene.window.w / 2 - t.px(280),
                  scene.window.bottom() - t.px(180), t.px(560), t.px(180)});  // where toasts stand
  // When the reader has acted, all is to be looked at
  if (step && guide.done()) lit.clear();
  if (!outlined.empty())
    draw_shade(ui, outlined, lit.empty() && !guide.done() ? outlined : lit, scene.window);

  // The card stays where it is while that is well
  const float margin = t.px(8);
  const Rect room = scene.window.inset(margin);
  const float width = std::min(t.px(guide.at_question() ? 420.0f : 372.0f), room.w);
  const std::string now = tour->id + " " + std::to_string(guide.at());
  const bool fresh = now != shown_;
  if (fresh && shown_.empty()) height_ = t.px(220);
  if (fresh) settling_ = 3;
  const Rect kept{card_.x, std::clamp(card_.y, room.y, std::max(room.y, room.bottom() - height_)),
                  width, height_};
  const bool well = !fresh && settling_ == 0 && window_ == scene.window &&
                    kept.right() <= room.right() &&
                    std::none_of(outlined.begin(), outlined.end(),
                                 [&](const Rect& r) { return kept.overlaps(r); });
  const Rect at = well ? kept : place_card(outlined, soft, width, height_, room);
  shown_ = now;
  window_ = scene.window;

  begin_card(ui, "tour card", at);
  const float inside = ImGui::GetContentRegionAvail().x;

  // The tour, how far it is, and the way out
  {
    const FontScope small(t, Font::small);
    const ImVec2 start = ImGui::GetCursorScreenPos();
    ImDrawList* list = ImGui::GetWindowDrawList();
    const int all = int(tour->steps.size());
    const float dot = t.px(3), pitch = t.px(12), y = start.y + ImGui::GetFontSize() / 2;
    for (int i = 0; i <= all; ++i) {
      const ImVec2 c(start.x + dot + float(i) * pitch, y);
      const bool past = i < guide.at() || (i == guide.at() && guide.done());
      if (past || i == guide.at())
        list->AddCircleFilled(c, i == guide.at() ? dot + t.px(1) : dot, past ? p.good : p.accent,
                              16);
      else
        list->AddCircle(c, dot, p.muted, 16);
    }
    const float x = start.x + float(all + 1) * pitch + t.px(6);
    const float cross = ImGui::GetFontSize() + t.px(8);
    const std::string words =
        tour->title +
        (guide.step() ? " · step " + std::to_string(guide.at() + 1) + " of " + std::to_string(all)
                      : std::string(" · the question"));
    list->PushClipRect(ImVec2(x, start.y), ImVec2(start.x + inside - cross, start.y + t.px(24)),
                       true);
    list->AddText(ImVec2(x, start.y), p.muted, words.c_str());
    list->PopClipRect();
    ImGui::SetCursorScreenPos(ImVec2(start.x + inside - cross + t.px(4), start.y - t.px(4)));
    const bool close = ImGui::InvisibleButton("close", ImVec2(cross, cross));
    ui.probe("tour/close");
    const ImVec2 a = ImGui::GetItemRectMin();
    list->AddText(ImVec2(a.x + cross / 2 - ImGui::CalcTextSize("×").x / 2, start.y),
                  ImGui::IsItemHovered() ? p.text : p.muted, "×");
    hint(ui, "Leave the tour; it waits here", "Escape");
    ImGui::SetCursorScreenPos(ImVec2(start.x, start.y + ImGui::GetFontSize() + t.px(8)));
    if (close) {
      guide.close();
      ImGui::Dummy(ImVec2(0, 0));
    }
  }

  bool used = guide.tour() == nullptr;
  if (!used) {
    used = guide.step() ? draw_step(ui, guide, world, scene, inside)
                        : draw_question_card(ui, guide, world, scene.now, inside);
  }
  card_ = end_card();
  ui.probes.record("tour/card", card_);
  const bool moves = card_.h != height_;
  height_ = card_.h;
  if (settling_ > 0) --settling_;
  return used || moves || settling_ > 0;
}

bool TourView::draw_step(Ui& ui, TourGuide& guide, TourWorld& world, const TourScene& scene,
                         float width) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const TourStep& step = *guide.step();
  {
    const FontScope title(t, Font::strong);
    draw_rich(ui, step.title, width);
  }
  draw_rich(ui, step.text, width);

  // What has come of it
  const bool lost = guide.lost(world) && !guide.done() && !guide.acting();
  if (guide.done()) {
    if (!step.then.empty()) {
      ImGui::Spacing();
      coloured(ui, p.good, "✓ ", 0);
      ImGui::SameLine(0, 0);
      const float sign = ImGui::GetCursorScreenPos().x - ImGui::GetWindowPos().x - t.px(16);
      draw_rich(ui, step.then, width - sign);
    }
  } else if (lost) {
    const std::string panel = panel_of_probe(step.outline.front());
    const std::string title = scene.panel_title(panel);
    ImGui::Spacing();
    coloured(ui, p.warning,
             (title.empty() || world.panel_shown(panel)
                  ? std::string("What this step points at is not on the screen now.")
                  : "The panel " + title + " is hidden now.") +
                 " “Show it” arranges the window for this step again.",
             width);
  } else if (!guide.trouble().empty()) {
    ImGui::Spacing();
    coloured(ui, p.warning, guide.trouble(), width);
  } else if (const std::string progress = guide.progress(world); !progress.empty()) {
    ImGui::Spacing();
    const FontScope small(t, Font::small);
    coloured(ui, p.muted, progress, width);
  }
  if (guide.hint_shown() && !guide.done() && !lost) {
    ImGui::Spacing();
    coloured(ui, p.muted, step.hint, width);
  }

  ImGui::Dummy(ImVec2(0, t.px(2)));
  const double now = scene.now;
  const float gap = t.px(6);
  bool used = false;
  if (guide.at() > 0) {
    if (card_button(ui, "tour/back", "Back")) guide.back(world, now), used = true;
    ImGui::SameLine(0, gap);
  }
  if (used) return true;
  if (guide.resumed()) {
    if (card_button(ui, "tour/again", "From the start")) guide.restart(world, now), used = true;
    ImGui::SameLine(0, gap);
  }
  if (used) return true;
  if (lost) {
    if (card_button(ui, "tour/show", "Show it", true)) guide.arrange(), used = true;
    ImGui::SameLine(0, gap);
  }
  if (guide.done() || step.wait.empty()) {
    if (card_button(ui, "tour/next", "Next", true)) guide.next(world, now), used = true;
    return used;
  }
  if (!lost) {
    if (card_button(ui, "tour/do", guide.acting() ? "Doing it …" : "Do it for me"))
      guide.do_it(world), used = true;
    ImGui::SameLine(0, gap);
  }
  if (card_button(ui, "tour/next", "Skip")) guide.next(world, now), used = true;
  return used;
}

bool TourView::draw_question_card(Ui& ui, TourGuide& guide, TourWorld& world, double now,
                                  float width) {
  const Theme& t = ui.theme;
  {
    const FontScope title(t, Font::strong);
    draw_rich(ui, "A question", width);
  }
  bool used = false;
  const int clicked =
      draw_question(ui, "tour/question", guide.tour()->question, guide.answer(), width);
  if (clicked >= 0) guide.choose(clicked), used = true;
  ImGui::Dummy(ImVec2(0, t.px(2)));
  if (!guide.answer().revealed) {
    if (card_button(ui, "tour/back", "Back")) guide.back(world, now), used = true;
    return used;
  }
  // The next tour that there is
  const std::vector<Tour>& tours = guide.tours();
  const auto here = std::find_if(tours.begin(), tours.end(),
                                 [&](const Tour& tour) { return tour.id == guide.tour()->id; });
  const bool more = here != tours.end() && here + 1 != tours.end();
  if (card_button(ui, "tour/finish", "Done", true)) guide.finish(), used = true;
  if (more) {
    ImGui::SameLine(0, t.px(6));
    if (card_button(ui, "tour/following", "Next: " + (here + 1)->title)) {
      wish_ = (here + 1)->id;
      guide.finish();
      used = true;
    }
  }
  return used;
}

int TourView::draw_offer(Ui& ui, const Tour& tour, const Rect& window) {
  const Theme& t = ui.theme;
  const float width = std::min(t.px(360), window.w - t.px(32));
  begin_card(ui, "tour offer",
             {std::floor(window.x + (window.w - width) / 2),
              std::floor(window.y + window.h * 0.36f), width, 0});
  const float inside = ImGui::GetContentRegionAvail().x;
  {
    const FontScope title(t, Font::strong);
    draw_rich(ui, "New here?", inside);
  }
  draw_rich(ui,
            "A model has begun to train in this window. " + tour.title +
                ": a short tour shows where what is. Every chapter has one too: Ctrl+K, Tour.",
            inside);
  ImGui::Dummy(ImVec2(0, t.px(2)));
  int answer = 0;
  if (card_button(ui, "tour/offer/start", "Show me", true)) answer = 1;
  ImGui::SameLine(0, t.px(6));
  if (card_button(ui, "tour/offer/close", "Not now")) answer = -1;
  ui.probes.record("tour/offer", end_card());
  return answer;
}

}  // namespace tpp::viewer
