#include <algorithm>

#include "api/adopt.h"
#include "api/audit.h"
#include "api/clean.h"
#include "api/fields.h"
#include "api/rpc/answer.h"
#include "api/rpc/service.h"
#include "domain/field_checks.h"

namespace manman::api {
namespace {

constexpr int kMaxAudits = 2;

using Writer = grpc::ServerWriter<v1::AuditStoreResponse>;

void to_proto(const Finding& finding, v1::AuditFinding* message) {
  message->set_kind(std::string(to_text(finding.kind)));
  message->set_key(finding.key);
  message->set_backup_id(finding.backup_id);
  message->set_server_game_config_id(finding.sgc_id);
  message->set_object_bytes(static_cast<int64_t>(finding.object.size_bytes));
  message->set_row_bytes(finding.row.size_bytes);
  if (finding.row.backup_id != 0)
    message->set_row_status(std::string(wire_text(finding.row.status)));
  message->set_modified_at(std::max(finding.object.modified_at, finding.upload_begun_at));
  message->set_advice(finding.advice);
  message->set_outcome(finding.outcome);
  message->set_detail(finding.detail);
}

void to_proto(const AuditCounts& counts, v1::AuditSummary* message) {
  message->set_objects(counts.objects);
  message->set_rows(counts.rows);
  message->set_rows_elsewhere(counts.rows_elsewhere);
  message->set_uploads(counts.uploads);
  message->set_problems(counts.problems);
  message->set_unknown_objects(counts.unknown_objects);
}

// Sends findings as they come, a few at a time, and progress between them.
class Sender {
 public:
  Sender(grpc::ServerContext& call, Writer& writer) : call_(call), writer_(writer) {}

  Result<void> add(const Finding& finding) {
    if (!finding.outcome.empty() && finding.outcome != "left") mended_++;
    if (finding.kind != FindingKind::kUnknownObject) problems_++;
    to_proto(finding, message_.add_findings());
    return message_.findings_size() < kFindingsAtOnce ? Result<void>() : send();
  }
  Result<void> tell(const AuditCounts& counts) {
    message_.set_objects(counts.objects);
    message_.set_rows(counts.rows);
    return send();
  }
  Result<void> finish(const AuditCounts& counts, const std::string& bucket) {
    to_proto(counts, message_.mutable_summary());
    message_.mutable_summary()->set_bucket(bucket);
    message_.mutable_summary()->set_mended(mended_);
    // Not those that were gone when they were to be mended.
    message_.mutable_summary()->set_problems(problems_);
    return send();
  }

 private:
  static constexpr int kFindingsAtOnce = 100;

  Result<void> send() {
    if (call_.IsCancelled() || !writer_.Write(message_))
      return fail(Code::kCancelled, "the client is gone");
    message_.Clear();
    return {};
  }

  grpc::ServerContext& call_;
  Writer& writer_;
  v1::AuditStoreResponse message_;
  int64_t mended_ = 0;
  int64_t problems_ = 0;
};

Result<AdoptWish> adopt_wish(const v1::AuditStoreRequest& request) {
  AdoptWish wish{.full = request.full()};
  for (const v1::SgcMapping& mapping : request.sgcs()) {
    TRY(check_id("sgcs.from", mapping.from()));
    TRY(check_id("sgcs.to", mapping.to()));
    if (!wish.sgcs.emplace(mapping.from(), mapping.to()).second)
      return bad_field("sgcs.from", std::to_string(mapping.from()) + " is there twice");
  }
  return wish;
}

Result<AuditCounts> adopt_all(const Context& context, const v1::AuditStoreRequest& request,
                              AuditWish wish, Sender& sender) {
  Adopter adopter(context, TRY(adopt_wish(request)));
  TRY(adopter.prepare());
  wish.found = [&](Finding& finding) -> Result<void> {
    TRY(adopter.adopt(finding, Adopter::Of::kWithOrigin));
    return finding.outcome == "adopted" ? sender.add(finding) : Result<void>();
  };
  TRY(audit(context, wish));
  wish.found = [&](Finding& finding) -> Result<void> {
    TRY(adopter.adopt(finding, Adopter::Of::kAny));
    const bool gone = finding.kind == FindingKind::kObjectWithoutRow && finding.outcome.empty();
    return gone ? Result<void>() : sender.add(finding);
  };
  return audit(context, wish);
}

Result<AuditCounts> clean_all(const Context& context, Deleter& deleter,
                              const v1::AuditStoreRequest& request, AuditWish wish,
                              Sender& sender) {
  if (!request.without_any_row()) TRY(check_may_clean(context));
  wish.found = [&](Finding& finding) -> Result<void> {
    TRY(clean(context, deleter, wish.uploads_older_than, finding));
    const bool gone = finding.kind != FindingKind::kUnknownObject && finding.outcome.empty();
    return gone ? Result<void>() : sender.add(finding);
  };
  return audit(context, wish);
}

}  // namespace

grpc::Status Service::AuditStore(grpc::ServerContext* call, const v1::AuditStoreRequest* request,
                                 Writer* writer) {
  return answer(call, "AuditStore", [&](const Context& context) -> Result<void> {
    const Slots::Slot slot = TRY(audits_.take(kMaxAudits, "audits"));
    const int64_t older_than = request->older_than_seconds();
    Sender sender(*call, *writer);
    AuditWish wish;
    wish.uploads_older_than =
        std::chrono::seconds(older_than == 0 ? kDaySeconds : std::max<int64_t>(older_than, 0));
    wish.progress = [&](const AuditCounts& counts) { return sender.tell(counts); };
    wish.found = [&](Finding& finding) { return sender.add(finding); };
    AuditCounts counts;
    if (request->mode().empty())
      counts = TRY(audit(context, wish));
    else if (request->mode() == "adopt")
      counts = TRY(adopt_all(context, *request, wish, sender));
    else if (request->mode() == "clean")
      counts = TRY(clean_all(context, *deleter_, *request, wish, sender));
    else
      return bad_field("mode", "must be empty, adopt or clean");
    return sender.finish(counts, context.store.bucket());
  });
}

}  // namespace manman::api
