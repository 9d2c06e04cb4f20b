// Every text colour can be read on every ground, and the colours of one set can be told apart.
#include "viewer/theme.h"

#include <imgui.h>

#include <cmath>

#include "tests/testing.h"
#include "tests/viewer/offscreen.h"

namespace tpp::viewer {
namespace {

using tpp::testing::Approx;

struct Named {
  const char* name;
  Rgba colour;
};

TEST_CASE("theme: contrast is the WCAG ratio", "[viewer]") {
  CHECK(contrast(rgba(0, 0, 0), rgba(255, 255, 255)) == Approx(21));
  CHECK(contrast(rgba(9, 9, 9), rgba(9, 9, 9)) == Approx(1));
  CHECK(contrast(rgba(0x77, 0x77, 0x77), rgba(255, 255, 255)) == Approx(4.48).margin(0.01));
}

TEST_CASE("theme: text has a contrast of 4.5 on every ground, in dark and light", "[viewer]") {
  for (const Appearance appearance : {Appearance::dark, Appearance::light}) {
    const Palette& p = palette(appearance);
    const Named grounds[] = {
        {"window", p.window}, {"panel", p.panel}, {"raised", p.raised}, {"hovered", p.hovered}};
    const Named texts[] = {{"text", p.text},           {"muted", p.muted},     {"accent", p.accent},
                           {"good", p.good},           {"warning", p.warning}, {"error", p.error},
                           {"run A", p.run_a},         {"run B", p.run_b},     {"time", p.dim_time},
                           {"width", p.dim_width},     {"head", p.dim_head},   {"pair", p.dim_pair},
                           {"vocabulary", p.dim_vocab}};
    for (const Named& ground : grounds) {
      for (const Named& text : texts) {
        INFO((appearance == Appearance::dark ? "dark: " : "light: ")
             << text.name << " on " << ground.name << ": " << contrast(text.colour, ground.colour));
        CHECK(contrast(text.colour, ground.colour) >= 4.5);
      }
    }
    CHECK(contrast(p.text, p.pressed) >= 4.5);
    CHECK(contrast(p.on_accent, p.accent) >= 4.5);
    // Lines must be seen as well: 3 is WCAG's number for graphics
    CHECK(contrast(p.event, p.panel) >= 3);
    CHECK(contrast(p.guide, p.panel) >= 3);
    CHECK(contrast(p.lock_mark, p.panel) >= 3);
    const Theme theme(appearance);
    for (int i = 0; i < 8; ++i) {
      CHECK(contrast(theme.series(i), p.panel) >= 4.5);
      for (int k = 0; k < i; ++k) CHECK(theme.series(i) != theme.series(k));
    }
  }
}

TEST_CASE("theme: lengths fall on whole units and never vanish", "[viewer]") {
  for (const float scale : {0.75f, 1.0f, 1.25f, 1.5f, 2.0f, 3.0f}) {
    const Theme t(Appearance::dark, scale);
    for (const float units : {0.5f, 1.0f, 3.0f, 8.0f, 300.0f}) {
      CHECK(t.px(units) == std::floor(t.px(units)));
      CHECK(t.px(units) >= 1);
    }
    CHECK(t.px(0) == 0);
    CHECK(t.grid(2) == t.px(16));
    CHECK(t.em() == std::round(15 * scale));
  }
}

TEST_CASE("theme: the fonts have the signs of formulas", "[viewer]") {
  testing::Offscreen screen(64, 64);
  if (!screen.theme.notice().empty()) SKIP("no DejaVu fonts here");
  // Letters, β ₂ θ λ, sums and roots, arrows, relations, raised and lowered digits, boxes
  const ImWchar signs[] = {'A',    0x03B2, 0x2082, 0x03B8, 0x03BB, 0x2211, 0x221A, 0x2016, 0x00B7,
                           0x00D7, 0x2192, 0x2208, 0x2264, 0x2265, 0x221E, 0x2202, 0x2299, 0x207B,
                           0x00B9, 0x00B2, 0x00B3, 0x2500, 0x25B6, 0x2026, 0x2212, 0x1D40};
  for (int f = 0; f < static_cast<int>(Font::count); ++f) {
    ImFont* font = screen.theme.font(static_cast<Font>(f));
    REQUIRE(font != nullptr);
    for (const ImWchar sign : signs) {
      INFO("font " << f << ", U+" << std::hex << static_cast<unsigned>(sign));
#if IMGUI_VERSION_NUM >= 19200
      CHECK(font->IsGlyphInFont(sign));
#else
      CHECK(font->FindGlyphNoFallback(sign) != nullptr);
#endif
    }
  }
}

}  // namespace
}  // namespace tpp::viewer
