// The real window: GLFW and OpenGL draw what the software rasteriser draws. Without a display the
// error is a sentence, and the rest is skipped; run it under xvfb-run to have one.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/testing.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/gallery.h"
#include "viewer/script.h"
#include "viewer/ui.h"

namespace tpp::viewer {
namespace {

// The gallery on some back end, after enough frames to settle.
Image picture(Backend& backend) {
  Theme theme;
  theme.build_fonts(backend.size().density);
  backend.fonts_changed();
  Probes probes;
  HoverClock hover;
  Ui ui{theme, backend.textures(), probes, hover};
  // The gallery's textures must go before the back end does
  const std::unique_ptr<GalleryState, void (*)(GalleryState*)> state(make_gallery(), free_gallery);
  Script script(backend, probes, [&] {
    backend.begin_frame();
    probes.begin_frame();
    draw_widget_gallery(ui, *state);
    backend.end_frame(true);
  });
  script.wait(2);
  script.click("tab/samples");  // input goes the same way on both
  script.click("tab/loss");
  script.move_to(1, 1);
  script.wait(3);
  return backend.read_pixels();
}

TEST_CASE("glfw: OpenGL draws what the software rasteriser draws", "[viewer][display]") {
  const BackendConfig config{.width = 1200, .height = 800, .scale = 1, .visible = false};
  std::unique_ptr<Backend> window;
  try {
    window = make_glfw_backend(config);
  } catch (const BackendError& e) {
    // A sentence with a way out
    CHECK(std::string(e.what()).find("--headless") != std::string::npos);
    SKIP("no display here");
  }
  window->wake();
  window->wait_events(0.5);
  window->set_title("test");
  CHECK_FALSE(window->should_close());
  const WindowSize size = window->size();
  const Image real = picture(*window);
  const Image soft = picture(*make_null_backend({.width = static_cast<int>(size.width),
                                                 .height = static_cast<int>(size.height),
                                                 .scale = 1}));
  if (const char* folder = std::getenv("TPP_GALLERY")) {
    write_png(std::filesystem::path(folder) / "glfw.png", real);
    write_png(std::filesystem::path(folder) / "soft.png", soft);
  }

  REQUIRE(real.width == soft.width);
  REQUIRE(real.height == soft.height);
  std::size_t different = 0;
  for (std::size_t i = 0; i < real.pixels.size(); ++i) {
    const Rgba a = real.pixels[i], b = soft.pixels[i];
    const int most = std::max(
        {std::abs(red(a) - red(b)), std::abs(green(a) - green(b)), std::abs(blue(a) - blue(b))});
    if (most > 8) ++different;
  }
  const double share = static_cast<double>(different) / static_cast<double>(real.pixels.size());
  INFO(share * 100 << " % of the pixels differ");
  CHECK(share < 0.01);
  window->request_close();
  CHECK(window->should_close());
}

}  // namespace
}  // namespace tpp::viewer
