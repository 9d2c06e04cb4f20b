#include "tools/learn/progress.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/toml.h"

namespace tpp::learn {

using nlohmann::json;

Progress::Progress(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::exists(file_)) return;
  const json all = json::parse(read_file(file_), nullptr, false);
  if (!all.is_object()) {
    throw InputError(
        file_.string() +
        " is damaged. Move it away; your exercises stay, and checking them again counts.");
  }
  for (const auto& [id, r] : all.items()) {
    if (!r.is_object()) continue;
    Record& record = records_[id];
    record.hash = r.value("hash", "");
    record.passed = r.value("passed", "");
    record.hints = r.value("hints", 0);
    record.solution = r.value("solution", false);
    record.checks = r.value("checks", 0);
    record.verdict = r.value("verdict", "");
    if (r.contains("mistakes")) record.mistakes = r["mistakes"].get<std::map<std::string, int>>();
  }
}

State Progress::state(const Exercise& e) const {
  const auto found = records_.find(e.id);
  if (found == records_.end() || found->second.passed.empty()) return State::open;
  return found->second.hash == e.hash() ? State::passed : State::changed;
}

void Progress::save() const {
  json all = json::object();
  for (const auto& [id, r] : records_) {
    all[id] = {{"hash", r.hash},         {"passed", r.passed}, {"hints", r.hints},
               {"solution", r.solution}, {"checks", r.checks}, {"verdict", r.verdict},
               {"mistakes", r.mistakes}};
  }
  write_file(file_, all.dump(1) + "\n");
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &local);
  return text;
}

}  // namespace tpp::learn
