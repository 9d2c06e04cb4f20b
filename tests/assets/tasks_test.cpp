// Tasks: the answers are right by a second computation, and only answers have targets.
#include "assets/tasks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "assets/fables.h"
#include "assets/sources.h"
#include "chapters/01_tensor/errors.h"
#include "tests/allocation_count.h"
#include "tests/testing.h"

using namespace tpp;
using tpp::testing::Approx;
namespace fs = std::filesystem;

namespace {

/// Tokens of a row, and of each whether the row asked for it: place 0 never, place T only as a
/// target.
struct Line {
  std::string text;         // T + 1 characters where the last target is known, else T
  std::vector<bool> asked;  // as long as text
};

Line line_of(const Batch& batch, int b) {
  Line line;
  for (int t = 0; t < batch.T; ++t) {
    const std::size_t i = std::size_t(b) * std::size_t(batch.T) + std::size_t(t);
    line.text += char(batch.tokens[i]);
    line.asked.push_back(t > 0 && batch.targets[i - 1] != kNoTarget);
    if (t > 0 && batch.targets[i - 1] != kNoTarget)
      REQUIRE(batch.targets[i - 1] == batch.tokens[i]);
  }
  const int last = batch.targets[std::size_t(b + 1) * std::size_t(batch.T) - 1];
  if (last != kNoTarget) {
    line.text += char(last);
    line.asked.push_back(true);
  }
  return line;
}

/// What should stand at place i, given everything before it; 0 where nobody can know. Written
/// without the generator's means: it reads the text as a reader would.
char expected(Task task, const std::string& text, std::size_t i) {
  if (task == Task::induction) {
    if (i % 2 == 0) return 0;
    for (std::size_t k = 0; k + 1 < i; k += 2) {
      if (text[k] == text[i - 1]) return text[k + 1];
    }
    return 0;
  }
  const std::size_t point = i == 0 ? std::string::npos : text.rfind('.', i - 1);
  const std::size_t begin = point == std::string::npos ? 0 : point + 1;
  const std::size_t middle = text.find_first_of("|>=", begin);
  if (middle == std::string::npos || middle >= i) return 0;
  const std::string question = text.substr(begin, middle - begin);
  std::string answer = question;
  if (task == Task::sorting) std::sort(answer.begin(), answer.end());
  if (task == Task::addition) {
    const std::string sum =
        std::to_string(std::stoi(question.substr(0, 3)) + std::stoi(question.substr(4)));
    answer = std::string(3 - sum.size(), '0') + sum;
  }
  return (answer + ".")[i - middle - 1];
}

constexpr Task kTasks[] = {Task::copy, Task::induction, Task::sorting, Task::addition};

}  // namespace

TEST_CASE("tasks: answers are right, and exactly the answers have targets", "[tasks]") {
  for (const Task task : kTasks) {
    const TaskSource source(task, 1);
    for (const int T : {16, 17, 31, 64, 128}) {
      Batch batch(4, T);
      for (std::uint64_t step = 0; step < 40; ++step) {
        step % 2 == 0 ? source.train(step, batch) : source.validation(step, batch);
        for (int b = 0; b < batch.B; ++b) {
          const Line line = line_of(batch, b);
          INFO(line.text);
          REQUIRE(std::count(line.asked.begin(), line.asked.end(), true) > 0);
          for (std::size_t i = 0; i < line.text.size(); ++i) {
            const char answer = expected(task, line.text, i);
            REQUIRE(line.asked[i] == (answer != 0));
            if (answer != 0) REQUIRE(line.text[i] == answer);
          }
        }
      }
    }
  }
}

TEST_CASE("tasks: examples have the form that they promise", "[tasks]") {
  Batch batch(1, 64);
  TaskSource(Task::addition, 1).train(0, batch);
  const std::string text = Tokenizer::bytes().decode(batch.tokens);
  CHECK((text[3] == '+' && text[7] == '=' && text[11] == '.' && text[15] == '+'));

  // Lengths from 3 to 7, all of them
  for (const Task task : {Task::copy, Task::sorting}) {
    std::set<std::size_t> lengths;
    for (std::uint64_t step = 0; step < 100; ++step) {
      TaskSource(task, 2).train(step, batch);
      const std::string row = Tokenizer::bytes().decode(batch.tokens);
      lengths.insert(row.find(task == Task::copy ? '|' : '>'));
    }
    CHECK(lengths == std::set<std::size_t>{3, 4, 5, 6, 7});
  }
}

TEST_CASE("tasks: a batch is a function of seed, step and sequence", "[tasks]") {
  for (const Task task : kTasks) {
    const TaskSource a(task, 1), same(task, 1), other(task, 2);
    Batch x(3, 32), y(3, 32), wide(6, 32);
    a.train(9, x);
    a.train(2, y);
    same.train(9, y);
    CHECK(x.tokens == y.tokens);
    CHECK(x.targets == y.targets);
    a.train(9, wide);
    CHECK(std::equal(x.tokens.begin(), x.tokens.end(), wide.tokens.begin()));
    other.train(9, y);
    CHECK(x.tokens != y.tokens);
    a.train(10, y);
    CHECK(x.tokens != y.tokens);
    a.validation(9, y);
    CHECK(x.tokens != y.tokens);
    other.validation(9, x);
    CHECK(x.tokens == y.tokens);
    CHECK(!std::equal(x.tokens.begin(), x.tokens.begin() + 32, x.tokens.begin() + 32));
  }
}

TEST_CASE("tasks: the guesser's loss is the entropy of the targets", "[tasks]") {
  for (const Task task : kTasks) {
    const TaskSource source(task, 1);
    Batch batch(8, 512);
    std::map<int, double> counts;
    double total = 0;
    for (std::uint64_t step = 0; step < 50; ++step) {
      source.train(step, batch);
      for (const int target : batch.targets) {
        if (target != kNoTarget) counts[target] += 1, total += 1;
      }
    }
    double entropy = 0;
    for (const auto& [token, count] : counts) entropy -= count / total * std::log(count / total);
    const std::vector<Baseline> baselines = source.baselines();
    REQUIRE(baselines.size() == 2);
    CHECK(baselines[0].name == "guess");
    CHECK(baselines[0].loss == Approx(entropy).margin(0.01));
    CHECK(baselines[1].loss == 0.0);
  }
  CHECK(TaskSource(Task::addition, 1).baselines()[0].loss == Approx(2.27).margin(0.005));
  CHECK(TaskSource(Task::copy, 1).baselines()[0].loss == Approx(3.17).margin(0.005));
}

TEST_CASE("tasks: too little room and unknown names throw, serving allocates nothing", "[tasks]") {
  for (const Task task : kTasks) {
    const TaskSource source(task, 1);
    Batch small(1, 15), batch(4, 64);
    CHECK_THROWS_AS(source.require(15), InputError);
    CHECK_THROWS_AS(source.train(0, small), InputError);
    CHECK_THROWS_AS(source.validation(0, small), InputError);
    source.require(16);
    CHECK(source.vocabulary() == 256);
    CHECK(source.describe().starts_with(task_names()[std::size_t(task)]));
    CHECK(!source.prompt().empty());
    CHECK(task_named(task_names()[std::size_t(task)]) == task);

    const std::uint64_t before = testing::allocation_count();
    for (std::uint64_t step = 0; step < 20; ++step) source.train(step, batch);
    CHECK(testing::allocation_count() == before);
  }
  CHECK_THROWS_AS(task_named("sort"), InputError);
}

// ---------------------------------------------------------------------------------------------------
// Sources by name

TEST_CASE("sources: texts, tasks and files by name", "[sources]") {
  std::string folder = (fs::temp_directory_path() / "tpp-sources-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  SourceConfig config{.megabytes = 1, .seed = 3, .generated = folder};
  const auto fables_source = make_source(config);
  fables_source->require(128);
  CHECK(fables_source->vocabulary() == 256);
  CHECK(fables_source->describe().starts_with("fables: 1.00 MB"));
  Batch batch(2, 128);
  fables_source->train(0, batch);

  // Fables are worth reading: counting pairs of letters beats counting letters, and both beat
  // nothing
  const std::vector<Baseline> baselines = fables_source->baselines();
  CHECK(baselines[1].loss < 3.2);
  CHECK(baselines[2].loss < 2.4);

  // A tokenizer by name is learned; one that was learned before is taken as it is
  config.tokenizer = "bpe:400";
  const auto merged = make_source(config);
  CHECK(merged->vocabulary() == 400);
  config.learned = Tokenizer::train_bpe("aa aa ab ab", 258);
  CHECK(make_source(config)->tokenizer() == *config.learned);

  config = {.text = "sorting", .generated = folder};
  CHECK(make_source(config)->describe().starts_with("sorting"));
  config.tokenizer = "bpe:400";
  CHECK_THROWS_AS(make_source(config), InputError);

  const std::string mine = folder + "/mine.txt";
  std::ofstream(mine) << fables(9, 20'000);
  config = {.text = mine};
  CHECK(make_source(config)->describe().starts_with("mine.txt"));
  config.text = folder + "/missing.txt";
  CHECK_THROWS_AS(make_source(config), InputError);
  config = {.text = "book", .generated = folder, .root = folder};
  CHECK_THROWS_AS(make_source(config), InputError);
  fs::remove_all(folder);
}

TEST_CASE("sources: a sample of each text", "[sources]") {
  CHECK(sample_text("fables", 4, 3000) == fables(4, 3000));
  for (const std::string_view name : task_names()) {
    const std::string text = sample_text(name, 1, 200);
    CHECK(text.size() == 3 * 65);
    CHECK(text[64] == '\n');
    CHECK(text == sample_text(name, 1, 200));
  }
  CHECK_THROWS_AS(sample_text("songs", 1, 100), InputError);
}
