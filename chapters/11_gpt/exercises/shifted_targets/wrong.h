// The usual mistakes. Each is what would stand in one of the holes.

// [wrong not_shifted "The target is the token itself: the model would only have to copy its input. The target is the next token."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = text[at];
  }
}
// [/hole]
// [/wrong]

// [wrong shifted_twice "The target is two tokens further. It is the next one: at + 1."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = at + 2 < text.size() ? text[at + 2] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong shifted_back "The shift goes the wrong way: the target is the token before, which the model has already seen."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = at > 0 ? text[at - 1] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong inputs_shifted "The tokens are shifted, too, so the first one of the window is lost. tokens[b, t] is text[offset + t]."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = at + 1 < text.size() ? text[at + 1] : kNoTarget;
    targets[place] = at + 1 < text.size() ? text[at + 1] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong last_ignored "The last place of each window has no target. The text goes on behind the window: only its own last token is without a next."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = t + 1 < T ? text[at + 1] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong last_is_first "The last place of a window gets the window's first token, as if the text went round. Its target stands in the text behind the window."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = text[std::size_t(offsets[b] + (t + 1) % T)];
  }
}
// [/hole]
// [/wrong]

// [wrong last_repeated "The last place of a window gets its own token as target. Its target stands in the text behind the window."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = t + 1 < T ? text[at + 1] : text[at];
  }
}
// [/hole]
// [/wrong]

// [wrong next_row "The targets are the batch's tokens moved by one place, so a window's last target is the next window's first token. Windows have nothing to do with each other."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = kNoTarget;
  }
}
for (std::size_t i = 0; i + 1 < tokens.size(); ++i) targets[i] = tokens[i + 1];
// [/hole]
// [/wrong]

// [wrong end_not_checked "The last token of the text has no next: this reads behind the end, memory that is not the text's. Give kNoTarget there."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = text[at + 1];
  }
}
// [/hole]
// [/wrong]

// [wrong end_is_zero "Behind the end of the text the target is 0, which is a token like others. Nothing to guess is kNoTarget."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = at + 1 < text.size() ? text[at + 1] : 0;
  }
}
// [/hole]
// [/wrong]

// [wrong end_repeated "Behind the end of the text the last token is to be guessed again. Nothing to guess is kNoTarget."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = at + 1 < text.size() ? text[at + 1] : text[at];
  }
}
// [/hole]
// [/wrong]

// [wrong column_major "The places are t·B + b: rows and columns are swapped. A window's tokens stand together, at b·T + t."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = std::size_t(t) * offsets.size() + b;
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = text[at];
    targets[place] = at + 1 < text.size() ? text[at + 1] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong offsets_ignored "All windows follow each other from the start of the text. Window b starts at offsets[b]."]
// [hole batch]
for (std::size_t b = 0; b < offsets.size(); ++b) {
  for (int t = 0; t < T; ++t) {
    const std::size_t place = b * std::size_t(T) + std::size_t(t);
    const std::size_t at = std::size_t(offsets[b] + t);
    tokens[place] = place < text.size() ? text[place] : 0;
    targets[place] = place + 1 < text.size() ? text[place + 1] : kNoTarget;
  }
}
// [/hole]
// [/wrong]

// [wrong divided_by_all "The sum is divided by the number of places. Those without a target do not count."]
// [hole loss]
double sum = 0;
for (std::size_t i = 0; i < targets.size(); ++i) {
  if (targets[i] != kNoTarget) sum += losses[i];
}
return sum / double(targets.size());
// [/hole]
// [/wrong]

// [wrong ignored_counted "Losses without a target are added, too. Such a place asks for nothing."]
// [hole loss]
double sum = 0;
for (const double l : losses) sum += l;
return sum / double(losses.size());
// [/hole]
// [/wrong]

// [wrong sum_over_targets "All losses are added, and the sum is divided by the number of targets. Leave out the losses of places without one, too."]
// [hole loss]
double sum = 0, count = 0;
for (std::size_t i = 0; i < targets.size(); ++i) {
  sum += losses[i];
  count += targets[i] != kNoTarget ? 1 : 0;
}
return count > 0 ? sum / count : 0;
// [/hole]
// [/wrong]

// [wrong zero_ignored "Target 0 is left out. It is a token like others; only kNoTarget, which is −1, asks for nothing."]
// [hole loss]
double sum = 0, count = 0;
for (std::size_t i = 0; i < targets.size(); ++i) {
  if (targets[i] <= 0) continue;
  sum += losses[i];
  ++count;
}
return count > 0 ? sum / count : 0;
// [/hole]
// [/wrong]

// [wrong not_divided "The sum is returned. The loss is a mean: it must not grow with the batch."]
// [hole loss]
double sum = 0;
for (std::size_t i = 0; i < targets.size(); ++i) {
  if (targets[i] != kNoTarget) sum += losses[i];
}
return sum;
// [/hole]
// [/wrong]

// [wrong nothing_is_nan "Where no place has a target, 0 is divided by 0. The task asks for 0 there."]
// [hole loss]
double sum = 0, count = 0;
for (std::size_t i = 0; i < targets.size(); ++i) {
  if (targets[i] == kNoTarget) continue;
  sum += losses[i];
  ++count;
}
return sum / count;
// [/hole]
// [/wrong]
