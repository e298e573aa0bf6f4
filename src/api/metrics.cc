#include "api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <atomic>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "db/events.h"
#include "db/repositories.h"
#include "http/metric_families.h"

namespace manman::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Scrapes that come sooner get the same once more.
constexpr int64_t kFreshMs = 5'000;

const prometheus::Histogram::BucketBoundaries kSeconds{1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600};
const prometheus::Histogram::BucketBoundaries kPauseSeconds{0.01, 0.03, 0.1, 0.2, 0.5,
                                                            1,    3,    10,  30};
const prometheus::Histogram::BucketBoundaries kBytes{1e5, 1e6, 1e7, 1e8, 3e8, 1e9, 3e9, 1e10, 1e11};

// The state of things, by one look into the database.
struct Look {
  std::map<std::string, int64_t> backups;
  std::map<std::string, int64_t> servers;
  std::map<std::string, int64_t> sessions;
  db::statistics::Outbox outbox;
  db::webhook_deliveries::Waiting webhooks;
  std::vector<db::statistics::LastGood> last_good;
};

Result<Look> look_into(db::Database& database) {
  return database.look([](db::Transaction& tx) -> Result<Look> {
    Look look;
    look.backups = TRY(db::statistics::unfinished_backups(tx));
    look.servers = TRY(db::statistics::servers(tx));
    look.sessions = TRY(db::statistics::live_sessions(tx));
    look.outbox = TRY(db::statistics::outbox(tx));
    look.webhooks = TRY(db::webhook_deliveries::statistics(tx));
    look.last_good = TRY(db::statistics::last_good_backups(tx));
    return look;
  });
}

}  // namespace

class Metrics::Impl {
 public:
  explicit Impl(const Counters& counters) : counters_(counters) {
    // A counter that appears with its first event has no increase that an alert could see.
    for (const char* status : {"completed", "failed", "cancelled"})
      ended_.Add({{"status", status}});
    for (const auto consistency :
         {Consistency::kConsistent, Consistency::kCrashConsistent, Consistency::kBestEffort})
      verdicts_.Add({{"consistency", std::string(to_text(consistency))}});
  }

  void start(const Context& context) { context_ = &context; }

  void backup_ended(const Backup& row) {
    const std::string status(wire_text(row.status));
    ended_.Add({{"status", status}}).Increment();
    if (row.status != BackupStatus::kCompleted) return;
    bytes_.Observe(static_cast<double>(row.size_bytes));
    seconds_.Observe(static_cast<double>(row.finished_at - row.started_at));
    pause_.Observe(static_cast<double>(row.verdict.pause_ms) / 1000);
    verdicts_.Add({{"consistency", std::string(to_text(row.verdict.consistency))}}).Increment();
  }

  std::string text() {
    std::vector<MetricFamily> families = registry_.Collect();
    families.push_back(build_info());
    add_counters(families);
    add_state(families);
    return metrics_text(families);
  }

 private:
  void add_counters(std::vector<MetricFamily>& families) const {
    const auto count = [&](const char* name, const char* help,
                           const std::vector<std::pair<MetricLabels, uint64_t>>& values) {
      MetricFamily made = metric_family(name, help, MetricType::Counter);
      for (const auto& [labels, value] : values)
        add_metric(made, static_cast<double>(value), labels);
      families.push_back(std::move(made));
    };
    count("manman_status_messages_total", "Messages of hosts, by what became of them.",
          {{{{"result", "applied"}}, counters_.status_applied},
           {{{"result", "ignored"}}, counters_.status_ignored},
           {{{"result", "unknown_row"}}, counters_.status_unknown_row},
           {{{"result", "rejected"}}, counters_.status_rejected}});
    count("manman_commands_published_total", "Commands handed to the bus.",
          {{{}, counters_.commands_published}});
    count("manman_commands_dropped_total", "Commands that nobody waited for any more.",
          {{{}, counters_.commands_dropped}});
    count("manman_retries_total", "What was tried again, by cause.",
          {{{{"cause", "publish_failed"}}, counters_.commands_failed},
           {{{"cause", "backup_lease_expired"}}, counters_.backups_retried}});
    count("manman_jobs_lost_total", "Jobs given up since their host was silent.",
          {{{{"kind", "backup"}}, counters_.backups_lost},
           {{{"kind", "session"}}, counters_.sessions_lost}});
    count("manman_backups_deleted_total", "Backups whose object and row were removed.",
          {{{}, counters_.backups_deleted}});
    count("manman_verifications_total", "Verifications of backups, by what was found.",
          {{{{"result", "good"}}, counters_.backups_verified},
           {{{"result", "damaged"}}, counters_.backups_damaged}});
    count("manman_webhook_attempts_total", "Requests to the receivers of webhooks, by outcome.",
          {{{{"result", "delivered"}}, counters_.webhooks_delivered},
           {{{"result", "failed"}}, counters_.webhooks_failed}});
    count("manman_webhook_deliveries_given_up_total",
          "Events that a webhook was not told in three days of trying.",
          {{{}, counters_.webhooks_given_up}});
    count("manman_drills_total", "Restore drills that came to an end, by what came of them.",
          {{{{"result", "passed"}}, counters_.drills_passed},
           {{{"result", "failed"}}, counters_.drills_failed},
           {{{"result", "given-up"}}, counters_.drills_given_up}});
    count("manman_orphans_removed_total", "Objects without a row that were removed.",
          {{{}, counters_.orphans_removed}});
  }

  // Without the database there is nothing but the word that it is away: old numbers would look like
  // new ones.
  void add_state(std::vector<MetricFamily>& families) {
    const Context* const context = context_;
    MetricFamily up =
        metric_family("manman_database_up", "Whether the database answers.", MetricType::Gauge);
    const auto look = context == nullptr ? std::nullopt : fresh_look(*context);
    add_metric(up, look ? 1 : 0);
    families.push_back(std::move(up));
    if (look) add_look(families, *look, context->clock.now_ms());
  }

  std::optional<Look> fresh_look(const Context& context) {
    auto cached = look_.lock();
    const int64_t now_ms = context.clock.now_ms();
    if (cached->second && now_ms >= cached->first && now_ms - cached->first < kFreshMs)
      return cached->second;
    auto look = look_into(context.database);
    *cached = {now_ms, look ? std::optional(std::move(*look)) : std::nullopt};
    return cached->second;
  }

  static void add_look(std::vector<MetricFamily>& families, const Look& look, int64_t now_ms) {
    const auto gauge = [&](const char* name, const char* help) -> MetricFamily& {
      return families.emplace_back(metric_family(name, help, MetricType::Gauge));
    };
    const auto by_status = [&](const char* name, const char* help,
                               const std::vector<const char*>& statuses,
                               const std::map<std::string, int64_t>& counts) {
      MetricFamily& made = gauge(name, help);
      for (const char* status : statuses) {
        const auto found = counts.find(status);
        add_metric(made, found == counts.end() ? 0 : static_cast<double>(found->second),
                   {{"status", status}});
      }
    };
    by_status("manman_backups",
              "Backups that have not ended, completed ones that are to be verified before they are "
              "counted on, and those being deleted, by status.",
              {"pending", "running", "unverified", "deleting"}, look.backups);
    by_status("manman_sessions", "Live sessions, by status.",
              {"pending", "starting", "running", "stopping"}, look.sessions);
    by_status("manman_hosts", "Servers, by whether their host manager was heard of lately.",
              {"online", "offline"}, look.servers);
    add_metric(gauge("manman_outbox_commands", "Commands that wait to be handed to the bus."),
               static_cast<double>(look.outbox.waiting));
    const auto age = [&](int64_t since_ms) {
      return since_ms == 0 ? 0
                           : static_cast<double>(std::max<int64_t>(0, now_ms - since_ms)) / 1000;
    };
    add_metric(
        gauge("manman_outbox_lag_seconds", "Age of the oldest command that waits; 0: none waits."),
        age(look.outbox.oldest_ms));
    add_metric(gauge("manman_webhook_deliveries", "Events that webhooks have still to be told of."),
               static_cast<double>(look.webhooks.count));
    add_metric(gauge("manman_webhook_lag_seconds",
                     "Age of the oldest event that a webhook has still to be told of; 0: none."),
               age(look.webhooks.oldest_ms));
    MetricFamily& last_good = gauge("manman_sgc_last_good_backup_timestamp_seconds",
                                    "When the newest completed backup of the SGC that is counted "
                                    "on was begun; 0: it has none. Its age is time() less this.");
    for (const auto& row : look.last_good)
      add_metric(
          last_good, static_cast<double>(row.started_at),
          {{"sgc_id", std::to_string(row.sgc_id)}, {"server_id", std::to_string(row.server_id)}});
  }

  const Counters& counters_;
  std::atomic<const Context*> context_ = nullptr;
  Sync<std::pair<int64_t, std::optional<Look>>> look_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& ended_ =
      prometheus::BuildCounter()
          .Name("manman_backups_ended_total")
          .Help("Backups that came to an end, by status.")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& verdicts_ =
      prometheus::BuildCounter()
          .Name("manman_backups_completed_total")
          .Help("Completed backups, by what is known of their consistency.")
          .Register(registry_);
  prometheus::Histogram& seconds_ = prometheus::BuildHistogram()
                                        .Name("manman_backup_duration_seconds")
                                        .Help("From a host's start of a backup to its completion.")
                                        .Register(registry_)
                                        .Add({}, kSeconds);
  prometheus::Histogram& bytes_ = prometheus::BuildHistogram()
                                      .Name("manman_backup_size_bytes")
                                      .Help("Sizes of the archives of completed backups.")
                                      .Register(registry_)
                                      .Add({}, kBytes);
  prometheus::Histogram& pause_ = prometheus::BuildHistogram()
                                      .Name("manman_backup_pause_seconds")
                                      .Help("How long games held still for completed backups.")
                                      .Register(registry_)
                                      .Add({}, kPauseSeconds);
};

Metrics::Metrics(const Counters& counters) : impl_(std::make_unique<Impl>(counters)) {}
Metrics::~Metrics() = default;

void Metrics::start(const Context& context) {
  impl_->start(context);
}

void Metrics::backup_ended(const Backup& row) {
  impl_->backup_ended(row);
}

std::string Metrics::text() {
  return impl_->text();
}

}  // namespace manman::api
