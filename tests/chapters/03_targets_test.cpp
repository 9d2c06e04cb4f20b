// Rows of every objective: what is asked, where, and that nothing of the text is lost on the way.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "assets/fables.h"
#include "assets/sources.h"
#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/targets.h"
#include "chapters/06_attention/mask.h"
#include "chapters/31_transformer_pp/catalogue.h"
#include "tests/allocation_count.h"
#include "tests/testing.h"

using namespace tpp;
using tpp::testing::Approx;

namespace {

constexpr int kV = 50, kMask = 99;  // tokens of the text; special ones follow

std::vector<int> random_window(Philox& rng, int length) {
  std::vector<int> window;
  for (int i = 0; i < length; ++i) window.push_back(int(rng.below(kV)));
  return window;
}

struct Row {
  std::vector<int> tokens, targets;
  explicit Row(int T) : tokens(std::size_t(T), -7), targets(std::size_t(T), -7) {}
};

/// Every target that is asked for is the token that follows; returns how many are asked for.
int check_next(const Row& row, int last) {
  int asked = 0;
  for (std::size_t t = 0; t < row.tokens.size(); ++t) {
    if (row.targets[t] == kNoTarget) continue;
    ++asked;
    CHECK(row.targets[t] == (t + 1 < row.tokens.size() ? row.tokens[t + 1] : last));
  }
  return asked;
}

constexpr int kLengths[] = {8, 9, 10, 15, 16, 17, 31, 64, 127, 128, 200, 513};

ObjectiveSource source_of(const std::string& text, Objective objective, int T,
                          std::uint64_t seed = 1) {
  Tokenizer tokenizer = Tokenizer::bytes().with_specials(special_names(plan_rows(objective, T)));
  return {TextSource(Dataset(text, std::move(tokenizer)), seed), objective, T, seed};
}

}  // namespace

TEST_CASE("targets: the next token, and a beginning of which nothing is asked",
          "[tokens][targets]") {
  Philox rng(1);
  for (const int T : kLengths) {
    const std::vector<int> window = random_window(rng, T + 1);
    Row row(T);
    causal_row(window, row.tokens, row.targets);
    CHECK(std::equal(row.tokens.begin(), row.tokens.end(), window.begin()));
    CHECK(std::equal(row.targets.begin(), row.targets.end(), window.begin() + 1));

    const RowPlan plan = plan_rows(Objective::prefix, T);
    const int prefix = plan.sight.prefix;
    CHECK(plan.sight.kind == Sight::Kind::prefix);
    CHECK(prefix == T / 2);
    prefix_row(window, prefix, row.tokens, row.targets);
    CHECK(std::equal(row.tokens.begin(), row.tokens.end(), window.begin()));
    CHECK(check_next(row, window.back()) == T - prefix + 1);
    for (int t = 0; t < T; ++t)
      CHECK((row.targets[std::size_t(t)] == kNoTarget) == (t < prefix - 1));
  }
}

TEST_CASE("targets: hidden tokens are asked for where they stand", "[tokens][targets]") {
  Philox rng(2);
  for (const int T : kLengths) {
    const RowPlan plan = plan_rows(Objective::masked, T);
    CHECK(plan.hidden == std::max(1, int(std::lround(0.15 * T))));
    CHECK(plan.sight.kind == Sight::Kind::full);
    for (int repeat = 0; repeat < 20; ++repeat) {
      const std::vector<int> window = random_window(rng, T);
      Row row(T);
      masked_row(window, plan.hidden, kMask, kV, rng, row.tokens, row.targets);
      int asked = 0;
      for (std::size_t t = 0; t < window.size(); ++t) {
        asked += row.targets[t] == kNoTarget ? 0 : 1;
        if (row.targets[t] == kNoTarget) CHECK(row.tokens[t] == window[t]);
        if (row.targets[t] != kNoTarget) CHECK(row.targets[t] == window[t]);
        CHECK((row.tokens[t] < kV || row.tokens[t] == kMask));
      }
      CHECK(asked == plan.hidden);
    }
  }

  // Every place as often as any other; of what is asked 80 % masks, 10 % other tokens, 10 % as it was
  constexpr int T = 40, kRows = 20'000;
  const int hidden = plan_rows(Objective::masked, T).hidden;
  const std::vector<int> window(T, 7);
  std::vector<double> at(T, 0.0), random(kV, 0.0);
  double masks = 0, same = 0, other = 0;
  Row row(T);
  for (int i = 0; i < kRows; ++i) {
    masked_row(window, hidden, kMask, kV, rng, row.tokens, row.targets);
    for (std::size_t t = 0; t < T; ++t) {
      if (row.targets[t] == kNoTarget) continue;
      at[t] += 1;
      const int shown = row.tokens[t];
      (shown == kMask ? masks : shown == 7 ? same : other) += 1;
      REQUIRE((shown < kV || shown == kMask));
      if (shown != kMask && shown != 7) random[std::size_t(shown)] += 1;
    }
  }
  const double all = double(hidden) * kRows, share = double(hidden) / T;
  for (const double n : at)
    CHECK(std::abs(n / kRows - share) < 5 * std::sqrt(share * (1 - share) / kRows));
  CHECK(std::abs(masks / all - 0.8) < 5 * std::sqrt(0.16 / all));
  CHECK(std::abs(other / all - 0.1 * (kV - 1) / kV) < 5 * std::sqrt(0.09 / all));
  CHECK(std::abs(same / all - 0.1 * (kV + 1) / kV) < 5 * std::sqrt(0.09 / all));
  for (int v = 0; v < kV; ++v) {
    if (v != 7)
      CHECK(std::abs(random[std::size_t(v)] - other / (kV - 1)) < 6 * std::sqrt(other / kV));
  }
}

TEST_CASE("targets: gaps and what stood in them make the text again", "[tokens][targets]") {
  Philox rng(3);
  for (const int T : kLengths) {
    const RowPlan plan = plan_rows(Objective::span, T);
    const int prefix = plan.sight.prefix;
    CHECK(plan.sight.kind == Sight::Kind::prefix);
    CHECK(plan.window + 2 * plan.spans == T);
    CHECK(plan.hidden >= plan.spans);
    CHECK(std::abs(plan.hidden - 0.15 * plan.window) <= 1);
    if (T >= 64) CHECK(std::abs(double(plan.hidden) / plan.spans - 3) <= 0.5);
    CHECK(special_names(plan).size() == std::size_t(plan.spans) + 1);

    for (int repeat = 0; repeat < 20; ++repeat) {
      const std::vector<int> window = random_window(rng, plan.window);
      Row row(T);
      span_row(window, plan.hidden, plan.spans, kV, rng, row.tokens, row.targets);
      CHECK(check_next(row, kV + plan.spans) == T - prefix + 1);
      for (int t = 0; t < T; ++t)
        CHECK((row.targets[std::size_t(t)] == kNoTarget) == (t < prefix - 1));

      // Read the answers, and put them into the gaps
      std::map<int, std::vector<int>> answers;
      int gap = -1;
      for (int t = prefix; t < T; ++t) {
        const int token = row.tokens[std::size_t(t)];
        if (token >= kV) {
          CHECK(token == kV + ++gap);
        } else {
          answers[gap].push_back(token);
        }
      }
      CHECK(gap == plan.spans - 1);
      std::vector<int> text;
      gap = -1;
      for (int t = 0; t < prefix; ++t) {
        const int token = row.tokens[std::size_t(t)];
        if (token < kV) {
          text.push_back(token);
          continue;
        }
        CHECK(token == kV + ++gap);
        CHECK(!answers[gap].empty());
        text.insert(text.end(), answers[gap].begin(), answers[gap].end());
      }
      CHECK(text == window);
    }
  }

  // All ways to cut are equally likely: 4 hidden tokens in 2 gaps are 1 + 3, 2 + 2 or 3 + 1
  std::map<int, double> first;
  constexpr int kRows = 30'000;
  Row row(14);
  const std::vector<int> window = random_window(rng, 10);
  for (int i = 0; i < kRows; ++i) {
    span_row(window, 4, 2, kV, rng, row.tokens, row.targets);
    const auto second = std::find(row.tokens.begin() + 8, row.tokens.end(), kV + 1);
    first[int(second - row.tokens.begin()) - 9] += 1.0 / kRows;
  }
  CHECK(first.size() == 3);
  for (const auto& [length, p] : first)
    CHECK(std::abs(p - 1.0 / 3) < 5 * std::sqrt(2.0 / 9 / kRows));
}

TEST_CASE("targets: the middle comes last", "[tokens][targets]") {
  Philox rng(4);
  for (const int T : kLengths) {
    CHECK(plan_rows(Objective::fim, T).sight == Sight{});
    const std::vector<int> window = random_window(rng, T - 3);
    for (int repeat = 0; repeat < 20; ++repeat) {
      Row row(T);
      fim_row(window, kV, rng, row.tokens, row.targets);
      CHECK(check_next(row, kV + 3) == T);
      const auto at = [&](int special) {
        return std::find(row.tokens.begin(), row.tokens.end(), kV + special);
      };
      CHECK(at(0) == row.tokens.begin());
      REQUIRE(at(1) < at(2));
      REQUIRE(at(2) != row.tokens.end());
      std::vector<int> text(at(0) + 1, at(1));
      text.insert(text.end(), at(2) + 1, row.tokens.end());
      text.insert(text.end(), at(1) + 1, at(2));
      CHECK(text == window);
    }
  }

  // Two cuts anywhere: each part is about a third of the text on average
  constexpr int kRows = 20'000;
  const std::vector<int> window = random_window(rng, 30);
  double parts[3] = {};
  Row row(33);
  for (int i = 0; i < kRows; ++i) {
    fim_row(window, kV, rng, row.tokens, row.targets);
    const auto suffix = std::find(row.tokens.begin(), row.tokens.end(), kV + 1);
    const auto middle = std::find(row.tokens.begin(), row.tokens.end(), kV + 2);
    parts[0] += double(suffix - row.tokens.begin() - 1) / kRows;
    parts[1] += double(middle - suffix - 1) / kRows;
    parts[2] += double(row.tokens.end() - middle - 1) / kRows;
  }
  const double outer = 9455.0 / 961;  // the mean of the smaller of two numbers from 0 to 30
  CHECK(std::abs(parts[0] - outer) < 0.3);
  CHECK(std::abs(parts[1] - outer) < 0.3);
  CHECK(std::abs(parts[2] - (30 - 2 * outer)) < 0.3);
}

TEST_CASE("targets: who sees the answer is not asked", "[tokens][targets]") {
  // The model's mask, and the targets: a place may not see the token that it is asked for
  for (const char* name : {"causal", "prefix", "span", "fim"}) {
    RunOptions options;
    options.objective = name;
    options.length = 64;
    const Mask mask = model_config(options, 300).mask;
    const ObjectiveSource source = source_of(fables(1, 20'000), objective_named(name), 64);
    Batch batch(4, 64);
    source.train(3, batch);
    for (int b = 0; b < 4; ++b) {
      for (int t = 0; t < 64; ++t) {
        if (batch.targets[std::size_t(b * 64 + t)] != kNoTarget)
          CHECK(mask.visible(t, 64) <= t + 1);
      }
    }
  }
  RunOptions options;
  CHECK(model_config(options, 256).mask.kind == Mask::Kind::causal);
  options.objective = "masked";
  CHECK(model_config(options, 257).mask.kind == Mask::Kind::full);
}

TEST_CASE("targets: a source repeats itself, and asks equally much of every row",
          "[tokens][targets]") {
  const std::string text = fables(2, 40'000);
  for (const std::string_view name : objective_names()) {
    INFO(name);
    const Objective objective = objective_named(name);
    const ObjectiveSource source = source_of(text, objective, 64),
                          twin = source_of(text, objective, 64),
                          other = source_of(text, objective, 64, 2);
    Batch a(6, 64), b(6, 64), wide(12, 64);
    std::set<long> asked;
    for (const std::uint64_t step : {0, 1, 7}) {
      source.train(step, a);
      twin.train(step, b);
      CHECK(a.tokens == b.tokens);
      CHECK(a.targets == b.targets);
      twin.train(step, wide);  // a row does not depend on how many there are
      CHECK(std::equal(a.tokens.begin(), a.tokens.end(), wide.tokens.begin()));
      other.train(step, b);
      CHECK(a.tokens != b.tokens);
      for (std::size_t row = 0; row < 6; ++row) {
        asked.insert(64 - std::count(a.targets.begin() + long(row) * 64,
                                     a.targets.begin() + long(row + 1) * 64, kNoTarget));
      }
      for (const int token : a.tokens) CHECK((token >= 0 && token < source.vocabulary()));
      for (const int target : a.targets)
        CHECK((target >= kNoTarget && target < source.vocabulary()));
    }
    CHECK(asked.size() == 1);  // a captured graph has the number of targets written down

    source.validation(3, a);
    other.validation(3, b);  // always the same ones, whatever the seed
    CHECK(a.tokens == b.tokens);
    CHECK(a.targets == b.targets);

    const std::uint64_t before = tpp::testing::allocation_count();
    source.train(5, a);
    CHECK(tpp::testing::allocation_count() == before);

    Batch short_one(1, 32);
    CHECK_THROWS_AS(source.train(0, short_one), InputError);
    CHECK_FALSE(source.describe().empty());
    const int shown = source.plan().sight.prefix;
    if (shown > 0) CHECK(source.opening().size() == std::size_t(shown));
    if (name == "masked") CHECK(source.opening().size() == 64);
    CHECK_FALSE(source.opening().empty());
  }

  // In half of the rows the middle comes last
  const ObjectiveSource fim = source_of(text, Objective::fim, 64);
  Batch row(1, 64);
  int turned = 0;
  for (std::uint64_t step = 0; step < 1000; ++step) {
    fim.train(step, row);
    turned += row.tokens[0] == fim.tokenizer().special("<prefix>") ? 1 : 0;
  }
  CHECK(std::abs(turned - 500) < 80);
}

TEST_CASE("targets: the baselines are what counting the targets gives", "[tokens][targets]") {
  const std::string text = fables(1, 300'000);
  for (const std::string_view name : objective_names()) {
    INFO(name);
    const ObjectiveSource source = source_of(text, objective_named(name), 64);
    const std::vector<Baseline> baselines = source.baselines();
    REQUIRE(baselines.size() >= 2);
    CHECK(baselines[0].loss == Approx(std::log(double(source.vocabulary()))));
    CHECK((baselines.size() == 3) == (name == "prefix" || name == "causal"));

    // Count the targets of many rows, and guess other rows by that
    std::vector<double> count(std::size_t(source.vocabulary()), 1.0);
    double all = double(count.size()), nats = 0, guessed = 0;
    Batch batch(8, 64);
    for (std::uint64_t step = 0; step < 1500; ++step) {
      source.train(step, batch);
      for (const int target : batch.targets) {
        if (target != kNoTarget) count[std::size_t(target)] += 1, all += 1;
      }
    }
    for (std::uint64_t i = 0; i < 400; ++i) {
      source.validation(i, batch);
      for (const int target : batch.targets) {
        if (target != kNoTarget) nats -= std::log(count[std::size_t(target)] / all), guessed += 1;
      }
    }
    CHECK(baselines[1].loss == Approx(nats / guessed).epsilon(0.01));
  }
}

TEST_CASE("targets: what cannot be is refused", "[tokens][targets]") {
  CHECK_THROWS_AS(objective_named("bert"), InputError);
  for (const int T : {-3, 0, 1, 7}) CHECK_THROWS_AS(plan_rows(Objective::span, T), InputError);
  for (const int T : {-3, 0, 1, 7}) CHECK_THROWS_AS(plan_rows(Objective::fim, T), InputError);
  for (const int T : {-3, 0, 1}) CHECK_THROWS_AS(plan_rows(Objective::masked, T), InputError);
  for (const int T : {-3, 0, 1}) CHECK_THROWS_AS(plan_rows(Objective::prefix, T), InputError);
  CHECK(plan_rows(Objective::causal, 1).window == 2);

  const std::string text = fables(1, 20'000);
  const auto plain = [&] { return TextSource(Dataset(text, Tokenizer::bytes()), 1); };
  CHECK_THROWS_AS(ObjectiveSource(plain(), Objective::masked, 64, 1), InputError);  // no <mask>
  const Tokenizer turned =
      Tokenizer::bytes().with_specials({"<span_1>", "<span_0>", "<span_2>", "<span_3>"});
  CHECK_THROWS_AS(ObjectiveSource(TextSource(Dataset(text, turned), 1), Objective::span, 64, 1),
                  InputError);

  SourceConfig task;
  task.text = "induction";
  task.objective = "masked";
  CHECK_THROWS_AS(make_source(task), InputError);
}

TEST_CASE("targets: a small model learns each of them", "[tokens][targets][slow]") {
  for (const std::string_view name : objective_names()) {
    INFO(name);
    RunOptions options;
    options.objective = name;
    options.layers = 2, options.width = 32, options.heads = 2, options.length = 32;
    options.batch = 8, options.steps = 800, options.warmup = 20, options.learning_rate = 1e-2;
    const std::string text = fables(1, 60'000);
    Run run = make_run(
        options, std::make_unique<ObjectiveSource>(source_of(text, objective_named(name), 32)));
    const std::vector<Baseline> baselines = run.source->baselines();
    CHECK(run.trainer->evaluate() ==
          Approx(baselines[0].loss).epsilon(0.02));  // it knows nothing yet
    for (int step = 0; step < 800; ++step) run.trainer->step();
    const double loss = run.trainer->evaluate();
    INFO("loss " << loss << ", by frequency " << baselines[1].loss);
    CHECK(loss < baselines[1].loss - 0.2);
    if (name != "masked") continue;

    // What it fills in: each hidden place in brackets, the rest as it is shown
    Generator generator(*run.model, run.trainer->values(), 1);
    const FilledRow filled = fill_row(*run.source, generator, 32);
    CHECK(filled.blanks == plan_rows(Objective::masked, 32).hidden);
    CHECK(std::count(filled.filled.begin(), filled.filled.end(), '[') == filled.blanks);
    CHECK((filled.right >= 0 && filled.right <= filled.blanks));
    Batch row(1, 32);
    run.source->validation(0, row);
    const std::vector<int> guess = generator.likeliest(row.tokens);
    std::string want;
    int right = 0;
    for (std::size_t t = 0; t < 32; ++t) {
      const bool asked = row.targets[t] != kNoTarget;
      const std::string bytes(run.source->tokenizer().bytes_of(asked ? guess[t] : row.tokens[t]));
      want += asked ? "[" + bytes + "]" : bytes;
      right += guess[t] == row.targets[t] ? 1 : 0;
    }
    CHECK(filled.filled == want);
    CHECK(filled.right == right);
  }
}
