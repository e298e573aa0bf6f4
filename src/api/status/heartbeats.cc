#include "api/status/heartbeats.h"

#include <utility>
#include <vector>

#include "api/hosts.h"
#include "base/log.h"
#include "db/repositories.h"

namespace manman::api {
namespace {

// Between two writes, and while the database is away; so many ids fit into one statement.
constexpr size_t kMaxNoted = 20000;

}  // namespace

Heartbeats::Heartbeats(const Context& context)
    : context_(context), ticker_("heartbeats", context.config.job_interval, [this] { write(); }) {}

void Heartbeats::stop() {
  ticker_.stop();
  write();
}

void Heartbeats::note(int64_t server_id) {
  {
    auto noted = noted_.lock();
    if (noted->size() == kMaxNoted && !noted->contains(server_id)) return;
    (*noted)[server_id] = context_.clock.now_s();
  }
  context_.host_seen(server_id);
}

void Heartbeats::write() {
  Noted noted;
  std::swap(noted, *noted_.lock());
  if (noted.empty()) return;
  const auto written = write(noted);
  if (!written) {
    log_warn({}, "heartbeats of {} server(s) can't be written now: {}", noted.size(),
             written.error().text());
    noted_.lock()->merge(noted);  // what has come meanwhile is newer
    return;
  }
  context_.counters.status_applied += static_cast<uint64_t>(*written);
  context_.counters.status_unknown_row += noted.size() - static_cast<uint64_t>(*written);
}

// How many of the servers there are.
Result<int> Heartbeats::write(const Noted& noted) {
  std::map<int64_t, std::vector<int64_t>> by_time;
  for (const auto& [server_id, at] : noted) by_time[at].push_back(server_id);
  return context_.database.transact(db::Isolation::kStatement,
                                    [&](db::Transaction& tx) -> Result<int> {
                                      int written = 0;
                                      for (const auto& [at, server_ids] : by_time) {
                                        TRY(note_back(context_, tx, server_ids));
                                        written += TRY(db::servers::seen(tx, server_ids, at));
                                      }
                                      return written;
                                    });
}

}  // namespace manman::api
