// One model, two devices: what trains on the processor trains alike on its twins.
//
// The emulator stands in for the GPU everywhere. Cases tagged [gpu] do the same on a real one, and say that they are
// skipped where there is none.
#include <cmath>
#include <sstream>

#include "chapters/11_gpt/sampling.h"
#include "tests/chapters/tiny_run.h"
#include "tests/testing.h"

using namespace tpp;
using namespace tpp::testing;

namespace {

RunOptions on(const char* device, RunOptions options, const char* precision = "float32") {
  options.device = device;
  options.precision = precision;
  return options;
}

/// Why this device cannot be had, or nothing.
std::string missing(const char* device) {
  try {
    (void)open_device(on(device, {}));
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

struct Difference {
  double worst = 0;  // of any parameter: ‖a − b‖ / ‖a‖
  std::string where;
};

/// Of two flat buffers, a parameter at a time; one that is all but zero is measured against the whole.
Difference difference(const ParameterTable& table, const float* a, const float* b) {
  double whole = 0;
  for (const ParameterInfo& p : table.list()) {
    whole += Eigen::Map<const ColVec<float>>(a + p.offset, p.size()).cast<double>().squaredNorm();
  }
  Difference found;
  for (const ParameterInfo& p : table.list()) {
    const ColVec<double> left =
        Eigen::Map<const ColVec<float>>(a + p.offset, p.size()).cast<double>();
    const ColVec<double> right =
        Eigen::Map<const ColVec<float>>(b + p.offset, p.size()).cast<double>();
    const double size = std::max(left.norm(), 1e-3 * std::sqrt(whole));
    const double error = (left - right).norm() / size;
    if (!(error <= found.worst)) found = {error, p.name};
    if (std::isnan(error)) break;
  }
  return found;
}

/// The two recipes, small; the batch is odd and the head width no power of two.
RunOptions small_recipe(const char* recipe) {
  RunOptions options = tiny_options();
  if (std::string(recipe) == "gpt") {
    options.norm = "layernorm", options.position = "learned", options.attention = "mha";
    options.ffn = "gelu", options.bias = true;
  }
  options.width = 24, options.ffn_width = 40, options.length = 20;
  return options;
}

void compare_gradients(const char* device, const char* precision, double loss_tolerance,
                       double gradient_tolerance) {
  for (const RunOptions& options : every_component()) {
    std::ostringstream which;
    for (const std::string& name : differing_options(tiny_options(), options)) {
      which << name << "=" << get_option(options, name) << " ";
    }
    CAPTURE(which.str(), precision);
    Run cpu = tiny_run(options), other = tiny_run(on(device, options, precision));
    const double want = cpu.trainer->compute_gradients(), got = other.trainer->compute_gradients();
    CHECK(std::abs(got - want) <= loss_tolerance * want);
    const Difference d =
        difference(cpu.model->table(), cpu.trainer->gradients(), other.trainer->gradients());
    CAPTURE(d.where, d.worst);
    CHECK(d.worst <= gradient_tolerance);
  }
}

// Twenty steps from the same start: the losses, every gradient of each step, and the weights at the end
void compare_training(const char* device) {
  for (const char* recipe : {"llama", "gpt"}) {
    const RunOptions options = small_recipe(recipe);
    Run cpu = tiny_run(options), other = tiny_run(on(device, options));
    for (int step = 1; step <= 20; ++step) {
      CAPTURE(recipe, step);
      const StepReport want = cpu.trainer->step(), got = other.trainer->step();
      CHECK(std::abs(got.loss - want.loss) <= 1e-4 * want.loss);
      CHECK(std::abs(got.gradient_norm - want.gradient_norm) <= 2e-3 * want.gradient_norm);
      CHECK(got.step == want.step);
      CHECK(got.learning_rate == want.learning_rate);
      const Difference d =
          difference(cpu.model->table(), cpu.trainer->gradients(), other.trainer->gradients());
      CAPTURE(d.where, d.worst);
      CHECK(d.worst <= 5e-3);
    }
    const Difference d =
        difference(cpu.model->table(), cpu.trainer->values(), other.trainer->values());
    CAPTURE(recipe, d.where, d.worst);
    CHECK(d.worst <= 5e-3);
    CHECK(std::abs(cpu.trainer->evaluate(7) - other.trainer->evaluate(7)) <= 1e-3);
  }
}

}  // namespace

TEST_CASE("device: every component's gradient is the processor's", "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  compare_gradients("emulated", "float32", 1e-5, 2e-4);
}

TEST_CASE("device: with activations in bfloat16 the gradient points the same way",
          "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  compare_gradients("emulated", "bf16", 1e-2, 0.1);
}

TEST_CASE("device: twenty steps of both recipes, on the processor and emulated", "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  compare_training("emulated");
}

TEST_CASE("device: a replayed step is the step that was written down, bit for bit",
          "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  // A fresh trainer's first step is not replayed; with the state of the fourth it is the fifth
  const RunOptions options = on("emulated", small_recipe("llama"));
  Run replayed = tiny_run(options);
  for (int i = 0; i < 4; ++i) (void)replayed.trainer->step();
  const TrainState before = replayed.trainer->state();
  const StepReport fifth = replayed.trainer->step();

  Run fresh = tiny_run(options);
  fresh.trainer->set_state(before);
  const StepReport again = fresh.trainer->step();
  CHECK(again.loss == fifth.loss);
  CHECK(again.gradient_norm == fifth.gradient_norm);
  CHECK(fresh.trainer->state().values == replayed.trainer->state().values);
  CHECK(fresh.trainer->state().m == replayed.trainer->state().m);
  CHECK(fresh.trainer->state().v == replayed.trainer->state().v);
}

TEST_CASE("device: settings that change in the middle of a run are obeyed", "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  Run cpu = tiny_run(small_recipe("llama")),
      other = tiny_run(on("emulated", small_recipe("llama")));
  for (int step = 0; step < 8; ++step) {
    for (Run* run : {&cpu, &other}) {
      if (step == 3) run->trainer->set_peak_learning_rate(0.01);
      if (step == 5) run->trainer->set_clip(0.05);
      run->trainer->watch_updates(step >= 6);
    }
    const StepReport want = cpu.trainer->step(), got = other.trainer->step();
    CAPTURE(step);
    CHECK(std::abs(got.loss - want.loss) <= 1e-4 * want.loss);
    CHECK(std::abs(got.clip_scale - want.clip_scale) <= 1e-3);
    for (std::size_t p = 0; p < cpu.trainer->parameter_reports().size(); ++p) {
      const ParameterReport &a = cpu.trainer->parameter_reports()[p],
                            &b = other.trainer->parameter_reports()[p];
      CAPTURE(cpu.model->table()[int(p)].name);
      CHECK(std::abs(a.gradient_norm - b.gradient_norm) <= 1e-2 * want.gradient_norm);
      if (step < 6) continue;
      CHECK(std::abs(a.weight_norm - b.weight_norm) <= 1e-3 * (1e-3 + a.weight_norm));
      CHECK(std::abs(a.update_norm - b.update_norm) <= 2e-2 * (1e-4 + a.update_norm));
    }
  }
}

TEST_CASE("device: what is not finite is named there too, and the last good state kept",
          "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  Run run = tiny_run(on("emulated", tiny_options()));
  run.trainer->keep_last_good(true);
  for (int i = 0; i < 3; ++i) (void)run.trainer->step();
  TrainState poisoned = run.trainer->state();
  const ParameterInfo& info = run.model->table()[run.model->table().find("block1/ffn/w_out")];
  poisoned.values[std::size_t(info.offset) + 3] = NAN;
  run.trainer->set_state(poisoned);
  try {
    (void)run.trainer->step();
    FAIL("a NaN passed");
  } catch (const NotFinite& e) {
    CHECK(e.value == "block1/ffn/w_out");
    CHECK(e.step == 4);
  }
  CHECK(run.trainer->steps_done() == 3);
  CHECK(run.trainer->restore_last_good() == 0);
  CHECK(std::isfinite(run.trainer->step().loss));
}

TEST_CASE("device: a run goes on elsewhere, and writes the same text", "[ch11][device]") {
  if (const std::string why = missing("emulated"); !why.empty()) SKIP(why);
  const RunOptions options = small_recipe("llama");
  Run whole = tiny_run(options), first = tiny_run(on("emulated", options));
  for (int i = 0; i < 6; ++i) (void)whole.trainer->step();
  for (int i = 0; i < 3; ++i) (void)first.trainer->step();
  Run second = tiny_run(options_from_metadata(run_metadata(first)));
  CHECK(second.options.device == "cpu");  // where it ran is not what it is
  second.trainer->set_state(first.trainer->state());
  for (int i = 0; i < 3; ++i) (void)second.trainer->step();
  CHECK(difference(whole.model->table(), whole.trainer->values(), second.trainer->values()).worst <=
        1e-3);

  const auto device = open_device(on("emulated", options));
  const SamplingConfig likeliest{.temperature = 0};
  std::vector<int> here = {'t', 'h', 'e'}, there = here;
  Generator(*whole.model, whole.trainer->values(), 1).generate(here, 10, likeliest);
  Generator(*whole.model, whole.trainer->values(), 1, device.get()).generate(there, 10, likeliest);
  CHECK(here == there);
}

TEST_CASE("device: one that is not there says what it looked for and what to do",
          "[ch11][device]") {
  CHECK_THROWS_AS(open_device(on("cpu", {}, "bf16")), InputError);
  if (const std::string why = missing("gpu"); !why.empty()) {
    INFO(why);
    CHECK(why.find("--device gpu") != std::string::npos);
    CHECK(
        (why.find("libtpp_gpu.so") != std::string::npos || why.find("CUDA") != std::string::npos));
  }
}

TEST_CASE("gpu: every component's gradient is the processor's", "[ch11][gpu]") {
  if (const std::string why = missing("gpu"); !why.empty()) SKIP(why);
  compare_gradients("gpu", "float32", 1e-5, 2e-4);
  compare_gradients("gpu", "tf32", 2e-3, 2e-2);
  compare_gradients("gpu", "bf16", 1e-2, 0.1);
}

TEST_CASE("gpu: twenty steps of both recipes, on the processor and on the GPU", "[ch11][gpu]") {
  if (const std::string why = missing("gpu"); !why.empty()) SKIP(why);
  compare_training("gpu");
}
