#include "tools/learn/exercise.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <regex>
#include <set>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/toml.h"

namespace tpp::learn {
namespace fs = std::filesystem;
namespace {

// 12.1 before 12.2 before 13.1
std::pair<int, int> order(const std::string& id) {
  const std::size_t dot = id.find('.');
  return {std::stoi(id.substr(0, dot)), std::stoi(id.substr(dot + 1))};
}

}  // namespace

Exercise read_exercise(const fs::path& folder) {
  Exercise e;
  e.folder = folder;
  e.name = folder.filename().string();
  e.chapter = folder.parent_path().parent_path().filename().string();
  const std::string file = (folder / "exercise.toml").string();
  const Toml toml = Toml::parse(read_file(file), file);
  e.id = toml.text("id");
  e.title = toml.text("title");
  e.minutes = toml.number("minutes");
  e.needs = toml.list("needs");
  e.hints = toml.list("hints");
  e.slots = toml.list("slots");
  e.expected = {toml.number("steps"), toml.number("comparisons")};
  const std::string kind = toml.text("kind", "cpu");
  e.cuda = kind == "cuda";
  e.reference_file = e.cuda ? "reference.cuh" : "reference.h";
  e.file = e.chapter + "/" + e.name + (e.cuda ? ".cuh" : ".h");

  static const std::regex id(R"([0-9]{1,2}\.[0-9]{1,2})");
  if (!std::regex_match(e.id, id)) throw InputError(file + ": an id is like 13.1");
  if (order(e.id).first != std::stoi(e.chapter)) {
    throw InputError(file + ": id " + e.id + " stands in chapter " + e.chapter);
  }
  if (kind != "cpu" && kind != "cuda") throw InputError(file + ": kind is \"cpu\" or \"cuda\"");
  if (e.hints.size() != 3) {
    throw InputError(file + ": three hints are wanted: a nudge, the formula, pseudo-code");
  }
  for (const std::string& hint : e.hints) {
    if (hint.size() < 10) throw InputError(file + ": a hint is empty");
  }
  if (e.expected.steps < 1 || e.expected.comparisons < e.expected.steps)
    throw InputError(file + ": steps and comparisons are what check --self-test counts");
  if (e.minutes < 1) throw InputError(file + ": minutes must be positive");

  const fs::path reference = folder / e.reference_file, wrong = folder / "wrong.h";
  e.reference = parse_reference(read_file(reference), reference.string());
  if (fs::exists(wrong)) {
    e.wrong = parse_wrong(read_file(wrong), wrong.string(), e.reference);
  } else if (!fs::exists(folder / "answers.a")) {  // a handout has the answers compiled
    throw InputError(wrong.string() + " is missing: the mistakes that the check must recognise");
  }
  return e;
}

std::string Exercise::answer_header() const {
  return "chapters/" + chapter + "/exercises/" + name + "/answer.h";
}

std::vector<std::string> Exercise::own_names() const {
  return tpp::learn::own_names(reference, read_file(folder / "answer.h"));
}

std::string Exercise::skeleton() const {
  return tpp::learn::skeleton(reference, "Exercise " + id + ": " + title + ". About " +
                                             std::to_string(minutes) +
                                             " minutes. Save, and the check runs.");
}

std::string Exercise::hash() const {
  std::uint64_t h = 1469598103934665603u;  // FNV-1a
  for (const char c : skeleton() + read_file(folder / "checks.cpp")) {
    h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
  return text;
}

std::vector<Exercise> read_exercises(const fs::path& root) {
  if (!fs::is_directory(root / "chapters")) {
    throw InputError("There is no " + (root / "chapters").string() +
                     ". Was the repository moved? Start from its folder: ./run learn");
  }
  std::vector<Exercise> all;
  for (const auto& chapter : fs::directory_iterator(root / "chapters")) {
    if (!fs::is_directory(chapter.path() / "exercises")) continue;
    for (const auto& folder : fs::directory_iterator(chapter.path() / "exercises")) {
      if (fs::exists(folder.path() / "exercise.toml")) all.push_back(read_exercise(folder.path()));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Exercise& a, const Exercise& b) { return order(a.id) < order(b.id); });
  std::set<std::string> ids;
  for (const Exercise& e : all) {
    if (!ids.insert(e.id).second) throw InputError("Two exercises have the id " + e.id + ".");
  }
  for (const Exercise& e : all) {
    for (const std::string& needed : e.needs) {
      if (ids.count(needed) == 0)
        throw InputError("Exercise " + e.id + " needs " + needed + ", which there is not.");
    }
  }
  return all;
}

}  // namespace tpp::learn
