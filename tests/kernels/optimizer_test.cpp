// The optimizer: every kind and version against the double reference, parameter by parameter, with gaps between them;
// a step that must not be taken; and a run of steps.
#include "kernels/optimizer/optimizer.h"

#include <bit>

#include "chapters/10_optimizer/optimizer.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

constexpr twin::OptimizerVersion kVersions[] = {twin::OptimizerVersion::v1_thread_per_weight,
                                                twin::OptimizerVersion::v2_vector_loads,
                                                twin::OptimizerVersion::latest};
constexpr OptimizerKind kKinds[] = {OptimizerKind::sgd, OptimizerKind::momentum,
                                    OptimizerKind::adam, OptimizerKind::adamw};

std::vector<float> to_float(const ColVec<double>& v) {
  std::vector<float> result(std::size_t(v.size()));
  for (Index i = 0; i < v.size(); ++i) result[std::size_t(i)] = float(v[i]);
  return result;
}

Mat<double> to_mat(const std::vector<float>& v) {
  Mat<double> result(1, Index(v.size()));
  for (std::size_t i = 0; i < v.size(); ++i) result(0, Index(i)) = double(v[i]);
  return result;
}

// Parameters of these sizes, each at a multiple of 16, and what belongs to them. Every other one decays.
struct Model {
  std::vector<Index> sizes, offsets;
  std::vector<unsigned char> decay_of_line;
  ColVec<double> w, g, m, v;

  explicit Model(std::vector<Index> sizes_, Index tail = 0) : sizes(std::move(sizes_)) {
    Index extent = 0;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      offsets.push_back(extent);
      const Index lines = (sizes[p] + 15) / 16;
      for (Index i = 0; i < lines; ++i) decay_of_line.push_back(p % 2 == 0 ? 1 : 0);
      extent += lines * 16;
    }
    if (tail != 0) extent = offsets.back() + sizes.back();  // the last line is cut
    w = g = m = v = ColVec<double>::Zero(extent);
    Philox rng(11);
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      const auto random = [&](double deviation) {
        const Mat<double> values = random_normal<double>(rng, sizes[p], 1) * deviation;
        return ColVec<double>(values.cast<float>().cast<double>().col(0));
      };
      w.segment(offsets[p], sizes[p]) = random(1);
      g.segment(offsets[p], sizes[p]) = random(0.5);
      m.segment(offsets[p], sizes[p]) = random(0.1);
      v.segment(offsets[p], sizes[p]) = random(0.1).cwiseAbs();
    }
  }

  void reference(const OptimizerConfig& cfg, long step, double lr, double scale) {
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      const Index at = offsets[p];
      const UpdateRange<double> range{w.data() + at, g.data() + at, m.data() + at, v.data() + at,
                                      sizes[p]};
      optimizer_update<double>(cfg, range, step, lr, p % 2 == 0, scale);
    }
  }
};

// The same model on the device. `shift` moves every array off its 16 bytes.
struct OnDevice {
  std::size_t n, shift;
  twin::Buffer<float> w, g, m, v;
  twin::Buffer<Bf16> copy;
  twin::Buffer<unsigned char> decay;
  twin::Buffer<twin::OptimizerStep> step{1};

  OnDevice(const Model& model, std::size_t shift_)
      : n(std::size_t(model.w.size())),
        shift(shift_),
        w(shifted(model.w)),
        g(shifted(model.g)),
        m(shifted(model.m)),
        v(shifted(model.v)),
        copy(std::vector<Bf16>(n + shift, Bf16(7.0f))),
        decay(model.decay_of_line) {}

  [[nodiscard]] std::vector<float> shifted(const ColVec<double>& values) const {
    std::vector<float> result(shift, 0.5f);
    for (const float x : to_float(values)) result.push_back(x);
    return result;
  }
  [[nodiscard]] std::vector<float> back(const twin::Buffer<float>& buffer) const {
    const std::vector<float> all = buffer.to_host();
    for (std::size_t i = 0; i < shift; ++i) CHECK(all[i] == 0.5f);
    return {all.begin() + std::ptrdiff_t(shift), all.end()};
  }
  void update(const twin::OptimizerRule& rule, const twin::OptimizerStep& at, bool with_copy,
              twin::OptimizerVersion version) {
    twin::upload(nullptr, step.data(), &at, sizeof(at));
    const bool has_m = rule.kind != twin::OptimizerKind::sgd,
               has_v = has_m && rule.kind != twin::OptimizerKind::momentum;
    twin::optimizer_update(nullptr, rule, step.data(), decay.data(), w.data() + shift,
                           g.data() + shift, has_m ? m.data() + shift : nullptr,
                           has_v ? v.data() + shift : nullptr,
                           with_copy ? copy.data() + shift : nullptr, n, version);
    twin::synchronize(nullptr);
  }
};

twin::OptimizerRule rule_of(const OptimizerConfig& cfg) {
  return {twin::OptimizerKind(int(cfg.kind)),
          cfg.momentum,
          cfg.beta1,
          cfg.beta2,
          cfg.eps,
          cfg.weight_decay};
}

// Zeros between parameters are zeros still, to the bit.
void check_gaps(const Model& model, const std::vector<float>& values) {
  std::size_t next = 0;
  for (std::size_t p = 0; p <= model.sizes.size(); ++p) {
    const std::size_t begin =
        p < model.sizes.size() ? std::size_t(model.offsets[p]) : values.size();
    for (std::size_t i = next; i < begin; ++i) CHECK(std::bit_cast<unsigned>(values[i]) == 0);
    if (p < model.sizes.size()) next = begin + std::size_t(model.sizes[p]);
  }
}

}  // namespace

TEST_CASE("optimizer: every kind and version is the reference's step", "[twin]") {
  struct Case {
    std::vector<Index> sizes;
    Index tail;         // the buffer ends with the last parameter, not with its line
    std::size_t shift;  // numbers off a pack's address
  };
  const Case cases[] = {{{1}, 1, 0},      {{16}, 0, 0},    {{3, 17, 100, 1, 1500}, 0, 0},
                        {{40, 33}, 1, 0}, {{64, 7}, 1, 0}, {{20, 31}, 0, 1},
                        {{5, 2100}, 1, 2}};
  for (const OptimizerKind kind : kKinds) {
    for (const twin::OptimizerVersion version : kVersions) {
      for (const Case& c : cases) {
        for (const long t : {1L, 7L, 5000L}) {
          Model model(c.sizes, c.tail);
          OnDevice device(model, c.shift);
          OptimizerConfig cfg{.kind = kind};
          const bool with_copy = t != 7;
          const double lr = double(float(3e-2)), scale = t == 1 ? 1.0 : 0.25;
          CAPTURE(int(kind), int(version), c.sizes, c.shift, t);
          device.update(rule_of(cfg), twin::optimizer_step(rule_of(cfg), lr, t, scale), with_copy,
                        version);
          model.reference(cfg, t, lr, scale);

          // Five roundings meet in a moment: of β, of 1 − β, of two products and a sum
          const std::vector<float> w = device.back(device.w);
          check_near<float>(to_mat(w), Mat<double>(model.w.transpose()), 5);
          check_near<float>(to_mat(device.back(device.m)), Mat<double>(model.m.transpose()), 5);
          check_near<float>(to_mat(device.back(device.v)), Mat<double>(model.v.transpose()), 5);
          check_gaps(model, w);
          check_gaps(model, device.back(device.m));
          check_gaps(model, device.back(device.v));
          CHECK(device.g.to_host() == device.shifted(model.g));

          // The copy is the new weight, rounded; without one, nobody writes there
          const std::vector<Bf16> copy = device.copy.to_host();
          bool right = copy.size() == w.size() + c.shift;
          for (std::size_t i = 0; i < w.size() && right; ++i) {
            right = copy[i + c.shift].bits == Bf16(with_copy ? w[i] : 7.0f).bits;
          }
          CHECK(right);
        }
      }
    }
  }
}

TEST_CASE("optimizer: one array off its 16 bytes is enough for the slow way", "[twin]") {
  // The emulator's checker and a GPU refuse a vector load there
  const Model model({40, 9}, 1);
  Model want = model;
  const OptimizerConfig cfg;
  want.reference(cfg, 3, 0.125, 1);
  for (int which = 0; which < 5; ++which) {
    CAPTURE(which);
    OnDevice d(model, 1);
    const auto place = [&](int array, auto& at_shift, const auto& start) {
      if (array != which) at_shift = std::remove_cvref_t<decltype(at_shift)>(start);
      return at_shift.data() + (array == which ? 1 : 0);
    };
    float* w = place(0, d.w, to_float(model.w));
    const float* g = place(1, d.g, to_float(model.g));
    float* m = place(2, d.m, to_float(model.m));
    float* v = place(3, d.v, to_float(model.v));
    Bf16* copy = place(4, d.copy, std::vector<Bf16>(d.n, Bf16(7.0f)));
    const twin::OptimizerStep at = twin::optimizer_step(rule_of(cfg), 0.125, 3, 1);
    twin::upload(nullptr, d.step.data(), &at, sizeof(at));
    twin::optimizer_update(nullptr, rule_of(cfg), d.step.data(), d.decay.data(), w, g, m, v, copy,
                           d.n, twin::OptimizerVersion::latest);
    std::vector<float> got(d.n);
    twin::download(nullptr, got.data(), w, d.n * sizeof(float));
    check_near<float>(to_mat(got), Mat<double>(want.w.transpose()), 5);
  }
}

TEST_CASE("optimizer: 1 - β₂ keeps its digits", "[twin]") {
  // 0.999 as a float lacks three digits of 1 − 0.999
  Model model({100});
  model.m.setZero(), model.v.setZero();
  OnDevice device(model, 0);
  const OptimizerConfig cfg{.beta1 = 0.99, .beta2 = 0.999};
  device.update(rule_of(cfg), twin::optimizer_step(rule_of(cfg), 0.125, 1, 1), false,
                twin::OptimizerVersion::latest);
  model.reference(cfg, 1, 0.125, 1);
  check_near<float>(to_mat(device.back(device.m)), Mat<double>(model.m.transpose()), 5);
  check_near<float>(to_mat(device.back(device.v)), Mat<double>(model.v.transpose()), 5);
}

TEST_CASE("optimizer: decay reaches the weights that decay, and no others", "[twin]") {
  for (const OptimizerKind kind : kKinds) {
    for (const twin::OptimizerVersion version : kVersions) {
      CAPTURE(int(kind), int(version));
      Model model({20, 20, 33, 16});
      model.g.setZero(), model.m.setZero(), model.v.setZero();
      OnDevice device(model, 0);
      const twin::OptimizerRule rule{.kind = twin::OptimizerKind(int(kind)), .weight_decay = 0.5};
      device.update(rule, twin::optimizer_step(rule, 0.125, 1, 1), false, version);
      const std::vector<float> w = device.back(device.w), before = to_float(model.w);
      for (std::size_t p = 0; p < 4; ++p) {
        for (Index i = model.offsets[p]; i < model.offsets[p] + model.sizes[p]; ++i) {
          CAPTURE(p, i);
          CHECK((w[std::size_t(i)] != before[std::size_t(i)]) == (p % 2 == 0));
        }
      }

      // No answers: nothing decays
      OnDevice without(model, 0);
      const twin::OptimizerStep at = twin::optimizer_step(rule, 0.125, 1, 1);
      twin::upload(nullptr, without.step.data(), &at, sizeof(at));
      twin::optimizer_update(nullptr, rule, without.step.data(), nullptr, without.w.data(),
                             without.g.data(), without.m.data(), without.v.data(), nullptr,
                             without.n, version);
      CHECK(without.back(without.w) == before);
    }
  }
}

TEST_CASE("optimizer: a gradient that is not finite changes nothing", "[twin]") {
  for (const OptimizerKind kind : kKinds) {
    for (const twin::OptimizerVersion version : kVersions) {
      for (const double scale : {double(NAN), double(INFINITY), -double(INFINITY)}) {
        CAPTURE(int(kind), int(version), scale);
        Model model({100, 7}, 1);
        OnDevice device(model, 0);
        const twin::OptimizerRule rule{.kind = twin::OptimizerKind(int(kind))};
        device.update(rule, twin::optimizer_step(rule, 0.1, 3, scale), true, version);
        CHECK(device.back(device.w) == to_float(model.w));
        CHECK(device.back(device.m) == to_float(model.m));
        CHECK(device.back(device.v) == to_float(model.v));
        CHECK(float(device.copy.to_host()[50]) == 7.0f);
      }
    }
  }
}

TEST_CASE("optimizer: thirty steps stay beside the reference", "[twin]") {
  for (const OptimizerKind kind : {OptimizerKind::momentum, OptimizerKind::adamw}) {
    CAPTURE(int(kind));
    Model model({300, 50});
    model.m.setZero(), model.v.setZero();
    OnDevice device(model, 0);
    OptimizerConfig cfg{.kind = kind};
    Philox rng(5);
    for (long t = 1; t <= 30; ++t) {
      const double lr = double(float(1e-3 * double(t)));
      for (std::size_t p = 0; p < 2; ++p) {
        const Mat<double> fresh = random_normal<double>(rng, model.sizes[p], 1);
        model.g.segment(model.offsets[p], model.sizes[p]) =
            fresh.cast<float>().cast<double>().col(0);
      }
      device.g = twin::Buffer<float>(to_float(model.g));
      device.update(rule_of(cfg), twin::optimizer_step(rule_of(cfg), lr, t, 0.5), false,
                    twin::OptimizerVersion::latest);
      model.reference(cfg, t, lr, 0.5);
    }
    // Every step rounds: thirty times two, and seldom in one direction
    check_near<float>(to_mat(device.back(device.w)), Mat<double>(model.w.transpose()), 60);
  }
}

TEST_CASE("optimizer: an eps of 0 leaves zeros where nothing was learned", "[twin]") {
  Model model({5, 40});
  model.g.setZero(), model.m.setZero(), model.v.setZero();
  OnDevice device(model, 0);
  const twin::OptimizerRule rule{.eps = 0, .weight_decay = 0};
  device.update(rule, twin::optimizer_step(rule, 0.1, 1, 1), false, twin::OptimizerVersion::latest);
  CHECK(device.back(device.w) == to_float(model.w));
}

TEST_CASE("optimizer: what is missing is refused", "[twin]") {
  Model model({16});
  OnDevice d(model, 0);
  const auto update = [&](const twin::OptimizerRule& rule, float* m, float* v, std::size_t n) {
    twin::optimizer_update(nullptr, rule, d.step.data(), nullptr, d.w.data(), d.g.data(), m, v,
                           nullptr, n, twin::OptimizerVersion::latest);
  };
  using Kind = twin::OptimizerKind;
  CHECK_THROWS_AS(update({.kind = Kind::adamw}, d.m.data(), nullptr, 16), std::invalid_argument);
  CHECK_THROWS_AS(update({.kind = Kind::adam}, nullptr, d.v.data(), 16), std::invalid_argument);
  CHECK_THROWS_AS(update({.kind = Kind::momentum}, nullptr, nullptr, 16), std::invalid_argument);
  CHECK_THROWS_AS(update({.kind = Kind::sgd, .beta1 = 1}, nullptr, nullptr, 16),
                  std::invalid_argument);
  CHECK_THROWS_AS(update({.kind = Kind::sgd, .momentum = NAN}, nullptr, nullptr, 16),
                  std::invalid_argument);
  update({.kind = Kind::adamw}, nullptr, nullptr, 0);  // nothing to do
}

}  // namespace tpp::testing
