#include "assets/generated_file.h"

#include <fstream>
#include <string>
#include <system_error>

#include "chapters/01_tensor/errors.h"
#include "chapters/11_gpt/atomic_file.h"

namespace tpp {

void ensure_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder)) return;
  throw InputError("Cannot make the folder '" + folder.string() + "' for generated texts: " +
                   (error ? error.message() : "something else has that name") +
                   "; choose another folder.");
}

void write_whole(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

bool file_matches(const std::filesystem::path& path, std::uintmax_t size, std::string_view start) {
  std::error_code error;
  if (std::filesystem::file_size(path, error) != size || error) return false;
  std::string head(start.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return file.good() && head == start;
}

}  // namespace tpp
