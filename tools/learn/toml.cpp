#include "tools/learn/toml.h"

#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "chapters/01_tensor/errors.h"

namespace tpp::learn {
namespace {

// Reads one text from left to right.
class Reader {
 public:
  Reader(const std::string& text, const std::string& file) : text_(text), file_(file) {}

  [[noreturn]] void fail(const std::string& why) const {
    std::size_t line = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    throw InputError(file_ + ":" + std::to_string(line) + ": " + why);
  }

  // Skip what says nothing: spaces, line ends, comments
  void skip(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        break;
      }
    }
  }

  bool end() const { return at_ >= text_.size(); }
  char peek() const { return end() ? '\0' : text_[at_]; }
  bool take(std::string_view what) {
    if (text_.compare(at_, what.size(), what) != 0) return false;
    at_ += what.size();
    return true;
  }

  std::string key() {
    std::string name;
    while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_') name += text_[at_++];
    if (name.empty()) fail("a key like  title = \"…\"  was expected here");
    return name;
  }

  std::string string() {
    const bool several = take("\"\"\"");
    if (!several && !take("\"")) fail("a string in \"quotes\" was expected here");
    if (several) take("\n");  // TOML drops the line end after the opening
    std::string result;
    for (;;) {
      if (end()) fail("the string does not end");
      if (several ? take("\"\"\"") : take("\"")) return result;
      if (!several && peek() == '\n')
        fail("the string does not end in its line: \"\"\" may hold several");
      if (take("\\")) {
        if (take("n")) {
          result += '\n';
        } else if (take("\"")) {
          result += '"';
        } else if (take("\\")) {
          result += '\\';
        } else {
          fail("after a backslash: n, \" or another backslash");
        }
        continue;
      }
      result += text_[at_++];
    }
  }

  int number() {
    std::string digits;
    while (std::isdigit(static_cast<unsigned char>(peek()))) digits += text_[at_++];
    if (digits.empty() || digits.size() > 6)
      fail("a string, a whole number or a list was expected here");
    return std::stoi(digits);
  }

 private:
  const std::string& text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

}  // namespace

Toml Toml::parse(const std::string& text, const std::string& file) {
  Toml result;
  result.file_ = file;
  Reader reader(text, file);
  for (reader.skip(true); !reader.end(); reader.skip(true)) {
    const std::string key = reader.key();
    reader.skip(false);
    if (!reader.take("=")) reader.fail("after " + key + " stands =");
    reader.skip(false);
    Value value;
    if (reader.take("[")) {
      value.kind = Value::Kind::list;
      for (reader.skip(true); !reader.take("]"); reader.skip(true)) {
        value.texts.push_back(reader.string());
        reader.skip(true);
        if (!reader.take(",") && reader.peek() != ']')
          reader.fail("a comma or ] was expected here");
      }
    } else if (reader.peek() == '"') {
      value.texts.push_back(reader.string());
    } else {
      value.kind = Value::Kind::number;
      value.number = reader.number();
    }
    if (!result.values_.emplace(key, value).second) reader.fail(key + " stands twice");
  }
  return result;
}

const Toml::Value& Toml::at(const std::string& key, Value::Kind kind, const char* name) const {
  const auto found = values_.find(key);
  if (found == values_.end()) throw InputError(file_ + ": " + key + " is missing");
  if (found->second.kind != kind) throw InputError(file_ + ": " + key + " must be " + name);
  return found->second;
}

std::string Toml::text(const std::string& key) const {
  return at(key, Value::Kind::text, "a string").texts[0];
}
std::string Toml::text(const std::string& key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}
int Toml::number(const std::string& key) const {
  return at(key, Value::Kind::number, "a whole number").number;
}
std::vector<std::string> Toml::list(const std::string& key) const {
  return has(key) ? at(key, Value::Kind::list, "a list of strings").texts
                  : std::vector<std::string>{};
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf() || file.peek() == EOF)) {
    throw InputError("Cannot read " + path.string() + ": " + std::strerror(errno) + ".");
  }
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::error_code ignored, no_folder;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), no_folder);
  const std::filesystem::path part = path.string() + ".part" + std::to_string(getpid());
  errno = 0;
  {
    std::ofstream file(part, std::ios::binary);
    file << text;
    if (!file.flush()) {
      const int reason = errno;
      std::filesystem::remove(part, ignored);
      throw InputError("Cannot write " + path.string() + ": " +
                       (no_folder ? no_folder.message() : std::strerror(reason)) +
                       ". Check the folder's owner and the room on the disk.");
    }
  }
  std::filesystem::rename(part, path);
}

}  // namespace tpp::learn
