// A chapter's example: a program of named sections, each of which prints what the chapter's text shows.
//
//   int main(int argc, char** argv) { return tpp::run_examples(argc, argv, {{"shift", shift}}); }
#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace tpp {

struct ExampleSection {
  std::string name;
  std::function<void()> run;
};

/// Run the sections that are named on the command line, in that order; all of them, in the order
/// of the list, when none is. What a section prints is quoted in a text: fixed seeds, few digits,
/// no timings.
/// Returns  the program's exit code: 0; 1 when a section throws; 2 for a name that is not there
inline int run_examples(int argc, char** argv, const std::vector<ExampleSection>& sections) {
  const auto list = [&](std::FILE* to) {
    for (const ExampleSection& section : sections) std::fprintf(to, "  %s\n", section.name.c_str());
  };

  // Find every name before anything runs
  std::vector<const ExampleSection*> chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help" || name == "-h") {
      std::printf("./run example NN [section…]: runs these sections, or all. The sections:\n");
      list(stdout);
      return 0;
    }
    const ExampleSection* found = nullptr;
    for (const ExampleSection& section : sections) {
      if (section.name == name) found = &section;
    }
    if (found == nullptr) {
      std::fprintf(stderr, "There is no section '%s'. There is:\n", name.c_str());
      list(stderr);
      return 2;
    }
    chosen.push_back(found);
  }
  if (chosen.empty()) {
    for (const ExampleSection& section : sections) chosen.push_back(&section);
  }

  // Run them; where there are several, each under its name
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen.size() > 1) {
      std::printf("%s=== %s ===\n", i == 0 ? "" : "\n", chosen[i]->name.c_str());
    }
    try {
      chosen[i]->run();
    } catch (const std::exception& e) {
      std::fflush(stdout);
      std::fprintf(stderr, "The section '%s' threw: %s\n", chosen[i]->name.c_str(), e.what());
      return 1;
    }
  }
  return 0;
}

}  // namespace tpp
