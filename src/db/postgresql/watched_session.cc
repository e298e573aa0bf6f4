#include "db/postgresql/watched_session.h"

#include <fcntl.h>

namespace manman::db {
namespace {

using soci::details::statement_backend;

class WatchedStatement final : public statement_backend {
 public:
  WatchedStatement(std::unique_ptr<statement_backend> real, WatchedSession& session)
      : real_(std::move(real)), session_(session) {}

  // Never as a prepared statement: each of ours runs once, so preparing it would cost two more
  // ways to the server, and a partial index is used only where the plan knows the values.
  void prepare(const std::string& query, soci::details::statement_type) override {
    real_->prepare(query, soci::details::st_one_time_query);
  }
  exec_fetch_result execute(int number) override {
    const auto guard = session_.watch();
    return real_->execute(number);
  }

  void alloc() override { real_->alloc(); }
  void clean_up() override { real_->clean_up(); }
  exec_fetch_result fetch(int number) override { return real_->fetch(number); }
  long long get_affected_rows() override { return real_->get_affected_rows(); }
  int get_number_of_rows() override { return real_->get_number_of_rows(); }
  std::string get_parameter_name(int index) const override {
    return real_->get_parameter_name(index);
  }
  std::string rewrite_for_procedure_call(const std::string& query) override {
    return real_->rewrite_for_procedure_call(query);
  }
  int prepare_for_describe() override {
    const auto guard = session_.watch();
    return real_->prepare_for_describe();
  }
  void describe_column(int column, soci::data_type& type, std::string& name) override {
    real_->describe_column(column, type, name);
  }
  soci::details::standard_into_type_backend* make_into_type_backend() override {
    return real_->make_into_type_backend();
  }
  soci::details::standard_use_type_backend* make_use_type_backend() override {
    return real_->make_use_type_backend();
  }
  soci::details::vector_into_type_backend* make_vector_into_type_backend() override {
    return real_->make_vector_into_type_backend();
  }
  soci::details::vector_use_type_backend* make_vector_use_type_backend() override {
    return real_->make_vector_use_type_backend();
  }

 private:
  std::unique_ptr<statement_backend> real_;
  WatchedSession& session_;
};

}  // namespace

WatchedSession::WatchedSession(std::unique_ptr<soci::details::session_backend> real, Watchdog& dog)
    : real_(std::move(real)),
      dog_(dog),
      connection_(static_cast<soci::postgresql_session_backend*>(real_.get())->conn_),
      socket_(::fcntl(PQsocket(connection_), F_DUPFD_CLOEXEC, 0)) {
  if (!socket_) throw soci::soci_error("no file descriptor is left");
}

statement_backend* WatchedSession::make_statement_backend() {
  return new WatchedStatement(std::unique_ptr<statement_backend>(real_->make_statement_backend()),
                              *this);
}

WatchedSession* WatchedSessions::make_session(const soci::connection_parameters& parameters) const {
  return new WatchedSession(std::unique_ptr<soci::details::session_backend>(
                                soci::factory_postgresql()->make_session(parameters)),
                            dog_);
}

}  // namespace manman::db
