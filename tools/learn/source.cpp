#include "tools/learn/source.h"

#include <algorithm>
#include <regex>
#include <set>

#include "chapters/01_tensor/errors.h"

namespace tpp::learn {
namespace {

const std::regex kHole(R"re(^(\s*)// \[hole ([A-Za-z0-9_]+)(?: "(.*)")?\]\s*$)re");
const std::regex kHoleEnd(R"re(^\s*// \[/hole\]\s*$)re");
const std::regex kWrong(R"re(^\s*// \[wrong ([A-Za-z0-9_]+) "(.*)"\]\s*$)re");
const std::regex kWrongEnd(R"re(^\s*// \[/wrong\]\s*$)re");
const std::regex kSnip(R"re(^\s*// \[/?snip.*\]\s*$)re");
const std::regex kInclude(R"re(^\s*#\s*include\s*["<].*$)re");
const std::regex kOnce(R"re(^\s*#\s*pragma\s+once\s*$)re");

[[noreturn]] void fail(const std::string& file, std::size_t line, const std::string& why) {
  throw InputError(file + ":" + std::to_string(line + 1) + ": " + why);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Walk the reference; `hole` says what stands in each hole, marks included if wanted
template <class F>
std::string walk(const Reference& reference, const F& hole) {
  std::string text;
  std::size_t next = 0;
  bool inside = false;
  for (const std::string& line : reference.lines) {
    if (!inside && std::regex_match(line, kHole)) {
      text += joined(hole(reference.holes[next++]));
      inside = true;
    } else if (inside) {
      inside = !std::regex_match(line, kHoleEnd);
    } else {
      text += line + "\n";
    }
  }
  return text;
}

// The text with what NOT_WRITTEN is
std::string after_once(const std::string& body, const std::string& file) {
  if (body.find("#include \"tools/learn/not_written.h\"") != std::string::npos)
    return body;  // in a handout
  std::string text;
  bool placed = false;
  for (const std::string& line : split_lines(body)) {
    text += line + "\n";
    if (!placed && std::regex_match(line, kOnce)) {
      text += "\n#include \"tools/learn/not_written.h\"\n";
      placed = true;
    }
  }
  if (!placed) throw InputError(file + ": there is no #pragma once");
  return text;
}

}  // namespace

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from < text.size()) {
    std::size_t to = text.find('\n', from);
    if (to == std::string::npos) to = text.size();
    std::string line = text.substr(from, to - from);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    from = to + 1;
  }
  return lines;
}

Reference parse_reference(const std::string& text, const std::string& file) {
  Reference result;
  result.file = file;
  std::smatch match;
  bool inside = false;
  const std::vector<std::string> lines = split_lines(text);
  std::set<std::string> names;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (std::regex_match(lines[i], kSnip)) continue;
    result.lines.push_back(lines[i]);
    if (std::regex_match(lines[i], match, kHole)) {
      if (inside) fail(file, i, "a hole inside of a hole");
      if (!match[3].matched)
        fail(file, i, "the hole needs its task: // [hole name \"what to write\"]");
      if (!names.insert(match[2]).second) fail(file, i, "there are two holes " + match[2].str());
      result.holes.push_back({match[2], match[3], {}, match[1]});
      inside = true;
    } else if (std::regex_match(lines[i], kHoleEnd)) {
      if (!inside) fail(file, i, "[/hole] without [hole]");
      inside = false;
    } else if (lines[i].find("[hole") != std::string::npos ||
               lines[i].find("[/hole") != std::string::npos) {
      fail(file, i, "a mark of a hole is  // [hole name \"what to write\"]  or  // [/hole]");
    } else if (inside) {
      result.holes.back().lines.push_back(lines[i]);
    }
  }
  if (inside) fail(file, lines.size(), "the last hole has no [/hole]");
  if (result.holes.empty()) fail(file, 0, "there is no hole");
  return result;
}

std::vector<Wrong> parse_wrong(const std::string& text, const std::string& file,
                               const Reference& reference) {
  std::vector<Wrong> all;
  std::smatch match;
  bool in_wrong = false;
  std::string hole;  // that is open
  std::set<std::string> ids;
  const std::vector<std::string> lines = split_lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (std::regex_match(line, match, kWrong)) {
      if (in_wrong) fail(file, i, "[wrong] before the [/wrong] of the one above");
      if (!ids.insert(match[1]).second)
        fail(file, i, "there are two wrong answers " + match[1].str());
      all.push_back({match[1], match[2], {}});
      in_wrong = true;
    } else if (std::regex_match(line, kWrongEnd)) {
      if (!in_wrong || !hole.empty()) fail(file, i, "[/wrong] without [wrong], or a hole is open");
      if (all.back().holes.empty()) fail(file, i, all.back().id + " fills no hole");
      in_wrong = false;
    } else if (std::regex_match(line, match, kHole)) {
      if (!in_wrong || !hole.empty())
        fail(file, i, "[hole] outside of [wrong], or in another hole");
      hole = match[2];
      const bool known = std::any_of(reference.holes.begin(), reference.holes.end(),
                                     [&](const Hole& h) { return h.name == hole; });
      if (!known) fail(file, i, "the reference has no hole " + hole);
      if (!all.back().holes.emplace(hole, std::vector<std::string>{}).second) {
        fail(file, i, "the hole " + hole + " is filled twice");
      }
    } else if (std::regex_match(line, kHoleEnd)) {
      if (hole.empty()) fail(file, i, "[/hole] without [hole]");
      hole.clear();
    } else if (!hole.empty()) {
      all.back().holes[hole].push_back(line);
    }
  }
  if (in_wrong) fail(file, lines.size(), "the last wrong answer has no [/wrong]");
  return all;
}

std::string skeleton(const Reference& reference, const std::string& title) {
  const std::string body = walk(reference, [](const Hole& hole) {
    // The task, in lines of at most 96 letters
    std::vector<std::string> lines;
    std::string line = hole.indent + "// Your turn:";
    std::size_t from = 0;
    while (from < hole.task.size()) {
      std::size_t to = hole.task.find(' ', from);
      if (to == std::string::npos) to = hole.task.size();
      const std::string word = hole.task.substr(from, to - from);
      if (line.size() + 1 + word.size() > 96) {
        lines.push_back(line);
        line = hole.indent + "//  ";
      }
      line += " " + word;
      from = to + 1;
    }
    lines.push_back(line);
    lines.push_back(hole.indent + "NOT_WRITTEN(\"" + hole.name + "\");");
    return lines;
  });

  return "// " + title + "\n//\n" + after_once(body, reference.file);
}

std::string filled(const Reference& reference, const Wrong* wrong) {
  return walk(reference, [&](const Hole& hole) {
    if (wrong != nullptr) {
      if (const auto found = wrong->holes.find(hole.name); found != wrong->holes.end()) {
        return found->second;
      }
    }
    return hole.lines;
  });
}

std::string emptied(const Reference& reference) {
  return after_once(
      walk(reference,
           [](const Hole& hole) {
             return std::vector<std::string>{
                 hole.indent + "// [hole " + hole.name + " " + quoted(hole.task) + "]",
                 hole.indent + "NOT_WRITTEN(\"" + hole.name + "\");", hole.indent + "// [/hole]"};
           }),
      reference.file);
}

std::vector<std::string> includes_of(const std::string& text) {
  std::vector<std::string> found;
  for (const std::string& line : split_lines(text)) {
    if (std::regex_match(line, kInclude)) found.push_back(line);
  }
  return found;
}

std::string without_includes(const std::string& text) {
  std::string out;
  for (const std::string& line : split_lines(text)) {
    out += std::regex_match(line, kInclude) || std::regex_match(line, kOnce) ? "\n" : line + "\n";
  }
  return out;
}

std::vector<std::string> own_names(const Reference& reference, const std::string& answer) {
  std::set<std::string> called;
  static const std::regex word(R"([A-Za-z_]\w*)");
  for (std::sregex_iterator i(answer.begin(), answer.end(), word), end; i != end; ++i)
    called.insert(i->str());
  // A definition starts in the first column; what stands before its bracket is its name
  static const std::regex defines(R"(^[A-Za-z_][^=;(]*?(\w+)\(.*$)");
  std::set<std::string> own;
  std::smatch match;
  for (const std::string& line : reference.lines) {
    if (std::regex_match(line, match, defines) && called.count(match[1]) != 0) own.insert(match[1]);
  }
  return {own.begin(), own.end()};
}

std::string in_room(const Room& room) {
  // Names of the book are found from inside, and the room's own come first. A name that the checks call must be the
  // room's own even where the file does not have it (or the book would be checked): a declaration that nobody can
  // call hides the book's.
  std::string text = "namespace " + room.name + " {\nusing namespace ::tpp;\nnamespace tpp {\n" +
                     "using namespace ::tpp;\nnamespace twin { using namespace ::tpp::twin; }\n" +
                     "struct tpp_nobody;\n";
  for (const std::string& name : room.own) text += "void " + name + "(tpp_nobody);\n";
  return text + "}\n" + room.content +
         "\nnamespace tpp {\nextern const ::tpp::learn::Answer tpp_answer;\n" +
         "const ::tpp::learn::Answer tpp_answer = ANSWER;\n}\n}  // namespace " + room.name + "\n";
}

std::string variants_source(const Reference& reference, const std::vector<Wrong>& wrong,
                            const std::string& answer_header, const std::vector<std::string>& own) {
  std::string text =
      "// Generated. The reference and the wrong answers, each in a namespace of its own.\n";
  std::set<std::string> seen;
  const auto include = [&](const std::string& line) {
    if (seen.insert(line).second) text += line + "\n";
  };
  include("#include \"tools/learn/check.h\"");
  for (const std::string& line : includes_of(joined(reference.lines))) include(line);
  include("#include \"" + answer_header + "\"");
  text += "namespace tpp::twin {}\n\n";
  text += in_room({"tpp_reference", without_includes(filled(reference, nullptr)), own});
  for (const Wrong& w : wrong) {
    text += "\n" + in_room({"tpp_wrong_" + w.id, without_includes(filled(reference, &w)), own});
  }
  text +=
      "\n#ifdef SLOTS  // of the types that the book has\nnamespace tpp_reference::tpp {\n"
      "[[maybe_unused]] static const ::tpp::learn::Slots tpp_slots_fit = SLOTS;\n}\n#endif\n"
      "\nconst std::vector<tpp::learn::Variant>& tpp::learn::variants() {\n"
      "  static const std::vector<Variant> all = {\n"
      "      {\"\", \"\", &::tpp_reference::tpp::tpp_answer},\n";
  for (const Wrong& w : wrong) {
    text += "      {\"" + w.id + "\", " + quoted(w.sentence) + ", &::tpp_wrong_" + w.id +
            "::tpp::tpp_answer},\n";
  }
  return text + "  };\n  return all;\n}\n";
}

std::string student_source(const std::vector<std::string>& includes, const std::string& content,
                           const std::string& answer_header, const std::vector<std::string>& own,
                           Expected expected, bool gpu) {
  std::string text = "// Generated. A student's file, in a namespace of its own.\n#include \"" +
                     std::string(gpu ? "tools/learn/student.h" : "tools/learn/check.h") + "\"\n";
  for (const std::string& line : includes) text += line + "\n";
  text += "#include \"" + answer_header + "\"\nnamespace tpp::twin {}\n\n" +
          in_room({"tpp_student", content, own}) +
          "const void* tpp::learn::student_answer() { return &::tpp_student::tpp::tpp_answer; }\n"
          "const tpp::learn::Counts tpp::learn::wanted_counts{" +
          std::to_string(expected.steps) + ", " + std::to_string(expected.comparisons) + "};\n";
  return text;
}

std::string gpu_checks_source(const std::string& checks) {
  return "// Generated. The checks, by nvcc.\n#include \"" + checks +
         "\"\nconst std::vector<tpp::learn::Variant>& tpp::learn::variants() {\n"
         "  static const std::vector<Variant> none;\n  return none;\n}\n";
}

std::string slot_source(const std::vector<std::string>& includes, const std::string& content,
                        const std::string& answer_header, const std::vector<std::string>& own) {
  std::string text = "// Generated. A function for the model.\n#include \"tools/learn/check.h\"\n";
  for (const std::string& line : includes) text += line + "\n";
  return text + "#include \"" + answer_header + "\"\nnamespace tpp::twin {}\n\n" +
         in_room({"tpp_mine", content, own}) +
         "namespace tpp_mine::tpp {\nconst ::tpp::learn::Slots tpp_slots = SLOTS;\n}\n"
         "extern \"C\" __attribute__((visibility(\"default\"))) const void* tpp_slot_functions() "
         "{\n"
         "  return &tpp_mine::tpp::tpp_slots;\n}\n";
}

}  // namespace tpp::learn
