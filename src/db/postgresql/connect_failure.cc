#include "db/postgresql/connect_failure.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <regex>

namespace manman::db {
namespace {

using std::chrono::steady_clock;
using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

constexpr std::chrono::seconds kPatience{5};

// Waits for what libpq waits for; false when the time is over.
bool wait_for(PGconn* connection, PostgresPollingStatusType wants, steady_clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
  pollfd socket{.fd = PQsocket(connection), .events = POLLIN};
  if (wants == PGRES_POLLING_WRITING) socket.events = POLLOUT;
  return left > 0 && ::poll(&socket, 1, static_cast<int>(left)) > 0;
}

// The SQLSTATE with which the server turns us away, "" when it does not. A connection that has
// failed only says so among the words of its message, in the server's language, and only when it
// was asked for that before.
std::string state_of_refusal(const std::string& conninfo) {
  const Connection connection(PQconnectStart(conninfo.c_str()), &PQfinish);
  if (!connection) return "";
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  const auto until = steady_clock::now() + kPatience;
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && wants != PGRES_POLLING_OK &&
         wants != PGRES_POLLING_FAILED) {
    if (!wait_for(connection.get(), wants, until)) return "";
    wants = PQconnectPoll(connection.get());
  }
  const std::string message = PQerrorMessage(connection.get());
  std::smatch found;
  static const std::regex pattern(":  ([0-9A-Z]{5}): ");
  return std::regex_search(message, found, pattern) ? found[1].str() : "";
}

bool starts_with_any(const std::string& text, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](auto each) { return text.starts_with(each); });
}

bool has_any(const std::string& text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(parts,
                             [&](auto part) { return text.find(part) != std::string::npos; });
}

}  // namespace

Error connect_failure(const PostgresqlSettings& settings, const std::string& said) {
  std::string reason = settings.presentable(said);
  // SOCI's clause, which says what ours says.
  constexpr std::string_view kSoci = "Cannot establish connection to the database. ";
  if (reason.starts_with(kSoci)) reason.erase(0, kSoci.size());
  Error error{Code::kUnavailable, settings.name + ": " + reason, true};
  const bool nobody_there = has_any(reason, {"timeout expired"});
  const std::string state = nobody_there ? "" : state_of_refusal(settings.conninfo);
  // Authorization, no such database, no right, or a setting among the options.
  if (has_any(reason, {"unsupported startup parameter"})) {
    error = Error{Code::kInvalidArgument, settings.name + ": " + reason}.with_hint(
        "is it PgBouncer? It wants ignore_startup_parameters = options, and pool_mode = session");
  } else if (starts_with_any(state, {"28", "3D", "42", "22"}) ||
             // What libpq itself finds; its words are English, as this program sets no locale.
             has_any(reason, {"SSL", "certificate", "no password supplied", "invalid "})) {
    error.code = Code::kInvalidArgument;
    error.retryable = false;
  } else if (state.empty()) {
    error.hint = "does the server run, and are host and port of PG_DATABASE_URL right?";
  }
  return error;
}

}  // namespace manman::db
