// The program `tpp`: train, generate, info, text.
#include <iostream>
#include <new>

#include "tools/cli/commands.h"

int main(int argc, char** argv) {
  CLI::App program(
      "Transformer++: the modern Transformer, one component at a time.\n"
      "Train a model, write text with it, look at what it holds.",
      "./run");
  program.require_subcommand(1);
  program.set_help_all_flag("--help-all", "the options of every command");
  program.get_formatter()->column_width(38);

  std::vector<std::pair<CLI::App*, tpp::Command>> commands;
  const auto add = [&](tpp::Command command) {
    commands.emplace_back(program.get_subcommands({}).back(), std::move(command));
  };
  add(tpp::add_train(program));
  add(tpp::add_generate(program));
  add(tpp::add_info(program));
  add(tpp::add_text(program));

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = program.exit(e);
    return code == 0 ? 0 : 2;
  }
  try {
    for (const auto& [app, command] : commands) {
      if (app->parsed()) return command();
    }
  } catch (const tpp::InputError& e) {
    std::cerr << e.what() << "\n";
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr
        << "There is not enough memory for this: choose a smaller --width, --layers, --length or "
           "--batch\n";
    return 2;
  }
  return 2;
}
