// Cut a text into pieces that a merge may not cross: words, numbers, punctuation, spaces.
//
// Without this cut, byte-pair encoding would learn "dog.", "dog," and "dog!" as three tokens, and
// the count of a pair would have to walk the whole text instead of a list of distinct words.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tpp {

/// No piece is longer, so no token is either, and encoding is linear in the text: a megabyte
/// without a space is many pieces. GPT-2 has no such limit.
inline constexpr std::size_t kLongestPiece = 256;  // bytes

/// Where does the piece that starts at `begin` end?
///
/// The first rule that fits, after at most one leading space:
///   letters       A–Z, a–z and every byte ≥ 0x80 (so that UTF-8 letters stay whole)
///   digits        0–9
///   other         everything that is not a letter, a digit or white space, zero bytes too
///   white space   a run of it, without its last byte where something else follows: that byte leads
///                 the next piece if it is a space, and is a piece by itself if not
///
/// Errors  std::out_of_range unless begin < text.size()
/// Cost    the bytes of the piece
/// Paper   Radford et al. 2019 (GPT-2), section 2.2, and the pattern of its published encoder.
///         Deviations: letters and digits are classes of bytes, not of Unicode; no rule for 's,
///         're, 'll; kLongestPiece.
[[nodiscard]] std::size_t piece_end(std::string_view text, std::size_t begin);

/// All pieces, in order. Their concatenation is the text, whatever the bytes.
[[nodiscard]] std::vector<std::string_view> pretokenise(std::string_view text);

}  // namespace tpp
