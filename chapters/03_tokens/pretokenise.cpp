#include "chapters/03_tokens/pretokenise.h"

#include <algorithm>
#include <stdexcept>

namespace tpp {
namespace {

enum class Kind { letter, digit, space, other };

Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) {
    return Kind::letter;
  }
  if (byte >= '0' && byte <= '9') return Kind::digit;
  if (byte == ' ' || (byte >= '\t' && byte <= '\r')) return Kind::space;
  return Kind::other;
}

}  // namespace

std::size_t piece_end(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) throw std::out_of_range("piece_end: begin is behind the text");
  const std::size_t limit = std::min(text.size(), begin + kLongestPiece);

  // [snip piece_end]
  // One leading space belongs to what follows it
  std::size_t first = begin;
  if (text[begin] == ' ' && begin + 1 < limit) ++first;
  const Kind kind = kind_of(text[first]);

  // White space: leave the last byte of the run to the piece that follows
  if (kind == Kind::space) {
    std::size_t end = begin;
    while (end < limit && kind_of(text[end]) == Kind::space) ++end;
    const bool something_follows = end < text.size() && kind_of(text[end]) != Kind::space;
    return something_follows && end - begin > 1 ? end - 1 : end;
  }

  // A run of one kind
  std::size_t end = first;
  while (end < limit && kind_of(text[end]) == kind) ++end;
  return end;
  // [/snip]
}

std::vector<std::string_view> pretokenise(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = piece_end(text, begin);
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

}  // namespace tpp
