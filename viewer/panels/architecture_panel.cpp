#include "viewer/panels/architecture_panel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <ostream>

#include "chapters/01_tensor/errors.h"
#include "chapters/15_gqa/gqa.h"
#include "viewer/export.h"
#include "viewer/hidden.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/telling.h"
#include "viewer/run/run_control.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

bool is_gated(const std::string& ffn) {
  return ffn == "glu" || ffn == "bilinear" || ffn == "reglu" || ffn == "geglu" || ffn == "swiglu";
}

std::string short_count(double n) {
  if (n < 10000) return with_thousands((long long)(n));
  if (n < 1e6) return formatted(n < 99950 ? "%.1f k" : "%.0f k", n / 1e3);
  if (n < 1e9) return formatted(n < 99.95e6 ? "%.2f M" : "%.0f M", n / 1e6);
  return formatted("%.2f G", n / 1e9);
}

std::string bytes_text(long long n) {
  if (n < 10240) return with_thousands(n) + " B";
  if (n < 10 * 1024 * 1024) return formatted("%.1f KiB", double(n) / 1024);
  return formatted("%.1f MiB", double(n) / 1048576);
}

std::string dim_text(char mark, Index n) {
  return std::string("{") + mark + "|" + std::to_string(n) + "}";
}

struct NormText {
  const char *title, *formula, *why, *source;
};
NormText norm_text(const std::string& norm) {
  if (norm == "layernorm")
    return {"LayerNorm", "y = (x − mean x) / √(var x + ε) · g + b",
            "Every token enters with the same mean and size, whatever the depth.",
            "chapters/08_layernorm/layernorm.cpp: layernorm"};
  if (norm == "scalenorm")
    return {"ScaleNorm", "y = g · x / ‖x‖, one g for all features",
            "One number sets the length of every token.",
            "chapters/12_rmsnorm/scalenorm.cpp: scalenorm_forward"};
  return {"RMSNorm", "y = x / √(mean x² + ε) · g",
          "Every token enters with the same size; its mean is left alone.",
          "chapters/12_rmsnorm/exercises/forward/reference.h: rmsnorm_forward"};
}

std::string ffn_formula(const std::string& ffn) {
  if (ffn == "glu") return "W₂·(sigmoid(Wg·x) ⊙ Wv·x)";
  if (ffn == "bilinear") return "W₂·((Wg·x) ⊙ Wv·x)";
  if (ffn == "reglu") return "W₂·(relu(Wg·x) ⊙ Wv·x)";
  if (ffn == "geglu") return "W₂·(gelu(Wg·x) ⊙ Wv·x)";
  if (ffn == "swiglu") return "W₂·(swish(Wg·x) ⊙ Wv·x)";
  if (ffn == "solu") return "W₂·LN(u ⊙ softmax(u)), u = W₁·x";
  return "W₂·" + ffn + "(W₁·x)";
}

std::string ffn_title(const std::string& ffn) {
  if (ffn == "relu") return "ReLU";
  if (ffn == "gelu") return "GELU";
  if (ffn == "swish") return "Swish";
  if (ffn == "solu") return "SoLU";
  if (ffn == "glu") return "GLU";
  if (ffn == "bilinear") return "Bilinear";
  if (ffn == "reglu") return "ReGLU";
  if (ffn == "geglu") return "GEGLU";
  if (ffn == "swiglu") return "SwiGLU";
  return ffn;
}

std::string position_tag(const std::string& position) {
  if (position == "rope") return "RoPE";
  if (position == "alibi") return "ALiBi";
  if (position == "t5") return "T5 bias";
  return {};
}

}  // namespace

std::vector<DiagramPart> diagram_parts(const Frame& frame, int layer) {
  using Where = DiagramPart::Where;
  const ModelConfig& c = frame.config;
  const RunOptions& o = frame.options;
  std::vector<DiagramPart> parts;
  const auto count = [&](const std::string& prefix) {
    long long sum = 0;
    for (const ParameterInfo& p : frame.parameters)
      if (p.name.starts_with(prefix)) sum += p.size();
    return sum;
  };
  const auto put = [&](DiagramPart part) {
    if (!part.prefix.empty()) part.numbers = count(part.prefix);
    // Its parameters and their shapes; those of a layer with their biases, without its norms
    const bool linear = part.prefix.ends_with("/w");
    const std::string all = part.prefix.substr(0, part.prefix.size() - (linear ? 1 : 0));
    for (const ParameterInfo& p : frame.parameters) {
      if (all.empty() || !p.name.starts_with(all)) continue;
      const std::string name = p.name.substr(all.size());
      if (linear && name.starts_with("norm")) continue;
      part.settings += name + " " + std::to_string(p.rows) + "×" + std::to_string(p.cols) + ", ";
    }
    parts.push_back(std::move(part));
  };
  const std::string width = dim_text('D', c.D), block = "block" + std::to_string(layer);

  // In
  DiagramPart embed;
  embed.id = "embed";
  embed.title = "Embedding";
  embed.detail = dim_text('V', c.V) + " × " + width;
  embed.prefix = "embed/";
  embed.dim = Dim::vocab;
  embed.formula = "x[{T|t}] = E[token {T|t}],   E ({V|V}, {D|D})";
  embed.why = "A token becomes a row of numbers: the start of its residual stream.";
  embed.source = "chapters/04_embedding/embedding.cpp: embedding_forward";
  put(embed);
  if (o.position == "sinusoidal" || o.position == "learned") {
    DiagramPart position;
    position.where = Where::enter;
    position.id = "position";
    position.title = o.position == "learned" ? "Learned positions" : "Sinusoids";
    position.detail = dim_text('T', c.T) + " × " + width;
    if (o.position == "learned") position.prefix = "position/";
    position.dim = Dim::time;
    position.formula = o.position == "learned"
                           ? "x[{T|t}] + P[{T|t}],   P ({T|T}, {D|D}) is learned"
                           : "x[{T|t}] + P[{T|t}],   P of sines and cosines";
    position.why = "Without it the model could not tell the order of tokens.";
    position.source = "chapters/07_position/sinusoidal.cpp: add_positions_forward";
    put(position);
  }

  // A block: two halves, each with its norms where the placement says
  const NormText text = norm_text(o.norm);
  const auto norm = [&](int half, bool outer, Where where) {
    DiagramPart part;
    const std::string sub = half == 0 ? "attn" : "ffn";
    part.where = where;
    part.block = half;
    part.id = sub + (outer ? "/norm_out" : "/norm");
    part.title = text.title;
    part.detail = o.norm == "scalenorm" ? "one gain" : "gain " + width;
    part.prefix = block + "/" + part.id + "/";
    part.dim = Dim::width;
    part.formula = text.formula;
    part.why = where == Where::trunk
                   ? "It stands on the stream: every gradient that passes is scaled by it."
                   : text.why;
    part.source = text.source;
    put(part);
  };
  for (int half = 0; half < 2; ++half) {
    if (uses_norm_in(c.placement)) norm(half, false, Where::branch);
    DiagramPart part;
    part.where = Where::branch;
    part.block = half;
    if (half == 0) {
      const std::string tag = position_tag(o.position);
      part.id = "attn";
      part.title = "Attention";
      part.detail = dim_text('H', c.H) + (c.G == c.H ? (c.H == 1 ? " head" : " heads")
                                                     : " q, " + dim_text('H', c.G) + " k/v");
      if (!tag.empty()) part.detail += " · {T|" + tag + "}";
      part.prefix = block + "/attn/w";
      part.dim = Dim::head;
      if (o.position == "rope") {
        for (const char* name :
             {"rope-base", "rope-pairing", "rope-scaling", "rope-factor", "rope-trained"})
          part.settings += get_option(o, name) + " ";
      }
      part.formula = "softmax(q·kᵀ / √{D|K}) · v,   {D|K} = {D|D}/{H|H} = " + dim_text('D', c.K());
      part.why = "The only place where tokens hear of each other";
      if (c.G != c.H)
        part.why += "; " + std::to_string(c.H / std::max<Index>(1, c.G)) +
                    " query heads share a key/value head";
      part.why += ".";
      part.source = c.G == c.H ? "chapters/06_attention/attention.cpp: attention_with_heads"
                               : "chapters/15_gqa/gqa.cpp: grouped_query_attention";
    } else {
      part.id = "ffn";
      part.title = ffn_title(o.ffn);
      part.detail = width + " → " + std::to_string(c.F) + " → " + width;
      part.prefix = block + "/ffn/w";
      part.dim = Dim::width;
      part.formula = ffn_formula(o.ffn);
      part.formula += ",   F = " + std::to_string(c.F);
      part.why = "Works on each token alone; most parameters are here.";
      if (o.ffn_width == 0)
        part.why += is_gated(o.ffn) ? " F is 8/3·D, rounded up to a multiple of 8." : " F is 4·D.";
      part.source = is_gated(o.ffn) ? "chapters/14_swiglu/glu.cpp: glu_forward"
                                    : "chapters/09_feedforward/activation.cpp: activation_forward";
    }
    put(part);
    if (c.placement == Placement::sandwich) norm(half, true, Where::branch);
    DiagramPart add;
    add.where = Where::add;
    add.block = half;
    add.id = half == 0 ? "attn/residual" : "ffn/residual";
    add.title = "Residual sum, " + o.placement + "-norm";
    if (c.placement == Placement::deepnorm) {
      add.title = "Residual sum, deepnorm";
      add.detail =
          "α " + formatted("%.2f", deepnorm_scale(int(std::max<Index>(1, c.layers))).alpha);
    }
    add.formula = c.placement == Placement::pre        ? "x + f(norm(x))"
                  : c.placement == Placement::post     ? "norm(x + f(x))"
                  : c.placement == Placement::sandwich ? "x + norm(f(norm(x)))"
                                                       : "norm(α·x + f(x)),   α = (2·layers)^¼";
    add.why = uses_norm_in(c.placement)
                  ? "The stream itself is never scaled, so gradients pass untouched."
                  : "The norm keeps the stream small, at the price of scaled gradients.";
    add.source = "chapters/08_layernorm/placement.h: residual_block";
    put(add);
    if (c.placement == Placement::post || c.placement == Placement::deepnorm)
      norm(half, true, Where::trunk);
  }

  // Out
  if (uses_norm_in(c.placement)) {
    DiagramPart last;
    last.id = "final";
    last.title = text.title;
    last.detail = o.norm == "scalenorm" ? "one gain" : "gain " + width;
    last.prefix = "final/";
    last.dim = Dim::width;
    last.formula = text.formula;
    last.why = "The stream grew with depth; before it is read it is brought to size.";
    last.source = text.source;
    put(last);
  }
  DiagramPart out;
  out.id = "unembed";
  out.title = "Un-embedding";
  out.detail = width + " × " + dim_text('V', c.V);
  out.prefix = c.tied ? "" : "unembed/";
  out.dim = Dim::vocab;
  out.formula =
      c.tied ? "logits = x·Eᵀ,   E is the embedding's table" : "logits = x·Uᵀ,   U ({V|V}, {D|D})";
  out.why = c.tied ? "Tied: a token is recognised by the row that writes it, and a table is saved."
                   : "A table of its own for reading tokens out of the stream.";
  out.source = "chapters/11_gpt/gpt.cpp: forward";
  put(out);
  return parts;
}

bool differs(const DiagramPart& part, const std::vector<DiagramPart>& others) {
  const auto same = std::find_if(others.begin(), others.end(),
                                 [&](const DiagramPart& other) { return other.id == part.id; });
  return same == others.end() || same->where != part.where || same->title != part.title ||
         same->detail != part.detail || same->formula != part.formula ||
         same->settings != part.settings;
}

ModelTotals model_totals(const Frame& frame) {
  ModelTotals totals;
  const ModelConfig& c = frame.config;
  double multiplied = 0;  // parameters that every token is multiplied with
  for (const ParameterInfo& p : frame.parameters) {
    totals.parameters += p.size();
    const bool looked_up = p.name.starts_with("position/") || (p.name == "embed/table" && !c.tied);
    if (p.rows > 1 && !looked_up) multiplied += double(p.size());
  }
  totals.flops_per_token = 6 * multiplied + 6.0 * double(c.layers * c.T * c.D);
  if (c.H > 0) totals.cache_bytes_per_token = kv_cache_bytes_per_token(c.layers, c.G, c.K());
  return totals;
}

// --- The panel -------------------------------------------------------------------------

struct ArchitecturePanel::State {
  PanelInfo info{"architecture", "Architecture", "11_gpt", Slot::architecture};

  bool known = false;
  const Frame* frame = nullptr;
  const Frame* other = nullptr;
  unsigned long frame_version = 0, other_version = 0;
  Compare compare = Compare::a;
  int layer = 0;
  RunOptions options;
  ModelConfig config;
  std::vector<ParameterInfo> parameters;
  std::vector<DiagramPart> parts, other_parts;  // of the run that is shown, and of the other
  std::vector<std::string> changed;             // options in which A and B differ
  ModelTotals totals;
  std::string recipe;

  // What was asked for and has not come yet, and what became of it
  std::optional<RunOptions> pending;
  double asked = -1e9;
  std::string note;
  bool is_error = false;

  bool differs(const std::string& option) const {
    return std::find(changed.begin(), changed.end(), option) != changed.end();
  }
  bool differs(const DiagramPart& part) const {
    return !other_parts.empty() && viewer::differs(part, other_parts);
  }
  const RunOptions& shown_options() const { return pending ? *pending : options; }

  void restart(ViewContext& context, const RunOptions& next, const std::string& what);
  float draw_switches(ViewContext& context, const Rect& rect);
  void draw_diagram(ViewContext& context, const Rect& rect);
  void draw_totals(ViewContext& context, const Rect& rect);
  void tooltip_for(ViewContext& context, const DiagramPart& part, const std::string& key) const;
  /// Whose diagram this is: with B − A it is B's.
  static Compare shown_run(const ViewContext& context) {
    return context.compare == Compare::a || !context.b ? Compare::a : Compare::b;
  }
};

ArchitecturePanel::ArchitecturePanel() : state_(std::make_unique<State>()) {}
ArchitecturePanel::~ArchitecturePanel() = default;
const PanelInfo& ArchitecturePanel::info() const { return state_->info; }
const std::string& ArchitecturePanel::note() const { return state_->note; }
bool ArchitecturePanel::note_is_error() const { return state_->is_error; }
std::vector<std::string> ArchitecturePanel::outlined() const {
  std::vector<std::string> ids;
  for (const DiagramPart& part : state_->parts) {
    if (state_->differs(part)) ids.push_back(part.id);
  }
  return ids;
}
const std::string& ArchitecturePanel::recipe() const { return state_->recipe; }

namespace {

/// The recipe whose parts these are; sizes may differ.
std::string recipe_of(const RunOptions& options) {
  for (const RecipeInfo& recipe : recipes()) {
    RunOptions as_it_has_them = options;
    apply_recipe(as_it_has_them, recipe.name);
    const std::vector<std::string> names = differing_options(options, as_it_has_them);
    const bool same = std::none_of(names.begin(), names.end(), [](const std::string& name) {
      return option_info(name).group == OptionInfo::Group::parts;
    });
    if (same) return recipe.name;
  }
  return "own";
}

}  // namespace

void ArchitecturePanel::update(const ViewContext& context) {
  State& s = *state_;
  // With B − A, what B has otherwise is outlined in B's diagram
  const Frame* frame = context.compare != Compare::a && context.b ? context.b : context.a;
  if (!frame || frame->config.layers < 1 || frame->config.H < 1 || frame->config.D < 1) {
    s.known = false;
    s.frame = nullptr;
    return;
  }
  const int layers = int(frame->config.layers);
  const int layer = std::clamp(context.selection.shown().layer.value_or(0), 0, layers - 1);
  if (context.compare != s.compare) s.pending.reset();  // it was of the other run
  s.compare = context.compare;
  const Frame* other = context.b;
  const bool same = s.known && frame == s.frame && frame->version == s.frame_version &&
                    layer == s.layer && other == s.other &&
                    (!other || other->version == s.other_version);
  if (same) return;
  s.known = true;
  s.frame = frame;
  s.frame_version = frame->version;
  s.other = other;
  s.other_version = other ? other->version : 0;
  s.layer = layer;
  s.options = frame->options;
  s.config = frame->config;
  s.parameters = frame->parameters;
  s.parts = diagram_parts(*frame, layer);
  s.other_parts.clear();
  if (context.a && context.b) {
    const Frame& beside = frame == context.b ? *context.a : *context.b;
    s.other_parts =
        diagram_parts(beside, std::clamp(layer, 0, std::max(0, int(beside.config.layers) - 1)));
  }
  s.totals = model_totals(*frame);
  s.recipe = recipe_of(frame->options);
  s.changed = context.a && context.b ? differing_options(context.a->options, context.b->options)
                                     : std::vector<std::string>{};
}

void ArchitecturePanel::draw(ViewContext& context) {
  State& s = *state_;
  if (!s.known) {
    put_note(context, context.rect, "No run yet. The model's parts appear with the first step.");
    return;
  }
  if (s.pending && (s.options == *s.pending || context.time > s.asked + 4)) s.pending.reset();
  const Theme& theme = context.theme;
  const Rect r = context.rect;
  const float totals = 3 * (theme.font_size(Font::small) + theme.px(4)) + theme.px(6);
  const float switches = s.draw_switches(context, r);
  s.draw_totals(context, {r.x, r.bottom() - totals, r.w, totals});
  s.draw_diagram(context, {r.x, r.y + switches, r.w, r.h - switches - totals});
}

void ArchitecturePanel::State::restart(ViewContext& context, const RunOptions& next,
                                       const std::string& what) {
  try {
    context.control->restart(next);
    pending = next;
    note =
        what + (context.compare != Compare::a && context.b ? ": B is forked again with it."
                                                           : ": the run starts again at step 0.");
    is_error = false;
  } catch (const InputError& error) {
    // The run goes on as it was; so does the switch
    pending.reset();
    note = error.what();
    if (!note.empty() && note.back() != '.') note += '.';
    is_error = true;
  }
  asked = context.time;
}

float ArchitecturePanel::State::draw_switches(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const FontScope small(theme, Font::small);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(theme.px(5), theme.px(2)));
  const float row = ImGui::GetFrameHeight() + theme.px(4);
  const float column = 0.5f * (rect.w - theme.grid(1));
  const std::array<float, 2> labels{text_width(context, Font::small, "placement") + theme.px(5),
                                    text_width(context, Font::small, "position") + theme.px(5)};
  const bool can = context.control != nullptr;
  const auto hidden = [&](const std::string& name) {
    return context.hidden && context.hidden->hides("architecture." + name);
  };
  if (hidden("*")) {  // all of them
    ImGui::PopStyleVar();
    return 0;
  }
  if (!can) ImGui::BeginDisabled();

  // The choices of the options' table, two columns of them
  const auto cell = [&](int index) {
    return ImVec2(rect.x + float(index % 2) * (column + theme.grid(1)),
                  rect.y + row * float(index / 2));
  };
  const auto combo = [&](int index, const std::string& name, const std::string& value,
                         const std::vector<std::string>& choices, const std::string& help) {
    if (hidden(name)) return std::string{};
    const ImVec2 at = cell(index);
    const float label = labels[std::size_t(index % 2)];
    put_text(context, list, at.x, at.y + theme.px(3), differs(name) ? colours.run_b : colours.muted,
             name);
    ImGui::SetCursorScreenPos(ImVec2(at.x + label, at.y));
    ImGui::SetNextItemWidth(column - label);
    std::string chosen;
    const bool open =
        ImGui::BeginCombo(("##" + name).c_str(), value.c_str(),
                          ImGuiComboFlags_NoArrowButton | ImGuiComboFlags_HeightLargest);
    if (!open) {
      context.probe("architecture/" + name);
      hint(context, help);
      if (differs(name))
        compat::add_rect(list, ImGui::GetItemRectMin(), ImGui::GetItemRectMax(), colours.run_b,
                         theme.px(4), theme.px(1.5f));
    }
    if (open) {
      for (const std::string& choice : choices) {
        if (ImGui::Selectable(choice.c_str(), choice == value)) chosen = choice;
        context.probe("architecture/" + name + "/" + choice);
      }
      ImGui::EndCombo();
    }
    // A small mark that says: there is more. A long name needs its place
    if (text_width(context, Font::small, value) + theme.px(24) > column - label)
      return chosen != value ? chosen : std::string{};
    const float mx = at.x + column - theme.px(10), my = at.y + 0.5f * (row - theme.px(4));
    list->AddTriangleFilled(ImVec2(mx - theme.px(3), my - theme.px(1.5f)),
                            ImVec2(mx + theme.px(3), my - theme.px(1.5f)),
                            ImVec2(mx, my + theme.px(2.5f)), colours.muted);
    return chosen != value ? chosen : std::string{};
  };
  const RunOptions now = shown_options();
  std::vector<std::string> names;
  for (const RecipeInfo& info : recipes()) names.push_back(info.name);
  const std::string recipe_now = pending ? recipe_of(now) : recipe;
  if (const std::string name = combo(0, "recipe", recipe_now, names, "All parts and sizes at once");
      !name.empty()) {
    RunOptions next = now;
    apply_recipe(next, name);
    restart(context, next, "Recipe " + name);
  }
  int index = 1;
  for (const char* name : {"norm", "placement", "position", "attention", "ffn"}) {
    const OptionInfo& info = option_info(name);
    const std::string value = get_option(now, name);
    std::vector<std::string> choices;
    for (const std::string& choice : info.choices) {
      if (choice != "gqa:G") {
        choices.push_back(choice);
        continue;
      }
      for (int g = 2; g < now.heads; ++g)
        if (now.heads % g == 0) choices.push_back("gqa:" + std::to_string(g));
    }
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) choices.push_back(value);
    const std::string chosen = combo(index++, name, value, choices, info.help);
    if (chosen.empty()) continue;
    RunOptions next = now;
    set_option(next, name, chosen);
    restart(context, next, std::string(name) + " " + chosen);
  }
  for (const char* name : {"bias", "tied"}) {
    const float label = labels[std::size_t(index % 2)];
    const ImVec2 at = cell(index++);
    if (hidden(name)) continue;
    bool on = get_option(now, name) == "true";
    put_text(context, list, at.x, at.y + theme.px(3), differs(name) ? colours.run_b : colours.muted,
             name);
    ImGui::SetCursorScreenPos(ImVec2(at.x + label, at.y));
    const bool clicked = ImGui::Checkbox((std::string("##") + name).c_str(), &on);
    context.probe(std::string("architecture/") + name);
    hint(context, option_info(name).help);
    put_text(context, list, at.x + label + row, at.y + theme.px(3), colours.text,
             on ? "yes" : "no");
    if (!clicked) continue;
    RunOptions next = now;
    set_option(next, name, on ? "true" : "false");
    restart(context, next, std::string(name) + (on ? " yes" : " no"));
  }
  if (!can) ImGui::EndDisabled();
  ImGui::PopStyleVar();

  // What came of the last switch
  float y = rect.y + row * 4;
  const bool fresh =
      !note.empty() && (is_error ? context.time < asked + 20 : context.time < asked + 6);
  const std::string text = fresh                  ? note
                           : !can                 ? ""
                           : context.b == nullptr ? "A switch restarts the run, same seed and text."
                           : context.compare == Compare::a
                               ? "A switch restarts A, and B with it. Show B to change B."
                               : "A switch changes B, where it was forked from A.";
  y += put_wrapped(context, list, rect.x, y, rect.w,
                   !fresh     ? colours.muted
                   : is_error ? colours.error
                              : colours.good,
                   text);
  context.probes.record("architecture/note",
                        {rect.x, rect.y + row * 4, rect.w, y - rect.y - row * 4});
  return y - rect.y + theme.px(4);
}

void ArchitecturePanel::State::tooltip_for(ViewContext& context, const DiagramPart& part,
                                           const std::string& key) const {
  if (!tooltip_ready(context, key)) return;
  const auto count = [](Index n) { return whole_number((long long)(n)); };
  Told told;
  told.name = part.title;
  if (part.block >= 0) told.name += ", layer " + std::to_string(layer);
  told.name += ":  " + part.formula;
  told.why = part.why;
  told.source = part.source;
  if (part.numbers > 0) {
    told.formula = "parameters = Σ rows · columns";
    for (const ParameterInfo& p : parameters) {
      if (!p.name.starts_with(part.prefix)) continue;
      const std::size_t slash = p.name.rfind('/');
      told.numbers += (told.numbers.empty() ? "" : " + ") +
                      (p.rows > 1 ? count(p.rows) + " · " : std::string()) + count(p.cols) +
                      aside(" " + p.name.substr(slash + 1));
    }
    told.value = double(part.numbers);
    told.unit = part.numbers == 1 ? "parameter" : "parameters";
  } else if (part.where == DiagramPart::Where::add && !part.detail.empty()) {
    told.formula = "α = (2·layers)^¼";
    told.numbers = "(2 · " + count(config.layers) + ")^(1 / 4)";
    told.value = std::pow(2.0 * double(config.layers), 0.25);
  } else {
    // Nothing is learned here: what it works on
    const bool out = part.id == "unembed";
    told.formula = out ? "{V|V} · {D|D},  shared with the embedding" : "numbers = {T|T} · {D|D}";
    told.numbers = count(out ? config.V : config.T) + " · " + count(config.D);
    told.value = double((out ? config.V : config.T) * config.D);
    told.unit = out ? "parameters" : "numbers a sequence";
    told.note = out ? ", counted there" : ", none of them learned";
  }
  const bool alpha = part.where == DiagramPart::Where::add && !part.detail.empty();
  told.digits = alpha ? 4 : 0;
  tell_one(context, shown_run(context), told);
}

void ArchitecturePanel::State::draw_diagram(ViewContext& context, const Rect& rect) {
  using Where = DiagramPart::Where;
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(2);

  // How high a box may be, so that all of it fits
  int boxes = 0, sums = 0, enters = 0;
  for (const DiagramPart& part : parts) {
    boxes += part.where == Where::trunk || part.where == Where::branch;
    sums += part.where == Where::add;
    enters += part.where == Where::enter;
  }
  const float gap = theme.px(6), sum_row = theme.px(18), leave = theme.px(12);
  const float head = line + theme.px(4);  // of the block's frame
  const float fixed = 2 * line + 2 * gap + head + theme.px(14) + float(sums) * (sum_row + leave) +
                      float(boxes + enters) * gap;
  const float box =
      std::clamp((rect.h - fixed) / float(std::max(1, boxes + enters)), theme.px(14), theme.px(36));
  const float used = fixed + box * float(boxes + enters);
  float y = rect.bottom() - std::max(0.0f, 0.5f * (rect.h - used));  // from the bottom upwards

  // Columns: the stream, the boxes beside it, and room for the link of tied tables
  const float trunk = rect.x + theme.px(18), right = rect.right() - theme.px(16);
  const float branch = rect.x + theme.px(42), radius = theme.px(7.5f);
  const float lane = branch + theme.px(26);  // where arrows go up through the boxes
  const Rgba stream = colours.dim_width;
  const float stream_width = 2.5f;
  const Place place = context.selection.shown();

  const auto block_box = [&](const DiagramPart& part, const Rect& at) {
    BoxSpec spec;
    spec.dim = part.dim;
    spec.changed = differs(part);
    const bool mine =
        !part.prefix.empty() && place.parameter && place.parameter->starts_with(part.prefix);
    spec.selected = mine;
    const std::string id = "architecture/part/" + part.id;
    const BoxHit hit = draw_box(context, id.c_str(), at, spec);

    // One line or two: name, shape, count
    const bool two =
        at.h >= theme.font_size(Font::body) + theme.font_size(Font::small) + theme.px(5);
    const float pad = theme.px(11), text_h = theme.font_size(Font::body);
    const float ty =
        two ? at.y + 0.5f * (at.h - text_h - theme.font_size(Font::small) - theme.px(2))
            : at.y + 0.5f * (at.h - text_h) - theme.px(1);
    list->PushClipRect(ImVec2(at.x, at.y), ImVec2(at.right(), at.bottom()), true);
    const Font title_font = at.h < theme.px(19) ? Font::small : Font::body;
    float x = at.x + pad;
    x += put_text(context, list, x, ty, colours.text, part.title, title_font);
    const std::string count = part.id == "unembed" && config.tied ? "tied"
                              : part.numbers > 0 ? short_count(double(part.numbers))
                                                 : std::string{};
    const float count_width = text_width(context, Font::mono_small, count);
    put_text(context, list, at.right() - theme.px(7) - count_width, ty + theme.px(2), colours.muted,
             count, Font::mono_small);
    {
      const FontScope small(theme, Font::small);
      const float room = at.right() - theme.px(12) - count_width - x - theme.px(6);
      if (two)
        add_rich(context, list, ImVec2(at.x + pad, ty + text_h + theme.px(2)), part.detail,
                 colours.muted);
      else if (text_width(context, Font::small, plain_text(part.detail)) <= room)
        add_rich(context, list, ImVec2(x + theme.px(7), ty + theme.px(1.5f)), part.detail,
                 colours.muted);
    }
    list->PopClipRect();
    if (hit.hovered) {
      Place here;
      if (part.block >= 0) here.layer = layer;
      if (!part.prefix.empty()) {
        for (const ParameterInfo& p : parameters) {
          if (!p.name.starts_with(part.prefix)) continue;
          here.parameter = p.name;
          break;
        }
      }
      context.selection.hover(here);
      tooltip_for(context, part, id);
      if (hit.clicked && !here.empty()) context.selection.lock(here);
    }
  };

  // The tokens come in at the bottom
  const auto end_label = [&](const std::string& text, float at) {
    const FontScope small(theme, Font::small);
    add_rich(context, list, ImVec2(trunk + theme.px(14), at), text, colours.text);
  };
  y -= line;
  end_label("tokens ({T|" + std::to_string(config.T) + "})", y);
  const float stream_bottom = y + line;
  list->AddCircleFilled(ImVec2(trunk, y + 0.5f * line), theme.px(3.5f), stream);
  y -= gap;

  // First where everything stands, so that lines can be drawn below boxes
  struct Placed {
    const DiagramPart* part;
    Rect rect;       // of a box; for a sum the row it stands in
    float from = 0;  // a sum: where its branch left the stream
  };
  std::vector<Placed> placed;
  float frame_top = 0, frame_bottom = 0, left_at = 0;
  bool in_block = false, in_branch = false;
  for (const DiagramPart& part : parts) {
    if (part.block >= 0 && !in_block) {
      frame_bottom = y + theme.px(1);
      y -= theme.px(4);
      in_block = true;
    }
    if (part.block < 0 && in_block) {
      y -= head;
      frame_top = y;
      y -= gap;
      in_block = false;
    }
    if (part.where == Where::branch && !in_branch) {
      y -= leave;
      left_at = y + 0.75f * leave;
      in_branch = true;
    }
    if (part.where == Where::add) {
      y -= sum_row;
      placed.push_back({&part, {trunk, y, right - trunk, sum_row}, left_at});
      in_branch = false;
      continue;
    }
    y -= box;
    const float x = part.where == Where::trunk ? rect.x + theme.px(4) : branch;
    placed.push_back({&part, {x, y, right - x, box}, 0});
    y -= gap;
  }
  y -= theme.px(2);
  const float logits_y = y - line;

  // The frame of a block, said to stand there L times
  if (frame_bottom > frame_top) {
    list->AddRectFilled(ImVec2(rect.x, frame_top), ImVec2(right + theme.px(4), frame_bottom),
                        with_alpha(colours.grid, theme.dark() ? 110 : 130), theme.px(6));
    compat::add_rect(list, ImVec2(rect.x, frame_top), ImVec2(right + theme.px(4), frame_bottom),
                     colours.border, theme.px(6));
    const int L = int(config.layers);
    const std::string times = "× " + std::to_string(L) + (L == 1 ? " layer" : " layers");
    const float ty = frame_top + theme.px(3);
    float x = trunk + theme.px(14);
    x += put_text(context, list, x, ty, differs("layers") ? colours.run_b : colours.text, times) +
         theme.px(8);
    // A chip a layer, to choose whose parameters are meant
    const float room = right - x;
    const float chip = std::min(theme.px(18), room / float(L));
    for (int l = 0; l < L && chip >= theme.px(3); ++l) {
      const ImVec2 a(x + chip * float(l), ty), b(a.x + chip - theme.px(2), ty + line - theme.px(1));
      const std::string id = "architecture/layer/" + std::to_string(l);
      ImGui::SetCursorScreenPos(a);
      const bool clicked = ImGui::InvisibleButton(id.c_str(), ImVec2(chip, line));
      context.probe(id);
      const bool over = ImGui::IsItemHovered();
      if (over) context.selection.hover({.layer = l});
      if (clicked) context.selection.lock({.layer = l});
      const bool locked = context.selection.is_locked({.layer = l});
      const bool on = l == layer;
      list->AddRectFilled(a, b,
                          locked       ? colours.accent
                          : on || over ? colours.pressed
                                       : colours.raised,
                          theme.px(2));
      if (chip >= theme.px(16))
        put_text_middle(context, list, 0.5f * (a.x + b.x), ty - theme.px(1),
                        locked ? colours.on_accent
                        : on   ? colours.text
                               : colours.muted,
                        std::to_string(l));
    }
  }

  // The residual stream: one line from tokens to logits
  list->AddLine(ImVec2(trunk, stream_bottom - 0.5f * line), ImVec2(trunk, logits_y + line), stream,
                stream_width * theme.scale());
  const std::array<ImVec2, 2> tip{ImVec2(trunk, logits_y + line + theme.px(2)),
                                  ImVec2(trunk, logits_y + theme.px(2))};
  draw_arrow(context, tip, stream, stream_width);
  end_label("logits ({T|" + std::to_string(config.T) + "}, {V|" + std::to_string(config.V) + "})",
            logits_y);
  if (resting_on(context, "architecture/logits",
                 {trunk + theme.px(14), logits_y, right - trunk - theme.px(14), line}))
    tell_one(context, shown_run(context),
             {.name = "Logits: a score for each token at each position",
              .formula = "{T|T} · {V|V}",
              .numbers = std::to_string(config.T) + " · " + std::to_string(config.V),
              .value = double(config.T * config.V),
              .unit = "numbers a sequence",
              .why = "A softmax of each row says which token comes next.",
              .source = "chapters/11_gpt/gpt.cpp: forward",
              .digits = 0});

  // Branches: out of the stream, up through their boxes, and back into the sum
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const Placed& now = placed[i];
    if (now.part->where == Where::enter) {
      const float ey = now.rect.y + 0.5f * now.rect.h;
      const std::array<ImVec2, 2> path{ImVec2(now.rect.x, ey), ImVec2(trunk + radius, ey)};
      draw_arrow(context, path, colours.dim_time);
    }
    if (now.part->where != Where::add) continue;
    std::size_t first = i;
    while (first > 0 && placed[first - 1].part->where == Where::branch) --first;
    if (first == i) continue;
    const float ey = now.rect.y + 0.5f * now.rect.h;
    const std::array<ImVec2, 3> out{ImVec2(trunk, now.from), ImVec2(lane, now.from),
                                    ImVec2(lane, placed[first].rect.bottom())};
    compat::add_polyline(list, out.data(), 2, colours.guide, false, theme.px(1.5f));
    draw_arrow(context, std::span(out).subspan(1), colours.guide);
    for (std::size_t j = first; j + 1 < i; ++j) {
      const std::array<ImVec2, 2> up{ImVec2(lane, placed[j].rect.y),
                                     ImVec2(lane, placed[j + 1].rect.bottom())};
      draw_arrow(context, up, colours.guide);
    }
    const std::array<ImVec2, 3> back{ImVec2(lane, placed[i - 1].rect.y), ImVec2(lane, ey),
                                     ImVec2(trunk + radius, ey)};
    draw_arrow(context, back, colours.guide);
  }

  // The link of tied tables, along the right edge
  if (config.tied && placed.size() >= 2) {
    const Rect &low = placed.front().rect, &high = placed.back().rect;
    const float x = rect.right() - theme.px(5), y0 = low.y + 0.5f * low.h,
                y1 = high.y + 0.5f * high.h;
    const std::array<ImVec2, 4> path{ImVec2(low.right(), y0), ImVec2(x, y0), ImVec2(x, y1),
                                     ImVec2(high.right(), y1)};
    compat::add_polyline(list, path.data(), 4, colours.dim_vocab, false, theme.px(1.5f));
    list->AddCircleFilled(path[0], theme.px(2.5f), colours.dim_vocab);
    list->AddCircleFilled(path[3], theme.px(2.5f), colours.dim_vocab);
  }

  // Boxes and sums over the lines
  for (const Placed& now : placed) {
    const DiagramPart& part = *now.part;
    if (part.where != Where::add) {
      block_box(part, now.rect);
      if (part.where == Where::enter)
        draw_node(context, ImVec2(trunk, now.rect.y + 0.5f * now.rect.h), radius, "+",
                  colours.dim_time);
      continue;
    }
    const ImVec2 centre(trunk, now.rect.y + 0.5f * now.rect.h);
    const Rgba colour = differs(part) ? colours.run_b : stream;
    draw_node(context, centre, radius, "+", colour);
    if (!part.detail.empty()) {
      // DeepNorm counts the stream α times before it adds
      put_text(context, list, rect.x + theme.px(1), centre.y + radius - theme.px(1),
               colours.warning, "×α", Font::mono_small);
    }
    const std::string id = "architecture/part/" + part.id;
    ImGui::SetCursorScreenPos(ImVec2(centre.x - radius, centre.y - radius));
    ImGui::InvisibleButton(id.c_str(), ImVec2(2 * radius, 2 * radius));
    context.probe(id);
    if (ImGui::IsItemHovered()) {
      context.selection.hover({.layer = layer});
      tooltip_for(context, part, id);
    }
  }
}

void ArchitecturePanel::State::draw_totals(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(4);
  list->AddLine(ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.y), colours.border);
  float y = rect.y + theme.px(5);
  const auto row = [&](const char* id, const std::string& name, const std::string& value,
                       const Told& told) {
    put_text(context, list, rect.x, y, colours.muted, name);
    put_text_right(context, list, rect.right(), y, colours.text, value, Font::mono);
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    ImGui::InvisibleButton(id, ImVec2(rect.w, line));
    context.probe(id);
    if (ImGui::IsItemHovered() && tooltip_ready(context, id))
      tell_one(context, shown_run(context), told);
    y += line;
  };
  const auto count = [](double n) { return whole_number(std::llround(n)); };
  long long blocks = 0;
  for (const ParameterInfo& p : parameters)
    if (p.name.starts_with("block")) blocks += p.size();
  const long long layers = std::max<long long>(1, config.layers);
  const double scores = 6.0 * double(config.layers * config.T * config.D);
  row("architecture/parameters", "parameters", with_thousands(totals.parameters),
      {.name = "Parameters: all numbers that training changes",
       .formula = "layers · those of a layer + the rest",
       .numbers = count(double(layers)) + " · " + count(double(blocks / layers)) + " + " +
                  count(double(totals.parameters - blocks)),
       .value = double(totals.parameters),
       .note = ", with gradients and Adam's two averages " + bytes_text(16 * totals.parameters),
       .why = "What a model can know grows with them, and so does the work for each token.",
       .source = "chapters/02_tape/parameters.h: ParameterTable",
       .digits = 0});
  row("architecture/flops", "FLOP a token, both ways", short_count(totals.flops_per_token),
      {.name = "Work for a token, forward and backward",
       .formula = "6 · parameters it is multiplied with + 6 · layers · {T|T} · {D|D}",
       .numbers = "6 · " + count((totals.flops_per_token - scores) / 6) + " + 6 · " +
                  count(double(layers)) + " · " + count(double(config.T)) + " · " +
                  count(double(config.D)),
       .value = totals.flops_per_token,
       .unit = "operations",
       .why = "Forward is a third of it; a multiply-add counts two.",
       .source = "chapters/11_gpt/gpt.cpp: flops_per_token",
       .digits = 0});
  row("architecture/cache", "key/value cache a token", bytes_text(totals.cache_bytes_per_token),
      {.name = "Memory that generation keeps for a token",
       .formula = "2 · layers · {H|G} · {D|K} · 4 bytes",
       .numbers = "2 · " + std::to_string(config.layers) + " · " + std::to_string(config.G) +
                  " · " + std::to_string(config.K()) + " · 4",
       .value = double(totals.cache_bytes_per_token),
       .unit = "bytes",
       .why = "With a key/value head for each query head: " +
              bytes_text(kv_cache_bytes_per_token(config.layers, config.H, config.K())) + ".",
       .source = "chapters/15_gqa/gqa.h: kv_cache_bytes_per_token",
       .digits = 0});
}

// --- In words, and as a file -----------------------------------------------------------

std::string ArchitecturePanel::explain() const {
  return "The model from tokens, below, to logits, above. The thick line is the residual stream: "
         "every "
         "block reads from it and adds to it. Where the norms stand is the placement: beside the "
         "stream "
         "(pre), on it (post), around each layer (sandwich), or on a stream that counts α times "
         "(deepnorm). The thin line at the right says that two tables are one.\n"
         "The numbers in the boxes count parameters, for the layer that is chosen by the chips. "
         "Click a "
         "box to select its parameters in all panels.\n"
         "A switch starts the run again with the same seed and text. What the two models share "
         "starts "
         "with the same numbers. A choice that cannot be says why, and the run goes on.";
}

void ArchitecturePanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known) return;
  out << "parameter,rows,cols,numbers\n";
  for (const ParameterInfo& p : s.parameters)
    out << csv_field(p.name) << ',' << p.rows << ',' << p.cols << ',' << p.size() << '\n';
}

}  // namespace tpp::viewer
