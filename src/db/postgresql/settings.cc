#include "db/postgresql/settings.h"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string_view>
#include <utility>

namespace manman::db {
namespace {

using Options = std::map<std::string, std::string, std::less<>>;

// The URL goes before these.
constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"application_name", "manman"},
    {"connect_timeout", "5"},  // seconds, for each address
    {"keepalives", "1"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},  // ms
};

// Settings of a connection's session in the server; of two for one name the later counts. Without
// seqscan a small table is read by its index too: a serializable transaction that has read all of a
// table is in conflict with whoever writes to it. What has no index then looks so dear that the
// server would compile its plan each time (jit), which takes some 100 ms.
constexpr std::string_view kSessionDefaults =
    "-c statement_timeout=15s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s "
    "-c enable_seqscan=off -c jit=off";
constexpr std::string_view kSessionAlways =
    "-c timezone=UTC -c datestyle=ISO -c default_transaction_isolation=serializable "
    "-c standard_conforming_strings=on";

std::unexpected<Error> unreadable(std::string_view why) {
  return std::unexpected(
      Error{Code::kInvalidArgument, "PG_DATABASE_URL " + std::string(why)}.with_hint(
          "it looks like postgres://user:password@host:5432/dbname?sslmode=require; in user and "
          "password, characters other than letters and digits are percent-encoded (@ is %40)"));
}

// libpq ends a password at its first @ or /, and would take the rest for a host or a database.
Result<void> check_shape(const std::string& url) {
  if (url.find('\0') != std::string::npos) return unreadable("holds a NUL character");
  const size_t authority = url.find("://") + 3;
  const size_t at = url.find('@', authority);
  if (at == std::string::npos) return {};
  if (url.find('@', at + 1) != std::string::npos || url.find_first_of("/?", authority) < at) {
    return unreadable("has an @, / or ? within user or password");
  }
  return {};
}

Result<Options> read(const std::string& url) {
  TRY(check_shape(url));
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(url.c_str(), &why), &PQconninfoFree);
  if (why != nullptr) PQfreemem(why);  // it quotes the URL
  if (!parsed) return unreadable("is not a URL that PostgreSQL's library can read");
  Options options;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; option++) {
    if (option->val != nullptr) options[option->keyword] = option->val;
  }
  return options;
}

std::string value_of(const Options& options, std::string_view name, std::string_view otherwise) {
  const auto found = options.find(name);
  return found == options.end() || found->second.empty() ? std::string(otherwise) : found->second;
}

std::string joined(const Options& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += name + "='";
    for (const char c : value) {
      if (c == '\\' || c == '\'') text += '\\';
      text += c;
    }
    text += "' ";
  }
  return text;
}

}  // namespace

Result<PostgresqlSettings> PostgresqlSettings::parse(const std::string& url) {
  Options options = TRY(read(url));
  const std::string port = value_of(options, "port", "5432");
  if (port.find_first_not_of("0123456789,") != std::string::npos) {
    return unreadable("has a port that is not a number");
  }
  PostgresqlSettings settings;
  settings.password = value_of(options, "password", "");
  settings.name = "database " +
                  value_of(options, "dbname", value_of(options, "user", "(default)")) + " at " +
                  value_of(options, "host", value_of(options, "hostaddr", "localhost")) + ":" +
                  port + " (PG_DATABASE_URL)";
  for (const auto& [name, value] : kDefaults) options.try_emplace(std::string(name), value);
  options["client_encoding"] = "UTF8";
  options["options"] = std::string(kSessionDefaults) + " " + value_of(options, "options", "") +
                       " " + std::string(kSessionAlways);
  settings.conninfo = joined(options);
  return settings;
}

std::string PostgresqlSettings::presentable(const std::string& message) const {
  std::string line;
  for (const char c : message) {
    const bool space = c == '\n' || c == '\t' || c == ' ';
    if (space && (line.empty() || line.back() == ' ')) continue;
    line += space ? ' ' : c;
  }
  while (line.ends_with(' ')) line.pop_back();
  if (password.empty()) return line;
  for (size_t at = 0; (at = line.find(password, at)) != std::string::npos; at += 3) {
    line.replace(at, password.size(), "***");
  }
  return line;
}

}  // namespace manman::db
