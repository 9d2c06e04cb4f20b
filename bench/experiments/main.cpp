// bench_experiments: the measured evidence for what the chapters claim.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "assets/repository.h"
#include "bench/experiments/runner.h"

namespace tpp::experiments {
namespace {

void list() {
  for (const Experiment& e : all_experiments()) {
    std::cout << e.name << ": " << e.question << "\n  refuted by: " << e.refuted << "\n ";
    for (const Case& c : e.cases) std::cout << " " << c.key;
    std::cout << "\n";
  }
}

std::string names_of(const std::vector<Experiment>& experiments) {
  std::vector<std::string> names;
  for (const Experiment& e : experiments) names.push_back(e.name);
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// By whole name, or by the chapter's number: "07" or "7".
Experiment find(const std::string& name) {
  for (Experiment& e : all_experiments()) {
    const std::string number = e.name.substr(0, 2);
    if (e.name == name || number == name || number == "0" + name) return std::move(e);
  }
  throw InputError("There is no experiment " + name +
                   ". There are: " + names_of(all_experiments()));
}

int run(int argc, char** argv) {
  CLI::App app(
      "What the chapters claim, measured: tiny models, several seeds, one question a chapter.\n"
      "Results go to bench/results/NAME.json, case by case: a run that was stopped goes on.",
      "./run bench experiments");
  app.footer(
      "Examples\n"
      "  ./run bench experiments --list                     the questions, and the cases\n"
      "  ./run bench experiments 13                         what is missing of 13_length\n"
      "  ./run bench experiments 12 --device gpu --again    all of it once more, on a GPU\n"
      "  ./run bench experiments 07 --steps 100 --seeds 1   a trial: it goes to out/experiments\n"
      "  ./run bench experiments 10 --set clip=0            the same with another setting, a "
      "trial, "
      "too\n");
  std::vector<std::string> names, sets;
  Plan plan;
  std::string folder;
  bool lists = false;
  app.add_option("NAME", names, "experiments, or chapters' numbers; none: all")->type_name("");
  app.add_flag("--list", lists, "say what there is");
  app.add_option("--device", plan.device, "where the models train: cpu, gpu or emulated (cpu)")
      ->check(CLI::IsMember({"cpu", "gpu", "emulated"}).description(""))
      ->type_name("D");
  app.add_option("--precision", plan.precision, "on a device: float32, tf32 or bf16 (float32)")
      ->check(CLI::IsMember({"float32", "tf32", "bf16"}).description(""))
      ->type_name("P");
  app.add_option("--seeds", plan.seeds, "how many (as the experiment says)")
      ->check(CLI::Range(1, 64).description(""))
      ->type_name("N");
  app.add_option("--steps", plan.steps, "of every run (as the case says): a trial")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N");
  app.add_option("--only", plan.only, "only this case; may be given several times")
      ->type_name("CASE");
  app.add_option("--set", sets, "an option of every run, as in ./run train: a trial")
      ->type_name("NAME=VALUE");
  app.add_option("--jobs", plan.jobs, "runs side by side (a core each; two on a GPU)")
      ->check(CLI::Range(1, 256).description(""))
      ->type_name("N");
  app.add_flag("--again", plan.again, "measure also what is there already");
  app.add_option("--out", folder,
                 "where results are kept (bench/results; out/experiments for trials)")
      ->type_name("FOLDER");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (lists) {
    list();
    return 0;
  }

  if (names.empty()) {
    plan.experiments = all_experiments();
  } else {
    for (const std::string& name : names) plan.experiments.push_back(find(name));
  }
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos)
      throw InputError("--set wants NAME=VALUE, and got \"" + set + "\"");
    RunOptions probe;
    set_option(probe, set.substr(0, equals), set.substr(equals + 1));
    plan.set[set.substr(0, equals)] = set.substr(equals + 1);
  }
  for (const std::string& key : plan.only) {
    std::string known;
    bool found = false;
    for (const Experiment& e : plan.experiments) {
      for (const Case& c : e.cases) {
        found = found || c.key == key;
        known += (known.empty() ? "" : ", ") + c.key;
      }
    }
    if (!found) throw InputError("There is no case " + key + ". There are: " + known);
  }
  const bool trial = plan.steps > 0 || !plan.set.empty();
  plan.folder = !folder.empty() ? std::filesystem::path(folder)
                                : repository_root() / (trial ? "out/experiments" : "bench/results");
  return run_plan(plan);
}

}  // namespace
}  // namespace tpp::experiments

int main(int argc, char** argv) {
  try {
    return tpp::experiments::run(argc, argv);
  } catch (const tpp::InputError& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
