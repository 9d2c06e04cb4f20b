// 15: what do fewer key and value heads cost, and can a trained model be given fewer afterwards?
//
// The multi-head models are converted: the key and value heads of a group become one, their mean, the group's first, or one
// that has learned nothing. The loss right after, and after training on for 5 % of the steps, with the multi-head model
// training on beside them.
#include "bench/experiments/experiment.h"
#include "chapters/15_gqa/gqa.h"

namespace tpp::experiments {
namespace {

const std::pair<std::string, std::string> kWays[] = {
    {"mean", "mean of the group"}, {"first", "the group's first"}, {"random", "random"}};

/// The values of a multi-head model as those of one with G key heads. `fresh` holds a new model's values.
LineVector<float> converted(const Run& from, const Run& to, const std::string& way) {
  const ModelConfig& cfg = from.model->config();
  const Index H = cfg.H, G = to.model->config().G, K = cfg.K(), D = cfg.D;
  const ParameterTable &source = from.model->table(), &target = to.model->table();
  const float* old_values = from.trainer->values();
  LineVector<float> values = to.trainer->state().values;
  for (int p = 0; p < source.count(); ++p) {
    const ParameterInfo &a = source[p], &b = target[p];
    require(a.name == b.name, "the two models list the same parameters");
    if (a.size() == b.size()) {
      std::copy_n(old_values + a.offset, a.size(), values.data() + b.offset);
      continue;
    }
    // wqkv: the query heads stay; keys and values shrink from H heads to G
    const Mat<float> w = Eigen::Map<const Mat<float>>(old_values + a.offset, a.rows, a.cols);
    Eigen::Map<Mat<float>> out(values.data() + b.offset, b.rows, b.cols);
    out.topRows(H * K) = w.topRows(H * K);
    for (const Index kv : {0, 1}) {
      const Mat<float> heads = w.middleRows((H + kv * H) * K, H * K);
      Mat<float> fewer(G * K, D);
      if (way == "mean") {
        mean_pool_heads<float>(heads, H, G, fewer);
      } else if (way == "first") {
        for (Index g = 0; g < G; ++g)
          fewer.middleRows(g * K, K) = heads.middleRows(g * (H / G) * K, K);
      } else {
        continue;  // what the new model started with
      }
      out.middleRows((H + kv * G) * K, G * K) = fewer;
    }
  }
  return values;
}

/// 5 % of the steps more, from a third of the rate down to a thirtieth: the loss before and after.
Json train_on(Lab& lab, const Run& from, const std::string& attention, const std::string& way) {
  RunOptions options = lab.options;
  options.attention = attention;
  options.steps = std::max<long>(1, lab.options.steps / 20);
  options.schedule = "linear";
  options.warmup = 10;
  options.learning_rate = lab.options.learning_rate / 3;
  Run to = lab.start(options);
  TrainState state = to.trainer->state();
  state.values = converted(from, to, way);
  to.trainer->set_state(state);
  Json answer = {{"right_after", number(Lab::validate(to))}};
  try {
    while (to.trainer->steps_done() < options.steps) (void)to.trainer->step();
    answer["trained_on"] = number(Lab::validate(to));
  } catch (const NotFinite&) {
    answer["trained_on"] = nullptr;
  }
  return answer;
}

void measure(Lab& lab) {
  Run run = lab.start();
  if (!lab.train(run) || lab.which().key != "mha") return;
  lab.result["converted"]["mha"]["none"] = train_on(lab, run, "mha", "mean");
  const std::pair<std::string, std::string> targets[] = {{"gqa2", "gqa:2"}, {"mqa", "mqa"}};
  for (const auto& [key, attention] : targets) {
    for (const auto& [way, label] : kWays)
      lab.result["converted"][key][way] = train_on(lab, run, attention, way);
  }
}

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    const ModelConfig cfg = model_config(c.options, 256);
    const Index bytes = kv_cache_bytes_per_token(cfg.layers, cfg.G, cfg.K());
    r.values[c.key]["cache_bytes"] = bytes;
    rows.push_back({c.label, std::to_string(cfg.G), text_of(r.summary(c.key, "/parameters").mean),
                    text_of(double(bytes)), r.loss_text(c.key, 4),
                    c.key == "mha" ? "" : r.difference(c.key, "mha", "/validation").text(4, true)});
  }
  r.table("main",
          {"attention", "key heads", "parameters", "cache, bytes a token", "validation loss",
           "minus multi-head"},
          rows);

  std::vector<std::vector<std::string>> converted_rows;
  const auto add = [&](const std::string& key, const std::string& way, const std::string& label) {
    const std::string path = "/converted/" + key + "/" + way;
    const Summary after = r.summary("mha", path + "/right_after"),
                  on = r.summary("mha", path + "/trained_on");
    if (after.seeds.empty()) return;
    r.values["converted"][key][way] = {{"right_after", after.json()}, {"trained_on", on.json()}};
    converted_rows.push_back({label, after.text(), on.text()});
  };
  add("mha", "none", "multi-head, not converted");
  for (const auto& [way, label] : kWays) add("gqa2", way, "2 key heads: " + label);
  for (const auto& [way, label] : kWays) add("mqa", way, "1 key head: " + label);
  r.table("converted", {"the trained multi-head model as", "right after", "after 5 % more steps"},
          converted_rows);
}

}  // namespace

Experiment heads_15() {
  Experiment e{
      .name = "15_heads",
      .question = "What do fewer key and value heads cost, and can they be had afterwards?",
      .refuted =
          "two key heads lose more than half of what one loses; or mean-pooling is no better than "
          "a group's first head",
      .baseline = "mha",
      .seeds = 5};
  for (const auto& [key, attention, label] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"mha", "mha", "multi-head"},
           {"gqa2", "gqa:2", "grouped, 2 key heads"},
           {"mqa", "mqa", "multi-query"}}) {
    Case c{.key = key, .label = label, .options = recipe("llama", 2000), .measure = measure};
    c.options.attention = attention;
    if (std::string(key) == "mha") c.version = 2;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
