#include "assets/tasks.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "chapters/01_tensor/errors.h"
#include "chapters/01_tensor/random.h"

namespace tpp {
namespace {

constexpr std::array<std::string_view, 4> kNames{"copy", "induction", "sorting", "addition"};
constexpr int kShortest = 3, kLongest = 7;  // letters to copy or to sort

/// A row of a batch, filled from the left. Each token is the target of the position before it.
class Row {
 public:
  Row(Batch& batch, int b)
      : T_(batch.T),
        tokens_(batch.tokens.data() + std::ptrdiff_t(b) * T_),
        targets_(batch.targets.data() + std::ptrdiff_t(b) * T_) {}

  [[nodiscard]] bool full() const { return at_ > T_; }  // T tokens, and the last one's target

  void put(char c, bool known) {
    if (full()) return;
    const int token = static_cast<unsigned char>(c);
    if (at_ < T_) tokens_[at_] = token;
    if (at_ > 0) targets_[at_ - 1] = known ? token : kNoTarget;
    ++at_;
  }

 private:
  int T_, at_ = 0;
  int* tokens_;   // (T)
  int* targets_;  // (T)
};

char letter(Philox& rng, char first) { return static_cast<char>(first + int(rng.below(26))); }

/// "dcab>abcd." or "dcab|dcab."
void letters_twice(Philox& rng, Row& row, bool sorted) {
  std::array<char, kLongest> letters;
  const int n = kShortest + int(rng.below(kLongest - kShortest + 1));
  for (int i = 0; i < n; ++i) row.put(letters[std::size_t(i)] = letter(rng, 'a'), false);
  row.put(sorted ? '>' : '|', false);
  if (sorted) std::sort(letters.begin(), letters.begin() + n);
  for (int i = 0; i < n; ++i) row.put(letters[std::size_t(i)], true);
  row.put('.', true);
}

/// "123+045=168."
void sum(Philox& rng, Row& row) {
  int a = 0, b = 0;
  do {
    a = int(rng.below(1000));
    b = int(rng.below(1000));
  } while (a + b > 999);
  const auto digits = [&](int number, bool known) {
    for (const int unit : {100, 10, 1}) row.put(char('0' + number / unit % 10), known);
  };
  digits(a, false);
  row.put('+', false);
  digits(b, false);
  row.put('=', false);
  digits(a + b, true);
  row.put('.', true);
}

/// "QxMbTaMbQx": the whole row at once, because its pairs hold for the row.
void pairs(Philox& rng, Row& row, int T) {
  // Choose the row's capitals, and a small letter for each
  std::array<char, 26> capitals;
  for (std::size_t i = 0; i < 26; ++i) capitals[i] = char('A' + int(i));
  const std::size_t count = T < 32 ? 4 : 8;
  std::array<char, 8> small{};
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(capitals[i], capitals[i + rng.below(26 - i)]);
    small[i] = letter(rng, 'a');
  }

  // A small letter is known if its capital was there before
  std::array<bool, 8> seen{};
  while (!row.full()) {
    const std::size_t i = rng.below(count);
    row.put(capitals[i], false);
    row.put(small[i], seen[i]);
    seen[i] = true;
  }
}

void fill(Task task, Philox rng, Batch& batch, int b) {
  Row row(batch, b);
  while (!row.full()) {
    if (task == Task::copy) letters_twice(rng, row, false);
    if (task == Task::sorting) letters_twice(rng, row, true);
    if (task == Task::addition) sum(rng, row);
    if (task == Task::induction) pairs(rng, row, batch.T);
  }
}

/// Entropy of a distribution given by counts, in nats.
double entropy(std::span<const double> counts) {
  double total = 0, nats = 0;
  for (const double count : counts) total += count;
  for (const double count : counts) {
    if (count > 0) nats -= count / total * std::log(count / total);
  }
  return nats;
}

double guess(Task task) {
  if (task == Task::induction) return std::log(26.0);
  if (task == Task::addition) {
    // s can be written as a + b in s + 1 ways, so it is drawn with that weight; each has one point
    std::array<double, 11> counts{};
    for (int s = 0; s <= 999; ++s) {
      for (const int unit : {100, 10, 1}) counts[std::size_t(s / unit % 10)] += s + 1;
      counts[10] += s + 1;
    }
    return entropy(counts);
  }
  std::array<double, 27> counts;
  counts.fill(0.5 * (kShortest + kLongest) / 26);  // letters of an example, on average
  counts[26] = 1;                                  // and its point
  return entropy(counts);
}

}  // namespace

std::span<const std::string_view> task_names() { return kNames; }

Task task_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found != kNames.end()) return Task(found - kNames.begin());
  throw InputError("The task '" + std::string(name) +
                   "' is unknown: choose copy, induction, sorting or addition.");
}

TaskSource::TaskSource(Task task, std::uint64_t seed) : task_(task), seed_(seed) {}

void TaskSource::train(std::uint64_t step, Batch& batch) const {
  require(batch.T);
  const std::uint64_t key = random_bits(seed_, name_hash("tasks/train"), step);
  for (int b = 0; b < batch.B; ++b) fill(task_, Philox(key, std::uint64_t(b)), batch, b);
}

void TaskSource::validation(std::uint64_t i, Batch& batch) const {
  require(batch.T);
  const std::uint64_t key = name_hash("tasks/validation");  // for every seed the same
  for (int b = 0; b < batch.B; ++b) {
    fill(task_, Philox(key, i * std::uint64_t(batch.B) + std::uint64_t(b)), batch, b);
  }
}

void TaskSource::require(int T) const {
  if (T >= kSmallestT) return;
  throw InputError("The task " + std::string(kNames[std::size_t(task_)]) +
                   " needs room for an example: set T to 16 or more (it is " + std::to_string(T) +
                   ").");
}

std::string TaskSource::describe() const {
  switch (task_) {
    case Task::copy:
      return "copy: \"qzt|qzt.\" Behind the bar a head learns to look back to the letter that "
             "comes next; "
             "it shows as a line parallel to the diagonal.";
    case Task::induction:
      return "induction: \"QxMbTaMbQx\" At a capital seen before, one layer finds what stood "
             "before each "
             "small letter, and the next layer looks up the one behind the same capital.";
    case Task::sorting:
      return "sorting: \"dcab>abcd.\" Behind the arrow a head looks at all letters of the example "
             "and takes "
             "the smallest one that is not written yet.";
    case Task::addition:
      return "addition: \"123+045=168.\" The first digit of the sum is written first, so the model "
             "must see "
             "a carry before it is written down.";
  }
  return {};
}

std::vector<Baseline> TaskSource::baselines() const {
  return {{"guess", guess(task_)}, {"optimal", 0.0}};
}

std::string TaskSource::prompt() const {
  switch (task_) {
    case Task::copy:
      return "qzt|";
    case Task::induction:
      return "QxMbTaMbQ";
    case Task::sorting:
      return "dcab>";
    case Task::addition:
      return "123+045=";
  }
  return {};
}

}  // namespace tpp
