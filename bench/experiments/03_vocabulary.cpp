// 03: do larger tokens help, at equal steps?
//
// Losses a token cannot be compared between vocabularies, because a token is not the same amount of text. So the measure is
// nats a byte: the loss of all validation targets over the number of their bytes.
#include "bench/experiments/experiment.h"
#include "tools/cli/commands.h"

namespace tpp::experiments {
namespace {

void measure(Lab& lab) {
  Run run = lab.start();
  // How many bytes are the validation targets?
  Batch batch(1, lab.options.length);
  double bytes = 0, tokens = 0;
  for (int i = 0; i < Lab::kWindows; ++i) {
    run.source->validation(std::uint64_t(i), batch);
    for (const int target : batch.targets) {
      bytes += double(run.source->tokenizer().bytes_of(target).size());
      tokens += 1;
    }
  }
  lab.result["bytes_per_token"] = number(bytes / tokens);
  lab.result["vocabulary"] = run.source->vocabulary();
  if (lab.train(run))
    lab.result["nats_per_byte"] = number(lab.result["validation"].get<double>() * tokens / bytes);
}

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  std::vector<double> vocabulary;
  std::vector<Summary> loss;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    const Summary bytes = r.summary(c.key, "/bytes_per_token"),
                  nats = r.summary(c.key, "/nats_per_byte"), v = r.summary(c.key, "/vocabulary");
    r.values[c.key]["bytes_per_token"] = number(bytes.mean);
    r.values[c.key]["vocabulary"] = number(v.mean);
    r.values[c.key]["nats_per_byte"] = nats.json();
    rows.push_back({c.label, text_of(r.summary(c.key, "/parameters").mean),
                    summarise({bytes.mean}).text(2), r.loss_text(c.key), nats.text(4)});
    vocabulary.push_back(v.mean);
    loss.push_back(nats);
  }
  r.table("main", {"tokens", "parameters", "bytes a token", "nats a token", "nats a byte"}, rows);
  r.plot("bytes", "Loss by the size of the vocabulary", "vocabulary",
         "validation loss, nats a byte", true);
  r.series("bytes", "the same steps", vocabulary, loss);
}

}  // namespace

Experiment vocabulary_03() {
  Experiment e{
      .name = "03_vocabulary",
      .question =
          "Bytes, or BPE with larger and larger vocabularies, for the same number of steps?",
      .refuted = "bytes reach as few nats a byte as BPE does in as many steps"};
  const auto add = [&e](const std::string& key, const std::string& label,
                        const std::string& tokenizer) {
    Case c{.key = key, .label = label, .options = recipe("gpt", 1500), .measure = measure};
    c.options.tokenizer = tokenizer;
    e.cases.push_back(c);
  };
  add("bytes", "bytes", "bytes");
  add("bpe320", "BPE, 320", "bpe:320");
  add("bpe512", "BPE, 512", "bpe:512");
  add("bpe1024", "BPE, 1,024", "bpe:1024");
  add("bpe2048", "BPE, 2,048", "bpe:2048");
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
