// Fables without end: a text to learn from that has names, grammar, causes and endings.
//
// Each story has a cast with names, kinds and traits, a plot with several endings, and a moral that
// follows from the ending. A model that reads them finds work for its heads: who owns the scarf,
// who is "she", how many buns are left, whether the wrens was or were watching.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace tpp {

/// Story number `number` of a seed: a title line, paragraphs of a line each, and a line with the
/// moral. Every line ends with '\n'. About 600 bytes.
[[nodiscard]] std::string fable_story(std::uint64_t seed, std::uint64_t number);

/// Stories 0, 1, 2, … of a seed, a blank line after each, as many whole ones as fit into `bytes`.
///
/// A shorter text is a prefix of a longer one. Fewer bytes than the first story has give "".
///
/// Cost    linear in the bytes; 4 MB take about a tenth of a second
[[nodiscard]] std::string fables(std::uint64_t seed, std::size_t bytes);

/// The path of a file of fables in `folder`, written on first use.
///
/// The folder is made if it is missing. The file appears whole or not at all, and one that an older
/// version of the generator wrote is replaced.
///
/// Errors  InputError: megabytes not in 1…1024, a folder that cannot be written, a full disk
[[nodiscard]] std::filesystem::path ensure_fables(const std::filesystem::path& folder,
                                                  int megabytes = 4, std::uint64_t seed = 1);

}  // namespace tpp
