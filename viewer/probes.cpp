// Where things are on the screen, by name.
#include "viewer/probes.h"

#include <imgui.h>

namespace tpp::viewer {

void Probes::record(std::string_view name, const Rect& rect) {
  const auto it = seen_.find(name);
  if (it != seen_.end()) {
    it->second = {rect, frame_};
  } else {
    seen_.emplace(std::string(name), Seen{rect, frame_});
  }
}

void Probes::item(std::string_view name) {
  const ImVec2 a = ImGui::GetItemRectMin(), b = ImGui::GetItemRectMax();
  record(name, {a.x, a.y, b.x - a.x, b.y - a.y});
}

std::optional<Rect> Probes::find(std::string_view name) const {
  const auto it = seen_.find(name);
  if (it == seen_.end() || it->second.frame < frame_ - 1) return std::nullopt;
  return it->second.rect;
}

void Probes::note(std::string_view name, std::string_view words) {
  Said& said = said_[std::string(name)];
  said.words = words;
  said.frame = frame_;
}

std::string Probes::words(std::string_view name) const {
  const auto it = said_.find(name);
  return it == said_.end() || it->second.frame < frame_ - 1 ? std::string() : it->second.words;
}

std::string Probes::known() const {
  std::string names;
  for (const auto& [name, seen] : seen_) {
    if (seen.frame < frame_ - 1) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

}  // namespace tpp::viewer
