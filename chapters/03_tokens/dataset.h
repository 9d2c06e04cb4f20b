// A text as training data: the first nine tenths to learn from, the last tenth to be judged by.
//
// Sequences are windows at random places. The place is a function of (seed, step, sequence), so the
// data position of a run is its step number, and there is nothing else to save.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chapters/03_tokens/batch.h"
#include "chapters/03_tokens/text_file.h"
#include "chapters/03_tokens/tokenizer.h"

namespace tpp {

/// The part of a text that a tokenizer may learn from: the first nine tenths of its bytes.
[[nodiscard]] std::string_view training_part(std::string_view text);

/// The tokens of a text. Bytes are read straight from the file; other tokens are made once and kept
/// in 16 bits each.
///
/// Errors  InputError on an empty text
/// Cost    nothing for bytes; one encoding and 2 bytes a token otherwise
class Dataset {
 public:
  Dataset(TextFile file, Tokenizer tokenizer);
  Dataset(std::string text, Tokenizer tokenizer);

  [[nodiscard]] std::size_t size() const;        // tokens in all
  [[nodiscard]] std::size_t train_size() const;  // tokens [0, train_size) are for training
  [[nodiscard]] std::size_t validation_size() const { return size() - train_size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of the text
  [[nodiscard]] double bytes_per_token() const { return double(bytes_) / double(size()); }

  [[nodiscard]] int operator[](std::size_t i) const;       // i < size()
  void copy(std::size_t begin, std::span<int> out) const;  // tokens [begin, begin + out.size())
  [[nodiscard]] const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  void encode();
  [[nodiscard]] std::string_view text() const;

  std::variant<TextFile, std::string> text_;
  Tokenizer tokenizer_;
  std::vector<std::uint16_t> encoded_;  // empty for bytes
  std::size_t bytes_ = 0;
};

/// Causal batches of a text: windows of T tokens, targets shifted by one.
///
/// Training windows start anywhere in the training part; the validation windows are spread evenly
/// over the validation part, however many are taken (window j starts at the fraction j·φ mod 1, φ
/// the golden ratio). No window crosses from one part into the other.
class TextSource : public BatchSource {
 public:
  TextSource(Dataset data, std::uint64_t seed, std::string name = "text");

  void train(std::uint64_t step, Batch& batch) const override;
  void validation(std::uint64_t i, Batch& batch) const override;
  void require(int T) const override;
  [[nodiscard]] const Tokenizer& tokenizer() const override { return data_.tokenizer(); }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<Baseline> baselines() const override;
  [[nodiscard]] std::string prompt() const override;

  /// Where the window of sequence b at a step starts, in tokens. T as in the batch.
  [[nodiscard]] std::size_t train_offset(std::uint64_t step, int b, int T) const;
  [[nodiscard]] std::size_t validation_offset(std::uint64_t window, int T) const;
  [[nodiscard]] const Dataset& data() const { return data_; }
  [[nodiscard]] std::string describe_text() const;  // what it is, without what is asked

 private:
  void fill(Batch& batch, int b, std::size_t offset) const;

  Dataset data_;
  std::uint64_t seed_;
  std::string name_;
};

/// A file as a source: "bytes", or "bpe:1024" or "unigram:1024" learned from its training part.
///
/// Errors  InputError from TextFile and Tokenizer::make
[[nodiscard]] TextSource open_text(const std::filesystem::path& path, std::string_view tokenizer,
                                   std::uint64_t seed, const TokenizerProgress& progress = {});

}  // namespace tpp
