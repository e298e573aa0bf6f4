#include "api/hosts.h"

#include "api/events.h"
#include "db/repositories.h"

namespace manman::api {

Result<Server> register_server(const Context& context, const std::string& name,
                               const std::string& environment) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Server> {
    const int64_t now_s = context.clock.now_s();
    const Server row = TRY(db::servers::ensure(tx, name, environment, now_s));
    TRY(db::servers::seen(tx, row.server_id, now_s));
    TRY(note_event(context, tx,
                   {.kind = EventKind::kServerRegistered,
                    .server_id = row.server_id,
                    .message = row.name + ", environment " + row.environment}));
    return db::servers::get(tx, row.server_id);
  });
}

Result<void> note_back(const Context& context, db::Transaction& tx,
                       const std::vector<int64_t>& server_ids) {
  for (const int64_t server_id :
       TRY(db::servers::mark_online(tx, server_ids, context.clock.now_s())))
    TRY(note_event(context, tx,
                   {.kind = EventKind::kHostBack, .actor = "host", .server_id = server_id}));
  return {};
}

}  // namespace manman::api
