// A formula as boxes.
#include "viewer/reader/formula_box.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <utility>

#include "viewer/compat.h"

namespace tpp::viewer {
namespace {

using book::Formula;
using book::FormulaClass;
using book::FormulaKind;
using book::FormulaStyle;

// In parts of the letters' size. DejaVu's ascender and descender fill ImGui's line.
constexpr float kAscent = 0.797f;    // from the line's top to the baseline
constexpr float kLetter = 0.63f;     // height of a capital
constexpr float kBelow = 0.20f;      // depth of a letter with a tail
constexpr float kAxis = 0.25f;       // where bars and minus signs lie, above the baseline
constexpr float kScript = 0.72f;     // size of an exponent
constexpr float kLargeSign = 1.55f;  // size of a sum in a block
constexpr float kThin = 0.14f, kMedium = 0.19f, kThick = 0.24f;  // spaces between classes

class Setter {
 public:
  Setter(const Theme& theme, float least) : theme_(theme), least_(least) {}

  FormulaBox set(const Formula& node, float size, bool block, bool script = false) const;

 private:
  FormulaBox row(const Formula& node, float size, bool block, bool script) const;
  FormulaBox sign(const std::string& text, Font font, float size) const;
  FormulaBox scripts(const Formula& node, float size, bool block, bool script) const;
  FormulaBox fraction(const Formula& node, float size, bool block, bool script) const;
  FormulaBox root(const Formula& node, float size, bool block, bool script) const;
  FormulaBox accent(const Formula& node, float size, bool block, bool script) const;
  FormulaBox brace(const Formula& node, float size, bool block) const;
  FormulaBox fenced(const Formula& node, float size, bool block, bool script) const;
  FormulaBox grid(const Formula& node, float size, bool script) const;
  FormulaBox fence(const std::string& text, float size, float height, float depth) const;

  float smaller(float size) const { return std::max(least_, std::round(size * kScript)); }
  float line(float size) const { return std::max(1.0f, std::round(size / 16)); }

  const Theme& theme_;
  float least_;
};

/// Put a box into another, its baseline moved by (x, y), y downwards.
void place(FormulaBox& into, const FormulaBox& box, float x, float y) {
  for (FormulaBox::Sign sign : box.signs) {
    sign.baseline.x += x;
    sign.baseline.y += y;
    into.signs.push_back(std::move(sign));
  }
  for (FormulaBox::Stroke stroke : box.strokes) {
    for (ImVec2& p : stroke.points) p.x += x, p.y += y;
    into.strokes.push_back(std::move(stroke));
  }
  into.width = std::max(into.width, x + box.width);
  into.height = std::max(into.height, box.height - y);
  into.depth = std::max(into.depth, box.depth + y);
}

/// The space between two neighbours, in parts of the size (The TeXbook, chapter 18, shortened).
float space_between(FormulaClass left, FormulaClass right, bool script) {
  using C = FormulaClass;
  const bool operator_near = left == C::function || left == C::large;
  if (left == C::opening || right == C::closing) return 0;
  if (left == C::punctuation) return script ? 0 : kThin;
  if (left == C::relation || right == C::relation) return script ? 0 : kThick;
  if (left == C::binary || right == C::binary) return script ? 0 : kMedium;
  if (operator_near && right != C::opening && right != C::punctuation) return kThin;
  if (right == C::function || right == C::large) return left == C::closing ? kThin : kThin;
  return 0;
}

FormulaBox Setter::set(const Formula& node, float size, bool block, bool script) const {
  switch (node.kind) {
    case FormulaKind::row:
      return row(node, size, block, script);
    case FormulaKind::symbol: {
      const bool large = block && !script && node.cls == FormulaClass::large;
      const Font font = node.style == FormulaStyle::bold ? Font::strong : Font::formula;
      FormulaBox box = sign(node.text, font, large ? std::round(size * kLargeSign) : size);
      if (!large) return box;
      // A large sign is centred on the axis
      FormulaBox centred;
      place(centred, box, 0, (box.height - box.depth) / 2 - size * kAxis);
      return centred;
    }
    case FormulaKind::number:
      return sign(node.text, Font::formula, size);
    case FormulaKind::word:
      return sign(node.text, node.style == FormulaStyle::bold ? Font::strong : Font::formula, size);
    case FormulaKind::space: {
      FormulaBox box;
      box.width = float(node.width) * size;
      return box;
    }
    case FormulaKind::scripts:
      return scripts(node, size, block, script);
    case FormulaKind::fraction:
      return fraction(node, size, block, script);
    case FormulaKind::root:
      return root(node, size, block, script);
    case FormulaKind::accent:
      return accent(node, size, block, script);
    case FormulaKind::brace:
      return brace(node, size, block);
    case FormulaKind::fenced:
      return fenced(node, size, block, script);
    case FormulaKind::grid:
      return grid(node, size, script);
  }
  return {};
}

FormulaBox Setter::row(const Formula& node, float size, bool block, bool script) const {
  FormulaBox box;
  const Formula* before = nullptr;
  for (const Formula& child : node.children) {
    if (before && before->kind != FormulaKind::space && child.kind != FormulaKind::space) {
      box.width += size * space_between(book::class_of(*before), book::class_of(child), script);
    }
    const float x = box.width;
    place(box, set(child, size, block, script), x, 0);
    before = &child;
  }
  return box;
}

FormulaBox Setter::sign(const std::string& text, Font font, float size) const {
  FormulaBox box;
  box.width = text_width(theme_, font, size, text);
  box.height = size * kLetter;
  box.depth = size * kBelow;
  box.signs.push_back({text, font, size, ImVec2(0, 0)});
  return box;
}

FormulaBox Setter::scripts(const Formula& node, float size, bool block, bool script) const {
  const Formula &base = node.children[0], &below = node.children[1];
  Formula above = node.children[2];
  FormulaBox box = set(base, size, block, script);

  const float base_end = box.width;
  // A prime's sign hangs high by itself: at a script's size, and raised, it would be a speck
  const bool alone = above.kind == FormulaKind::symbol;
  const Formula* first = alone                    ? &above
                         : above.children.empty() ? nullptr
                                                  : &above.children.front();
  if (first && first->text.starts_with("′")) {
    const float x = box.width + size * 0.02f;
    place(box, sign(first->text, Font::formula, size), x, 0);
    if (alone || above.children.size() == 1) {
      above = {};
    } else {
      above.children.erase(above.children.begin());
    }
  }
  const float small = smaller(size);
  const FormulaBox low = set(below, small, false, true), high = set(above, small, false, true);

  // Limits: over and under a sum, a maximum, a brace
  if (block && !script && node.limits) {
    FormulaBox stack;
    const float width = std::max({box.width, low.width, high.width});
    const float gap = size * 0.12f;
    place(stack, box, (width - box.width) / 2, 0);
    const float height = box.height, depth = box.depth;
    if (!below.empty()) place(stack, low, (width - low.width) / 2, depth + gap + low.height);
    if (!above.empty()) place(stack, high, (width - high.width) / 2, -(height + gap + high.depth));
    stack.width = width;
    return stack;
  }

  // Beside: an exponent rises with what it stands on, an index sinks below the baseline
  const float x = box.width + size * 0.03f;
  const float up = std::max(size * 0.36f, box.height - high.height * 0.55f);
  float down = std::max(size * 0.17f, box.depth - size * 0.05f);
  if (!below.empty() && !above.empty()) {
    down = std::max(down, low.height - (up - high.depth) + size * 0.08f);
  }
  if (!below.empty()) place(box, low, base_end + size * 0.03f, down);
  if (!above.empty()) place(box, high, x, -up);
  box.width += size * 0.04f;
  return box;
}

FormulaBox Setter::fraction(const Formula& node, float size, bool block, bool script) const {
  const float inner = block && !script ? size : std::max(least_, std::round(size * 0.8f));
  const FormulaBox over = set(node.children[0], inner, false, script || !block);
  const FormulaBox under = set(node.children[1], inner, false, script || !block);
  const float bar = line(size), gap = size * 0.16f, axis = size * kAxis, side = size * 0.08f;
  const float width = std::max(over.width, under.width) + 2 * side;
  FormulaBox box;
  place(box, over, (width - over.width) / 2, -(axis + bar / 2 + gap + over.depth));
  place(box, under, (width - under.width) / 2, -axis + bar / 2 + gap + under.height);
  box.strokes.push_back({{ImVec2(0, -axis), ImVec2(width, -axis)}, bar});
  box.width = width + size * 0.06f;
  return box;
}

FormulaBox Setter::root(const Formula& node, float size, bool block, bool script) const {
  const FormulaBox inside = set(node.children[0], size, block, script);
  const float bar = line(size), gap = size * 0.12f, hook = size * 0.5f;
  const float top = inside.height + gap, bottom = inside.depth;
  FormulaBox box;
  if (node.children.size() > 1 && !node.children[1].empty()) {
    place(box, set(node.children[1], smaller(size), false, true), 0, -top * 0.55f);
  }
  const float x = std::max(0.0f, box.width - hook * 0.4f);
  place(box, inside, x + hook + size * 0.06f, 0);
  box.strokes.push_back(
      {{ImVec2(x, bottom - (top + bottom) * 0.45f),
        ImVec2(x + hook * 0.22f, bottom - (top + bottom) * 0.52f), ImVec2(x + hook * 0.55f, bottom),
        ImVec2(x + hook, -top), ImVec2(box.width + size * 0.04f, -top)},
       bar});
  box.height = std::max(box.height, top + bar);
  box.width += size * 0.1f;
  return box;
}

FormulaBox Setter::accent(const Formula& node, float size, bool block, bool script) const {
  FormulaBox box = set(node.children[0], size, block, script);
  const float y = -(box.height + size * 0.06f), middle = box.width / 2, w = size * 0.2f;
  const float rise = size * 0.14f, bar = line(size);
  const std::string& mark = node.text;
  if (mark == "¯") {
    box.strokes.push_back({{ImVec2(0, y), ImVec2(box.width, y)}, bar});
  } else if (mark == "→") {
    const float to = std::max(box.width, 2 * w);
    box.strokes.push_back({{ImVec2(0, y), ImVec2(to, y)}, bar});
    box.strokes.push_back(
        {{ImVec2(to - rise, y - rise * 0.7f), ImVec2(to, y), ImVec2(to - rise, y + rise * 0.7f)},
         bar});
  } else if (mark == "~") {
    FormulaBox::Stroke wave{{}, bar};
    for (int i = 0; i <= 12; ++i) {
      const float t = float(i) / 12;
      wave.points.emplace_back(middle + w * (2 * t - 1),
                               y - rise / 2 - rise * 0.4f * std::sin(6.28f * t));
    }
    box.strokes.push_back(std::move(wave));
  } else if (mark == "˙") {
    const float r = std::max(0.7f, size * 0.045f);
    FormulaBox::Stroke dot{{}, 1.6f * r};
    for (int i = 0; i <= 8; ++i) {
      const float t = 6.2832f * float(i) / 8;
      dot.points.emplace_back(middle + r * std::cos(t), y - rise / 2 + r * std::sin(t));
    }
    box.strokes.push_back(std::move(dot));
  } else {  // a hat
    box.strokes.push_back(
        {{ImVec2(middle - w, y), ImVec2(middle, y - rise), ImVec2(middle + w, y)}, bar});
  }
  box.height += rise + size * 0.1f;
  return box;
}

FormulaBox Setter::brace(const Formula& node, float size, bool block) const {
  const FormulaBox inside = set(node.children[0], size, block, false);
  const FormulaBox label =
      node.children.size() > 1 ? set(node.children[1], smaller(size), false, true) : FormulaBox{};
  const bool below = node.text == "⏟";
  const float width = std::max(inside.width, label.width), x = (width - inside.width) / 2;
  const float h = size * 0.22f, gap = size * 0.1f, bar = line(size);
  FormulaBox box;
  place(box, inside, x, 0);

  // Two arcs that meet in a point, mirrored for a brace above
  const float y = below ? box.depth + gap : -(box.height + gap), d = below ? 1.0f : -1.0f;
  const float x1 = x + inside.width, middle = (x + x1) / 2, r = std::min(h, inside.width / 4);
  box.strokes.push_back(
      {{ImVec2(x, y), ImVec2(x + r * 0.4f, y + d * h * 0.45f), ImVec2(x + r, y + d * h * 0.5f),
        ImVec2(middle - r, y + d * h * 0.5f), ImVec2(middle, y + d * h),
        ImVec2(middle + r, y + d * h * 0.5f), ImVec2(x1 - r, y + d * h * 0.5f),
        ImVec2(x1 - r * 0.4f, y + d * h * 0.45f), ImVec2(x1, y)},
       bar});
  const float far = h + gap;
  if (below) {
    box.depth += far;
    if (label.width > 0)
      place(box, label, (width - label.width) / 2, box.depth + gap + label.height);
  } else {
    box.height += far;
    if (label.width > 0)
      place(box, label, (width - label.width) / 2, -(box.height + gap + label.depth));
  }
  box.width = width;
  return box;
}

FormulaBox Setter::fenced(const Formula& node, float size, bool block, bool script) const {
  FormulaBox inside;
  for (const Formula& child : node.children) {
    const float x = inside.width;
    place(inside, set(child, size, block, script), x, 0);
  }
  // As far above the axis as below
  const float axis = size * kAxis;
  const float half = std::max({inside.height - axis, inside.depth + axis, size * 0.45f});
  FormulaBox box;
  const auto side = [&](const std::string& text) {
    if (text.empty() || text == ".") return;
    const float x = box.width;
    place(box, fence(text, size, half + axis, half - axis), x, 0);
  };
  side(node.left);
  const float air = size * 0.05f, x = box.width + air;
  place(box, inside, x, 0);
  box.width += air;
  side(node.right);
  box.width += air;
  return box;
}

FormulaBox Setter::fence(const std::string& text, float size, float height, float depth) const {
  // A letter of the font where it is tall enough, else drawn to measure
  if (height + depth < size * 1.1f) return sign(text, Font::formula, size);
  FormulaBox box;
  const float w = size * 0.28f, top = -height, bottom = depth, bar = line(size);
  const float left = size * 0.08f, right = left + w, middle = (top + bottom) / 2;
  const auto stroke = [&](std::vector<ImVec2> points) {
    box.strokes.push_back({std::move(points), bar});
  };
  const auto arc = [&](float from, float to) {
    std::vector<ImVec2> points;
    for (int i = 0; i <= 16; ++i) {
      const float t = float(i) / 16, bend = 4 * t * (1 - t);
      points.emplace_back(from + (to - from) * bend, top + (bottom - top) * t);
    }
    stroke(std::move(points));
  };
  const auto curly = [&](float from, float to) {
    const float in = (from + to) / 2, r = std::min(size * 0.3f, (bottom - top) / 6);
    stroke({ImVec2(from, top), ImVec2(in, top + r * 0.35f), ImVec2(in, top + r),
            ImVec2(in, middle - r), ImVec2(to, middle), ImVec2(in, middle + r),
            ImVec2(in, bottom - r), ImVec2(in, bottom - r * 0.35f), ImVec2(from, bottom)});
  };
  if (text == "(")
    arc(right, left);
  else if (text == ")")
    arc(left, right);
  else if (text == "{")
    curly(right, left);
  else if (text == "}")
    curly(left, right);
  else if (text == "|")
    stroke({ImVec2(left + w / 2, top), ImVec2(left + w / 2, bottom)});
  else if (text == "‖") {
    stroke({ImVec2(left + w * 0.25f, top), ImVec2(left + w * 0.25f, bottom)});
    stroke({ImVec2(left + w * 0.75f, top), ImVec2(left + w * 0.75f, bottom)});
  } else if (text == "⟨")
    stroke({ImVec2(right, top), ImVec2(left, middle), ImVec2(right, bottom)});
  else if (text == "⟩")
    stroke({ImVec2(left, top), ImVec2(right, middle), ImVec2(left, bottom)});
  else {  // brackets, floors and ceilings: a post, and feet where there are some
    const bool opens = text == "[" || text == "⌊" || text == "⌈";
    const bool head = text == "[" || text == "]" || text == "⌈" || text == "⌉";
    const bool foot = text == "[" || text == "]" || text == "⌊" || text == "⌋";
    const float post = opens ? left : right, end = opens ? right : left;
    std::vector<ImVec2> points;
    if (head) points.emplace_back(end, top);
    points.emplace_back(post, top);
    points.emplace_back(post, bottom);
    if (foot) points.emplace_back(end, bottom);
    stroke(std::move(points));
  }
  box.width = right + left;
  box.height = height;
  box.depth = depth;
  return box;
}

FormulaBox Setter::grid(const Formula& node, float size, bool script) const {
  const bool aligned = node.text == "aligned", cases = node.text == "cases";
  std::vector<std::vector<FormulaBox>> cells;
  std::vector<float> widths;
  for (const Formula& line : node.children) {
    auto& made = cells.emplace_back();
    for (std::size_t c = 0; c < line.children.size(); ++c) {
      const Formula& cell = line.children[c];
      FormulaBox inside;
      if (aligned && c % 2 == 1 && !cell.empty()) {  // as if what stands to the left were there
        const Formula& first = cell.kind == FormulaKind::row ? cell.children.front() : cell;
        inside.width = size * space_between(FormulaClass::ordinary, book::class_of(first), script);
      }
      place(inside, set(cell, size, aligned, script), float(inside.width), 0);
      made.push_back(std::move(inside));
      if (widths.size() <= c) widths.push_back(0);
      widths[c] = std::max(widths[c], made.back().width);
    }
  }

  FormulaBox box;
  float y = 0;  // of the row's baseline
  float last_depth = 0;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    float height = size * kLetter, depth = size * kBelow;
    for (const FormulaBox& cell : cells[r]) {
      height = std::max(height, cell.height);
      depth = std::max(depth, cell.depth);
    }
    if (r > 0) y += last_depth + height + size * (aligned ? 0.45f : 0.3f);
    float x = 0;
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      const float room = widths[c] - cells[r][c].width;
      const float shift = aligned ? (c % 2 == 0 ? room : 0) : cases ? 0 : room / 2;
      if (c > 0 && (!aligned || c % 2 == 0)) x += size * (aligned ? 1.2f : 0.9f);
      place(box, cells[r][c], x + shift, y);
      x += widths[c];
    }
    box.width = std::max(box.width, x);
    last_depth = depth;
  }

  // Centred on the axis
  FormulaBox centred;
  place(centred, box, 0, (box.height - box.depth) / 2 - size * kAxis);
  return centred;
}

}  // namespace

float ascent_of(float size) { return size * kAscent; }

float text_width(const Theme& theme, Font font, float size, std::string_view text) {
  ImFont* face = theme.font(font);
  if (!face || text.empty()) return 0;
  return face->CalcTextSizeA(size, FLT_MAX, 0, text.data(), text.data() + text.size()).x;
}

FormulaBox lay_out(const Formula& formula, const Theme& theme, float size, bool block) {
  return Setter(theme, std::round(size * 0.6f)).set(formula, size, block);
}

void draw_formula(ImDrawList* list, const Theme& theme, const FormulaBox& box, ImVec2 at,
                  Rgba colour) {
  for (const FormulaBox::Sign& sign : box.signs) {
    list->AddText(theme.font(sign.font), sign.size,
                  ImVec2(at.x + sign.baseline.x, at.y + sign.baseline.y - ascent_of(sign.size)),
                  colour, sign.text.data(), sign.text.data() + sign.text.size());
  }
  std::vector<ImVec2> points;
  for (const FormulaBox::Stroke& stroke : box.strokes) {
    points.clear();
    for (const ImVec2& p : stroke.points) points.emplace_back(at.x + p.x, at.y + p.y);
    compat::add_polyline(list, points.data(), int(points.size()), colour, false, stroke.thickness);
  }
}

}  // namespace tpp::viewer
