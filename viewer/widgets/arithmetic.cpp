// Numbers in lines that add up.
#include "viewer/widgets/arithmetic.h"

#include <algorithm>
#include <cmath>

#include "viewer/panels/drawing.h"
#include "viewer/widgets/curve.h"

namespace tpp::viewer {
namespace {

constexpr int kDigits = 5;  // of what is subtracted

/// The place of the last of `digits` significant digits, as a power of ten.
int last_place(double x, int digits) {
  return x == 0 || !std::isfinite(x) ? -100
                                     : int(std::floor(std::log10(std::abs(x)))) - (digits - 1);
}

std::string not_a_number(double value) {
  if (std::isnan(value))
    return "Not a number: one of the parts is none, or the run has gone astray.";
  return std::string("Without end: ") +
         (value > 0 ? "too large for a float, or divided by 0." : "the logarithm of 0, or masked.");
}

}  // namespace

std::string in_sum(double value, int digits) {
  const std::string text = number_text(value, digits);
  return value < 0 ? "(" + text + ")" : text;
}

std::string to_places(double value, int decimals) {
  if (!std::isfinite(value)) return number_text(value);
  const std::string digits = formatted("%.*f", decimals, std::abs(value));
  return value < 0 ? "(−" + digits + ")" : digits;
}

std::string written_sum(std::vector<double> terms, int shown, int digits) {
  if (terms.empty()) return "0";
  const auto size = [](double x) {
    return std::isfinite(x) ? std::abs(x) : std::numeric_limits<double>::infinity();
  };
  const std::size_t count =
      int(terms.size()) <= shown + 1 ? terms.size() : std::size_t(std::max(1, shown));
  std::partial_sort(terms.begin(), terms.begin() + std::ptrdiff_t(count), terms.end(),
                    [&](double a, double b) { return size(a) > size(b); });

  // All numbers to the same place, so that the sum is as good as its largest term
  const int place = last_place(terms.front(), digits);
  const auto text = [&](double x) {
    if (!std::isfinite(x)) return number_text(x, digits);
    if (x == 0) return std::string("0");
    return number_text(x, std::clamp(last_place(x, 1) - place + 1, 1, digits));
  };
  const auto add = [&](std::string& out, double x) {
    if (out.empty()) {
      out = (x < 0 ? "−" : "") + text(std::isnan(x) ? x : std::abs(x));
    } else {
      out += (x < 0 ? " − " : " + ") + text(std::isnan(x) ? x : std::abs(x));
    }
  };
  std::string out;
  for (std::size_t i = 0; i < count; ++i) add(out, terms[i]);
  if (count == terms.size()) return out;
  double rest = 0;
  for (std::size_t i = count; i < terms.size(); ++i) rest += terms[i];
  add(out, rest);
  return out + aside(" of " + whole_number((long long)(terms.size() - count)) + " others");
}

std::string whole_number(long long n) { return with_thousands(n); }

Explanation explanation_of(const Told& told) {
  Explanation e;
  e.name = told.name;
  e.formula = told.formula;
  e.numbers = told.numbers;
  e.result = told.digits == 0 && std::isfinite(told.value)
                 ? whole_number(std::llround(told.value))
                 : number_text(told.value, std::max(1, told.digits));
  if (!told.unit.empty()) e.result += " " + told.unit;
  if (!told.note.empty()) e.result += aside(told.note);
  e.why = std::isfinite(told.value) ? told.why : not_a_number(told.value);
  e.source = told.source;
  return e;
}

Explanation ratio_of(const Told& a, const Told& b) {
  Explanation e = explanation_of(a);
  e.numbers = "{B|B " + in_sum(b.value, kDigits) + "} / {A|A " + in_sum(a.value, kDigits) + "}";
  const double times = b.value / a.value;
  e.result = number_text(times) + aside(" times as long");
  e.why = std::isfinite(times) ? a.why : not_a_number(times);
  return e;
}

Explanation difference_of(const Told& a, const Told& b) {
  Explanation e = explanation_of(a);
  e.numbers = "{B|B " + in_sum(b.value, kDigits) + "} − {A|A " + in_sum(a.value, kDigits) + "}";
  const double less = b.value - a.value;
  const int place = std::max(last_place(a.value, kDigits), last_place(b.value, kDigits));
  const int digits = less == 0 || !std::isfinite(less)
                         ? 1
                         : std::clamp(last_place(less, 1) - place + 1, 1, kDigits);
  e.result = (less > 0 ? "+" : "") + number_text(less, digits);
  if (!a.unit.empty()) e.result += " " + a.unit;
  e.why = std::isfinite(less) ? a.why : not_a_number(less);
  return e;
}

}  // namespace tpp::viewer
