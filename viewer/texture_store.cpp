// Textures as plain pixel arrays, for the software rasteriser.
#include "viewer/texture_store.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tpp::viewer {

TextureStore::Handle SoftwareTextureStore::create(int width, int height, Filter filter, Wrap wrap) {
  if (width < 1 || height < 1 || width > max_side() || height > max_side()) {
    throw std::invalid_argument("A texture of " + std::to_string(width) + " × " +
                                std::to_string(height) + " texels: sides must be 1 … " +
                                std::to_string(max_side()) + ".");
  }
  Entry entry{Image(width, height), filter, wrap, false, true};

  // Take the first free place, so that handles stay small
  const auto free =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.alive; });
  const auto index = static_cast<Handle>(free - entries_.begin());
  if (free == entries_.end()) {
    entries_.push_back(std::move(entry));
  } else {
    *free = std::move(entry);
  }
  return index + 1;
}

void SoftwareTextureStore::update(Handle texture, const Rgba* texels) {
  if (texture == 0 || texture > entries_.size() || !entries_[texture - 1].alive) {
    throw std::invalid_argument("Texture " + std::to_string(texture) +
                                " does not exist: create it before updating it.");
  }
  Entry& e = entries_[texture - 1];
  std::copy(texels, texels + e.image.pixels.size(), e.image.pixels.begin());
  e.opaque = std::all_of(e.image.pixels.begin(), e.image.pixels.end(),
                         [](Rgba c) { return alpha(c) == 255; });
  ++uploads_;
}

void SoftwareTextureStore::destroy(Handle texture) {
  if (texture == 0 || texture > entries_.size()) return;
  entries_[texture - 1] = Entry{};
}

const SoftwareTextureStore::Entry* SoftwareTextureStore::find(Handle texture) const {
  if (texture == 0 || texture > entries_.size() || !entries_[texture - 1].alive) return nullptr;
  return &entries_[texture - 1];
}

int SoftwareTextureStore::alive() const {
  return static_cast<int>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.alive; }));
}

}  // namespace tpp::viewer
