#include "assets/sources.h"

#include <algorithm>
#include <utility>

#include "assets/book.h"
#include "assets/fables.h"
#include "assets/tasks.h"
#include "chapters/01_tensor/errors.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/03_tokens/targets.h"

namespace tpp {
namespace {

bool is_task(std::string_view name) {
  const auto names = task_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::unique_ptr<BatchSource> make_source(const SourceConfig& config,
                                         const TokenizerProgress& progress) {
  // A task brings its own bytes
  if (is_task(config.text)) {
    const bool bytes =
        config.learned ? *config.learned == Tokenizer::bytes() : config.tokenizer == "bytes";
    if (!bytes) {
      throw InputError("The task " + config.text +
                       " is made of single bytes: leave the tokenizer at bytes.");
    }
    if (config.objective != "causal") {
      throw InputError("The task " + config.text +
                       " asks its own questions: leave the objective at causal.");
    }
    return std::make_unique<TaskSource>(task_named(config.text), config.seed);
  }

  // A text is a file; some are written first
  const bool ours = config.text == "fables" || config.text == "book";
  std::filesystem::path path = config.text;
  if (config.text == "fables") path = ensure_fables(config.generated, config.megabytes);
  if (config.text == "book") path = ensure_book(config.root, config.generated);

  TextFile file(path);
  Tokenizer tokenizer =
      config.learned ? *config.learned
                     : Tokenizer::make(config.tokenizer, training_part(file.view()), progress);
  const Objective objective = objective_named(config.objective);
  const std::vector<std::string> specials = special_names(plan_rows(objective, config.length));
  if (!config.learned) tokenizer = tokenizer.with_specials(specials);
  TextSource text(Dataset(std::move(file), std::move(tokenizer)), config.seed,
                  ours ? config.text : path.filename().string());
  if (objective == Objective::causal) return std::make_unique<TextSource>(std::move(text));
  return std::make_unique<ObjectiveSource>(std::move(text), objective, config.length, config.seed);
}

std::string sample_text(std::string_view name, std::uint64_t seed, std::size_t bytes,
                        const std::filesystem::path& root) {
  if (name == "fables") return fables(seed, bytes);
  if (name == "book") return book(root).substr(0, bytes);
  if (!is_task(name)) {
    throw InputError("There is no text called '" + std::string(name) +
                     "': choose fables, book, copy, induction, sorting or addition.");
  }

  // A row a line
  const TaskSource source(task_named(name), seed);
  Batch row(1, 64);
  std::string text;
  for (std::uint64_t step = 0; text.size() + std::size_t(row.T) + 1 <= bytes; ++step) {
    source.train(step, row);
    text += source.tokenizer().decode(row.tokens) + "\n";
  }
  return text;
}

}  // namespace tpp
