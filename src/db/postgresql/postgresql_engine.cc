#include "db/postgresql/postgresql_engine.h"

#include <poll.h>

#include "db/postgresql/connect_failure.h"
#include "db/postgresql/sql_state.h"

namespace manman::db {
namespace {

using std::chrono::milliseconds;

// How much longer than the server's own statement_timeout a statement is waited for.
constexpr milliseconds kMargin{5000};
// Where the server has none.
constexpr milliseconds kWithoutTimeout{600000};
// A migration may have to read whole tables, and another process' migration is waited for.
constexpr milliseconds kMigration{600000};

constexpr int kOldest = 120000;  // PostgreSQL 12

milliseconds statement_timeout(soci::session& sql) {
  long long timeout_ms = 0;
  sql << "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'",
      soci::into(timeout_ms);
  return timeout_ms == 0 ? kWithoutTimeout : milliseconds(timeout_ms);
}

}  // namespace

Result<std::unique_ptr<PostgresqlEngine>> PostgresqlEngine::open(const std::string& url,
                                                                 int max_connections) {
  if (max_connections < 1) {
    return fail(Code::kInvalidArgument, "a pool needs at least one connection to the database");
  }
  return std::make_unique<PostgresqlEngine>(TRY(PostgresqlSettings::parse(url)), max_connections);
}

Result<std::unique_ptr<soci::session>> PostgresqlEngine::connect() const {
  std::unique_ptr<soci::session> sql;
  try {
    sql = std::make_unique<soci::session>(sessions_, settings_.conninfo);
  } catch (const soci::soci_error& error) {
    return std::unexpected(connect_failure(settings_, error.get_error_message()));
  }
  try {
    TRY(set_up(*sql));
    return sql;
  } catch (const soci::soci_error& error) {
    return std::unexpected(explain(error, *sql).error);
  }
}

Result<void> PostgresqlEngine::set_up(soci::session& sql) const {
  WatchedSession& session = watched(sql);
  PQsetErrorVerbosity(session.connection(), PQERRORS_TERSE);  // details may show what a row holds
  PQsetNoticeProcessor(session.connection(), [](void*, const char*) {}, nullptr);
  if (PQserverVersion(session.connection()) < kOldest) {
    return fail(Code::kInvalidArgument, name() + ": the server is older than PostgreSQL 12");
  }
  const char* encoding = PQparameterStatus(session.connection(), "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    return std::unexpected(
        Error{Code::kInvalidArgument, name() + ": its encoding is " +
                                          (encoding == nullptr ? "unknown" : encoding) +
                                          ", which can't hold every text"}
            .with_hint("create it with ENCODING 'UTF8' TEMPLATE template0"));
  }
  session.set_patience(statement_timeout(sql) + kMargin);
  return {};
}

bool PostgresqlEngine::usable(soci::session& sql) const {
  PGconn* const connection = watched(sql).connection();
  if (PQstatus(connection) != CONNECTION_OK) return false;
  // Between transactions a server has nothing to say but its goodbye.
  pollfd socket{.fd = PQsocket(connection), .events = POLLIN};
  return ::poll(&socket, 1, 0) == 0;
}

void PostgresqlEngine::begin(soci::session& sql, Isolation isolation) const {
  watched(sql).be_as_usual();
  sql << (isolation == Isolation::kSerializable
              ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
              : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
}

int64_t PostgresqlEngine::next_id(soci::session& sql, const std::string& table,
                                  const std::string& id) const {
  int64_t next = 0;
  sql << "SELECT nextval(pg_get_serial_sequence(:table_name, :id_name))",
      soci::use(table, "table_name"), soci::use(id, "id_name"), soci::into(next);
  return next;
}

// Only forwards: others may take ids meanwhile. One that is taken twice all the same meets the
// primary key, and its transaction is run again.
void PostgresqlEngine::pass_ids(soci::session& sql, const std::string& table, const std::string& id,
                                int64_t last) const {
  std::string sequence;
  sql << "SELECT pg_get_serial_sequence(:table_name, :id_name)", soci::use(table, "table_name"),
      soci::use(id, "id_name"), soci::into(sequence);
  sql << "SELECT setval(pg_get_serial_sequence(:table_name, :id_name), :last_id) FROM " + sequence +
             " WHERE last_value <= :floor_id",
      soci::use(table, "table_name"), soci::use(id, "id_name"), soci::use(last, "last_id"),
      soci::use(last, "floor_id");
}

bool PostgresqlEngine::in_transaction(soci::session& sql) const {
  const auto status = PQtransactionStatus(watched(sql).connection());
  return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

bool PostgresqlEngine::has_table(soci::session& sql, const std::string& table) const {
  int count = 0;
  sql << "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass(:name)", soci::use(table, "name"),
      soci::into(count);
  return count > 0;
}

// Of what another process has migrated meanwhile, a serializable transaction would not see
// anything: its picture of the database is that of its first statement, which is the one that
// waits.
void PostgresqlEngine::lock_schema(soci::session& sql) const {
  const std::string limit = std::to_string(kMigration.count());
  sql << "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
  sql << "SET LOCAL lock_timeout = " + limit;
  sql << "SET LOCAL statement_timeout = " + limit;
  watched(sql).be_patient_for_once(kMigration + kMargin);
  sql << "SELECT pg_advisory_xact_lock(hashtext('manman'), hashtext(current_schema()))";
}

Result<void> PostgresqlEngine::ping(soci::session& sql) const {
  int one = 0;
  sql << "SELECT COUNT(*) FROM pg_class WHERE relname = 'pg_class'", soci::into(one);
  return {};
}

Failure PostgresqlEngine::explain(const soci::soci_error& error, soci::session& sql) const {
  WatchedSession& session = watched(sql);
  if (session.given_up()) {
    const auto seconds = session.patience().count() / 1000;
    return {.error = {Code::kUnavailable,
                      name() + ": no answer within " + std::to_string(seconds) + " s", true},
            .lost = true};
  }
  const auto* of_server = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  const std::string state = of_server == nullptr ? "" : of_server->sqlstate();
  const std::string said = settings_.presentable(
      of_server == nullptr ? error.get_error_message() : PQerrorMessage(session.connection()));
  if (PQstatus(session.connection()) != CONNECTION_OK) {
    return {.error = {Code::kUnavailable, name() + ": the connection was lost: " + said, true},
            .lost = true};
  }
  Failure failure = explain_state(state, said);
  failure.error = std::move(failure.error).in(name());
  return failure;
}

}  // namespace manman::db
