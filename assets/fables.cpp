#include "assets/fables.h"

#include "assets/fable_plots.h"
#include "assets/generated_file.h"
#include "chapters/01_tensor/errors.h"

namespace tpp {

std::string fable_story(std::uint64_t seed, std::uint64_t number) {
  fable::Tale tale(seed, number);
  const auto plots = fable::plots();
  plots[std::size_t(tale.branch(int(plots.size())))](tale);
  return tale.text();
}

std::string fables(std::uint64_t seed, std::size_t bytes) {
  std::string text;
  for (std::uint64_t number = 0;; ++number) {
    const std::string story = fable_story(seed, number);
    if (text.size() + story.size() + 1 > bytes) return text;
    text += story;
    text += '\n';
  }
}

std::filesystem::path ensure_fables(const std::filesystem::path& folder, int megabytes,
                                    std::uint64_t seed) {
  if (megabytes < 1 || megabytes > 1024) {
    throw InputError("Cannot write " + std::to_string(megabytes) +
                     " megabytes of fables: ask for 1 to 1024.");
  }
  const std::filesystem::path path =
      folder / ("fables-" + std::to_string(megabytes) + "mb-seed" + std::to_string(seed) + ".txt");

  // A file of this generator starts with its first stories and is at most one story short
  const std::size_t bytes = std::size_t(megabytes) * 1'000'000;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  const bool full = !error && size <= bytes && size + 4096 > bytes;
  if (full && file_matches(path, size, fables(seed, 100'000))) return path;

  ensure_folder(folder);
  write_whole(path, fables(seed, bytes));
  return path;
}

}  // namespace tpp
