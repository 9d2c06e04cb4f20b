// A back end without a display: input comes from scripts, frames are drawn into memory.
#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "viewer/backend.h"
#include "viewer/compat.h"
#include "viewer/rasteriser.h"

namespace tpp::viewer {
namespace {

class NullBackendImpl final : public NullBackend {
 public:
  explicit NullBackendImpl(const BackendConfig& config)
      : scale_(config.scale > 0 ? config.scale : 1) {
    if (config.width < 1 || config.height < 1 || config.width > 16384 || config.height > 16384) {
      throw BackendError("A picture of " + std::to_string(config.width) + " × " +
                         std::to_string(config.height) +
                         " pixels cannot be drawn: choose sides from 1 to 16384.");
    }
    resize(static_cast<int>(std::lround(static_cast<float>(config.width) * scale_)),
           static_cast<int>(std::lround(static_cast<float>(config.height) * scale_)));
    IMGUI_CHECKVERSION();
    context_ = ImGui::CreateContext();
    ImGui::SetCurrentContext(context_);
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.LogFilename = nullptr;
    io.BackendRendererName = "tpp software";
    io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
#if IMGUI_VERSION_NUM >= 19200
    io.BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
#endif
    InjectedInput::map_keys();
  }

  ~NullBackendImpl() override {
    ImGui::SetCurrentContext(context_);
#if IMGUI_VERSION_NUM >= 19200
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
      if (texture->RefCount == 1) destroy(*texture);
    }
#endif
    ImGui::DestroyContext(context_);
  }

  void begin_frame() override {
    ImGui::SetCurrentContext(context_);
    ImGuiIO& io = ImGui::GetIO();
#if IMGUI_VERSION_NUM < 19200
    if (!fonts_) fonts_changed();
#endif
    io.DisplaySize = ImVec2(static_cast<float>(width_), static_cast<float>(height_));
    io.DisplayFramebufferScale = ImVec2(1, 1);
    io.DeltaTime = static_cast<float>(frame_time_);
    input_.apply();
    ImGui::NewFrame();
  }

  void end_frame(bool present) override {
    ImGui::Render();
    ImDrawData* data = ImGui::GetDrawData();
#if IMGUI_VERSION_NUM >= 19200
    if (data->Textures) {
      for (ImTextureData* texture : *data->Textures) serve(*texture);
    }
#endif
    if (!present) return;
    const auto start = std::chrono::steady_clock::now();
    if (target_.width != width_ || target_.height != height_) target_ = Image(width_, height_);
    const Rgba ground = ImGui::ColorConvertFloat4ToU32(ImGui::GetStyle().Colors[ImGuiCol_WindowBg]);
    std::fill(target_.pixels.begin(), target_.pixels.end(), with_alpha(ground, 255));
    rasteriser_.draw(*data, store_, target_);
    raster_ms_ =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

  WindowSize size() const override {
    return {static_cast<float>(width_), static_cast<float>(height_), 1};
  }
  float display_scale() const override { return scale_; }
  Image read_pixels() override { return target_; }

  void wait_events(double timeout) override {
    if (!input_.empty()) return;
    std::unique_lock lock(mutex_);
    awake_.wait_for(lock, std::chrono::duration<double>(std::max(0.0, timeout)),
                    [this] { return woken_; });
    woken_ = false;
  }
  void wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    awake_.notify_one();
  }

  bool should_close() const override { return close_; }
  void request_close() override { close_ = true; }
  void set_title(const std::string&) override {}
  TextureStore& textures() override { return store_; }

  void fonts_changed() override {
#if IMGUI_VERSION_NUM < 19200
    // Upload the atlas again and tell ImGui which texture it is
    fonts_ = Texture();
    unsigned char* pixels = nullptr;
    int width = 0, height = 0;
    ImGuiIO& io = ImGui::GetIO();
    io.Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
    fonts_ = Texture(store_, width, height, Filter::linear);
    fonts_.update(reinterpret_cast<const Rgba*>(pixels));
    io.Fonts->SetTexID(compat::texture_id(fonts_.handle()));
    io.Fonts->ClearTexData();
#endif
  }

  void inject(InputEvent event) override { input_.push(std::move(event)); }
  bool input_pending() const override { return !input_.empty(); }
  const char* name() const override { return "null"; }

  void resize(int width, int height) override {
    width_ = std::clamp(width, 1, 16384);
    height_ = std::clamp(height, 1, 16384);
  }
  void set_frame_time(double seconds) override { frame_time_ = seconds; }
  double raster_ms() const override { return raster_ms_; }

 private:
#if IMGUI_VERSION_NUM >= 19200
  // ImGui 1.92 asks for textures as it needs them
  void serve(ImTextureData& t) {
    if (t.Status == ImTextureStatus_WantCreate) {
      t.SetTexID(compat::texture_id(store_.create(t.Width, t.Height, Filter::linear, Wrap::clamp)));
    }
    if (t.Status == ImTextureStatus_WantCreate || t.Status == ImTextureStatus_WantUpdates) {
      std::vector<Rgba> texels(static_cast<std::size_t>(t.Width) *
                               static_cast<std::size_t>(t.Height));
      const auto* from = static_cast<const unsigned char*>(t.GetPixels());
      for (std::size_t i = 0; i < texels.size(); ++i) {
        const unsigned char* p = from + i * static_cast<std::size_t>(t.BytesPerPixel);
        texels[i] = t.BytesPerPixel == 1 ? rgba(255, 255, 255, p[0]) : rgba(p[0], p[1], p[2], p[3]);
      }
      store_.update(compat::texture_handle(t.GetTexID()), texels.data());
      t.SetStatus(ImTextureStatus_OK);
    }
    if (t.Status == ImTextureStatus_WantDestroy && t.UnusedFrames > 0) destroy(t);
  }
  void destroy(ImTextureData& t) {
    store_.destroy(compat::texture_handle(t.GetTexID()));
    t.SetTexID(ImTextureID_Invalid);
    t.SetStatus(ImTextureStatus_Destroyed);
  }
#endif

  float scale_;
  int width_ = 1, height_ = 1;
  double frame_time_ = 1.0 / 60, raster_ms_ = 0;
  bool close_ = false;
  ImGuiContext* context_ = nullptr;
  SoftwareTextureStore store_;
  Texture fonts_;
  Rasteriser rasteriser_;
  Image target_;
  InjectedInput input_;
  std::mutex mutex_;
  std::condition_variable awake_;
  bool woken_ = false;
};

}  // namespace

std::unique_ptr<NullBackend> make_null_backend(const BackendConfig& config) {
  return std::make_unique<NullBackendImpl>(config);
}

}  // namespace tpp::viewer
