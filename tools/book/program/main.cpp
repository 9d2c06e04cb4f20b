// The program tpp-book: the book as web pages. `./run book`.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "tools/weave/html.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  CLI::App program("Writes the book as web pages that need no network.", "./run book");
  std::string folder;
  bool check = false;
  program.add_option("folder", folder, "where to (out/book)");
  program.add_flag("--check", check, "exit code 1 when a link or a formula is broken");
  CLI11_PARSE(program, argc, argv);

  try {
    const char* named = std::getenv("TPP_ROOT");
    const fs::path root = fs::canonical(named != nullptr ? named : TPP_SOURCE_DIR);
    const fs::path to =
        fs::absolute(folder.empty() ? root / "out/book" : fs::path(folder)).lexically_normal();
    const tpp::weave::BookReport report = tpp::weave::write_book(root, to);
    for (const tpp::weave::Problem& problem : report.problems) std::cerr << problem.text() << "\n";
    std::cout << report.texts << " texts, " << report.sources << " sources, " << report.exercises
              << " exercises, " << report.problems.size() << " problems\n"
              << "Open " << (to / "index.html").string() << "\n";
    return check && !report.problems.empty() ? 1 : 0;
  } catch (const tpp::InputError& e) {
    std::cerr << e.what() << "\n";
  } catch (const fs::filesystem_error& e) {
    std::cerr << e.what() << "\n";
  }
  return 2;
}
