// One source for Dear ImGui 1.86 to 1.92: every call whose spelling changed between them is made
// here and nowhere else. Only the public header is used, never imgui_internal.h.
#pragma once

#include <imgui.h>

#include <cstdint>

#if IMGUI_VERSION_NUM < 18600
#error \
    "The viewer needs Dear ImGui 1.86 or newer: install libimgui-dev, or configure with -DDEPS=PINNED"
#endif

namespace tpp::viewer::compat {

/// ImTextureID was a void* until 1.91.3 and is a 64-bit integer since: one C cast does both.
inline ImTextureID texture_id(std::uint64_t handle) {
  return (ImTextureID)(std::uintptr_t)handle;  // NOLINT(google-readability-casting)
}
inline std::uint64_t texture_handle(ImTextureID id) {
  return (std::uint64_t)(std::uintptr_t)id;  // NOLINT(google-readability-casting)
}

/// BeginChild's `bool border` became a set of flags in 1.90.
inline bool begin_child(const char* id, ImVec2 size, bool border, ImGuiWindowFlags flags = 0) {
#if IMGUI_VERSION_NUM >= 19000
  return ImGui::BeginChild(id, size, border ? ImGuiChildFlags_(1) : ImGuiChildFlags_(0), flags);
#else
  return ImGui::BeginChild(id, size, border, flags);
#endif
}

/// 1.92 rasterises a font at any size; before, a font is baked at one size and `size` is ignored.
inline void push_font(ImFont* font, float size) {
#if IMGUI_VERSION_NUM >= 19200
  ImGui::PushFont(font, size);
#else
  (void)size;
  ImGui::PushFont(font);
#endif
}

/// 1.92.8 swapped the last two arguments of AddRect and AddPolyline.
inline void add_rect(ImDrawList* list, ImVec2 a, ImVec2 b, ImU32 colour, float rounding = 0,
                     float thickness = 1) {
#if IMGUI_VERSION_NUM >= 19280
  list->AddRect(a, b, colour, rounding, thickness, ImDrawFlags_None);
#else
  list->AddRect(a, b, colour, rounding, ImDrawFlags_None, thickness);
#endif
}
inline void add_polyline(ImDrawList* list, const ImVec2* points, int count, ImU32 colour,
                         bool closed, float thickness) {
  const ImDrawFlags flags = closed ? ImDrawFlags_Closed : ImDrawFlags_None;
#if IMGUI_VERSION_NUM >= 19280
  list->AddPolyline(points, count, colour, thickness, flags);
#else
  list->AddPolyline(points, count, colour, flags, thickness);
#endif
}

/// Let later items take clicks over this one (1.89.7 moved the call before the item).
inline void allow_overlap_before_item() {
#if IMGUI_VERSION_NUM >= 18970
  ImGui::SetNextItemAllowOverlap();
#endif
}
inline void allow_overlap_after_item() {
#if IMGUI_VERSION_NUM < 18970
  ImGui::SetItemAllowOverlap();
#endif
}

/// CmdLists was a plain array with CmdListsCount until 1.89.8.
inline int draw_list_count(const ImDrawData& data) {
#if IMGUI_VERSION_NUM >= 18980
  return data.CmdLists.Size;
#else
  return data.CmdListsCount;
#endif
}

/// Does this callback only ask for the renderer's first state? 1.92.8 moved it to the platform.
inline bool resets_render_state(ImDrawCallback callback) {
#if IMGUI_VERSION_NUM >= 19280
  return callback == ImGui::GetPlatformIO().DrawCallback_ResetRenderState;
#else
  return callback == ImDrawCallback_ResetRenderState;
#endif
}

/// Draw a texture over a rectangle; uv (0,0) is the first texel's corner.
inline void add_image(ImDrawList* list, std::uint64_t texture, ImVec2 a, ImVec2 b,
                      ImVec2 uv0 = ImVec2(0, 0), ImVec2 uv1 = ImVec2(1, 1),
                      ImU32 tint = IM_COL32_WHITE) {
  list->AddImage(texture_id(texture), a, b, uv0, uv1, tint);
}

}  // namespace tpp::viewer::compat
