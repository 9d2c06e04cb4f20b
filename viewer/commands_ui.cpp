// Commands, their keys, the palette, and the page that lists them.
#include "viewer/commands_ui.h"

#include <imgui.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "viewer/compat.h"
#include "viewer/geometry.h"
#include "viewer/ui.h"

namespace tpp::viewer {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// How well words fit a text: −1 not at all, higher is better.
int score(const std::string& text, const std::vector<std::string>& words) {
  int total = 0;
  for (const std::string& w : words) {
    const std::size_t at = text.find(w);
    if (at == std::string::npos) return -1;
    total += at == 0 ? 4 : text[at - 1] == ' ' ? 3 : 1;
  }
  return total;
}

constexpr ImGuiWindowFlags kOverlay = ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize |
                                      ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoCollapse |
                                      ImGuiWindowFlags_NoSavedSettings;

// Darken what is behind an overlay, and take its clicks; true when it was clicked.
bool dim_behind(Ui& ui) {
  ImGui::SetNextWindowPos(ImVec2(0, 0));
  ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
  ImGui::PushStyleColor(ImGuiCol_WindowBg, with_alpha(rgba(0, 0, 0), ui.theme.dark() ? 130 : 70));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  ImGui::Begin("behind overlay", nullptr,
               kOverlay | ImGuiWindowFlags_NoFocusOnAppearing | ImGuiWindowFlags_NoScrollbar |
                   ImGuiWindowFlags_NoNav);
  const bool clicked = ImGui::IsWindowHovered() && ImGui::IsMouseClicked(0);
  ImGui::End();
  ImGui::PopStyleVar(2);
  ImGui::PopStyleColor();
  return clicked;
}

}  // namespace

void Commands::add(Command command) {
  if (command.id.empty() || command.title.empty() || !command.action) {
    throw std::invalid_argument("Command \"" + command.id +
                                "\" needs an id, a title and an action.");
  }
  for (const Command& c : commands_) {
    if (c.id == command.id) {
      throw std::invalid_argument("Command " + c.id + " exists already: choose another id.");
    }
    if (command.shortcut && c.shortcut == command.shortcut) {
      throw std::invalid_argument("Key " + c.shortcut.text() + " of command " + command.id +
                                  " is taken by " + c.id + ": choose another key.");
    }
  }
  commands_.push_back(std::move(command));
}

const Command* Commands::find(std::string_view id) const {
  for (const Command& c : commands_) {
    if (c.id == id) return &c;
  }
  return nullptr;
}

void Commands::hide(std::function<bool(std::string_view id)> hides,
                    std::function<void(const Command&)> told) {
  hides_ = std::move(hides);
  told_ = std::move(told);
}

bool Commands::run(std::string_view id) {
  const Command* c = find(id);
  if (c && hidden(*c)) {
    if (told_) told_(*c);
    return false;
  }
  if (!c || (c->enabled && !c->enabled())) return false;
  // The action may add commands: keep it alive by itself
  const auto action = c->action;
  ++times_run_[c->id];
  action();
  return true;
}

void Commands::handle_shortcuts() {
  const bool typing = ImGui::GetIO().WantTextInput || palette_;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const Shortcut s = commands_[i].shortcut;
    if (!s) continue;
    if (typing && s.key != Key::escape && s.key != Key::f1) continue;
    if (pressed(s, commands_[i].repeat)) run(std::string(commands_[i].id));
  }
}

void Commands::open_palette() {
  palette_ = focus_input_ = true;
  search_.clear();
  chosen_ = 0;
}

bool Commands::close_overlays() {
  const bool open = palette_ || help_;
  palette_ = help_ = false;
  return open;
}

std::vector<std::string_view> Commands::match(std::string_view words) const {
  std::vector<std::string> parts;
  std::istringstream in(lower(words));
  for (std::string w; in >> w;) parts.push_back(w);

  std::vector<std::pair<int, std::string_view>> found;
  for (const Command& c : commands_) {
    if (hidden(c)) continue;
    const int s = score(lower(c.title + " " + c.group), parts);
    if (s >= 0) found.emplace_back(s, c.id);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string_view> ids;
  for (const auto& [s, id] : found) ids.push_back(id);
  return ids;
}

void Commands::draw(Ui& ui) {
  if (!palette_ && !help_) return;
  if (dim_behind(ui)) {
    close_overlays();
    return;
  }
  if (help_) draw_help(ui);
  if (palette_) draw_palette(ui);
}

void Commands::draw_palette(Ui& ui) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const ImVec2 display = ImGui::GetIO().DisplaySize;
  const float width = std::min(t.px(560), display.x - t.px(32));
  // As high as its rows, counted before the box has taken this frame's letters
  const float row = t.px(28);
  const float rows = static_cast<float>(std::clamp<std::size_t>(match(search_).size(), 1, 14));
  const float height =
      std::min(rows * row + ImGui::GetFrameHeight() + t.px(8) * 2 + t.px(6), display.y - t.px(64));
  const Rect box{std::floor((display.x - width) / 2), std::min(t.px(72), std::floor(display.y / 8)),
                 width, height};
  ImGui::SetNextWindowPos(ImVec2(box.x, box.y));
  ImGui::SetNextWindowSize(ImVec2(width, height));
  if (focus_input_) ImGui::SetNextWindowFocus();
  ImGui::PushStyleColor(ImGuiCol_WindowBg, p.raised);
  ImGui::PushStyleColor(ImGuiCol_FrameBg, p.panel);
  ImGui::Begin("command palette", nullptr, kOverlay);
  ui.probes.record("palette", box);

  // The search box
  char text[128] = {};
  std::strncpy(text, search_.c_str(), sizeof text - 1);
  if (focus_input_) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(-1);
  const bool enter = ImGui::InputTextWithHint("##search", "What do you want to do?", text,
                                              sizeof text, ImGuiInputTextFlags_EnterReturnsTrue);
  ui.probe("palette/input");
  focus_input_ = false;
  if (search_ != text) {
    search_ = text;
    chosen_ = 0;
  }

  // Move with the arrow keys
  const std::vector<std::string_view> ids = match(search_);
  const int count = static_cast<int>(ids.size());
  bool moved = false;
  if (count > 0) {
    if (pressed({Key::down}, true)) {
      chosen_ = (chosen_ + 1) % count;
      moved = true;
    }
    if (pressed({Key::up}, true)) {
      chosen_ = (chosen_ + count - 1) % count;
      moved = true;
    }
  }
  chosen_ = std::clamp(chosen_, 0, std::max(0, count - 1));

  std::string run_id;
  compat::begin_child("list", ImVec2(0, 0), false);
  if (count == 0) {
    ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
    ImGui::TextUnformatted("No command has these words.");
    ImGui::PopStyleColor();
  }
  for (int i = 0; i < count; ++i) {
    const Command& c = *find(ids[static_cast<std::size_t>(i)]);
    const bool enabled = !c.enabled || c.enabled();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 size(ImGui::GetContentRegionAvail().x, row);
    ImGui::PushID(c.id.c_str());
    if (ImGui::InvisibleButton("row", size) && enabled) run_id = c.id;
    ui.probe("palette/" + c.id);
    ImGui::PopID();
    if (ImGui::IsItemHovered() &&
        (ImGui::GetIO().MouseDelta.x != 0 || ImGui::GetIO().MouseDelta.y != 0)) {
      chosen_ = i;
    }
    ImDrawList* list = ImGui::GetWindowDrawList();
    if (i == chosen_) {
      list->AddRectFilled(at, ImVec2(at.x + size.x, at.y + size.y), p.hovered, t.px(4));
      if (moved) ImGui::SetScrollHereY();
    }
    const float y = at.y + (size.y - ImGui::GetFontSize()) / 2;
    list->AddText(ImVec2(at.x + t.px(8), y), enabled ? p.text : with_alpha(p.muted, 150),
                  c.title.c_str());
    const FontScope small(t, Font::small);
    const std::string keys = c.shortcut.text();
    const float keys_width = ImGui::CalcTextSize(keys.c_str()).x;
    list->AddText(
        ImVec2(at.x + size.x - t.px(8) - keys_width, at.y + (size.y - ImGui::GetFontSize()) / 2),
        p.muted, keys.c_str());
    ImGui::SetCursorScreenPos(ImVec2(at.x, at.y + size.y));
  }
  ImGui::Dummy(ImVec2(0, 0));
  ImGui::EndChild();
  if (enter && count > 0) run_id = std::string(ids[static_cast<std::size_t>(chosen_)]);
  if (pressed({Key::escape})) palette_ = false;
  ImGui::End();
  ImGui::PopStyleColor(2);

  if (!run_id.empty()) {
    palette_ = false;
    run(run_id);
  }
}

void Commands::draw_help(Ui& ui) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const ImVec2 display = ImGui::GetIO().DisplaySize;

  // Groups in the order in which they were added
  std::vector<std::string> groups;
  for (const Command& c : commands_) {
    if (c.shortcut && !hidden(c) &&
        std::find(groups.begin(), groups.end(), c.group) == groups.end()) {
      groups.push_back(c.group);
    }
  }
  const float width = std::min(t.px(760), display.x - t.px(32));
  const float height = display.y - t.px(48);
  ImGui::SetNextWindowPos(ImVec2(display.x / 2, display.y / 2), ImGuiCond_Always,
                          ImVec2(0.5f, 0.5f));
  ImGui::SetNextWindowSizeConstraints(ImVec2(width, 1), ImVec2(width, height));
  ImGui::PushStyleColor(ImGuiCol_WindowBg, p.raised);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(t.px(16), t.px(16)));
  if (help_opens_) ImGui::SetNextWindowFocus();
  help_opens_ = false;
  ImGui::Begin("help", nullptr, kOverlay | ImGuiWindowFlags_AlwaysAutoResize);
  const ImVec2 corner = ImGui::GetWindowPos(), extent = ImGui::GetWindowSize();
  ui.probes.record("help", {corner.x, corner.y, extent.x, extent.y});
  {
    const FontScope title(t, Font::title);
    ImGui::TextUnformatted("Keys");
  }
  ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
  ImGui::TextUnformatted("Everything else is in the command list. F1 or Escape closes this page.");
  ImGui::PopStyleColor();
  ImGui::Dummy(ImVec2(0, t.px(4)));

  const int columns = width > t.px(560) ? 2 : 1;
  if (ImGui::BeginTable("keys", columns, ImGuiTableFlags_SizingStretchSame)) {
    for (const std::string& group : groups) {
      ImGui::TableNextColumn();
      ImGui::PushStyleColor(ImGuiCol_Text, p.accent);
      ImGui::TextUnformatted(group.c_str());
      ImGui::PopStyleColor();
      for (const Command& c : commands_) {
        if (!c.shortcut || c.group != group || hidden(c)) continue;
        const ImVec2 at = ImGui::GetCursorScreenPos();
        {
          const FontScope small(t, Font::small);
          ImGui::GetWindowDrawList()->AddText(ImVec2(at.x, at.y + t.px(1)), p.text,
                                              c.shortcut.text().c_str());
        }
        ImGui::SetCursorScreenPos(ImVec2(at.x + t.px(128), at.y));
        ImGui::PushStyleColor(ImGuiCol_Text, p.text);
        ImGui::TextUnformatted(c.title.c_str());
        ImGui::PopStyleColor();
      }
      ImGui::Dummy(ImVec2(0, t.px(8)));
    }
    ImGui::EndTable();
  }
  ImGui::End();
  ImGui::PopStyleVar();
  ImGui::PopStyleColor();
}

}  // namespace tpp::viewer
