// A formula: the part of TeX that the chapters use, as a tree. GitHub draws the same TeX, the HTML book turns the tree into
// MathML, the viewer lays it out itself. What is outside the subset is refused by a sentence, so the three never differ.
//
// The subset: letters, digits, Greek, ^ _ { }, \frac \sqrt, \sum \prod \int, \max \min \arg, \log \exp \cos … , \operatorname{…},
// \text \mathrm \mathbf \mathbb, accents \hat \bar \tilde \vec \dot, \left( … \right), \underbrace{…}_{…} \overbrace{…}^{…},
// relations and operators (\le \in \odot \times …, see symbols in formula.cpp), spaces \, \; \quad \qquad, and the
// environments aligned, matrix, pmatrix, bmatrix, cases with & and \\.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tpp::book {

enum class FormulaKind {
  row,     // children, side by side
  symbol,  // text: one letter or sign; cls, style
  number,  // text: digits, perhaps with a point
  word,  // text: upright words; cls is function for \log, \operatorname{…}, ordinary for \text{…}
  space,    // width
  scripts,  // children: base, below or subscript, above or superscript; an absent one is an empty row
  fraction,  // children: numerator, denominator
  root,      // children: what is under it, its index (an empty row: a square root)
  accent,    // text: the mark ("^", "¯", "~", "→", "˙"); children: what it stands on
  brace,     // text: "⏟" below or "⏞" above; children: what it embraces, the label
  fenced,    // left, right (either may be empty); children: one row
  grid,      // children: rows, each with its cells; environment in text: aligned, matrix, cases …
};

/// TeX's classes: they decide the space around a symbol.
enum class FormulaClass {
  ordinary,
  large,
  binary,
  relation,
  opening,
  closing,
  punctuation,
  function
};

enum class FormulaStyle { upright, italic, bold, blackboard };

struct Formula {
  FormulaKind kind = FormulaKind::row;
  FormulaClass cls = FormulaClass::ordinary;
  FormulaStyle style = FormulaStyle::upright;
  std::string text = {};  // UTF-8
  std::string left = {}, right = {};
  double width = 0;     // of a space, in em
  bool limits = false;  // of scripts: below and above in a block, beside in a line (\sum, \max)
  std::vector<Formula> children = {};

  [[nodiscard]] bool empty() const { return kind == FormulaKind::row && children.empty(); }
};

struct ParsedFormula {
  Formula formula;  // a row; empty where there is an error
  std::optional<std::string>
      error;  // one sentence: what is wrong, where, and what to write instead
};

/// TeX (without dollars or fence) → a tree. Never throws for what the text holds. A sign that is binary by nature but stands
/// where there is nothing to its left ("= -x") has class ordinary.
[[nodiscard]] ParsedFormula parse_formula(std::string_view tex);

/// The sentence that says what is wrong with a formula, or nothing.
[[nodiscard]] std::optional<std::string> lint(std::string_view tex);

/// The class that a node shows to its neighbours: of scripts and accents, that of their base.
[[nodiscard]] FormulaClass class_of(const Formula& node);

/// Is this node set large, with limits below and above, in a block?
[[nodiscard]] bool is_large(const Formula& node);

/// MathML that browsers draw by themselves. `block` is for a formula on lines of its own.
[[nodiscard]] std::string to_mathml(const Formula& formula, bool block, std::string_view tex);

}  // namespace tpp::book
