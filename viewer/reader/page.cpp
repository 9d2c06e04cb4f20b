// A document laid out for a width.
#include "viewer/reader/page.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/book/highlight.h"
#include "viewer/reader/ink.h"

namespace tpp::viewer {
namespace {

using book::Block;
using book::BlockKind;
using book::Span;
using book::SpanKind;

/// How the words of a span look.
struct Style {
  Font font = Font::body;
  float size = 0;
  Rgba colour = 0;
  std::string link;
  bool code = false;
};

/// What a line is made of: a word, a formula, or a space where it may break.
struct Item {
  enum class Kind { word, formula, space, line_break } kind = Kind::word;
  Style style;
  std::string text;
  FormulaBox box;
  float width = 0, height = 0, depth = 0;
};

class Composer {
 public:
  Composer(const Theme& theme, float width, const PictureHeight& picture_height,
           const SourceText& source_text)
      : theme_(theme),
        colours_(theme.colours()),
        width_(width),
        picture_height_(picture_height),
        source_text_(source_text) {}

  Page compose(const book::Document& document) {
    page_.body.width = width_;
    for (const Block& block : document.blocks) put(block, 0);
    page_.height = page_.body.height = y_ + theme_.px(40);
    return std::move(page_);
  }

 private:
  void put(const Block& block, float indent);
  void put_heading(const Block& block);
  void put_list(const Block& block, float indent);
  void put_code(const Block& block, float indent);
  void put_formula(const Block& block, float indent);
  void put_table(const Block& block, float indent);
  void put_picture(const Span& span, const Block& block, float indent);
  void put_wide(Canvas&& canvas, float indent, Rgba ground, int line, float line_height);

  [[nodiscard]] Style body() const {
    return {Font::body, theme_.font_size(Font::body), colours_.text, "", false};
  }
  [[nodiscard]] float gap() const { return theme_.px(10); }

  void collect(const std::vector<Span>& spans, const Style& style, std::vector<Item>& items) const;
  void add_words(const std::string& text, const Style& style, std::vector<Item>& items) const;
  /// Break into lines and put them down; returns the height that they took.
  float flow(std::vector<Item> items, Canvas& canvas, float x, float y, float width,
             book::Align align = book::Align::none) const;
  [[nodiscard]] static float natural_width(const std::vector<Item>& items);

  const Theme& theme_;
  const Palette& colours_;
  float width_;
  const PictureHeight& picture_height_;
  const SourceText& source_text_;
  Page page_;
  float y_ = 0;
};

// --- Lines of words -------------------------------------------------------------------------------

void Composer::add_words(const std::string& text, const Style& style,
                         std::vector<Item>& items) const {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool space = text[at] == ' ' || text[at] == '\n' || text[at] == '\t';
    std::size_t end = at;
    while (end < text.size() &&
           (text[end] == ' ' || text[end] == '\n' || text[end] == '\t') == space) {
      ++end;
    }
    Item item{space ? Item::Kind::space : Item::Kind::word,
              style,
              space ? " " : text.substr(at, end - at),
              {},
              0,
              0,
              0};
    item.width = text_width(theme_, style.font, style.size, item.text);
    item.height = ascent_of(style.size);
    item.depth = style.size - item.height;
    items.push_back(std::move(item));
    at = end;
  }
}

void Composer::collect(const std::vector<Span>& spans, const Style& style,
                       std::vector<Item>& items) const {
  for (const Span& span : spans) {
    Style inner = style;
    switch (span.kind) {
      case SpanKind::text:
        add_words(span.text, style, items);
        break;
      case SpanKind::emphasis:
        inner.font = Font::formula;  // letters with serifs: there is no slanted font everywhere
        inner.size = style.size * 1.04f;
        collect(span.children, inner, items);
        break;
      case SpanKind::strong:
        inner.font = Font::strong;
        collect(span.children, inner, items);
        break;
      case SpanKind::strike:
        inner.colour = colours_.muted;
        collect(span.children, inner, items);
        break;
      case SpanKind::code:
        inner.font = Font::mono;
        inner.size = std::round(style.size * 0.9f);
        inner.code = true;
        add_words(span.text, inner, items);
        break;
      case SpanKind::formula: {
        if (span.formula.empty()) {
          inner.font = Font::mono;
          add_words(span.text, inner, items);
          break;
        }
        Item item{Item::Kind::formula, style, "", {}, 0, 0, 0};
        item.box = lay_out(span.formula, theme_, style.size * 1.06f, false);
        item.width = item.box.width;
        item.height = std::max(item.box.height, ascent_of(style.size));
        item.depth = std::max(item.box.depth, style.size - ascent_of(style.size));
        items.push_back(std::move(item));
        break;
      }
      case SpanKind::link:
        inner.colour = colours_.accent;
        inner.link = span.target;
        collect(span.children, inner, items);
        break;
      case SpanKind::picture:
        inner.colour = colours_.muted;
        add_words(span.text, inner, items);
        break;
      case SpanKind::soft_break:
        add_words(" ", style, items);
        break;
      case SpanKind::line_break: {
        Item item{Item::Kind::line_break, style, "", {}, 0, 0, 0};
        item.height = ascent_of(style.size);
        items.push_back(std::move(item));
        break;
      }
    }
  }
}

float Composer::natural_width(const std::vector<Item>& items) {
  float sum = 0;
  for (const Item& item : items) sum += item.width;
  return sum;
}

float Composer::flow(std::vector<Item> items, Canvas& canvas, float x, float y, float width,
                     book::Align align) const {
  const float leading = theme_.px(6);
  float height = 0;
  std::size_t at = 0;
  while (at < items.size()) {
    // What fits: breaks are at spaces, and a comma stays with the formula before it
    std::size_t end = at, fits = at;
    float used = 0, used_at_fit = 0;
    for (; end < items.size(); ++end) {
      const Item& item = items[end];
      if (item.kind == Item::Kind::line_break) {
        fits = end;
        used_at_fit = used;
        break;
      }
      if (item.kind == Item::Kind::space) {
        fits = end;
        used_at_fit = used;
      }
      if (used + item.width > width && item.kind != Item::Kind::space && fits > at) break;
      used += item.width;
    }
    const bool last = end == items.size();
    if (last) fits = end, used_at_fit = used;
    if (fits == at && !last && items[at].kind != Item::Kind::line_break) fits = end;

    float up = 0, down = 0;
    for (std::size_t i = at; i < fits; ++i) {
      up = std::max(up, items[i].height);
      down = std::max(down, items[i].depth);
    }
    if (up == 0) up = items[std::min(at, items.size() - 1)].height;
    const float baseline = y + height + up;
    float left = x;
    if (align == book::Align::right) left = x + std::max(0.0f, width - used_at_fit);
    if (align == book::Align::centre) left = x + std::max(0.0f, (width - used_at_fit) / 2);
    for (std::size_t i = at; i < fits; ++i) {
      Item& item = items[i];
      const Style& style = item.style;
      const float top = baseline - ascent_of(style.size);
      if (style.code && item.kind != Item::Kind::line_break) {
        const float pad = theme_.px(2);
        const bool first = i == at || !items[i - 1].style.code;
        const bool final = i + 1 == fits || !items[i + 1].style.code;
        canvas.fills.push_back(
            {{left - (first ? pad : 0), top - pad / 2,
              item.width + (first ? pad : 0) + (final ? pad : 0), style.size + pad},
             colours_.raised,
             0});
      }
      if (!style.link.empty()) {
        const Rect rect{left, top, item.width, style.size};
        // Words of one link are one place
        if (i > at && !canvas.links.empty() && canvas.links.back().target == style.link &&
            items[i - 1].style.link == style.link) {
          canvas.links.back().rect.w = rect.right() - canvas.links.back().rect.x;
        } else {
          canvas.links.push_back({rect, style.link});
        }
      }
      if (item.kind == Item::Kind::word) {
        canvas.texts.push_back(
            {ImVec2(left, top), style.font, style.size, style.colour, item.text});
      } else if (item.kind == Item::Kind::formula) {
        canvas.formulas.push_back({ImVec2(left, baseline), std::move(item.box), style.colour});
      }
      left += item.width;
    }
    height += up + down + leading;
    at = fits;
    if (at < items.size() && items[at].kind == Item::Kind::line_break) ++at;
    while (at < items.size() && items[at].kind == Item::Kind::space) ++at;
  }
  return height;
}

// --- Blocks -----------------------------------------------------------------------------------------

void Composer::put(const Block& block, float indent) {
  switch (block.kind) {
    case BlockKind::heading:
      put_heading(block);
      break;
    case BlockKind::paragraph: {
      if (block.spans.size() == 1 && block.spans[0].kind == SpanKind::picture) {
        put_picture(block.spans[0], block, indent);
        break;
      }
      std::vector<Item> items;
      Style style = body();
      const bool measured = block.directive.starts_with("table ");  // what a table was measured on
      if (measured || block.directive.starts_with("nav"))
        style.size = theme_.font_size(Font::small);
      if (measured) style.colour = colours_.muted;
      collect(block.spans, style, items);
      y_ += flow(std::move(items), page_.body, indent, y_, width_ - indent) + gap();
      break;
    }
    case BlockKind::list:
      put_list(block, indent);
      break;
    case BlockKind::item:
      for (const Block& child : block.children) put(child, indent);
      break;
    case BlockKind::table:
      put_table(block, indent);
      break;
    case BlockKind::code:
      put_code(block, indent);
      break;
    case BlockKind::formula:
      put_formula(block, indent);
      break;
    case BlockKind::quote: {
      const float top = y_, bar = theme_.px(3);
      for (const Block& child : block.children) put(child, indent + theme_.px(14));
      page_.body.fills.push_back({{indent, top, bar, y_ - top - gap()}, colours_.border, 0});
      break;
    }
    case BlockKind::rule:
      page_.body.fills.push_back({{indent, y_, width_ - indent, theme_.px(1)}, colours_.border, 0});
      y_ += 2 * gap();
      break;
    case BlockKind::row:
    case BlockKind::cell:
      break;  // inside a table
  }
}

void Composer::put_heading(const Block& block) {
  Style style = body();
  style.font = Font::strong;
  style.size = theme_.font_size(block.level == 1   ? Font::strong
                                : block.level == 2 ? Font::title
                                                   : Font::body);
  if (block.level == 1) style.size = std::round(style.size * 1.3f);
  if (y_ > 0) y_ += theme_.px(block.level <= 2 ? 22 : 12);
  page_.headings.push_back({y_, block.level, block.slug, book::plain_text(block.spans)});
  std::vector<Item> items;
  collect(block.spans, style, items);
  y_ += flow(std::move(items), page_.body, 0, y_, width_) + gap();
}

void Composer::put_list(const Block& block, float indent) {
  const Style style = body();
  int number = block.start;
  for (const Block& item : block.children) {
    const std::string mark = block.ordered ? std::to_string(number++) + "." : "•";
    const float w = text_width(theme_, style.font, style.size, mark);
    const float room = theme_.px(22);
    page_.body.texts.push_back({ImVec2(indent + room - theme_.px(7) - w, y_), style.font,
                                style.size, colours_.muted, mark});
    if (!item.spans.empty()) {  // a tight list's words stand in the item itself
      std::vector<Item> words;
      collect(item.spans, style, words);
      y_ += flow(std::move(words), page_.body, indent + room, y_, width_ - indent - room) +
            theme_.px(4);
    }
    for (const Block& child : item.children) {
      put(child, indent + room);
      if (block.tight && child.kind == BlockKind::paragraph) y_ -= gap() - theme_.px(2);
    }
    if (item.children.empty() && item.spans.empty()) y_ += style.size;
  }
  if (block.tight) y_ += gap() - theme_.px(2);
}

void Composer::put_wide(Canvas&& canvas, float indent, Rgba ground, int line, float line_height) {
  const float room = width_ - indent;
  const float bar = canvas.width > room ? theme_.px(10) : 0;  // where the scroll bar goes
  const Rect rect{indent, y_, room, canvas.height + bar};
  if (alpha(ground) > 0) page_.body.fills.push_back({rect, ground, theme_.px(4)});
  page_.wide.push_back({rect, std::move(canvas), line, line_height});
  y_ += rect.h + gap();
}

void Composer::put_code(const Block& block, float indent) {
  const float size = theme_.font_size(Font::mono), line_height = std::round(size * 1.32f);
  const float pad = theme_.px(8);
  const int first = block.snippet ? block.snippet->first : 0;
  Canvas canvas;

  // The numbers of the file's lines, as wide as the last
  const int lines = int(std::count(block.text.begin(), block.text.end(), '\n'));
  float x0 = pad;
  if (first > 0) {
    const float number = text_width(theme_, Font::mono_small, theme_.font_size(Font::mono_small),
                                    std::to_string(std::max(block.snippet->last, first + lines)));
    std::vector<int> numbers;  // where the region leaves lines of its file out
    if (source_text_ && block.snippet->last - first + 1 > lines) {
      numbers = book::snippet_lines(*block.snippet, block.text, source_text_(block.snippet->file));
    }
    for (int i = 0; i < lines; ++i) {
      const std::string text =
          std::to_string(i < int(numbers.size()) ? numbers[std::size_t(i)] : first + i);
      const float s = theme_.font_size(Font::mono_small);
      canvas.texts.push_back({ImVec2(pad + number - text_width(theme_, Font::mono_small, s, text),
                                     pad + float(i) * line_height + (size - s)),
                              Font::mono_small, s, colours_.muted, text});
    }
    x0 += number + theme_.px(12);
  }

  float x = x0, y = pad, widest = 0;
  for (const book::InkSpan& span : book::highlight(block.language, block.text)) {
    std::size_t at = span.begin;
    while (at < span.end) {
      const std::size_t end = std::min(block.text.find('\n', at), span.end);
      if (end > at) {
        std::string piece = block.text.substr(at, end - at);
        const float w = text_width(theme_, Font::mono, size, piece);
        canvas.texts.push_back(
            {ImVec2(x, y), Font::mono, size, ink_colour(colours_, span.ink), std::move(piece)});
        x += w;
        widest = std::max(widest, x);
      }
      at = end;
      if (at < span.end) {  // a line's end
        ++at;
        x = x0;
        y += line_height;
      }
    }
  }
  canvas.width = widest + pad;
  canvas.height = std::max(y, pad + line_height) + pad;
  if (x > x0) canvas.height += line_height;
  put_wide(std::move(canvas), indent, colours_.raised, first, line_height);

  // Where it stands in the repository
  if (block.snippet && !block.snippet->caption.empty()) {
    y_ -= gap() - theme_.px(3);
    Style style = body();
    style.size = theme_.font_size(Font::small);
    style.colour = colours_.accent;
    style.link = block.snippet->target;
    std::vector<Item> items;
    add_words(block.snippet->caption, style, items);
    y_ += flow(std::move(items), page_.body, indent + pad, y_, width_ - indent) + gap();
  }
}

void Composer::put_formula(const Block& block, float indent) {
  if (block.formula.empty()) {  // a mistake is shown as it was written
    Block code = block;
    code.kind = BlockKind::code;
    put_code(code, indent);
    return;
  }
  FormulaBox box = lay_out(block.formula, theme_, theme_.font_size(Font::body) * 1.12f, true);
  const float room = width_ - indent, pad = theme_.px(6);
  Canvas canvas;
  canvas.width = box.width + 2 * pad;
  canvas.height = box.height + box.depth + 2 * pad;
  const float x = std::max(pad, (room - box.width) / 2);
  const ImVec2 baseline(x, pad + box.height);
  canvas.formulas.push_back({baseline, std::move(box), colours_.text});
  put_wide(std::move(canvas), indent, 0, 0, 0);
}

/// A row with one bold cell and nothing beside it: the title of the rows below.
bool is_group(const Block& row) {
  return row.children.size() > 1 && !row.children[0].spans.empty() &&
         row.children[0].spans[0].kind == book::SpanKind::strong &&
         std::all_of(row.children.begin() + 1, row.children.end(),
                     [](const Block& cell) { return cell.spans.empty(); });
}

void Composer::put_table(const Block& block, float indent) {
  const float pad = theme_.px(8), most = theme_.em() * 26;
  Style style = body();
  style.size = theme_.font_size(Font::small);

  // As wide as its words want, up to a limit; a table that is too wide scrolls in its box
  std::vector<float> widths(block.align.size(), 0);
  std::vector<std::vector<std::vector<Item>>> rows;
  std::vector<char> group;  // a bold cell and nothing beside it: a title, which no column holds
  for (const Block& row : block.children) {
    auto& cells = rows.emplace_back();
    group.push_back(rows.size() > 1 && is_group(row));
    for (std::size_t c = 0; c < row.children.size() && c < widths.size(); ++c) {
      Style own = style;
      if (rows.size() == 1) own.font = Font::strong;
      collect(row.children[c].spans, own, cells.emplace_back());
      if (group.back()) continue;
      widths[c] = std::max(widths[c], std::min(most, natural_width(cells.back()) + 1));
    }
  }
  float whole = 0;
  for (const float w : widths) whole += w + 2 * pad;

  Canvas canvas;
  float y = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    float x = 0, height = 0;
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (group[r] && c == 0) y += theme_.px(8);
      height = std::max(height, flow(std::move(rows[r][c]), canvas, x + pad, y + theme_.px(4),
                                     group[r] ? whole - 2 * pad : widths[c],
                                     group[r] ? book::Align::none : block.align[c]));
      if (group[r]) break;
      x += widths[c] + 2 * pad;
    }
    y += height + theme_.px(4);
    canvas.fills.push_back({{0, y, whole, theme_.px(1)}, colours_.border, 0});
    y += theme_.px(1);
  }
  canvas.width = whole;
  canvas.height = y;
  put_wide(std::move(canvas), indent, 0, 0, 0);
}

void Composer::put_picture(const Span& span, const Block& block, float indent) {
  Page::Picture picture;
  picture.target = span.target;
  picture.words = span.text;
  if (block.directive.starts_with("plot ")) {
    const std::string rest = block.directive.substr(5);
    picture.plot = rest.substr(0, rest.find_first_of(" \""));
  }
  const float room = std::min(width_ - indent, theme_.px(900));
  const float height =
      !picture.plot.empty() ? std::round(room * 0.56f) : picture_height_(picture.target, room);
  if (height > 0) {
    picture.rect = {indent, y_, room, height};
    page_.pictures.push_back(std::move(picture));
    y_ += height + theme_.px(4);
  }
  Style style = body();
  style.size = theme_.font_size(Font::small);
  style.colour = colours_.muted;
  std::vector<Item> items;
  add_words(span.text, style, items);
  y_ += flow(std::move(items), page_.body, indent, y_, width_ - indent) + gap();
}

}  // namespace

Page lay_out(const book::Document& document, const Theme& theme, float width,
             const PictureHeight& picture_height, const SourceText& source_text) {
  return Composer(theme, std::max(width, theme.px(120)), picture_height, source_text)
      .compose(document);
}

}  // namespace tpp::viewer
