// Wrong answers of the exercises, built in the background.
#include "viewer/break/builder.h"

#include <exception>
#include <thread>
#include <utility>

#include "tools/learn/mine.h"

namespace tpp::viewer {

StandIns load_wrong_answer(const std::string& wrong) {
  StandIns all;
  for (const LoadedFunction& one : load_functions(wrong))
    put_in(all, {one.slot, one.function, one.label});
  return all;
}

Builder::Builder(LoadStandIns load, std::function<void()> wake)
    : load_(std::move(load)), shared_(std::make_shared<Shared>()) {
  shared_->wake = std::move(wake);
}

Builder::~Builder() {
  const std::lock_guard lock(shared_->mutex);
  shared_->wake = {};
}

void Builder::begin(const std::string& wrong) {
  {
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->entries.find(wrong);
    if (found != shared_->entries.end() && found->second.problem.empty()) return;
    shared_->entries[wrong] = {};
    if (!load_) {
      shared_->entries[wrong] = {
          false, {}, "Wrong answers can only be built by the program itself."};
      return;
    }
  }
  std::thread([load = load_, shared = shared_, wrong] {
    Entry done{.building = false, .functions = {}, .problem = {}};
    try {
      const std::lock_guard one_at_a_time(shared->compiler);
      done.functions = load(wrong);
      if (done.functions->empty()) done.problem = wrong + " has no place in the model.";
    } catch (const std::exception& error) {
      done.problem = error.what();
    }
    const std::lock_guard lock(shared->mutex);
    if (!done.problem.empty()) done.functions.reset();
    shared->entries[wrong] = std::move(done);
    if (shared->wake) shared->wake();
  }).detach();
}

bool Builder::is_building(const std::string& wrong) const {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->entries.find(wrong);
  return found != shared_->entries.end() && found->second.building;
}

std::optional<StandIns> Builder::find(const std::string& wrong) const {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->entries.find(wrong);
  return found == shared_->entries.end() ? std::nullopt : found->second.functions;
}

std::string Builder::problem(const std::string& wrong) const {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->entries.find(wrong);
  return found == shared_->entries.end() ? "" : found->second.problem;
}

}  // namespace tpp::viewer
