// Textures of the current OpenGL context. The eight functions needed are as old as OpenGL 1.1 and
// are found by name, so this file needs no OpenGL header and no loader library.
#include <cstring>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "viewer/texture_store.h"

#if defined(_WIN32) && !defined(_WIN64)
#define TPP_GL __stdcall
#else
#define TPP_GL
#endif

namespace tpp::viewer {
namespace {

// Names and numbers from the OpenGL 3.2 core specification
constexpr unsigned kTexture2D = 0x0DE1, kTextureBinding2D = 0x8069, kUnsignedByte = 0x1401,
                   kRgba = 0x1908, kMinFilter = 0x2801, kMagFilter = 0x2800, kWrapS = 0x2802,
                   kWrapT = 0x2803, kUnpackAlignment = 0x0CF5, kUnpackRowLength = 0x0CF2,
                   kMaxTextureSize = 0x0D33;
constexpr int kNearest = 0x2600, kLinear = 0x2601, kRepeat = 0x2901, kClampToEdge = 0x812F;

class GlTextureStore final : public TextureStore {
 public:
  explicit GlTextureStore(void* (*load)(const char*)) {
    get(load, "glGenTextures", gen_);
    get(load, "glDeleteTextures", delete_);
    get(load, "glBindTexture", bind_);
    get(load, "glTexParameteri", parameter_);
    get(load, "glTexImage2D", image_);
    get(load, "glTexSubImage2D", sub_image_);
    get(load, "glPixelStorei", store_);
    get(load, "glGetIntegerv", get_integer_);
    get_integer_(kMaxTextureSize, &max_side_);
  }

  Handle create(int width, int height, Filter filter, Wrap wrap) override {
    if (width < 1 || height < 1 || width > max_side_ || height > max_side_) {
      throw std::invalid_argument("A texture of " + std::to_string(width) + " × " +
                                  std::to_string(height) + " texels: sides must be 1 … " +
                                  std::to_string(max_side_) + ".");
    }
    const Bound bound(*this);
    unsigned name = 0;
    gen_(1, &name);
    bind_(kTexture2D, name);
    parameter_(kTexture2D, kMinFilter, filter == Filter::nearest ? kNearest : kLinear);
    parameter_(kTexture2D, kMagFilter, filter == Filter::nearest ? kNearest : kLinear);
    parameter_(kTexture2D, kWrapS, wrap == Wrap::repeat ? kRepeat : kClampToEdge);
    parameter_(kTexture2D, kWrapT, wrap == Wrap::repeat ? kRepeat : kClampToEdge);
    plain_rows();
    const Image blank(width, height);
    image_(kTexture2D, 0, static_cast<int>(kRgba), width, height, 0, kRgba, kUnsignedByte,
           blank.pixels.data());
    sizes_[name] = {width, height};
    return name;
  }

  void update(Handle texture, const Rgba* texels) override {
    const auto size = sizes_.find(static_cast<unsigned>(texture));
    if (size == sizes_.end()) {
      throw std::invalid_argument("Texture " + std::to_string(texture) +
                                  " does not exist: create it before updating it.");
    }
    const Bound bound(*this);
    bind_(kTexture2D, size->first);
    plain_rows();
    sub_image_(kTexture2D, 0, 0, 0, size->second.first, size->second.second, kRgba, kUnsignedByte,
               texels);
  }

  void destroy(Handle texture) override {
    const auto name = static_cast<unsigned>(texture);
    if (sizes_.erase(name)) delete_(1, &name);
  }

  int max_side() const override { return max_side_; }

 private:
  // Leave the texture binding as it was found: ImGui's renderer may rely on it.
  struct Bound {
    explicit Bound(GlTextureStore& s) : store(s) { s.get_integer_(kTextureBinding2D, &before); }
    ~Bound() { store.bind_(kTexture2D, static_cast<unsigned>(before)); }
    Bound(const Bound&) = delete;
    Bound& operator=(const Bound&) = delete;
    GlTextureStore& store;
    int before = 0;
  };

  template <class F>
  static void get(void* (*load)(const char*), const char* name, F& function) {
    void* found = load(name);
    if (!found) {
      throw std::runtime_error(std::string("OpenGL has no function ") + name +
                               ": update the graphics driver, or use --headless.");
    }
    std::memcpy(&function, &found, sizeof function);
  }

  void plain_rows() {
    store_(kUnpackAlignment, 4);
    store_(kUnpackRowLength, 0);
  }

  void(TPP_GL* gen_)(int, unsigned*) = nullptr;
  void(TPP_GL* delete_)(int, const unsigned*) = nullptr;
  void(TPP_GL* bind_)(unsigned, unsigned) = nullptr;
  void(TPP_GL* parameter_)(unsigned, unsigned, int) = nullptr;
  void(TPP_GL* image_)(unsigned, int, int, int, int, int, unsigned, unsigned,
                       const void*) = nullptr;
  void(TPP_GL* sub_image_)(unsigned, int, int, int, int, int, unsigned, unsigned,
                           const void*) = nullptr;
  void(TPP_GL* store_)(unsigned, int) = nullptr;
  void(TPP_GL* get_integer_)(unsigned, int*) = nullptr;

  std::unordered_map<unsigned, std::pair<int, int>> sizes_;
  int max_side_ = 1024;
};

}  // namespace

std::unique_ptr<TextureStore> make_gl_texture_store(void* (*load)(const char* name)) {
  return std::make_unique<GlTextureStore>(load);
}

}  // namespace tpp::viewer
