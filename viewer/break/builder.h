// Wrong answers of the exercises, built in the background: the window goes on while a compiler works.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "viewer/run/stand_ins.h"

namespace tpp::viewer {

/// Build and load "6.1=no_scale". Slow; called on a thread of its own. Errors: InputError.
using LoadStandIns = std::function<StandIns(const std::string& wrong)>;

/// The same by tpp-learn, which stands beside this program.
[[nodiscard]] StandIns load_wrong_answer(const std::string& wrong);

class Builder {
 public:
  /// `wake` is called on the builder's thread when one is there. Without `load` nothing can be built.
  explicit Builder(LoadStandIns load, std::function<void()> wake = {});
  /// What is being built goes on without anybody waiting for it.
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// Begin, unless it is there or being built. What failed is tried again.
  void begin(const std::string& wrong);

  [[nodiscard]] bool is_building(const std::string& wrong) const;
  /// The functions, once they are there.
  [[nodiscard]] std::optional<StandIns> find(const std::string& wrong) const;
  /// Why it could not be built; empty when it could, or is not known yet.
  [[nodiscard]] std::string problem(const std::string& wrong) const;

 private:
  struct Entry {
    bool building = true;
    std::optional<StandIns> functions;
    std::string problem;
  };
  struct Shared {  // with the threads, which may outlive the builder
    std::mutex mutex;
    std::mutex compiler;  // one at a time
    std::map<std::string, Entry> entries;
    std::function<void()> wake;
  };

  LoadStandIns load_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace tpp::viewer
