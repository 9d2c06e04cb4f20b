// Values: the expressions that a text may write, and how numbers look.
#include <cmath>
#include <filesystem>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"
#include "tools/weave/results.h"

using tpp::InputError;
using tpp::testing::Approx;
using tpp::weave::evaluate;
using tpp::weave::formatted;
using tpp::weave::Results;

namespace {

double value(const std::string& expression) {
  static Results results(std::filesystem::path(TPP_SOURCE_DIR) / "tests/weave/book/bench/results");
  return evaluate(expression, results);
}

}  // namespace

TEST_CASE("arithmetic binds as in mathematics") {
  CHECK(value("1 + 2 * 3") == 7);
  CHECK(value("(1 + 2) * 3") == 9);
  CHECK(value("8 / 2 / 2") == 2);
  CHECK(value("1 - 2 - 3") == -4);
  CHECK(value("-(2 + 1) * -2") == 6);
  CHECK(value("1e3 / 4") == 250);
  CHECK(value(".5+.25") == 0.75);
}

TEST_CASE("references choose one number of a results file") {
  CHECK(value("31_last#values.half") == 0.5);
  CHECK(value("31_last#values.\"half\" * 4") == 2);
  CHECK(value("31_last#values.two words + 1") == 3);
  CHECK(value("31_last#values.many-31_last#values.many") == 0);
  CHECK(value("31_last#results[0].us") == 10);
  CHECK(value("31_last#results[name=a].us") == 10);
  CHECK(value("31_last#results[name=b, shape=9].us") == 30);
  CHECK(value("31_last#results[name=b,shape=8 × 16, long].us") ==
        20);  // a comma that is the shape's own
  CHECK(value("31_last#results[name=b,shape=8*].us") == 20);
  CHECK(value("31_last#results[us=30].us") == 30);  // numbers as text
  CHECK(value("31_last#results[us=30].us / 31_last#results[us=20].us") == Approx(1.5));
}

TEST_CASE("what is no expression is refused, with the place") {
  for (const char* wrong : {"",
                            "1 +",
                            "(1",
                            "1 2",
                            "1 / 0",
                            "half",
                            "31_last",
                            "31_last#",
                            "31_last#values",
                            "31_last#values.",
                            "31_last#values.none",
                            "31_last#values.half.more",
                            "31_last#values.broken",
                            "31_last#values.text",
                            "31_last#values[0]",
                            "31_last#results[3].us",
                            "31_last#results[name=b].us",
                            "31_last#results[name].us",
                            "31_last#results[name=b",
                            "31_last#results[name=z].us",
                            "31_last#results[0]",
                            "lost#x",
                            "31_last#values.\"half",
                            "1e999",
                            "3x",
                            "* 2",
                            "1 + )"}) {
    INFO(wrong);
    CHECK_THROWS_AS(value(wrong), InputError);
  }
  try {
    (void)value("1 + 31_last#values.haf");
    FAIL("it must throw");
  } catch (const InputError& e) {
    CHECK(std::string(e.what()).find("31_last#values has no 'haf'") != std::string::npos);
  }
}

TEST_CASE("numbers look as their format says") {
  CHECK(formatted(1.234, ".2f") == "1.23");
  CHECK(formatted(1234.5, ",.1f") == "1,234.5");
  CHECK(formatted(1234567, ",d") == "1,234,567");
  CHECK(formatted(123, ",d") == "123");
  CHECK(formatted(999.6, ",d") == "1,000");
  CHECK(formatted(1234.4, "d") == "1234");
  CHECK(formatted(-0.5, ".1f") == "−0.5");
  CHECK(formatted(-0.01, ".1f") == "0.0");  // no minus before zeros
  CHECK(formatted(0.25, "+.2f") == "+0.25");
  CHECK(formatted(-0.25, "+.2f") == "−0.25");
  CHECK(formatted(0.1234, ".1%") == "12.3 %");
  CHECK(formatted(0.5, "%") == "50 %");
  CHECK(formatted(12345.6, ".3g") == "12300");
  CHECK(formatted(12345.6, ",.3g") == "12,300");
  CHECK(formatted(0.00012345, ".2g") == "0.00012");
  CHECK(formatted(2.5, ".3g") == "2.5");
  CHECK(formatted(9.9999, ".3g") == "10");
  CHECK(formatted(0, ".3g") == "0");
  CHECK(formatted(12345, ".1e") == "1.2e+04");
  for (const char* wrong : {"", "f2", ".f", "2f", ".2x", ",", "+", ".2d", ".0g", ".2ff"}) {
    INFO(wrong);
    CHECK_THROWS_AS(formatted(1, wrong), InputError);
  }
  CHECK_THROWS_AS(formatted(NAN, ".2f"), InputError);
  CHECK_THROWS_AS(formatted(INFINITY, ",d"), InputError);
}
