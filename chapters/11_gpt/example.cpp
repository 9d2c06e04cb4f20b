// What the text of chapter 11 shows: a gradient that has to pass many layers, what is asked at each place, the same bits on
// any number of threads, a run that stops and goes on, and the cut before a draw.
#include "chapters/example.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "chapters/01_tensor/random.h"
#include "chapters/02_tape/ops.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/11_gpt/checkpoint.h"
#include "chapters/11_gpt/exercises/shifted_targets/reference.h"
#include "chapters/11_gpt/sampling.h"
#include "chapters/11_gpt/trainer.h"

using namespace tpp;

namespace {

// [snip passing]
// A gradient of length 1 at the last of L layers: how long is it at the first?
double gradient_at_the_first(int layers, bool normed, bool residual) {
  Philox rng(11);
  constexpr Index kTokens = 16, kWidth = 64;
  Tape<double> tape;
  tape.keep_gradients(true);
  const Var<double> first = tape.variable(random_normal<double>(rng, kTokens, kWidth), "x");
  const Var<double> gain = tape.input(Mat<double>::Ones(1, kWidth), "gain");
  Var<double> x = first;
  for (int l = 0; l < layers; ++l) {
    const Mat<double> w = random_normal<double>(rng, kWidth, kWidth, 1 / std::sqrt(double(kWidth)));
    const Var<double> seen = normed ? layernorm(x, gain, Var<double>{}, {}) : x;
    const Var<double> f = activation(Activation::gelu, linear(seen, tape.input(w, "w")));
    x = residual ? add(x, f) : f;
  }
  Mat<double> dy = random_normal<double>(rng, kTokens, kWidth);
  tape.backward_from(x, dy / dy.norm());
  return first.grad().norm();
}

void passing() {
  std::printf("layers                  1        4       16       64\n");
  const auto row = [](const char* name, bool normed, bool residual) {
    std::printf("%-16s", name);
    for (const int layers : {1, 4, 16, 64}) {
      std::printf(" %8.1e", gradient_at_the_first(layers, normed, residual));
    }
    std::printf("\n");
  };
  row("f(x)", false, false);
  row("f(norm(x))", true, false);
  row("x + f(norm(x))", true, true);
}
// [/snip]

void targets() {
  const std::string text = "the cat sat";
  const std::vector<int> tokens(text.begin(), text.end()), offsets = {0, 5};
  std::vector<int> in(12), out(12);
  causal_batch(tokens, offsets, 6, in, out);
  for (const auto& [name, row] : {std::pair{"tokens ", &in}, {"targets", &out}}) {
    std::printf("%s ", name);
    for (std::size_t i = 0; i < 12; ++i) {
      const int c = (*row)[i];
      std::printf("%s %s", i == 6 ? "     " : "",
                  c == ' '         ? "·"
                  : c == kNoTarget ? "none"
                                   : std::string(1, char(c)).c_str());
    }
    std::printf("\n");
  }
}

/// A model of this chapter's parts, a text, and a trainer: small enough to train while you wait.
struct SmallRun {
  static ModelConfig config() {
    return {.layers = 2, .D = 32, .H = 4, .G = 4, .F = 128, .V = 256, .T = 32, .bias = true};
  }
  static std::string text() {
    std::string all;
    for (int i = 0; i < 400; ++i) {
      const std::string one = std::to_string(i % 10), next = std::to_string((i + 1) % 10);
      all += "After " + one + " comes " + next + ". ";
    }
    return all;
  }

  // [snip small_run]
  Model<float> model{config(),
                     {.norm = layernorm_part<float>(),
                      .position = learned_position_part<float>(),
                      .attention = multi_head_part<float>(),
                      .feed_forward = feed_forward_part<float>(Activation::gelu_tanh)}};
  TextSource source{Dataset(text(), Tokenizer::bytes()), 1};
  Trainer trainer;
  explicit SmallRun(int threads = 1)
      : trainer(model, source,
                {.seed = 1,
                 .batch = 18,
                 .optimizer = {},
                 .schedule = {.peak = 1e-2, .warmup = 20, .total = 300},
                 .threads = threads}) {}
  // [/snip]
  void steps(int count) {
    for (int i = 0; i < count; ++i) (void)trainer.step();
  }
};

void first_steps() {
  SmallRun run;
  std::printf("ln V = %.1f\n", std::log(256.0));
  for (const int upto : {1, 100, 300}) {
    StepReport report;
    while (run.trainer.steps_done() < upto) report = run.trainer.step();
    std::printf("step %3d  loss %.1f  learning rate %.4f\n", upto, report.loss,
                report.learning_rate);
  }
  std::printf("validation %.1f\n", run.trainer.evaluate(8));

  std::vector<int> tokens;
  for (const char c : std::string("After 3 ")) tokens.push_back(int(c));
  Generator(run.model, run.trainer.values(), 1).generate(tokens, 22, {.temperature = 0});
  std::printf("greedy: %s\n", std::string(tokens.begin(), tokens.end()).c_str());
}

// [snip threads]
void threads() {
  std::vector<LineVector<float>> weights;
  for (const int threads : {1, 2, 5}) {
    SmallRun run(threads);
    run.steps(8);
    weights.push_back(run.trainer.state().values);
  }
  const bool same =
      std::ranges::equal(weights[0], weights[1]) && std::ranges::equal(weights[0], weights[2]);
  std::printf("%zu numbers after 8 steps on 1, 2 and 5 threads: %s\n", weights[0].size(),
              same ? "the same bits" : "different");
}
// [/snip]

// [snip resume]
void resume() {
  SmallRun whole;
  whole.steps(8);

  const auto path = std::filesystem::temp_directory_path() /
                    ("tpp-example-11-" + std::to_string(::getpid()) + ".safetensors");
  SmallRun before, after;
  before.steps(5);
  save_checkpoint(path, before.model.table(), before.trainer.state(), {});
  after.trainer.set_state(read_state(SafeTensors::open(path), after.model.table()));
  after.steps(3);
  std::filesystem::remove(path);

  const bool same = std::ranges::equal(whole.trainer.state().values, after.trainer.state().values);
  std::printf("8 steps, and 5 steps, a file, 3 steps: %s\n", same ? "the same bits" : "different");
}
// [/snip]

void distribution() {
  const float logits[] = {3, 2, 1, 0, -1};
  const auto show = [&](const char* name, SamplingConfig config) {
    std::printf("%-22s", name);
    for (const double p : sampling_distribution(logits, config)) std::printf(" %6.3f", p);
    std::printf("\n");
  };
  std::printf("logits                     3      2      1      0     −1\n");
  show("temperature 1", {.temperature = 1});
  show("temperature 0.5", {.temperature = 0.5});
  show("temperature 2", {.temperature = 2});
  show("temperature 0", {.temperature = 0});
  show("1, top-k 2", {.temperature = 1, .top_k = 2});
  show("1, top-p 0.9", {.temperature = 1, .top_p = 0.9});
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"passing", passing},
                       {"targets", targets},
                       {"first_steps", first_steps},
                       {"threads", threads},
                       {"resume", resume},
                       {"distribution", distribution}});
}
