// The twins of chapter 07's biases by offset.
#include "kernels/position_bias/position_bias.h"

#include "chapters/07_position/relative_bias.h"
#include "tests/kernels/twins.h"

using namespace tpp;
using namespace tpp::testing;
using Version = twin::PositionBiasVersion;

namespace {

constexpr Version kVersions[] = {Version::latest, Version::v1_thread_per_number,
                                 Version::v2_shared_bucket};

}  // namespace

TEST_CASE("position_bias: every offset finds the reference's bucket", "[position_bias]") {
  // Let each bucket's bias be its own number: the result is the bucket
  const bool both = GENERATE(false, true);
  const int buckets = GENERATE(4, 32), far = GENERATE(64, 128);
  constexpr int kLength = 700;
  Mat<double> table(buckets, 1);
  for (int j = 0; j < buckets; ++j) table(j, 0) = j;
  const Input<float> in(table);
  for (const Version version : kVersions) {
    Output<float> out(1, 2 * kLength - 1);
    twin::t5_bias_forward(nullptr, in.data(), out.data(), kLength, 1, both, buckets, far, version);
    const Mat<double> got = out.host();
    int wrong = 0;
    for (int o = 0; o < 2 * kLength - 1; ++o) {
      if (!(got(0, o) == t5_bucket(o - (kLength - 1), both, buckets, far))) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("position_bias: T5's biases and their gradient", "[position_bias]") {
  const int length = GENERATE(1, 2, 33, 140);
  const int H = GENERATE(1, 3, 8);
  const bool both = GENERATE(false, true);
  CAPTURE(length, H, both);
  constexpr int kBuckets = 32, kFar = 128;
  Philox rng(71, std::uint64_t(length));
  const Input<float> table(rng, kBuckets, H), dbias(rng, H, 2 * length - 1);
  Mat<double> want(H, 2 * length - 1), dwant(kBuckets, H);
  t5_bias_forward<double>(table.host, both, want);
  t5_bias_backward<double>(dbias.host, both, dwant);
  for (const Version version : kVersions) {
    Output<float> bias(H, 2 * length - 1), dtable(kBuckets, H);
    twin::t5_bias_forward(nullptr, table.data(), bias.data(), length, H, both, kBuckets, kFar,
                          version);
    check_near<float>(bias.host(), want, 0);
    twin::t5_bias_backward(nullptr, dbias.data(), dtable.data(), twin::Write::set, length, H, both,
                           kBuckets, kFar, version);
    // One after the other, 140 numbers that cancel
    check_near<float>(dtable.host(), dwant, 64);
    twin::t5_bias_backward(nullptr, dbias.data(), dtable.data(), twin::Write::add, length, H, both,
                           kBuckets, kFar, version);
    check_near<float>(dtable.host(), 2 * dwant, 64);
  }
}

TEST_CASE("position_bias: ALiBi's slopes for powers of two and for others", "[position_bias]") {
  const int H = GENERATE(1, 2, 6, 8, 12), length = GENERATE(1, 65);
  Output<float> bias(H, 2 * length - 1);
  twin::alibi_bias(nullptr, bias.data(), length, H);
  check_near<float>(bias.host(), alibi_bias<double>(H, length), 2);
}

TEST_CASE("position_bias: refuses buckets that do not work", "[position_bias]") {
  Output<float> x(4, 3);
  const auto forward = [&](bool both, int buckets, int far) {
    twin::t5_bias_forward(nullptr, x.data(), x.data(), 2, 1, both, buckets, far, Version::latest);
  };
  CHECK_THROWS_AS(forward(true, 5, 128), std::invalid_argument);
  CHECK_THROWS_AS(forward(false, 1, 128), std::invalid_argument);
  CHECK_THROWS_AS(forward(false, 32, 16), std::invalid_argument);
  CHECK_THROWS_AS(twin::alibi_bias(nullptr, x.data(), 0, 1), std::invalid_argument);
}
