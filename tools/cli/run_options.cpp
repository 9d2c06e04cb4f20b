#include "tools/cli/run_options.h"

namespace tpp {
namespace {

std::string group_title(OptionInfo::Group group) {
  switch (group) {
    case OptionInfo::Group::parts:
      return "The model's parts";
    case OptionInfo::Group::sizes:
      return "Its sizes";
    case OptionInfo::Group::text:
      return "What it learns from";
    case OptionInfo::Group::training:
      return "How it learns";
  }
  return "";
}

/// What stands beside the option's name in the help: its choices or its kind, and the default.
std::string type_text(const OptionInfo& info) {
  std::string text;
  switch (info.kind) {
    case OptionInfo::Kind::choice:
      for (const std::string& choice : info.choices) text += (text.empty() ? "" : "|") + choice;
      break;
    case OptionInfo::Kind::flag:
      text = "[true|false]";
      break;
    case OptionInfo::Kind::integer:
      text = "N";
      break;
    case OptionInfo::Kind::number:
      text = "X";
      break;
    case OptionInfo::Kind::text:
      text = "TEXT";
      break;
  }
  return text + " (" + get_option(RunOptions{}, info.name) + ")";
}

}  // namespace

void TypedOptions::add_to(CLI::App& app) {
  std::string names, lines;
  for (const RecipeInfo& recipe : recipes()) {
    names += (names.empty() ? "" : "|") + recipe.name;
    lines += (lines.empty() ? "" : "; ") + recipe.name + ": " + recipe.help;
  }
  app.add_option("--recipe", recipe_, "all parts and sizes at once. " + lines)
      ->type_name(names + " (llama)")
      ->group(group_title(OptionInfo::Group::parts));

  for (const OptionInfo& info : option_table()) {
    CLI::Option* option = app.add_option_function<std::string>(
        "--" + info.name,
        [this, name = info.name](const std::string& value) { typed_[name] = value; }, info.help);
    option->type_name(type_text(info))
        ->group(group_title(info.group))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    if (info.kind == OptionInfo::Kind::flag) option->expected(0, 1);
  }
}

void TypedOptions::apply(RunOptions& options) const {
  if (!recipe_.empty()) apply_recipe(options, recipe_);
  for (const auto& [name, value] : typed_)
    set_option(options, name, value.empty() ? "true" : value);
}

}  // namespace tpp
