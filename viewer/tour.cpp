// Tours: read with suspicion, led step by step.
#include "viewer/tour.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "chapters/01_tensor/errors.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 64 << 10;  // bytes
constexpr std::size_t kMostSteps = 12, kMostLines = 12;
constexpr double kHintAfter = 25;  // seconds
constexpr int kLostFrames = 40;    // until more room is made
constexpr double kPatience = 10;   // seconds for a thing to appear on the screen
constexpr long kMostNumber = 1000000;

using Wait = TourWait::Kind;
using Act = TourAct::Kind;

// --- Reading ---------------------------------------------------------------------------------------

/// What is wrong, without the place; the caller knows that.
struct Wrong {
  std::string sentence;
};

std::string_view trim(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  return {std::istream_iterator<std::string>(in), {}};
}

template <class Number>
Number number_in(const std::string& word, Number least, Number most) {
  Number value = 0;
  std::istringstream in(word);
  in.imbue(std::locale::classic());
  char rest = 0;
  if (!(in >> value) || in >> rest || !(value >= least && value <= most)) {
    std::ostringstream sentence;
    sentence << "\"" << word << "\" is no number from " << least << " to " << most;
    throw Wrong{sentence.str()};
  }
  return value;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// `code` and **strong** as the marks of rich text.
std::string rich(std::string_view text) {
  std::string out;
  bool code = false, strong = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`' && !strong) {
      out += code ? "}" : "{`|";
      code = !code;
    } else if (!code && text.substr(i, 2) == "**") {
      out += strong ? "}" : "{*|";
      strong = !strong;
      ++i;
    } else {
      out += text[i];
    }
  }
  if (code || strong) throw Wrong{"a ` or ** has no partner"};
  return out;
}

/// "norm=rmsnorm|layernorm"
void read_name_and_values(const std::string& word, TourWait& wait) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == word.size()) {
    throw Wrong{"\"" + word + "\" is not NAME=VALUE"};
  }
  wait.name = word.substr(0, equals);
  wait.values = split(word.substr(equals + 1), '|');
}

TourWait read_wait(const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  const std::string what = words.empty() ? "" : words[0];
  const auto want = [&](std::size_t count) {
    if (words.size() != count) {
      throw Wrong{"\"" + text + "\" has " + std::to_string(words.size()) + " words, and \"" + what +
                  "\" wants " + std::to_string(count)};
    }
  };
  TourWait wait;
  static const std::map<std::string, Wait> kOneName = {
      {"click", Wait::click},     {"hover", Wait::hover}, {"sees", Wait::sees},
      {"gone", Wait::gone},       {"panel", Wait::panel}, {"phase", Wait::phase},
      {"showing", Wait::showing}, {"ran", Wait::ran}};
  if (const auto at = kOneName.find(what); at != kOneName.end()) {
    want(2);
    wait.kind = at->second;
    wait.name = words[1];
    if (wait.kind == Wait::phase && wait.name != "forward" && wait.name != "backward" &&
        wait.name != "update") {
      throw Wrong{"\"" + wait.name + "\" is no phase: forward, backward or update"};
    }
    if (wait.kind == Wait::showing && wait.name != "a" && wait.name != "b" &&
        wait.name != "difference") {
      throw Wrong{"\"" + wait.name + "\" cannot be shown: a, b or difference"};
    }
  } else if (what == "playing" || what == "paused") {
    want(1);
    wait.kind = what == "playing" ? Wait::playing : Wait::paused;
  } else if (what == "two") {
    want(2);
    if (words[1] != "runs") throw Wrong{"after \"two\" comes \"runs\""};
    wait.kind = Wait::two_runs;
  } else if (what == "step") {
    want(3);
    if (words[1] != ">=" && words[1] != "<") throw Wrong{"after \"step\" comes >= or <"};
    wait.kind = words[1] == "<" ? Wait::step_below : Wait::step_from;
    wait.number = number_in<long>(words[2], 1, kMostNumber);
  } else if (what == "steps") {
    want(2);
    wait.kind = Wait::steps;
    wait.number = number_in<long>(words[1], 1, kMostNumber);
  } else if (what == "option" || what == "setting") {
    if (what == "option") want(2);
    if (words.size() < 2) want(2);
    wait.kind = what == "option" ? Wait::option : Wait::setting;
    read_name_and_values(std::string(trim(text.substr(text.find(what) + what.size()))), wait);
  } else if (what == "locked") {
    if (words.size() < 2) throw Wrong{"\"locked\" wants what: layer=1, or head for any"};
    wait.kind = Wait::locked;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string name = words[i].substr(0, equals),
                        value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
      constexpr std::array kFields = {"step", "layer", "head", "query", "key", "pair"};
      const bool index = std::find(kFields.begin(), kFields.end(), name) != kFields.end();
      if (!index && name != "parameter") throw Wrong{"nothing called \"" + name + "\" is locked"};
      if (index && !value.empty()) (void)number_in<long>(value, 0, kMostNumber);
      wait.fields.emplace_back(name, value);
    }
  } else {
    throw Wrong{"nobody can wait for \"" + what +
                "\": there are click, hover, sees, gone, panel, locked, step, steps, playing, "
                "paused, phase, option, setting, showing, two runs and ran"};
  }
  return wait;
}

TourAct read_act(const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  const std::string what = words.empty() ? "" : words[0];
  const auto want = [&](bool right, const char* form) {
    if (!right) throw Wrong{"\"" + text + "\" is written \"" + form + "\""};
  };
  const std::size_t n = words.size();
  const auto part = [&](std::size_t i) { return number_in<float>(words[i], 0, 1); };
  TourAct act;
  if (what == "show" || what == "run") {
    want(n == 2, what == "show" ? "show PANEL" : "run COMMAND");
    act.kind = what == "show" ? Act::show : Act::run;
    act.name = words[1];
  } else if (what == "link") {
    want(n == 2 && (words[1][0] == '?' || words[1][0] == '#'), "link ?layer=1&head=0#attention");
    act.kind = Act::link;
    const std::size_t anchor = words[1].find('#');
    act.name = words[1].substr(0, anchor);
    if (!act.name.empty()) act.name.erase(0, 1);
    if (anchor != std::string::npos) act.value = words[1].substr(anchor + 1);
  } else if (what == "click" || what == "hover") {
    want(n == 2 || n == 4, what == "click" ? "click PROBE [x y]" : "hover PROBE [x y]");
    act.kind = what == "click" ? Act::click : Act::hover;
    act.name = words[1];
    if (n == 4) act.x = part(2), act.y = part(3);
  } else if (what == "drag") {
    want(n == 6, "drag PROBE x y to_x to_y");
    act.kind = Act::drag;
    act.name = words[1];
    act.x = part(2), act.y = part(3), act.to_x = part(4), act.to_y = part(5);
  } else if (what == "set") {
    want(n >= 3, "set PANEL TEXT");
    act.kind = Act::set;
    act.name = words[1];
    act.value = trim(text.substr(text.find(words[1], 3) + words[1].size()));
  } else if (what == "steps" || what == "until" || what == "go") {
    want(n == 2, what == "steps" ? "steps 5" : what == "until" ? "until 60" : "go 40");
    act.kind = what == "steps" ? Act::steps : what == "until" ? Act::until : Act::go;
    act.number = number_in<long>(words[1], 0, kMostNumber);
  } else if (what == "play" || what == "pause" || what == "phase" || what == "release" ||
             what == "defaults") {
    want(n == 1, what.c_str());
    act.kind = what == "play"       ? Act::play
               : what == "pause"    ? Act::pause
               : what == "phase"    ? Act::phase
               : what == "defaults" ? Act::defaults
                                    : Act::release;
  } else {
    throw Wrong{"a tour cannot \"" + what +
                "\": there are show, run, link, release, click, hover, drag, set, play, pause, "
                "phase, steps, until, go and defaults"};
  }
  return act;
}

/// What makes it true, if that is plain.
std::optional<TourAct> act_for(const TourWait& wait) {
  TourAct act;
  act.name = wait.name;
  act.number = wait.number;
  switch (wait.kind) {
    case Wait::click:
      act.kind = Act::click;
      return act;
    case Wait::hover:
      act.kind = Act::hover;
      return act;
    case Wait::panel:
      act.kind = Act::show;
      return act;
    case Wait::ran:
      act.kind = Act::run;
      return act;
    case Wait::playing:
      act.kind = Act::play;
      return act;
    case Wait::paused:
      act.kind = Act::pause;
      return act;
    case Wait::step_from:
      act.kind = Act::until;
      return act;
    case Wait::steps:
      act.kind = Act::steps;
      return act;
    case Wait::step_below:
      act.kind = Act::go;
      --act.number;
      return act;
    case Wait::option:
      act.kind = Act::link;
      act.name = "set=" + wait.name + ":" + wait.values[0];
      return act;
    case Wait::setting:
      act.kind = Act::set;
      act.value = wait.values[0];
      return act;
    case Wait::showing:
      act.kind = Act::run;
      act.name = "compare." + wait.name;
      return act;
    case Wait::two_runs:
      act.kind = Act::run;
      act.name = "compare.start";
      return act;
    case Wait::locked:
      act.kind = Act::link;
      act.name.clear();
      for (const auto& [field, value] : wait.fields) {
        if (value.empty()) return {};
        act.name += (act.name.empty() ? "" : "&") + field + "=" + value;
      }
      return act;
    case Wait::sees:
    case Wait::gone:
    case Wait::phase:
      return {};
  }
  return {};
}

/// The file, line by line: a title, steps, a question.
class Reading {
 public:
  Reading(std::string_view text, const std::string& id, const std::string& file)
      : text_(text), file_(file) {
    tour_.id = id;
    tour_.file = file;
  }

  Tour read() {
    if (text_.size() > kLargestFile) fail(1, "a tour of more than 64 KiB is none");
    if (text_.find('\0') != std::string_view::npos) fail(1, "it is no text");
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      const std::string_view line = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++line_;
      read_line(line);
    }
    end_item();
    end_part();
    if (tour_.title.empty()) fail(1, "the first line is to be \"# \" and the tour's title");
    if (tour_.steps.empty()) fail(line_, "there is no step: begin one with \"## \" and its title");
    if (!has_question_) fail(line_, "a tour ends with a part called \"## Question\"");
    return std::move(tour_);
  }

 private:
  enum class In { title, step, question };

  [[noreturn]] void fail(int line, const std::string& sentence) const {
    throw InputError(file_ + ", line " + std::to_string(line) + ": " + sentence + ".");
  }

  void read_line(std::string_view raw) {
    const std::string_view line = trim(raw);
    if (line.starts_with("<!--")) return;
    if (line.empty()) return end_item();
    if (line.starts_with("# ") || line.starts_with("## ")) {
      end_item();
      return begin_part(line);
    }
    if (line.starts_with("- ")) {
      end_item();
      item_ = trim(line.substr(2));
      item_line_ = line_;
      return;
    }
    // A line that is set in goes on with the item; others are the part's text
    std::string& grows = !item_.empty() ? item_ : paragraph_;
    if (!grows.empty()) grows += ' ';
    grows += line;
    if (paragraph_line_ == 0) paragraph_line_ = line_;
  }

  void begin_part(std::string_view line) {
    end_part();
    part_line_ = line_;
    if (line.starts_with("# ")) {
      if (!tour_.title.empty()) fail(line_, "a second title: a step begins with \"## \"");
      tour_.title = trim(line.substr(2));
      return;
    }
    if (tour_.title.empty()) fail(line_, "the tour's title, \"# \", comes before its steps");
    if (has_question_) fail(line_, "the question is the end of a tour");
    const std::string title(trim(line.substr(3)));
    if (title == "Question") {
      in_ = In::question;
      has_question_ = true;
      return;
    }
    if (tour_.steps.size() == kMostSteps) fail(line_, "no tour has more than 12 steps");
    in_ = In::step;
    tour_.steps.emplace_back();
    tour_.steps.back().title = title;
    tour_.steps.back().line = line_;
  }

  /// The paragraphs of a part are its text.
  void end_part() {
    const int line = paragraph_line_ > 0 ? paragraph_line_ : std::max(part_line_, 1);
    const std::string text = marked(paragraph_, line);
    paragraph_.clear();
    paragraph_line_ = 0;
    if (in_ == In::title) {
      if (!text.empty()) fail(line, "after the title come \"- minutes:\" and the steps");
      return;
    }
    if (text.empty()) fail(std::max(part_line_, 1), "this part has no text");
    if (text.size() > 600) fail(line, "more than 600 letters: make two steps of it");
    if (in_ == In::question) {
      tour_.question.text = text;
      tour_.question.right = right_.value_or(-1);
      if (!right_) fail(part_line_, "no choice is marked as right: - [x]");
      if (tour_.question.explanation.empty()) {
        fail(part_line_, "the question wants a line \"- why:\"");
      }
      const std::string problem = problem_of(tour_.question);
      if (!problem.empty()) fail(part_line_, problem.substr(0, problem.size() - 1));
      return;
    }
    TourStep& step = tour_.steps.back();
    step.text = text;
    if (!step.act.empty()) return;
    for (const TourWait& wait : step.wait) {
      const std::optional<TourAct> act = act_for(wait);
      if (!act) fail(step.line, "this step wants a line \"- do:\" for a reader who is stuck");
      step.act.push_back(*act);
    }
  }

  std::string marked(const std::string& text, int line) const {
    try {
      return rich(text);
    } catch (const Wrong& wrong) {
      fail(line, wrong.sentence);
    }
  }

  void end_item() {
    if (item_.empty()) return;
    const std::string item = std::exchange(item_, {});
    try {
      read_item(item);
    } catch (const Wrong& wrong) {
      fail(item_line_, wrong.sentence);
    }
  }

  void read_item(const std::string& item) {
    if (in_ == In::question && (item.starts_with("[ ]") || item.starts_with("[x]"))) {
      if (item[1] == 'x') {
        if (right_) throw Wrong{"only one choice is right"};
        right_ = int(tour_.question.choices.size());
      }
      tour_.question.choices.emplace_back(trim(std::string_view(item).substr(3)));
      return;
    }
    const std::size_t colon = item.find(':');
    const std::string key(trim(std::string_view(item).substr(0, colon)));
    const std::string value(
        colon == std::string::npos ? "" : trim(std::string_view(item).substr(colon + 1)));
    if (value.empty()) throw Wrong{"\"" + item + "\" is not \"name: value\""};
    const auto add = [](auto& list, auto thing) {
      if (list.size() == kMostLines) throw Wrong{"too many of these"};
      list.push_back(std::move(thing));
    };
    if (in_ == In::title) {
      if (key != "minutes") throw Wrong{"a title knows \"minutes:\" only"};
      tour_.minutes = int(number_in<long>(value, 1, 60));
      return;
    }
    TourStep* step = in_ == In::step ? &tour_.steps.back() : nullptr;
    if (key == "before") {
      add(step ? step->before : tour_.before_question, read_act(value));
    } else if (key == "outline") {
      for (const std::string& probe : words_of(value))
        add(step ? step->outline : tour_.outline_question, probe);
    } else if (key == "look") {
      for (const std::string& panel : words_of(value))
        add(step ? step->look : tour_.look_question, panel);
    } else if (!step && key == "why") {
      tour_.question.explanation = rich(value);
    } else if (step && key == "wait") {
      add(step->wait, read_wait(value));
    } else if (step && key == "do") {
      add(step->act, read_act(value));
    } else if (step && key == "then") {
      step->then = rich(value);
    } else if (step && key == "hint") {
      step->hint = rich(value);
    } else {
      throw Wrong{"\"" + key + "\" is not known here: " +
                  (step ? "a step has before, outline, look, wait, do, then and hint"
                        : "a question has before, outline, look, [ ], [x] and why")};
    }
  }

  std::string_view text_;
  const std::string& file_;
  Tour tour_;
  In in_ = In::title;
  int line_ = 0, part_line_ = 0, item_line_ = 0, paragraph_line_ = 0;
  std::string item_, paragraph_;
  bool has_question_ = false;
  std::optional<int> right_;
};

bool wants_probe(const TourAct& act) {
  return act.kind == Act::click || act.kind == Act::hover || act.kind == Act::drag;
}

}  // namespace

Tour parse_tour(std::string_view text, const std::string& id, const std::string& file) {
  return Reading(text, id, file).read();
}

std::vector<Tour> load_tours(const fs::path& root, std::vector<std::string>& problems) {
  std::vector<std::pair<std::string, std::string>> files{{"window", "docs/tour.md"}};
  std::error_code error;
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(root / "chapters", error)) {
    folders.insert(entry.path().filename().string());
  }
  for (const std::string& folder : folders)
    files.emplace_back(folder.substr(0, 2), "chapters/" + folder + "/tour.md");

  std::vector<Tour> tours;
  for (const auto& [id, file] : files) {
    if (!fs::is_regular_file(root / file, error)) continue;
    const std::uintmax_t size = fs::file_size(root / file, error);
    if (error || size > kLargestFile) {
      problems.push_back(file + ", line 1: a tour of more than 64 KiB is none.");
      continue;
    }
    std::ifstream in(root / file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    try {
      tours.push_back(parse_tour(text, id, file));
    } catch (const InputError& problem) {
      problems.emplace_back(problem.what());
    }
  }
  return tours;
}

std::string panel_of_probe(std::string_view probe) {
  for (const std::string_view front : {"tab/", "legend/"}) {
    if (probe.starts_with(front)) probe.remove_prefix(front.size());
  }
  return std::string(probe.substr(0, probe.find('/')));
}

std::string first_seen(const std::string& probes, const TourWorld& world) {
  for (const std::string& probe : split(probes, '|')) {
    if (world.sees(probe)) return probe;
  }
  return {};
}

// --- Leading ---------------------------------------------------------------------------------------

const Tour* TourGuide::find(std::string_view id) const {
  for (const Tour& tour : tours_) {
    if (tour.id == id) return &tour;
  }
  return nullptr;
}

int TourGuide::place(const std::string& id) const {
  const auto at = places_.find(id);
  return at == places_.end() ? 0 : at->second;
}

const TourStep* TourGuide::step() const {
  if (!tour_ || at_ >= int(tour_->steps.size())) return nullptr;
  return &tour_->steps[std::size_t(at_)];
}

bool TourGuide::start(const std::string& id, TourWorld& world, double now) {
  const Tour* wanted = find(id);
  if (!wanted) return false;
  close();
  tour_ = wanted;
  const int from = place(id);
  enter(from, world, now);
  resumed_ = from > 0;
  return true;
}

void TourGuide::close() {
  if (!tour_) return;
  const std::string id = tour_->id;
  places_.erase(id);
  if (at_ > 0 && !answer_.revealed) places_[id] = at_;
  tour_ = nullptr;
  filled_ = false;
  queue_.clear();
  arranging_ = false;
}

void TourGuide::restart(TourWorld& world, double now) {
  if (tour_) enter(0, world, now);
}

void TourGuide::enter(int at, TourWorld& world, double now) {
  at_ = at;
  answer_ = {};
  done_ = was_open_ = hint_ = resumed_ = false;
  happened_.assign(step() ? step()->wait.size() : 0, false);
  world.let_go();
  first_step_ = world.step();
  began_ = now;
  trouble_.clear();
  arrange();
}

void TourGuide::arrange() {
  if (!tour_) return;
  const std::vector<TourAct>& acts = step() ? step()->before : tour_->before_question;
  queue_.assign(acts.begin(), acts.end());
  if (std::exchange(filled_, false)) queue_.push_front({.kind = Act::fill});
  lost_frames_ = 0;
  found_ = false;
  arranging_ = true;
  waiting_since_ = -1;
  trouble_.clear();
}

void TourGuide::do_it(const TourWorld& world) {
  const TourStep* now = step();
  if (!now || done_) return;
  queue_.clear();
  trouble_.clear();
  waiting_since_ = -1;
  if (std::exchange(arranging_, false) || lost(world))
    queue_.assign(now->before.begin(), now->before.end());
  queue_.insert(queue_.end(), now->act.begin(), now->act.end());
}

void TourGuide::next(TourWorld& world, double now) {
  if (step()) enter(at_ + 1, world, now);
}

void TourGuide::back(TourWorld& world, double now) {
  if (tour_ && at_ > 0) enter(at_ - 1, world, now);
}

void TourGuide::choose(int choice) {
  if (!at_question() || answer_.revealed) return;
  if (choice < 0 || choice >= int(tour_->question.choices.size())) return;
  answer_ = {choice, true};
  finished_.insert(tour_->id);
}

void TourGuide::finish() { close(); }

bool TourGuide::lost(const TourWorld& world) const {
  if (!tour_) return false;
  const std::vector<std::string>& outline = step() ? step()->outline : tour_->outline_question;
  return !outline.empty() && std::none_of(outline.begin(), outline.end(), [&](const auto& probe) {
    return !first_seen(probe, world).empty();
  });
}

std::string TourGuide::progress(const TourWorld& world) const {
  const TourStep* now = step();
  if (!now || done_) return {};
  for (const TourWait& wait : now->wait) {
    if (wait.kind == Wait::step_from && world.step() < wait.number) {
      return "step " + std::to_string(world.step()) + " of " + std::to_string(wait.number);
    }
    if (wait.kind == Wait::steps) {
      const long taken = std::clamp(world.step() - first_step_, 0L, wait.number);
      return std::to_string(taken) + " of " + std::to_string(wait.number) + " steps";
    }
  }
  return {};
}

bool TourGuide::holds(const TourWait& wait, const TourWorld& world, std::size_t index) const {
  const auto any_of = [&](const std::string& value) {
    return std::find(wait.values.begin(), wait.values.end(), value) != wait.values.end();
  };
  switch (wait.kind) {
    case Wait::click:
      return happened_[index] || world.clicked(wait.name);
    case Wait::hover:
      return happened_[index] || world.hovered(wait.name);
    case Wait::sees:
      return world.sees(wait.name);
    case Wait::gone:
      return !world.sees(wait.name);
    case Wait::panel:
      return world.panel_shown(wait.name);
    case Wait::step_from:
      return world.step() >= wait.number;
    case Wait::step_below:
      return world.step() < wait.number;
    case Wait::steps:
      return happened_[index] || world.step() - first_step_ >= wait.number;
    case Wait::playing:
      return world.playing();
    case Wait::paused:
      return !world.playing();
    case Wait::phase:
      return world.phase() == wait.name;
    case Wait::option:
      return any_of(world.option(wait.name));
    case Wait::setting:
      return any_of(world.setting(wait.name));
    case Wait::showing:
      return world.two_runs() && world.showing() == wait.name;
    case Wait::two_runs:
      return world.two_runs();
    case Wait::ran: {
      const auto then = runs_.find(wait.name);
      return world.times_run(wait.name) > (then == runs_.end() ? 0 : then->second);
    }
    case Wait::locked:
      break;
  }
  const Place place = world.locked();
  return std::all_of(wait.fields.begin(), wait.fields.end(), [&](const auto& field) {
    const auto is = [&](const auto& there) {
      return there && (field.second.empty() || std::to_string(*there) == field.second);
    };
    const std::string& name = field.first;
    if (name == "step") return is(place.step);
    if (name == "layer") return is(place.layer);
    if (name == "head") return is(place.head);
    if (name == "query") return is(place.query);
    if (name == "key") return is(place.key);
    if (name == "pair") return is(place.pair);
    return place.parameter && (field.second.empty() || *place.parameter == field.second);
  });
}

bool TourGuide::update(TourWorld& world, double now) {
  if (!tour_) return false;
  bool changed = false;

  // One act after the other, each when what it touches is there
  if (!queue_.empty() && !world.busy()) {
    const TourAct act = queue_.front();
    if (wants_probe(act) && !world.sees(act.name)) {
      if (waiting_since_ < 0) waiting_since_ = now;
      if (now - waiting_since_ > kPatience) {
        trouble_ = "What this step needs did not come: " + act.name + ".";
        queue_.clear();
      }
    } else {
      waiting_since_ = -1;
      queue_.pop_front();
      world.act(act);
    }
    changed = true;
  }
  if (!queue_.empty() || (arranging_ && world.busy())) return true;
  if (arranging_) {  // from here on it is the reader's turn
    arranging_ = false;
    if (!done_) first_step_ = world.step();
    began_ = now;
    runs_.clear();
    if (const TourStep* here = step()) {
      for (const TourWait& wait : here->wait)
        if (wait.kind == Wait::ran) runs_[wait.name] = world.times_run(wait.name);
    }
    return true;
  }

  const TourStep* here = step();
  if (!here) return changed;
  if (!hint_ && !done_ && !here->hint.empty() && now >= began_ + kHintAfter) hint_ = changed = true;
  found_ = found_ || !lost(world);
  if (!found_ && !filled_ && !done_) {
    // In a small window the panel may leave out what it has no room for
    const std::string panel = panel_of_probe(here->outline.front());
    if (!world.panel_shown(panel)) return changed;
    if (++lost_frames_ > kLostFrames) {
      filled_ = true;
      world.act({.kind = Act::fill, .name = panel});
    }
    return true;
  }
  if (done_ || here->wait.empty()) return changed;
  first_step_ = std::min(first_step_, world.step());  // the run may begin anew, or go back
  bool all = true;
  for (std::size_t i = 0; i < here->wait.size(); ++i) {
    const bool holds_now = holds(here->wait[i], world, i);
    happened_[i] = happened_[i] || holds_now;
    all = all && holds_now;
  }
  if (!all) {
    was_open_ = true;
    return changed;
  }
  done_ = true;
  if (here->then.empty() && was_open_) next(world, now);  // nothing to say: it goes on by itself
  return true;
}

double TourGuide::hint_at() const {
  const TourStep* here = step();
  return here && !hint_ && !done_ && !here->hint.empty() ? began_ + kHintAfter : 0;
}

// --- Remembering -----------------------------------------------------------------------------------

std::string TourGuide::settings() const {
  std::string text;
  const auto add = [&](const std::string& words) { text += (text.empty() ? "" : "; ") + words; };
  for (const std::string& id : finished_) add("done " + id);
  std::map<std::string, int> places = places_;
  if (tour_) {
    places.erase(tour_->id);
    if (at_ > 0 && !answer_.revealed) places[tour_->id] = at_;
  }
  for (const auto& [id, at] : places) add("at " + id + " " + std::to_string(at));
  return text;
}

void TourGuide::restore(const std::string& text) {
  for (const std::string& part : split(text, ';')) {
    const std::vector<std::string> words = words_of(part);
    const Tour* tour = words.size() >= 2 ? find(words[1]) : nullptr;
    if (!tour) continue;
    if (words[0] == "done" && words.size() == 2) finished_.insert(tour->id);
    if (words[0] != "at" || words.size() != 3) continue;
    int at = 0;
    const char* end = words[2].data() + words[2].size();
    const auto [stopped, error] = std::from_chars(words[2].data(), end, at);
    if (error == std::errc() && stopped == end && at > 0 && at <= int(tour->steps.size())) {
      places_[tour->id] = at;
    }
  }
}

}  // namespace tpp::viewer
