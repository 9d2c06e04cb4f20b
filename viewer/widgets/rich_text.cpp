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

float width_of(std::string_view s) { return ImGui::CalcTextSize(s.data(), s.data() + s.size()).x; }

}  // namespace

std::vector<TextRun> parse_rich(std::string_view text) {
  std::vector<TextRun> runs;
  const auto add = [&runs](std::string_view s, char mark) {
    if (!s.empty()) runs.push_back({s, mark});
  };
  std::size_t plain = 0;
  for (std::size_t i = 0; i + 2 < text.size();) {
    const bool opens =
        text[i] == '{' && text[i + 2] == '|' && std::strchr("TDHPVAB*-", text[i + 1]);
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
    list->AddText(at, colour_of(ui, run.mark, colour), run.text.data(),
                  run.text.data() + run.text.size());
    at.x += width_of(run.text);
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

  // Lay out word by word; a space belongs to the word before it
  for (const TextRun& run : parse_rich(text)) {
    const Rgba colour = colour_of(ui, run.mark, plain);
    std::string_view left = run.text;
    while (!left.empty()) {
      std::size_t n = wrap > 0 ? left.find_first_of(" \n") : left.find('\n');
      const bool line_break = n != std::string_view::npos && left[n] == '\n';
      n = n == std::string_view::npos ? left.size() : n + 1;
      const std::string_view word = left.substr(0, line_break ? n - 1 : n);
      left.remove_prefix(n);
      const bool space = !word.empty() && word.back() == ' ';
      const float w = width_of(word), bare = space ? width_of(word.substr(0, word.size() - 1)) : w;
      if (wrap > 0 && at.x > start.x && at.x + bare > start.x + wrap) {
        at = ImVec2(start.x, at.y + line);
      }
      list->AddText(at, colour, word.data(), word.data() + word.size());
      at.x += w;
      widest = std::max(widest, at.x - start.x);
      if (line_break) at = ImVec2(start.x, at.y + line);
    }
  }
  ImGui::Dummy(ImVec2(wrap > 0 ? std::min(widest, wrap) : widest, at.y - start.y + line));
}

}  // namespace tpp::viewer
