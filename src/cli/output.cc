#include "cli/output.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/file.h"
#include "cli/json_text.h"
#include "cli/text.h"

namespace manman::cli {
namespace {

std::atomic<bool> closed{false};

void to_stderr(const std::string& text) {
  // When even this fails there is no place left to tell it.
  (void)write_all(STDERR_FILENO, as_bytes(text), "standard error");
}

}  // namespace

Result<void> print(std::string_view text) {
  return OutputSink().write(as_bytes(text));
}

bool output_closed() {
  return closed;
}

Result<void> OutputSink::write(ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPIPE) {
      closed = true;
      return fail(Code::kCancelled, "standard output is closed");
    }
    if (count < 0) return fail_errno("write standard output", errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Result<void> print_item(const Globals& globals, const Message& item, const std::string& id_field) {
  if (globals.json()) return print(json_text(item, 2) + "\n");
  if (globals.quiet) return print(field_text(item, id_field) + "\n");
  return print(details(item));
}

Result<void> print_deleted(const Globals& globals, std::string_view what,
                           const std::string& id_field, int64_t id) {
  if (globals.json())
    return print(JsonObject().add(id_field, id).add("deleted", true).text() + "\n");
  if (globals.quiet) return print(std::to_string(id) + "\n");
  return print(std::string(what) + " " + std::to_string(id) + " deleted\n");
}

void print_error(const Globals& globals, const Error& error) {
  if (globals.json()) {
    JsonObject body;
    body.add("code", code_name(error.code)).add("message", error.message).add("hint", error.hint);
    return to_stderr(JsonObject().add("error", body).text() + "\n");
  }
  to_stderr("error: " + escape(error.message) + "\n" +
            (error.hint.empty() ? "" : "hint: " + escape(error.hint) + "\n"));
}

void print_note(const Globals& globals, std::string_view line) {
  if (!globals.quiet && !globals.json()) to_stderr(escape(line) + "\n");
}

ExitCode exit_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return kUsage;
    case Code::kNotFound:
      return kNotFound;
    case Code::kFailedPrecondition:
    case Code::kAlreadyExists:
      return kRefused;
    case Code::kUnavailable:
      return kUnreachable;
    default:
      return kFailed;
  }
}

}  // namespace manman::cli
