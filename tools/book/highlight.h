// Colours for code: which bytes are a keyword, a type, a comment. Good enough to be read with pleasure; no compiler.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tpp::book {

enum class Ink {
  plain,
  keyword,       // if, const, __global__; a shell's if, for
  type,          // float, Mat, std::size_t
  string,        //
  number,        //
  comment,       //
  function,      // the name before a bracket; the program of a shell's line
  preprocessor,  // #include, #pragma
  variable,      // $OUT
};

struct InkSpan {
  std::size_t begin = 0, end = 0;  // bytes of the text
  Ink ink = Ink::plain;
};

/// Cover the text with spans, in order and without holes. Languages: cpp (cuda, cu, c, h, cuh, hpp …), sh (bash, shell, console),
/// python, cmake, toml, json; anything else is one plain span. A span may hold line ends (a comment in /* */).
[[nodiscard]] std::vector<InkSpan> highlight(std::string_view language, std::string_view text);

/// The language of a file by its name: "rope.cu" → "cpp", "run" → "sh", "notes.txt" → "".
[[nodiscard]] std::string_view language_of(std::string_view path);

}  // namespace tpp::book
