#include "db/repositories.h"
#include "db/rows.h"
#include "db/table.h"

namespace manman::db::outbox {
namespace {

Result<Row> to_domain(const OutboxRow& row) {
  return Row{row.id, row.routing_key, row.body};
}

}  // namespace

Result<void> add(Transaction& tx, const std::string& routing_key, const std::string& body,
                 int64_t now_ms) {
  OutboxRow row;
  row.routing_key = routing_key;
  row.body = body;
  row.created_at_ms = now_ms;
  TRY(insert(tx, std::move(row)));
  return {};
}

Result<std::vector<Row>> unsent(Transaction& tx, int limit) {
  return read_all<OutboxRow>(tx, Where().order("outbox_id", limit), to_domain);
}

Result<void> sent(Transaction& tx, int64_t outbox_id) {
  // Two relays may have sent the same row; the second finds it gone, which is what it wants.
  TRY(erase<OutboxRow>(tx, outbox_id));
  return {};
}

}  // namespace manman::db::outbox
