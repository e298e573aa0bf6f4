#include "api/fields.h"
#include "api/policy_fields.h"
#include "api/retention.h"
#include "api/rpc/answer.h"
#include "api/rpc/batches.h"
#include "api/rpc/service.h"
#include "api/rpc/to_proto.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

// The policy, with the rules that are asked about in the place of its own.
Result<BackupPolicy> previewed(const Context& context, const v1::PreviewRetentionRequest& request) {
  BackupPolicy policy = TRY(context.database.look(
      [&](db::Transaction& tx) { return db::policies::get(tx, request.policy_id()); }));
  if (!request.has_keep()) return policy;
  v1::BackupPolicy said;
  to_proto(policy, &said);
  *said.mutable_keep() = request.keep();
  policy.keep = TRY(policy_from(said))
  .keep;
  return policy;
}

}  // namespace

grpc::Status Service::PreviewRetention(grpc::ServerContext* call,
                                       const v1::PreviewRetentionRequest* request,
                                       grpc::ServerWriter<v1::PreviewRetentionResponse>* writer) {
  return answer("PreviewRetention", [&](const Context& context) -> Result<void> {
    TRY(check_id("policy_id", request->policy_id()));
    const BackupPolicy policy = TRY(previewed(context, *request));
    Batches<v1::PreviewRetentionResponse> batches(*call, *writer);
    TRY(decide_on_backups(
        context, policy,
        [&](const Backup& backup, const RetentionDecision& decision) -> Result<void> {
          v1::RetentionDecision* message = batches.message().add_decisions();
          to_proto(backup, message->mutable_backup());
          message->set_keep(decision.keep);
          for (const std::string& reason : decision.reasons) message->add_reasons(reason);
          if (batches.added(message->ByteSizeLong())) return {};
          return fail(Code::kCancelled, "the client is gone");
        }));
    return batches.finish();
  });
}

}  // namespace manman::api
