#include "api/jobs/upload_sweeper.h"

#include "base/failpoint.h"
#include "base/log.h"

namespace manman::api {
namespace {

constexpr std::chrono::hours kInterval{1};
constexpr std::chrono::hours kOlderThan{72};
constexpr std::string_view kPrefix = "backups/";

}  // namespace

UploadSweeper::UploadSweeper(const Context& context)
    : context_(context), ticker_("upload sweeper", kInterval, [this] { sweep(); }) {}

void UploadSweeper::sweep() {
  const auto ended = context_.store.sweep_uploads(kPrefix, kOlderThan);
  if (const auto passed = failpoint::pass("api.uploads_swept"); !passed)
    log_warn({}, "{}", passed.error().message);
  if (!ended) {
    log_warn({}, "unfinished uploads can't be swept: {}", ended.error().text());
  } else if (*ended > 0) {
    log_info({}, "{} unfinished uploads older than {} h ended", *ended, kOlderThan.count());
  }
}

}  // namespace manman::api
