// Where in the sources something is computed. A panel names a file and a name in it,
// "chapters/05_softmax/softmax.cpp: softmax_backward"; the line is looked up when somebody asks, so it
// is never out of date.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace tpp::viewer {

struct CodePlace {
  std::string file;  // from the root
  int line = 0;      // from 1; 0: not known, since the sources are not there or have no such name

  /// "chapters/05_softmax/softmax.cpp:12", or the file alone.
  [[nodiscard]] std::string text() const;
};

/// The line of `text` that best introduces `name`: where it is defined, else declared, else used; 0
/// where it stands nowhere outside comments. A name is whole: "rotate" is not found in "rotated".
[[nodiscard]] int line_of_name(std::string_view text, std::string_view name);

class CodePlaces {
 public:
  /// `root` is the folder with chapters/.
  explicit CodePlaces(std::filesystem::path root) : root_(std::move(root)) {}

  /// "FILE: NAME", "FILE:LINE" as a trace knows it, or a file alone. Files are read once.
  [[nodiscard]] const CodePlace& find(std::string_view place);

  // What a tooltip on the screen points at, for the command that opens it
  void begin_frame() { shown_ = {}; }
  void show(const CodePlace& place) { shown_ = place; }
  [[nodiscard]] const CodePlace& shown() const { return shown_; }

 private:
  std::filesystem::path root_;
  std::map<std::string, CodePlace, std::less<>> found_;
  CodePlace shown_;
};

}  // namespace tpp::viewer
