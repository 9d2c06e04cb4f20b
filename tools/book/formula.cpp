// TeX → tree: a small recursive parser, one table of signs, and a sentence for everything else.
#include "tools/book/formula.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace tpp::book {

namespace {

using Class = FormulaClass;
using Kind = FormulaKind;

constexpr std::size_t kLongest = 20'000;  // bytes of one formula
constexpr int kDeepest = 40;              // braces in braces

struct Sign {
  std::string_view name, text;
  Class cls = Class::ordinary;
  bool letter = false;  // set in italics, as a variable
};

// The signs of the subset: `\name` → what is drawn, and TeX's class for the space around it.
constexpr auto kSigns = std::to_array<Sign>({
    {"alpha", "α", Class::ordinary, true},
    {"beta", "β", Class::ordinary, true},
    {"gamma", "γ", Class::ordinary, true},
    {"delta", "δ", Class::ordinary, true},
    {"epsilon", "ϵ", Class::ordinary, true},
    {"varepsilon", "ε", Class::ordinary, true},
    {"zeta", "ζ", Class::ordinary, true},
    {"eta", "η", Class::ordinary, true},
    {"theta", "θ", Class::ordinary, true},
    {"iota", "ι", Class::ordinary, true},
    {"kappa", "κ", Class::ordinary, true},
    {"lambda", "λ", Class::ordinary, true},
    {"mu", "μ", Class::ordinary, true},
    {"nu", "ν", Class::ordinary, true},
    {"xi", "ξ", Class::ordinary, true},
    {"pi", "π", Class::ordinary, true},
    {"rho", "ρ", Class::ordinary, true},
    {"sigma", "σ", Class::ordinary, true},
    {"tau", "τ", Class::ordinary, true},
    {"upsilon", "υ", Class::ordinary, true},
    {"phi", "ϕ", Class::ordinary, true},
    {"varphi", "φ", Class::ordinary, true},
    {"chi", "χ", Class::ordinary, true},
    {"psi", "ψ", Class::ordinary, true},
    {"omega", "ω", Class::ordinary, true},
    {"Gamma", "Γ"},
    {"Delta", "Δ"},
    {"Theta", "Θ"},
    {"Lambda", "Λ"},
    {"Xi", "Ξ"},
    {"Pi", "Π"},
    {"Sigma", "Σ"},
    {"Phi", "Φ"},
    {"Psi", "Ψ"},
    {"Omega", "Ω"},
    {"ell", "ℓ"},
    {"partial", "∂"},
    {"nabla", "∇"},
    {"infty", "∞"},
    {"top", "⊤"},
    {"bot", "⊥"},
    {"dots", "…"},
    {"ldots", "…"},
    {"cdots", "⋯"},
    {"vdots", "⋮"},
    {"ddots", "⋱"},
    {"forall", "∀"},
    {"exists", "∃"},
    {"emptyset", "∅"},
    {"prime", "′"},
    {"vert", "|"},
    {"Vert", "‖"},
    {"cdot", "⋅", Class::binary},
    {"times", "×", Class::binary},
    {"odot", "⊙", Class::binary},
    {"otimes", "⊗", Class::binary},
    {"oplus", "⊕", Class::binary},
    {"circ", "∘", Class::binary},
    {"pm", "±", Class::binary},
    {"mp", "∓", Class::binary},
    {"ast", "∗", Class::binary},
    {"div", "÷", Class::binary},
    {"cup", "∪", Class::binary},
    {"cap", "∩", Class::binary},
    {"setminus", "∖", Class::binary},
    {"wedge", "∧", Class::binary},
    {"vee", "∨", Class::binary},
    {"bmod", "mod", Class::binary},
    {"le", "≤", Class::relation},
    {"leq", "≤", Class::relation},
    {"ge", "≥", Class::relation},
    {"geq", "≥", Class::relation},
    {"ne", "≠", Class::relation},
    {"neq", "≠", Class::relation},
    {"ll", "≪", Class::relation},
    {"gg", "≫", Class::relation},
    {"lt", "<", Class::relation},
    {"gt", ">", Class::relation},
    {"approx", "≈", Class::relation},
    {"sim", "∼", Class::relation},
    {"simeq", "≃", Class::relation},
    {"equiv", "≡", Class::relation},
    {"propto", "∝", Class::relation},
    {"in", "∈", Class::relation},
    {"notin", "∉", Class::relation},
    {"subset", "⊂", Class::relation},
    {"subseteq", "⊆", Class::relation},
    {"to", "→", Class::relation},
    {"rightarrow", "→", Class::relation},
    {"leftarrow", "←", Class::relation},
    {"leftrightarrow", "↔", Class::relation},
    {"Rightarrow", "⇒", Class::relation},
    {"Leftrightarrow", "⇔", Class::relation},
    {"implies", "⟹", Class::relation},
    {"iff", "⟺", Class::relation},
    {"mapsto", "↦", Class::relation},
    {"mid", "∣", Class::relation},
    {"perp", "⟂", Class::relation},
    {"parallel", "∥", Class::relation},
    {"colon", ":", Class::punctuation},
    {"lVert", "‖", Class::opening},
    {"lvert", "|", Class::opening},
    {"lfloor", "⌊", Class::opening},
    {"lceil", "⌈", Class::opening},
    {"langle", "⟨", Class::opening},
    {"{", "{", Class::opening},
    {"lbrace", "{", Class::opening},
    {"rVert", "‖", Class::closing},
    {"rvert", "|", Class::closing},
    {"rfloor", "⌋", Class::closing},
    {"rceil", "⌉", Class::closing},
    {"rangle", "⟩", Class::closing},
    {"}", "}", Class::closing},
    {"rbrace", "}", Class::closing},
    {"|", "‖"},
    {"%", "%"},
    {"#", "#"},
    {"&", "&"},
    {"_", "_"},
    {"$", "$"},
    {"sum", "∑", Class::large},
    {"prod", "∏", Class::large},
    {"int", "∫", Class::large},
    {"bigoplus", "⨁", Class::large},
});

// Functions are upright words; those with limits take them below in a block.
struct Function {
  std::string_view name;
  bool limits = false;
};
constexpr auto kFunctions = std::to_array<Function>({
    {"max", true}, {"min", true}, {"sup", true}, {"inf", true}, {"lim", true},
    {"exp"},       {"log"},       {"ln"},        {"sin"},       {"cos"},
    {"tan"},       {"sinh"},      {"cosh"},      {"tanh"},      {"arg"},
    {"det", true}, {"dim"},       {"arctan"},    {"ker"},       {"Pr", true},
});

struct Space {
  std::string_view name;
  double width;
};
constexpr auto kSpaces = std::to_array<Space>({
    {",", 0.1667},
    {":", 0.2222},
    {";", 0.2778},
    {"!", -0.1667},
    {" ", 0.25},
    {"quad", 1},
    {"qquad", 2},
});

struct Mark {
  std::string_view name, text;
};
constexpr auto kAccents = std::to_array<Mark>({
    {"hat", "^"},
    {"bar", "¯"},
    {"tilde", "~"},
    {"vec", "→"},
    {"dot", "˙"},
});

// What people write who know more TeX: what the subset has instead.
constexpr auto kInstead = std::to_array<Mark>({
    {"mathcal", "a plain letter"},
    {"mathscr", "a plain letter"},
    {"boldsymbol", "\\mathbf"},
    {"bm", "\\mathbf"},
    {"bold", "\\mathbf"},
    {"textbf", "\\mathbf"},
    {"mathit", "the letters alone"},
    {"mathsf", "\\mathrm"},
    {"mathtt", "\\mathrm"},
    {"textrm", "\\text"},
    {"mbox", "\\text"},
    {"rm", "\\mathrm{…}"},
    {"bf", "\\mathbf{…}"},
    {"dfrac", "\\frac"},
    {"tfrac", "\\frac"},
    {"cfrac", "\\frac"},
    {"over", "\\frac"},
    {"big", "\\left and \\right"},
    {"Big", "\\left and \\right"},
    {"bigl", "\\left"},
    {"bigr", "\\right"},
    {"Bigl", "\\left"},
    {"Bigr", "\\right"},
    {"bigg", "\\left and \\right"},
    {"widehat", "\\hat"},
    {"overline", "\\bar"},
    {"widetilde", "\\tilde"},
    {"overrightarrow", "\\vec"},
    {"displaystyle", "a block of its own"},
    {"limits", "nothing: sums take limits in a block"},
    {"nolimits", "nothing"},
    {"label", "nothing"},
    {"tag", "words in the text"},
    {"newline", "\\\\ in an environment"},
    {"mod", "\\bmod"},
    {"pmod", "\\bmod"},
    {"transpose", "\\top"},
    {"T", "\\top"},
    {"R", "\\mathbb{R}"},
    {"norm", "\\lVert … \\rVert"},
    {"abs", "\\lvert … \\rvert"},
    {"softmax", "\\operatorname{softmax}"},
});

constexpr std::array<std::string_view, 6> kGrids{"aligned", "matrix",  "pmatrix",
                                                 "bmatrix", "vmatrix", "cases"};

template <class Table>
const auto* find(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.name == name; });
  return found == table.end() ? nullptr : &*found;
}

/// Thrown inside the parser; what leaves it is the sentence.
struct Mistake {
  std::string sentence;
};

class Parser {
 public:
  explicit Parser(std::string_view tex) : tex_(tex) {}

  Formula whole() {
    if (tex_.size() > kLongest)
      throw Mistake{"The formula is longer than 20,000 bytes: cut it in pieces."};
    Formula row = parse_row();
    if (!at_end()) stray();
    if (row.children.empty())
      throw Mistake{"The formula is empty: write something between its marks."};
    return row;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= tex_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : tex_[at_]; }

  [[nodiscard]] std::string where(std::size_t at) const {
    return " (at byte " + std::to_string(at + 1) + ")";
  }

  [[noreturn]] void fail(std::string sentence, std::size_t at) const {
    throw Mistake{std::move(sentence) + where(at) + "."};
  }

  void skip_blanks() {
    while (!at_end() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r'))
      ++at_;
  }

  /// The name after a backslash, without taking it: "frac", ",", "\\".
  [[nodiscard]] std::string_view command() const {
    if (peek() != '\\') return {};
    std::size_t end = at_ + 1;
    while (end < tex_.size() && std::isalpha(static_cast<unsigned char>(tex_[end]))) ++end;
    if (end == at_ + 1 && end < tex_.size()) ++end;
    return tex_.substr(at_ + 1, end - at_ - 1);
  }

  /// Does a row end here: a closing brace, a cell's or a row's end, \right, \end?
  [[nodiscard]] bool at_row_end() const {
    if (at_end() || peek() == '}' || peek() == '&') return true;
    if (in_brackets_ && peek() == ']') return true;
    const std::string_view name = command();
    return name == "right" || name == "end" || name == "\\";
  }

  /// A row's end where no row may end: say what is not open.
  [[noreturn]] void stray() const {
    const std::string_view name = command();
    if (peek() == '}')
      fail("There is a } without a {: take it away, or write \\} for the sign", at_);
    if (peek() == '&')
      fail("& parts columns and needs an environment around it, like \\begin{aligned}", at_);
    if (name == "right") fail("There is a \\right without a \\left", at_);
    if (name == "end") fail("There is an \\end without a \\begin", at_);
    fail("\\\\ ends a line and needs an environment around it, like \\begin{aligned}", at_);
  }

  struct Deeper {
    Parser& parser;
    explicit Deeper(Parser& p) : parser(p) {
      if (++parser.depth_ > kDeepest)
        parser.fail("The formula nests deeper than 40 levels: cut it in pieces", parser.at_);
    }
    ~Deeper() { --parser.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
  };

  Formula parse_row(bool after_something = false) {
    const Deeper deeper(*this);
    Formula row;
    for (skip_blanks(); !at_row_end(); skip_blanks()) row.children.push_back(parse_scripted());

    // A sign between two things is binary; at the start, or after another sign, it belongs to what follows: "= -x"
    Class before = after_something ? Class::ordinary : Class::opening;
    for (Formula& node : row.children) {
      if (node.kind == Kind::space) continue;
      const bool nothing = before != Class::ordinary && before != Class::closing;
      if (class_of(node) == Class::binary && nothing) {
        (node.kind == Kind::scripts ? node.children[0] : node).cls = Class::ordinary;
      }
      before = class_of(node);
    }
    return row;
  }

  /// Something, with what stands below and above it.
  Formula parse_scripted() {
    const std::size_t start = at_;
    Formula base;
    if (peek() == '^' || peek() == '_') {
      fail(std::string("There is nothing before ") + peek() +
               " to stand on: write {} there if that is meant",
           at_);
    }
    base = parse_atom();

    Formula below, above;
    bool has_below = false, has_above = false;
    for (skip_blanks(); peek() == '^' || peek() == '_' || peek() == '\''; skip_blanks()) {
      const char mark = peek();
      const std::size_t at = at_;
      ++at_;
      if (mark == '\'') {
        if (has_above) fail("A prime stands before the ^: write x'^{2}", at);
        Formula primes{.kind = Kind::symbol, .text = "′"};
        while (peek() == '\'') primes.text += "′", ++at_;
        above.children.push_back(std::move(primes));
        skip_blanks();
        if (peek() == '^') {
          ++at_;
          above.children.push_back(parse_argument("^"));
        }
        has_above = true;
      } else if (mark == '^') {
        if (has_above) fail("Two ^ on one thing: put braces around what the second one is for", at);
        above = parse_argument("^");
        has_above = true;
      } else {
        if (has_below) fail("Two _ on one thing: put braces around what the second one is for", at);
        below = parse_argument("_");
        has_below = true;
      }
    }
    if (base.kind == Kind::brace) {  // its label is written as a script
      if (has_below && base.text == "⏟") base.children[1] = std::move(below), has_below = false;
      if (has_above && base.text == "⏞") base.children[1] = std::move(above), has_above = false;
      if (has_below || has_above) fail("A brace takes its label on its own side", start);
      return base;
    }
    if (!has_below && !has_above) return base;
    Formula scripts{.kind = Kind::scripts};
    scripts.limits = is_large(base);
    scripts.children.push_back(std::move(base));
    scripts.children.push_back(std::move(below));
    scripts.children.push_back(std::move(above));
    return scripts;
  }

  /// One token or a group in braces, as a row.
  Formula parse_argument(std::string_view of) {
    skip_blanks();
    if (at_end()) fail("Nothing follows " + std::string(of), at_);
    if (peek() == '{') return parse_group();
    if (at_row_end() || peek() == '^' || peek() == '_')
      fail("Nothing follows " + std::string(of), at_);
    Formula row;
    if (std::isdigit(static_cast<unsigned char>(peek()))) {  // as TeX: \frac12 is a half
      row.children.push_back({.kind = Kind::number, .text = std::string(1, tex_[at_++])});
    } else {
      const Deeper deeper(*this);
      row.children.push_back(parse_atom());
      if (row.children[0].cls == Class::binary) row.children[0].cls = Class::ordinary;
    }
    return row;
  }

  Formula parse_group() {
    const std::size_t open = at_++;
    const bool outside = std::exchange(in_brackets_, false);
    Formula row = parse_row();
    in_brackets_ = outside;
    if (at_end()) fail("A { is never closed", open);
    if (peek() != '}') stray();
    ++at_;
    return row;
  }

  Formula parse_atom() {
    const std::size_t start = at_;
    const char c = peek();
    if (c == '{') return parse_group();
    if (c == '\\') return parse_command();
    if (std::isalpha(static_cast<unsigned char>(c))) {
      ++at_;
      return {.kind = Kind::symbol, .style = FormulaStyle::italic, .text = std::string(1, c)};
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return parse_number();
    ++at_;
    const std::string sign(1, c);
    switch (c) {
      case '+':
        return {.kind = Kind::symbol, .cls = Class::binary, .text = "+"};
      case '-':
        return {.kind = Kind::symbol, .cls = Class::binary, .text = "−"};
      case '*':
        return {.kind = Kind::symbol, .cls = Class::binary, .text = "∗"};
      case '=':
      case '<':
      case '>':
      case ':':
        return {.kind = Kind::symbol, .cls = Class::relation, .text = sign};
      case ',':
      case ';':
        return {.kind = Kind::symbol, .cls = Class::punctuation, .text = sign};
      case '(':
      case '[':
        return {.kind = Kind::symbol, .cls = Class::opening, .text = sign};
      case ')':
      case ']':
      case '!':
      case '?':
        return {.kind = Kind::symbol, .cls = Class::closing, .text = sign};
      case '/':
      case '|':
      case '.':
        return {.kind = Kind::symbol, .text = sign};
      case '~':
        return {.kind = Kind::space, .width = 0.25};
      case '%':
        fail("% begins a comment in TeX: write \\%", start);
      case '#':
        fail("# has a meaning in TeX: write \\#", start);
      case '$':
        fail("A $ inside of a formula: close the formula before it, or write \\$", start);
      default:
        break;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      std::size_t end = start + 1;
      while (end < tex_.size() && (static_cast<unsigned char>(tex_[end]) & 0xC0) == 0x80) ++end;
      const std::string text(tex_.substr(start, end - start));
      for (const Sign& known : kSigns) {
        if (known.text == text)
          fail("Write \\" + std::string(known.name) + " instead of " + text, start);
      }
      if (text == "·") fail("Write \\cdot instead of ·", start);
      if (text == "√") fail("Write \\sqrt{…} instead of √", start);
      fail("'" + text + "' is not in the subset of TeX that we use: words go into \\text{…}",
           start);
    }
    if (std::isprint(static_cast<unsigned char>(c)))
      fail("'" + sign + "' is not in the subset of TeX that we use", start);
    fail("There is a control character", start);
  }

  Formula parse_number() {
    const std::size_t start = at_;
    const auto digit = [&](std::size_t i) {
      return i < tex_.size() && std::isdigit(static_cast<unsigned char>(tex_[i]));
    };
    while (digit(at_) || (peek() == '.' && digit(at_ + 1))) ++at_;
    return {.kind = Kind::number, .text = std::string(tex_.substr(start, at_ - start))};
  }

  /// {words}, taken as they stand.
  std::string parse_words(std::string_view of) {
    skip_blanks();
    const std::size_t open = at_;
    if (peek() != '{') fail("\\" + std::string(of) + " takes its words in braces", at_);
    std::string words;
    for (++at_; peek() != '}'; ++at_) {
      if (at_end()) fail("A { is never closed", open);
      char c = peek();
      if (c == '{' || c == '$')
        fail("\\" + std::string(of) + " takes words alone, no formula", at_);
      if (c == '\\') {
        const std::string_view name = command();
        if (name == "_" || name == "%" || name == "#" || name == "&" || name == " ") {
          c = name[0];
        } else if (name == "," || name == ";") {
          c = ' ';
        } else {
          fail("\\" + std::string(of) + " takes words alone, no \\" + std::string(name), at_);
        }
        ++at_;
      }
      words += c == '\n' ? ' ' : c == '~' ? ' ' : c;
    }
    ++at_;
    return words;
  }

  /// Letters in another style: \mathbf{x}, \mathbb{R}, \mathrm{d}.
  Formula parse_styled(std::string_view of) {
    const std::size_t start = at_;
    if (of == "mathrm") {
      Formula word{.kind = Kind::word, .text = parse_words(of)};
      if (word.text.empty()) fail("\\mathrm{} is empty", start);
      return word;
    }
    Formula inside = parse_argument("\\" + std::string(of));
    const FormulaStyle style = of == "mathbf" ? FormulaStyle::bold : FormulaStyle::blackboard;
    for (Formula& node : inside.children) {
      const bool letter =
          node.kind == Kind::symbol && node.text.size() <= 2 && node.cls == Class::ordinary;
      const bool capital =
          node.text.size() == 1 && std::isupper(static_cast<unsigned char>(node.text[0]));
      if (style == FormulaStyle::blackboard && !capital)
        fail("\\mathbb takes capital letters: \\mathbb{R}", start);
      if (!letter && node.kind != Kind::number)
        fail("\\mathbf takes letters and digits: \\mathbf{x}", start);
      node.style = style;
    }
    if (inside.children.size() == 1) return std::move(inside.children[0]);
    return inside;
  }

  /// The sign after \left or \right: "" for the dot.
  std::string parse_fence(std::string_view of) {
    skip_blanks();
    const std::size_t start = at_;
    const char c = peek();
    if (c != '\0' && std::string_view("()[]|/.").find(c) != std::string_view::npos) {
      ++at_;
      return c == '.' ? "" : std::string(1, c);
    }
    const std::string_view name = command();
    constexpr std::array<std::string_view, 17> known{
        "{",      "}",      "|",     "lVert", "rVert",  "lvert",  "rvert",  "Vert",  "vert",
        "lfloor", "rfloor", "lceil", "rceil", "langle", "rangle", "lbrace", "rbrace"};
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      at_ += 1 + name.size();
      return std::string(find(kSigns, name)->text);
    }
    fail("\\" + std::string(of) +
             " wants a bracket after it: ( ) [ ] | \\{ \\} \\lVert \\lfloor \\langle … or a dot",
         start);
  }

  Formula parse_command() {
    const std::size_t start = at_;
    const std::string name(command());
    at_ += 1 + name.size();

    if (name.empty()) fail("A lone \\ at the end", start);
    if (const Sign* sign = find(kSigns, name)) {
      return {.kind = Kind::symbol,
              .cls = sign->cls,
              .style = sign->letter ? FormulaStyle::italic : FormulaStyle::upright,
              .text = std::string(sign->text)};
    }
    if (const Function* function = find(kFunctions, name)) {
      return {.kind = Kind::word, .cls = Class::function, .text = name, .limits = function->limits};
    }
    if (const Space* space = find(kSpaces, name))
      return {.kind = Kind::space, .width = space->width};
    if (const Mark* accent = find(kAccents, name)) {
      Formula node{.kind = Kind::accent, .text = std::string(accent->text)};
      node.children.push_back(parse_argument("\\" + name));
      return node;
    }
    if (name == "frac") {
      Formula node{.kind = Kind::fraction};
      node.children.push_back(parse_argument("\\frac"));
      node.children.push_back(parse_argument("\\frac"));
      return node;
    }
    if (name == "sqrt") {
      Formula index;
      skip_blanks();
      if (peek() == '[') {
        const std::size_t open = at_++;
        const bool outside = std::exchange(in_brackets_, true);
        index = parse_row();
        in_brackets_ = outside;
        if (peek() != ']') fail("The [ after \\sqrt is never closed", open);
        ++at_;
      }
      Formula node{.kind = Kind::root};
      node.children.push_back(parse_argument("\\sqrt"));
      node.children.push_back(std::move(index));
      return node;
    }
    if (name == "operatorname") {
      const bool limits = peek() == '*';
      if (limits) ++at_;
      Formula node{
          .kind = Kind::word, .cls = Class::function, .text = parse_words(name), .limits = limits};
      if (node.text.empty()) fail("\\operatorname{} is empty", start);
      return node;
    }
    if (name == "text") return {.kind = Kind::word, .text = parse_words(name)};
    if (name == "mathrm" || name == "mathbf" || name == "mathbb") return parse_styled(name);
    if (name == "underbrace" || name == "overbrace") {
      Formula node{.kind = Kind::brace, .text = name == "underbrace" ? "⏟" : "⏞"};
      node.children.push_back(parse_argument("\\" + name));
      node.children.emplace_back();
      return node;
    }
    if (name == "left") {
      Formula node{.kind = Kind::fenced};
      node.left = parse_fence("left");
      const bool outside = std::exchange(in_brackets_, false);
      node.children.push_back(parse_row());
      in_brackets_ = outside;
      if (command() != "right")
        fail("A \\left is never closed by \\right (\\right. draws nothing)", start);
      at_ += 6;
      node.right = parse_fence("right");
      return node;
    }
    if (name == "begin") return parse_grid(start);

    const std::string shown = "\\" + name;
    if (const Mark* instead = find(kInstead, name)) {
      fail(shown + " is not in the subset of TeX that we use: write " + std::string(instead->text),
           start);
    }
    fail(shown + " is not in the subset of TeX that we use (tools/book/formula.h)", start);
  }

  Formula parse_grid(std::size_t start) {
    Formula grid{.kind = Kind::grid, .text = parse_words("begin")};
    if (std::find(kGrids.begin(), kGrids.end(), grid.text) == kGrids.end()) {
      fail("\\begin{" + grid.text +
               "} is not in the subset of TeX that we use: aligned, matrix, pmatrix, bmatrix, "
               "vmatrix, cases",
           start);
    }
    const bool outside = std::exchange(in_brackets_, false);
    grid.children.emplace_back();
    for (;;) {
      const std::size_t column = grid.children.back().children.size();
      grid.children.back().children.push_back(parse_row(grid.text == "aligned" && column % 2 == 1));
      if (peek() == '&') {
        ++at_;
        if (grid.text == "cases" && grid.children.back().children.size() == 2)
          fail("cases has two columns", at_ - 1);
        continue;
      }
      const std::string_view name = command();
      if (name == "\\") {
        at_ += 2;
        skip_blanks();
        if (command() != "end")
          grid.children.emplace_back();
        else
          break;
        continue;
      }
      if (name == "end") break;
      if (at_end()) fail("\\begin{" + grid.text + "} is never ended", start);
      stray();
    }
    in_brackets_ = outside;
    at_ += 4;  // \end
    const std::size_t at = at_;
    if (parse_words("end") != grid.text)
      fail("\\begin{" + grid.text + "} is ended by another name", at);

    // Rows of equal length
    std::size_t columns = 0;
    for (const Formula& row : grid.children) columns = std::max(columns, row.children.size());
    for (Formula& row : grid.children) row.children.resize(columns);

    const auto fence = [&](std::string left, std::string right) {
      Formula node{.kind = Kind::fenced, .left = std::move(left), .right = std::move(right)};
      node.children.emplace_back().children.push_back(std::move(grid));
      return node;
    };
    if (grid.text == "pmatrix") return fence("(", ")");
    if (grid.text == "bmatrix") return fence("[", "]");
    if (grid.text == "vmatrix") return fence("|", "|");
    if (grid.text == "cases") return fence("{", "");
    return grid;
  }

  std::string_view tex_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool in_brackets_ = false;  // inside of \sqrt[…]: a ] ends the row
};

}  // namespace

FormulaClass class_of(const Formula& node) {
  switch (node.kind) {
    case Kind::scripts:
    case Kind::accent: {
      const Formula* base = &node.children[0];
      while (base->kind == Kind::row && base->children.size() == 1) base = &base->children[0];
      return base->kind == Kind::row ? Class::ordinary : class_of(*base);
    }
    case Kind::symbol:
    case Kind::word:
      return node.cls;
    default:
      return Class::ordinary;
  }
}

bool is_large(const Formula& node) {
  if (node.kind == Kind::word) return node.limits;
  return node.kind == Kind::symbol && node.cls == Class::large && node.text != "∫";
}

ParsedFormula parse_formula(std::string_view tex) {
  try {
    return {.formula = Parser(tex).whole(), .error = std::nullopt};
  } catch (const Mistake& mistake) {
    return {.formula = {}, .error = mistake.sentence};
  }
}

std::optional<std::string> lint(std::string_view tex) { return parse_formula(tex).error; }

}  // namespace tpp::book
