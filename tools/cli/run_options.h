// Command-line options made from the catalogue's table.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp {

/// What the reader typed: applied to options in the order that makes sense, not in the order typed.
class TypedOptions {
 public:
  /// Add --recipe and every option of the table to `app`. Keep this object where it is until
  /// parsing is over.
  void add_to(CLI::App& app);

  /// The recipe first, then single options. Errors: InputError.
  void apply(RunOptions& options) const;

  [[nodiscard]] bool has(const std::string& name) const { return typed_.contains(name); }
  [[nodiscard]] const std::map<std::string, std::string>& typed() const { return typed_; }
  [[nodiscard]] bool has_recipe() const { return !recipe_.empty(); }

 private:
  std::string recipe_;
  std::map<std::string, std::string> typed_;
};

}  // namespace tpp
