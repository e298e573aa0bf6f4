#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"
#include "cli/cli.h"
#include "cli/context.h"
#include "cli/message_format.h"

namespace manman::cli {

// Writes to standard output, all of it. When the reader has gone (`| head`) the error is kCancelled
// and output_closed() says so from then on; nobody is left to read a message about it.
Result<void> print(std::string_view text);
bool output_closed();

// Standard output as a Sink, with print()'s rule.
class OutputSink final : public Sink {
 public:
  Result<void> write(ConstBytes bytes) override;
};

// One message: "field: value" lines, a JSON object, or with --quiet only the field id_field.
Result<void> print_item(const Globals& globals, const Message& item, const std::string& id_field);

// That something is deleted: a line of text, or a JSON object with its id.
Result<void> print_deleted(const Globals& globals, std::string_view what,
                           const std::string& id_field, int64_t id);

// An error on standard error: text, or {"error":{"code","message","hint"}}.
void print_error(const Globals& globals, const Error& error);
// A line for a person on standard error; none with --quiet or JSON.
void print_note(const Globals& globals, std::string_view line);

// The exit code that stands for an error.
ExitCode exit_code(Code code);

}  // namespace manman::cli
