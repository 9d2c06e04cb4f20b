// The kernel lens: a kernel's run on the emulator, request by request, beside its source. The ladder of
// a chapter, or the reader's own kernel of an exercise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/kernels/recorder.h"
#include "viewer/kernels/replay.h"
#include "viewer/panel.h"

namespace tpp::viewer {

class KernelsPanel final : public Panel {
 public:
  KernelsPanel() : KernelsPanel(KernelPrograms::of_this_build()) {}
  explicit KernelsPanel(KernelPrograms programs);
  ~KernelsPanel() override;

  const PanelInfo& info() const override;
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;
  /// "05/softmax/v1_thread_per_row", or less: the chapter, the ladder, the version. So links say it too.
  std::string settings() const override;
  void restore(const std::string& settings) override;
  bool waiting() const override;

  // For tests
  void show(std::shared_ptr<const Trace> trace);  // as if it had been recorded
  const Replay& replay() const;
  const std::string& problem() const;
  bool playing() const;
  int lane() const;  // under the mouse, −1 for none

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
