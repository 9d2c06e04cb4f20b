// Formulas: the tree, the MathML, and one sentence for everything outside the subset.
#include "tools/book/formula.h"

#include <string>

#include "tests/testing.h"

using namespace tpp::book;
using Kind = FormulaKind;

namespace {

std::string mathml(const std::string& tex, bool block = false) {
  const ParsedFormula parsed = parse_formula(tex);
  CAPTURE(tex, parsed.error.value_or(""));
  REQUIRE(!parsed.error);
  return to_mathml(parsed.formula, block, tex);
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Every element that is opened is closed, in order.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.back() == '/') continue;
    const std::string name = tag.substr(0, tag.find(' '));
    if (name[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("a formula becomes a tree") {
  const ParsedFormula parsed =
      parse_formula(R"(y_{n,d} = \frac{x_{n,d}}{\sqrt{1 + \epsilon}} w_d^2)");
  REQUIRE(!parsed.error);
  const std::vector<Formula>& row = parsed.formula.children;
  REQUIRE(row.size() == 4);

  CHECK(row[0].kind == Kind::scripts);
  CHECK(row[0].children[0].text == "y");
  CHECK(row[0].children[0].style == FormulaStyle::italic);
  REQUIRE(row[0].children[1].children.size() == 3);  // n , d
  CHECK(row[0].children[1].children[1].cls == FormulaClass::punctuation);
  CHECK(row[0].children[2].empty());

  CHECK(row[1].cls == FormulaClass::relation);
  CHECK(row[2].kind == Kind::fraction);
  CHECK(row[2].children[1].children[0].kind == Kind::root);
  CHECK(row[2].children[1].children[0].children[1].empty());  // a square root
  CHECK(row[3].children[2].children[0].text == "2");
}

TEST_CASE("a sign with nothing to its left is not binary") {
  const auto cls = [](const std::string& tex, std::size_t i) {
    return parse_formula(tex).formula.children.at(i).cls;
  };
  CHECK(cls("a - b", 1) == FormulaClass::binary);
  CHECK(cls("-b", 0) == FormulaClass::ordinary);
  CHECK(cls("a = -b", 2) == FormulaClass::ordinary);
  CHECK(cls("(-b)", 1) == FormulaClass::ordinary);
  CHECK(cls("f(x) - b", 4) == FormulaClass::binary);
  CHECK(cls("a, -b", 2) == FormulaClass::ordinary);
  const Formula grid =
      parse_formula(R"(\begin{aligned} a &- b \end{aligned})").formula.children.at(0);
  CHECK(grid.children.at(0).children.at(1).children.at(0).cls == FormulaClass::binary);
}

TEST_CASE("every construct of the subset becomes well-formed MathML") {
  for (const char* tex :
       {R"(x)",
        R"(x_i^2)",
        R"(x'')",
        R"(x'^{2})",
        R"({}^2)",
        R"(\frac12)",
        R"(\sqrt[3]{x})",
        R"(\sqrt{x})",
        R"(\sum_{d=1}^{D} x_d^2)",
        R"(\prod_i p_i)",
        R"(\max_{v} z_v)",
        R"(\operatorname{softmax}(z)_v)",
        R"(\operatorname*{arg\,max}_v z_v)",
        R"(\mathbf{x} \in \mathbb{R}^{N \times D})",
        R"(\text{if } x > 0)",
        R"(\hat x \bar{x} \tilde x \vec v \dot x)",
        R"(\left( \frac{a}{b} \right)^2)",
        R"(\left. x \right|_{0})",
        R"(\left\lVert x \right\rVert)",
        R"(\lVert x \rVert_2)",
        R"(\lfloor x \rfloor \lceil y \rceil \langle u, v \rangle)",
        R"(\{ 1, \dots, n \})",
        R"(\underbrace{a + b}_{\text{sum}})",
        R"(\overbrace{a}^{b})",
        R"(\underbrace{a})",
        R"(\begin{aligned} a &= b \\ &= c \end{aligned})",
        R"(\begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix})",
        R"(f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases})",
        R"(a\,b\;c\quad d\qquad e\!f)",
        R"(\log_2 x \ln(x) \exp x)",
        R"(i < j > k)",
        R"(50\%)",
        R"(q^\top k)",
        R"(\partial L / \partial x)",
        R"(\nabla_x L)",
        R"(\ell \circ \ell \pm 1 \mapsto \infty \propto x \sim y \ll z \gg w \mid v)",
        R"(\sigma(x) \odot y \otimes z)",
        R"(10{,}000)",
        R"(x \text{ \& } y)",
        R"(\theta_p = b^{-2p/K})"}) {
    for (const bool block : {false, true}) {
      const std::string out = mathml(tex, block);
      CAPTURE(out);
      CHECK(well_formed(out));
      CHECK(holds(out, "<math"));
      CHECK(holds(out, block ? "display=\"block\"" : "alttext="));
    }
  }
}

TEST_CASE("MathML says what it must") {
  CHECK(holds(mathml("x < y"), "&lt;</mo>"));
  CHECK(holds(mathml("\\mathbb{R}"), "ℝ"));
  CHECK(holds(mathml("\\mathbf{x}"), "𝐱"));
  CHECK(holds(mathml("\\Sigma"), "mathvariant=\"normal\""));
  CHECK(holds(mathml("\\sum_i x", true), "<munder>"));
  CHECK(holds(mathml("x_i"), "<msub>"));
  CHECK(holds(mathml("\\log x"), "<mspace width=\"0.1667em\"/>"));
  CHECK(!holds(mathml("\\log(x)"), "mspace"));
  CHECK(holds(mathml("\\text{if } x"), "if&#xA0;"));
}

TEST_CASE("what is outside the subset gets a sentence that helps") {
  const auto says = [](const std::string& tex, const std::string& part) {
    const auto sentence = lint(tex);
    CAPTURE(tex, sentence.value_or("(nothing)"), part);
    REQUIRE(sentence);
    CHECK(holds(*sentence, part));
    CHECK(sentence->back() == '.');
  };
  says("\\foo{x}", "\\foo is not in the subset");
  says("\\mathcal{L}", "a plain letter");
  says("\\boldsymbol{x}", "\\mathbf");
  says("x^", "Nothing follows ^");
  says("x_}", "Nothing follows _");
  says("_x", "nothing before _");
  says("{x", "never closed");
  says("x}", "} without a {");
  says("x^a^b", "Two ^");
  says("x_a_b", "Two _");
  says("\\frac{a}", "Nothing follows \\frac");
  says("\\left( x", "never closed by \\right");
  says("x \\right)", "without a \\left");
  says("\\left x \\right)", "wants a bracket");
  says("a & b", "aligned");
  says("a \\\\ b", "aligned");
  says("\\begin{align} a \\end{align}", "aligned");
  says("\\begin{aligned} a", "never ended");
  says("\\begin{aligned} a \\end{cases}", "another name");
  says("\\begin{cases} a & b & c \\end{cases}", "two columns");
  says("x · y", "\\cdot");
  says("ä", "\\text");
  says("", "empty");
  says("  ", "empty");
  says("a % b", "\\%");
  says("\\text{a $b$}", "words alone");
  says("\\mathbb{x}", "capital letters");
  says("\\sqrt[3 x", "never closed");
  says("\\", "lone");
}

TEST_CASE("hostile formulas end in a sentence, not in a crash") {
  for (const char* piece : {"{", "\\frac{", "x_{", "\\left(", "\\hat", "\\sqrt[",
                            "\\begin{aligned}", "\\underbrace", "^", "}", "\\sqrt"}) {
    std::string tex;
    while (tex.size() < 19'000) tex += piece;
    CAPTURE(piece);
    CHECK(lint(tex));
  }
  CHECK(lint(std::string(1 << 20, 'x')));  // too long
  CHECK(lint(std::string("x\0y", 3)));     // a control character
  CHECK(lint("\xC3"));                     // half a letter
  CHECK(lint("\\text{\xFF"));              // never closed
  CHECK(!lint(std::string(10'000, 'x')));  // long, but good
}
