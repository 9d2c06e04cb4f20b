// The global norm: sums to double's rounding, the clip factor where the optimizer looks for it, the same bits every time.
#include "kernels/global_norm/global_norm.h"

#include <bit>
#include <limits>

#include "chapters/10_optimizer/clip.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

constexpr twin::GlobalNormVersion kVersions[] = {twin::GlobalNormVersion::v1_block_per_parameter,
                                                 twin::GlobalNormVersion::v2_pieces,
                                                 twin::GlobalNormVersion::latest};

struct Gradient {
  std::vector<twin::NormSegment> segments;
  std::vector<float> values;

  // Parameters at multiples of `alignment`; what stands between them must not count
  explicit Gradient(const std::vector<std::size_t>& sizes, std::size_t alignment = 16) {
    Philox rng(3);
    for (const std::size_t size : sizes) {
      while (values.size() % alignment != 0) values.push_back(1e6f);
      segments.push_back({values.size(), size});
      const Mat<double> random = random_normal<double>(rng, 1, Index(size));
      for (std::size_t i = 0; i < size; ++i) values.push_back(float(random(0, Index(i))));
    }
  }
  [[nodiscard]] std::vector<double> squares() const {
    std::vector<double> result;
    for (const auto& s : segments) {
      result.push_back(sum_of_squares(values.data() + s.offset, Index(s.size)));
    }
    return result;
  }
};

struct Answer {
  std::vector<double> squares;
  twin::GradientNorm result;
  twin::OptimizerStep step;
};

Answer run(const Gradient& gradient, double max_norm, twin::GlobalNormVersion version) {
  const twin::NormPlan plan = twin::plan_global_norm(gradient.segments);
  const twin::Buffer<float> g(gradient.values);
  const twin::Buffer<twin::NormPiece> pieces(plan.pieces);
  const twin::Buffer<int> first(plan.first);
  twin::Buffer<double> partial(plan.pieces.size());
  twin::Buffer<double> squares(std::vector<double>(gradient.segments.size(), NAN));
  twin::Buffer<twin::OptimizerStep> step(std::vector<twin::OptimizerStep>{{1, 2, 3, NAN}});
  twin::Buffer<twin::GradientNorm> result(std::vector<twin::GradientNorm>{{NAN, NAN}});
  twin::global_norm(nullptr, g.data(),
                    {pieces.data(), first.data(), int(pieces.size()), int(squares.size())},
                    max_norm, partial.data(), squares.data(), step.data(), result.data(), version);
  return {squares.to_host(), result.to_host()[0], step.to_host()[0]};
}

}  // namespace

TEST_CASE("global_norm: squares, norm and clip factor are the reference's", "[twin]") {
  const std::vector<std::size_t> cases[] = {{1},
                                            {1, 2, 3, 4, 5},
                                            {16384, 16385, 7, 100},
                                            {40000, 3, 1023},
                                            std::vector<std::size_t>(70, 33)};
  for (const auto version : kVersions) {
    for (const auto& sizes : cases) {
      for (const std::size_t alignment : {std::size_t(16), std::size_t(1)}) {
        CAPTURE(int(version), sizes.size(), sizes[0], alignment);
        const Gradient gradient(sizes, alignment);
        const std::vector<double> want = gradient.squares();
        double square = 0;
        for (const double s : want) square += s;
        const double norm = std::sqrt(square);
        for (const double max_norm : {0.0, norm / 3, norm * 3}) {
          const Answer got = run(gradient, max_norm, version);
          for (std::size_t p = 0; p < want.size(); ++p) {
            CHECK(std::abs(got.squares[p] - want[p]) <= 1e-14 * want[p]);
          }
          CHECK(std::abs(got.result.norm - norm) <= 1e-14 * norm);
          CHECK(std::abs(got.result.scale - clip_scale(norm, max_norm)) <= 1e-14);
          CHECK(got.step.gradient_scale == float(got.result.scale));
          CHECK((got.step.lr == 1 && got.step.bias1 == 2 && got.step.bias2 == 3));
        }
      }
    }
  }
}

TEST_CASE("global_norm: small numbers count beside large ones, and large ones do not overflow",
          "[twin]") {
  for (const auto version : kVersions) {
    CAPTURE(int(version));
    Gradient gradient({20000});
    std::ranges::fill(gradient.values,
                      1e-3f);  // 19999 squares of 1e-6 beside 1e6: float loses them
    gradient.values[0] = 1e3f;
    const double want = gradient.squares()[0];
    CHECK(std::abs(run(gradient, 0, version).squares[0] - want) <= 1e-14 * want);

    gradient.values[5] = 3e38f;
    const Answer huge = run(gradient, 1, version);
    CHECK(std::abs(huge.result.norm - double(3e38f)) <= 1e-14 * double(3e38f));
    CHECK(huge.step.gradient_scale > 0);
  }
}

TEST_CASE("global_norm: what is not finite gives no factor", "[twin]") {
  for (const auto version : kVersions) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      CAPTURE(int(version), bad);
      Gradient gradient({100, 40});
      gradient.values[gradient.segments[1].offset + 3] = bad;
      const Answer got = run(gradient, 1, version);
      CHECK(std::isfinite(got.squares[0]));
      CHECK_FALSE(std::isfinite(got.squares[1]));
      CHECK_FALSE(std::isfinite(got.result.norm));
      CHECK(std::isnan(got.step.gradient_scale));
    }
  }
}

TEST_CASE("global_norm: no gradient has the length 0", "[twin]") {
  for (const auto version : kVersions) {
    const Answer got = run(Gradient({}), 1, version);
    CHECK(got.result.norm == 0);
    CHECK(got.step.gradient_scale == 1);
    Gradient zeros({33, 5});
    std::ranges::fill(zeros.values, 0.0f);
    CHECK(run(zeros, 1, version).step.gradient_scale == 1);
  }
}

TEST_CASE("global_norm: the plan covers every number once", "[twin]") {
  // One parameter of more than 512 pieces of 16384: larger pieces; offsets beyond 2^32
  const std::size_t big = std::size_t(512) * 16384 * 3 + 5, far = std::size_t(5) << 32;
  const std::vector<twin::NormSegment> segments = {
      {0, 7}, {16, big}, {far, 16384}, {far + 16384, 1}};
  const twin::NormPlan plan = twin::plan_global_norm(segments);
  REQUIRE(plan.first.size() == 5);
  CHECK(plan.first.back() == int(plan.pieces.size()));
  for (std::size_t p = 0; p < segments.size(); ++p) {
    std::size_t at = segments[p].offset;
    for (int i = plan.first[p]; i < plan.first[p + 1]; ++i) {
      CHECK(plan.pieces[std::size_t(i)].begin == at);
      CHECK(plan.pieces[std::size_t(i)].size > 0);
      CHECK((at - segments[p].offset) % 16 == 0);
      at += std::size_t(plan.pieces[std::size_t(i)].size);
    }
    CHECK(at == segments[p].offset + segments[p].size);
  }
  CHECK(plan.first[2] - plan.first[1] <= 512);
}

TEST_CASE("global_norm: a largest norm below zero is refused", "[twin]") {
  for (const double bad : {-1.0, double(NAN)}) {
    CHECK_THROWS_AS(run(Gradient({4}), bad, twin::GlobalNormVersion::latest),
                    std::invalid_argument);
  }
}

TEST_CASE("global_norm: the same bits every time", "[twin]") {
  const Gradient gradient({50000, 77});
  for (const auto version : kVersions) {
    const Answer a = run(gradient, 1, version), b = run(gradient, 1, version);
    CHECK(std::bit_cast<std::uint64_t>(a.result.norm) ==
          std::bit_cast<std::uint64_t>(b.result.norm));
    CHECK(a.squares == b.squares);
  }
}

TEST_CASE("global_norm: a captured step sees new settings and clips", "[twin]") {
  // Norm and update in one graph; the host only changes the step's numbers and the gradient
  const std::size_t n = 40;
  const std::vector<twin::NormSegment> segments = {{0, n}};
  const twin::NormPlan plan = twin::plan_global_norm(segments);
  const twin::Buffer<twin::NormPiece> pieces(plan.pieces);
  const twin::Buffer<int> first(plan.first);
  twin::Buffer<double> partial(1), squares(1);
  twin::Buffer<twin::OptimizerStep> step(1);
  twin::Buffer<float> w(std::vector<float>(n, 1)), g(std::vector<float>(n, 0));
  const twin::OptimizerRule rule{.kind = twin::OptimizerKind::sgd};

  const twin::Stream stream = twin::make_stream();
  auto* settings =
      static_cast<twin::OptimizerStep*>(twin::allocate_pinned(sizeof(twin::OptimizerStep)));
  twin::begin_capture(stream);
  twin::upload(stream, step.data(), settings, sizeof(*settings));
  twin::global_norm(stream, g.data(), {pieces.data(), first.data(), 1, 1}, 2, partial.data(),
                    squares.data(), step.data(), nullptr, twin::GlobalNormVersion::latest);
  twin::optimizer_update(stream, rule, step.data(), nullptr, w.data(), g.data(), nullptr, nullptr,
                         nullptr, n, twin::OptimizerVersion::latest);
  const twin::Graph graph = twin::end_capture(stream);
  CHECK(w.to_host() == std::vector<float>(n, 1));

  float expected = 1;
  for (const auto& [lr, value] : {std::pair{0.5f, 0.25f}, std::pair{0.25f, 100.0f}}) {
    *settings = twin::optimizer_step(rule, lr, 1, 1);
    const std::vector<float> gradient(n, value);
    twin::upload(stream, g.data(), gradient.data(), n * sizeof(float));
    twin::replay(graph, stream);
    twin::synchronize(stream);
    const double norm = std::sqrt(double(n)) * double(value);
    expected -= float(double(lr) * double(value) * clip_scale(norm, 2));
    for (const float got : w.to_host()) CHECK(std::abs(got - expected) <= 2e-7f);
  }
  twin::destroy_graph(graph);
  twin::release_pinned(settings);
  twin::destroy_stream(stream);
}

}  // namespace tpp::testing
