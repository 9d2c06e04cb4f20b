// Chapter 11: the frame, training, sampling and checkpoints.
#include "chapters/11_gpt/gpt.h"

#include <filesystem>
#include <fstream>
#include <numeric>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/11_gpt/checkpoint.h"
#include "chapters/11_gpt/sampling.h"
#include "chapters/11_gpt/trainer.h"
#include "chapters/31_transformer_pp/catalogue.h"
#include "tests/chapters/tiny_run.h"
#include "tests/testing.h"

using namespace tpp;
using namespace tpp::testing;
namespace fs = std::filesystem;

namespace {

/// A folder that is gone at the end of the test.
struct TemporaryFolder {
  fs::path path =
      fs::temp_directory_path() /
      ("tpp-test-" + std::to_string(name_hash(Catch::getResultCapture().getCurrentTestName())));
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("the whole model's gradient, for every component of the catalogue", "[ch11][grad]") {
  for (const RunOptions& options : every_component()) {
    CAPTURE(differing_options(tiny_options(), options), options.placement, options.position);
    constexpr int V = 7;
    const auto model = make_model<double>(options, V);
    const ParameterTable& table = model->table();

    // Random parameters everywhere: gains of one and biases of zero would hide mistakes
    Philox rng(11);
    Mat<double> w = random_normal<double>(rng, 1, table.extent(), 0.3);
    std::vector<int> tokens(24), targets(24);
    for (int& t : tokens) t = int(rng.below(V));
    for (int& t : targets) t = int(rng.below(V));

    const auto loss_at = [&](const Mat<double>& at, double* grads) {
      Mat<double> values = at;
      Tape<double> tape;
      std::vector<Var<double>> bound;
      model->bind(tape, values.data(), grads, Write::set, bound);
      const Var<double> loss = model->loss(tape, bound, tokens, targets, 12);
      if (grads != nullptr) tape.backward(loss);
      return loss.value()(0, 0);
    };
    Mat<double> grads = Mat<double>::Zero(1, table.extent());
    loss_at(w, grads.data());
    const double smoothest = options.ffn == "relu" || options.ffn == "reglu" ? 1e-6 : 1e-4;
    const GradientCheck check = check_gradient(
        rng, w, grads, [&](const Mat<double>& at) { return loss_at(at, nullptr); }, smoothest);
    CAPTURE(check.numeric, check.analytic);
    CHECK(check.agrees(2e-6));

    // A parameter that changes nothing is wired to nothing
    for (const ParameterInfo& p : table.list()) {
      CAPTURE(p.name);
      CHECK(grads.row(0).segment(p.offset, p.size()).cwiseAbs().maxCoeff() > 1e-9);
    }
  }
}

TEST_CASE("no component sees the future", "[ch11]") {
  for (const RunOptions& options : every_component()) {
    CAPTURE(differing_options(tiny_options(), options));
    const auto model = make_model<double>(options, 7);
    Philox rng(12);
    Mat<double> w = random_normal<double>(rng, 1, model->table().extent(), 0.3);
    std::vector<int> tokens(12);
    for (int& t : tokens) t = int(rng.below(7));
    const auto logits = [&] {
      Tape<double> tape;
      tape.reset(Grad::skip);
      std::vector<Var<double>> bound;
      model->bind(tape, w.data(), nullptr, Write::set, bound);
      return Mat<double>(model->forward(tape, bound, tokens, 12).value());
    };
    const Mat<double> before = logits();
    tokens[8] = (tokens[8] + 1) % 7;
    const Mat<double> after = logits();
    CHECK((before.topRows(8) - after.topRows(8)).cwiseAbs().maxCoeff() == 0);
    CHECK((before.row(8) - after.row(8)).norm() > 1e-6);
  }
}

TEST_CASE("a shorter sequence gives the same logits as the start of a longer one", "[ch11]") {
  for (const std::string& position : option_info("position").choices) {
    CAPTURE(position);
    RunOptions options = tiny_options();
    options.position = position;
    const auto model = make_model<double>(options, 7);
    Philox rng(13);
    Mat<double> w = random_normal<double>(rng, 1, model->table().extent(), 0.3);
    const std::vector<int> tokens = {1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5};
    const auto logits = [&](std::size_t length) {
      Tape<double> tape;
      std::vector<Var<double>> bound;
      model->bind(tape, w.data(), nullptr, Write::set, bound);
      return Mat<double>(
          model->forward(tape, bound, std::span(tokens).first(length), Index(length)).value());
    };
    CHECK((logits(12).topRows(5) - logits(5)).cwiseAbs().maxCoeff() <= 1e-12);
  }
}

TEST_CASE("the first loss is near ln V, and training lowers it", "[ch11]") {
  for (const char* recipe : {"llama", "gpt"}) {
    RunOptions options;
    apply_recipe(options, recipe);
    const RunOptions small = tiny_options();
    options.layers = 2, options.width = 16, options.heads = 4, options.ffn_width = 24;
    options.length = 12, options.batch = 8, options.steps = 60, options.warmup = 5;
    CAPTURE(recipe);
    Run run = tiny_run(options);
    const double first = run.trainer->step().loss;
    CHECK(std::abs(first - std::log(256.0)) <= 0.3);
    double last = 0;
    for (int i = 0; i < 59; ++i) last = run.trainer->step().loss;
    CHECK(last < first - 1);
  }
}

TEST_CASE("the same seed gives the same bits for any number of threads", "[ch11][threads]") {
  LineVector<float> first;
  for (const int threads : {1, 2, 3, 7}) {
    RunOptions options = tiny_options();
    options.batch = 21;  // more chunks than shards
    options.threads = threads;
    Run run = tiny_run(options);
    for (int i = 0; i < 4; ++i) (void)run.trainer->step();
    if (first.empty()) first = run.trainer->state().values;
    CAPTURE(threads);
    CHECK(run.trainer->state().values == first);
  }
  RunOptions other = tiny_options();
  other.batch = 21, other.seed = 2;
  Run run = tiny_run(other);
  for (int i = 0; i < 4; ++i) (void)run.trainer->step();
  CHECK(run.trainer->state().values != first);
}

TEST_CASE("the gradient that chunks and shards add up to is the whole batch's", "[ch11]") {
  RunOptions options = tiny_options();
  options.batch = 21;  // 11 chunks in 8 shards, the last chunk with one sequence
  Run run = tiny_run(options);
  const double loss = run.trainer->compute_gradients();

  const ParameterTable& table = run.model->table();
  const Batch& batch = run.trainer->batch();
  LineVector<float> values = run.trainer->state().values, grads(values.size(), 0);
  Tape<float> tape;
  std::vector<Var<float>> bound;
  run.model->bind(tape, values.data(), grads.data(), Write::set, bound);
  const Var<float> whole = run.model->loss(tape, bound, batch.tokens, batch.targets, batch.T);
  tape.backward(whole);

  CHECK(std::abs(loss - double(whole.value()(0, 0))) <= 1e-5);
  for (const ParameterInfo& p : table.list()) {
    CAPTURE(p.name);
    const Eigen::Map<const ColVec<float>> got(run.trainer->gradients() + p.offset, p.size()),
        want(grads.data() + p.offset, p.size());
    CHECK((got - want).norm() <= 1e-4F * want.norm());
  }
}

TEST_CASE("steps by phase are steps", "[ch11]") {
  Run a = tiny_run(tiny_options()), b = tiny_run(tiny_options());
  for (int i = 0; i < 3; ++i) {
    const StepReport whole = a.trainer->step();
    CHECK(b.trainer->compute_gradients() == whole.loss);
    (void)b.trainer->evaluate(4);  // looking does not change the run
    CHECK(b.trainer->update().gradient_norm == whole.gradient_norm);
  }
  CHECK(a.trainer->state().values == b.trainer->state().values);
  CHECK_THROWS_AS(a.trainer->update(), ShapeError);  // no gradients yet
}

TEST_CASE("train 6 is train 3 and resume 3, bit for bit", "[ch11]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "run.safetensors";
  const std::string optimizer = GENERATE("sgd", "momentum", "adam", "adamw");
  CAPTURE(optimizer);
  RunOptions options = tiny_options();
  options.optimizer = optimizer;

  Run whole = tiny_run(options);
  for (int i = 0; i < 6; ++i) (void)whole.trainer->step();
  Run first = tiny_run(options);
  for (int i = 0; i < 3; ++i) (void)first.trainer->step();
  save_checkpoint(file, first.model->table(), first.trainer->state(), run_metadata(first));

  const SafeTensors saved = SafeTensors::open(file);
  CHECK(options_from_metadata(saved.metadata()) == options);
  Run second = tiny_run(options_from_metadata(saved.metadata()));
  second.trainer->set_state(read_state(saved, second.model->table()));
  CHECK(second.trainer->steps_done() == 3);
  for (int i = 0; i < 3; ++i) (void)second.trainer->step();
  CHECK(second.trainer->state().values == whole.trainer->state().values);
  CHECK(second.trainer->state().m == whole.trainer->state().m);
  CHECK(second.trainer->state().v == whole.trainer->state().v);
}

TEST_CASE("a checkpoint of another model is refused by the name of what differs", "[ch11]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "run.safetensors";
  Run run = tiny_run(tiny_options());
  save_checkpoint(file, run.model->table(), run.trainer->state(), run_metadata(run));
  RunOptions wider = tiny_options();
  wider.ffn_width = 32;
  CHECK_THROWS_AS(read_state(SafeTensors::open(file), make_model<float>(wider, 256)->table()),
                  InputError);
  RunOptions untied = tiny_options();
  untied.tied = false;
  CHECK_THROWS_AS(read_state(SafeTensors::open(file), make_model<float>(untied, 256)->table()),
                  InputError);

  Metadata metadata = run_metadata(run);
  std::vector<float> one(1);
  const TensorView tensor{"x", Dtype::F32, {1}, std::as_bytes(std::span(one))};
  save_safetensors(file, metadata, std::span(&tensor, 1));  // no step
  CHECK_THROWS_AS(read_state(SafeTensors::open(file), run.model->table()), InputError);
}

TEST_CASE("what is not finite is named, and the last good state kept", "[ch11]") {
  Run run = tiny_run(tiny_options());
  run.trainer->keep_last_good(true);
  (void)run.trainer->step();
  const int poisoned = run.model->table().find("block1/ffn/w_out");
  REQUIRE(poisoned >= 0);
  run.trainer->mutable_values()[run.model->table()[poisoned].offset + 3] = NAN;
  try {
    (void)run.trainer->step();
    FAIL("a NaN passed");
  } catch (const NotFinite& e) {
    CHECK(e.value == "block1/ffn/w_out");
    CHECK(e.step == 2);
  }
  CHECK(run.trainer->restore_last_good() == 0);
  CHECK(std::isfinite(run.trainer->step().loss));
}

TEST_CASE("a learning rate that is far too large ends in a named value, not in silence", "[ch11]") {
  RunOptions options = tiny_options();
  options.learning_rate = 1e20;
  Run run = tiny_run(options);
  bool named = false;
  for (int i = 0; i < 20 && !named; ++i) {
    try {
      (void)run.trainer->step();
    } catch (const NotFinite& e) {
      named = !e.value.empty() && e.value != "the gradient's norm";
      INFO(e.what());
      CHECK(named);
    }
  }
  CHECK(named);
}

TEST_CASE("updates are measured when asked for", "[ch11]") {
  Run run = tiny_run(tiny_options());
  run.trainer->watch_updates(true);
  const LineVector<float> before = run.trainer->state().values;
  const StepReport report = run.trainer->step();
  const LineVector<float>& after = run.trainer->state().values;
  double squares = 0;
  for (int p = 0; p < run.model->table().count(); ++p) {
    const ParameterInfo& info = run.model->table()[p];
    double weight = 0, change = 0;
    for (Index i = info.offset; i < info.offset + info.size(); ++i) {
      const double old = double(before[std::size_t(i)]), now = double(after[std::size_t(i)]);
      weight += old * old, change += (now - old) * (now - old);
    }
    const ParameterReport& own = run.trainer->parameter_reports()[std::size_t(p)];
    CHECK(std::abs(own.weight_norm - std::sqrt(weight)) <= 1e-5 * (1 + std::sqrt(weight)));
    CHECK(std::abs(own.update_norm - std::sqrt(change)) <= 1e-5 * (1 + std::sqrt(change)));
    squares += own.gradient_norm * own.gradient_norm;
  }
  CHECK(std::abs(std::sqrt(squares) - report.gradient_norm) <= 1e-9 * report.gradient_norm);
}

TEST_CASE("the distribution that is sampled from, worked out by hand", "[ch11]") {
  const std::vector<float> logits = {0.0F, std::log(2.0F), std::log(5.0F)};  // 1/8, 2/8, 5/8
  const auto close = [](const std::vector<double>& got, const std::vector<double>& want) {
    double worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i)
      worst = std::max(worst, std::abs(got[i] - want[i]));
    return worst <= 1e-7;
  };
  CHECK(close(sampling_distribution(logits, {.temperature = 1}), {0.125, 0.25, 0.625}));
  CHECK(close(sampling_distribution(logits, {.temperature = 0}), {0, 0, 1}));
  CHECK(
      close(sampling_distribution(logits, {.temperature = 1, .top_k = 2}), {0, 2.0 / 7, 5.0 / 7}));
  // 5/8 alone does not reach 0.7; the token that crosses it is kept
  CHECK(close(sampling_distribution(logits, {.temperature = 1, .top_p = 0.7}),
              {0, 2.0 / 7, 5.0 / 7}));
  CHECK(close(sampling_distribution(logits, {.temperature = 1, .top_p = 0.6}), {0, 0, 1}));
  CHECK_THROWS_AS(sampling_distribution(logits, {.temperature = -1}), InputError);
  CHECK_THROWS_AS(sampling_distribution(logits, {.top_k = -1}), InputError);
  CHECK_THROWS_AS(sampling_distribution(logits, {.top_p = 0}), InputError);
  CHECK_THROWS_AS(sampling_distribution(logits, {.top_p = std::nan("")}), InputError);
}

TEST_CASE("a draw lands where its number says, and never on a token without a chance", "[ch11]") {
  const std::vector<double> p = {0, 0.25, 0, 0.75, 0};
  CHECK(draw(p, 0) == 1);
  CHECK(draw(p, 0.2499) == 1);
  CHECK(draw(p, 0.25) == 3);
  CHECK(draw(p, 0.9999999999999999) == 3);
  Philox rng(4);
  int ones = 0;
  for (int i = 0; i < 10000; ++i) ones += draw(p, rng.uniform()) == 1;
  CHECK(std::abs(ones - 2500) <= 200);  // 4.6 standard deviations
}

TEST_CASE("generation goes on beyond the context, repeats with its seed, and can be stopped",
          "[ch11]") {
  Run run = tiny_run(tiny_options());
  const auto text = [&](std::uint64_t seed, int count) {
    Generator generator(*run.model, run.trainer->values(), seed);
    std::vector<int> tokens = {'t', 'h'};
    generator.generate(tokens, count, {.temperature = 1});
    return tokens;
  };
  CHECK(text(1, 30).size() == 32);
  CHECK(text(1, 30) == text(1, 30));
  CHECK(text(1, 30) != text(2, 30));

  Generator generator(*run.model, run.trainer->values(), 1);
  std::vector<int> tokens = {'t'};
  generator.generate(tokens, 100, {}, [&](int) { return tokens.size() < 4; });
  CHECK(tokens.size() == 4);
  CHECK_THROWS_AS(generator.logits({}), ShapeError);
}

TEST_CASE("the pool does every piece once and hands on exceptions", "[ch11][threads]") {
  WorkerPool pool(4);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<int>> done(37);
    pool.run(37, [&](int piece, int worker) {
      done[std::size_t(piece)] += worker >= 0 && worker < pool.size() ? 1 : 100;
    });
    CHECK(std::ranges::all_of(done, [](const std::atomic<int>& n) { return n == 1; }));
  }
  CHECK_THROWS_AS(pool.run(8,
                           [](int piece, int) {
                             if (piece == 5) throw InputError("five");
                           }),
                  InputError);
  std::atomic<int> after = 0;
  pool.run(3, [&](int, int) { ++after; });
  CHECK(after == 3);
}

TEST_CASE("models that cannot be are refused with a sentence", "[ch11]") {
  const auto refuse = [](std::string_view option, std::string_view value) {
    RunOptions o = tiny_options();
    set_option(o, option, value);
    CAPTURE(option, value);
    CHECK_THROWS_AS(make_model<float>(o, 256), InputError);
  };
  refuse("heads", "3");          // does not divide 16
  refuse("attention", "gqa:3");  // does not divide 4 heads
  refuse("attention", "gqa:8");
  refuse("heads", "16");  // heads of width 1, and rope turns pairs
  RunOptions long_text = tiny_options();
  long_text.length = 60000;
  CHECK_THROWS_AS(tiny_run(long_text), InputError);
  RunOptions no_batch = tiny_options();
  no_batch.batch = 0;
  CHECK_THROWS_AS(tiny_run(no_batch), InputError);
}
