#include "api/limits.h"

#include "db/events.h"
#include "domain/field_checks.h"

namespace manman::api {
namespace {

constexpr int64_t kHourMs = 60L * 60 * 1000;

// What has limits: an SGC, or a server.
struct Limited {
  std::string name;  // "SGC 3"
  std::string verb;  // the command that changes its limits
  BackupLimits limits;
  db::backups::Scope scope;
};

std::vector<Limited> both(const Deployment& deployment) {
  const auto& sgc = deployment.sgc;
  const auto& server = deployment.server;
  return {{.name = "SGC " + std::to_string(sgc.sgc_id),
           .verb = "manman sgc update " + std::to_string(sgc.sgc_id),
           .limits = sgc.limits,
           .scope = {.sgc_id = sgc.sgc_id}},
          {.name = "server " + std::to_string(server.server_id) + " (" + server.name + ")",
           .verb = "manman server update " + std::to_string(server.server_id),
           .limits = server.limits,
           .scope = {.server_id = server.server_id}}};
}

Result<void> check_one(const Limited& limited, const std::string& field, int64_t limit,
                       int64_t used, const std::string& what, const std::string& option) {
  if (used < limit) return {};
  return std::unexpected(Error{Code::kResourceExhausted,
                               limited.name + " has reached its limit " + field + " = " +
                                   std::to_string(limit) + ": " + std::to_string(used) + " " + what}
                             .with_hint("'" + limited.verb + " " + option +
                                        " …' sets another, '--clear limits' takes them off"));
}

}  // namespace

Result<void> check_limits(const Context&, db::Transaction& tx, const Deployment& deployment) {
  for (const Limited& limited : both(deployment)) {
    if (const int64_t limit = limited.limits.max_concurrent_backups; limit != 0)
      TRY(check_one(limited, "max_concurrent_backups", limit,
                    TRY(db::backups::active_of(tx, limited.scope)),
                    "backups are pending or running", "--max-concurrent-backups"));
    if (const int64_t limit = limited.limits.max_total_bytes; limit != 0)
      TRY(check_one(limited, "max_total_bytes", limit,
                    TRY(db::backups::stored_bytes_of(tx, limited.scope)), "bytes are stored",
                    "--max-total-mib"));
  }
  return {};
}

Result<void> check_manual_rate(const Context& context, db::Transaction& tx,
                               const Deployment& deployment) {
  const int64_t since_ms = context.clock.now_ms() - kHourMs;
  for (const Limited& limited : both(deployment)) {
    if (const int64_t limit = limited.limits.max_manual_per_hour; limit != 0)
      TRY(check_one(
          limited, "max_manual_per_hour", limit,
          TRY(db::events::count_since(tx, EventKind::kBackupOrdered, limited.scope, since_ms)),
          "were asked for in the last 60 minutes", "--max-manual-per-hour"));
  }
  return {};
}

Result<void> change_limits(const v1::BackupLimits& said, BackupLimits& limits) {
  if (said.max_concurrent_backups() < 0)
    return bad_field("limits.max_concurrent_backups", "must not be negative");
  if (said.max_total_bytes() < 0)
    return bad_field("limits.max_total_bytes", "must not be negative");
  if (said.max_manual_per_hour() < 0)
    return bad_field("limits.max_manual_per_hour", "must not be negative");
  if (said.max_concurrent_backups() != 0)
    limits.max_concurrent_backups = said.max_concurrent_backups();
  if (said.max_total_bytes() != 0) limits.max_total_bytes = said.max_total_bytes();
  if (said.max_manual_per_hour() != 0) limits.max_manual_per_hour = said.max_manual_per_hour();
  return {};
}

std::string text_of(const BackupLimits& limits) {
  std::string text;
  const auto add = [&](const char* name, int64_t value) {
    if (value != 0)
      text += std::string(text.empty() ? "limits: " : ", ") + name + " " + std::to_string(value);
  };
  add("max_concurrent_backups", limits.max_concurrent_backups);
  add("max_total_bytes", limits.max_total_bytes);
  add("max_manual_per_hour", limits.max_manual_per_hour);
  return text.empty() ? "no limits" : text;
}

}  // namespace manman::api
