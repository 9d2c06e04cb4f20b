// A window: GLFW brings it and its input, OpenGL 3 draws it.
#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "viewer/backend.h"
#include "viewer/compat.h"

namespace tpp::viewer {
namespace {

std::string& last_error() {
  static std::string text;
  return text;
}

std::string glfw_reason() { return last_error().empty() ? "GLFW gives no reason" : last_error(); }

class GlfwBackend final : public Backend {
 public:
  explicit GlfwBackend(const BackendConfig& config) {
    glfwSetErrorCallback([](int code, const char* text) {
      last_error() = std::string(text) + " (" + std::to_string(code) + ")";
    });
    if (!glfwInit()) {
      throw BackendError("No window can be opened: " + glfw_reason() +
                         ". Start the viewer in a desktop session, or use --headless to write its "
                         "pictures without a display.");
    }

    // OpenGL 3.2 core is what every driver of the last ten years has, and a Mac needs it said
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 2);
    glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
    glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
    glfwWindowHint(GLFW_VISIBLE, GLFW_FALSE);
    // We apply the scale ourselves, cut to the screen
    window_ = glfwCreateWindow(640, 400, config.title.c_str(), nullptr, nullptr);
    if (!window_) {
      const std::string reason = glfw_reason();
      glfwTerminate();
      throw BackendError("No OpenGL 3.2 window can be opened: " + reason +
                         ". Install a graphics driver (libgl1-mesa-dri draws on the processor), or "
                         "use --headless to write pictures without a display.");
    }
    asked_scale_ = config.scale;
    const float grow = interface_scale();
    int width = static_cast<int>(std::lround(static_cast<float>(config.width) * grow));
    int height = static_cast<int>(std::lround(static_cast<float>(config.height) * grow));
    if (GLFWmonitor* monitor = glfwGetPrimaryMonitor()) {
      int x = 0, y = 0, w = 0, h = 0;
      glfwGetMonitorWorkarea(monitor, &x, &y, &w, &h);
      if (w > 0 && h > 0) {
        width = std::min(width, w);
        height = std::min(height, h);
      }
    }
    glfwSetWindowSize(window_, width, height);
    glfwMakeContextCurrent(window_);
    glfwSwapInterval(config.vsync ? 1 : 0);

    IMGUI_CHECKVERSION();
    context_ = ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    if (!ImGui_ImplGlfw_InitForOpenGL(window_, true) || !ImGui_ImplOpenGL3_Init("#version 150")) {
      throw BackendError(
          "ImGui could not prepare OpenGL. Update the graphics driver, or use --headless.");
    }
    store_ = make_gl_texture_store(
        [](const char* name) { return reinterpret_cast<void*>(glfwGetProcAddress(name)); });
    if (config.visible) glfwShowWindow(window_);
  }

  ~GlfwBackend() override {
    glfwMakeContextCurrent(window_);
    ImGui::SetCurrentContext(context_);
    ImGui_ImplOpenGL3_Shutdown();
    ImGui_ImplGlfw_Shutdown();
    ImGui::DestroyContext(context_);
    store_.reset();
    glfwDestroyWindow(window_);
    glfwTerminate();
  }

  void begin_frame() override {
    glfwPollEvents();
    ImGui_ImplOpenGL3_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    input_.apply();
    ImGui::NewFrame();
  }

  void end_frame(bool present) override {
    ImGui::Render();
    if (!present) return;
    draw();
    glfwSwapBuffers(window_);
  }

  WindowSize size() const override {
    int w = 0, h = 0, fw = 0, fh = 0;
    glfwGetWindowSize(window_, &w, &h);
    glfwGetFramebufferSize(window_, &fw, &fh);
    return {static_cast<float>(w), static_cast<float>(h),
            w > 0 ? static_cast<float>(fw) / static_cast<float>(w) : 1.0f};
  }

  float display_scale() const override { return interface_scale(); }

  Image read_pixels() override {
    // Draw the last frame once more: after a swap the back buffer's content is undefined
    draw();
    int width = 0, height = 0;
    glfwGetFramebufferSize(window_, &width, &height);
    Image image(width, height);
    glPixelStorei(GL_PACK_ALIGNMENT, 4);
    glReadBuffer(GL_BACK);
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, image.pixels.data());
    for (int y = 0; y < height / 2; ++y) {
      std::swap_ranges(&image.at(0, y), &image.at(0, y) + width, &image.at(0, height - 1 - y));
    }
    for (Rgba& p : image.pixels) p = with_alpha(p, 255);
    return image;
  }

  void wait_events(double timeout) override {
    if (input_.empty()) glfwWaitEventsTimeout(std::max(0.001, timeout));
  }
  void wake() override { glfwPostEmptyEvent(); }
  bool should_close() const override { return glfwWindowShouldClose(window_) != 0; }
  void request_close() override { glfwSetWindowShouldClose(window_, GLFW_TRUE); }
  void set_title(const std::string& title) override { glfwSetWindowTitle(window_, title.c_str()); }
  TextureStore& textures() override { return *store_; }

  void fonts_changed() override {
#if IMGUI_VERSION_NUM < 19200
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
#endif
  }

  void inject(InputEvent event) override { input_.push(std::move(event)); }
  bool input_pending() const override { return !input_.empty(); }
  const char* name() const override { return "glfw"; }

 private:
  // Where a window unit is already several pixels (macOS, Wayland) the display's scale is in it
  float interface_scale() const {
    if (asked_scale_ > 0) return asked_scale_;
    float x = 1, y = 1;
    glfwGetWindowContentScale(window_, &x, &y);
    return std::clamp(x / size().density, 0.5f, 4.0f);
  }

  void draw() {
    int width = 0, height = 0;
    glfwGetFramebufferSize(window_, &width, &height);
    glViewport(0, 0, width, height);
    const ImVec4 ground = ImGui::GetStyle().Colors[ImGuiCol_WindowBg];
    glClearColor(ground.x, ground.y, ground.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    if (ImDrawData* data = ImGui::GetDrawData()) {
      use_own_filters(*data);
      ImGui_ImplOpenGL3_RenderDrawData(data);
    }
  }

  // Since 1.92.8 ImGui's renderer binds a linear, clamping sampler over every texture's own filter.
  // A first command takes it away again: maps want nearest texels, hatches want to repeat.
  static void use_own_filters(ImDrawData& data) {
#if IMGUI_VERSION_NUM >= 19280
    if (data.CmdLists.empty()) return;
    ImVector<ImDrawCmd>& commands = data.CmdLists[0]->CmdBuffer;
    if (!commands.empty() && commands[0].UserCallback == unbind_sampler) return;
    ImDrawCmd first{};
    first.UserCallback = unbind_sampler;
    commands.push_front(first);
#else
    (void)data;
#endif
  }
#if IMGUI_VERSION_NUM >= 19280
  static void unbind_sampler(const ImDrawList*, const ImDrawCmd*) {
    using BindSampler = void (*)(unsigned unit, unsigned sampler);
    const auto bind = reinterpret_cast<BindSampler>(glfwGetProcAddress("glBindSampler"));
    if (bind) bind(0, 0);
  }
#endif

  GLFWwindow* window_ = nullptr;
  ImGuiContext* context_ = nullptr;
  std::unique_ptr<TextureStore> store_;
  InjectedInput input_;
  float asked_scale_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_glfw_backend(const BackendConfig& config) {
  return std::make_unique<GlfwBackend>(config);
}

}  // namespace tpp::viewer
