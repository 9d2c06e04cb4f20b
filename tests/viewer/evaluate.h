// Does a line of numbers give its result? The line is read as arithmetic, every printed number stands
// for all that it may have been rounded from, and so the answer is an interval: the printed result has
// to touch it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>
#include <string_view>

#include "viewer/widgets/rich_text.h"

namespace tpp::viewer::testing {

struct Interval {
  double lo = 0, hi = 0;
  bool nan() const { return std::isnan(lo) || std::isnan(hi); }
  double width() const { return hi - lo; }
  double size() const { return std::max(std::fabs(lo), std::fabs(hi)); }
};

inline Interval hull(std::initializer_list<double> ends) {
  for (const double x : ends)
    if (std::isnan(x)) return {x, x};
  return {std::min(ends), std::max(ends)};
}

/// Reads "2 · (0.41 − 1.2e-5) / √32" and the like. Errors: std::invalid_argument, where and why.
class Arithmetic {
 public:
  explicit Arithmetic(std::string_view rich) {
    for (const TextRun& run : parse_rich(rich))
      if (run.mark != '-') text_ += run.text;
  }

  Interval value() {
    const Interval out = sum();
    spaces();
    if (at_ < text_.size()) fail("something is left over");
    return out;
  }

  /// The number that the text begins with; whatever follows is its unit.
  Interval first_number() {
    take("+");
    return signed_factor();
  }

  /// Was it rounded to a whole number?
  bool rounded() const { return rounded_; }
  /// The largest number that stands in it: what cancellation is measured against.
  double largest() const { return largest_; }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw std::invalid_argument(why + " in \"" + text_ + "\" before \"" + text_.substr(at_) + "\"");
  }
  void spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(std::string_view sign) {
    spaces();
    if (!std::string_view(text_).substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  Interval sum() {
    Interval left = product();
    while (true) {
      if (take("+")) {
        const Interval right = product();
        left = {left.lo + right.lo, left.hi + right.hi};
      } else if (take("−") || take("-")) {
        const Interval right = product();
        left = {left.lo - right.hi, left.hi - right.lo};
      } else {
        return left;
      }
    }
  }

  Interval product() {
    Interval left = signed_factor();
    while (true) {
      if (take("·") || take("×")) {
        const Interval r = signed_factor();
        left = hull({left.lo * r.lo, left.lo * r.hi, left.hi * r.lo, left.hi * r.hi});
      } else if (take("/") || take("÷")) {
        const Interval r = signed_factor();
        if (r.lo < 0 && r.hi > 0) fail("division by what may be 0");
        left = hull({left.lo / r.lo, left.lo / r.hi, left.hi / r.lo, left.hi / r.hi});
      } else {
        return left;
      }
    }
  }

  Interval signed_factor() {
    if (take("−") || take("-")) {
      const Interval x = signed_factor();
      return {-x.hi, -x.lo};
    }
    return power();
  }

  Interval power() {
    const Interval base = factor();
    if (take("²")) {
      const double a = base.lo * base.lo, b = base.hi * base.hi;
      return base.lo < 0 && base.hi > 0 ? Interval{0, std::max(a, b)} : hull({a, b});
    }
    if (!take("^")) return base;
    const Interval r = signed_factor();
    if (base.lo < 0) fail("a power of what is negative");
    return hull({std::pow(base.lo, r.lo), std::pow(base.lo, r.hi), std::pow(base.hi, r.lo),
                 std::pow(base.hi, r.hi)});
  }

  template <class F>
  Interval rising(F f) {
    const Interval x = power();
    return {f(x.lo), f(x.hi)};
  }
  Interval wave(bool sine) {
    Interval x = power();
    if (sine) x = {x.lo - std::numbers::pi / 2, x.hi - std::numbers::pi / 2};
    Interval out = hull({std::cos(x.lo), std::cos(x.hi)});
    if (std::floor(x.hi / (2 * std::numbers::pi)) > std::floor(x.lo / (2 * std::numbers::pi)) ||
        x.lo == 0)
      out.hi = 1;
    const double half = std::numbers::pi;
    if (std::floor((x.hi + half) / (2 * half)) > std::floor((x.lo + half) / (2 * half)))
      out.lo = -1;
    return out;
  }

  Interval factor() {
    if (take("(")) {
      const Interval inside = sum();
      if (!take(")")) fail("no closing bracket");
      return degrees(inside);
    }
    if (take("|")) {
      const Interval x = sum();
      if (!take("|")) fail("no closing bar");
      if (x.lo < 0 && x.hi > 0) return {0, x.size()};
      return hull({std::fabs(x.lo), std::fabs(x.hi)});
    }
    if (take("√")) return rising([](double x) { return std::sqrt(std::max(0.0, x)); });
    if (take("ln")) return rising([](double x) { return std::log(x); });
    if (take("log₂")) return rising([](double x) { return std::log2(x); });
    if (take("log₁₀")) return rising([](double x) { return std::log10(x); });
    if (take("cos")) return wave(false);
    if (take("sin")) return wave(true);
    if (take("max(")) {
      Interval most = sum();
      while (take(",")) {
        const Interval next = sum();
        most = {std::max(most.lo, next.lo), std::max(most.hi, next.hi)};
      }
      if (!take(")")) fail("no closing bracket");
      return most;
    }
    if (take("round(")) {
      const Interval x = sum();
      if (!take(")")) fail("no closing bracket");
      rounded_ = true;
      return {std::round(x.lo), std::round(x.hi)};
    }
    if (take("π")) return {std::numbers::pi, std::numbers::pi};
    if (take("∞")) return {kInfinity, kInfinity};
    if (take("NaN")) return {kNaN, kNaN};
    if (take("A ") || take("B ")) return factor();  // whose number it is
    spaces();
    if (std::string_view(text_).substr(at_).starts_with("e^")) {
      ++at_;
      return {std::numbers::e, std::numbers::e};
    }
    return number();
  }

  Interval degrees(Interval x) {
    if (!take("°")) return x;
    return {x.lo * std::numbers::pi / 180, x.hi * std::numbers::pi / 180};
  }

  Interval number() {
    std::string digits;
    int decimals = 0;
    bool point = false, commas = false, exponent = false;
    const auto is_digit = [&](std::size_t i) {
      return i < text_.size() && text_[i] >= '0' && text_[i] <= '9';
    };
    if (!is_digit(at_)) fail("no number");
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ',' && is_digit(at_ + 1) && is_digit(at_ + 2) && is_digit(at_ + 3)) {
        commas = true;
      } else if (c == '.' && !point && is_digit(at_ + 1)) {
        point = true;
        digits += c;
      } else if (is_digit(at_)) {
        digits += c;
        decimals += point;
      } else {
        break;
      }
    }
    int power = 0;
    if (at_ < text_.size() && text_[at_] == 'e' && !is("e^")) {
      std::size_t i = at_ + 1;
      const bool minus = text_.compare(i, 3, "−") == 0 || text_.compare(i, 1, "-") == 0;
      i += text_.compare(i, 3, "−") == 0 ? 3 : minus || text_.compare(i, 1, "+") == 0 ? 1 : 0;
      if (!is_digit(i)) fail("no exponent");
      while (is_digit(i)) power = power * 10 + (text_[i++] - '0');
      if (minus) power = -power;
      at_ = i;
      exponent = true;
    }
    const double x = std::strtod(digits.c_str(), nullptr) * std::pow(10.0, power);
    largest_ = std::max(largest_, x);
    // Counts are exact: small whole numbers, and long ones with their commas
    const bool exact = !exponent && !point && (commas || x < 1000);
    const double half = exact ? 0 : 0.5000001 * std::pow(10.0, power - decimals);
    return degrees({x - half, x + half});
  }
  bool is(std::string_view next) const {
    return std::string_view(text_).substr(at_).starts_with(next);
  }

  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::string text_;
  std::size_t at_ = 0;
  double largest_ = 0;
  bool rounded_ = false;
};

/// Empty if the numbers give the result, and are written well enough to tell; else what is wrong.
inline std::string wrong_arithmetic(std::string_view numbers, std::string_view result) {
  try {
    Arithmetic line(numbers);
    const Interval given = line.value();
    const Interval said = Arithmetic(result).first_number();
    const auto told = [&] {
      return std::string(numbers) + " is " + std::to_string(given.lo) + " … " +
             std::to_string(given.hi) + ", not " + std::string(result);
    };
    if (given.nan() || said.nan()) return given.nan() && said.nan() ? "" : told();
    if (std::isinf(given.lo) || std::isinf(said.lo)) return given.lo == said.lo ? "" : told();
    const double slack = 1e-9 * std::max(given.size(), said.size());
    if (given.lo > said.hi + slack || given.hi < said.lo - slack) return told();
    if (line.rounded() && given.width() <= 1) return {};  // just between two
    if (given.width() > 0.02 * std::max(given.size(), 0.05 * line.largest()))
      return "too few digits to tell: " + told();
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace tpp::viewer::testing
