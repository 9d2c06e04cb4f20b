// Tree → MathML. Spaces are said explicitly, because browsers' own tables for them differ.
#include <algorithm>
#include <array>
#include <cstdio>

#include "tools/book/formula.h"
#include "tools/book/xml.h"

namespace tpp::book {

namespace {

using Class = FormulaClass;
using Kind = FormulaKind;

std::string escaped(std::string_view text) {
  std::string out = xml_escaped(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

std::string utf8(unsigned code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

/// The first code point of two-byte or one-byte text; 0 otherwise.
unsigned code_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() == 1) return byte(0);
  if (text.size() == 2) return static_cast<unsigned>((byte(0) & 0x1F) << 6 | (byte(1) & 0x3F));
  return 0;
}

/// MathML knows no mathvariant="bold" any more: bold and blackboard letters are characters of their own.
std::string styled(const Formula& symbol) {
  const unsigned code = code_of(symbol.text);
  if (symbol.style == FormulaStyle::bold) {
    if (code >= 'A' && code <= 'Z') return utf8(0x1D400 + code - 'A');
    if (code >= 'a' && code <= 'z') return utf8(0x1D41A + code - 'a');
    if (code >= '0' && code <= '9' && symbol.text.size() == 1) return utf8(0x1D7CE + code - '0');
    if (code >= 0x391 && code <= 0x3A9) return utf8(0x1D6A8 + code - 0x391);
    if (code >= 0x3B1 && code <= 0x3C9) return utf8(0x1D6C2 + code - 0x3B1);
  }
  if (symbol.style == FormulaStyle::blackboard) {
    switch (code) {
      case 'C':
        return "ℂ";
      case 'H':
        return "ℍ";
      case 'N':
        return "ℕ";
      case 'P':
        return "ℙ";
      case 'Q':
        return "ℚ";
      case 'R':
        return "ℝ";
      case 'Z':
        return "ℤ";
      default:
        return utf8(0x1D538 + code - 'A');
    }
  }
  return symbol.text;
}

class Writer {
 public:
  std::string out;

  void row(const Formula& row, bool small) {
    const bool wrap = row.children.size() != 1;
    if (wrap) out += "<mrow>";
    children(row, small);
    if (wrap) out += "</mrow>";
  }

  void children(const Formula& row, bool small) {
    // A function stands a thin space away from its neighbours: log x, but log(x)
    const Formula* before = nullptr;
    for (const Formula& node : row.children) {
      if (before && !small) {
        const Class left = class_of(*before), right = class_of(node);
        const bool letters = node.kind != Kind::space && before->kind != Kind::space;
        if (letters &&
            ((left == Class::function &&
              (right == Class::ordinary || right == Class::function || right == Class::large) &&
              node.kind != Kind::fenced) ||
             (right == Class::function && (left == Class::ordinary || left == Class::closing)))) {
          space(0.1667);
        }
      }
      write(node, small);
      before = &node;
    }
  }

 private:
  void space(double em) {
    std::array<char, 48> text;
    std::snprintf(text.data(), text.size(), "<mspace width=\"%.4gem\"/>", em);
    out += text.data();
  }

  void sign(const Formula& node, bool small) {
    const std::string text = escaped(styled(node));
    const auto op = [&](const char* attributes) {
      out += std::string("<mo ") + attributes + ">" + text + "</mo>";
    };
    switch (node.cls) {
      case Class::large:
        op("largeop=\"true\" movablelimits=\"true\" lspace=\"0.1667em\" rspace=\"0.1667em\"");
        return;
      case Class::binary:
        op(small ? "form=\"infix\" lspace=\"0\" rspace=\"0\""
                 : "form=\"infix\" lspace=\"0.2222em\" rspace=\"0.2222em\"");
        return;
      case Class::relation:
        op(small ? "form=\"infix\" stretchy=\"false\" lspace=\"0\" rspace=\"0\""
                 : "form=\"infix\" stretchy=\"false\" lspace=\"0.2778em\" rspace=\"0.2778em\"");
        return;
      case Class::punctuation:
        op(small ? "separator=\"true\" lspace=\"0\" rspace=\"0\""
                 : "separator=\"true\" lspace=\"0\" rspace=\"0.1667em\"");
        return;
      case Class::opening:
        op("form=\"prefix\" stretchy=\"false\" lspace=\"0\" rspace=\"0\"");
        return;
      case Class::closing:
        op("form=\"postfix\" stretchy=\"false\" lspace=\"0\" rspace=\"0\"");
        return;
      default:
        break;
    }
    // Letters are identifiers (browsers set a single one in italics), everything else a sign without space around it
    const unsigned code = code_of(node.text);
    const bool letter =
        (code < 0x80 && ((code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z'))) ||
        (code >= 0x370 && code <= 0x3FF) || node.text == "ℓ" || node.text == "∂" ||
        node.text == "∞" || node.text == "…" || node.text == "⋯" || node.text == "ϵ";
    if (!letter) {
      op(node.text == "′" ? "lspace=\"0\" rspace=\"0\""
                          : "form=\"prefix\" stretchy=\"false\" lspace=\"0\" rspace=\"0\"");
    } else if (node.style == FormulaStyle::upright) {
      out += "<mi mathvariant=\"normal\">" + text + "</mi>";
    } else {
      out += "<mi>" + text + "</mi>";
    }
  }

  void fence(const std::string& text, const char* form) {
    if (text.empty()) return;
    out += std::string("<mo fence=\"true\" form=\"") + form +
           "\" stretchy=\"true\" symmetric=\"true\" lspace=\"0\" rspace=\"0\">" + escaped(text) +
           "</mo>";
  }

  void write(const Formula& node, bool small) {
    switch (node.kind) {
      case Kind::row:
        row(node, small);
        return;
      case Kind::symbol:
        sign(node, small);
        return;
      case Kind::number:
        out += "<mn>" + escaped(styled(node)) + "</mn>";
        return;
      case Kind::word:
        if (node.cls == Class::function) {
          out += node.limits ? "<mo movablelimits=\"true\" form=\"prefix\" stretchy=\"false\" "
                               "lspace=\"0\" rspace=\"0\">" +
                                   escaped(node.text) + "</mo>"
                             : "<mi mathvariant=\"normal\">" + escaped(node.text) + "</mi>";
        } else {
          out += "<mtext>" + words(node.text) + "</mtext>";
        }
        return;
      case Kind::space:
        space(node.width);
        return;
      case Kind::scripts:
        scripts(node, small);
        return;
      case Kind::fraction:
        out += "<mfrac>";
        row(node.children[0], small);
        row(node.children[1], small);
        out += "</mfrac>";
        return;
      case Kind::root:
        out += node.children[1].empty() ? "<msqrt>" : "<mroot>";
        row(node.children[0], small);
        if (!node.children[1].empty()) row(node.children[1], true);
        out += node.children[1].empty() ? "</msqrt>" : "</mroot>";
        return;
      case Kind::accent:
        out += "<mover accent=\"true\">";
        row(node.children[0], small);
        out += "<mo stretchy=\"false\" lspace=\"0\" rspace=\"0\">" + escaped(node.text) +
               "</mo></mover>";
        return;
      case Kind::brace:
        brace(node, small);
        return;
      case Kind::fenced:
        out += "<mrow>";
        fence(node.left, "prefix");
        children(node.children[0], small);
        fence(node.right, "postfix");
        out += "</mrow>";
        return;
      case Kind::grid:
        grid(node, small);
        return;
    }
  }

  /// Blanks at the ends of \text{ if } are meant; MathML would drop them.
  static std::string words(const std::string& text) {
    std::string out;
    for (const char c : text) c == ' ' ? out += "&#xA0;" : out += escaped(std::string_view(&c, 1));
    return out;
  }

  void scripts(const Formula& node, bool small) {
    const Formula& below = node.children[1];
    const Formula& above = node.children[2];
    const char* name = node.limits ? (below.empty()   ? "mover"
                                      : above.empty() ? "munder"
                                                      : "munderover")
                                   : (below.empty()   ? "msup"
                                      : above.empty() ? "msub"
                                                      : "msubsup");
    out += std::string("<") + name + ">";
    base(node.children[0], small);
    if (!below.empty() || above.empty()) row(below, true);
    if (!above.empty()) row(above, true);
    out += std::string("</") + name + ">";
  }

  /// A bracket that carries a script keeps its own form.
  void base(const Formula& node, bool small) {
    if (node.kind == Kind::row)
      row(node, small);
    else
      write(node, small);
  }

  void brace(const Formula& node, bool small) {
    const bool under = node.text == "⏟";
    const std::string inner = under ? "munder" : "mover";
    const bool label = !node.children[1].empty();
    if (label) out += "<" + inner + ">";
    out += "<" + inner + ">";
    row(node.children[0], small);
    out += "<mo stretchy=\"true\" lspace=\"0\" rspace=\"0\">" + node.text + "</mo></" + inner + ">";
    if (label) {
      row(node.children[1], true);
      out += "</" + inner + ">";
    }
  }

  void grid(const Formula& node, bool small) {
    const bool aligned = node.text == "aligned";
    out += "<mtable class=\"" + node.text + "\"" + (aligned ? " displaystyle=\"true\"" : "") + ">";
    for (const Formula& line : node.children) {
      out += "<mtr>";
      for (std::size_t i = 0; i < line.children.size(); ++i) {
        out += aligned ? (i % 2 == 0 ? "<mtd class=\"right\">" : "<mtd class=\"left\">")
               : node.text == "cases" ? "<mtd class=\"left\">"
                                      : "<mtd>";
        children(line.children[i], small);
        out += "</mtd>";
      }
      out += "</mtr>";
    }
    out += "</mtable>";
  }
};

}  // namespace

std::string to_mathml(const Formula& formula, bool block, std::string_view tex) {
  Writer writer;
  writer.row(formula, false);
  return std::string("<math") + (block ? " display=\"block\"" : "") + " alttext=\"" + escaped(tex) +
         "\">" + writer.out + "</math>";
}

}  // namespace tpp::book
