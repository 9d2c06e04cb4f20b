// Generated tables: Markdown between two marks of a file, so that no figure is typed by hand.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace tpp::bench {

/// | a | b |
/// | --- | --- |
/// | 1 | 2 |
class Table {
 public:
  /// The columns from `numbers` on stand to the right.
  explicit Table(const std::vector<std::string>& header, std::size_t numbers = std::size_t(-1))
      : width_(header.size()) {
    row(header);
    text_ += '|';
    for (std::size_t i = 0; i < header.size(); ++i) text_ += i < numbers ? " --- |" : " ---: |";
    text_ += '\n';
  }
  void row(const std::vector<std::string>& cells) {
    text_ += '|';
    for (const std::string& cell : cells) text_ += ' ' + cell + " |";
    text_ += '\n';
  }
  /// A line above the rows that share what it says; nothing when the rows before share it, too.
  void group(const std::string& title) {
    if (title == group_) return;
    group_ = title;
    std::vector<std::string> cells(width_);
    cells.front() = title;
    row(cells);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::size_t width_;
  std::string text_, group_;
};

/// The text of `file`, with `text` between `<!-- table NAME -->` and `<!-- /table -->` in place of what stands there.
/// Errors  std::runtime_error when the file has no such marks
[[nodiscard]] inline std::string with_table(const std::filesystem::path& file,
                                            const std::string& name, const std::string& text) {
  std::ifstream in(file);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  const std::string open = "<!-- table " + name + " -->\n", close = "<!-- /table -->";
  const std::size_t begin = all.find(open), end = all.find(close, begin);
  if (begin == std::string::npos || end == std::string::npos) {
    throw std::runtime_error(file.string() + " has no place for the table '" + name +
                             "': it needs a line " + open.substr(0, open.size() - 1) +
                             " and, below it, a line " + close);
  }
  return all.replace(begin + open.size(), end - begin - open.size(), "\n" + text + "\n");
}

/// Does it stand there already?
[[nodiscard]] inline bool has_table(const std::filesystem::path& file, const std::string& name,
                                    const std::string& text) {
  std::ifstream in(file);
  return with_table(file, name, text) == std::string((std::istreambuf_iterator<char>(in)), {});
}

/// Put `text` between `<!-- table NAME -->` and `<!-- /table -->`, in place of what stands there.
/// Errors  std::runtime_error when the file cannot be read or written, or has no such marks
inline void write_table(const std::filesystem::path& file, const std::string& name,
                        const std::string& text) {
  const std::string all = with_table(file, name, text);
  std::ofstream out(file);
  out << all;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace tpp::bench
