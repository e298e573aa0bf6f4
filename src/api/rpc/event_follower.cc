#include "api/rpc/event_follower.h"

#include "db/events.h"

namespace manman::api {
namespace {

constexpr int kBatch = 200;
// How far back ids are looked for that were not there when the follower began.
constexpr int64_t kBack = 200;
constexpr size_t kMaxMissing = 1000;
// Statements, and transactions in which nothing happens, are ended sooner (db/postgresql).
constexpr int64_t kOpenAtMostMs = 60'000;

}  // namespace

Result<void> EventFollower::begin_after(int64_t event_id) {
  return database_.look([&](db::Transaction& tx) -> Result<void> {
    last_id_ = event_id != 0 ? event_id : TRY(db::events::newest_id(tx));
    missing_.clear();
    int64_t expected = std::max<int64_t>(1, last_id_ - kBack);
    for (const Event& event : TRY(db::events::after(tx, expected - 1, static_cast<int>(kBack)))) {
      if (event.event_id > last_id_) break;
      passed_over(expected, event.event_id);
      expected = event.event_id + 1;
    }
    return {};
  });
}

Result<std::vector<Event>> EventFollower::next() {
  return database_.look([&](db::Transaction& tx) -> Result<std::vector<Event>> {
    std::vector<int64_t> ids;
    for (const auto& [id, until] : missing_) ids.push_back(id);
    std::vector<Event> events = TRY(db::events::of_ids(tx, ids));
    for (const Event& event : events) missing_.erase(event.event_id);
    for (Event& event : TRY(db::events::after(tx, last_id_, kBatch))) {
      passed_over(last_id_ + 1, event.event_id);
      last_id_ = event.event_id;
      events.push_back(std::move(event));
    }
    std::erase_if(missing_, [&](const auto& each) { return each.second < clock_.now_ms(); });
    return events;
  });
}

void EventFollower::passed_over(int64_t from, int64_t to) {
  for (int64_t id = from; id < to; id++) {
    if (missing_.size() == kMaxMissing) missing_.erase(missing_.begin());
    missing_[id] = clock_.now_ms() + kOpenAtMostMs;
  }
}

}  // namespace manman::api
