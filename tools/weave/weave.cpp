#include "tools/weave/weave.h"

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <set>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/toml.h"
#include "tools/weave/commands.h"
#include "tools/weave/files.h"
#include "tools/weave/lint.h"
#include "tools/weave/markdown.h"
#include "tools/weave/plot.h"
#include "tools/weave/results.h"
#include "tools/weave/snippets.h"

namespace tpp::weave {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

using Lines = std::vector<std::string>;

// The number of a text's chapter, "" for other texts
std::string chapter_of(const std::string& file) {
  static const std::regex chapter("chapters/([0-9][0-9])_[^/]+/.*");
  std::smatch match;
  return std::regex_match(file, match, chapter) ? match[1].str() : "";
}

std::string mend_of(const std::string& file) {
  const std::string chapter = chapter_of(file);
  return chapter.empty() ? "./run weave" : "./run weave " + chapter;
}

// --- The book: all that directives quote -------------------------------------------------------------------

struct ShownRegion {
  Region region;
  std::set<std::string> shown_by;  // texts
};

class Book {
 public:
  explicit Book(const Options& options)
      : root(options.root),
        files(repository_files(options.root)),
        results(options.root / "bench" / "results"),
        commands(options.root, options.bin, options.seconds) {
    for (const std::string& file : files) {
      if (is_woven(file)) texts.push_back(file);
      if (!is_code(file) || starts_with(file, "tools/weave/")) continue;
      std::map<std::string, Region> found =
          find_regions(file, read_text(root / file).text, region_problems);
      for (auto& [name, region] : found)
        regions[file].emplace(name, ShownRegion{std::move(region), {}});
    }
    for (const std::string& text : texts) {
      if (!chapter_of(text).empty()) chapter_texts.push_back(text);
    }
  }

  fs::path root;
  std::vector<std::string> files, texts, chapter_texts;  // chapter_texts in the book's order
  std::map<std::string, std::map<std::string, ShownRegion>> regions;
  Problems region_problems;
  Results results;
  Commands commands;
  std::map<std::string, std::string> plots;              // file → what must stand in it
  std::map<std::string, std::set<std::string>> figures;  // file of a plot or picture → texts
};

// "alt text" in quotes at the end of a directive's words
std::pair<std::string, std::string> name_and_words(const std::string& arguments) {
  static const std::regex form("(\\S+)\\s+\"([^\"]+)\"");
  std::smatch match;
  if (!std::regex_match(arguments, match, form)) {
    throw InputError("it needs a name and, in quotes, words for those who cannot see it");
  }
  return {match[1], match[2]};
}

std::pair<std::string, std::string> around_hash(const std::string& argument, const char* form) {
  const std::size_t hash = argument.find('#');
  if (hash == std::string::npos || hash == 0 || hash + 1 == argument.size() ||
      argument.find(' ') != std::string::npos) {
    throw InputError(std::string("it is written ") + form);
  }
  return {argument.substr(0, hash), argument.substr(hash + 1)};
}

// --- Directives ---------------------------------------------------------------------------------------------

Lines fill_snip(Book& book, const std::string& text, const std::string& arguments) {
  const auto [file, name] = around_hash(arguments, "<!-- snip FILE#REGION -->");
  const auto at = book.regions.find(file);
  if (at == book.regions.end() || at->second.count(name) == 0) {
    if (!fs::exists(book.root / file)) throw InputError("there is no file " + file);
    std::string names;
    if (at != book.regions.end()) {
      for (const auto& [other, ignored] : at->second) names += (names.empty() ? "" : ", ") + other;
    }
    throw InputError(file + " has no region '" + name +
                     "'; it has: " + (names.empty() ? "none" : names));
  }
  ShownRegion& shown = at->second.at(name);
  shown.shown_by.insert(text);
  const Region& region = shown.region;
  Lines lines{"```" + language_of(file)};
  for (const std::string& line : region.lines) {
    if (starts_with(line, "```"))
      throw InputError("the region holds ```, which would end its block");
    lines.push_back(line);
  }
  lines.push_back("```");
  const std::string first = std::to_string(region.first), last = std::to_string(region.last);
  const bool one = region.first == region.last;
  lines.push_back("[" + fs::path(file).filename().string() + ", line" +
                  (one ? " " + first : "s " + first + " to " + last) + "](" +
                  relative_link(text, file) + "#L" + first + (one ? "" : "-L" + last) + ")");
  return lines;
}

Lines fill_run(Book& book, const std::string& command) {
  const Output& output = book.commands.output_of(command);
  if (!output.error.empty()) throw InputError("`" + command + "`: " + output.error);
  std::string fence = "```";
  for (const std::string& line : output.lines) {
    while (line.find(fence) != std::string::npos) fence += '`';
  }
  Lines lines{fence + "text"};
  lines.insert(lines.end(), output.lines.begin(), output.lines.end());
  lines.push_back(fence);
  return lines;
}

Lines fill_table(Book& book, const std::string& arguments) {
  const auto [file, name] = around_hash(arguments, "<!-- table FILE#NAME -->");
  Lines lines{""};
  const Lines table = results_table(file, name, book.results);
  lines.insert(lines.end(), table.begin(), table.end());
  lines.emplace_back();
  return lines;
}

// A label looks the same in all plots of a file that share one, as long as there are looks enough
json with_styles(const json& plots, const std::string& name) {
  std::vector<std::string> labels;  // of all plots
  for (const auto& [other, plot] : plots.items()) {
    for (const json& series : plot.value("series", json::array())) {
      const std::string label = series.value("label", "");
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
  }
  json plot = plots[name];
  std::set<std::string> mine;
  bool shared = false;
  for (const json& series : plot.value("series", json::array()))
    mine.insert(series.value("label", ""));
  for (const auto& [other, with] : plots.items()) {
    for (const json& series : with.value("series", json::array())) {
      shared = shared || (other != name && mine.count(series.value("label", "")) != 0);
    }
  }
  if (!shared || labels.size() > kPlotStyles) return plot;
  for (json& series : plot["series"]) {
    series["style"] =
        std::find(labels.begin(), labels.end(), series.value("label", "")) - labels.begin();
  }
  return plot;
}

Lines fill_plot(Book& book, const std::string& text, const std::string& arguments) {
  const auto [which, words] = name_and_words(arguments);
  const auto [file, name] = around_hash(which, "<!-- plot FILE#NAME \"words\" -->");
  const json& all = book.results.file(file);
  const std::string where = "bench/results/" + file + ".json";
  if (!all.contains("plots") || !all["plots"].contains(name))
    throw InputError(where + " has no plot '" + name + "'");
  const std::string machine = measured_on(all), svg = "assets/plots/" + file + "-" + name + ".svg";
  try {
    book.plots[svg] =
        plot_svg(with_styles(all["plots"], name), where + (machine.empty() ? "" : "; " + machine));
  } catch (const InputError& e) {
    throw InputError(where + ", plot '" + name + "': " + e.what());
  }
  book.figures[svg].insert(text);
  return {"![" + words + "](" + relative_link(text, svg) + ")"};
}

Lines fill_picture(Book& book, const std::string& text, const std::string& arguments) {
  const auto [name, words] = name_and_words(arguments);
  for (const char* end : {".png", ".svg"}) {
    const std::string file = "assets/pictures/" + name + end;
    if (!fs::exists(book.root / file)) continue;
    book.figures[file].insert(text);
    return {"![" + words + "](" + relative_link(text, file) + ")"};
  }
  throw InputError("there is no picture assets/pictures/" + name + ".png");
}

struct ChapterExercise {
  std::string id, title, kind, folder;
  int minutes = 0;
};

std::vector<ChapterExercise> exercises_of(const Book& book, const std::string& chapter_folder) {
  std::vector<ChapterExercise> exercises;
  for (const std::string& file : book.files) {
    if (!starts_with(file, chapter_folder + "/exercises/") || !ends_with(file, "/exercise.toml"))
      continue;
    const learn::Toml toml = learn::Toml::parse(learn::read_file(book.root / file), file);
    exercises.push_back({toml.text("id"), toml.text("title"), toml.text("kind", "cpu"),
                         fs::path(file).parent_path().string(), toml.number("minutes")});
  }
  const auto number = [](const ChapterExercise& e) {
    return std::stoi("0" + e.id.substr(e.id.find('.') + 1));
  };
  std::sort(
      exercises.begin(), exercises.end(),
      [&](const ChapterExercise& a, const ChapterExercise& b) { return number(a) < number(b); });
  return exercises;
}

Lines fill_exercises(const Book& book, const std::string& text) {
  const std::vector<ChapterExercise> exercises =
      exercises_of(book, fs::path(text).parent_path().string());
  if (exercises.empty()) throw InputError("this chapter has no exercises");
  Lines lines{"", "| | exercise | minutes | begin |", "| --- | --- | ---: | --- |"};
  for (const ChapterExercise& e : exercises) {
    lines.push_back("| " + e.id + " | " + e.title + " | " + std::to_string(e.minutes) +
                    " | `./run learn check " + e.id + "` |");
  }
  lines.emplace_back();
  return lines;
}

std::string title_of(const Book& book, const std::string& text) {
  const std::vector<Heading> headings = headings_of(read_text(book.root / text).text);
  return headings.empty() ? text : headings[0].title;
}

Lines fill_nav(const Book& book, const std::string& text) {
  const auto at = std::find(book.chapter_texts.begin(), book.chapter_texts.end(), text);
  if (at == book.chapter_texts.end()) throw InputError("only a chapter has neighbours");
  std::string line;
  if (at != book.chapter_texts.begin()) {
    line += "[← " + title_of(book, *(at - 1)) + "](" + relative_link(text, *(at - 1)) + ") · ";
  }
  line += "[contents](" + relative_link(text, "README.md") + "#chapters)";
  if (at + 1 != book.chapter_texts.end()) {
    line += " · [" + title_of(book, *(at + 1)) + " →](" + relative_link(text, *(at + 1)) + ")";
  }
  return {line};
}

Lines fill(Book& book, const std::string& text, const std::string& name,
           const std::string& arguments) {
  if (name == "snip") return fill_snip(book, text, arguments);
  if (name == "run") return fill_run(book, arguments);
  if (name == "table") return fill_table(book, arguments);
  if (name == "plot") return fill_plot(book, text, arguments);
  if (name == "picture") return fill_picture(book, text, arguments);
  if (!arguments.empty()) throw InputError("it has no arguments");
  return name == "exercises" ? fill_exercises(book, text) : fill_nav(book, text);
}

bool is_block(const std::string& name) {
  static const std::set<std::string> names{"snip",    "run",       "table", "plot",
                                           "picture", "exercises", "nav"};
  return names.count(name) != 0;
}

// Tables that the benchmarks write: `<!-- table gpu -->`, `<!-- learn -->`
bool is_anothers(const std::string& name, const std::string& arguments) {
  return (name == "table" && arguments.find('#') == std::string::npos && !arguments.empty()) ||
         name == "learn";
}

// --- A text ------------------------------------------------------------------------------------------------

struct Comment {
  std::size_t begin = 0, end = 0;  // in the line
  std::string name, arguments;
};

// The first comment of a line from `from` on that is no code
bool find_comment(const std::string& line, std::size_t from, Comment& comment, bool& unclosed) {
  for (std::size_t at = from; at < line.size();) {
    if (line[at] == '`') {
      const std::size_t run =
          line.find_first_not_of('`', at) - at;  // an open end wraps, and is no code
      const std::size_t close =
          at + run < line.size() ? line.find(line.substr(at, run), at + run) : std::string::npos;
      if (close == std::string::npos) {
        at = std::min(line.size(), at + std::min(run, line.size()));
      } else {
        at = close + run;
      }
      continue;
    }
    if (line.compare(at, 4, "<!--") == 0) {
      const std::size_t end = line.find("-->", at + 4);
      unclosed = end == std::string::npos;
      const std::string body =
          trimmed(line.substr(at + 4, unclosed ? std::string::npos : end - at - 4));
      const std::size_t space = std::min(body.find(' '), body.size());
      comment = {at, unclosed ? line.size() : end + 3, body.substr(0, space),
                 trimmed(body.substr(space))};
      return true;
    }
    ++at;
  }
  return false;
}

bool is_close(const std::string& line, const std::string& name) {
  const std::string text = trimmed(line);
  return starts_with(text, "<!--") && ends_with(text, "-->") &&
         trimmed(text.substr(4, text.size() - 7)) == "/" + name;
}

// What differs first, for people
std::string first_difference(const Lines& is, const Lines& should) {
  for (std::size_t i = 0; i < std::max(is.size(), should.size()); ++i) {
    const auto shown = [&](const Lines& lines) {
      return i < lines.size()
                 ? "'" + (lines[i].size() > 90 ? lines[i].substr(0, 90) + "…" : lines[i]) + "'"
                 : std::string("nothing");
    };
    if (i >= is.size() || i >= should.size() || is[i] != should[i]) {
      return "line " + std::to_string(i + 1) + " of it is " + shown(is) + " and should be " +
             shown(should);
    }
  }
  return "its place in the line";
}

class Weaver {
 public:
  Weaver(Book& book, const std::string& file, Report& report, bool check)
      : book_(book), file_(file), report_(report), check_(check) {}

  // Only the commands that the text runs
  static void collect_commands(const std::string& text, std::vector<std::string>& commands) {
    Fences fences;
    for (const std::string& line : split_lines(text)) {
      Comment comment;
      bool unclosed = false;
      if (!fences.inside(line) && find_comment(line, 0, comment, unclosed) &&
          comment.name == "run") {
        commands.push_back(comment.arguments);
      }
    }
  }

  std::string woven(const std::string& text) {
    in_ = split_lines(text);
    Fences fences;
    for (at_ = 0; at_ < in_.size(); ++at_) {
      if (fences.inside(in_[at_])) {
        out_.push_back(in_[at_]);
      } else {
        weave_line(in_[at_]);
      }
    }
    if (fences.open())
      problem(in_.size(), "a block of code is never closed", "end it with a line ```");
    std::string result = join_lines(out_);
    if (!text.empty() && text.back() != '\n' && !result.empty()) result.pop_back();
    return result;
  }

 private:
  void problem(std::size_t line, const std::string& what, const std::string& mend = "") {
    report_.problems.push_back({file_, line, what, mend});
  }

  void weave_line(const std::string& line) {
    Comment comment;
    bool unclosed = false;
    if (!find_comment(line, 0, comment, unclosed)) return out_.push_back(line);
    const std::size_t number = at_ + 1;
    if (unclosed) {
      // A remark over several lines
      if (is_block(comment.name) || comment.name == "value") {
        problem(number, "the directive <!-- " + comment.name + " does not end in its line",
                "write --> in the same line");
      }
      out_.push_back(line);
      while (at_ + 1 < in_.size()) {
        out_.push_back(in_[++at_]);
        if (in_[at_].find("-->") != std::string::npos) return;
      }
      return problem(number, "a comment is never closed", "write --> where it ends");
    }
    if (is_block(comment.name) || is_anothers(comment.name, comment.arguments))
      return weave_block(line, comment);
    weave_inline(line);
  }

  void weave_inline(const std::string& line) {
    std::string out;
    std::size_t done = 0;
    Comment open;
    bool unclosed = false;
    while (find_comment(line, done, open, unclosed) && !unclosed) {
      out += line.substr(done, open.end - done);
      done = open.end;
      if (open.name == "value") {
        done = weave_value(line, open, out);
      } else if (is_block(open.name)) {
        problem(at_ + 1, "the directive '" + open.name + "' has a line of its own");
      } else if (starts_with(open.name, "/")) {
        problem(at_ + 1, "<!-- " + open.name + " --> closes nothing");
      } else if (open.name != "note:") {
        problem(at_ + 1,
                "there is no directive '" + open.name +
                    "'; there is: snip, run, value, table, plot, picture, exercises, nav",
                "a remark that nobody shall see begins with  <!-- note:");
      }
    }
    out_.push_back(out + line.substr(done));
  }

  // <!-- value EXPRESSION FORMAT -->1.23<!-- /value -->, within a line; returns where the line goes on
  std::size_t weave_value(const std::string& line, const Comment& open, std::string& out) {
    Comment close;
    bool unclosed = false;
    if (!find_comment(line, open.end, close, unclosed) || unclosed || close.name != "/value") {
      problem(at_ + 1, "the value '" + open.arguments + "' is not closed in its line",
              "write <!-- /value --> after it");
      return open.end;
    }
    ++report_.directives;
    static const std::regex list_marks("[\\s>]*([-*+]\\s+|[0-9]+[.)]\\s+)?");
    if (std::regex_match(line.substr(0, open.begin), list_marks)) {
      problem(at_ + 1, "a value begins its line: GitHub takes such a line for HTML",
              "move a word before it");
    }
    const std::string old = line.substr(open.end, close.begin - open.end);
    std::string fresh = old;
    const std::size_t space = open.arguments.rfind(' ');
    try {
      if (space == std::string::npos)
        throw InputError(
            "it is written <!-- value EXPRESSION FORMAT -->, like 13_length#values.rope .2f");
      fresh = formatted(evaluate(trimmed(open.arguments.substr(0, space)), book_.results),
                        open.arguments.substr(space + 1));
      if (check_ && fresh != old) {
        problem(at_ + 1,
                "stale: the value '" + open.arguments + "' is " +
                    (old.empty() ? "empty" : "'" + old + "'") + " and should be '" + fresh + "'",
                mend_of(file_));
      }
    } catch (const InputError& e) {
      problem(at_ + 1, std::string("value: ") + e.what());
    }
    out += fresh + line.substr(close.begin, close.end - close.begin);
    return close.end;
  }

  void weave_block(const std::string& line, const Comment& open) {
    const std::size_t number = at_ + 1;
    const std::string margin = line.substr(0, open.begin),
                      label = "<!-- " + open.name +
                              (open.arguments.empty() ? "" : " " + open.arguments) + " -->";
    if (!trimmed(margin).empty()) {
      problem(number, "the directive '" + open.name + "' has a line of its own");
      return out_.push_back(line);
    }

    // Where it closes: in this line, or in one below
    Lines old;
    const std::string rest = line.substr(open.end);
    bool closed = false, one_line = false;
    std::size_t last = at_;
    if (!trimmed(rest).empty()) {
      const std::size_t close = rest.rfind("<!--");
      if (close != std::string::npos && is_close(rest.substr(close), open.name)) {
        closed = one_line = true;
        if (!trimmed(rest.substr(0, close)).empty()) old = {trimmed(rest.substr(0, close))};
      } else {
        problem(number, label + ": nothing stands behind a directive but its close");
        return out_.push_back(line);
      }
    } else {
      for (std::size_t i = at_ + 1; i < in_.size() && !closed; ++i) {
        if (is_close(in_[i], open.name)) {
          closed = true, last = i;
        } else {
          Comment next;
          bool unclosed = false;
          if (trimmed(in_[i]).compare(0, 4, "<!--") == 0 &&
              find_comment(in_[i], 0, next, unclosed) && is_block(next.name))
            break;
          old.push_back(in_[i]);
        }
      }
    }
    if (!closed) {
      problem(number, label + " is never closed",
              "write a line <!-- /" + open.name + " --> below it");
      return out_.push_back(line);
    }
    ++report_.directives;
    if (is_anothers(open.name, open.arguments)) {
      out_.insert(out_.end(), in_.begin() + std::ptrdiff_t(at_),
                  in_.begin() + std::ptrdiff_t(last) + 1);
      at_ = last;
      return;
    }

    try {
      Lines fresh = fill(book_, file_, open.name, open.arguments);
      for (std::string& each : fresh) {
        if (!each.empty()) each = margin + each;
      }
      if (check_ && (fresh != old || one_line)) {
        problem(
            number,
            "stale: " + label + (old.empty() ? " is empty" : ": " + first_difference(old, fresh)),
            mend_of(file_));
      }
      out_.push_back(margin + label);
      out_.insert(out_.end(), fresh.begin(), fresh.end());
      out_.push_back(margin + "<!-- /" + open.name + " -->");
    } catch (const InputError& e) {
      problem(number, open.name + ": " + e.what());
      out_.insert(out_.end(), in_.begin() + std::ptrdiff_t(at_),
                  in_.begin() + std::ptrdiff_t(last) + 1);
    }
    at_ = last;
  }

  Book& book_;
  const std::string file_;
  Report& report_;
  bool check_;
  Lines in_, out_;
  std::size_t at_ = 0;
};

// --- The whole book ------------------------------------------------------------------------------------------

void check_plots(const Book& book, Problems& problems) {
  for (const auto& [file, svg] : book.plots) {
    const fs::path path = book.root / file;
    if (!fs::exists(path)) {
      problems.push_back({file, 0, "the plot is missing", "./run weave"});
    } else if (read_text(path).text != svg) {
      problems.push_back({file, 0, "stale: the plot is not what its results say", "./run weave"});
    }
  }
}

// Regions, plots and pictures that no text shows; pictures that no command makes
void check_unused(const Book& book, const std::map<std::string, std::string>& texts,
                  Problems& problems) {
  for (const auto& [file, regions] : book.regions) {
    for (const auto& [name, shown] : regions) {
      if (shown.shown_by.empty()) {
        problems.push_back({file, shown.region.mark,
                            "the region '" + name + "' is shown in no text",
                            "show it by <!-- snip " + file + "#" + name +
                                " --><!-- /snip -->, or remove its marks"});
      }
    }
  }

  std::set<std::string> linked;
  for (const std::string& file : book.files) {
    if (!ends_with(file, ".md") || starts_with(file, "assets/pictures/")) continue;
    const auto woven = texts.find(file);
    for (const Link& link :
         links_of(woven != texts.end() ? woven->second : read_text(book.root / file).text)) {
      linked.insert((fs::path(file).parent_path() / link.target).lexically_normal().string());
    }
  }
  std::map<std::string, std::size_t>
      made;  // pictures.txt: "viewer-rope  ./run viewer --headless …"
  const std::string list = "assets/pictures/pictures.txt";
  if (fs::exists(book.root / list)) {
    std::size_t number = 0;
    for (const std::string& line : split_lines(read_text(book.root / list).text)) {
      ++number;
      const std::string text = trimmed(line);
      if (text.empty() || text[0] == '#') continue;
      std::string name = text.substr(0, text.find_first_of(" \t"));
      if (ends_with(name, ":")) name.pop_back();
      if (name.size() + 1 >= text.size())
        problems.push_back(
            {list, number, "a picture's name is followed by the command that makes it", ""});
      if (!ends_with(name, ".png") && !ends_with(name, ".svg")) name += ".png";
      made[name] = number;
      if (!fs::exists(book.root / "assets/pictures" / name)) {
        problems.push_back({list, number, "there is no picture assets/pictures/" + name,
                            "make it by its command, or remove the line"});
      }
    }
  }
  for (const std::string& file : book.files) {
    const bool picture = starts_with(file, "assets/pictures/") &&
                         (ends_with(file, ".png") || ends_with(file, ".svg"));
    const bool plot = starts_with(file, "assets/plots/");
    if (plot && book.figures.count(file) == 0) {
      problems.push_back(
          {file, 0, "no text shows this plot", "show it by <!-- plot … -->, or remove the file"});
    }
    if (!picture) continue;
    if (book.figures.count(file) == 0 && linked.count(file) == 0) {
      problems.push_back({file, 0, "no text shows this picture",
                          "show it by <!-- picture … -->, or remove the file"});
    }
    if (made.count(fs::path(file).filename().string()) == 0) {
      problems.push_back(
          {file, 0, "no command makes this picture", "say in " + list + " which one does"});
    }
  }
}

json index_of(const Book& book) {
  json index = {
      {"regions", json::array()}, {"figures", json::array()}, {"exercises", json::array()}};
  const auto list = [](const std::set<std::string>& texts) {
    return json(std::vector<std::string>(texts.begin(), texts.end()));
  };
  for (const auto& [file, regions] : book.regions) {
    for (const auto& [name, shown] : regions) {
      index["regions"].push_back({{"region", file + "#" + name},
                                  {"file", file},
                                  {"name", name},
                                  {"first", shown.region.first},
                                  {"last", shown.region.last},
                                  {"texts", list(shown.shown_by)}});
    }
  }
  for (const auto& [file, texts] : book.figures) {
    index["figures"].push_back(
        {{"name", fs::path(file).stem().string()}, {"file", file}, {"texts", list(texts)}});
  }
  for (const std::string& text : book.chapter_texts) {
    const std::string folder = fs::path(text).parent_path().string();
    for (const ChapterExercise& e : exercises_of(book, folder)) {
      index["exercises"].push_back({{"id", e.id},
                                    {"title", e.title},
                                    {"file", e.folder + "/exercise.toml"},
                                    {"text", text}});
    }
  }
  return index;
}

}  // namespace

Report weave(const Options& options) {
  Book book(options);
  Report report;

  // Which texts, and all their commands at once
  std::vector<std::string> chosen;
  for (const std::string& chapter : options.chapters) {
    const auto found = std::find_if(
        book.texts.begin(), book.texts.end(),
        [&](const std::string& text) { return chapter_of(text) == chapter || text == chapter; });
    if (found == book.texts.end())
      throw InputError("There is no chapter '" + chapter + "': two digits, like 13.");
    chosen.push_back(*found);
  }
  const bool whole = chosen.empty();
  if (whole) chosen = book.texts;
  std::map<std::string, TextFile> files;
  std::vector<std::string> commands;
  for (const std::string& text : chosen) {
    files[text] = read_text(book.root / text);
    Weaver::collect_commands(files[text].text, commands);
  }
  book.commands.run_all(commands);

  std::map<std::string, std::string> woven;
  for (const std::string& text : chosen) {
    ++report.texts;
    woven[text] = Weaver(book, text, report, options.check).woven(files[text].text);
    check_chapter_form(text, woven[text], report.problems);
    check_formulas(text, woven[text], report.problems);
  }
  if (options.check) {
    check_plots(book, report.problems);
  } else {
    for (const auto& [text, fresh] : woven) {
      if (write_text(book.root / text, {fresh, files[text].crlf})) report.written.push_back(text);
    }
    for (const auto& [file, svg] : book.plots) {
      if (write_text(book.root / file, {svg, false})) report.written.push_back(file);
    }
  }
  if (options.check && whole) {
    check_unused(book, woven, report.problems);
    check_links(book.root, book.files, woven, report.problems);
  }
  report.problems.insert(report.problems.end(), book.region_problems.begin(),
                         book.region_problems.end());
  std::stable_sort(report.problems.begin(), report.problems.end(),
                   [](const Problem& a, const Problem& b) {
                     return std::tie(a.file, a.line) < std::tie(b.file, b.line);
                   });
  report.index = index_of(book);
  return report;
}

Problems check_all_links(const fs::path& root) {
  Problems problems;
  check_links(root, repository_files(root), {}, problems);
  return problems;
}

}  // namespace tpp::weave
