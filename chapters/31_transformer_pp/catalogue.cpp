#include "chapters/31_transformer_pp/catalogue.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <sstream>

#include "chapters/02_tape/slots.h"
#include "chapters/03_tokens/targets.h"
#include "chapters/12_rmsnorm/part.h"
#include "chapters/13_rope/part.h"
#include "chapters/14_swiglu/part.h"
#include "chapters/15_gqa/part.h"

namespace tpp {
namespace {

using Kind = OptionInfo::Kind;
using Group = OptionInfo::Group;

/// A row of the table, and the member of RunOptions that it sets.
struct Row {
  OptionInfo info;
  std::function<std::string(const RunOptions&)> get;
  std::function<void(RunOptions&, std::string_view)> set;
};

// --- Text to values and back ------------------------------------------------------------------------

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// The shortest text that reads back as the same number.
template <class N>
std::string number_text(N value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, result.ptr);
}

template <class N>
N parse_number(const OptionInfo& info, std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(double(value) >= info.least && double(value) <= info.most)) {
    throw InputError("--" + info.name + " wants " +
                     (info.kind == Kind::integer ? "a whole number" : "a number") + " from " +
                     number_text(info.least) + " to " + number_text(info.most) + ", and got \"" +
                     std::string(text) + "\"");
  }
  return value;
}

/// Does `text` name this choice? "gqa:G" stands for gqa with any number.
bool is_choice(std::string_view choice, std::string_view text) {
  if (!choice.ends_with(":G")) return choice == text;
  const auto prefix = choice.substr(0, choice.size() - 1);
  if (!text.starts_with(prefix)) return false;
  const auto digits = text.substr(prefix.size());
  return !digits.empty() && digits.size() <= 4 && digits[0] != '0' &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

std::string parse_choice(const OptionInfo& info, std::string_view text) {
  for (const std::string& choice : info.choices) {
    if (is_choice(choice, text)) return std::string(text);
  }
  throw InputError("--" + info.name + " wants one of " + join(info.choices) + ", and got \"" +
                   std::string(text) + "\"");
}

bool parse_flag(const OptionInfo& info, std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  throw InputError("--" + info.name + " wants true or false, and got \"" + std::string(text) +
                   "\"");
}

// --- Rows ---------------------------------------------------------------------------------------------

Row choice(Group group, std::string name, std::string RunOptions::*member, int chapter,
           std::vector<std::string> choices, std::string help) {
  OptionInfo info{Kind::choice, group, std::move(name), std::move(help), std::move(choices), 0, 0,
                  chapter};
  return {info, [member](const RunOptions& o) { return o.*member; },
          [member, info](RunOptions& o, std::string_view t) { o.*member = parse_choice(info, t); }};
}

Row text(Group group, std::string name, std::string RunOptions::*member, int chapter,
         std::string help) {
  OptionInfo info{Kind::text, group, std::move(name), std::move(help), {}, 0, 0, chapter};
  return {info, [member](const RunOptions& o) { return o.*member; },
          [member, info](RunOptions& o, std::string_view t) {
            if (t.empty()) throw InputError("--" + info.name + " wants a text that is not empty");
            o.*member = std::string(t);
          }};
}

Row flag(Group group, std::string name, bool RunOptions::*member, int chapter, std::string help) {
  OptionInfo info{Kind::flag, group, std::move(name), std::move(help), {}, 0, 0, chapter};
  return {info, [member](const RunOptions& o) { return o.*member ? "true" : "false"; },
          [member, info](RunOptions& o, std::string_view t) { o.*member = parse_flag(info, t); }};
}

template <class N>
Row number(Group group, std::string name, N RunOptions::*member, int chapter, double least,
           double most, std::string help) {
  const Kind kind = std::is_integral_v<N> ? Kind::integer : Kind::number;
  OptionInfo info{kind, group, std::move(name), std::move(help), {}, least, most, chapter};
  return {
      info, [member](const RunOptions& o) { return number_text(o.*member); },
      [member, info](RunOptions& o, std::string_view t) { o.*member = parse_number<N>(info, t); }};
}

Row of_machine(Row row) {
  row.info.of_machine = true;
  return row;
}

std::vector<Row> make_rows() {
  using R = RunOptions;
  constexpr double kBig = 1e9;
  return {
      choice(Group::parts, "norm", &R::norm, 12, {"rmsnorm", "layernorm", "scalenorm"},
             "how a row is brought to a standard size"),
      choice(Group::parts, "placement", &R::placement, 8, {"pre", "post", "sandwich", "deepnorm"},
             "where the norm stands on the residual stream"),
      choice(Group::parts, "position", &R::position, 13,
             {"none", "sinusoidal", "learned", "t5", "alibi", "rope"},
             "how the model knows the order of tokens"),
      choice(Group::parts, "attention", &R::attention, 15, {"mha", "mqa", "gqa:G"},
             "keys and values of its own for each head, one for all, or G for all"),
      choice(Group::parts, "ffn", &R::ffn, 14,
             {"relu", "gelu", "swish", "solu", "glu", "bilinear", "reglu", "geglu", "swiglu"},
             "the feed-forward layer; the last five are gated"),
      flag(Group::parts, "bias", &R::bias, 12, "biases in linear layers and norms"),
      flag(Group::parts, "tied", &R::tied, 4, "the un-embedding is the embedding"),
      number(Group::parts, "rope-base", &R::rope_base, 13, 1.0001, kBig,
             "base of RoPE's wavelengths"),
      choice(Group::parts, "rope-pairing", &R::rope_pairing, 13, {"halves", "adjacent"},
             "which two features RoPE turns together"),
      choice(Group::parts, "rope-scaling", &R::rope_scaling, 13, {"none", "linear", "ntk", "yarn"},
             "how RoPE reads texts longer than those of its training"),
      number(Group::parts, "rope-factor", &R::rope_factor, 13, 1, 1e6,
             "how much longer, for --rope-scaling"),
      number(Group::parts, "rope-trained", &R::rope_trained, 13, 0, 1e6,
             "length of its training, for yarn; 0: --length over --rope-factor"),

      number(Group::sizes, "layers", &R::layers, 11, 1, 1000, "blocks, L"),
      number(Group::sizes, "width", &R::width, 11, 1, 65536, "width of the residual stream, D"),
      number(Group::sizes, "heads", &R::heads, 6, 1, 4096, "query heads, H; they divide the width"),
      number(Group::sizes, "ffn-width", &R::ffn_width, 14, 0, 262144,
             "feed-forward width, F; 0: 4 times the width, 8/3 times for gated layers"),
      number(Group::sizes, "length", &R::length, 6, 1, 65536, "tokens in a sequence, T"),
      number(Group::sizes, "init", &R::init, 10, 0, 10, "standard deviation of the first weights"),

      text(Group::text, "text", &R::text, 3,
           "a file, or one of: fables, book, copy, induction, sorting, addition"),
      text(Group::text, "tokenizer", &R::tokenizer, 3,
           "bytes, or bpe:1024 or unigram:1024 for any vocabulary"),
      choice(Group::text, "objective", &R::objective, 3,
             {"causal", "masked", "prefix", "span", "fim"},
             "what it is asked: the next token, hidden tokens, what follows a beginning, gaps, "
             "middles"),

      number(Group::training, "seed", &R::seed, 1, 0, 1.8e19,
             "of weights, batches and samples; the same seed gives the same run"),
      number(Group::training, "batch", &R::batch, 11, 1, 65536, "sequences a step, B"),
      number(Group::training, "steps", &R::steps, 10, 1, kBig,
             "length of the run and its schedule"),
      choice(Group::training, "optimizer", &R::optimizer, 10, {"sgd", "momentum", "adam", "adamw"},
             "how gradients become steps"),
      number(Group::training, "lr", &R::learning_rate, 10, 0, kBig, "largest learning rate"),
      number(Group::training, "momentum", &R::momentum, 10, 0, 1, "of --optimizer momentum"),
      number(Group::training, "beta1", &R::beta1, 10, 0, 1, "Adam's memory of gradients"),
      number(Group::training, "beta2", &R::beta2, 10, 0, 1, "Adam's memory of squared gradients"),
      number(Group::training, "epsilon", &R::epsilon, 10, 0, 1, "Adam's smallest divisor"),
      number(Group::training, "weight-decay", &R::weight_decay, 10, 0, 10,
             "pull of weights towards zero"),
      choice(Group::training, "schedule", &R::schedule, 10, {"constant", "cosine", "linear", "wsd"},
             "the learning rate after warm-up"),
      number(Group::training, "warmup", &R::warmup, 10, 0, kBig, "steps until the largest rate"),
      number(Group::training, "floor", &R::floor, 10, 0, 1,
             "the last learning rate, as a part of the largest"),
      number(Group::training, "clip", &R::clip, 10, 0, kBig,
             "largest norm of the whole gradient; 0: no clipping"),
      number(Group::training, "threads", &R::threads, 11, 0, 1024,
             "0: one for each core; the result does not depend on it"),
      of_machine(choice(Group::training, "device", &R::device, 11, {"cpu", "gpu", "emulated"},
                        "where it trains: the processor, a CUDA device, or its emulator here")),
      choice(Group::training, "precision", &R::precision, 11, {"float32", "tf32", "bf16"},
             "of products and activations on a device; sums and weights stay float32"),
  };
}

const std::vector<Row>& rows() {
  static const std::vector<Row> table = make_rows();
  return table;
}

const Row& row(std::string_view name) {
  for (const Row& r : rows()) {
    if (r.info.name == name) return r;
  }
  throw InputError("there is no option --" + std::string(name) + "; --help lists them");
}

/// The position of a name in its list: enumerations here have the order of their names.
template <class Enum>
Enum by_name(std::string_view name, std::initializer_list<std::string_view> names) {
  const auto it = std::ranges::find(names, name);
  require(it != names.end(), "a name passed the table that its list does not know");
  return Enum(it - names.begin());
}

bool is_gated(std::string_view ffn) {
  return ffn == "glu" || ffn == "bilinear" || ffn == "reglu" || ffn == "geglu" || ffn == "swiglu";
}

}  // namespace

const std::vector<OptionInfo>& option_table() {
  static const std::vector<OptionInfo> table = [] {
    std::vector<OptionInfo> infos;
    for (const Row& r : rows()) infos.push_back(r.info);
    return infos;
  }();
  return table;
}

const OptionInfo& option_info(std::string_view name) { return row(name).info; }

void set_option(RunOptions& options, std::string_view name, std::string_view value) {
  row(name).set(options, value);
}

std::string get_option(const RunOptions& options, std::string_view name) {
  return row(name).get(options);
}

const std::vector<RecipeInfo>& recipes() {
  static const std::vector<RecipeInfo> list = {
      {"llama",
       "RMSNorm, RoPE, SwiGLU, grouped-query attention, no biases, norm before each layer"},
      {"gpt", "LayerNorm, learned positions, GELU, multi-head attention, biases: 2017 to GPT-2"},
  };
  return list;
}

void apply_recipe(RunOptions& options, std::string_view name) {
  RunOptions recipe;  // llama
  if (name == "gpt") {
    recipe.norm = "layernorm";
    recipe.position = "learned";
    recipe.attention = "mha";
    recipe.ffn = "gelu";
    recipe.bias = true;
  } else if (name != "llama") {
    std::vector<std::string> names;
    for (const RecipeInfo& r : recipes()) names.push_back(r.name);
    throw InputError("--recipe wants one of " + join(names) + ", and got \"" + std::string(name) +
                     "\"");
  }
  for (const Row& r : rows()) {
    if (r.info.group == Group::parts || r.info.group == Group::sizes) r.set(options, r.get(recipe));
  }
}

std::vector<std::string> differing_options(const RunOptions& a, const RunOptions& b) {
  std::vector<std::string> names;
  for (const Row& r : rows()) {
    if (r.get(a) != r.get(b)) names.push_back(r.info.name);
  }
  return names;
}

Metadata to_metadata(const RunOptions& options) {
  Metadata metadata;
  for (const Row& r : rows()) {
    if (!r.info.of_machine) metadata["option." + r.info.name] = r.get(options);
  }
  return metadata;
}

RunOptions options_from_metadata(const Metadata& metadata) {
  RunOptions options;
  for (const Row& r : rows()) {
    const auto it = metadata.find("option." + r.info.name);
    if (it != metadata.end()) r.set(options, it->second);
  }
  return options;
}

ModelConfig model_config(const RunOptions& o, int vocabulary) {
  ModelConfig cfg;
  cfg.layers = o.layers;
  cfg.D = o.width;
  cfg.H = o.heads;
  cfg.G = o.heads;
  if (o.attention == "mqa") cfg.G = 1;
  if (o.attention.starts_with("gqa:")) cfg.G = std::stoi(o.attention.substr(4));
  cfg.F = o.ffn_width;
  if (cfg.F == 0) cfg.F = is_gated(o.ffn) ? gated_width(cfg.D) : feedforward_width(cfg.D);
  cfg.V = vocabulary;
  cfg.T = o.length;
  cfg.bias = o.bias;
  cfg.tied = o.tied;
  cfg.placement = by_name<Placement>(o.placement, {"pre", "post", "sandwich", "deepnorm"});
  cfg.init = o.init;
  const Sight sight = plan_rows(objective_named(o.objective), std::max(o.length, 1)).sight;
  if (sight.kind == Sight::Kind::full) cfg.mask = Mask::full();
  if (sight.kind == Sight::Kind::prefix) cfg.mask = Mask::prefix(sight.prefix);
  return cfg;
}

TrainConfig train_config(const RunOptions& o) {
  TrainConfig cfg;
  cfg.seed = o.seed;
  cfg.batch = o.batch;
  cfg.optimizer = {
      .kind = by_name<OptimizerKind>(o.optimizer, {"sgd", "momentum", "adam", "adamw"}),
      .momentum = o.momentum,
      .beta1 = o.beta1,
      .beta2 = o.beta2,
      .eps = o.epsilon,
      .weight_decay = o.weight_decay};
  cfg.schedule.kind = by_name<ScheduleKind>(o.schedule, {"constant", "cosine", "linear", "wsd"});
  cfg.schedule.peak = o.learning_rate;
  cfg.schedule.floor_ratio = o.floor;
  cfg.schedule.warmup = o.warmup;
  cfg.schedule.total = o.steps;
  cfg.clip = o.clip;
  cfg.threads = o.threads;
  return cfg;
}

RopeConfig rope_config(const RunOptions& o) {
  using Kind = RopeScaling::Kind;
  return {.base = o.rope_base,
          .pairing = o.rope_pairing == "adjacent" ? Pairing::adjacent : Pairing::halves,
          .scaling = {.kind = by_name<Kind>(o.rope_scaling, {"none", "linear", "ntk", "yarn"}),
                      .factor = o.rope_factor,
                      .trained = double(o.rope_trained)}};
}

template <Real T>
Parts<T> make_parts(const RunOptions& o) {
  Parts<T> parts;
  parts.norm = o.norm == "layernorm"   ? layernorm_part<T>()
               : o.norm == "scalenorm" ? scalenorm_part<T>()
                                       : rmsnorm_part<T>();

  if (o.position == "none") parts.position = no_position_part<T>();
  if (o.position == "sinusoidal") parts.position = sinusoidal_part<T>();
  if (o.position == "learned") parts.position = learned_position_part<T>();
  if (o.position == "t5") parts.position = t5_part<T>();
  if (o.position == "alibi") parts.position = alibi_part<T>();
  if (o.position == "rope") parts.position = rope_part<T>(rope_config(o));

  parts.attention = o.attention == "mha" ? multi_head_part<T>() : grouped_query_part<T>();

  if (is_gated(o.ffn)) {
    parts.feed_forward =
        gated_part<T>(by_name<Gate>(o.ffn, {"glu", "bilinear", "reglu", "geglu", "swiglu"}));
  } else if (o.ffn == "gelu") {
    parts.feed_forward = feed_forward_part<T>(Activation::gelu_tanh);  // as GPT-2 computes it
  } else {
    parts.feed_forward = feed_forward_part<T>(
        by_name<Activation>(o.ffn, {"relu", "gelu", "gelu_tanh", "swish", "solu"}));
  }
  return parts;
}

template <Real T>
std::unique_ptr<Model<T>> make_model(const RunOptions& options, int vocabulary) {
  return std::make_unique<Model<T>>(model_config(options, vocabulary), make_parts<T>(options));
}

std::unique_ptr<Device> open_device(const RunOptions& o) {
  const auto kind = by_name<DeviceKind>(o.device, {"cpu", "gpu", "emulated"});
  const auto precision = by_name<Precision>(o.precision, {"float32", "tf32", "bf16"});
  try {
    return open_device(kind, precision);
  } catch (const std::runtime_error& error) {
    throw InputError("--device " + o.device + ": " + error.what());
  }
}

Run make_run(const RunOptions& options, std::unique_ptr<BatchSource> source, bool background) {
  Run run;
  run.options = options;
  run.device = open_device(options);
  run.source = std::move(source);
  run.source->require(options.length);
  run.model = make_model<float>(options, run.source->vocabulary());
  TrainConfig train = train_config(options);
  train.background = background;
  train.device = run.device.get();
  run.trainer = std::make_unique<Trainer>(*run.model, *run.source, train);
  return run;
}

FilledRow fill_row(const BatchSource& source, Generator& generator, int T) {
  Batch row(1, T);
  source.validation(0, row);
  const std::vector<int> guess = generator.likeliest(row.tokens);
  FilledRow out;
  out.shown = source.tokenizer().decode(row.tokens);
  for (std::size_t t = 0; t < guess.size(); ++t) {
    const bool asked = row.targets[t] != kNoTarget;
    const std::string_view bytes = source.tokenizer().bytes_of(asked ? guess[t] : row.tokens[t]);
    out.filled += asked ? "[" + std::string(bytes) + "]" : std::string(bytes);
    out.blanks += asked ? 1 : 0;
    out.right += asked && guess[t] == row.targets[t] ? 1 : 0;
  }
  return out;
}

Metadata run_metadata(const Run& run) {
  Metadata metadata = to_metadata(run.options);
  metadata["format"] = "transformer++ 1";
  metadata["tokenizer"] = run.source->tokenizer().serialise();
  if (const std::string mine = slots_in_use(); !mine.empty()) metadata["mine"] = mine;
  return metadata;
}

template Parts<float> make_parts<float>(const RunOptions&);
template Parts<double> make_parts<double>(const RunOptions&);
template std::unique_ptr<Model<float>> make_model<float>(const RunOptions&, int);
template std::unique_ptr<Model<double>> make_model<double>(const RunOptions&, int);

}  // namespace tpp
