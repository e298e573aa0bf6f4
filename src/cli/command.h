#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

// How the verbs describe themselves to the parser. CLI11 stands behind it and is seen by one file
// only: its headers cost every file that includes them seconds of compiling.
namespace manman::cli {

// An option or argument just added; these say more about it. A value of the wrong kind is a usage
// error before the command runs.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument& required();
  // The environment variable that gives the value when the command line does not.
  Argument& variable(const std::string& name);
  // What help calls the value: "HOST:PORT".
  Argument& value(const std::string& name);
  Argument& range(int64_t least, int64_t most);
  Argument& one_of(const std::vector<std::string>& words);

 private:
  CLI::Option* option_;
};

// A command, a group of commands, or the whole program. A name with dashes is an option
// ("-m,--message"), one without is a positional argument. The variables given must live as long
// as the parser.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  // A command without work of its own: `manman backup`.
  Command group(const std::string& name, const std::string& description);
  // One with work, and examples for its --help (at least one).
  Command command(const std::string& name, const std::string& description,
                  const std::vector<std::string>& examples);
  // The same, for a command that is not for people: help does not list it.
  Command hidden_command(const std::string& name, const std::string& description,
                         const std::vector<std::string>& examples);
  void on_run(Context& context, std::function<Result<int>()> work);

  Argument add(const std::string& name, std::string& value, const std::string& description);
  Argument add(const std::string& name, std::filesystem::path& value,
               const std::string& description);
  Argument add(const std::string& name, int& value, const std::string& description);
  Argument add(const std::string& name, uint32_t& value, const std::string& description);
  // An option that may come more than once; a positional takes all words that are left.
  Argument add(const std::string& name, std::vector<std::string>& values,
               const std::string& description);
  // An id: a whole number from 1, in decimal digits.
  Argument add_id(const std::string& name, int64_t& id, const std::string& description);
  void add_flag(const std::string& name, bool& value, const std::string& description);

  // "manman backup".
  std::string words() const;

 private:
  CLI::App* app_;
};

}  // namespace manman::cli
