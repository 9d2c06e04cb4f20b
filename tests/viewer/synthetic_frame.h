// A frame that no model made, but that one could have: what panels are tested on.
//
// Queries and keys are built so that each head looks a known number of tokens back, plus noise;
// then the chapters' own functions rotate them and take the softmax. So the recorded probabilities
// really follow from the recorded queries and keys, and a panel can be checked against them.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/attention.h"
#include "chapters/07_position/relative_bias.h"
#include "chapters/13_rope/rope.h"
#include "viewer/run/frame.h"

namespace tpp::viewer::testing {

struct FrameSpec {
  RunOptions options;  // its parts and sizes are used: norm, placement, position, bias, tied, …
  int layers = 3, D = 32, H = 4, G = 2, F = 88, V = 97, T = 24;
  std::uint64_t seed = 1;
  bool parameters = true;  // taps of parameters and gradients, beside activations
  bool rms = true;         // "rms:NAME" of every activation
};

/// How many tokens back head `head` looks.
inline int looks_back(int head) { return head == 0 ? 0 : (1 << (head % 4)) - 1; }

/// Numbers that look normal enough, and come fast: a huge frame has ten million.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252ull) {}
  float operator()() {
    float sum = -2;
    for (int i = 0; i < 4; ++i) {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
      sum += float(state_ >> 40) * (1.0f / 16777216.0f);
    }
    return sum * 1.7320508f;
  }

 private:
  std::uint64_t state_;
};

inline TapValue random_tap(Noise& noise, int rows, int cols, float scale, float mean = 0) {
  TapValue tap{rows, cols, std::vector<float>(std::size_t(rows) * std::size_t(cols))};
  for (float& x : tap.data) x = mean + scale * noise();
  return tap;
}

inline TapValue tap_of(const Mat<float>& m) {
  return {int(m.rows()), int(m.cols()), std::vector<float>(m.data(), m.data() + m.size())};
}

inline Eigen::Map<const Mat<float>> mat_of(const TapValue& tap) {
  return {tap.data.data(), tap.rows, tap.cols};
}

/// What a head's logits get added by distance: (H, 2T − 1), empty without a relative bias.
inline Mat<float> synthetic_bias(const Frame& frame) {
  const Index H = frame.config.H, T = Index(frame.probe_tokens.size());
  if (frame.options.position == "alibi") return alibi_bias<float>(H, T);
  if (frame.options.position == "t5") {
    const TapValue* table = frame.tap("position/t5");
    Mat<float> bias = Mat<float>::Zero(H, 2 * T - 1);
    if (!table) return bias;
    const Mat<float> t = mat_of(*table);  // (32, H)
    t5_bias_forward<float>(t, false, bias);
    return bias;
  }
  return {};
}

/// Add the queries, keys, rotations and probabilities of one block to the taps.
inline void add_attention(Frame& frame, Noise& noise, int layer) {
  const ModelConfig& c = frame.config;
  const Index T = Index(frame.probe_tokens.size()), H = c.H, G = c.G, K = c.K();
  const std::string at = "block" + std::to_string(layer) + "/attn/";
  const bool rotates = frame.options.position == "rope";
  const Pairing pairing =
      frame.options.rope_pairing == "adjacent" ? Pairing::adjacent : Pairing::halves;

  // A direction that all keys share makes a head look at a distance, once rotated. The token's own
  // direction makes it look at its like; the first key draws what is left
  Mat<float> q(T, H * K), k(T, G * K), v(T, G * K);
  for (float& x : q.reshaped()) x = 0.35f * noise();
  for (float& x : k.reshaped()) x = 0.35f * noise();
  for (float& x : v.reshaped()) x = noise();
  const float strength = 1.1f + 0.15f * float(layer);
  for (Index t = 0; t < T; ++t) {
    Noise like(std::uint64_t(frame.probe_tokens[std::size_t(t)]) * 7919 + std::uint64_t(layer));
    for (Index p = 0; p < K / 2; ++p) {
      const Index a = pairing == Pairing::halves ? p : 2 * p;
      const Index b = pairing == Pairing::halves ? p + K / 2 : 2 * p + 1;
      const double theta = std::pow(frame.options.rope_base, -2.0 * double(p) / double(K));
      const float u = 0.5f * like(), w = 0.5f * like();
      for (Index g = 0; g < G; ++g) {
        k(t, g * K + a) += strength + u + (t == 0 && p > K / 4 ? 0.8f : 0.0f);
        k(t, g * K + b) += w;
      }
      for (Index h = 0; h < H; ++h) {
        const double turn = -double(looks_back(int(h))) * theta;
        q(t, h * K + a) += strength * float(std::cos(turn)) + u;
        q(t, h * K + b) += strength * float(std::sin(turn)) + w;
      }
    }
  }

  // Rotate, compare, and take the softmax with the chapters' functions
  Mat<float> qr = q, kr = k;
  if (rotates) {
    const RopeTable<float> table = rope_table<float>(frame.config.T, K, rope_config(frame.options));
    rope_forward<float>(q, T, K, table, pairing, qr);
    rope_forward<float>(k, T, K, table, pairing, kr);
  }
  const Mat<float> bias = synthetic_bias(frame);
  Mat<float> probs = Mat<float>::Zero(H * T, T), heads(T, H * K);
  const RowVec<float> none;
  const float scale = 1 / std::sqrt(float(K));
  for (Index h = 0; h < H; ++h) {
    const Index g = h / (H / G);
    RowVec<float> row = none;
    if (bias.size()) row = bias.row(h);
    attention_head_forward<float>(qr.middleCols(h * K, K), kr.middleCols(g * K, K),
                                  v.middleCols(g * K, K), row, c.mask, scale,
                                  heads.middleCols(h * K, K), probs.middleRows(h * T, T));
  }

  frame.taps[at + "q"] = tap_of(q);
  frame.taps[at + "k"] = tap_of(k);
  frame.taps[at + "v"] = tap_of(v);
  if (rotates) {
    frame.taps[at + "q_rotated"] = tap_of(qr);
    frame.taps[at + "k_rotated"] = tap_of(kr);
  }
  frame.taps[at + "probs"] = tap_of(probs);
  frame.taps[at + "heads"] = tap_of(heads);
}

/// A frame with every value of the probe pass, as the tape names them.
inline Frame synthetic_frame(const FrameSpec& spec = {}) {
  Frame f;
  f.version = 1;
  f.step = 1200;
  f.options = spec.options;
  f.options.layers = spec.layers;
  f.options.width = spec.D;
  f.options.heads = spec.H;
  f.options.ffn_width = spec.F;
  f.options.length = spec.T;
  f.options.attention = spec.G == spec.H ? "mha"
                        : spec.G == 1    ? "mqa"
                                         : "gqa:" + std::to_string(spec.G);

  // The sizes and the table are those of a real model
  f.config = model_config(f.options, spec.V);
  f.parameters = make_model<float>(f.options, spec.V)->table().list();
  const ModelConfig& c = f.config;
  f.baselines = {{"uniform", std::log(double(spec.V))}, {"unigram", 2.9}, {"bigram", 2.1}};
  f.source = "fables: little stories that a grammar wrote.";

  // The probe: a story in which names return
  const std::string story =
      "The fox met the owl. The owl said to the fox: wait.\nThe fox did wait, and the owl flew. ";
  for (int t = 0; t < spec.T; ++t) {
    const char letter = story[std::size_t(t) % story.size()];
    f.probe_tokens.push_back(int(letter) % spec.V);
    f.probe_labels.push_back(letter == ' ' ? "␣" : letter == '\n' ? "⏎" : std::string(1, letter));
  }
  f.probe_loss = 1.31f;

  // Parameters and their gradients
  Noise noise(spec.seed);
  for (const ParameterInfo& p : f.parameters) {
    if (!spec.parameters && !p.name.starts_with("position/")) continue;
    const bool gain = p.name.ends_with("/gain");
    const int rows = int(p.rows), cols = int(p.cols);
    f.taps[p.name] = random_tap(noise, rows, cols, gain ? 0.15f : 0.08f, gain ? 1.1f : 0.0f);
    f.taps["grad:" + p.name] = random_tap(noise, rows, cols, 0.002f);
  }

  // Activations: the stream grows with depth, as under pre-norm
  const int T = spec.T, D = spec.D;
  const bool outer = uses_norm_out(c.placement), inner = uses_norm_in(c.placement);
  if (f.options.position == "sinusoidal" || f.options.position == "learned")
    f.taps["embed/tokens"] = random_tap(noise, T, D, 0.5f);
  f.taps["embed/out"] = random_tap(noise, T, D, 0.5f);
  for (int l = 0; l < spec.layers; ++l) {
    const std::string at = "block" + std::to_string(l);
    const float stream = 0.7f + 0.5f * float(l);
    if (inner) f.taps[at + "/attn/norm"] = random_tap(noise, T, D, 1.1f);
    add_attention(f, noise, l);
    f.taps[at + "/attn/out"] = random_tap(noise, T, D, 0.4f);
    f.taps[at + "/attn/residual"] = random_tap(noise, T, D, stream);
    if (outer) f.taps[at + "/attn/norm_out"] = random_tap(noise, T, D, 1);
    if (inner) f.taps[at + "/ffn/norm"] = random_tap(noise, T, D, 1.1f);
    f.taps[at + "/ffn/gate"] = random_tap(noise, T, spec.F, 0.8f);
    f.taps[at + "/ffn/value"] = random_tap(noise, T, spec.F, 0.8f);
    f.taps[at + "/ffn/hidden"] = random_tap(noise, T, spec.F, 0.4f);
    f.taps[at + "/ffn/out"] = random_tap(noise, T, D, 0.5f);
    f.taps[at + "/ffn/residual"] = random_tap(noise, T, D, stream + 0.25f);
    if (outer) f.taps[at + "/ffn/norm_out"] = random_tap(noise, T, D, 1);
  }
  if (inner) f.taps["final/norm"] = random_tap(noise, T, D, 1.1f);
  f.taps["logits"] = random_tap(noise, T, spec.V, 2);

  // Each row's root-mean-square
  if (spec.rms) {
    std::vector<std::pair<std::string, TapValue>> all;
    for (const auto& [name, tap] : f.taps) {
      if (name.starts_with("grad:") || name.ends_with("/gain") || name.ends_with("/bias")) continue;
      TapValue rms{tap.rows, 1, {}};
      for (int r = 0; r < tap.rows; ++r) {
        double sum = 0;
        for (int i = 0; i < tap.cols; ++i) sum += double(tap(r, i)) * double(tap(r, i));
        rms.data.push_back(float(std::sqrt(sum / tap.cols)));
      }
      all.emplace_back("rms:" + name, std::move(rms));
    }
    for (auto& [name, tap] : all) f.taps[name] = std::move(tap);
  }

  f.sample_prompt = "The fox";
  f.sample_text = "The fox met the owl. The owl said to the fox: wait.\nThe fox did wait.";
  f.sample_step = f.step;
  f.next_tokens = {{"␣", 0.61f}, {"e", 0.12f}, {".", 0.08f}, {"⏎", 0.02f}, {"ä", 0.001f}};
  f.steps_per_second = 12.5;
  f.tokens_per_second = 25600;
  f.watch_share = 0.014;
  f.memory_bytes = 33u << 20;
  return f;
}

/// Before anything was asked for: sizes are known, values are not.
inline Frame empty_frame() {
  Frame f = synthetic_frame();
  f.taps.clear();
  f.next_tokens.clear();
  f.sample_text.clear();
  f.sample_step = -1;
  return f;
}

/// As a default-constructed frame: no sizes, no table, no probe.
inline Frame blank_frame() { return {}; }

/// Every number that a panel may read is NaN, with some infinities among them.
inline Frame nan_frame(const FrameSpec& spec = {}) {
  Frame f = synthetic_frame(spec);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (auto& [name, tap] : f.taps) {
    for (std::size_t i = 0; i < tap.data.size(); ++i)
      tap.data[i] = i % 17 == 5 ? infinity : i % 17 == 11 ? -infinity : nan;
  }
  for (NextToken& next : f.next_tokens) next.probability = nan;
  f.probe_loss = nan;
  f.error = "block1/attn/probs became NaN at step 1200: lower the learning rate, or reset.";
  f.steps_per_second = f.tokens_per_second = f.watch_share = double(nan);
  return f;
}

/// Layers 12, heads 16, T 256: far more than the tiny model.
inline Frame huge_frame(RunOptions options = {}) {
  FrameSpec spec;
  spec.options = std::move(options);
  spec.layers = 12;
  spec.D = 256;
  spec.H = 16;
  spec.G = 4;
  spec.F = 688;
  spec.V = 4096;
  spec.T = 256;
  spec.parameters = false;
  Frame f = synthetic_frame(spec);
  Noise noise(5);  // parameters small enough to be quick: those that one can see
  for (const ParameterInfo& p : f.parameters) {
    if (p.rows > 1) continue;
    f.taps[p.name] = random_tap(noise, 1, int(p.cols), 0.1f, 1);
    f.taps["grad:" + p.name] = random_tap(noise, 1, int(p.cols), 0.01f);
  }
  return f;
}

/// A run's scalars: the loss falls, the learning rate warms up and decays, some steps are clipped.
inline History synthetic_history(const Frame& frame, int steps, bool finite = true) {
  History history;
  history.version = 1;
  Noise noise(11);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int i = 1; i <= steps; ++i) {
    StepScalars s;
    s.step = i;
    s.loss = 1.2f + 4.3f * std::exp(-float(i) / (0.12f * float(steps) + 1)) + 0.05f * noise();
    if (i % 25 == 0 || i == 1) s.validation = s.loss + 0.06f;
    const float progress = float(i) / float(steps);
    s.learning_rate =
        3e-3f * std::min(10 * progress, 0.55f + 0.45f * std::cos(3.14159f * progress));
    s.gradient_norm = 0.4f + 1.5f * std::exp(-6 * progress) + 0.1f * std::abs(noise());
    s.clip_scale = s.gradient_norm > 1 ? 1 / s.gradient_norm : 1;
    s.tokens_per_second = 25000 + 900 * noise();
    for (std::size_t p = 0; p < frame.parameters.size(); ++p) {
      const double size = std::sqrt(double(frame.parameters[p].size()));
      ParameterReport report;
      report.gradient_norm =
          double(s.gradient_norm) * std::exp(0.4 * double(noise()) - 2 - 0.05 * double(p));
      report.weight_norm = 0.05 * size + 0.01;
      report.update_norm = double(s.learning_rate) * 0.4 * size * std::exp(0.1 * double(noise()));
      s.parameters.push_back(report);
    }
    if (!finite) {
      s.loss = s.validation = s.gradient_norm = s.clip_scale = s.learning_rate = nan;
      s.tokens_per_second = std::numeric_limits<float>::infinity();
      for (ParameterReport& r : s.parameters)
        r.gradient_norm = r.weight_norm = r.update_norm = double(nan);
    }
    history.steps.push_back(std::move(s));
  }
  return history;
}

}  // namespace tpp::viewer::testing
