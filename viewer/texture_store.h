// Where pictures for the screen live. Widgets speak to this interface only: the same drawing code
// runs on OpenGL and on the software rasteriser, and never sees either.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "viewer/image.h"

namespace tpp::viewer {

enum class Filter { nearest, linear };
enum class Wrap { clamp, repeat };

class TextureStore {
 public:
  /// What ImGui is given as a texture's identity. 0 means none.
  using Handle = std::uint64_t;

  virtual ~TextureStore() = default;

  /// A texture of width × height RGBA8 texels, transparent until updated.
  /// Errors: std::invalid_argument unless both sides are in 1 … max_side().
  virtual Handle create(int width, int height, Filter filter = Filter::nearest,
                        Wrap wrap = Wrap::clamp) = 0;

  /// Replace all texels; `texels` points to width·height values, top row first.
  virtual void update(Handle texture, const Rgba* texels) = 0;

  virtual void destroy(Handle texture) = 0;

  /// The longest side that this store can hold.
  virtual int max_side() const = 0;
};

/// Owns one texture of a store; frees it when it goes. The store must outlive it.
class Texture {
 public:
  Texture() = default;
  Texture(TextureStore& store, int width, int height, Filter filter = Filter::nearest,
          Wrap wrap = Wrap::clamp)
      : store_(&store),
        handle_(store.create(width, height, filter, wrap)),
        width_(width),
        height_(height) {}
  Texture(Texture&& other) noexcept { *this = std::move(other); }
  Texture& operator=(Texture&& other) noexcept {
    std::swap(store_, other.store_);
    std::swap(handle_, other.handle_);
    std::swap(width_, other.width_);
    std::swap(height_, other.height_);
    return *this;
  }
  ~Texture() {
    if (handle_) store_->destroy(handle_);
  }

  explicit operator bool() const { return handle_ != 0; }
  TextureStore::Handle handle() const { return handle_; }
  int width() const { return width_; }
  int height() const { return height_; }
  void update(const Rgba* texels) { store_->update(handle_, texels); }

 private:
  TextureStore* store_ = nullptr;
  TextureStore::Handle handle_ = 0;
  int width_ = 0, height_ = 0;
};

/// Plain pixel arrays, for the software rasteriser. Also counts uploads, for tests.
class SoftwareTextureStore final : public TextureStore {
 public:
  struct Entry {
    Image image;
    Filter filter = Filter::nearest;
    Wrap wrap = Wrap::clamp;
    bool opaque = false;  // every texel's alpha is 255: the rasteriser's fast path
    bool alive = false;
  };

  Handle create(int width, int height, Filter filter, Wrap wrap) override;
  void update(Handle texture, const Rgba* texels) override;
  void destroy(Handle texture) override;
  int max_side() const override { return 16384; }

  /// The texture's pixels, or nullptr for a handle that is not alive.
  const Entry* find(Handle texture) const;
  int alive() const;
  int uploads() const { return uploads_; }

 private:
  std::vector<Entry> entries_;  // handle − 1 is the index
  int uploads_ = 0;
};

/// Textures of the current OpenGL context. `load` finds GL functions by name (glfwGetProcAddress).
/// Errors: std::runtime_error naming the first function that is missing.
std::unique_ptr<TextureStore> make_gl_texture_store(void* (*load)(const char* name));

}  // namespace tpp::viewer
