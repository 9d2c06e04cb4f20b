// How much may be spent on looking: a share of the time that training takes, earned step by step.
#pragma once

#include <algorithm>

namespace tpp::viewer {

/// An account in seconds. Training earns, looking spends; looking waits until there is enough for it.
class Governor {
 public:
  explicit Governor(double budget) : budget_(budget) {}

  /// A step took this long. Time in which nothing had to be done (`idle`) may be spent whole.
  void earn(double trained, double idle = 0) {
    // What was saved up may not be spent in one burst that would be felt
    credit_ = std::min(credit_ + budget_ * trained + idle, std::max(kMostSaved, 2 * expected_));
    trained_ += trained + idle;
    forget();
  }

  void spend(double seconds) {
    credit_ -= seconds;
    spent_ += seconds;
    expect(seconds);
  }
  /// One look took this long: the next will take about as long.
  void expect(double seconds) { expected_ = expected_ > 0 ? 0.5 * (expected_ + seconds) : seconds; }

  [[nodiscard]] bool may_spend() const { return credit_ >= expected_; }
  [[nodiscard]] double credit() const { return credit_; }

  /// The two, of the last seconds.
  [[nodiscard]] double spent() const { return spent_; }
  [[nodiscard]] double trained() const { return trained_; }
  /// Seconds spent for a second of training, over the last seconds.
  [[nodiscard]] double share() const { return trained_ > 0 ? spent_ / trained_ : 0; }

 private:
  static constexpr double kMostSaved = 0.05;  // seconds
  static constexpr double kWindow = 6;        // seconds; then the past counts half

  void forget() {
    // Long enough that several looks lie in it, however rare they are
    const double rare = budget_ > 0 ? 8 * expected_ / budget_ : 0;
    if (trained_ < std::max(kWindow, rare)) return;
    trained_ /= 2;
    spent_ /= 2;
  }

  double budget_;
  double credit_ = 0;
  double expected_ = 0;  // of one look
  double trained_ = 0, spent_ = 0;
};

}  // namespace tpp::viewer
