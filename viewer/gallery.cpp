// Every widget once, in the frame that panels stand in.
#include "viewer/gallery.h"

#include <imgui.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "viewer/shell.h"
#include "viewer/widgets/bars.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/dial.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/histogram.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {

struct GalleryState {
  Layout layout;
  std::vector<Heatmap> heads{16};
  Heatmap large, change, angle, broken, nothing;
  std::vector<std::string> tokens;
  Pyramid train, smooth, other, validation, rate;
  CurvePlot loss, rates;
  std::vector<std::uint32_t> counts, counts_b;
  std::array<int, kSlots> active{};
};

namespace {

float noise(int i) {
  const double s = std::sin(12.9898 * i) * 43758.5453;
  return static_cast<float>(s - std::floor(s));
}

// Rows that sum to one: a bit of the previous token, of the first one, and of an earlier match.
std::vector<float> attention(int n, int head) {
  std::vector<float> m(static_cast<std::size_t>(n * n));
  for (int r = 0; r < n; ++r) {
    double sum = 0;
    for (int c = 0; c <= r; ++c) {
      double logit = noise(head * 977 + r * 31 + c) * 1.5;
      if (head % 4 == 0 && c == r - 1) logit += 5;
      if (head % 4 == 1 && c == 0) logit += 4;
      if (head % 4 == 2 && (r - c) % 8 == 0) logit += 3;
      if (head % 4 == 3) logit += 4 - 0.2 * (r - c);
      m[static_cast<std::size_t>(r * n + c)] = static_cast<float>(std::exp(logit));
      sum += std::exp(logit);
    }
    for (int c = 0; c <= r; ++c) m[static_cast<std::size_t>(r * n + c)] /= static_cast<float>(sum);
  }
  return m;
}

void fill(GalleryState& s) {
  const HeatmapStyle probability{Colormap::viridis, RangePolicy::fixed, {0, 1}, false};
  for (int h = 0; h < 16; ++h) {
    const std::vector<float> m = attention(64, h);
    MatrixView view{m.data(), 64, 64};
    view.causal = true;
    s.heads[static_cast<std::size_t>(h)].set(view, 1, probability);
  }
  {
    const std::vector<float> m = attention(24, 2);
    MatrixView view{m.data(), 24, 24};
    view.causal = true;
    s.large.set(view, 1, probability);
    const char* words[] = {"Once", "␣upon", "␣a", "␣time", "␣a",   "␣fox", "␣met", "␣an",
                           "␣owl", ".",     "␣“", "Who",   "␣are", "␣you", "?”",   "␣said",
                           "␣the", "␣owl",  ".",  "␣“",    "A",    "␣fox", ".”",   "⏎"};
    s.tokens.assign(std::begin(words), std::end(words));
  }
  std::vector<float> m(40 * 24);
  for (int i = 0; i < 40 * 24; ++i) {
    m[static_cast<std::size_t>(i)] =
        static_cast<float>(std::sin(i % 40 * 0.3) * std::cos(i / 40 * 0.5) * 2 + noise(i) - 0.5);
  }
  s.change.set({m.data(), 24, 40}, 1, {Colormap::signed_, RangePolicy::percentile, {}, true});
  for (int r = 0; r < 24; ++r) {
    for (int c = 0; c < 40; ++c) {
      const double angle = std::fmod(c * std::pow(10000.0, -r / 24.0), 6.283185307);
      m[static_cast<std::size_t>(r * 40 + c)] = static_cast<float>(angle);
    }
  }
  s.angle.set({m.data(), 24, 40}, 1,
              {Colormap::cyclic, RangePolicy::fixed, {0, 6.2831853f}, false});
  for (std::size_t i = 0; i < 48; ++i) m[i] = noise(static_cast<int>(i));
  m[10] = std::numeric_limits<float>::quiet_NaN();
  m[19] = std::numeric_limits<float>::infinity();
  m[40] = m[41] = std::numeric_limits<float>::quiet_NaN();
  m[30] = -std::numeric_limits<float>::infinity();
  s.broken.set({m.data(), 6, 8}, 1, {Colormap::cividis, RangePolicy::min_max, {}, false});

  double average = 5.5;
  for (int i = 0; i < 4000; ++i) {
    const double y = 1.2 + 4.3 * std::exp(-i / 500.0) + 0.35 * (noise(i) - 0.5);
    average += 0.02 * (y - average);
    const bool gap = i >= 2600 && i < 2700;
    s.train.push(i, gap ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(y));
    s.smooth.push(i, gap ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(average));
    s.other.push(i, static_cast<float>(1.35 + 4.15 * std::exp(-i / 700.0)));
    if (i % 250 == 0) s.validation.push(i, static_cast<float>(1.3 + 4.2 * std::exp(-i / 520.0)));
    s.rate.push(i,
                static_cast<float>(i < 300 ? 1e-3 * (i + 1) / 300
                                           : 1e-4 + 4.5e-4 * (1 + std::cos((i - 300) / 1178.0))));
  }
  for (int i = 0; i < 48; ++i) {
    s.counts.push_back(static_cast<std::uint32_t>(4000 * std::exp(-std::pow((i - 22) / 8.0, 2))));
    s.counts_b.push_back(
        static_cast<std::uint32_t>(3200 * std::exp(-std::pow((i - 26) / 10.0, 2))));
  }
}

void attention_panel(Ui& ui, GalleryState& s) {
  const Theme& t = ui.theme;
  const float gap = t.px(6), avail = ImGui::GetContentRegionAvail().x;
  const float side = std::floor((avail * 0.46f - 3 * gap) / 4);
  const ImVec2 start = ImGui::GetCursorScreenPos();
  for (int h = 0; h < 16; ++h) {
    ImGui::SetCursorScreenPos(
        ImVec2(start.x + static_cast<float>(h % 4) * (side + gap),
               start.y + static_cast<float>(h / 4) * (side + gap + t.px(16))));
    HeatmapOptions o;
    o.size = ImVec2(side, side);
    const std::string id = "gallery/head/" + std::to_string(h);
    s.heads[static_cast<std::size_t>(h)].draw(ui, id.c_str(), o);
    const FontScope small(t, Font::mono_small);
    ImGui::SetCursorScreenPos(
        ImVec2(start.x + static_cast<float>(h % 4) * (side + gap),
               start.y + static_cast<float>(h / 4) * (side + gap + t.px(16)) + side + t.px(1)));
    ImGui::PushStyleColor(ImGuiCol_Text, ui.colours().muted);
    ImGui::TextUnformatted("H 2.31");
    ImGui::PopStyleColor();
  }
  ImGui::SetCursorScreenPos(ImVec2(start.x + avail * 0.48f, start.y));
  HeatmapOptions o;
  o.size = ImVec2(avail * 0.52f, avail * 0.52f);
  o.zoomable = true;
  o.row_labels = o.col_labels = s.tokens;
  o.row_title = "query";
  o.col_title = "key";
  o.row_dim = o.col_dim = Dim::time;
  o.lock_row = 17;
  o.lock_col = 9;
  s.large.draw(ui, "gallery/large", o);
  ImGui::SetCursorScreenPos(ImVec2(start.x + avail * 0.48f, start.y + avail * 0.52f + t.px(8)));
  draw_legend(ui, "large", s.large, "probability", avail * 0.52f);
}

void loss_panel(Ui& ui, GalleryState& s) {
  const Palette& p = ui.colours();
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const std::array<Series, 4> lines{
      Series{"train", &s.train, with_alpha(p.run_a, 110), LineStyle::solid, 1, true},
      Series{"A smoothed", &s.smooth, p.run_a, LineStyle::solid, 2, true},
      Series{"B smoothed", &s.other, p.run_b, LineStyle::dashed, 2, true},
      Series{"validation", &s.validation, p.text, LineStyle::dots, 1.5f, true}};
  const std::array<EventMark, 2> events{EventMark{1200, "clip", 0}, EventMark{2600, "NaN", 0}};
  const std::array<Guide, 2> guides{Guide{std::log(256.0), "uniform guess, ln V", 0, true},
                                    Guide{2.45, "bigram", 0, true}};
  CurveOptions o;
  o.size = ImVec2(room.x, std::floor(room.y * 0.68f));
  o.y_title = "loss, nats a token";
  o.cursor = 3100;
  const CurveHit hit = s.loss.draw(ui, "gallery/loss", lines, o, events, guides);
  const std::array<Series, 1> rate{
      Series{"learning rate", &s.rate, p.muted, LineStyle::solid, 1.5f, true}};
  CurveOptions below;
  below.size = ImGui::GetContentRegionAvail();
  below.log_y = true;
  below.x_min = hit.view_min;
  below.x_max = hit.view_max;
  below.show_x_axis = false;
  s.rates.draw(ui, "gallery/rate", rate, below);
}

}  // namespace

GalleryState* make_gallery() {
  auto* s = new GalleryState;
  fill(*s);
  return s;
}
void free_gallery(GalleryState* state) { delete state; }

void draw_widget_gallery(Ui& ui, GalleryState& s) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const ImVec2 display = ImGui::GetIO().DisplaySize;
  const LayoutFrame f = s.layout.compute(display.x, display.y, t.scale());
  draw_background(ui);
  draw_narrow_tabs(ui, s.layout, f);

  const auto slot = [&](Slot which, std::vector<SlotTab> tabs, auto draw) {
    if (!f.shown(which)) return;
    PanelAction action;
    begin_slot(ui, which, f[which], tabs, s.active[static_cast<std::size_t>(which)],
               s.layout.maximised() == which, &action);
    draw();
    end_slot();
    if (action.maximise) s.layout.maximise(which);
  };

  begin_bar(ui, Slot::transport, f[Slot::transport]);
  ImGui::Button("▶");
  ui.probe("gallery/play");
  hint(ui, "Play or pause", "Space");
  ImGui::SameLine();
  ImGui::Button("Step");
  ImGui::SameLine();
  // Rich text stands at the cursor: bring it down to the buttons' text
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + ImGui::GetStyle().FramePadding.y);
  draw_rich(ui, "step 3 100 · {A|A} ⇄ {B|B} · {-|41.2 steps/s}");
  end_bar();

  slot(Slot::architecture, {{"architecture", "Architecture", "11_gpt"}}, [&] {
    const float w = ImGui::GetContentRegionAvail().x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::array<BoxSpec, 5> boxes{
        BoxSpec{"Embedding", "256 → 128", Dim::vocab, false, false, true, "04"},
        BoxSpec{"RMSNorm", "gain 128", Dim::width, true, false, true, "12"},
        BoxSpec{"Grouped-query attention", "4 heads, 2 shared keys", Dim::head, false, true, true,
                "15"},
        BoxSpec{"SwiGLU", "128 → 344 → 128", Dim::width, false, false, true, "14"},
        BoxSpec{"Biases", "switched off", Dim::none, false, false, false, ""}};
    float y = at.y + t.px(4);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      draw_box(ui, ("gallery/box/" + std::to_string(i)).c_str(),
               {at.x + t.px(16), y, w - t.px(32), t.px(48)}, boxes[i]);
      y += t.px(48);
      if (i + 1 < boxes.size()) {
        const std::array<ImVec2, 2> path{ImVec2(at.x + w / 2, y),
                                         ImVec2(at.x + w / 2, y + t.px(20))};
        draw_arrow(ui, path, p.muted);
      }
      y += t.px(20);
    }
    draw_node(ui, ImVec2(at.x + w / 2, y + t.px(4)), t.px(10), "+", p.accent);
    ImGui::SetCursorScreenPos(ImVec2(at.x, y + t.px(24)));
    draw_rich(
        ui, "q·kᵀ / √{D|K} : ({T|T}, {T|S}), ‖g‖ ≤ 1, β₂ = 0.95, x² · 10⁻³, ∑ ∂L/∂x ⊙ ∈ ∞ θ λ", w);
  });
  slot(Slot::attention, {{"attention", "Attention", "06_attention"}},
       [&] { attention_panel(ui, s); });
  slot(Slot::position, {{"rope", "RoPE", "13_rope"}}, [&] {
    const float side = std::floor((ImGui::GetContentRegionAvail().x - 5 * t.px(6)) / 6);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    for (int i = 0; i < 6; ++i) {
      const float angle = 2.2f / static_cast<float>(1 + i * i), from = 0.5f;
      const std::array<DialArrow, 2> arrows{
          DialArrow{0.7f * std::cos(from), 0.7f * std::sin(from), p.muted, true, "q"},
          DialArrow{(i == 4 ? 1.4f : 0.7f) * std::cos(from + angle),
                    (i == 4 ? 1.4f : 0.7f) * std::sin(from + angle), i == 5 ? p.run_b : p.run_a,
                    false, "rotated q"}};
      const std::array<DialArc, 1> arcs{DialArc{from, from + angle, p.dim_pair}};
      DialOptions o;
      o.size = side;
      o.caption = "pair " + std::to_string(i);
      o.detail = "λ " + std::to_string(6 + i * i * 17);
      o.selected = i == 2;
      o.arcs = arcs;
      ImGui::SetCursorScreenPos(ImVec2(at.x + static_cast<float>(i) * (side + t.px(6)), at.y));
      draw_dial(ui, ("gallery/dial/" + std::to_string(i)).c_str(), arrows, o);
    }
    ImGui::SetCursorScreenPos(ImVec2(at.x, at.y + dial_height(ui, side) + t.px(8)));
    HeatmapOptions o;
    o.size =
        ImVec2(ImGui::GetContentRegionAvail().x,
               std::max(t.px(48), ImGui::GetContentRegionAvail().y - legend_height(ui) - t.px(12)));
    s.angle.draw(ui, "gallery/angle", o);
    draw_legend(ui, "angle", s.angle, "angle");
  });
  slot(Slot::norms,
       {{"norms", "Norms", "12_rmsnorm"}, {"stream", "Residual stream", "08_layernorm"}}, [&] {
         const float w = ImGui::GetContentRegionAvail().x, h = ImGui::GetContentRegionAvail().y;
         const ImVec2 at = ImGui::GetCursorScreenPos();
         const std::array<Bar, 7> bars{Bar{"embed", 0.92},
                                       Bar{"block0/attn", 1.31, 1.2},
                                       Bar{"block1/attn", 1.84, 2.4},
                                       Bar{"block1/ffn", -0.62, 0.3, p.run_a, true},
                                       Bar{"block2/attn", 3.05, 2.8},
                                       Bar{"block2/ffn/long/name", std::nan(""), 1.0},
                                       Bar{"head", 4.4, 4.1}};
         BarsOptions o;
         o.size = ImVec2(w * 0.5f, h);
         o.two = true;
         o.guide = 1;
         o.guide_label = "RMS = 1";
         draw_bars(ui, "gallery/bars", bars, o);
         ImGui::SetCursorScreenPos(ImVec2(at.x + w * 0.5f + t.px(12), at.y));
         HistogramOptions ho;
         ho.size = ImVec2(w * 0.5f - t.px(12), h);
         ho.lo = -3;
         ho.hi = 3;
         ho.title = "gain";
         draw_histogram(ui, "gallery/histogram", s.counts, ho, s.counts_b);
       });
  slot(Slot::gradients, {{"gradients", "Gradients", "09_optimizers"}}, [&] {
    const float w = std::floor((ImGui::GetContentRegionAvail().x - 2 * t.px(12)) / 3);
    const float h = ImGui::GetContentRegionAvail().y - legend_height(ui) - t.px(8);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    Heatmap* maps[] = {&s.change, &s.broken, &s.nothing};
    const char* names[] = {"signed", "broken", "nothing"};
    for (int i = 0; i < 3; ++i) {
      const float x = at.x + static_cast<float>(i) * (w + t.px(12));
      ImGui::SetCursorScreenPos(ImVec2(x, at.y));
      HeatmapOptions o;
      o.size = ImVec2(w, h);
      maps[i]->draw(ui, (std::string("gallery/") + names[i]).c_str(), o);
      if (maps[i]->empty()) continue;
      ImGui::SetCursorScreenPos(ImVec2(x, at.y + h + t.px(6)));
      draw_legend(ui, names[i], *maps[i], names[i], w);
    }
  });
  slot(Slot::loss, {{"loss", "Loss", "09_optimizers"}, {"samples", "Samples", ""}},
       [&] { loss_panel(ui, s); });

  begin_bar(ui, Slot::time_strip, f[Slot::time_strip]);
  const std::array<StripMark, 4> marks{
      StripMark{500, StripMark::Kind::keyframe, "keyframe, step 500"},
      StripMark{1000, StripMark::Kind::keyframe, "keyframe, step 1000"},
      StripMark{1200, StripMark::Kind::event, "gradient clipped"},
      StripMark{2000, StripMark::Kind::fork, "fork B"}};
  const std::array<std::pair<double, double>, 1> thinned{std::pair{0.0, 400.0}};
  draw_time_strip(ui, "gallery/time", ImVec2(0, t.px(32)), 0, 4000, 3100, marks, true, thinned);
  end_bar();
  begin_bar(ui, Slot::status, f[Slot::status]);
  {
    const FontScope small(t, Font::small);
    draw_rich(ui, "{-|watching 1.4 % of a step · 212 MiB · 60 frames/s}");
  }
  end_bar();
  draw_splitters(ui, s.layout, f);
}

}  // namespace tpp::viewer
