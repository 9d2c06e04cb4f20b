// A screen in memory with everything that a widget needs: what the viewer's tests draw on.
#pragma once

#include <imgui.h>

#include <functional>
#include <memory>

#include "viewer/backend.h"
#include "viewer/script.h"
#include "viewer/ui.h"

namespace tpp::viewer::testing {

struct Offscreen {
  explicit Offscreen(int width = 640, int height = 400, float scale = 1,
                     Appearance appearance = Appearance::dark)
      : backend(make_null_backend({.width = width, .height = height, .scale = scale})),
        theme(appearance, scale),
        ui{theme, backend->textures(), probes, hover} {
    theme.build_fonts();
    backend->fonts_changed();
  }

  /// One frame whose content is drawn into a window that fills the screen.
  void frame(const std::function<void()>& draw, bool present = true) {
    backend->begin_frame();
    probes.begin_frame();
    ImGui::SetNextWindowPos(ImVec2(0, 0));
    ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
    ImGui::Begin("test", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBringToFrontOnFocus);
    draw();
    ImGui::End();
    backend->end_frame(present);
  }

  /// A hand for what `draw` draws. `draw` must outlive it.
  Script script(const std::function<void()>& draw) {
    return Script(*backend, probes, [this, &draw] { frame(draw, false); });
  }

  std::unique_ptr<NullBackend> backend;
  Theme theme;
  Probes probes;
  HoverClock hover;
  Ui ui;
};

}  // namespace tpp::viewer::testing
