// What a chapter's kernels ask of memory, each step of its ladder: the checked emulator runs them on a small shape and
// counts, as ncu would on a GPU, every warp's requests. `./run counts 13`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/activation/activation.h"
#include "kernels/attention/attention.h"
#include "kernels/common/runtime.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/embedding/embedding.h"
#include "kernels/global_norm/global_norm.h"
#include "kernels/glu/glu.h"
#include "kernels/layernorm/layernorm.h"
#include "kernels/matmul/matmul.h"
#include "kernels/optimizer/optimizer.h"
#include "kernels/position_bias/position_bias.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "kernels/rope/rope.h"
#include "kernels/simt/emulator.h"
#include "kernels/softmax/softmax.h"
#include "tools/counts/sections.h"

namespace tpp::counts {
namespace {

using twin::Buffer;
using twin::Write;

// --- Inputs -------------------------------------------------------------------------------------------

/// Device memory that lives as long as this.
class Memory {
 public:
  template <class T>
  T* of(const char* name, const std::vector<T>& values) {
    auto buffer = std::make_shared<Buffer<T>>(values);
    T* data = buffer->data();
    simt::name_buffer(data, name);
    held_.push_back(std::move(buffer));
    return data;
  }
  template <class T>
  T* filled(const char* name, std::size_t n, float value = 0) {
    return of(name, std::vector<T>(std::max<std::size_t>(n, 1), T(value)));
  }
  /// Numbers between −1 and 1: what is counted depends on addresses, not on them.
  template <class T>
  T* numbers(const char* name, std::size_t n) {
    std::vector<T> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = T(float(i * 7919 % 1013) / 506.5f - 1);
    return of(name, values);
  }
  int* indices(const char* name, std::size_t n, int below) {
    std::vector<int> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = int(i * 7919 % 1013) % below;
    return of(name, values);
  }

 private:
  std::vector<std::shared_ptr<void>> held_;
};

// --- Counting -----------------------------------------------------------------------------------------

struct Sums {
  std::uint64_t requests = 0, sectors = 0, ideal_sectors = 0;
  std::uint64_t shared = 0, wavefronts = 0, ideal_wavefronts = 0;
};

Sums count(const std::function<void()>& launch) {
  const simt::Recorder recorder;
  launch();
  twin::synchronize(nullptr);
  Sums sums;
  for (const simt::LineStats& line : recorder.lines()) {
    if (line.space == 'g') {
      sums.requests += line.requests;
      sums.sectors += line.sectors;
      sums.ideal_sectors += line.ideal_sectors;
    } else {
      sums.shared += line.requests;
      sums.wavefronts += line.wavefronts;
      sums.ideal_wavefronts += line.ideal_wavefronts;
    }
  }
  return sums;
}

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (int at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}

/// "4.0 (4.0)": what a request takes, and what it would take if its lanes stood side by side.
std::string a_request(std::uint64_t value, std::uint64_t ideal, std::uint64_t requests) {
  if (requests == 0) return "–";
  char text[64];
  (void)std::snprintf(text, sizeof text, "%.1f (%.1f)", double(value) / double(requests),
                      double(ideal) / double(requests));
  return text;
}

/// Where the requests themselves go, for the viewer; then nothing is printed. Null: the table is wanted.
std::string* trace = nullptr;

/// One table: the versions of one twin.
class Ladder {
 public:
  /// `least`: each input read once, each output written once, in bytes.
  Ladder(const char* title, double least) : least_(least) {
    if (trace != nullptr) {
      *trace += std::string("\"title\": \"") + title + "\", \"versions\": [";
      return;
    }
    std::printf("%s; at least %s bytes\n", title, with_commas(std::uint64_t(least)).c_str());
    std::printf("%-23s %10s %10s %13s %11s %8s | %10s %13s\n", "", "global", "32-byte", "sectors",
                "bytes", "times", "shared", "wavefronts");
    std::printf("%-23s %10s %10s %13s %11s %8s | %10s %13s\n", "version", "requests", "sectors",
                "a request", "asked", "least", "requests", "a request");
  }
  void row(const std::string& version, const std::function<void()>& launch) {
    row(version, least_, launch);
  }
  void row(const std::string& version, double least, const std::function<void()>& launch) {
    if (trace != nullptr) {
      const simt::Recorder recorder;
      launch();
      twin::synchronize(nullptr);
      *trace += (first_ ? "\n" : ",\n") + ("{\"name\": \"" + version) +
                "\", \"least\": " + std::to_string(std::uint64_t(least)) +
                ",\n\"record\": " + recorder.json() + "}";
      first_ = false;
      return;
    }
    const Sums s = count(launch);
    std::printf("%-23s %10s %10s %13s %11s %8.2f | %10s %s\n", version.c_str(),
                with_commas(s.requests).c_str(), with_commas(s.sectors).c_str(),
                a_request(s.sectors, s.ideal_sectors, s.requests).c_str(),
                with_commas(32 * s.sectors).c_str(), 32 * double(s.sectors) / least,
                with_commas(s.shared).c_str(),
                padded(a_request(s.wavefronts, s.ideal_wavefronts, s.shared), 13).c_str());
  }

 private:
  static std::string padded(const std::string& text, std::size_t width) {  // – is three bytes
    const std::size_t letters = text == "–" ? 1 : text.size();
    return std::string(width - std::min(width, letters), ' ') + text;
  }
  double least_;
  bool first_ = true;
};

// --- The chapters' ladders ----------------------------------------------------------------------------

void matmul() {
  using V = twin::MatmulVersion;
  constexpr int size = 128, depth = 64;
  Memory memory;
  const float* a = memory.numbers<float>("a", size * depth);
  const float* b = memory.numbers<float>("b", depth * size);
  float* c = memory.filled<float>("c", size * size);
  const Bf16* a16 = memory.numbers<Bf16>("a", size * depth);
  const Bf16* b16 = memory.numbers<Bf16>("b", depth * size);
  Bf16* c16 = memory.filled<Bf16>("c", size * size);
  const double numbers = 2.0 * size * depth + double(size) * size;
  Ladder ladder("C = A·B, 128 × 64 by 64 × 128, float", 4 * numbers);
  for (const auto& [name, version] : {std::pair{"v1_naive_uncoalesced", V::v1_naive_uncoalesced},
                                      {"v1_naive", V::v1_naive},
                                      {"v2_tiled", V::v2_tiled},
                                      {"v3_register_blocked", V::v3_register_blocked},
                                      {"v4_vectorised", V::v4_vectorised},
                                      {"v5_double_buffered", V::v5_double_buffered}}) {
    ladder.row(name, [&, version = version] {
      twin::matmul(nullptr, a, b, c, size, size, depth, Write::set, version);
    });
  }
  ladder.row("v6_tensor_cores, bf16", 2 * numbers, [&] {
    twin::matmul(nullptr, a16, b16, c16, size, size, depth, Write::set, V::v6_tensor_cores);
  });
}

void embedding_forward() {
  using V = twin::EmbeddingVersion;
  constexpr int N = 256, vocabulary = 256, D = 128;
  Memory memory;
  const float* table = memory.numbers<float>("table", vocabulary * D);
  const int* tokens = memory.indices("tokens", N, vocabulary);
  float* y = memory.filled<float>("y", N * D);
  Ladder ladder("embedding, 256 tokens of 256, width 128, float", 4.0 * (2 * N * D + N));
  for (const auto& [name, version] : {std::pair{"v1_thread_per_column", V::v1_thread_per_column},
                                      {"v2_shared_scan", V::v2_shared_scan}}) {
    ladder.row(name, [&, version = version] {
      twin::embedding_forward(nullptr, table, tokens, y, N, vocabulary, D, version);
    });
  }
}

void embedding_backward() {
  using V = twin::EmbeddingVersion;
  constexpr int N = 256, vocabulary = 256, D = 128;
  Memory memory;
  const float* dy = memory.numbers<float>("dy", N * D);
  const int* tokens = memory.indices("tokens", N, vocabulary);
  float* dtable = memory.filled<float>("dtable", vocabulary * D);
  float* work = memory.filled<float>("work", twin::embedding_backward_work(N, vocabulary));
  Ladder ladder("embedding backward, the same shape", 4.0 * (N * D + vocabulary * D + N));
  for (const auto& [name, version] : {std::pair{"v1_thread_per_column", V::v1_thread_per_column},
                                      {"v2_shared_scan", V::v2_shared_scan},
                                      {"v3_slots", V::v3_slots}}) {
    ladder.row(name, [&, version = version] {
      twin::embedding_backward(nullptr, dy, tokens, dtable, work, N, vocabulary, D, Write::set,
                               version);
    });
  }
}

constexpr std::pair<const char*, twin::SoftmaxVersion> kSoftmax[] = {
    {"v1_thread_per_row", twin::SoftmaxVersion::v1_thread_per_row},
    {"v2_warp_per_row", twin::SoftmaxVersion::v2_warp_per_row},
    {"v3_row_in_registers", twin::SoftmaxVersion::v3_row_in_registers}};

void softmax() {
  constexpr int N = 128, M = 256;
  Memory memory;
  const float* x = memory.numbers<float>("x", N * M);
  float* y = memory.filled<float>("y", N * M);
  Ladder ladder("softmax, 128 rows of 256, float", 8.0 * N * M);
  for (const auto& [name, version] : kSoftmax) {
    ladder.row(name,
               [&, version = version] { twin::softmax_forward(nullptr, x, y, N, M, version); });
  }
}

void softmax_backward() {
  constexpr int N = 128, M = 256;
  Memory memory;
  const float *dy = memory.numbers<float>("dy", N * M), *y = memory.numbers<float>("y", N * M);
  float* dx = memory.filled<float>("dx", N * M);
  Ladder ladder("softmax backward, the same shape", 12.0 * N * M);
  for (const auto& [name, version] : kSoftmax) {
    ladder.row(name, [&, version = version] {
      twin::softmax_backward(nullptr, dy, y, dx, N, M, version);
    });
  }
}

void cross_entropy() {
  using V = twin::CrossEntropyVersion;
  constexpr int N = 64, vocabulary = 256;
  Memory memory;
  const float* logits = memory.numbers<float>("logits", N * vocabulary);
  const int* targets = memory.indices("targets", N, vocabulary);
  float *loss = memory.filled<float>("loss", N), *log_sum = memory.filled<float>("log_sum", N),
        *dlogits = memory.filled<float>("dlogits", N * vocabulary);
  Ladder ladder("cross-entropy forward and backward, 64 rows of 256, float",
                8.0 * N * vocabulary + 12.0 * N);
  for (const auto& [name, version] : {std::pair{"v1_separate", V::v1_separate},
                                      {"v2_online", V::v2_online},
                                      {"v3_row_on_chip", V::v3_row_on_chip}}) {
    ladder.row(name, [&, version = version] {
      twin::cross_entropy_fused(nullptr, nullptr, logits, targets, 1 / float(N), loss, log_sum,
                                dlogits, N, vocabulary, version);
    });
  }
}

// Attention of chapters 06 and 15: they differ in the number of key heads
template <Storage T>
struct Attention {
  twin::AttentionShape shape;
  Memory memory;
  int width;
  const T *q, *k, *v, *dout;
  T *out, *probs, *dq, *dk, *dv;
  float* work;

  explicit Attention(const twin::AttentionShape& s) : shape(s), width((s.H + 2 * s.G) * s.K) {
    const std::size_t rows = std::size_t(s.B) * std::size_t(s.T),
                      heads = std::size_t(s.H) * std::size_t(s.K);
    const T* qkv = memory.numbers<T>("qkv", rows * std::size_t(width));
    T* dqkv = memory.filled<T>("dqkv", rows * std::size_t(width));
    q = qkv, k = q + s.H * s.K, v = k + s.G * s.K;
    dq = dqkv, dk = dq + s.H * s.K, dv = dk + s.G * s.K;
    dout = memory.numbers<T>("dout", rows * heads);
    out = memory.filled<T>("out", rows * heads);
    probs = memory.filled<T>("probs", rows * std::size_t(s.H) * std::size_t(s.T));
    work = memory.filled<float>(
        "work",
        twin::attention_backward_work(s, false, twin::AttentionVersion::v1_unfused_naive) + 1);
  }
  void forward(twin::AttentionVersion version) {
    twin::attention_forward<T>(nullptr, q, width, k, width, v, width, nullptr, out, probs, shape,
                               version);
  }
  void backward(twin::AttentionVersion version) {
    twin::attention_backward<T>(nullptr, dout, q, width, k, width, v, width, out, probs, dq, width,
                                dk, width, dv, width, nullptr, Write::set, work, shape, version);
  }
  [[nodiscard]] double least(bool backward) const {
    const double rows = double(shape.B) * shape.T, numbers = rows * (shape.H + shape.G) * shape.K;
    return double(sizeof(T)) * ((backward ? 4 : 2) * numbers + rows * shape.H * shape.T);
  }
};

constexpr std::pair<const char*, twin::AttentionVersion> kAttention[] = {
    {"v1_unfused_naive", twin::AttentionVersion::v1_unfused_naive},
    {"v2_unfused_tiled", twin::AttentionVersion::v2_unfused_tiled},
    {"v3_head_fused", twin::AttentionVersion::v3_head_fused}};

void attention(const char* title, int G, bool backward) {
  const twin::AttentionShape shape{1, 64, 4, G, 32, 0.17678f, {}};
  Attention<float> x(shape);
  Attention<Bf16> x16(shape);
  x.forward(twin::AttentionVersion::v2_unfused_tiled);
  x16.forward(twin::AttentionVersion::v2_unfused_tiled);
  const auto run = [&](auto& on, twin::AttentionVersion version) {
    backward ? on.backward(version) : on.forward(version);
  };
  Ladder ladder(title, x.least(backward));
  for (const auto& [name, version] : kAttention) {
    ladder.row(name, [&, version = version] { run(x, version); });
  }
  ladder.row("v4_tensor_cores, bf16", x16.least(backward),
             [&] { run(x16, twin::AttentionVersion::v4_tensor_cores); });
}
void attention_forward() { attention("attention, 64 tokens, 4 heads of 32, float", 4, false); }
void attention_backward() { attention("attention backward, the same shape", 4, true); }
void gqa_forward() {
  attention("attention, 64 tokens, 4 query and 2 key heads of 32, float", 2, false);
}
void gqa_backward() { attention("attention backward, the same shape", 2, true); }

void position_bias(bool backward) {
  using V = twin::PositionBiasVersion;
  constexpr int length = 128, H = 4, buckets = 32, distance = 128, offsets = 2 * length - 1;
  Memory memory;
  float *table = memory.numbers<float>("table", buckets * H),
        *bias = memory.numbers<float>("bias", H * offsets);
  Ladder ladder(backward ? "T5's biases backward, the same shape"
                         : "T5's biases, 4 heads, 128 positions, 32 buckets, float",
                4.0 * (buckets * H + H * offsets));
  for (const auto& [name, version] : {std::pair{"v1_thread_per_number", V::v1_thread_per_number},
                                      {"v2_shared_bucket", V::v2_shared_bucket}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::t5_bias_backward(nullptr, bias, table, Write::set, length, H, false, buckets,
                               distance, version);
      } else {
        twin::t5_bias_forward(nullptr, table, bias, length, H, false, buckets, distance, version);
      }
    });
  }
}
void position_bias_forward() { position_bias(false); }
void position_bias_backward() { position_bias(true); }

constexpr int kRows = 64, kWidth = 512;  // of the norms

void layernorm(bool backward) {
  using V = twin::LayerNormVersion;
  constexpr int N = kRows, D = kWidth;
  Memory memory;
  const float *x = memory.numbers<float>("x", N * D), *dy = memory.numbers<float>("dy", N * D),
              *w = memory.numbers<float>("w", D), *b = memory.numbers<float>("b", D);
  float *y = memory.filled<float>("y", N * D), *dx = memory.filled<float>("dx", N * D),
        *mean = memory.filled<float>("mean", N), *rstd = memory.filled<float>("rstd", N, 1),
        *dw = memory.filled<float>("dw", D), *db = memory.filled<float>("db", D),
        *work = memory.filled<float>("work", twin::layernorm_backward_work(N, D));
  Ladder ladder(
      backward ? "LayerNorm backward, the same shape" : "LayerNorm, 64 rows of 512, float",
      backward ? 4.0 * (3 * N * D + 3 * D + 2 * N) : 4.0 * (2 * N * D + 2 * D + 2 * N));
  for (const auto& [name, version] : {std::pair{"v1_thread_per_row", V::v1_thread_per_row},
                                      {"v2_warp_per_row", V::v2_warp_per_row},
                                      {"v3_vector_loads", V::v3_vector_loads}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::layernorm_backward<float>(nullptr, nullptr, dy, x, w, mean, rstd, nullptr, dx, dw, db,
                                        work, N, D, Write::set, version);
      } else {
        twin::layernorm_forward(nullptr, x, w, b, y, mean, rstd, N, D, 1e-5f, version);
      }
    });
  }
}
void layernorm_forward() { layernorm(false); }
void layernorm_backward() { layernorm(true); }

void activation(twin::Activation kind, const char* title, bool backward) {
  using V = twin::ActivationVersion;
  constexpr int N = 64, F = 512;
  Memory memory;
  const float *x = memory.numbers<float>("x", N * F), *dy = memory.numbers<float>("dy", N * F),
              *bias = memory.numbers<float>("bias", F);
  float *y = memory.filled<float>("y", N * F), *dx = memory.filled<float>("dx", N * F),
        *dbias = memory.filled<float>("dbias", F),
        *work = memory.filled<float>("work", twin::activation_backward_work(N, F));
  Ladder ladder(title, backward ? 4.0 * (3 * N * F + 2 * F) : 4.0 * (2 * N * F + F));
  for (const auto& [name, version] : {std::pair{"v1_number_a_thread", V::v1_number_a_thread},
                                      {"v2_vector_loads", V::v2_vector_loads}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::activation_backward<float>(nullptr, kind, dy, x, bias, dx, dbias, Write::set, work, N,
                                         F, version);
      } else {
        twin::activation_forward<float>(nullptr, kind, x, bias, y, N, F, version);
      }
    });
  }
}
void gelu_forward() {
  activation(twin::Activation::gelu, "bias and GELU, 64 rows of 512, float", false);
}
void gelu_backward() {
  activation(twin::Activation::gelu, "bias and GELU backward, the same shape", true);
}
void solu_forward() {
  activation(twin::Activation::solu, "bias and SoLU, 64 rows of 512, float", false);
}
void solu_backward() {
  activation(twin::Activation::solu, "bias and SoLU backward, the same shape", true);
}

void adamw() {
  using V = twin::OptimizerVersion;
  constexpr std::size_t n = 16384;
  Memory memory;
  const twin::OptimizerRule rule{.kind = twin::OptimizerKind::adamw};
  float *w = memory.numbers<float>("w", n), *m = memory.filled<float>("m", n),
        *v = memory.filled<float>("v", n);
  const float* g = memory.numbers<float>("g", n);
  const auto* step = memory.of("step", std::vector{twin::optimizer_step(rule, 1e-4, 10, 1)});
  const auto* decay = memory.of("decay", std::vector<unsigned char>(n / twin::kDecayLine + 1, 1));
  Ladder ladder("AdamW, 16,384 weights, float", 28.0 * n);
  for (const auto& [name, version] : {std::pair{"v1_thread_per_weight", V::v1_thread_per_weight},
                                      {"v2_vector_loads", V::v2_vector_loads}}) {
    ladder.row(name, [&, version = version] {
      twin::optimizer_update(nullptr, rule, step, decay, w, g, m, v, nullptr, n, version);
    });
  }
}

void global_norm() {
  using V = twin::GlobalNormVersion;
  Memory memory;
  std::vector<twin::NormSegment> segments;  // a table, matrices, gains
  std::size_t n = 0;
  for (const std::size_t size : {32768, 8192, 128, 8192, 128}) {
    segments.push_back({n, size});
    n += size;
  }
  const twin::NormPlan plan = twin::plan_global_norm(segments);
  const float* g = memory.numbers<float>("g", n);
  const auto* pieces = memory.of("pieces", plan.pieces);
  const auto* first = memory.of("first", plan.first);
  auto* partial = memory.of("partial", std::vector<double>(plan.pieces.size()));
  auto* squares = memory.of("squares", std::vector<double>(plan.first.size()));
  auto* step = memory.of("step", std::vector<twin::OptimizerStep>(1));
  auto* result = memory.of("result", std::vector<twin::GradientNorm>(1));
  Ladder ladder("norm of all gradients, 5 parameters with 49,408 numbers, float", 4.0 * double(n));
  for (const auto& [name, version] :
       {std::pair{"v1_block_per_parameter", V::v1_block_per_parameter},
        {"v2_pieces", V::v2_pieces}}) {
    ladder.row(name, [&, version = version] {
      twin::global_norm(nullptr, g,
                        {pieces, first, int(plan.pieces.size()), int(plan.first.size()) - 1}, 1,
                        partial, squares, step, result, version);
    });
  }
}

void rmsnorm(bool backward) {
  using V = twin::RmsNormVersion;
  constexpr int N = kRows, D = kWidth;
  Memory memory;
  const float *x = memory.numbers<float>("x", N * D), *dy = memory.numbers<float>("dy", N * D),
              *w = memory.numbers<float>("w", D);
  float *y = memory.filled<float>("y", N * D), *dx = memory.filled<float>("dx", N * D),
        *rstd = memory.filled<float>("rstd", N, 1), *dw = memory.filled<float>("dw", D),
        *work = memory.filled<float>("work", twin::rmsnorm_backward_work(N, D));
  Ladder ladder(backward ? "RMSNorm backward, the same shape" : "RMSNorm, 64 rows of 512, float",
                backward ? 4.0 * (3 * N * D + 2 * D + N) : 4.0 * (2 * N * D + D + N));
  for (const auto& [name, version] : {std::pair{"v1_block_per_row", V::v1_block_per_row},
                                      {"v2_row_in_registers", V::v2_row_in_registers}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::rmsnorm_backward(nullptr, nullptr, dy, x, w, rstd, dx, dw, work, N, D, Write::set,
                               version);
      } else {
        twin::rmsnorm_forward(nullptr, x, w, y, rstd, N, D, 1e-5f, version);
      }
    });
  }
}
void rmsnorm_forward() { rmsnorm(false); }
void rmsnorm_backward() { rmsnorm(true); }

void rope(const char* title, twin::Pairing pairing, bool backward) {
  using V = twin::RopeVersion;
  constexpr int length = 64, heads = 4, K = 64, D = heads * K;
  Memory memory;
  const float* x = memory.numbers<float>("x", length * D);
  float* y = memory.filled<float>("y", length * D);
  std::vector<float> cosines, sines;
  for (int t = 0; t < length; ++t) {
    for (int p = 0; p < K / 2; ++p) {
      const double angle = t * std::pow(10000.0, -2.0 * p / K);
      cosines.push_back(float(std::cos(angle)));
      sines.push_back(float(std::sin(angle)));
    }
  }
  const twin::RopeAngles angles{memory.of("cos", cosines), memory.of("sin", sines), 10000};
  Ladder ladder(title, 8.0 * length * D);
  for (const auto& [name, version] : {std::pair{"v1_thread_per_pair", V::v1_thread_per_pair},
                                      {"v2_table", V::v2_table},
                                      {"v3_vector_loads", V::v3_vector_loads}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::rope_backward<float>(nullptr, x, D, length, K, angles, pairing, y, D, length, heads,
                                   version);
      } else {
        twin::rope_forward<float>(nullptr, x, D, length, K, angles, pairing, y, D, length, heads,
                                  version);
      }
    });
  }
}
void rope_halves() {
  rope("RoPE, halves, 64 tokens, 4 heads of 64, float", twin::Pairing::halves, false);
}
void rope_adjacent() {
  rope("RoPE, adjacent pairs, the same shape", twin::Pairing::adjacent, false);
}
void rope_backward() { rope("RoPE backward, halves, the same shape", twin::Pairing::halves, true); }

void swiglu(bool backward) {
  using V = twin::GluVersion;
  constexpr int N = 64, F = 512;
  Memory memory;
  const float *x = memory.numbers<float>("x", 2 * N * F), *dy = memory.numbers<float>("dy", N * F);
  float *y = memory.filled<float>("y", N * F), *dx = memory.filled<float>("dx", 2 * N * F);
  Ladder ladder(backward ? "SwiGLU backward, the same shape"
                         : "SwiGLU, 64 rows, 512 wide, gate and value in one matrix, float",
                (backward ? 20.0 : 12.0) * N * F);
  for (const auto& [name, version] : {std::pair{"v1_number_a_thread", V::v1_number_a_thread},
                                      {"v2_vector_loads", V::v2_vector_loads},
                                      {"v3_many_in_flight", V::v3_many_in_flight}}) {
    ladder.row(name, [&, version = version] {
      if (backward) {
        twin::glu_backward<float>(nullptr, twin::Gate::swiglu, dy, x, 2 * F, x + F, 2 * F, dx,
                                  2 * F, dx + F, 2 * F, N, F, version);
      } else {
        twin::glu_forward<float>(nullptr, twin::Gate::swiglu, x, 2 * F, x + F, 2 * F, y, N, F,
                                 version);
      }
    });
  }
}
void swiglu_forward() { swiglu(false); }
void swiglu_backward() { swiglu(true); }

// --- The program --------------------------------------------------------------------------------------

struct Section {
  const char* folder;  // of the chapter
  const char* name;
  void (*print)();

  [[nodiscard]] std::string chapter() const { return std::string(folder, 2); }
};

#define TPP_SECTION(folder, name, print) {folder, name, print},
constexpr Section kSections[] = {TPP_COUNTED(TPP_SECTION)};
#undef TPP_SECTION

void help(std::FILE* to) {
  std::fprintf(to,
               "./run counts NN [section…]: what the kernels of a chapter ask of memory, counted "
               "by the emulator.\n"
               "A request is one load or store of a warp. In brackets: if its lanes stood side by "
               "side (sectors),\n"
               "without bank conflicts (wavefronts). With --trace FILE the requests of one section "
               "are written,\n"
               "as the viewer's kernel lens reads them. The chapters and their sections:\n");
  std::string chapter;
  for (const Section& section : kSections) {
    if (chapter != section.chapter())
      std::fprintf(to, "%s  %s", chapter.empty() ? "" : "\n", section.chapter().c_str());
    chapter = section.chapter();
    std::fprintf(to, " %s", section.name);
  }
  std::fprintf(to, "\n");
}

/// The requests of a section's versions, each with its lanes, as viewer/kernels/trace.h reads them.
void write_trace(const Section& section, const std::string& path) {
  std::string text = std::string("{\"format\": \"tpp-trace 1\", \"chapter\": \"") +
                     section.chapter() + "\", \"section\": \"" + section.name + "\", ";
  trace = &text;
  section.print();
  trace = nullptr;
  text += "]}\n";
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush()) throw std::runtime_error("Cannot write " + path + ".");
}

int run(std::vector<std::string> words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    help(stdout);
    return 0;
  }
  std::string trace_file;
  if (words.size() > 2 && words[words.size() - 2] == "--trace") {
    trace_file = words.back();
    words.resize(words.size() - 2);
  }
  std::vector<Section> chosen;
  for (const Section& section : kSections) {
    const bool named =
        words.size() == 1 || std::find(words.begin() + 1, words.end(), section.name) != words.end();
    if (words[0] == section.chapter() && named) chosen.push_back(section);
  }
  if (chosen.empty() || (words.size() > 1 && chosen.size() != words.size() - 1)) {
    std::fprintf(stderr, "There are no such counts.\n");
    help(stderr);
    return 2;
  }
  if (!trace_file.empty()) {
    if (chosen.size() != 1) throw std::runtime_error("--trace wants one section.");
    write_trace(chosen[0], trace_file);
    return 0;
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (i > 0) std::printf("\n");
    chosen[i].print();
  }
  return 0;
}

}  // namespace
}  // namespace tpp::counts

int main(int argc, char** argv) {
  try {
    return tpp::counts::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
