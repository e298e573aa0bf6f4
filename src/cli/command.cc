#include "cli/command.h"

#include <charconv>

namespace manman::cli {
namespace {

// CLI11 by itself would read 010 as eight and 0x1 as one.
std::string check_id(std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0 && text[0] != '0')
    return {};
  return "'" + text + "' is not an id (a whole number from 1)";
}

}  // namespace

CLI::App* add_group(CLI::App& parent, const std::string& name, const std::string& description) {
  CLI::App* group = parent.add_subcommand(name, description);
  group->require_subcommand(1);
  group->footer("'manman " + name + " COMMAND --help' shows the options of a command.");
  return group;
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::vector<std::string>& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  std::string footer = "Examples:\n";
  for (const std::string& example : examples) footer += "  " + example + "\n";
  footer +=
      "\nEvery command also takes --api HOST:PORT, -o text|json, --timeout SECONDS and -q "
      "(see 'manman --help').";
  command->footer(footer);
  return command;
}

void on_run(CLI::App* command, Context& context, std::function<Result<int>()> action) {
  command->callback([&context, action = std::move(action)] { context.action = action; });
}

CLI::Option* add_id(CLI::App* command, const std::string& name, int64_t& id,
                    const std::string& description) {
  CLI::Option* option = command->add_option(name, id, description);
  option->check(CLI::Validator(check_id, "ID"))->type_name("")->default_str("");
  return option;
}

}  // namespace manman::cli
