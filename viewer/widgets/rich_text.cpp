// Text with coloured dimensions.
#include "viewer/widgets/rich_text.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace tpp::viewer {
namespace {

Rgba colour_of(const Ui& ui, char mark, Rgba plain) {
  const Theme& t = ui.theme;
  switch (mark) {
    case 'T':
      return t.dim(Dim::time);
    case 'D':
      return t.dim(Dim::width);
    case 'H':
      return t.dim(Dim::head);
    case 'P':
      return t.dim(Dim::pair);
    case 'V':
      return t.dim(Dim::vocab);
    case 'A':
      return t.colours().run_a;
    case 'B':
      return t.colours().run_b;
    case '*':
      return t.colours().accent;
    case '-':
      return t.colours().muted;
    default:
      return plain;
  }
}

/// The letters of a run: those of the current font, or of code.
struct Letters {
  ImFont* font;
  float size;
  Letters(const Ui& ui, char mark) : font(ImGui::GetFont()), size(ImGui::GetFontSize()) {
    ImFont* mono = mark == '`' ? ui.theme.font(Font::mono) : nullptr;
    if (!mono) return;
    font = mono;
    size = ui.theme.font_size(Font::mono);
  }
  float width(std::string_view s) const {
    return font->CalcTextSizeA(size, 1e9f, 0, s.data(), s.data() + s.size()).x;
  }
  void draw(ImDrawList* list, ImVec2 at, Rgba colour, std::string_view s) const {
    const float down = (ImGui::GetFontSize() - size) * 0.8f;  // about one baseline
    list->AddText(font, size, ImVec2(at.x, at.y + down), colour, s.data(), s.data() + s.size());
  }
};

}  // namespace

std::vector<TextRun> parse_rich(std::string_view text) {
  std::vector<TextRun> runs;
  const auto add = [&runs](std::string_view s, char mark) {
    if (!s.empty()) runs.push_back({s, mark});
  };
  std::size_t plain = 0;
  for (std::size_t i = 0; i + 2 < text.size();) {
    const bool opens =
        text[i] == '{' && text[i + 2] == '|' && std::strchr("TDHPVAB*-`", text[i + 1]);
    const std::size_t close = opens ? text.find('}', i + 3) : std::string_view::npos;
    if (close == std::string_view::npos) {
      ++i;
      continue;
    }
    add(text.substr(plain, i - plain), 0);
    add(text.substr(i + 3, close - i - 3), text[i + 1]);
    plain = i = close + 1;
  }
  add(text.substr(plain), 0);
  return runs;
}

std::string plain_text(std::string_view text) {
  std::string out;
  for (const TextRun& run : parse_rich(text)) out += run.text;
  return out;
}

float add_rich(Ui& ui, ImDrawList* list, ImVec2 at, std::string_view text, Rgba colour) {
  if (colour == 0) colour = ui.colours().text;
  const float start = at.x;
  for (const TextRun& run : parse_rich(text)) {
    const Letters letters(ui, run.mark);
    letters.draw(list, at, colour_of(ui, run.mark, colour), run.text);
    at.x += letters.width(run.text);
  }
  return at.x - start;
}

void draw_rich(Ui& ui, std::string_view text, float wrap) {
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const float line = ImGui::GetTextLineHeight();
  const Rgba plain = ImGui::GetColorU32(ImGuiCol_Text);
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImVec2 at = start;
  float widest = 0;
  bool may_break = true;  // a word may have two colours

  // Lay out word by word; a space belongs to the word before it
  for (const TextRun& run : parse_rich(text)) {
    const Rgba colour = colour_of(ui, run.mark, plain);
    const Letters letters(ui, run.mark);
    std::string_view left = run.text;
    while (!left.empty()) {
      std::size_t n = wrap > 0 ? left.find_first_of(" \n") : left.find('\n');
      const bool line_break = n != std::string_view::npos && left[n] == '\n';
      n = n == std::string_view::npos ? left.size() : n + 1;
      const std::string_view word = left.substr(0, line_break ? n - 1 : n);
      left.remove_prefix(n);
      const bool space = !word.empty() && word.back() == ' ';
      const float w = letters.width(word),
                  bare = space ? letters.width(word.substr(0, word.size() - 1)) : w;
      if (wrap > 0 && may_break && at.x > start.x && at.x + bare > start.x + wrap) {
        at = ImVec2(start.x, at.y + line);
      }
      letters.draw(list, at, colour, word);
      at.x += w;
      may_break = space;
      widest = std::max(widest, at.x - start.x);
      if (line_break) {
        at = ImVec2(start.x, at.y + line);
        may_break = true;
      }
    }
  }
  ImGui::Dummy(ImVec2(wrap > 0 ? std::min(widest, wrap) : widest, at.y - start.y + line));
}

}  // namespace tpp::viewer
