#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/file.h"
#include "db/postgresql/watchdog.h"
#include "db/soci.h"
// After it:
#include <soci/postgresql/soci-postgresql.h>

namespace manman::db {

// SOCI's connection to PostgreSQL with statements that end: with an answer, or with the
// connection's loss when there was none in time.
class WatchedSession final : public soci::details::session_backend {
 public:
  WatchedSession(std::unique_ptr<soci::details::session_backend> real, Watchdog& dog);

  PGconn* connection() const { return connection_; }
  Watchdog::Guard watch() { return dog_.watch(socket_.get(), patience_, given_up_); }
  // How long a statement may take: usually, and until the next be_as_usual().
  void set_patience(std::chrono::milliseconds patience) { usual_ = patience_ = patience; }
  void be_patient_for_once(std::chrono::milliseconds patience) { patience_ = patience; }
  void be_as_usual() { patience_ = usual_; }
  std::chrono::milliseconds patience() const { return patience_; }
  // The watchdog has ended it.
  bool given_up() const { return given_up_; }

  // Of SOCI's interface. Transactions are begun and ended by statements.
  bool is_connected() override { return PQstatus(connection_) == CONNECTION_OK; }
  void begin() override { real_->begin(); }
  void commit() override { real_->commit(); }
  void rollback() override { real_->rollback(); }
  std::string get_dummy_from_table() const override { return real_->get_dummy_from_table(); }
  std::string get_backend_name() const override { return real_->get_backend_name(); }
  soci::details::statement_backend* make_statement_backend() override;
  soci::details::rowid_backend* make_rowid_backend() override {
    return real_->make_rowid_backend();
  }
  soci::details::blob_backend* make_blob_backend() override { return real_->make_blob_backend(); }

 private:
  std::unique_ptr<soci::details::session_backend> real_;
  Watchdog& dog_;
  PGconn* connection_;
  // A second descriptor of its socket: libpq closes its own whenever it likes, and the number may
  // then be that of another file.
  UniqueFd socket_;
  std::chrono::milliseconds usual_{20000};
  std::chrono::milliseconds patience_ = usual_;
  bool given_up_ = false;
};

// Makes them, for soci::session. It and the watchdog must outlive the sessions.
class WatchedSessions final : public soci::backend_factory {
 public:
  explicit WatchedSessions(Watchdog& dog) : dog_(dog) {}
  WatchedSession* make_session(const soci::connection_parameters& parameters) const override;

 private:
  Watchdog& dog_;
};

// Of a session that WatchedSessions has made.
inline WatchedSession& watched(soci::session& sql) {
  return *static_cast<WatchedSession*>(sql.get_backend());
}

}  // namespace manman::db
