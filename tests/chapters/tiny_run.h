// A run that takes milliseconds, and one for each component of the catalogue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chapters/03_tokens/dataset.h"
#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::testing {

/// A model small enough for a test, with every size different so that a mix-up shows.
inline RunOptions tiny_options() {
  RunOptions o;
  o.layers = 2;
  o.width = 16;
  o.heads = 4;
  o.ffn_width = 24;
  o.length = 12;
  o.batch = 5;  // an odd number: the last chunk has one sequence
  o.steps = 50;
  o.warmup = 5;
  o.init = 0.1;
  return o;
}

inline std::string some_text() {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "the cat " + std::to_string(i * 37 % 101) + " sat. ";
  return text;
}

inline Run tiny_run(const RunOptions& options) {
  return make_run(options,
                  std::make_unique<TextSource>(Dataset(some_text(), Tokenizer::bytes()), 1));
}

/// One run for each component of the catalogue, and some that go together.
inline std::vector<RunOptions> every_component() {
  std::vector<RunOptions> all;
  for (const OptionInfo& info : option_table()) {
    if (info.group != OptionInfo::Group::parts) continue;
    std::vector<std::string> values = info.choices;
    if (info.kind == OptionInfo::Kind::flag) values = {"true", "false"};
    for (std::string value : values) {
      if (value == "gqa:G") value = "gqa:2";
      RunOptions o = tiny_options();
      set_option(o, info.name, value);
      all.push_back(o);
    }
  }
  RunOptions gpt = tiny_options();
  for (const auto& [name, value] : {std::pair{"norm", "layernorm"},
                                    {"position", "learned"},
                                    {"attention", "mha"},
                                    {"ffn", "gelu"},
                                    {"bias", "true"}}) {
    set_option(gpt, name, value);
  }
  all.push_back(gpt);
  gpt.placement = "post";
  all.push_back(gpt);
  gpt.ffn = "solu";
  gpt.placement = "sandwich";
  all.push_back(gpt);
  return all;
}

}  // namespace tpp::testing
