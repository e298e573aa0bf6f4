#include "api/events.h"
#include "api/fields.h"
#include "api/handling_fields.h"
#include "api/new_backup.h"
#include "api/page_token.h"
#include "api/policy_fields.h"
#include "api/policy_runs.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::string_view kList = "backup_policies";
constexpr std::string_view kRuns = "policy_runs";

// Whether its backups could be ordered: format, level and handling together with what they stand
// over.
Result<void> check_deployed(const Context& context, db::Transaction& tx,
                            const BackupPolicy& policy) {
  const auto sgc = TRY(db::server_game_configs::get(tx, policy.sgc_id));
  const GameConfig config = TRY(db::game_configs::get(tx, sgc.game_config_id));
  TRY(Compression::parse(policy.format, policy.level, config.compression));
  TRY(effective_handling(context.config.profiles, config, sgc, policy.handling));
  return {};
}

Result<void> note(const Context& context, db::Transaction& tx, EventKind kind,
                  const BackupPolicy& policy) {
  return note_event(context, tx,
                    {.kind = kind,
                     .sgc_id = policy.sgc_id,
                     .policy_id = policy.policy_id,
                     .message = "policy " + policy.name + (policy.paused ? ", paused" : "")});
}

Result<BackupPolicy> create(const Context& context, BackupPolicy policy) {
  return context.database.transact([&](db::Transaction& tx) -> Result<BackupPolicy> {
    const int64_t now_s = context.clock.now_s();
    policy.created_at = policy.updated_at = now_s;
    BackupPolicy made = TRY(db::policies::create(tx, policy));
    made.next_due_at = TRY(next_due(made, now_s));
    TRY(db::policies::update(tx, made));
    TRY(check_deployed(context, tx, made));
    TRY(note(context, tx, EventKind::kPolicyCreated, made));
    return made;
  });
}

// A paused policy makes nothing, so what waits is given up.
Result<void> skip_waiting(const Context& context, db::Transaction& tx, const BackupPolicy& policy) {
  for (PolicyRun& run : TRY(db::policy_runs::waiting_of(tx, policy.policy_id)))
    TRY(conclude_run(context, tx, run, RunOutcome::kSkipped, "the policy was paused"));
  return {};
}

Result<BackupPolicy> update(const Context& context, const v1::UpdateBackupPolicyRequest& request) {
  return context.database.transact([&](db::Transaction& tx) -> Result<BackupPolicy> {
    const BackupPolicy before = TRY(db::policies::hold(tx, request.policy().policy_id()));
    v1::BackupPolicy said;
    to_proto(before, &said);
    TRY(change_policy(request, said));
    BackupPolicy policy = TRY(policy_from(said));
    const int64_t now_s = context.clock.now_s();
    policy.updated_at = now_s;
    policy.next_due_at = before.next_due_at;
    if (policy.paused != before.paused || policy.schedule != before.schedule) {
      TRY(miss_due(context, tx, before, "the policy was changed before it could be made"));
      policy.next_due_at = TRY(next_due(policy, now_s));
    }
    TRY(db::policies::update(tx, policy));
    if (policy.keep != before.keep) TRY(db::retention_queue::add(tx, policy.sgc_id, now_s));
    if (policy.paused && !before.paused) TRY(skip_waiting(context, tx, policy));
    TRY(check_deployed(context, tx, policy));
    TRY(note(context, tx, EventKind::kPolicyUpdated, policy));
    return policy;
  });
}

Result<Backup> run_now(const Context& context, int64_t policy_id) {
  return context.database.transact([&](db::Transaction& tx) -> Result<Backup> {
    const BackupPolicy policy = TRY(db::policies::hold(tx, policy_id));
    const int64_t now_s = context.clock.now_s();
    auto run = TRY(record_run(tx, policy, RunTrigger::kManual, now_s, now_s));
    return begin_backup(context, tx,
                        {.sgc_id = policy.sgc_id,
                         .description = "policy " + policy.name,
                         .policy_id = policy_id,
                         .manual = true},
                        &*run);
  });
}

}  // namespace

grpc::Status Service::CreateBackupPolicy(grpc::ServerContext* call,
                                         const v1::CreateBackupPolicyRequest* request,
                                         v1::CreateBackupPolicyResponse* response) {
  return answer(call, "CreateBackupPolicy", [&](const Context& context) -> Result<void> {
    TRY(check_id("server_game_config_id", request->policy().server_game_config_id()));
    v1::BackupPolicy said = request->policy();
    said.clear_policy_id();
    const BackupPolicy policy = TRY(create(context, TRY(policy_from(said))));
    log_info({.sgc_id = policy.sgc_id}, "policy {} made: {}", policy.policy_id, policy.name);
    to_proto(policy, response->mutable_policy());
    return {};
  });
}

grpc::Status Service::GetBackupPolicy(grpc::ServerContext*,
                                      const v1::GetBackupPolicyRequest* request,
                                      v1::GetBackupPolicyResponse* response) {
  return answer("GetBackupPolicy", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy_id()));
    const BackupPolicy policy = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::policies::get(tx, request->policy_id()); }));
    to_proto(policy, response->mutable_policy());
    return {};
  });
}

grpc::Status Service::ListBackupPolicies(grpc::ServerContext*,
                                         const v1::ListBackupPoliciesRequest* request,
                                         v1::ListBackupPoliciesResponse* response) {
  return answer("ListBackupPolicies", [&](const Context& context) -> Result<void> {
    const int64_t sgc_id = request->server_game_config_id();
    TRY(check_optional_id("server_game_config_id", sgc_id));
    const db::Page page = TRY(page_from(kList, request->page_size(), request->page_token()));
    auto rows = TRY(context.database.look(
        [&](db::Transaction& tx) { return db::policies::list(tx, sgc_id, with_lookahead(page)); }));
    response->set_next_page_token(
        next_page_token(kList, page, rows, [](const BackupPolicy& row) { return row.policy_id; }));
    for (const BackupPolicy& row : rows) to_proto(row, response->add_policies());
    return {};
  });
}

grpc::Status Service::UpdateBackupPolicy(grpc::ServerContext* call,
                                         const v1::UpdateBackupPolicyRequest* request,
                                         v1::UpdateBackupPolicyResponse* response) {
  return answer(call, "UpdateBackupPolicy", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy().policy_id()));
    to_proto(TRY(update(context, *request)), response->mutable_policy());
    return {};
  });
}

grpc::Status Service::DeleteBackupPolicy(grpc::ServerContext* call,
                                         const v1::DeleteBackupPolicyRequest* request,
                                         v1::DeleteBackupPolicyResponse*) {
  return answer(call, "DeleteBackupPolicy", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy_id()));
    return context.database.transact([&](db::Transaction& tx) -> Result<void> {
      TRY(note(context, tx, EventKind::kPolicyDeleted,
               TRY(db::policies::hold(tx, request->policy_id()))));
      return db::policies::remove(tx, request->policy_id());
    });
  });
}

grpc::Status Service::RunBackupPolicy(grpc::ServerContext* call,
                                      const v1::RunBackupPolicyRequest* request,
                                      v1::RunBackupPolicyResponse* response) {
  return answer(call, "RunBackupPolicy", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy_id()));
    const Backup backup = TRY(run_now(context, request->policy_id()));
    context.commands_waiting();
    log_info({.backup_id = backup.backup_id, .sgc_id = backup.sgc_id},
             "backup ordered by policy {}", backup.policy_id);
    to_proto(backup, response->mutable_backup());
    return {};
  });
}

grpc::Status Service::ListPolicyRuns(grpc::ServerContext*, const v1::ListPolicyRunsRequest* request,
                                     v1::ListPolicyRunsResponse* response) {
  return answer("ListPolicyRuns", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy_id()));
    const db::Page page = TRY(page_from(kRuns, request->page_size(), request->page_token()));
    auto rows =
        TRY(context.database.look([&](db::Transaction& tx) -> Result<std::vector<PolicyRun>> {
          TRY(db::policies::get(tx, request->policy_id()));
          return db::policy_runs::list(tx, request->policy_id(), with_lookahead(page));
        }));
    response->set_next_page_token(
        next_page_token(kRuns, page, rows, [](const PolicyRun& row) { return row.run_id; }));
    for (const PolicyRun& row : rows) to_proto(row, response->add_runs());
    return {};
  });
}

}  // namespace manman::api
