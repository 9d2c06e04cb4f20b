// The commands that a window sends to a run. They are taken between the phases of a step.
#pragma once

#include <string>
#include <vector>

#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::viewer {

struct RunControl {
  virtual ~RunControl() = default;

  /// Errors of play, step and step_phase: InputError with the sentence in Frame::error after a value
  /// was not finite, until reset, restart or a smaller learning rate.
  virtual void play() = 0;
  virtual void pause() = 0;
  virtual void step() = 0;        // one whole step, then pause
  virtual void step_phase() = 0;  // forward, backward or update, then pause
  virtual void reset() = 0;       // to the start, same seed
  /// Start anew with other options. What stays the same keeps its initial values.
  /// Errors  InputError, in the caller's thread, when the options cannot be; the run goes on
  virtual void restart(const RunOptions& options) = 0;
  /// Go to a step that was taken before, exactly: its weights, and the gradients that led to it. Pauses
  /// there. Playing on takes the same way again, until something is changed.
  virtual void seek(long step) = 0;
  virtual void set_speed(double steps_per_second) = 0;  // 0: as fast as it goes
  virtual void set_learning_rate(double peak) = 0;
  virtual void set_prompt(const std::string& prompt) = 0;  // of the samples
  virtual void set_temperature(double temperature) = 0;
  virtual void want(const std::vector<std::string>& taps) = 0;  // for the next frames
  virtual void save(const std::string& path) = 0;               // a checkpoint

  [[nodiscard]] virtual bool playing() const = 0;
  [[nodiscard]] virtual double speed() const = 0;
};

}  // namespace tpp::viewer
