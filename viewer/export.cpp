// PNG and CSV files, whole or not at all.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#include <stb_image_write.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "viewer/export.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <system_error>

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& why, const std::string& advice) {
  throw ExportError("Cannot write " + path.string() + ": " + why + ". " + advice);
}

}  // namespace

void write_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  std::error_code ec;
  if (path.filename().empty() || fs::is_directory(path, ec)) {
    fail(path, "it is a folder", "Name a file in it.");
  }
  const fs::path folder = path.parent_path();
  if (!folder.empty()) {
    fs::create_directories(folder, ec);
    if (ec)
      fail(path, "its folder cannot be made (" + ec.message() + ")", "Choose another folder.");
  }

  // Write beside it, then rename: readers see the old file or the new one, never half
  fs::path part = path;
  part += ".part";
  try {
    errno = 0;
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    if (!out) {
      fail(path, std::strerror(errno ? errno : EIO), "Check that the folder can be written to.");
    }
    write(out);
    out.flush();
    if (!out) {
      fail(path, errno ? std::strerror(errno) : "the disk took only a part",
           "Free some space or choose another folder.");
    }
    out.close();
    if (!out) fail(path, "closing it failed", "Free some space or choose another folder.");
    fs::rename(part, path, ec);
    if (ec) fail(path, ec.message(), "Choose another name.");
  } catch (...) {
    fs::remove(part, ec);
    throw;
  }
}

void write_png(const fs::path& path, const Image& image) {
  if (image.width <= 0 || image.height <= 0) {
    fail(path, "the picture has no pixels", "Is the panel on the screen?");
  }
  std::string bytes;
  const int ok = stbi_write_png_to_func(
      [](void* to, void* data, int size) {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                              static_cast<std::size_t>(size));
      },
      &bytes, image.width, image.height, 4, image.pixels.data(), image.width * 4);
  if (!ok) fail(path, "it could not be compressed", "Is there enough memory?");
  write_file(path, [&bytes](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

Image crop(const Image& image, const Rect& rect, float density) {
  const auto pixel = [density](float v, int end) {
    return std::clamp(static_cast<int>(std::lround(v * density)), 0, end);
  };
  const int x0 = pixel(rect.x, image.width), x1 = pixel(rect.right(), image.width);
  const int y0 = pixel(rect.y, image.height), y1 = pixel(rect.bottom(), image.height);
  if (x0 >= x1 || y0 >= y1) return {};
  Image out(x1 - x0, y1 - y0);
  for (int y = y0; y < y1; ++y) {
    const Rgba* row = image.pixels.data() + static_cast<std::ptrdiff_t>(y) * image.width;
    std::copy(row + x0, row + x1, &out.at(0, y - y0));
  }
  return out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

fs::path free_name(const fs::path& wanted) {
  std::error_code ec;
  if (!fs::exists(wanted, ec)) return wanted;
  for (int i = 2;; ++i) {
    const fs::path next = wanted.parent_path() / (wanted.stem().string() + "-" + std::to_string(i) +
                                                  wanted.extension().string());
    if (!fs::exists(next, ec)) return next;
  }
}

}  // namespace tpp::viewer
