// A training step asks the heap for nothing: the arena, the shards and the moments are there since the
// first step, and Eigen packs its operands on the stack.
#include <memory>

#include "assets/sources.h"
#include "chapters/31_transformer_pp/catalogue.h"
#include "tests/malloc_count.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

RunOptions small(const std::string& recipe, int threads) {
  RunOptions options;
  apply_recipe(options, recipe);
  options.layers = 2;
  options.text = "copy";
  options.threads = threads;
  return options;
}

std::uint64_t asked_in_four_steps(Trainer& trainer) {
  const std::uint64_t before = testing::malloc_count();
  for (int step = 0; step < 4; ++step) (void)trainer.step();
  return testing::malloc_count() - before;
}

}  // namespace

TEST_CASE("malloc is counted", "[gpt][allocation]") {
  if (!testing::can_count_malloc()) SKIP("a sanitizer has its own malloc");
  const std::uint64_t before = testing::malloc_count();
  const std::unique_ptr<int> one(new int(1));
  Mat<float> product = Mat<float>::Ones(64, 64);
  CHECK(testing::malloc_count() >= before + 2);
  product = product * product;  // without noalias(): a temporary, on the heap
  CHECK(testing::malloc_count() >= before + 3);
  CHECK(*one == 1);
}

TEST_CASE("a training step after the first allocates nothing", "[gpt][allocation]") {
  if (!testing::can_count_malloc()) SKIP("a sanitizer has its own malloc");
  for (const std::string recipe : {"llama", "gpt"}) {
    SourceConfig source;
    source.text = "copy";
    const Run alone = make_run(small(recipe, 1), make_source(source));
    (void)alone.trainer->step();
    CHECK(asked_in_four_steps(*alone.trainer) == 0);

    // Of two threads, each has a first chunk; on a busy machine the second's may come steps later
    const Run both = make_run(small(recipe, 2), make_source(source));
    std::uint64_t asked = 1;
    for (int trial = 0; trial < 10 && asked != 0; ++trial)
      asked = asked_in_four_steps(*both.trainer);
    CHECK(asked == 0);
  }
}
