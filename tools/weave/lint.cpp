#include "tools/weave/lint.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <regex>
#include <set>

#include "chapters/01_tensor/errors.h"
#include "tools/weave/files.h"
#include "tools/weave/markdown.h"
#ifdef TPP_WEAVE_FORMULAS
#include "tools/book/formula.h"
#endif

namespace tpp::weave {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSections[] = {"What breaks without it",
                                     "The formula",
                                     "Shapes",
                                     "The reference",
                                     "The gradient",
                                     "The kernel",
                                     "In the viewer",
                                     "Exercises",
                                     "Deviations from the paper",
                                     "History",
                                     "Papers"};
constexpr std::size_t kFewest = 900, kMost = 2000;

// Does the line open or close something that a directive wrote? Inline values are prose.
enum class Part { none, open, close };
Part block_part(const std::string& line) {
  static const std::regex open(
      "\\s*<!-- (snip|run|table|plot|picture|exercises|nav|learn)\\b.*-->\\s*"),
      close("\\s*<!-- /(snip|run|table|plot|picture|exercises|nav|learn) -->\\s*");
  if (std::regex_match(line, close)) return Part::close;
  if (std::regex_match(line, open) && line.find("<!-- /") == std::string::npos) return Part::open;
  return Part::none;
}

}  // namespace

std::size_t prose_words(const std::string& text) {
  static const std::regex comment("<!--.*?-->"), formula("\\$`[^`]*`\\$"), code("`[^`]*`"),
      target("\\]\\([^)]*\\)"), marks("[-*>#|]+\\s");
  std::size_t words = 0;
  bool inside = false;
  Fences fences;
  for (std::string line : split_lines(text)) {
    if (fences.inside(line)) continue;
    const Part part = block_part(line);
    if (part != Part::none) inside = part == Part::open;
    if (inside || part != Part::none) continue;
    const std::string bare = trimmed(line);
    if (starts_with(bare, "#") || starts_with(bare, "|")) continue;
    line = std::regex_replace(line, comment, "");
    line = std::regex_replace(line, formula, "formula");
    line = std::regex_replace(line, code, "code");
    line = std::regex_replace(line, target, "] ");
    bool in_word = false;
    for (const char c : line + " ") {
      const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                          (static_cast<unsigned char>(c) & 0x80) != 0;
      if (c == ' ' || c == '\t') {
        words += in_word;
        in_word = false;
      } else if (letter) {
        in_word = true;
      }
    }
  }
  return words;
}

void check_chapter_form(const std::string& file, const std::string& text, Problems& problems) {
  static const std::regex chapter("chapters/([0-9][0-9])_[a-z0-9_]+/README\\.md");
  std::smatch match;
  if (!std::regex_match(file, match, chapter) || text.find("<!-- nav -->") == std::string::npos)
    return;
  const std::string number = match[1];
  if (number < "01" || number > "15") return;

  const std::vector<Heading> all = headings_of(text);
  if (all.empty() || all[0].level != 1 || !starts_with(all[0].title, number + " · ")) {
    problems.push_back({file, 1, "a chapter begins with  # " + number + " · Its name", ""});
  }
  std::vector<Heading> sections;
  for (const Heading& heading : all) {
    const bool known =
        std::find(std::begin(kSections), std::end(kSections), heading.title) != std::end(kSections);
    if (heading.level == 2 && known) sections.push_back(heading);
    if (heading.level == 2 && !known) {
      problems.push_back({file, heading.line,
                          "'## " + heading.title + "' is no section of a chapter",
                          "make it ### inside one"});
    }
    if (heading.level == 1 && heading.line != all[0].line) {
      problems.push_back({file, heading.line, "a second title: a chapter's sections have ##", ""});
    }
  }
  std::size_t at = 0;
  for (const char* wanted : kSections) {
    if (at < sections.size() && sections[at].title == wanted) {
      ++at;
      continue;
    }
    const auto later = std::find_if(sections.begin(), sections.end(),
                                    [&](const Heading& h) { return h.title == wanted; });
    if (later != sections.end()) {
      problems.push_back({file, later->line,
                          "the section '" + std::string(wanted) +
                              "' is in another place than in the other chapters",
                          "tools/weave/README.md has the order"});
      if (later - sections.begin() >= std::ptrdiff_t(at))
        at = std::size_t(later - sections.begin()) + 1;
    } else {
      problems.push_back({file, 1, "the section '## " + std::string(wanted) + "' is missing",
                          "write it; where it has no sense, one sentence says why"});
    }
  }
  std::size_t navs = 0;
  for (std::size_t p = text.find("<!-- nav -->"); p != std::string::npos;
       p = text.find("<!-- nav -->", p + 1))
    ++navs;
  if (navs != 2) {
    problems.push_back(
        {file, 1, "a chapter has <!-- nav --><!-- /nav --> twice: below its title and at its end",
         ""});
  }
  const std::size_t words = prose_words(text);
  if (words < kFewest || words > kMost) {
    problems.push_back({file, 1,
                        std::to_string(words) + " words of prose: a chapter has " +
                            std::to_string(kFewest) + " to " + std::to_string(kMost),
                        ""});
  }
}

void check_formulas([[maybe_unused]] const std::string& file,
                    [[maybe_unused]] const std::string& text, [[maybe_unused]] Problems& problems) {
#ifdef TPP_WEAVE_FORMULAS
  Fences fences;
  std::string block;
  bool in_math = false;
  std::size_t number = 0, begun = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    const bool was_open = fences.open();
    if (fences.inside(line)) {
      if (!was_open) {
        in_math = fences.info() == "math";
        block.clear();
        begun = number;
      } else if (fences.open()) {
        block += line + "\n";
      } else if (in_math) {
        if (const auto wrong = book::lint(block))
          problems.push_back({file, begun, "formula: " + *wrong, ""});
        in_math = false;
      }
      continue;
    }
    for (std::size_t at = line.find("$`"); at != std::string::npos;) {
      const std::size_t end = line.find("`$", at + 2);
      if (end == std::string::npos) {
        problems.push_back({file, number, "a formula $`…`$ does not end in its line", ""});
        break;
      }
      if (const auto wrong = book::lint(line.substr(at + 2, end - at - 2))) {
        problems.push_back({file, number, "formula: " + *wrong, ""});
      }
      at = line.find("$`", end + 2);
    }
  }
#endif
}

// --- Links ----------------------------------------------------------------------------------------------

namespace {

std::string decoded(const std::string& target) {  // %20 and its like
  std::string out;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == '%' && i + 2 < target.size() &&
        std::isxdigit(static_cast<unsigned char>(target[i + 1])) != 0 &&
        std::isxdigit(static_cast<unsigned char>(target[i + 2])) != 0) {
      out += char(std::stoi(target.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += target[i];
    }
  }
  return out;
}

}  // namespace

void check_links(const fs::path& root, const std::vector<std::string>& files,
                 const std::map<std::string, std::string>& texts, Problems& problems) {
  std::set<std::string> known(files.begin(), files.end()), folders;
  for (const std::string& file : files) {
    for (fs::path folder = fs::path(file).parent_path(); !folder.empty();
         folder = folder.parent_path()) {
      folders.insert(folder.string());
    }
  }
  const auto text_of = [&](const std::string& file) {
    const auto found = texts.find(file);
    return found != texts.end() ? found->second : read_text(root / file).text;
  };
  std::map<std::string, std::set<std::string>> anchors;
  std::map<std::string, std::size_t> lengths;
  static const std::regex id("<a (?:id|name)=\"([^\"]+)\""), lines("L([0-9]+)(?:-L([0-9]+))?"),
      scheme("[a-z][a-z0-9+.-]*:.*");

  for (const std::string& file : files) {
    if (!ends_with(file, ".md")) continue;
    for (const Link& link : links_of(text_of(file))) {
      if (link.target.empty() || std::regex_match(link.target, scheme)) continue;
      const auto wrong = [&](const std::string& what, const std::string& mend = "") {
        problems.push_back({file, link.line, "the link to " + link.target + " " + what, mend});
      };
      std::string path = link.target, anchor;
      const std::size_t hash = path.find('#');
      if (hash != std::string::npos) anchor = decoded(path.substr(hash + 1)), path.resize(hash);
      path = decoded(path.substr(0, path.find('?')));
      if (starts_with(path, "/")) {
        wrong("begins with /: write it from this file's folder");
        continue;
      }
      std::string to =
          path.empty() ? file : (fs::path(file).parent_path() / path).lexically_normal().string();
      while (ends_with(to, "/")) to.pop_back();
      if (starts_with(to, "..")) {
        wrong("leads out of the project");
        continue;
      }
      if (to == "." || folders.count(to) != 0) {
        if (anchor.empty()) continue;
        to = to == "." ? "README.md" : to + "/README.md";
      }
      if (known.count(to) == 0) {
        wrong("leads nowhere: there is no " + to);
        continue;
      }
      if (hash == std::string::npos) continue;

      std::smatch match;
      if (std::regex_match(anchor, match, lines)) {
        if (lengths.count(to) == 0) lengths[to] = split_lines(text_of(to)).size();
        const std::size_t first = std::stoul(match[1]),
                          last = match[2].matched ? std::stoul(match[2]) : first;
        if (first == 0 || last < first || last > lengths[to]) {
          wrong("names lines that are not there: " + to + " has " + std::to_string(lengths[to]));
        }
        continue;
      }
      if (!ends_with(to, ".md")) {
        wrong("has an anchor, but " + to + " is no text");
        continue;
      }
      if (anchors.count(to) == 0) {
        std::set<std::string>& all = anchors[to];
        const std::string text = text_of(to);
        for (const Heading& heading : headings_of(text)) all.insert(heading.anchor);
        for (std::sregex_iterator i(text.begin(), text.end(), id), end; i != end; ++i)
          all.insert((*i)[1]);
      }
      if (anchors[to].count(anchor) == 0) {
        std::string some;
        for (const std::string& each : anchors[to]) {
          if (some.size() > 120) {
            some += ", …";
            break;
          }
          some += (some.empty() ? "" : ", ") + each;
        }
        wrong("names no heading of " + to, "its headings: " + some);
      }
    }
  }
}

}  // namespace tpp::weave
