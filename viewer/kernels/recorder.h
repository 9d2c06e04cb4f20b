// Records kernels in the background. The checked twins live in programs of their own, tpp-counts for
// the chapters' ladders and tpp-learn for a reader's answers: this starts them, waits in a thread, and
// keeps what they write in a folder, as long as it is newer than what it was made from.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "viewer/kernels/trace.h"

namespace tpp::viewer {

/// What can be recorded: a ladder of a chapter, or an exercise that the reader wrote.
struct KernelChoice {
  std::string chapter;  // "05"; "yours" for an exercise
  std::string section;  // "softmax"; "5.3"

  [[nodiscard]] bool mine() const { return chapter == "yours"; }
  bool operator==(const KernelChoice&) const = default;
};

struct KernelLadder {
  KernelChoice choice;
  std::string folder;  // of the chapter: "05_softmax"
  std::string title;   // "softmax backward"
};
/// The ladders of the chapters, in order.
[[nodiscard]] const std::vector<KernelLadder>& kernel_ladders();

/// Where the programs are.
struct KernelPrograms {
  std::filesystem::path counts, learn;
  std::filesystem::path run;     // the script that builds them; empty: there is none for these
  std::filesystem::path traces;  // the folder for what they write

  /// In the build folder of this program.
  [[nodiscard]] static KernelPrograms of_this_build();
};

/// A reader's kernel that can be recorded.
struct MyKernel {
  std::string id, title;       // "5.3", "CUDA: softmax of a row by a block"
  std::filesystem::path file;  // theirs
};

class KernelRecorder {
 public:
  explicit KernelRecorder(KernelPrograms programs) : programs_(std::move(programs)) {}
  ~KernelRecorder() { stop(); }  // and what runs ends
  KernelRecorder(const KernelRecorder&) = delete;
  KernelRecorder& operator=(const KernelRecorder&) = delete;

  struct Result {
    KernelChoice choice;
    std::shared_ptr<const Trace> trace;  // null: `problem` says why
    std::string problem;
    std::vector<MyKernel> mine;  // all that there are
  };

  /// Begin; what is still running for another choice is given up.
  void want(const KernelChoice& choice);
  /// What was wanted last, once it is there. Gives it once.
  [[nodiscard]] std::optional<Result> take();
  [[nodiscard]] bool busy() const { return busy_; }
  /// Is a program compiled first? That takes a minute.
  [[nodiscard]] bool building() const { return building_; }

 private:
  void stop();
  void work(const KernelChoice& choice);
  [[nodiscard]] bool ready(const std::filesystem::path& program, const char* command,
                           std::string& problem);
  [[nodiscard]] std::vector<MyKernel> list_mine();

  KernelPrograms programs_;
  std::thread thread_;
  std::mutex mutex_;
  std::optional<Result> result_;
  std::atomic<bool> stop_ = false, busy_ = false, building_ = false;
};

}  // namespace tpp::viewer
