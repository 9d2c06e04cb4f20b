#include "chapters/11_gpt/gpt.h"

#include "chapters/04_embedding/embedding.h"
#include "chapters/05_softmax/cross_entropy.h"

namespace tpp {
namespace {

void check(const ModelConfig& c) {
  const auto number = [](Index n) { return std::to_string(n); };
  const auto refuse = [](bool wrong, const std::string& sentence) {
    if (wrong) throw InputError(sentence);
  };
  refuse(c.layers < 1 || c.D < 1 || c.H < 1 || c.G < 1 || c.F < 1 || c.V < 1 || c.T < 1,
         "a model needs at least one layer, head, feature, token and position: none of its sizes "
         "may be "
         "zero or negative");
  refuse(c.D % c.H != 0, number(c.H) + " heads do not divide the width " + number(c.D) +
                             ": choose a number of heads that does, or another width");
  refuse(c.H % c.G != 0, number(c.G) + " key heads do not divide the " + number(c.H) +
                             " query heads: every key head must serve equally many query heads");
}

}  // namespace

template <Real T>
Model<T>::Model(const ModelConfig& config, const Parts<T>& parts) : config_(config) {
  check(config_);

  // Embed, and say where
  embedding_ = table_.add("embed/table", config_.V, config_.D, Init::normal(config_.init), true);
  position_ = parts.position.build(table_, config_);
  if (config_.placement == Placement::deepnorm) alpha_ = deepnorm_scale(int(config_.layers)).alpha;

  // [snip stack]
  // Stack the blocks: attention moves information between tokens, the feed-forward layer works on each
  for (Index l = 0; l < config_.layers; ++l) {
    Block block;
    block.name = "block" + std::to_string(l);
    const auto norm = [&](bool used, const std::string& at) {
      return used ? parts.norm.build(table_, block.name + at, config_.D, config_) : Layer<T>{};
    };
    const bool in = uses_norm_in(config_.placement), out = uses_norm_out(config_.placement);
    block.attn_norm_in = norm(in, "/attn/norm");
    block.attn = parts.attention.build(table_, block.name + "/attn", config_, position_);
    block.attn_norm_out = norm(out, "/attn/norm_out");
    block.ffn_norm_in = norm(in, "/ffn/norm");
    block.ffn = parts.feed_forward.build(table_, block.name + "/ffn", config_);
    block.ffn_norm_out = norm(out, "/ffn/norm_out");
    blocks_.push_back(std::move(block));
  }
  // [/snip]

  // Where a block already ends in a norm, another at the end would do nothing
  const bool ends_in_norm =
      config_.placement == Placement::post || config_.placement == Placement::deepnorm;
  if (!ends_in_norm) final_norm_ = parts.norm.build(table_, "final/norm", config_.D, config_);
  unembedding_ = config_.tied ? embedding_
                              : table_.add("unembed/table", config_.V, config_.D,
                                           Init::normal(config_.init), true);
}

template <Real T>
void Model<T>::bind(Tape<T>& tape, T* values, T* grads, Write write, std::vector<Var<T>>& bound,
                    Bf16* copies) const {
  bound.clear();
  for (const ParameterInfo& p : table_.list()) {
    bound.push_back(tape.parameter(values + p.offset, grads == nullptr ? nullptr : grads + p.offset,
                                   p.rows, p.cols, p.name, write,
                                   copies == nullptr ? nullptr : copies + p.offset));
  }
}

// [snip forward]
template <Real T>
Var<T> Model<T>::forward(Tape<T>& tape, std::span<const Var<T>> bound, std::span<const int> tokens,
                         Index length) const {
  require(length >= 1 && length <= config_.T,
          "forward: the length must be from 1 to the model's T");
  require(Index(tokens.size()) % length == 0,
          "forward: the length must divide the number of tokens");
  require(Index(bound.size()) == table_.count(), "forward: bind() this model's parameters first");
  Pass<T> pass{.tape = tape, .length = length, .parameters = bound};
  if (position_.bias) pass.position_bias = position_.bias(pass);

  Var<T> x;  // the residual stream, (B·T, D)
  {
    const auto scope = tape.scope("embed");
    x = embedding(pass[embedding_], tokens, position_.embed ? "tokens" : "out");
    if (position_.embed) x = position_.embed(pass, x, "out");
  }

  for (const Block& block : blocks_) {
    const auto scope = tape.scope(block.name);
    const auto residual = [&](std::string_view name, const Layer<T>& norm_in, const Layer<T>& f,
                              const Layer<T>& norm_out) {
      const auto part = tape.scope(name);
      return residual_block(
          config_.placement, x, [&](Var<T> y) { return norm_in(pass, y, "norm"); },
          [&](Var<T> y) { return f(pass, y, "out"); },
          [&](Var<T> y) { return norm_out(pass, y, "norm_out"); }, alpha_);
    };
    x = residual("attn", block.attn_norm_in, block.attn, block.attn_norm_out);
    x = residual("ffn", block.ffn_norm_in, block.ffn, block.ffn_norm_out);
  }

  if (final_norm_) {
    const auto scope = tape.scope("final");
    x = final_norm_(pass, x, "norm");
  }
  return linear(x, pass[unembedding_], Var<T>{}, "logits");  // (B·T, V)
}
// [/snip]

template <Real T>
Var<T> Model<T>::loss(Tape<T>& tape, std::span<const Var<T>> bound, std::span<const int> tokens,
                      std::span<const int> targets, Index length, double count) const {
  return cross_entropy(forward(tape, bound, tokens, length), targets, count, "loss");
}

// [snip flops_per_token]
template <Real T>
double Model<T>::flops_per_token() const {
  double multiplied = 0;  // parameters that every token is multiplied with
  for (const ParameterInfo& p : table_.list()) {
    const bool looked_up = p.name == "position/table" || p.name == "position/t5" ||
                           (p.name == "embed/table" && !config_.tied);
    if (p.rows > 1 && !looked_up) multiplied += double(p.size());
  }
  // A token sees half of the keys on average, all under a full mask; scores and values are two products
  const Mask mask = config_.mask;
  const double prefix =
      mask.kind == Mask::Kind::prefix ? double(mask.length) / double(config_.T) : 0;
  const double seen = mask.kind == Mask::Kind::full ? 1 : (1 + prefix * prefix) / 2;
  const double attention = 12 * seen * double(config_.layers * config_.T * config_.D);
  return 6 * multiplied + attention;
}
// [/snip]

template class Model<float>;
template class Model<double>;

}  // namespace tpp
