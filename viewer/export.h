// Files that leave the viewer: PNG and CSV, written beside their place and renamed into it, so that
// a full disk or a kill never leaves half a file.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>

#include "viewer/geometry.h"
#include "viewer/image.h"

namespace tpp::viewer {

/// A file could not be written. The message names the file, the reason, and what to do.
struct ExportError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Errors: ExportError; also for an image without pixels.
void write_png(const std::filesystem::path& path, const Image& image);

/// Call `write` on a stream and keep the file only if all went well.
/// Errors: ExportError; std::invalid_argument's of `write` pass through.
void write_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The part of a read-back picture that a panel covers; `density` is pixels per window unit. What
/// lies outside is left off.
Image crop(const Image& image, const Rect& rect, float density = 1);

/// A CSV field: quoted when it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);

/// "out/attention-000120.png" → the first name not taken yet: …-2.png, …-3.png.
std::filesystem::path free_name(const std::filesystem::path& wanted);

}  // namespace tpp::viewer
