#include "tools/weave/results.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <regex>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/toml.h"
#include "tools/weave/files.h"

namespace tpp::weave {
using nlohmann::json;

const json& Results::file(const std::string& name) {
  const auto found = files_.find(name);
  if (found != files_.end()) return found->second;
  const std::filesystem::path path = folder_ / (name + ".json");
  if (!std::filesystem::is_regular_file(path)) {
    throw InputError("there is no bench/results/" + name + ".json");
  }
  json value = json::parse(learn::read_file(path), nullptr, false);
  if (!value.is_object())
    throw InputError("bench/results/" + name + ".json is not an object of JSON");
  return files_.emplace(name, std::move(value)).first->second;
}

// --- Expressions --------------------------------------------------------------------------------------

namespace {

std::string as_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string names_of(const json& value) {
  std::string names;
  int count = 0;
  for (const auto& [key, ignored] : value.items()) {
    if (++count > 12) return names + ", …";
    names += (names.empty() ? "" : ", ") + key;
  }
  return names.empty() ? "nothing" : names;
}

class Parser {
 public:
  Parser(const std::string& text, Results& results) : text_(text), results_(results) {}

  double whole() {
    const double value = sum();
    if (skip(), at_ != text_.size()) fail("an operator was expected");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw InputError("in the expression '" + text_ + "', at '" +
                     (at_ < text_.size() ? text_.substr(at_, 20) : std::string("the end")) +
                     "': " + why);
  }
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool is_name_letter(std::size_t at) const {
    if (at >= text_.size()) return false;
    const auto c = static_cast<unsigned char>(text_[at]);
    return std::isalnum(c) != 0 || c == '_' || c >= 0x80;
  }

  double sum() {
    double value = product();
    for (;;) {
      if (take('+')) {
        value += product();
      } else if (take('-')) {
        value -= product();
      } else {
        return value;
      }
    }
  }

  double product() {
    double value = factor();
    for (;;) {
      if (take('*')) {
        value *= factor();
      } else if (take('/')) {
        const double by = factor();
        if (by == 0) fail("a division by zero");
        value /= by;
      } else {
        return value;
      }
    }
  }

  double factor() {
    if (take('-')) return -factor();
    if (take('(')) {
      const double value = sum();
      if (!take(')')) fail("a ) was expected");
      return value;
    }
    skip();
    std::size_t end = at_;
    while (is_name_letter(end)) ++end;
    if (end > at_ && end < text_.size() && text_[end] == '#') {
      const std::string file = text_.substr(at_, end - at_);
      at_ = end + 1;
      return reference(file);
    }
    if (at_ < text_.size() &&
        (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.')) {
      const char* from = text_.c_str() + at_;
      char* to = nullptr;
      const double value = std::strtod(from, &to);
      if (to == from || is_name_letter(std::size_t(to - text_.c_str())))
        fail("not a number, and not FILE#path");
      at_ = std::size_t(to - text_.c_str());
      return value;
    }
    fail("a number, a ( or a reference like 13_length#values.rope was expected");
  }

  double reference(const std::string& file) {
    const json* value = &results_.file(file);
    std::string path = file + "#";
    for (bool first = true;; first = false) {
      if (at_ < text_.size() && text_[at_] == '[') {
        value = &selected(*value, path);
        continue;
      }
      if (!first) {
        if (at_ >= text_.size() || text_[at_] != '.') break;
        ++at_;
      }
      if (!value->is_object()) fail(path + " has no names inside it");
      const std::string name = step(*value);
      const auto found = value->find(name);
      if (found == value->end()) {
        fail(path + " has no '" + name + "'; it has: " + names_of(*value));
      }
      value = &*found;
      path += (first ? "" : ".") + name;
    }
    if (value->is_null()) fail(path + " was not measured: it is null");
    if (!value->is_number()) fail(path + " is not a number");
    const double number = value->get<double>();
    if (!std::isfinite(number)) fail(path + " is not finite");
    return number;
  }

  // The longest of the names that stand here, spaces and all; else a word, for the message
  std::string step(const json& object) {
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      if (end == std::string::npos) fail("the quotes are not closed");
      const std::string name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return name;
    }
    std::string longest;
    for (const auto& [key, ignored] : object.items()) {
      if (key.size() > longest.size() && text_.compare(at_, key.size(), key) == 0 &&
          !is_name_letter(at_ + key.size())) {
        longest = key;
      }
    }
    std::size_t end = at_ + longest.size();
    if (longest.empty()) {
      while (is_name_letter(end)) ++end;
    }
    if (end == at_) fail("a name was expected");
    const std::string name = text_.substr(at_, end - at_);
    if (!longest.empty()) at_ = end;
    return name;
  }

  // [3] or [field=value,field=value]; a comma separates where a field's name and = follow it
  const json& selected(const json& list, std::string& path) {
    const std::size_t end = text_.find(']', at_);
    if (end == std::string::npos) fail("the [ is not closed");
    const std::string inside = trimmed(text_.substr(at_ + 1, end - at_ - 1));
    if (!list.is_array()) fail(path + " is not a list");
    const bool index = !inside.empty() && std::all_of(inside.begin(), inside.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
    if (index) {
      const std::size_t i = std::size_t(std::atoll(inside.c_str()));
      if (i >= list.size()) fail(path + " has " + std::to_string(list.size()) + " entries");
      at_ = end + 1;
      path += "[" + inside + "]";
      return list[i];
    }

    std::vector<std::pair<std::string, std::string>> wanted;
    for (std::size_t from = 0; from <= inside.size();) {
      std::size_t to = inside.find(',', from);
      while (to != std::string::npos && !begins_field(inside, to + 1))
        to = inside.find(',', to + 1);
      to = std::min(to, inside.size());
      const std::string part = inside.substr(from, to - from);
      const std::size_t equal = part.find('=');
      if (equal == std::string::npos) fail("between [ and ] stands field=value, or an index");
      wanted.emplace_back(trimmed(part.substr(0, equal)), trimmed(part.substr(equal + 1)));
      from = to + 1;
    }

    const json* found = nullptr;
    std::size_t count = 0;
    for (const json& entry : list) {
      const bool fits = std::all_of(wanted.begin(), wanted.end(), [&](const auto& field) {
        if (!entry.is_object() || !entry.contains(field.first)) return false;
        const std::string has = as_text(entry[field.first]);
        return ends_with(field.second, "*")
                   ? starts_with(has, field.second.substr(0, field.second.size() - 1))
                   : has == field.second;
      });
      if (fits && ++count == 1) found = &entry;
    }
    if (count == 0) fail("no entry of " + path + " fits [" + inside + "]");
    if (count > 1) {
      fail(std::to_string(count) + " entries of " + path + " fit [" + inside +
           "]: name more of their fields, which are " + names_of(*found));
    }
    at_ = end + 1;
    path += "[" + inside + "]";
    return *found;
  }

  static bool begins_field(const std::string& text, std::size_t at) {
    while (at < text.size() && text[at] == ' ') ++at;
    const std::size_t from = at;
    while (at < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_'))
      ++at;
    return at > from && at < text.size() && text[at] == '=';
  }

  const std::string& text_;
  Results& results_;
  std::size_t at_ = 0;
};

std::string fixed(double value, int digits) {
  char text[400];
  (void)std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string with_commas(std::string digits) {  // 1234567.8 → 1,234,567.8
  const std::size_t point = std::min(digits.find('.'), digits.size());
  for (std::size_t at = point; at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

// `digits` significant ones, zeros at the end left out, and no exponent
std::string significant(double value, int digits) {
  if (value == 0) return "0";
  char rounded[64];
  (void)std::snprintf(rounded, sizeof rounded, "%.*e", digits - 1, value);
  const double near = std::strtod(rounded, nullptr);
  const int exponent =
      std::atoi(std::string(rounded).substr(std::string(rounded).find('e') + 1).c_str());
  std::string text = fixed(near, std::clamp(digits - 1 - exponent, 0, 30));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

}  // namespace

double evaluate(const std::string& expression, Results& results) {
  const double value = Parser(expression, results).whole();
  if (!std::isfinite(value)) throw InputError("the expression '" + expression + "' is not finite");
  return value;
}

std::string formatted(double value, const std::string& format) {
  if (!std::isfinite(value)) throw InputError("a value is not finite");
  std::size_t at = 0;
  const auto take = [&](char c) { return at < format.size() && format[at] == c && ++at != 0; };
  const bool plus = take('+'), commas = take(',');
  int digits = -1;
  if (take('.')) {
    digits = 0;
    const std::size_t from = at;
    while (at < format.size() && std::isdigit(static_cast<unsigned char>(format[at])) != 0 &&
           at < from + 2) {
      digits = digits * 10 + (format[at++] - '0');
    }
    if (at == from) digits = -2;
  }
  const char type = at + 1 == format.size() ? format[at] : '\0';
  if (digits == -2 || std::string("fgde%").find(type) == std::string::npos || type == '\0' ||
      (type == 'd' && digits >= 0) || (type == 'g' && digits == 0)) {
    throw InputError("'" + format +
                     "' is not a format: .2f  .3g  ,d  .0%  .1e, with + for the sign");
  }
  const double size = std::abs(value);
  std::string text, after;
  switch (type) {
    case 'f':
      text = fixed(size, digits < 0 ? 2 : digits);
      break;
    case 'd':
      text = fixed(std::round(size), 0);
      break;
    case 'g':
      text = significant(size, digits < 0 ? 3 : digits);
      break;
    case '%':
      text = fixed(100 * size, digits < 0 ? 0 : digits), after = " %";
      break;
    default: {
      char buffer[64];
      (void)std::snprintf(buffer, sizeof buffer, "%.*e", digits < 0 ? 1 : digits, size);
      text = buffer;
    }
  }
  if (commas) text = with_commas(text);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  const char* sign = zero ? "" : value < 0 ? "−" : plus ? "+" : "";
  return sign + text + after;
}

// --- Tables -------------------------------------------------------------------------------------------

std::string measured_on(const json& results) {
  std::string text;
  for (const char* key : {"device", "date"}) {
    if (results.contains(key) && results[key].is_string()) {
      text += (text.empty() ? "" : ", ") + results[key].get<std::string>();
    }
  }
  return text;
}

namespace {

std::string cell_text(const json& cell, const std::string& format) {
  if (cell.is_null()) return "–";
  if (cell.is_boolean()) return cell.get<bool>() ? "yes" : "no";
  if (cell.is_number()) {
    const double value = cell.get<double>();
    if (!format.empty()) return formatted(value, format);
    if (value == std::floor(value) && std::abs(value) < 1e15) return formatted(value, ",d");
    return formatted(value, std::abs(value) >= 1000 ? ",d" : ".4g");
  }
  std::string text;
  for (const char c : as_text(cell)) {
    if (c == '|') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

}  // namespace

std::vector<std::string> results_table(const std::string& file, const std::string& name,
                                       Results& results) {
  const json& all = results.file(file);
  const std::string where = "bench/results/" + file + ".json";
  if (!all.contains("tables") || !all["tables"].contains(name)) {
    throw InputError(where + " has no table '" + name + "'; it has: " +
                     (all.contains("tables") ? names_of(all["tables"]) : "no tables"));
  }
  const json& table = all["tables"][name];
  if (!table.contains("columns") || !table.contains("rows") || !table["columns"].is_array() ||
      !table["rows"].is_array() || table["columns"].empty() || table["rows"].empty()) {
    throw InputError(where + ": the table '" + name + "' needs columns and rows");
  }
  const std::size_t width = table["columns"].size();
  std::vector<std::string> formats(width);
  if (table.contains("formats")) {
    for (std::size_t i = 0; i < std::min(width, table["formats"].size()); ++i) {
      if (table["formats"][i].is_string()) formats[i] = table["formats"][i].get<std::string>();
    }
  }

  // Numbers stand to the right: a column is one of numbers when most of its cells are
  std::string header = "|", rule = "|";
  for (std::size_t i = 0; i < width; ++i) {
    int numbers = 0, texts = 0;
    for (const json& row : table["rows"]) {
      if (!row.is_array() || row.size() != width) {
        throw InputError(where + ": a row of the table '" + name + "' has not " +
                         std::to_string(width) + " cells");
      }
      static const std::regex number("([-+]|−)?[0-9][0-9.,]*( ?%)?( ± .*)?|–?");
      const bool text = row[i].is_string() && !std::regex_match(row[i].get<std::string>(), number);
      (text ? texts : numbers) += text || row[i].is_number() || row[i].is_string() ? 1 : 0;
    }
    header += " " + cell_text(table["columns"][i], "") + " |";
    rule += numbers > texts ? " ---: |" : " --- |";
  }
  std::vector<std::string> lines{header, rule};
  for (const json& row : table["rows"]) {
    std::string line = "|";
    for (std::size_t i = 0; i < width; ++i) line += " " + cell_text(row[i], formats[i]) + " |";
    lines.push_back(line);
  }
  const std::string machine = measured_on(all);
  std::string source = machine.empty() ? "" : "Measured on " + machine;
  if (all.contains("command") && all["command"].is_string()) {
    source += (source.empty() ? "Made by `" : ", by `") + all["command"].get<std::string>() + "`";
  }
  if (!source.empty()) lines.insert(lines.end(), {"", source + "."});
  return lines;
}

}  // namespace tpp::weave
