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
      row.id,       row.name, row.environment, row.is_default != 0, row.status == "online",
      row.last_seen};
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

Result<int> mark_offline(Transaction& tx, int64_t before_s) {
  return query(tx, [&](soci::session& sql) -> Result<int> {
    soci::statement statement(sql);
    statement.exchange(soci::use(before_s, "before_s"));
    detail::run(statement,
                "UPDATE servers SET status = 'offline' "
                "WHERE status = 'online' AND last_seen < :before_s",
                true);
    return static_cast<int>(statement.get_affected_rows());
  });
}

Result<void> remove(Transaction& tx, int64_t server_id) {
  TRY((forbid_reference<ServerRow, ServerGameConfigRow>(tx, server_id, "server_id")));
  return erase_one<ServerRow>(tx, server_id);
}

}  // namespace manman::db::servers
