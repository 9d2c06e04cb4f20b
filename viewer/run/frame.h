// What crosses from a trainer's thread to the window: frames, immutable, and scalars, every step.
#pragma once

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chapters/31_transformer_pp/catalogue.h"
#include "viewer/run/stand_ins.h"

namespace tpp::viewer {

/// A copy of a value of the probe pass, or of a parameter.
struct TapValue {
  int rows = 0, cols = 0;
  std::vector<float> data;  // (rows, cols)
  float operator()(int r, int c) const {
    return data[std::size_t(r) * std::size_t(cols) + std::size_t(c)];
  }
};

/// One step, as the curves need it. Kept for every step.
struct StepScalars {
  long step = 0;
  float loss = 0;                                              // nats per target
  float validation = std::numeric_limits<float>::quiet_NaN();  // when it was measured at this step
  float learning_rate = 0;
  float gradient_norm = 0;  // before clipping
  float clip_scale = 1;     // below 1: clipped
  float tokens_per_second = 0;
  // One a parameter, in the table's order. At steps that did not measure them, weight_norm and
  // update_norm are NaN.
  std::vector<ParameterReport> parameters;
};

/// All steps of a run, as the window keeps them: consecutive and growing.
struct History {
  std::vector<StepScalars> steps;
  unsigned long version = 0;  // grows when something was added or taken away
  unsigned long epoch = 0;    // grows when steps were taken away: a restart, or a step back in time
};

enum class Phase { update, forward, backward };  // what was done last

/// A token that may come next.
struct NextToken {
  std::string label;
  float probability = 0;
  float logit = std::numeric_limits<float>::quiet_NaN();
  double log_sum = std::numeric_limits<double>::quiet_NaN();  // ln Σ e^logit over the vocabulary
};

/// A picture of a run at one step. Nothing in it changes once it is published.
struct Frame {
  unsigned long version = 0;  // a new one for each frame
  long step = 0;
  Phase phase = Phase::update;
  bool playing = false;
  std::string error;  // "block2/attn/probs became NaN at step 317 …": the run has stopped

  RunOptions options;
  ModelConfig config;
  std::vector<ParameterInfo> parameters;  // the table
  std::vector<Baseline> baselines;        // ln V, unigram, bigram, …
  std::string source;                     // what it learns from, for the reader
  StandIns parts;                         // what stands in the model in the place of the book's

  // The probe: one fixed sequence of validation text, passed forward after the step
  std::vector<int> probe_tokens;          // (T)
  std::vector<std::string> probe_labels;  // (T) printable: "␣", "e", "\n" as "⏎"
  float probe_loss = 0;

  /// What the visible panels asked for. Keys are names on the tape ("block2/attn/probs", and
  /// parameters: "block2/attn/norm/gain"), or "rms:NAME": the root-mean-square of each row, (rows, 1);
  /// or "grad:NAME": the gradient of a parameter.
  std::map<std::string, TapValue> taps;
  const TapValue* tap(const std::string& name) const {
    const auto it = taps.find(name);
    return it == taps.end() ? nullptr : &it->second;
  }

  // Text generated at the step `sample_step`, and what would come next, likeliest first
  std::string sample_prompt, sample_text;
  long sample_step = -1;
  bool sample_whole = false;  // false while it is still being written
  std::vector<NextToken> next_tokens;

  double steps_per_second = 0;
  double tokens_per_second = 0;
  double watch_share = 0;   // share of the training time that frames like this one took
  double sample_share = 0;  // and that the generated text took
  // The same in seconds, each of so many seconds of training
  double watch_seconds = 0, watch_trained = 0, sample_seconds = 0, sample_trained = 0;
  std::size_t memory_bytes = 0;  // of the run: tapes, parameters, gradients, optimiser state

  // The past: steps that can be gone to, from `first` to `frontier`, by way of the states that are kept
  long first = 0, frontier = 0;
  long travelling_to = -1;                      // on the way to this step; −1: not travelling
  std::vector<long> kept;                       // steps, ascending
  std::size_t past_bytes = 0, past_budget = 0;  // of this run; two share one budget

  long fork = -1;  // two runs in lockstep: the step at which B began; −1: there is no B
};

/// The newest frames of two runs in lockstep, always of the same step. `b` is null without a second.
struct FramePair {
  std::shared_ptr<const Frame> a, b;
};

}  // namespace tpp::viewer
