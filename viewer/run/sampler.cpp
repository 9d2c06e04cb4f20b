// Text written by the model of one step, a few tokens at a time.
#include "viewer/run/sampler.h"

#include <algorithm>

#include "viewer/run/labels.h"

namespace tpp::viewer {

void Sampler::set_prompt(const std::string& prompt) {
  prompt_ = prompt;
  prompt_tokens_.clear();
  complete_ = {};  // what was written after another prompt is of no interest any more
}

const std::vector<int>& Sampler::prompt_tokens() {
  if (prompt_tokens_.empty()) {
    prompt_tokens_ =
        prompt_.empty() ? run_.source->opening() : run_.source->tokenizer().encode(prompt_);
    if (prompt_tokens_.empty()) prompt_tokens_ = {'\n'};  // a model can only continue something
  }
  return prompt_tokens_;
}

void Sampler::start(int count) {
  const float* values = run_.trainer->values();
  const bool moved = weights_.empty();
  weights_.assign(values, values + run_.model->table().extent());
  if (moved || !generator_) generator_.emplace(*run_.model, weights_.data(), run_.options.seed);
  if (fills_blanks()) {
    const FilledRow row = fill_row(*run_.source, *generator_, run_.options.length);
    current_ = {"Hidden tokens, filled in brackets; " + std::to_string(row.right) + " of " +
                    std::to_string(row.blanks) + " right:\n\n",
                valid_utf8(row.filled), run_.trainer->steps_done(), true};
    complete_ = current_;
    left_ = 0;
    return;
  }
  tokens_ = prompt_tokens();
  prompt_size_ = std::ptrdiff_t(tokens_.size());
  current_ = {run_.source->tokenizer().decode(tokens_), "", run_.trainer->steps_done()};
  current_.prompt = valid_utf8(current_.prompt);
  left_ = count;
  if (run_.options.objective == "span") {  // the answers to a row's gaps end with the row
    left_ = std::clamp(run_.options.length - int(tokens_.size()), 1, count);
  }
}

void Sampler::advance() {
  generator_->generate(tokens_, 1, config_);
  const std::span<const int> written(tokens_.begin() + prompt_size_, tokens_.end());
  current_.text = valid_utf8(run_.source->tokenizer().decode(written));
  if (--left_ > 0) return;
  current_.whole = true;
  complete_ = current_;
}

const Sampler::Text& Sampler::shown(bool partial) const {
  return complete_.step < 0 || (partial && current_.step >= 0) ? current_ : complete_;
}

}  // namespace tpp::viewer
