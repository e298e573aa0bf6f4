#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::servers {
namespace {

Result<Server> to_domain(const ServerRow& row) {
  if (row.status != "online" && row.status != "offline") {
    return std::unexpected(damaged("servers.status", row.status));
  }
  return Server{
      row.id,        row.name,        row.environment, row.is_default != 0, row.status == "online",
      row.last_seen, limits_from(row)};
}

Where named(const std::string& name, const std::string& environment) {
  return Where()
      .when("name = :name", "name", name)
      .when("environment = :environment", "environment", environment);
}

}  // namespace

Result<Server> ensure(Transaction& tx, const std::string& name, const std::string& environment,
                      int64_t now_s) {
  TRY(check_text("servers.name", name));
  TRY(check_text("servers.environment", environment));
  if (const auto id = TRY(find_id<ServerRow>(tx, named(name, environment)))) {
    TRY(seen(tx, *id, now_s));
    return get(tx, *id);
  }
  ServerRow row;
  row.name = name;
  row.environment = environment;
  row.is_default = TRY(find_id<ServerRow>(tx, Where()))
  .has_value() ? 0 : 1;
  row.status = "online";
  row.last_seen = now_s;
  return get(tx, TRY(insert(tx, std::move(row))));
}

Result<std::optional<Server>> find(Transaction& tx, const std::string& name,
                                   const std::string& environment) {
  const auto id = TRY(find_id<ServerRow>(tx, named(name, environment)));
  if (!id) return std::nullopt;
  return get(tx, *id);
}

Result<Server> adopt(Transaction& tx, const Server& server) {
  ServerRow row;
  row.id = server.server_id;
  row.name = server.name;
  row.environment = server.environment;
  row.is_default = TRY(find_id<ServerRow>(tx, Where()))
  .has_value() ? 0 : 1;
  row.status = "offline";
  return get(tx, TRY(adopt_row(tx, std::move(row))));
}

Result<Server> get(Transaction& tx, int64_t server_id) {
  return read_one<ServerRow>(tx, server_id, to_domain);
}

Result<std::vector<Server>> list(Transaction& tx, const Page& page) {
  return read_all<ServerRow>(tx, Where().page("server_id", page), to_domain);
}

Result<void> seen(Transaction& tx, int64_t server_id, int64_t now_s) {
  ServerRow row = TRY(select_one<ServerRow>(tx, server_id));
  row.status = "online";
  row.last_seen = now_s;
  return update(tx, std::move(row));
}

Result<int> seen(Transaction& tx, const std::vector<int64_t>& server_ids, int64_t now_s) {
  if (server_ids.empty()) return 0;
  return query(tx, [&](soci::session& sql) -> Result<int> {
    soci::statement statement(sql);
    statement.exchange(soci::use(now_s, "now_s"));
    detail::run(statement,
                "UPDATE servers SET status = 'online', last_seen = :now_s WHERE server_id IN (" +
                    id_list(server_ids) + ")",
                true);
    return static_cast<int>(statement.get_affected_rows());
  });
}

namespace {

// Runs a statement with one number as its parameter that tells which servers it has changed.
Result<std::vector<int64_t>> changed(Transaction& tx, const std::string& statement_text,
                                     const std::string& parameter, int64_t value) {
  return query(tx, [&](soci::session& sql) -> Result<std::vector<int64_t>> {
    int64_t id = 0;
    int64_t used = value;
    std::vector<int64_t> ids;
    soci::statement statement(sql);
    statement.exchange(soci::into(id));
    statement.exchange(soci::use(used, parameter));
    detail::run(statement, statement_text + " RETURNING server_id", false);
    while (statement.fetch()) ids.push_back(id);
    return ids;
  });
}

}  // namespace

Result<std::vector<int64_t>> mark_offline(Transaction& tx, int64_t before_s) {
  return changed(tx,
                 "UPDATE servers SET status = 'offline' "
                 "WHERE status = 'online' AND last_seen < :before_s",
                 "before_s", before_s);
}

Result<std::vector<int64_t>> mark_online(Transaction& tx, const std::vector<int64_t>& server_ids,
                                         int64_t now_s) {
  if (server_ids.empty()) return std::vector<int64_t>();
  return changed(tx,
                 "UPDATE servers SET status = 'online', last_seen = :now_s "
                 "WHERE status = 'offline' AND server_id IN (" +
                     id_list(server_ids) + ")",
                 "now_s", now_s);
}

Result<void> set_limits(Transaction& tx, int64_t server_id, const BackupLimits& limits) {
  ServerRow row = TRY(select_one<ServerRow>(tx, server_id));
  db::set_limits(limits, row);
  return db::update(tx, std::move(row));
}

Result<void> remove(Transaction& tx, int64_t server_id) {
  TRY((forbid_reference<ServerRow, ServerGameConfigRow>(tx, server_id, "server_id")));
  return erase_one<ServerRow>(tx, server_id);
}

}  // namespace manman::db::servers
