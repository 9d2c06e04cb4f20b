// Texts that are made on first use: written once, whole, and found again the next time.
#pragma once

#include <filesystem>
#include <string_view>

namespace tpp {

/// Make the folder of generated files if it is missing.
///
/// Errors  InputError if that is not possible
void ensure_folder(const std::filesystem::path& folder);

/// Write a text to a file that appears whole or not at all.
///
/// Errors  InputError: no right to write, a full disk; nothing half-written is left behind
void write_whole(const std::filesystem::path& path, std::string_view text);

/// Does the file hold exactly `size` bytes, and does it start with `start`?
[[nodiscard]] bool file_matches(const std::filesystem::path& path, std::uintmax_t size,
                                std::string_view start);

}  // namespace tpp
