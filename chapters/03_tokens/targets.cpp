#include "chapters/03_tokens/targets.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/baselines.h"

namespace tpp {
namespace {

constexpr std::array<std::string_view, 5> kNames{"causal", "masked", "prefix", "span", "fim"};

constexpr double kHidden = 0.15;   // of the tokens, masked and span
constexpr double kSpanLength = 3;  // on average
constexpr double kFimShare = 0.5;  // of the rows

int share(int n) { return std::max(1, int(std::lround(kHidden * n))); }
int gaps(int n) { return std::max(1, int(std::lround(share(n) / kSpanLength))); }

/// Is the next of `left` things one of the `wanted`? Asked of each in turn, every choice is equally likely.
bool chosen(Philox& rng, int& wanted, int left) {
  if (rng.below(std::uint64_t(left)) >= std::uint64_t(wanted)) return false;
  --wanted;
  return true;
}

/// A row whose every next token is asked for, from `first` on. `last` follows the row.
void ask_for_next(std::span<const int> tokens, std::size_t first, int last,
                  std::span<int> targets) {
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    targets[t] = t < first ? kNoTarget : t + 1 < tokens.size() ? tokens[t + 1] : last;
  }
}

}  // namespace

std::span<const std::string_view> objective_names() { return kNames; }

Objective objective_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    throw InputError("There is no objective '" + std::string(name) +
                     "': choose causal, masked, prefix, span or fim.");
  }
  return Objective(found - kNames.begin());
}

bool continues_text(Objective objective) {
  return objective != Objective::masked && objective != Objective::span;
}

RowPlan plan_rows(Objective objective, int T) {
  RowPlan plan;
  plan.objective = objective;
  plan.T = T;
  plan.window = T + 1;
  const bool marked = objective == Objective::span || objective == Objective::fim;
  const int least = marked ? 8 : objective == Objective::causal ? 1 : 2;
  if (T < least) {
    throw InputError("The objective " + std::string(kNames[std::size_t(objective)]) +
                     " needs sequences of at least " + std::to_string(least) +
                     " tokens, and T is " + std::to_string(T) + ".");
  }
  // [snip plan_rows]
  if (objective == Objective::masked) {
    plan.window = T;
    plan.hidden = share(T);
    plan.sight.kind = Sight::Kind::full;
  }
  if (objective == Objective::prefix) plan.sight = {Sight::Kind::prefix, T / 2};
  if (objective == Objective::span) {
    // The most text whose sentinels, two for each gap, fit beside it
    while (plan.window + 2 * gaps(plan.window) > T) --plan.window;
    plan.spans = gaps(plan.window);
    plan.window = T - 2 * plan.spans;
    plan.hidden = share(plan.window);
    plan.sight = {Sight::Kind::prefix, plan.window - plan.hidden + plan.spans};
  }
  if (objective == Objective::fim) plan.window = T - 3;
  // [/snip]
  return plan;
}

std::vector<std::string> special_names(const RowPlan& plan) {
  if (plan.objective == Objective::masked) return {"<mask>"};
  if (plan.objective == Objective::fim) return {"<prefix>", "<suffix>", "<middle>", "<end>"};
  std::vector<std::string> names;
  for (int i = 0; plan.objective == Objective::span && i <= plan.spans; ++i) {
    names.push_back("<span_" + std::to_string(i) + ">");
  }
  return names;
}

// ---------------------------------------------------------------------------------------------------
// Rows

void causal_row(std::span<const int> window, std::span<int> tokens, std::span<int> targets) {
  prefix_row(window, 1, tokens, targets);
}

void prefix_row(std::span<const int> window, int prefix, std::span<int> tokens,
                std::span<int> targets) {
  const int last = window[tokens.size()];
  std::copy_n(window.begin(), tokens.size(), tokens.begin());
  ask_for_next(tokens, std::size_t(prefix) - 1, last, targets);
}

// [snip masked_row]
void masked_row(std::span<const int> window, int hidden, int mask, int vocabulary, Philox& rng,
                std::span<int> tokens, std::span<int> targets) {
  const int T = int(tokens.size());
  for (int t = 0; t < T; ++t) {
    const int token = window[std::size_t(t)];
    const bool asked = chosen(rng, hidden, T - t);
    int& shown = tokens[std::size_t(t)] = token;
    targets[std::size_t(t)] = asked ? token : kNoTarget;
    if (!asked) continue;

    // Mostly a mask; sometimes any token; sometimes the token itself
    const std::uint64_t die = rng.below(10);
    if (die < 8) shown = mask;
    if (die == 8) shown = int(rng.below(std::uint64_t(vocabulary)));
  }
}
// [/snip]

// [snip span_row]
void span_row(std::span<const int> window, int hidden, int spans, int first_sentinel, Philox& rng,
              std::span<int> tokens, std::span<int> targets) {
  const int L = int(window.size());
  std::size_t text = 0, answers = std::size_t(L - hidden + spans);  // where the two parts go on

  // Both kinds of text are cut into as many parts, and a kept part comes first. A token starts a new part
  // if it is among the spans − 1 that were chosen from all but the first of its kind
  int kept_left = L - hidden, hidden_left = hidden;
  int kept_cuts = spans - 1, hidden_cuts = spans - 1, at = 0;
  for (int gap = 0; gap < spans; ++gap) {
    do {
      tokens[text++] = window[std::size_t(at++)];
    } while (--kept_left > 0 && !chosen(rng, kept_cuts, kept_left));
    tokens[text++] = tokens[answers++] = first_sentinel + gap;
    do {
      tokens[answers++] = window[std::size_t(at++)];
    } while (--hidden_left > 0 && !chosen(rng, hidden_cuts, hidden_left));
  }
  ask_for_next(tokens, text - 1, first_sentinel + spans, targets);
}
// [/snip]

// [snip fim_row]
void fim_row(std::span<const int> window, int first_special, Philox& rng, std::span<int> tokens,
             std::span<int> targets) {
  // Two cuts, each anywhere from before the first token to behind the last
  auto cut = rng.below(window.size() + 1), other = rng.below(window.size() + 1);
  if (other < cut) std::swap(cut, other);

  auto at = tokens.begin();
  const auto write = [&](int special, std::span<const int> part) {
    *at++ = first_special + special;
    at = std::copy(part.begin(), part.end(), at);
  };
  write(0, window.first(cut));
  write(1, window.subspan(other));
  write(2, window.subspan(cut, other - cut));
  ask_for_next(tokens, 0, first_special + 3, targets);
}
// [/snip]

// ---------------------------------------------------------------------------------------------------
// A source of them

ObjectiveSource::ObjectiveSource(TextSource text, Objective objective, int T, std::uint64_t seed)
    : text_(std::move(text)), plan_(plan_rows(objective, T)), seed_(seed) {
  const std::vector<std::string> names = special_names(plan_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int token = tokenizer().special(names[i]);
    if (i == 0) first_special_ = token;
    if (token != first_special_ + int(i)) {
      throw InputError("The special token " + names[i] + " is out of order in this tokenizer.");
    }
  }
}

void ObjectiveSource::fill(Batch& batch, int b, std::size_t offset, Philox rng) const {
  const auto T = std::size_t(plan_.T), row = std::size_t(b) * T;
  const std::span<int> tokens = std::span(batch.tokens).subspan(row, T);
  const std::span<int> targets = std::span(batch.targets).subspan(row, T);

  // Rows that go on to the token behind them
  const bool turned = plan_.objective == Objective::fim && rng.uniform() < kFimShare;
  if (plan_.window > plan_.T || (plan_.objective == Objective::fim && !turned)) {
    text_.data().copy(offset, tokens);
    const int last = text_.data()[offset + T];
    ask_for_next(tokens, std::size_t(std::max(plan_.sight.prefix, 1)) - 1, last, targets);
    return;
  }

  const std::span<int> window = targets.first(std::size_t(plan_.window));
  text_.data().copy(offset, window);
  if (plan_.objective == Objective::masked) {
    masked_row(window, plan_.hidden, first_special_, tokenizer().text_vocabulary(), rng, tokens,
               targets);
  } else if (plan_.objective == Objective::span) {
    span_row(window, plan_.hidden, plan_.spans, first_special_, rng, tokens, targets);
  } else {
    fim_row(window, first_special_, rng, tokens, targets);
  }
}

void ObjectiveSource::train(std::uint64_t step, Batch& batch) const {
  require(batch.T);
  const std::uint64_t stream = name_hash("tokens/blanks");
  for (int b = 0; b < batch.B; ++b) {
    const Philox rng(random_bits(seed_, stream + std::uint64_t(b), step));
    fill(batch, b, text_.train_offset(step, b, batch.T), rng);
  }
}

void ObjectiveSource::validation(std::uint64_t i, Batch& batch) const {
  require(batch.T);
  const std::uint64_t stream = name_hash("tokens/validation blanks");
  for (int b = 0; b < batch.B; ++b) {
    const std::uint64_t window = i * std::uint64_t(batch.B) + std::uint64_t(b);
    const Philox rng(random_bits(0, stream, window));  // always the same ones
    fill(batch, b, text_.validation_offset(window, batch.T), rng);
  }
}

void ObjectiveSource::require(int T) const {
  text_.require(T);
  if (T == plan_.T) return;
  throw InputError("These rows were planned for sequences of " + std::to_string(plan_.T) +
                   " tokens, not of " + std::to_string(T) + ": open the text anew.");
}

std::string ObjectiveSource::describe() const {
  const auto number = [](int n) { return std::to_string(n); };
  std::string asked;
  switch (plan_.objective) {
    case Objective::causal:
      asked = "The model guesses every next token.";
      break;
    case Objective::masked:
      asked = "Of " + number(plan_.T) + " tokens " + number(plan_.hidden) +
              " are hidden, and the model guesses them from both sides.";
      break;
    case Objective::prefix:
      asked = "The model reads " + number(plan_.sight.prefix) +
              " tokens in both directions, and guesses every token that follows.";
      break;
    case Objective::span:
      asked = "Of " + number(plan_.window) + " tokens " + number(plan_.hidden) + " are hidden in " +
              number(plan_.spans) + " gaps, and the model writes what stood in each.";
      break;
    case Objective::fim:
      asked = "The model guesses every next token; in half of the rows the middle comes last.";
      break;
  }
  return text_.describe_text() + asked;
}

std::vector<Baseline> ObjectiveSource::baselines() const {
  std::vector<Baseline> all{{"uniform", std::log(double(vocabulary()))},
                            {"unigram", unigram_entropy(text_.data())}};
  double& unigram = all.back().loss;

  // Where special tokens are asked for, too: which kind it is, and which of its kind
  const auto mixed = [](double text, double share, int specials) {
    return share * (text - std::log(share)) +
           (1 - share) * (std::log(double(specials)) - std::log(1 - share));
  };
  if (plan_.objective == Objective::span) {
    const double asked = plan_.hidden + plan_.spans + 1;
    unigram = mixed(unigram, plan_.hidden / asked, plan_.spans + 1);
  }
  if (plan_.objective == Objective::fim) unigram = mixed(unigram, 1 - 3 * kFimShare / plan_.T, 3);
  if (plan_.objective == Objective::prefix || plan_.objective == Objective::causal) {
    all.push_back({"bigram", bigram_entropy(text_.data())});
  }
  return all;
}

std::vector<int> ObjectiveSource::opening() const {
  if (plan_.sight.kind == Sight::Kind::causal) return BatchSource::opening();

  // What the model is shown of the first row of the validation data
  Batch row(1, plan_.T);
  validation(0, row);
  if (plan_.sight.prefix > 0) row.tokens.resize(std::size_t(plan_.sight.prefix));
  return row.tokens;
}

}  // namespace tpp
