// Colours, fonts and spacing.
#include "viewer/theme.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "viewer/compat.h"

namespace tpp::viewer {
namespace {

constexpr Rgba hex(unsigned rgb) {
  return rgba(static_cast<int>(rgb >> 16 & 255u), static_cast<int>(rgb >> 8 & 255u),
              static_cast<int>(rgb & 255u));
}

// Blue and orange of Okabe and Ito's set (2008), run_b darkened in light so that it can be read.
const Palette kDark{
    .window = hex(0x14161A),
    .panel = hex(0x1C1F26),
    .raised = hex(0x282C35),
    .hovered = hex(0x323743),
    .pressed = hex(0x3D4350),
    .border = hex(0x343944),
    .grid = hex(0x2B3039),
    .text = hex(0xE6E8EB),
    .muted = hex(0xA3ABB8),
    .accent = hex(0x7CC4FF),
    .on_accent = hex(0x0B1B2A),
    .good = hex(0x6CCB8A),
    .warning = hex(0xF0B429),
    .error = hex(0xFF8A80),
    .run_a = hex(0x5AB4F0),
    .run_b = hex(0xFF9A4D),
    .dim_time = hex(0xE8C15A),
    .dim_width = hex(0x8FB8FF),
    .dim_head = hex(0xF29AC0),
    .dim_pair = hex(0x7FD6C2),
    .dim_vocab = hex(0xC9A6FF),
    .hover_mark = hex(0xFFFFFF),
    .lock_mark = hex(0xFFD60A),
    .hatch = hex(0x3A404C),
    .event = hex(0xFF8A80),
    .guide = hex(0x8A93A2),
};
const Palette kLight{
    .window = hex(0xF2F2EF),
    .panel = hex(0xFFFFFF),
    .raised = hex(0xECECE8),
    .hovered = hex(0xE0E1DD),
    .pressed = hex(0xD3D5D0),
    .border = hex(0xD6D6D1),
    .grid = hex(0xE8E8E4),
    .text = hex(0x1B1D21),
    .muted = hex(0x55595F),
    .accent = hex(0x005FA3),
    .on_accent = hex(0xFFFFFF),
    .good = hex(0x1B6E3C),
    .warning = hex(0x7D5300),
    .error = hex(0xB3261E),
    .run_a = hex(0x0064A0),
    .run_b = hex(0xA84300),
    .dim_time = hex(0x7A5600),
    .dim_width = hex(0x2B57C0),
    .dim_head = hex(0xA8306F),
    .dim_pair = hex(0x0B6A5B),
    .dim_vocab = hex(0x6D3FC0),
    .hover_mark = hex(0x1B1D21),
    .lock_mark = hex(0xC2185B),
    .hatch = hex(0xC9CBC6),
    .event = hex(0xB3261E),
    .guide = hex(0x7C828A),
};

std::string find_font(const char* file) {
  namespace fs = std::filesystem;
  std::vector<fs::path> folders;
  if (const char* own = std::getenv("TPP_FONT_DIR")) folders.emplace_back(own);
  for (const char* folder :
       {"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu-sans-fonts",
        "/usr/share/fonts/dejavu-sans-mono-fonts", "/usr/share/fonts/dejavu",
        "/usr/share/fonts/TTF", "/usr/local/share/fonts", "/opt/homebrew/share/fonts",
        "/Library/Fonts", "C:/Windows/Fonts"}) {
    folders.emplace_back(folder);
  }
  if (const char* home = std::getenv("HOME")) {
    folders.push_back(fs::path(home) / ".local/share/fonts");
    folders.push_back(fs::path(home) / ".fonts");
    folders.push_back(fs::path(home) / "Library/Fonts");
  }
  for (const fs::path& folder : folders) {
    std::error_code ec;
    if (fs::is_regular_file(folder / file, ec)) return (folder / file).string();
  }
  return {};
}

#if IMGUI_VERSION_NUM < 19200
// What formulas, axes and tokens need. ImGui before 1.92 bakes only the glyphs that are listed.
constexpr ImWchar kGlyphs[] = {
    0x0020, 0x017F,  // Latin
    0x02B0, 0x02FF,  // modifier letters
    0x0300, 0x0305,  // hats and bars
    0x0391, 0x03D6,  // Greek
    0x0400, 0x045F,  // Cyrillic
    0x1D40, 0x1D6A,  // more raised and lowered letters
    0x2010, 0x2027,  // dashes, quotes, …
    0x2030, 0x2037,  // ‰ ′
    0x2070, 0x209C,  // ⁻ ¹ β₂
    0x2102, 0x2124,  // ℓ ℝ
    0x2190, 0x2199,  // ← → ↔
    0x21A6, 0x21AA,  // ↦
    0x21BA, 0x21BB,  // ↺
    0x21C4, 0x21C6,  // ⇄
    0x21D0, 0x21D5,  // ⇒
    0x2200, 0x2213,  // ∀ ∂ ∈ ∑ −
    0x2215, 0x2223,  // √ ∞ ∣
    0x2225, 0x222B,  // ∥ ∧ ∫
    0x2243, 0x2265,  // ≈ ≠ ≤ ≥
    0x226A, 0x226B,  // ≪
    0x2295, 0x2299,  // ⊕ ⊙
    0x22A4, 0x22A5,  // ⊤
    0x22C5, 0x22C6,  // ⋅
    0x22EE, 0x22F1,  // ⋮ ⋯
    0x2308, 0x230B,  // ⌈
    0x23CE, 0x23CF,  // ⏎
    0x2422, 0x2423,  // ␣
    0x2500, 0x259F,  // boxes and blocks
    0x25A0, 0x25FF,  // ▶ ■ ●
    0x2605, 0x2606,  // ★
    0x2610, 0x2612,  // ☐
    0x2713, 0x2717,  // ✓
    0x2758, 0x275A,  // bars: pause
    0x27C2, 0x27C2,  // ⟂
    0x27E8, 0x27E9,  // ⟨ ⟩
    0x27F9, 0x27FA,  // ⟹ ⟺
    0,
};
#endif

constexpr float kSizes[] = {15, 13, 18, 18, 18, 13, 12};

}  // namespace

const Palette& palette(Appearance appearance) {
  return appearance == Appearance::dark ? kDark : kLight;
}

Theme::Theme(Appearance appearance, float scale) : appearance_(appearance), scale_(scale) {}

void Theme::set_appearance(Appearance appearance) {
  appearance_ = appearance;
  apply_style();
}

float Theme::px(float units) const {
  if (units == 0) return 0;
  const float scaled = std::round(units * scale_);
  return units > 0 ? std::max(1.0f, scaled) : std::min(-1.0f, scaled);
}

float Theme::font_size(Font font) const {
  return std::round(kSizes[static_cast<int>(font)] * scale_);
}

Rgba Theme::dim(Dim dim) const {
  switch (dim) {
    case Dim::time:
      return colours().dim_time;
    case Dim::width:
      return colours().dim_width;
    case Dim::head:
      return colours().dim_head;
    case Dim::pair:
      return colours().dim_pair;
    case Dim::vocab:
      return colours().dim_vocab;
    case Dim::none:
      break;
  }
  return colours().text;
}

Rgba Theme::series(int index) const {
  // Okabe and Ito's set (2008) in another order, brightened or darkened to stand on the panel
  static constexpr Rgba on_dark[] = {hex(0x5AB4F0), hex(0xFF9A4D), hex(0x2FC5A0), hex(0xF29AC0),
                                     hex(0xF0E442), hex(0xC9A6FF), hex(0xA3ABB8), hex(0xE06C5A)};
  static constexpr Rgba on_light[] = {hex(0x0064A0), hex(0xA84300), hex(0x007A5C), hex(0xA8306F),
                                      hex(0x7A6A00), hex(0x6D3FC0), hex(0x55595F), hex(0x8C1D12)};
  const auto i = static_cast<std::size_t>(((index % 8) + 8) % 8);
  return dark() ? on_dark[i] : on_light[i];
}

void Theme::build_fonts(float density) {
  ImGuiIO& io = ImGui::GetIO();
  io.Fonts->Clear();
  notice_.clear();
  const std::string sans = find_font("DejaVuSans.ttf"), mono = find_font("DejaVuSansMono.ttf");
  const auto or_sans = [&](const std::string& path) { return path.empty() ? sans : path; };
  const std::string strong = or_sans(find_font("DejaVuSans-Bold.ttf"));
  const std::string serif = or_sans(find_font("DejaVuSerif.ttf"));
  if (sans.empty() || mono.empty()) {
    notice_ =
        "DejaVu fonts were not found, so Greek letters and signs are missing: install "
        "fonts-dejavu-core, or set TPP_FONT_DIR to a folder with DejaVuSans.ttf and "
        "DejaVuSansMono.ttf.";
  }

#if IMGUI_VERSION_NUM >= 19200
  // One font a family: 1.92 rasterises any size and any glyph when it is first used
  (void)density;
  const auto load = [&io](const std::string& path) {
    return path.empty() ? io.Fonts->AddFontDefault() : io.Fonts->AddFontFromFileTTF(path.c_str());
  };
  ImFont* sans_font = load(sans);
  ImFont* mono_font = load(mono);
  for (const Font f : {Font::body, Font::small, Font::title})
    fonts_[static_cast<int>(f)] = sans_font;
  fonts_[static_cast<int>(Font::strong)] = load(strong);
  fonts_[static_cast<int>(Font::formula)] = load(serif);
  for (const Font f : {Font::mono, Font::mono_small}) fonts_[static_cast<int>(f)] = mono_font;
#else
  // Bake every size that is used, in framebuffer pixels, and draw it smaller by the density
  for (int f = 0; f < static_cast<int>(Font::count); ++f) {
    const auto which = static_cast<Font>(f);
    const bool is_mono = which >= Font::mono;
    const std::string& path = is_mono                  ? mono
                              : which == Font::strong  ? strong
                              : which == Font::formula ? serif
                                                       : sans;
    const float pixels = std::round(font_size(static_cast<Font>(f)) * density);
    ImFontConfig config;
    config.OversampleH = 2;
    config.OversampleV = 1;
    if (path.empty()) {
      config.SizePixels = pixels;
      fonts_[f] = io.Fonts->AddFontDefault(&config);
      continue;
    }
    fonts_[f] = io.Fonts->AddFontFromFileTTF(path.c_str(), pixels, &config, kGlyphs);
    // What another font lacks, the usual one has
    if (path != sans && !sans.empty()) {
      config.MergeMode = true;
      io.Fonts->AddFontFromFileTTF(sans.c_str(), pixels, &config, kGlyphs);
    }
  }
  io.FontGlobalScale = 1 / density;
#endif
  io.FontDefault = fonts_[static_cast<int>(Font::body)];
  apply_style();
}

void Theme::apply_style() const {
  const Palette& p = colours();
  ImGuiStyle& s = ImGui::GetStyle();
  s = ImGuiStyle();
  s.WindowPadding = ImVec2(px(8), px(8));
  s.FramePadding = ImVec2(px(8), px(3));
  s.CellPadding = ImVec2(px(6), px(2));
  s.ItemSpacing = ImVec2(px(8), px(6));
  s.ItemInnerSpacing = ImVec2(px(6), px(4));
  s.IndentSpacing = px(16);
  s.ScrollbarSize = px(12);
  s.GrabMinSize = px(12);
  s.WindowRounding = px(4);
  s.ChildRounding = px(4);
  s.FrameRounding = px(4);
  s.PopupRounding = px(4);
  s.ScrollbarRounding = px(4);
  s.GrabRounding = px(4);
  s.TabRounding = px(4);
  s.WindowBorderSize = 1;
  s.ChildBorderSize = 1;
  s.PopupBorderSize = 1;
  s.FrameBorderSize = 0;
  s.WindowMinSize = ImVec2(1, 1);
#if IMGUI_VERSION_NUM >= 19200
  s.FontSizeBase = font_size(Font::body);
#endif

  const auto set = [&s](int index, Rgba colour) {
    s.Colors[index] = ImGui::ColorConvertU32ToFloat4(colour);
  };
  set(ImGuiCol_Text, p.text);
  set(ImGuiCol_TextDisabled, p.muted);
  set(ImGuiCol_WindowBg, p.panel);
  set(ImGuiCol_ChildBg, with_alpha(p.panel, 0));
  set(ImGuiCol_PopupBg, p.raised);
  set(ImGuiCol_Border, p.border);
  set(ImGuiCol_BorderShadow, 0);
  set(ImGuiCol_FrameBg, p.raised);
  set(ImGuiCol_FrameBgHovered, p.hovered);
  set(ImGuiCol_FrameBgActive, p.pressed);
  set(ImGuiCol_TitleBg, p.panel);
  set(ImGuiCol_TitleBgActive, p.panel);
  set(ImGuiCol_TitleBgCollapsed, p.panel);
  set(ImGuiCol_MenuBarBg, p.panel);
  set(ImGuiCol_ScrollbarBg, with_alpha(p.panel, 0));
  set(ImGuiCol_ScrollbarGrab, p.pressed);
  set(ImGuiCol_ScrollbarGrabHovered, p.muted);
  set(ImGuiCol_ScrollbarGrabActive, p.text);
  set(ImGuiCol_CheckMark, p.accent);
  set(ImGuiCol_SliderGrab, p.accent);
  set(ImGuiCol_SliderGrabActive, p.text);
  set(ImGuiCol_Button, p.raised);
  set(ImGuiCol_ButtonHovered, p.hovered);
  set(ImGuiCol_ButtonActive, p.pressed);
  set(ImGuiCol_Header, p.raised);
  set(ImGuiCol_HeaderHovered, p.hovered);
  set(ImGuiCol_HeaderActive, p.pressed);
  set(ImGuiCol_Separator, p.border);
  set(ImGuiCol_SeparatorHovered, p.accent);
  set(ImGuiCol_SeparatorActive, p.accent);
  set(ImGuiCol_ResizeGrip, 0);
  set(ImGuiCol_ResizeGripHovered, p.hovered);
  set(ImGuiCol_ResizeGripActive, p.pressed);
  set(ImGuiCol_Tab, p.panel);
  set(ImGuiCol_TabHovered, p.hovered);
#if IMGUI_VERSION_NUM >= 19090
  set(ImGuiCol_TabSelected, p.raised);
#else
  set(ImGuiCol_TabActive, p.raised);
#endif
  set(ImGuiCol_PlotLines, p.run_a);
  set(ImGuiCol_PlotLinesHovered, p.accent);
  set(ImGuiCol_PlotHistogram, p.run_a);
  set(ImGuiCol_PlotHistogramHovered, p.accent);
  set(ImGuiCol_TableHeaderBg, p.raised);
  set(ImGuiCol_TableBorderStrong, p.border);
  set(ImGuiCol_TableBorderLight, p.grid);
  set(ImGuiCol_TableRowBg, 0);
  set(ImGuiCol_TableRowBgAlt, with_alpha(p.raised, 96));
  set(ImGuiCol_TextSelectedBg, with_alpha(p.accent, 90));
  set(ImGuiCol_ModalWindowDimBg, with_alpha(p.window, 150));
}

FontScope::FontScope(const Theme& theme, Font font) {
  ImFont* f = theme.font(font);
  compat::push_font(f ? f : ImGui::GetFont(), theme.font_size(font));
}

double contrast(Rgba a, Rgba b) {
  const auto luminance = [](Rgba c) {
    const auto linear = [](int channel) {
      const double v = channel / 255.0;
      return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(red(c)) + 0.7152 * linear(green(c)) + 0.0722 * linear(blue(c));
  };
  const double la = luminance(a), lb = luminance(b);
  return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

Rgba mix(Rgba a, Rgba b, float t) {
  const auto m = [t](int x, int y) {
    return std::clamp(
        static_cast<int>(std::lround(static_cast<float>(x) + t * static_cast<float>(y - x))), 0,
        255);
  };
  return rgba(m(red(a), red(b)), m(green(a), green(b)), m(blue(a), blue(b)), m(alpha(a), alpha(b)));
}

}  // namespace tpp::viewer
