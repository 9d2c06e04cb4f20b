// A back end is a window or the pretence of one: it owns the ImGui context, brings input, and turns
// draw data into pixels. Two exist: GLFW with OpenGL 3, and "null", which needs no display at all.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "viewer/image.h"
#include "viewer/input.h"
#include "viewer/texture_store.h"

namespace tpp::viewer {

/// No window could be had. The message says what to do.
struct BackendError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct BackendConfig {
  int width = 1600, height = 1000;  // window size at scale 1; multiplied by the scale
  float scale = 0;                  // size of the interface; 0 asks the display (null: 1)
  std::string title = "Transformer++";
  bool vsync = true;    // GLFW only
  bool visible = true;  // GLFW only: false draws without showing, for smoke tests
};

struct WindowSize {
  float width = 0, height = 0;  // in window units: what ImGui lays out in
  float density = 1;            // framebuffer pixels per window unit (2 on a Retina display)
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// Poll input and start an ImGui frame.
  virtual void begin_frame() = 0;

  /// Finish the ImGui frame. With `present`, draw it (and swap); without, only build it: tests that
  /// look at no pixels save the drawing.
  virtual void end_frame(bool present = true) = 0;

  virtual WindowSize size() const = 0;

  /// How large a 1× unit should be drawn, in window units: give it to Theme.
  virtual float display_scale() const = 0;

  /// The last presented frame, top row first. (height·density, width·density)
  virtual Image read_pixels() = 0;

  /// Sleep until there is input, wake() was called, or `timeout` seconds are over.
  virtual void wait_events(double timeout) = 0;

  /// End wait_events early. The only member that any thread may call.
  virtual void wake() = 0;

  virtual bool should_close() const = 0;
  virtual void request_close() = 0;
  virtual void set_title(const std::string& title) = 0;

  virtual TextureStore& textures() = 0;

  /// Call after the font atlas was built anew (Theme::build_fonts does): ImGui before 1.92 needs
  /// its texture uploaded again.
  virtual void fonts_changed() = 0;

  /// Feed input by hand: scripts and tests. Works on both back ends.
  virtual void inject(InputEvent event) = 0;
  virtual bool input_pending() const = 0;

  virtual const char* name() const = 0;  // "glfw" or "null"
};

/// A real window. Errors: BackendError when there is no display or no OpenGL 3.
std::unique_ptr<Backend> make_glfw_backend(const BackendConfig& config);

/// The null back end also lets tests resize the pretended window and set the clock.
class NullBackend : public Backend {
 public:
  virtual void resize(int width, int height) = 0;  // in window units
  /// Seconds that ImGui believes have passed between two frames; 1/60 unless set.
  virtual void set_frame_time(double seconds) = 0;
  /// Milliseconds the rasteriser took for the last presented frame.
  virtual double raster_ms() const = 0;
};

/// No window: frames are drawn by our rasteriser into memory, with the same pixels on any machine.
std::unique_ptr<NullBackend> make_null_backend(const BackendConfig& config);

}  // namespace tpp::viewer
