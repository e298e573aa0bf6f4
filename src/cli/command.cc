#include "cli/command.h"

#include <CLI/CLI.hpp>
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

std::string footer(const std::vector<std::string>& examples) {
  std::string text = "Examples:\n";
  for (const std::string& example : examples) text += "  " + example + "\n";
  return text +
         "\nEvery command also takes --api HOST:PORT, -o text|json, --timeout SECONDS and -q "
         "(see 'manman --help').";
}

// An empty default says nothing.
Argument argument(CLI::Option* option, const std::string& description, bool has_default) {
  option->description(description);
  if (!has_default) option->default_str("");
  return Argument(option);
}

}  // namespace

Argument& Argument::required() {
  option_->required();
  return *this;
}

Argument& Argument::variable(const std::string& name) {
  option_->envname(name);
  return *this;
}

Argument& Argument::value(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Argument& Argument::range(int64_t least, int64_t most) {
  option_->check(CLI::Range(least, most).description(""));
  return *this;
}

Argument& Argument::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words).description(""));
  std::string name;
  for (const std::string& word : words) name += (name.empty() ? "" : "|") + word;
  return value(name);
}

Command Command::group(const std::string& name, const std::string& description) {
  CLI::App* group = app_->add_subcommand(name, description);
  group->require_subcommand(1);
  group->footer("'manman " + name + " COMMAND --help' shows the options of a command.");
  return Command(group);
}

Command Command::command(const std::string& name, const std::string& description,
                         const std::vector<std::string>& examples) {
  CLI::App* command = app_->add_subcommand(name, description);
  command->footer(footer(examples));
  return Command(command);
}

Command Command::hidden_command(const std::string& name, const std::string& description,
                                const std::vector<std::string>& examples) {
  const Command hidden = command(name, description, examples);
  hidden.app_->group("");
  return hidden;
}

void Command::on_run(Context& context, std::function<Result<int>()> work) {
  app_->callback([&context, work = std::move(work)] { context.action = work; });
}

Argument Command::add(const std::string& name, std::string& value, const std::string& description) {
  return argument(app_->add_option(name, value), description, !value.empty());
}

Argument Command::add(const std::string& name, std::filesystem::path& value,
                      const std::string& description) {
  CLI::Option* option = app_->add_option_function<std::string>(
      name, [&value](const std::string& text) { value = text; });
  return argument(option->default_str(value.string()), description, !value.empty());
}

Argument Command::add(const std::string& name, int& value, const std::string& description) {
  return argument(app_->add_option(name, value), description, true);
}

Argument Command::add(const std::string& name, uint32_t& value, const std::string& description) {
  return argument(app_->add_option(name, value), description, true);
}

Argument Command::add(const std::string& name, std::vector<std::string>& values,
                      const std::string& description) {
  CLI::Option* option = app_->add_option(name, values);
  if (name.starts_with('-')) option->expected(1)->take_all()->allow_extra_args(false);
  return argument(option, description, false);
}

Argument Command::add_id(const std::string& name, int64_t& id, const std::string& description) {
  CLI::Option* option = app_->add_option(name, id);
  option->check(CLI::Validator(check_id, ""))->type_name("ID");
  return argument(option, description, false);
}

void Command::add_flag(const std::string& name, bool& value, const std::string& description) {
  app_->add_flag(name, value, description);
}

std::string Command::words() const {
  const CLI::App* parent = app_->get_parent();
  return (parent == nullptr ? "" : Command(app_->get_parent()).words() + " ") + app_->get_name();
}

}  // namespace manman::cli
