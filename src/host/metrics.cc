#include "host/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <sys/statvfs.h>

#include <map>
#include <vector>

#include "host/context.h"
#include "http/metric_families.h"

namespace manman::host {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

const prometheus::Histogram::BucketBoundaries kPauseSeconds{0.01, 0.03, 0.1, 0.2, 0.5,
                                                            1,    3,    10,  30};
constexpr JobKind kKinds[] = {JobKind::kBackup, JobKind::kSession, JobKind::kStop, JobKind::kUndo,
                              JobKind::kExpire, JobKind::kCancel,  JobKind::kDrill};

}  // namespace

class Metrics::Impl {
 public:
  Impl() {
    // A counter that appears with its first event has no increase that an alert could see.
    for (const char* result : {"completed", "failed", "skipped", "cancelled"})
      backups_.Add({{"result", result}});
    for (const char* result : {"good", "failed"}) restores_.Add({{"result", result}});
    for (const char* result : {"passed", "failed", "given-up"}) drills_.Add({{"result", result}});
    for (const char* cause : {"upload", "download"}) retries_.Add({{"cause", cause}});
  }

  void backup_ended(BackupEnd end, const BackupReport& report) {
    constexpr const char* kNames[] = {"completed", "failed", "skipped", "cancelled"};
    backups_.Add({{"result", kNames[static_cast<size_t>(end)]}}).Increment();
    if (end != BackupEnd::kCompleted) return;
    stored_.Increment(static_cast<double>(report.size_bytes));
    read_.Increment(static_cast<double>(report.total_bytes));
    pause_.Observe(static_cast<double>(report.verdict.pause_ms) / 1000);
  }
  void restore_ended(bool good) {
    restores_.Add({{"result", good ? "good" : "failed"}}).Increment();
  }
  void drill_ended(const DrillReport& report) {
    drills_.Add({{"result", report.status}}).Increment();
  }
  void retried(Retry cause) {
    constexpr const char* kNames[] = {"upload", "download"};
    retries_.Add({{"cause", kNames[static_cast<size_t>(cause)]}}).Increment();
  }

  std::string text(Context& context) {
    std::vector<MetricFamily> families = registry_.Collect();
    const auto gauge = [&](const char* name, const char* help) -> MetricFamily& {
      return families.emplace_back(metric_family(name, help, MetricType::Gauge));
    };
    std::map<JobKind, int> jobs;
    for (const auto& job : context.jobs.all()) jobs[job->key.kind]++;
    MetricFamily& at_work =
        gauge("manman_host_jobs", "Commands that wait or are carried out, by kind.");
    for (const JobKind kind : kKinds)
      add_metric(at_work, jobs[kind], {{"kind", std::string(to_text(kind))}});
    add_metric(gauge("manman_host_games", "Games that run on this machine."),
               static_cast<double>(context.sessions.running().size()));
    add_metric(gauge("manman_host_reports_waiting", "Reports that wait for the bus to take them."),
               static_cast<double>(context.reporter.waiting()));
    struct statvfs disk{};
    if (::statvfs(context.config.data_dir.c_str(), &disk) == 0) {
      const auto block = static_cast<double>(disk.f_frsize);
      add_metric(gauge("manman_host_data_free_bytes", "Free on the disk of the data folder."),
                 static_cast<double>(disk.f_bavail) * block);
      add_metric(gauge("manman_host_data_size_bytes", "Size of the disk of the data folder."),
                 static_cast<double>(disk.f_blocks) * block);
    }
    return metrics_text(families);
  }

 private:
  using Counters = prometheus::Family<prometheus::Counter>;

  Counters& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
  }

  prometheus::Registry registry_;
  Counters& backups_ = counters("manman_host_backups_ended_total",
                                "Backups that this host carried out, by what came of them.");
  Counters& restores_ = counters("manman_host_restores_total",
                                 "Restores that this host carried out, by what came of them.");
  Counters& drills_ = counters("manman_host_drills_total",
                               "Restore drills that this host carried out, by what came of them.");
  Counters& retries_ =
      counters("manman_host_retries_total", "What this host tried again, by cause.");
  prometheus::Counter& stored_ =
      counters("manman_host_archive_bytes_total", "Bytes of the archives of completed backups.")
          .Add({});
  prometheus::Counter& read_ =
      counters("manman_host_read_bytes_total", "Bytes of files that completed backups hold.")
          .Add({});
  prometheus::Histogram& pause_ =
      prometheus::BuildHistogram()
          .Name("manman_host_pause_seconds")
          .Help("How long games of this host held still for completed backups.")
          .Register(registry_)
          .Add({}, kPauseSeconds);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::backup_ended(BackupEnd end, const BackupReport& report) {
  impl_->backup_ended(end, report);
}
void Metrics::restore_ended(bool good) {
  impl_->restore_ended(good);
}
void Metrics::drill_ended(const DrillReport& report) {
  impl_->drill_ended(report);
}
void Metrics::retried(Retry cause) {
  impl_->retried(cause);
}
std::string Metrics::text(Context& context) {
  return impl_->text(context);
}

}  // namespace manman::host
