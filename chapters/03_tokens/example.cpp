// What chapter 03 shows: words that nobody has seen, pieces, merges, cuts, rows, and what counting achieves.
#include <cmath>
#include <cstdio>
#include <string>
#include <unordered_set>
#include <vector>

#include "assets/fables.h"
#include "chapters/03_tokens/baselines.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/03_tokens/pretokenise.h"
#include "chapters/03_tokens/targets.h"
#include "chapters/example.h"

namespace {

using namespace tpp;

constexpr const char* kSentence = "An owl called Zoë ate 17 figs, and the wolf was sorry.";

const std::string& text() {
  static const std::string megabyte = fables(1, 1000000);
  return megabyte;
}

Tokenizer learned(const char* spec) { return Tokenizer::make(spec, training_part(text())); }

// A vocabulary of words: every piece of the training part. What is missing in it?
void words() {
  const std::string_view training = training_part(text());
  const std::vector<std::string_view> seen = pretokenise(training);
  const std::unordered_set<std::string_view> known(seen.begin(), seen.end());

  int unknown = 0;
  const auto validation = pretokenise(std::string_view(text()).substr(training.size()));
  for (const std::string_view piece : validation) unknown += known.contains(piece) ? 0 : 1;
  std::printf("%zu distinct pieces in training; of %zu in validation %d are unknown\n",
              known.size(), validation.size(), unknown);

  for (const std::string_view piece : pretokenise(kSentence)) {
    std::printf("%s", known.contains(piece) ? std::string(piece).c_str() : " ???");
  }
  std::printf("\n");
}

void pieces() {
  for (const std::string_view piece : pretokenise(kSentence)) {
    std::printf("[%s]", std::string(piece).c_str());
  }
  std::printf("\n");
}

void merges() {
  const Tokenizer tokenizer = learned("bpe:1024");
  for (const int token : {256, 257, 258, 259, 260, 265, 400, 700, 1023}) {
    const Tokenizer::Merge merge = tokenizer.merges()[std::size_t(token - Tokenizer::kBytes)];
    const auto shown = [&](int t) { return "[" + std::string(tokenizer.bytes_of(t)) + "]"; };
    std::printf("%4d = %-10s + %-10s = %s\n", token, shown(merge.left).c_str(),
                shown(merge.right).c_str(), shown(token).c_str());
  }
}

void show_tokens(std::initializer_list<const char*> specs) {
  for (const char* spec : specs) {
    const Tokenizer tokenizer = learned(spec);
    const std::vector<int> tokens = tokenizer.encode(kSentence);
    std::printf("%-*s %2zu tokens  ", spec[0] == 'b' ? 8 : 12, spec, tokens.size());
    for (const int token : tokens) {
      const std::string_view bytes = tokenizer.bytes_of(token);
      if (bytes.size() == 1 && static_cast<unsigned char>(bytes[0]) >= 0x80) {
        std::printf("<%02X>|", static_cast<unsigned char>(bytes[0]));  // half a letter
      } else {
        std::printf("%s|", std::string(bytes).c_str());
      }
    }
    std::printf("%s\n", tokenizer.decode(tokens) == kSentence ? "" : " LOST");
  }
}

void encode() { show_tokens({"bpe:300", "bpe:512", "bpe:1024", "bpe:2048"}); }

// A word in the most probable cut, and in others, drawn by their probabilities
void cuts() {
  show_tokens({"unigram:300", "unigram:512", "unigram:1024", "unigram:2048"});
  const Tokenizer tokenizer = learned("unigram:512");
  const Unigram& model = *tokenizer.unigram();
  const std::string_view word = " chestnuts";
  const auto show = [&](const std::vector<int>& tokens) {
    double log_p = 0;
    for (const int token : tokens) log_p += model.tokens()[std::size_t(token)].log_p;
    std::string text = "|";
    for (const int token : tokens) text += std::string(tokenizer.bytes_of(token)) + "|";
    std::printf("  %-24s %5.1f %% of all cuts\n", text.c_str(),
                100 * std::exp(log_p - model.log_likelihood(word)));
  };
  std::vector<int> tokens;
  model.best(word, tokens);
  std::printf("\nbest\n");
  show(tokens);
  std::printf("drawn, alpha 0.2\n");
  Philox rng(3);
  for (int i = 0; i < 4; ++i) {
    model.sample(word, 0.2, rng, tokens);
    show(tokens);
  }
}

// A row of each objective. Special tokens are shown as one sign, so that targets stand below their place
void rows() {
  constexpr int T = 64;
  std::printf(
      "_ <mask>   0 1 2 … <span_0> …   { <prefix>  | <suffix>  } <middle>  ~ <end>   . nothing   ? "
      "any other byte\n");
  for (const std::string_view name : objective_names()) {
    const Objective objective = objective_named(name);
    const RowPlan plan = plan_rows(objective, T);
    Tokenizer tokenizer = Tokenizer::bytes().with_specials(special_names(plan));
    const ObjectiveSource source(TextSource(Dataset(text(), std::move(tokenizer)), 1), objective, T,
                                 1);
    Batch row(1, T);
    std::uint64_t i = 0;  // a row whose middle was moved
    do {
      source.validation(i++, row);
    } while (objective == Objective::fim && row.tokens[0] < Tokenizer::kBytes);

    const char* const signs = objective == Objective::masked ? "_"
                              : objective == Objective::fim  ? "{|}~"
                                                             : "0123456789";
    const auto show = [&](const char* what, const std::vector<int>& tokens) {
      std::printf("%-7s %-8s", what[1] == 'o' ? std::string(name).c_str() : "", what);
      for (const int token : tokens) {
        const bool printable = token >= 32 && token < 127;
        std::printf("%c", token == kNoTarget           ? '.'
                          : token >= Tokenizer::kBytes ? signs[token - Tokenizer::kBytes]
                          : token == '\n'              ? '/'
                          : printable                  ? char(token)
                                                       : '?');
      }
      std::printf("\n");
    };
    show("tokens", row.tokens);
    show("targets", row.targets);
  }
}

void shift() {
  const TextSource source(Dataset(text(), Tokenizer::bytes()), 1);
  Batch batch(2, 24);
  const auto show = [](const char* what, const int* tokens, int T) {
    std::printf("%-8s", what);
    for (int t = 0; t < T; ++t) std::printf("%c", tokens[t] == '\n' ? '/' : char(tokens[t]));
    std::printf("\n");
  };
  for (const std::uint64_t step : {0, 1, 0}) {  // step 0 once more: the same windows
    source.train(step, batch);
    std::printf("step %d\n", int(step));
    for (int b = 0; b < batch.B; ++b) {
      show("tokens", &batch.tokens[std::size_t(b * batch.T)], batch.T);
      show("targets", &batch.targets[std::size_t(b * batch.T)], batch.T);
    }
  }
}

void baselines() {
  std::printf("%30s%18s%27s\n%-12s%8s%10s", "bytes", "nats a token", "nats a byte", "tokenizer",
              "V", "a token");
  for (int i = 0; i < 2; ++i) std::printf("%9s%9s%9s", "uniform", "unigram", "bigram");
  std::printf("\n");
  for (const char* spec : {"bytes", "bpe:512", "unigram:512", "bpe:1024", "unigram:1024",
                           "bpe:2048", "unigram:2048"}) {
    const Dataset data(text(), learned(spec));
    const double width = data.bytes_per_token();
    const int V = data.tokenizer().vocabulary();
    const double loss[] = {std::log(double(V)), unigram_entropy(data), bigram_entropy(data)};
    std::printf("%-12s%8d%10.2f", spec, V, width);
    std::printf("%9.3f%9.3f%9.3f", loss[0], loss[1], loss[2]);
    std::printf("%9.3f%9.3f%9.3f\n", loss[0] / width, loss[1] / width, loss[2] / width);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tpp::run_examples(argc, argv,
                           {{"words", words},
                            {"pieces", pieces},
                            {"merges", merges},
                            {"encode", encode},
                            {"cuts", cuts},
                            {"rows", rows},
                            {"shift", shift},
                            {"baselines", baselines}});
}
