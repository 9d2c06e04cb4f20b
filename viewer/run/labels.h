// Tokens as people can read them: on axes, in bars, in generated text.
#pragma once

#include <string>
#include <string_view>

namespace tpp::viewer {

/// A token's bytes as a label: "e", "␣" for a space, "⏎" for a line's end, "xE2" for a byte that is
/// no letter by itself.
[[nodiscard]] std::string token_label(std::string_view bytes);

/// The text with every byte that is not UTF-8 as "�". Control characters but line ends and tabs too.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace tpp::viewer
