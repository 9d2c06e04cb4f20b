// A question on the screen: chosen by a click, then revealed, and what is no question.
#include <imgui.h>

#include <functional>

#include "tests/testing.h"
#include "tests/viewer/offscreen.h"
#include "viewer/widgets/question.h"

namespace tpp::viewer {
namespace {

using testing::Offscreen;

const Question kHalves{
    .text = "Half of {D|sixteen} is …",
    .choices = {"seven", "eight, which is a long answer that does not fit on a line", "nine"},
    .right = 1,
    .explanation = "Eight and eight are {*|sixteen}."};

TEST_CASE("question: a click chooses until the answer is revealed", "[viewer][question]") {
  for (const auto appearance : {Appearance::dark, Appearance::light}) {
    Offscreen screen(320, 400, 1, appearance);
    Answer answer;
    const std::function<void()> draw = [&] {
      const int clicked = draw_question(screen.ui, "question", kHalves, answer, 280);
      if (clicked >= 0) answer.chosen = clicked;
    };
    Script hand = screen.script(draw);
    hand.click("question/choice/3");
    REQUIRE(answer.chosen.has_value());
    CHECK(*answer.chosen == 2);
    hand.click("question/choice/1");
    CHECK(*answer.chosen == 0);
    CHECK(!hand.sees("question/explanation"));
    CHECK(!hand.sees("question/choice/4"));

    // The long choice is higher than the short one
    const auto low = screen.probes.find("question/choice/1");
    const auto high = screen.probes.find("question/choice/2");
    REQUIRE((low && high));
    CHECK(high->h > 1.3f * low->h);
    CHECK(high->y >= low->bottom());

    answer.revealed = true;
    hand.click("question/choice/2");
    CHECK(*answer.chosen == 0);
    CHECK(hand.sees("question/explanation"));
  }
}

TEST_CASE("question: right, wrong and not answered look different once revealed",
          "[viewer][question]") {
  Offscreen screen(320, 400);
  const auto picture = [&](const Answer& answer) {
    for (int i = 0; i < 2; ++i)
      screen.frame([&] { draw_question(screen.ui, "question", kHalves, answer); });
    return screen.backend->read_pixels().pixels;
  };
  const auto open = picture({}), chosen = picture({1, false}), right = picture({1, true});
  const auto wrong = picture({0, true}), shown = picture({{}, true});
  CHECK(open != chosen);
  CHECK(chosen != right);
  CHECK(right != wrong);
  CHECK(right != shown);
  CHECK(wrong != shown);
}

TEST_CASE("question: what is no question gets a sentence", "[viewer][question]") {
  CHECK(problem_of(kHalves).empty());
  const auto with = [](auto&& change) {
    Question q = kHalves;
    change(q);
    return problem_of(q);
  };
  CHECK(with([](Question& q) { q.text.clear(); }) == "A question needs a text.");
  CHECK(with([](Question& q) { q.choices = {"one"}; }) ==
        "The question \"Half of sixteen is …\" needs two to four choices, and has 1.");
  CHECK(with([](Question& q) { q.choices.assign(5, "x"); }).find("and has 5") != std::string::npos);
  CHECK(with([](Question& q) { q.choices[1].clear(); }).find("empty choice") != std::string::npos);
  for (const int right : {-1, 3})
    CHECK(with([&](Question& q) { q.right = right; }).find("none of its") != std::string::npos);
}

}  // namespace
}  // namespace tpp::viewer
