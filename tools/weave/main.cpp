// The program tpp-weave: fills what the texts quote, and checks that it still stands. `./run weave`.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/weave/files.h"
#include "tools/weave/weave.h"

namespace {

namespace fs = std::filesystem;

int print(const tpp::weave::Problems& problems) {
  for (const tpp::weave::Problem& problem : problems) std::cerr << problem.text() << "\n";
  return problems.empty() ? 0 : 1;
}

// The kernels' tables are made by their benchmark, from the results that the repository keeps
int check_gpu_tables(const fs::path& root, const fs::path& bin) {
  const fs::path bench = bin / "bench_gpu";
  if (!fs::exists(bench)) {
    std::cerr << "bench_gpu is not built, so the kernels' tables are not checked\n    mend: ./run "
                 "weave --check\n";
    return 1;
  }
  const tpp::learn::Ended ended =
      tpp::learn::run_process({bench.string(), "--from", "bench/results/gpu.json", "--peers",
                               "bench/results/gpu_peers.json", "--into", root.string(), "--check"},
                              {.seconds = 60, .output = 1 << 20}, root);
  if (ended.code == 0 && ended.signal == 0) return 0;
  std::cerr << ended.output;
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program(
      "Fills what the texts quote: code, outputs, figures, tables, plots. tools/weave/README.md "
      "says how to write them.",
      "./run weave");
  tpp::weave::Options options;
  bool links = false;
  std::string index;
  program.add_option("chapters", options.chapters, "only these chapters: 13");
  program.add_flag("--check", options.check,
                   "write nothing; exit code 1 when anything is stale, missing or never shown");
  program.add_flag("--links", links, "only check the links of every Markdown file");
  program.add_option("--index", index,
                     "write which region, figure and exercise is where (JSON) to this file");
  CLI11_PARSE(program, argc, argv);

  try {
    const char* root = std::getenv("TPP_ROOT");
    options.root = fs::canonical(root != nullptr ? root : TPP_SOURCE_DIR);
    options.bin = fs::read_symlink("/proc/self/exe").parent_path();
    if (links) return print(tpp::weave::check_all_links(options.root));

    const tpp::weave::Report report = tpp::weave::weave(options);
    if (!index.empty()) tpp::weave::write_text(index, {report.index.dump(1) + "\n", false});
    for (const std::string& file : report.written) std::cout << "written: " << file << "\n";
    int status = print(report.problems);
    if (options.check && options.chapters.empty() &&
        check_gpu_tables(options.root, options.bin) != 0)
      status = 1;
    std::cout << report.texts << " texts, " << report.directives << " directives, "
              << report.problems.size() << " problems\n";
    return status;
  } catch (const tpp::InputError& e) {
    std::cerr << e.what() << "\n";
  } catch (const fs::filesystem_error& e) {
    std::cerr << e.what() << "\n";
  }
  return 2;
}
