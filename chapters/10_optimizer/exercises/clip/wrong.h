// The usual mistakes. Each is what would stand in one of the holes.

// [wrong always_scaled "Short gradients are made longer. The factor is never above 1: only a norm above max_norm is clipped."]
// [hole scale]
if (std::isnan(norm)) return norm;
return max_norm > 0 && norm > 0 ? max_norm / norm : 1;
// [/hole]
// [/wrong]

// [wrong inverted "The factor is norm / max_norm: it makes long gradients longer. It is max_norm / norm."]
// [hole scale]
if (std::isnan(norm)) return norm;
return max_norm > 0 && norm > max_norm ? norm / max_norm : 1;
// [/hole]
// [/wrong]

// [wrong zero_clips "A max_norm of 0 makes every gradient 0. It means: do not clip."]
// [hole scale]
if (std::isnan(norm)) return norm;
return norm > max_norm ? max_norm / norm : 1;
// [/hole]
// [/wrong]

// [wrong nan_passes "A norm of NaN gets the factor 1, because a comparison with NaN is false: a broken gradient passes for a short one."]
// [hole scale]
return max_norm > 0 && norm > max_norm ? max_norm / norm : 1;
// [/hole]
// [/wrong]

// [wrong max_norm_forgotten "A long gradient gets length 1 instead of max_norm: the factor is max_norm / norm."]
// [hole scale]
if (std::isnan(norm)) return norm;
return max_norm > 0 && norm > max_norm ? 1 / norm : 1;
// [/hole]
// [/wrong]

// [wrong per_tensor "Each tensor is clipped by its own norm, so small ones keep their length and the direction changes. There is one norm, of all tensors together."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) {
  const double own = sum_of_squares(g.data(), Index(g.size()));
  const T scale = T(clip_scale(std::sqrt(own), max_norm));
  for (T& number : g) number *= scale;
  square += own;
}
return std::sqrt(square);
// [/hole]
// [/wrong]

// [wrong as_it_goes "Tensors are clipped while the sum still grows, so the first ones get too large a factor. Add up all squares first, then walk again."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) {
  square += sum_of_squares(g.data(), Index(g.size()));
  const T scale = T(clip_scale(std::sqrt(square), max_norm));
  for (T& number : g) number *= scale;
}
return std::sqrt(square);
// [/hole]
// [/wrong]

// [wrong sum_of_norms "The tensors' norms are added. Lengths do not add up, squares do: one root, of the sum of all squares."]
// [hole clip]
double norm = 0;
for (const std::span<T> g : gradients) norm += std::sqrt(sum_of_squares(g.data(), Index(g.size())));
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T& number : g) number *= scale;
}
return norm;
// [/hole]
// [/wrong]

// [wrong root_missing "The norm is the root of the sum of squares: the root is missing."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) square += sum_of_squares(g.data(), Index(g.size()));
const double norm = square;
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T& number : g) number *= scale;
}
return norm;
// [/hole]
// [/wrong]

// [wrong largest_norm "The largest tensor's norm is taken. The norm is that of all tensors together."]
// [hole clip]
double norm = 0;
for (const std::span<T> g : gradients) {
  norm = std::fmax(norm, std::sqrt(sum_of_squares(g.data(), Index(g.size()))));
}
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T& number : g) number *= scale;
}
return norm;
// [/hole]
// [/wrong]

// [wrong mean_square "The squares are averaged: the norm is the root of their sum, however many there are."]
// [hole clip]
double square = 0, count = 0;
for (const std::span<T> g : gradients) {
  square += sum_of_squares(g.data(), Index(g.size()));
  count += double(g.size());
}
const double norm = std::sqrt(square / count);
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T& number : g) number *= scale;
}
return norm;
// [/hole]
// [/wrong]

// [wrong numbers_clamped "Each number is clamped to ±max_norm, which changes the direction. One factor for all keeps it."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) square += sum_of_squares(g.data(), Index(g.size()));
const double norm = std::sqrt(square);
for (const std::span<T> g : gradients) {
  for (T& number : g) {
    if (max_norm > 0 && number > T(max_norm)) number = T(max_norm);
    if (max_norm > 0 && number < T(-max_norm)) number = T(-max_norm);
  }
}
return norm;
// [/hole]
// [/wrong]

// [wrong clipped_norm_returned "The norm after clipping is returned. Return the one that the gradients had: it is what one wants to watch."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) square += sum_of_squares(g.data(), Index(g.size()));
const double norm = std::sqrt(square);
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T& number : g) number *= scale;
}
return norm * scale;
// [/hole]
// [/wrong]

// [wrong copies_shortened "The gradients stay as they are: a loop over g by value changes copies. Write  for (T& number : g)."]
// [hole clip]
double square = 0;
for (const std::span<T> g : gradients) square += sum_of_squares(g.data(), Index(g.size()));
const double norm = std::sqrt(square);
const T scale = T(clip_scale(norm, max_norm));
for (const std::span<T> g : gradients) {
  for (T number : g) number *= scale;
}
return norm;
// [/hole]
// [/wrong]
