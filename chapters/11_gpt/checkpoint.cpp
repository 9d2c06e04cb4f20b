#include "chapters/11_gpt/checkpoint.h"

#include <array>
#include <charconv>
#include <cstring>

namespace tpp {
namespace {

std::array<std::int64_t, 2> shape(const ParameterInfo& info) { return {info.rows, info.cols}; }

}  // namespace

// [snip save_checkpoint]
void save_checkpoint(const std::filesystem::path& path, const ParameterTable& table,
                     const TrainState& state, const Metadata& metadata) {
  std::vector<TensorView> tensors;
  const auto add = [&](const std::string& prefix, const LineVector<float>& numbers) {
    if (numbers.empty()) return;
    for (const ParameterInfo& info : table.list()) {
      const auto own =
          std::span(numbers).subspan(std::size_t(info.offset), std::size_t(info.size()));
      tensors.push_back(
          {prefix + info.name, Dtype::F32, {info.rows, info.cols}, std::as_bytes(own)});
    }
  };
  add("", state.values);
  add("optimizer/m/", state.m);
  add("optimizer/v/", state.v);

  Metadata all = metadata;
  all["step"] = std::to_string(state.step);
  save_safetensors(path, all, tensors);
}
// [/snip]

TrainState read_state(const SafeTensors& file, const ParameterTable& table) {
  TrainState state;
  const auto step = file.metadata().find("step");
  if (step == file.metadata().end()) {
    throw InputError(
        "this file is no checkpoint of a run: its metadata have no \"step\". Give a file "
        "that train --checkpoint wrote");
  }
  const std::string& text = step->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), state.step);
  if (error != std::errc() || end != text.data() + text.size() || state.step < 0) {
    throw InputError("the checkpoint's step is \"" + text +
                     "\", which is no number of steps: the file "
                     "is damaged, use another");
  }

  const auto read = [&](const std::string& prefix, LineVector<float>& numbers) {
    numbers.assign(std::size_t(table.extent()), 0);
    for (const ParameterInfo& info : table.list()) {
      const auto bytes = file.bytes(prefix + info.name, Dtype::F32, shape(info));
      std::memcpy(numbers.data() + info.offset, bytes.data(), bytes.size());
    }
  };
  const auto has = [&](const std::string& prefix) {
    return table.count() > 0 && file.contains(prefix + table[0].name);
  };
  read("", state.values);
  if (has("optimizer/m/")) read("optimizer/m/", state.m);
  if (has("optimizer/v/")) read("optimizer/v/", state.v);
  return state;
}

}  // namespace tpp
