// At build time: the sources that an exercise's check program is made of, from the exercise's folder.
//
//   tpp-learn-generate EXERCISE-FOLDER OUTPUT-FOLDER
#include <cstdio>
#include <filesystem>
#include <regex>

#include "tools/learn/exercise.h"
#include "tools/learn/toml.h"

namespace fs = std::filesystem;

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "tpp-learn-generate EXERCISE-FOLDER OUTPUT-FOLDER\n");
    return 2;
  }
  const fs::path out = argv[2];
  const tpp::learn::Exercise e = tpp::learn::read_exercise(argv[1]);
  const auto write = [&](const fs::path& path, const std::string& text) {
    tpp::learn::write_file(path, text);
  };
  if (e.own_names().empty()) {
    std::fprintf(stderr, "%s: answer.h calls no function that %s defines at the start of a line\n",
                 argv[1], e.reference_file.c_str());
    return 1;
  }
  // The skeleton stands in the student's place: the program says "not written yet" until theirs comes
  const std::string skeleton = e.skeleton();
  const std::string name = fs::path(e.file).filename().string();
  write(out / name, skeleton);
  const auto student = [&](bool gpu) {
    return tpp::learn::student_source(tpp::learn::includes_of(skeleton),
                                      "#include \"" + (out / name).string() + "\"\n",
                                      e.answer_header(), e.own_names(), e.expected, gpu);
  };
  write(out / "student.cpp", student(false));
  if (e.cuda) {
    static const std::regex asks(R"re(\breference\.)re");
    const std::string checks = tpp::learn::read_file(e.folder / "checks.cpp");
    if (std::regex_search(checks, asks)) {
      std::fprintf(stderr,
                   "%s/checks.cpp: a kernel's checks compare with what they compute themselves: "
                   "on a GPU there is no `reference`\n",
                   argv[1]);
      return 1;
    }
    write(out / "gpu" / "student.cu", student(true));
    write(out / "gpu" / "checks.cu",
          tpp::learn::gpu_checks_source((e.folder / "checks.cpp").string()));
  }
  if (!e.wrong.empty())
    write(out / "variants.cpp",
          tpp::learn::variants_source(e.reference, e.wrong, e.answer_header(), e.own_names()));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
