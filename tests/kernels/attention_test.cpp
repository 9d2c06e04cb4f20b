// The twins of chapters 06 and 15: every version, mask, and way in which a size can be ragged.
#include "kernels/attention/attention.h"

#include "chapters/06_attention/attention.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;
using Version = twin::AttentionVersion;
using Kind = twin::AttentionMask::Kind;

namespace {

struct Case {
  int B, T, H, G, K;
  Kind kind = Kind::causal;
  int length = 0;
  bool biased = false;
  Version only = Version::latest;  // latest: all of them
};

template <Storage S>
std::vector<Version> versions(Version only) {
  if (only != Version::latest) return {only};
  std::vector<Version> all = {Version::latest, Version::v1_unfused_naive, Version::v2_unfused_tiled,
                              Version::v3_head_fused};
  if (std::is_same_v<S, Bf16>) all.push_back(Version::v4_tensor_cores);
  return all;
}

/// The reference, head by head, from chapter 06.
struct Reference {
  const Case& c;
  twin::AttentionShape shape;
  Mask mask;
  Mat<double> out, probs;

  explicit Reference(const Case& c_)
      : c(c_),
        shape{c.B, c.T, c.H, c.G, c.K, float(1.3 / std::sqrt(double(c.K))), {c.kind, c.length}},
        mask{Mask::Kind(int(c.kind)), c.length},
        out(c.B * c.T, c.H * c.K),
        probs(c.B * c.H * c.T, c.T) {}

  [[nodiscard]] auto head(const Mat<double>& x, int b, int i) const {
    return x.block(b * c.T, i * c.K, c.T, c.K);
  }
  [[nodiscard]] RowVec<double> bias_row(const Mat<double>& bias, int h) const {
    return c.biased ? RowVec<double>(bias.row(h)) : RowVec<double>();
  }

  void forward(const Mat<double>& q, const Mat<double>& k, const Mat<double>& v,
               const Mat<double>& bias) {
    for (int b = 0; b < c.B; ++b) {
      for (int h = 0; h < c.H; ++h) {
        const int g = h / (c.H / c.G);
        attention_head_forward<double>(head(q, b, h), head(k, b, g), head(v, b, g),
                                       bias_row(bias, h), mask, double(shape.scale),
                                       out.block(b * c.T, h * c.K, c.T, c.K),
                                       probs.middleRows((b * c.H + h) * c.T, c.T));
      }
    }
  }

  struct Gradients {
    Mat<double> dq, dk, dv, dbias;
  };
  [[nodiscard]] Gradients backward(const Mat<double>& dout, const Mat<double>& q,
                                   const Mat<double>& k, const Mat<double>& v,
                                   const Mat<double>& with_probs) const {
    Gradients d{Mat<double>(q.rows(), q.cols()), Mat<double>(k.rows(), k.cols()),
                Mat<double>(v.rows(), v.cols()), Mat<double>::Zero(c.H, 2 * c.T - 1)};
    Mat<double> work(kAttentionBlock, c.T);
    for (int b = 0; b < c.B; ++b) {
      for (int h = 0; h < c.H; ++h) {
        const int share = c.H / c.G, g = h / share;
        RowVec<double> dbias = d.dbias.row(h);
        attention_head_backward<double>(
            head(dout, b, h), head(q, b, h), head(k, b, g), head(v, b, g),
            with_probs.middleRows((b * c.H + h) * c.T, c.T), mask, double(shape.scale),
            h % share == 0 ? Write::set : Write::add, d.dq.block(b * c.T, h * c.K, c.T, c.K),
            d.dk.block(b * c.T, g * c.K, c.T, c.K), d.dv.block(b * c.T, g * c.K, c.T, c.K), dbias,
            work);
        d.dbias.row(h) = dbias;
      }
    }
    return d;
  }
};

/// q, k and v as columns of one matrix, and so their gradients: rows are further apart than they are long.
template <Storage S>
void check_case(const Case& c) {
  CAPTURE(storage_name<S>(), c.B, c.T, c.H, c.G, c.K, int(c.kind), c.length, c.biased);
  Philox rng(61, std::uint64_t(c.T * 1000 + c.K));
  const int rows = c.B * c.T, width = (c.H + 2 * c.G) * c.K, k0 = c.H * c.K, v0 = k0 + c.G * c.K;
  const Input<S> qkv(rng, rows, width), dout(rng, rows, c.H * c.K);
  const Input<float> bias(rng, c.H, 2 * c.T - 1);
  const Mat<double> q = qkv.host.leftCols(k0), k = qkv.host.middleCols(k0, c.G * c.K),
                    v = qkv.host.rightCols(c.G * c.K);
  Reference reference(c);
  reference.forward(q, k, v, bias.host);

  for (const Version version : versions<S>(c.only)) {
    INFO("version " << int(version));
    Output<S> out(rows, c.H * c.K), probs(c.B * c.H * c.T, c.T);
    twin::attention_forward<S>(nullptr, qkv.data(), width, qkv.data() + k0, width, qkv.data() + v0,
                               width, c.biased ? bias.data() : nullptr, out.data(), probs.data(),
                               reference.shape, version);
    // exp makes an absolute error of a logit, which is a sum of K products, a relative one; v1 and v2 also round it to S.
    // Backward takes a row's mean of dP from dP: what is left is smaller than the errors of what went in
    const double roundings = std::is_same_v<S, float> ? 64 : 16;
    check_near<S>(probs.host(), reference.probs, roundings);
    check_near<S>(out.host(), reference.out, roundings);

    // Give both the same probabilities, so that only the backward pass is judged
    const auto want = reference.backward(dout.host, q, k, v, probs.host());
    Output<S> dqkv(rows, width);
    Output<float> dbias(c.H, 2 * c.T - 1);
    twin::Buffer<float> work(twin::attention_backward_work(reference.shape, c.biased, version));
    const auto backward = [&](twin::Write write) {
      twin::attention_backward<S>(
          nullptr, dout.data(), qkv.data(), width, qkv.data() + k0, width, qkv.data() + v0, width,
          out.data(), probs.data(), dqkv.data(), width, dqkv.data() + k0, width, dqkv.data() + v0,
          width, c.biased ? dbias.data() : nullptr, write, work.data(), reference.shape, version);
    };
    backward(twin::Write::set);
    const Mat<double> got = dqkv.host();
    check_near<S>(got.leftCols(k0), want.dq, roundings);
    check_near<S>(got.middleCols(k0, c.G * c.K), want.dk, roundings);
    check_near<S>(got.rightCols(c.G * c.K), want.dv, roundings);
    if (c.biased) {
      check_near<S>(dbias.host(), want.dbias, roundings);
      const Mat<double> once = dbias.host();
      backward(twin::Write::add);
      CHECK((dbias.host() - 2 * once).cwiseAbs().maxCoeff() <=
            1e-6 * (1 + once.cwiseAbs().maxCoeff()));
      CHECK(dqkv.host() == got);  // the same bits again
    }
  }
}

}  // namespace

TEST_CASE("attention: every mask, with and without a bias", "[attention]") {
  const Kind kind = GENERATE(Kind::full, Kind::causal, Kind::prefix, Kind::padding);
  const bool biased = GENERATE(false, true);
  // 37 is no multiple of a tile; a prefix of 9 and padding after 21 end within one
  const int length = kind == Kind::prefix ? 9 : kind == Kind::padding ? 21 : 0;
  const Case c{
      .B = 2, .T = 37, .H = 2, .G = 1, .K = 8, .kind = kind, .length = length, .biased = biased};
  for_each_storage([&]<Storage S>() { check_case<S>(c); });
}

TEST_CASE("attention: heads of every width, also odd ones", "[attention]") {
  const int K = GENERATE(1, 7, 16, 20, 32, 33, 64, 100, 128);
  const Case c{.B = 1, .T = 19, .H = 1, .G = 1, .K = K};
  for_each_storage([&]<Storage S>() { check_case<S>(c); });
}

TEST_CASE("attention: one token, and sequences of more than one tile", "[attention]") {
  const Case c =
      GENERATE(Case{.B = 3, .T = 1, .H = 1, .G = 1, .K = 4, .biased = true},
               Case{.B = 1, .T = 64, .H = 1, .G = 1, .K = 16, .kind = Kind::full},
               Case{.B = 1, .T = 133, .H = 1, .G = 1, .K = 4, .biased = true},
               Case{.B = 1, .T = 133, .H = 1, .G = 1, .K = 5, .kind = Kind::full},
               Case{.B = 1, .T = 72, .H = 1, .G = 1, .K = 16, .kind = Kind::padding, .length = 3},
               Case{.B = 1, .T = 70, .H = 1, .G = 1, .K = 34, .kind = Kind::prefix, .length = 40});
  for_each_storage([&]<Storage S>() { check_case<S>(c); });
}

TEST_CASE("attention: query heads share key heads", "[attention]") {
  const int G = GENERATE(1, 2, 6);
  const Case c{.B = 2, .T = 9, .H = 6, .G = G, .K = 4, .biased = G == 2};
  for_each_storage([&]<Storage S>() { check_case<S>(c); });
}

TEST_CASE("attention: large logits do not overflow", "[attention]") {
  constexpr int T = 40, K = 8;
  Philox rng(62);
  const Input<float> x(rng, T, K, 30);
  twin::AttentionShape shape{1, T, 1, 1, K, 1, {}};
  for (const Version version : versions<float>(Version::latest)) {
    Output<float> out(T, K), probs(T, T);
    twin::attention_forward<float>(nullptr, x.data(), K, x.data(), K, x.data(), K, nullptr,
                                   out.data(), probs.data(), shape, version);
    const Mat<double> p = probs.host();
    for (int t = 0; t < T; ++t) {
      CHECK(std::abs(p.row(t).sum() - 1) <= 1e-5);
      CHECK(p.row(t).tail(T - 1 - t).isZero(0));
    }
  }
}

TEST_CASE("attention: refuses what it cannot do", "[attention]") {
  Output<float> x(16, 129);
  const auto forward = [&](twin::AttentionShape shape, Version version = Version::latest) {
    twin::attention_forward<float>(nullptr, x.data(), 129, x.data(), 129, x.data(), 129, nullptr,
                                   x.data(), x.data(), shape, version);
  };
  CHECK_THROWS_AS(forward({1, 2, 1, 1, 129, 1, {}}), std::invalid_argument);
  CHECK_THROWS_AS(forward({1, 2, 3, 2, 4, 1, {}}), std::invalid_argument);
  CHECK_THROWS_AS(forward({1, 0, 1, 1, 4, 1, {}}), std::invalid_argument);
  CHECK_THROWS_AS(forward({1, 2, 1, 1, 4, 1, {}}, Version::v4_tensor_cores), std::invalid_argument);
}
