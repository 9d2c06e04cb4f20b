// A question with a few answers.
#include "viewer/widgets/question.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "viewer/compat.h"
#include "viewer/widgets/rich_text.h"

namespace tpp::viewer {
namespace {

/// What stands in the circle before a choice; shapes as well as colours tell them apart.
enum class Sign { open, chosen, right, wrong };

void draw_sign(const Theme& t, ImDrawList* list, ImVec2 middle, Sign sign, Rgba ink, Rgba ground) {
  const float r = t.px(7), thick = t.px(2);
  if (sign == Sign::open || sign == Sign::chosen) {
    list->AddCircle(middle, r, ink, 24, t.px(1.5f));
    if (sign == Sign::chosen) list->AddCircleFilled(middle, t.px(3.5f), ink, 16);
    return;
  }
  list->AddCircleFilled(middle, r + t.px(1), ink, 24);
  const float d = t.px(3);
  if (sign == Sign::right) {
    const ImVec2 tick[] = {ImVec2(middle.x - d, middle.y),
                           ImVec2(middle.x - 0.3f * d, middle.y + 0.8f * d),
                           ImVec2(middle.x + 1.1f * d, middle.y - 0.8f * d)};
    compat::add_polyline(list, tick, 3, ground, false, thick);
  } else {
    list->AddLine(ImVec2(middle.x - d, middle.y - d), ImVec2(middle.x + d, middle.y + d), ground,
                  thick);
    list->AddLine(ImVec2(middle.x - d, middle.y + d), ImVec2(middle.x + d, middle.y - d), ground,
                  thick);
  }
}

Sign sign_of(int choice, const Question& question, const Answer& answer) {
  const bool chosen = answer.chosen == choice;
  if (!answer.revealed) return chosen ? Sign::chosen : Sign::open;
  if (choice == question.right) return Sign::right;
  return chosen ? Sign::wrong : Sign::open;
}

}  // namespace

std::string problem_of(const Question& question) {
  if (question.text.empty()) return "A question needs a text.";
  const std::size_t n = question.choices.size();
  if (n < 2 || n > 4) {
    return "The question \"" + plain_text(question.text) +
           "\" needs two to four choices, and has " + std::to_string(n) + ".";
  }
  for (const std::string& choice : question.choices) {
    if (choice.empty()) {
      return "The question \"" + plain_text(question.text) + "\" has an empty choice.";
    }
  }
  if (question.right < 0 || question.right >= int(n)) {
    return "The right answer of \"" + plain_text(question.text) + "\" is none of its choices.";
  }
  return {};
}

int draw_question(Ui& ui, const std::string& id, const Question& question, const Answer& answer,
                  float width) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!(width > 0)) width = ImGui::GetContentRegionAvail().x;
  width = std::max(width, t.px(80));
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const auto below = [&](float gap) {
    ImGui::SetCursorScreenPos(ImVec2(start.x, ImGui::GetCursorScreenPos().y + gap));
  };

  draw_rich(ui, question.text, width);
  below(t.px(4));

  // Each choice is a button as wide as the text, with a circle at its left
  const float left = t.px(32), pad = t.px(7), words = width - left - t.px(10);
  int clicked = -1;
  for (int i = 0; i < int(question.choices.size()); ++i) {
    const std::string& choice = question.choices[std::size_t(i)];
    const Sign sign = sign_of(i, question, answer);
    const float h = ImGui::CalcTextSize(choice.c_str(), nullptr, false, words).y + 2 * pad;
    const ImVec2 at = ImGui::GetCursorScreenPos(), end(at.x + width, at.y + h);
    const std::string name = id + "/choice/" + std::to_string(i + 1);
    const bool pressed = ImGui::InvisibleButton(name.c_str(), ImVec2(width, h));
    ui.probe(name);
    if (pressed && !answer.revealed) clicked = i;

    const bool hovered = ImGui::IsItemHovered() && !answer.revealed;
    const bool marked = sign != Sign::open;
    const Rgba ink = sign == Sign::right    ? p.good
                     : sign == Sign::wrong  ? p.error
                     : sign == Sign::chosen ? p.accent
                                            : p.muted;
    const Rgba ground = hovered ? p.hovered : p.panel;
    list->AddRectFilled(at, end, marked ? mix(ground, ink, 0.14f) : ground, t.px(4));
    compat::add_rect(list, at, end, marked ? ink : p.border, t.px(4));
    const float line = ImGui::GetTextLineHeight();
    draw_sign(t, list, ImVec2(std::floor(at.x + t.px(16)), std::floor(at.y + pad + line / 2)), sign,
              ink, p.panel);
    const bool faded = answer.revealed && !marked;
    list->AddText(ImGui::GetFont(), ImGui::GetFontSize(), ImVec2(at.x + left, at.y + pad),
                  faded ? p.muted : p.text, choice.c_str(), nullptr, words);
    below(t.px(2));
  }
  if (!answer.revealed) return clicked;

  // What was right is said in words too
  below(t.px(4));
  const ImVec2 from = ImGui::GetCursorScreenPos();
  if (answer.chosen) {
    const bool right = *answer.chosen == question.right;
    ImGui::PushStyleColor(ImGuiCol_Text, right ? p.good : p.error);
    ImGui::TextUnformatted(right ? "Right." : "It went otherwise.");
    ImGui::PopStyleColor();
  }
  if (!question.explanation.empty()) draw_rich(ui, question.explanation, width);
  ui.probes.record(id + "/explanation",
                   {from.x, from.y, width, ImGui::GetCursorScreenPos().y - from.y});
  return clicked;
}

}  // namespace tpp::viewer
