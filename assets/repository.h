// Where this project's folder is, so that programs find their texts wherever they are started.
#pragma once

#include <filesystem>

namespace tpp {

/// $TPP_ROOT, else the nearest folder above the program, else above the working directory, that holds
/// the chapters.
///
/// Errors  InputError when there is none
[[nodiscard]] std::filesystem::path repository_root();

}  // namespace tpp
