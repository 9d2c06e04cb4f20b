// Slots' rectangles from fractions. Bars take fixed heights, everything else shares the rest.
#include "viewer/layout.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace tpp::viewer {
namespace {

// Heights and least sizes at 1×, from the 1600 × 1000 design
constexpr float kTransport = 48, kTimeStrip = 44, kStatus = 24, kTabBar = 32;
constexpr float kNarrow = 900, kLow = 560;
constexpr float kLeastWidth = 160, kLeastHeight = 96;
constexpr float kGrip = 6;  // how wide a splitter is for the mouse

constexpr const char* kSlotNames[kSlots] = {"transport",  "architecture", "attention", "position",
                                            "norms",      "gradients",    "loss",      "reader",
                                            "time_strip", "status"};
constexpr const char* kPresetNames[kPresets] = {"Balanced", "Attention", "Position",
                                                "Norms",    "Learning",  "Reading"};

std::size_t index(Slot s) { return static_cast<std::size_t>(s); }
std::size_t index(Splitter s) { return static_cast<std::size_t>(s); }

// The design's rectangles as fractions of the area between the bars (1600 × 884)
//                              left    right   bottom  right_mid bottom_mid reader
constexpr float kPresetAt[kPresets][kSplitters] = {
    {300.f / 1600, 1060.f / 1600, 612.f / 884, 340.f / 612, 0.50f, 0.40f},  // balanced
    {220.f / 1600, 1280.f / 1600, 0.80f, 0.55f, 0.50f, 0.40f},              // attention
    {220.f / 1600, 720.f / 1600, 0.74f, 0.72f, 0.50f, 0.40f},               // position
    {220.f / 1600, 820.f / 1600, 0.70f, 0.34f, 0.50f, 0.40f},               // norms
    {240.f / 1600, 1000.f / 1600, 0.42f, 0.50f, 0.44f, 0.40f},              // learning
    {0.0f, 1.0f, 0.66f, 0.55f, 0.50f, 0.44f},                               // reading
};

float fit(float v, float lo, float hi) { return hi < lo ? (lo + hi) / 2 : std::clamp(v, lo, hi); }

}  // namespace

const char* slot_name(Slot slot) { return kSlotNames[index(slot)]; }

std::optional<Slot> slot_named(std::string_view name) {
  for (int i = 0; i < kSlots; ++i) {
    if (name == kSlotNames[i]) return static_cast<Slot>(i);
  }
  return std::nullopt;
}

const char* preset_name(Preset preset) { return kPresetNames[static_cast<int>(preset)]; }

void Layout::set_preset(Preset preset) {
  preset_ = preset;
  std::copy(std::begin(kPresetAt[static_cast<int>(preset)]),
            std::end(kPresetAt[static_cast<int>(preset)]), at_.begin());
  maximised_.reset();
  tab_ = preset == Preset::position   ? Slot::position
         : preset == Preset::norms    ? Slot::norms
         : preset == Preset::learning ? Slot::loss
         : preset == Preset::reading  ? Slot::reader
                                      : Slot::attention;
}

LayoutFrame Layout::compute(float width, float height, float scale) const {
  LayoutFrame f;
  width = std::max(0.0f, std::floor(width));
  height = std::max(0.0f, std::floor(height));
  const auto put = [&f](Slot s, float x0, float y0, float x1, float y1) {
    f.rects[index(s)] = {x0, y0, std::max(0.0f, x1 - x0), std::max(0.0f, y1 - y0)};
  };

  // Bars first: transport is kept longest when the window is very low
  const float top = std::min(height, std::round(kTransport * scale));
  const float status_height = std::round(kStatus * scale), strip = std::round(kTimeStrip * scale);
  float bottom = height;
  put(Slot::transport, 0, 0, width, top);
  if (bottom - status_height >= top) {
    put(Slot::status, 0, bottom - status_height, width, bottom);
    bottom -= status_height;
  }
  if (bottom - strip >= top + kLeastHeight * scale) {
    put(Slot::time_strip, 0, bottom - strip, width, bottom);
    bottom -= strip;
  }

  // A narrow or low window shows one slot at a time
  f.tabbed = width < kNarrow * scale || height < kLow * scale;
  if (f.tabbed) {
    f.tabs = {Slot::architecture, Slot::attention, Slot::position, Slot::norms,
              Slot::gradients,    Slot::loss,      Slot::reader};
    const float bar = std::min(bottom - top, std::round(kTabBar * scale));
    f.tab_bar = {0, top, width, bar};
    put(maximised_.value_or(tab_), 0, top + bar, width, bottom);
    return f;
  }
  if (maximised_) {
    put(*maximised_, 0, top, width, bottom);
    return f;
  }

  const float least_w = kLeastWidth * scale, least_h = kLeastHeight * scale;
  const float grip = std::round(kGrip * scale);
  const float area = bottom - top;
  const auto at = [&](Splitter s) { return at_[index(s)]; };
  const auto across = [&](Splitter s, float x, float y0, float y1) {
    f.handles.push_back({s, {x - grip / 2, y0, grip, y1 - y0}, true});
  };
  const auto along = [&](Splitter s, float y, float x0, float x1) {
    f.handles.push_back({s, {x0, y - grip / 2, x1 - x0, grip}, false});
  };

  if (preset_ == Preset::reading) {
    // The text beside the panel that it speaks of, with the loss below
    const Slot beside = tab_ == Slot::reader || tab_ == Slot::loss ? Slot::attention : tab_;
    const float x = std::round(fit(at(Splitter::reader) * width, least_w, width - least_w));
    const float y = std::round(top + fit(at(Splitter::bottom) * area, least_h, area - least_h));
    put(Slot::reader, 0, top, x, bottom);
    put(beside, x, top, width, y);
    put(Slot::loss, x, y, width, bottom);
    across(Splitter::reader, x, top, bottom);
    along(Splitter::bottom, y, x, width);
    return f;
  }

  const float left = std::round(fit(at(Splitter::left) * width, least_w, width - 2 * least_w));
  const float right = std::round(fit(at(Splitter::right) * width, left + least_w, width - least_w));
  const float low = std::round(top + fit(at(Splitter::bottom) * area, 2 * least_h, area - least_h));
  const float right_middle =
      std::round(top + fit(at(Splitter::right_middle) * (low - top), least_h, low - top - least_h));
  const float bottom_middle =
      std::round(fit(at(Splitter::bottom_middle) * width, least_w, width - least_w));

  put(Slot::architecture, 0, top, left, low);
  put(Slot::attention, left, top, right, low);
  put(Slot::position, right, top, width, right_middle);
  put(Slot::norms, right, right_middle, width, low);
  put(Slot::gradients, 0, low, bottom_middle, bottom);
  put(Slot::loss, bottom_middle, low, width, bottom);
  across(Splitter::left, left, top, low);
  across(Splitter::right, right, top, low);
  along(Splitter::bottom, low, 0, width);
  along(Splitter::right_middle, right_middle, right, width);
  across(Splitter::bottom_middle, bottom_middle, low, bottom);
  return f;
}

void Layout::drag(Splitter splitter, float delta, float width, float height, float scale) {
  const LayoutFrame f = compute(width, height, scale);
  const auto handle = std::find_if(f.handles.begin(), f.handles.end(),
                                   [&](const auto& h) { return h.splitter == splitter; });
  if (handle == f.handles.end()) return;

  // From where the line stands now, not from the wish, so that it never lags behind the mouse
  const float top = f[Slot::transport].bottom();
  const float bottom = f.shown(Slot::time_strip) ? f[Slot::time_strip].y
                       : f.shown(Slot::status)   ? f[Slot::status].y
                                                 : height;
  const Rect& r = handle->rect;
  const float now = handle->vertical ? r.x + r.w / 2 : r.y + r.h / 2 - top;
  float whole = handle->vertical ? width : bottom - top;
  if (splitter == Splitter::right_middle) whole = f[Slot::norms].bottom() - top;
  if (whole > 0) at_[index(splitter)] = std::clamp((now + delta) / whole, 0.0f, 1.0f);
}

void Layout::maximise(Slot slot) {
  if (is_bar(slot) || slot == Slot::count) return;
  if (maximised_ == slot) {
    maximised_.reset();
  } else {
    maximised_ = slot;
  }
}

void Layout::set_tab(Slot slot) {
  if (is_bar(slot) || slot == Slot::count) return;
  tab_ = slot;
  if (maximised_) maximised_ = slot;
}

std::string Layout::serialise() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << preset_name(preset_) << ' ' << slot_name(tab_) << ' '
      << (maximised_ ? slot_name(*maximised_) : "none");
  for (const float v : at_) {
    char text[16];
    std::snprintf(text, sizeof text, "%.4f", static_cast<double>(v));
    std::replace(text, text + sizeof text, ',', '.');
    out << ' ' << text;
  }
  return out.str();
}

bool Layout::parse(std::string_view text) {
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  std::string preset, tab, maximised;
  std::array<float, kSplitters> at{};
  in >> preset >> tab >> maximised;
  for (float& v : at) {
    if (!(in >> v) || !(v >= 0 && v <= 1)) return false;
  }
  const auto found = std::find(std::begin(kPresetNames), std::end(kPresetNames), preset);
  const std::optional<Slot> tab_slot = slot_named(tab), max_slot = slot_named(maximised);
  if (found == std::end(kPresetNames) || !tab_slot || is_bar(*tab_slot)) return false;
  if (maximised != "none" && (!max_slot || is_bar(*max_slot))) return false;
  preset_ = static_cast<Preset>(found - std::begin(kPresetNames));
  at_ = at;
  tab_ = *tab_slot;
  maximised_ = max_slot;
  return true;
}

}  // namespace tpp::viewer
