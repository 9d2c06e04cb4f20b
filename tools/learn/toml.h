// The part of TOML that exercise.toml uses: `key = value` lines, with strings, whole numbers, true and
// false, and lists of strings; """ for strings of several lines.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tpp::learn {

class Toml {
 public:
  /// Errors: InputError with file and line where the text is anything else.
  static Toml parse(const std::string& text, const std::string& file);

  [[nodiscard]] bool has(const std::string& key) const { return values_.count(key) != 0; }
  /// Errors: InputError where the key is missing (unless there is a default) or of another kind.
  [[nodiscard]] std::string text(const std::string& key) const;
  [[nodiscard]] std::string text(const std::string& key, const std::string& otherwise) const;
  [[nodiscard]] int number(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> list(const std::string& key) const;  // empty when missing

 private:
  struct Value {
    enum class Kind { text, number, list } kind = Kind::text;
    std::vector<std::string> texts;
    int number = 0;
  };
  [[nodiscard]] const Value& at(const std::string& key, Value::Kind kind, const char* name) const;

  std::string file_;
  std::map<std::string, Value> values_;
};

/// Errors: InputError that names the file.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
/// Whole or not at all: another program never sees half a file. Errors: InputError.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace tpp::learn
