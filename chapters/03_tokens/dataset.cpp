#include "chapters/03_tokens/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "chapters/01_tensor/errors.h"
#include "chapters/01_tensor/random.h"
#include "chapters/03_tokens/baselines.h"
#include "chapters/03_tokens/pretokenise.h"

namespace tpp {
namespace {

std::size_t training_share(std::size_t n) { return n - n / 10; }

}  // namespace

std::string_view training_part(std::string_view text) {
  return text.substr(0, training_share(text.size()));
}

// ---------------------------------------------------------------------------------------------------
// The tokens of a text

Dataset::Dataset(TextFile file, Tokenizer tokenizer)
    : text_(std::move(file)), tokenizer_(std::move(tokenizer)) {
  encode();
}

Dataset::Dataset(std::string text, Tokenizer tokenizer)
    : text_(std::move(text)), tokenizer_(std::move(tokenizer)) {
  encode();
}

std::string_view Dataset::text() const {
  if (const auto* file = std::get_if<TextFile>(&text_)) return file->view();
  return std::get<std::string>(text_);
}

void Dataset::encode() {
  bytes_ = text().size();
  if (bytes_ == 0) throw InputError("The text is empty: there is nothing to learn from.");
  if (tokenizer_.is_bytes()) return;  // bytes are their own tokens

  // Make the tokens once; from then on the text itself is not needed
  tokenizer_.encode(text(), [&](std::span<const int> piece) {
    for (const int token : piece) encoded_.push_back(static_cast<std::uint16_t>(token));
  });
  encoded_.shrink_to_fit();
  text_ = std::string();
}

std::size_t Dataset::size() const { return encoded_.empty() ? bytes_ : encoded_.size(); }
std::size_t Dataset::train_size() const { return training_share(size()); }

int Dataset::operator[](std::size_t i) const {
  return encoded_.empty() ? static_cast<unsigned char>(text()[i]) : encoded_[i];
}

void Dataset::copy(std::size_t begin, std::span<int> out) const {
  if (begin > size() || out.size() > size() - begin) {
    throw std::out_of_range("Dataset::copy: the window ends behind the text");
  }
  if (!encoded_.empty()) {
    std::copy_n(encoded_.begin() + std::ptrdiff_t(begin), out.size(), out.begin());
    return;
  }
  const std::string_view window = text().substr(begin, out.size());
  std::transform(window.begin(), window.end(), out.begin(),
                 [](char c) { return static_cast<unsigned char>(c); });
}

// ---------------------------------------------------------------------------------------------------
// Batches

TextSource open_text(const std::filesystem::path& path, std::string_view tokenizer,
                     std::uint64_t seed, const TokenizerProgress& progress) {
  TextFile file(path);
  Tokenizer learned = Tokenizer::make(tokenizer, training_part(file.view()), progress);
  return {Dataset(std::move(file), std::move(learned)), seed, path.filename().string()};
}

TextSource::TextSource(Dataset data, std::uint64_t seed, std::string name)
    : data_(std::move(data)), seed_(seed), name_(std::move(name)) {}

void TextSource::require(int T) const {
  // The shorter part is the last tenth, and a window with its shifted targets takes T + 1 tokens
  const std::size_t have = data_.validation_size();
  if (T >= 1 && have >= std::size_t(T) + 1) return;
  const std::string length = std::to_string(data_.size()) + " tokens";
  if (T < 1) {
    throw InputError("A context of T = " + std::to_string(T) +
                     " tokens is not possible: T must be at least 1.");
  }
  std::string advice = "give a longer text";
  if (have >= 2) advice += ", or set T to " + std::to_string(have - 1) + " or less";
  throw InputError("The text is too short: it has " + length + ", and T = " + std::to_string(T) +
                   " needs " + std::to_string(10 * (std::size_t(T) + 1)) +
                   " (its last tenth is for validation and must hold T + 1): " + advice + ".");
}

// [snip train_offset]
std::size_t TextSource::train_offset(std::uint64_t step, int b, int T) const {
  const std::uint64_t stream = name_hash("tokens/train window");
  const std::size_t places = data_.train_size() - std::size_t(T);  // 0 … train_size − T − 1
  return random_bits(seed_, stream + std::uint64_t(b), step) % places;
}
// [/snip]

std::size_t TextSource::validation_offset(std::uint64_t window, int T) const {
  constexpr std::uint64_t kGoldenRatio =
      0x9E3779B97F4A7C15;  // (φ − 1)·2⁶⁴: products wrap, like mod 1
  const std::size_t places = data_.validation_size() - std::size_t(T);
  const double fraction = double(window * kGoldenRatio >> 11) * 0x1p-53;  // in [0, 1)
  return data_.train_size() + std::min(std::size_t(fraction * double(places)), places - 1);
}

// [snip fill]
void TextSource::fill(Batch& batch, int b, std::size_t offset) const {
  const std::size_t T = std::size_t(batch.T), row = std::size_t(b) * T;
  data_.copy(offset, std::span(batch.tokens).subspan(row, T));
  data_.copy(offset + 1, std::span(batch.targets).subspan(row, T));  // the next token
}
// [/snip]

void TextSource::train(std::uint64_t step, Batch& batch) const {
  require(batch.T);
  for (int b = 0; b < batch.B; ++b) fill(batch, b, train_offset(step, b, batch.T));
}

void TextSource::validation(std::uint64_t i, Batch& batch) const {
  require(batch.T);
  for (int b = 0; b < batch.B; ++b) {
    const std::uint64_t window = i * std::uint64_t(batch.B) + std::uint64_t(b);
    fill(batch, b, validation_offset(window, batch.T));
  }
}

std::string TextSource::describe_text() const {
  char size[64];
  std::snprintf(size, sizeof size, "%.2f MB, %.2f million tokens", double(data_.bytes()) / 1e6,
                double(data_.size()) / 1e6);
  return name_ + ": " + size + " (" + data_.tokenizer().name() +
         "), the last tenth for validation. ";
}

std::string TextSource::describe() const {
  return describe_text() + "The model guesses every next token.";
}

std::vector<Baseline> TextSource::baselines() const {
  return {{"uniform", std::log(double(vocabulary()))},
          {"unigram", unigram_entropy(data_)},
          {"bigram", bigram_entropy(data_)}};
}

std::string TextSource::prompt() const {
  // The first words of the validation part that start a line, or its first bytes
  constexpr std::size_t kSearch = 4096, kLength = 24;
  std::vector<int> tokens(std::min(kSearch, data_.validation_size()));
  data_.copy(data_.train_size(), tokens);
  const std::string text = data_.tokenizer().decode(tokens);
  const std::size_t line = text.find("\n\n");
  std::string start = text.substr(line == std::string::npos ? 0 : line + 2, kLength);
  if (const std::size_t space = start.rfind(' '); space != std::string::npos && space > 0) {
    start.resize(space);
  }
  return start.empty() ? text.substr(0, kLength) : start;
}

}  // namespace tpp
