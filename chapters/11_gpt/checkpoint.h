// A run on disk: parameters, optimiser state and configuration in one safetensors file.
#pragma once

#include <filesystem>
#include <string>

#include "chapters/02_tape/parameters.h"
#include "chapters/11_gpt/safetensors.h"
#include "chapters/11_gpt/trainer.h"

namespace tpp {

/// Save a state. The previous file at `path` stays whole until the new one is complete.
///
/// Tensors  each parameter by its name; "optimizer/m/…" and "optimizer/v/…" as far as they exist
/// Metadata what the caller gives (the configuration, by option name), and "step"
/// Errors   InputError, one sentence: the path, the reason, what to do
void save_checkpoint(const std::filesystem::path& path, const ParameterTable& table,
                     const TrainState& state, const Metadata& metadata);

/// Read the state of a model with this table.
///
/// Errors   InputError, one sentence, when the file is damaged or from elsewhere, or when a parameter
///          is missing or has another shape
[[nodiscard]] TrainState read_state(const SafeTensors& file, const ParameterTable& table);

}  // namespace tpp
