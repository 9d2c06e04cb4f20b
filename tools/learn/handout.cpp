#include "tools/learn/handout.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/process.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTelling = 24;  // letters, spaces aside: shorter lines are said everywhere

std::string without_spaces(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) out += c;
  }
  return out;
}

// The book's files, by their paths from the root: what git would keep, or all but what is built
std::vector<std::string> files_of(const fs::path& root) {
  std::vector<std::string> files;
  if (fs::exists(root / ".git")) {
    const Ended listed = run_process(
        {"git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"},
        {.seconds = 60, .output = std::size_t(64) << 20}, root);
    if (listed.code != 0)
      throw InputError("git cannot list the book's files: " + listed.output.substr(0, 300));
    for (std::size_t from = 0; from < listed.output.size();) {
      const std::size_t to = listed.output.find('\0', from);
      files.push_back(listed.output.substr(from, to - from));
      from = to + 1;
    }
  } else {
    for (auto i = fs::recursive_directory_iterator(root); i != fs::recursive_directory_iterator();
         ++i) {
      const std::string path = fs::relative(i->path(), root).string();
      if (i.depth() == 0 && (path.rfind("build", 0) == 0 || path == "out" || path == "work")) {
        i.disable_recursion_pending();
      } else if (i->is_regular_file()) {
        files.push_back(path);
      }
    }
  }
  std::erase_if(files, [&](const std::string& file) { return !fs::is_regular_file(root / file); });
  return files;
}

bool is_text(const std::string& bytes) { return bytes.find('\0') == std::string::npos; }

void must(const Ended& ended, const std::string& what) {
  if (ended.code == 0 && ended.signal == 0) return;
  const std::size_t from = ended.output.size() > 2000 ? ended.output.size() - 2000 : 0;
  throw InputError(what + " failed:\n" + ended.output.substr(from));
}

std::string target_of(const Exercise& e) {
  std::string target = "exercise_" + e.id;
  std::replace(target.begin(), target.end(), '.', '_');
  return target;
}

// The book's tests hold answers of their own, and what CI asks for fails without the answers
bool is_of_tests(const std::string& file) {
  const bool inside = file.rfind("tests/", 0) == 0 || file.rfind(".ci/", 0) == 0;
  return inside && file.rfind("tests/malloc_count.", 0) != 0;  // the benchmark's
}

// The README of a copy without answers: its own two commands
std::string readme_of_copy(const std::string& text, std::size_t exercises) {
  const std::string own =
      "## Two commands\n\n"
      "This copy of the book is for doing its exercises: what they ask for is taken out, and so "
      "are the tests.\n\n"
      "```\n./run learn\n```\n\n"
      "installs what is missing (Debian 12, Ubuntu 22.04 and 24.04; as root or with sudo), builds, "
      "names the one file to edit, "
      "and checks it at every save. Red is where everybody starts. `./run learn list` shows all " +
      std::to_string(exercises) +
      "; every command and every verdict: [docs/teaching.md](docs/teaching.md).\n\n"
      "```\n./run\n```\n\n"
      "opens the window in which the model trains that the book builds. Without a display it "
      "trains 300 steps in the "
      "terminal, and writes pictures to `out/`.\n\n";
  const std::size_t from = text.find("## Two commands\n"), to = text.find("\n## ", from);
  if (from == std::string::npos || to == std::string::npos) return own + text;
  return text.substr(0, from) + own + text.substr(to + 1);
}

}  // namespace

std::string without_quotations(const std::string& text, const std::vector<std::string>& lines,
                               const std::string& instead) {
  std::string wanted;
  for (const std::string& line : lines) wanted += without_spaces(line);
  if (wanted.size() < kTelling) return text;

  // The text without spaces, and where each of its letters stands
  std::string bare;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::isspace(static_cast<unsigned char>(text[i]))) continue;
    bare += text[i];
    at.push_back(i);
  }
  std::string out;
  std::size_t done = 0;
  for (std::size_t from = 0; (from = bare.find(wanted, from)) != std::string::npos;
       from += wanted.size()) {
    out += text.substr(done, at[from] - done) + instead;
    done = at[from + wanted.size() - 1] + 1;
  }
  return out + text.substr(done);
}

void make_handout(const Places& places, const std::vector<Exercise>& exercises, const fs::path& to,
                  bool libraries, std::ostream& log) {
  if (fs::exists(to))
    throw InputError(to.string() + " is there already: name a folder that is not, or remove it.");

  // Compile first: what fails, fails before anything is written
  const fs::path build = places.build / "handout";
  std::set<std::string> chapters;
  for (const auto& folder : fs::directory_iterator(places.root / "chapters")) {
    if (fs::exists(folder.path() / "CMakeLists.txt"))
      chapters.insert(folder.path().filename().string());
  }
  if (libraries) {
    log << "Compiling the chapters and the answers for any machine with AVX2. The first time that "
           "takes minutes …"
        << std::endl;
    must(run_process({"cmake", "-G", "Ninja", "-S", places.root.string(), "-B", build.string(),
                      "-DCMAKE_BUILD_TYPE=Release", "-DTPP_PORTABLE=ON", "-DTPP_VIEWER=OFF",
                      "-DTPP_TESTS=OFF", "-DTPP_BOOK=OFF", "-DTPP_GPU=OFF", "-DTPP_WERROR=OFF",
                      // The libraries name no folder of this machine
                      "-DCMAKE_CXX_FLAGS=-ffile-prefix-map=" + build.string() +
                          "=. -ffile-prefix-map=" + places.root.string() + "=."},
                     {.seconds = 600}, places.root),
         "Configuring");
    std::vector<std::string> command = {"cmake", "--build", build.string(), "--target"};
    for (const std::string& chapter : chapters) command.push_back("tpp_" + chapter);
    for (const Exercise& e : exercises) command.push_back("answers_" + target_of(e));
    must(run_process(command, {.seconds = 3600}, places.root), "Compiling");
  }

  // Copy, and leave out what stands in the holes
  std::set<std::string> emptied_files, left_out;
  for (const Exercise& e : exercises) {
    const fs::path folder = fs::relative(e.folder, places.root);
    left_out.insert((folder / "wrong.h").string());
  }
  std::size_t copied = 0, quotations = 0;
  for (const std::string& file : files_of(places.root)) {
    if (left_out.count(file) != 0 || file.rfind(".git/", 0) == 0 || is_of_tests(file)) continue;
    std::string text = read_file(places.root / file);
    if (file == "README.md") text = readme_of_copy(text, exercises.size());
    for (const Exercise& e : exercises) {
      if (fs::relative(e.folder / e.reference_file, places.root).string() == file)
        text = emptied(e.reference);
    }
    if (is_text(text)) {
      for (const Exercise& e : exercises) {
        const std::string instead = "/* your turn: exercise " + e.id + " */";
        for (const Hole& hole : e.reference.holes) {
          std::string cut = without_quotations(text, hole.lines, instead);
          // A quotation without its comments is one too
          std::vector<std::string> code;
          for (const std::string& line : hole.lines)
            code.push_back(line.substr(0, line.find("//")));
          cut = without_quotations(cut, code, instead);
          if (cut != text) ++quotations;
          text = std::move(cut);
        }
      }
    }
    write_file(to / file, text);
    fs::permissions(to / file, fs::status(places.root / file).permissions());
    ++copied;
  }

  if (libraries) {
    for (const std::string& chapter : chapters) {
      const fs::path library = build / "chapters" / chapter / ("libtpp_" + chapter + ".a");
      if (fs::exists(library)) fs::copy_file(library, to / "chapters" / chapter / "compiled.a");
    }
    for (const Exercise& e : exercises) {
      fs::copy_file(build / "learn" / e.id / "libanswers.a",
                    to / fs::relative(e.folder, places.root) / "answers.a");
    }
    write_file(to / "cmake" / "Handout.cmake",
               "# This copy of the book has no answers: chapters/*/compiled.a and exercises' "
               "answers.a hold them, compiled for any\n"
               "# x86-64 machine with AVX2, and everything else must be compiled in the same way.\n"
               "set(TPP_PORTABLE ON)\nset(TPP_NATIVE OFF)\n# The tests stayed with the "
               "answers.\nset(TPP_TESTS OFF)\n");
  }
  log << to.string() << ": " << copied << " files, " << exercises.size() << " exercises, "
      << quotations << " quotations taken out"
      << (libraries ? "" : ", no libraries: it does not build") << "." << std::endl;
}

}  // namespace tpp::learn
