// Tokens as people can read them.
#include "viewer/run/labels.h"

#include <cstddef>
#include <cstdint>

namespace tpp::viewer {
namespace {

/// Bytes of the character that starts at `i`; 0 if there is none by the rules of RFC 3629.
std::size_t character_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  // Refuse what a shorter form says, surrogates, and what lies beyond U+10FFFF
  const unsigned char second = byte(i + 1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

}  // namespace

std::string token_label(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string label;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = character_length(bytes, i);
    const auto c = static_cast<unsigned char>(bytes[i]);
    if (c == ' ') {
      label += "␣";
    } else if (c == '\n') {
      label += "⏎";
    } else if (c == '\t') {
      label += "⇥";
    } else if (length == 0 || c < 0x20 || c == 0x7F) {
      label += {'x', kHex[c >> 4], kHex[c & 15]};
    } else {
      label += bytes.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return label;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 0 || c == 0x7F || (c < 0x20 && c != '\n' && c != '\t')) {
      valid += "\xEF\xBF\xBD";
    } else {
      valid += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return valid;
}

}  // namespace tpp::viewer
