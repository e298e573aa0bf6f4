#include "control_plane/hosts.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <map>
#include <queue>
#include <set>
#include <thread>
#include <unordered_map>

#include "bus/rabbitmq/connection.h"
#include "bus/rabbitmq/topology.h"
#include "domain/messages.h"

namespace manman::bench {
namespace {

using rabbitmq::Connection;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kConnections = 4;
// Of a real host manager.
constexpr milliseconds kHeartbeat{5000};
constexpr milliseconds kReport{1000};
constexpr int64_t kBackupBytes = 400'000'000;
const std::string kSha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

struct Job {
  Host host;
  BackupCommand command;
  Time ends;
};

BackupReport report_of(const Job& job, Time now) {
  BackupReport report;
  report.backup_id = job.command.backup_id;
  report.server_id = job.host.server_id;
  report.attempt = job.command.attempt;
  report.s3_url = job.command.s3_url;
  report.status = "running";
  report.total_bytes = kBackupBytes;
  if (now < job.ends) return report;
  report.status = "completed";
  report.size_bytes = kBackupBytes;
  report.progress_bytes = kBackupBytes;
  report.sha256 = kSha256;
  report.entries = 2000;
  return report;
}

// The hosts of one connection, served by one thread. Whatever fails ends the program: a measurement
// with fewer hosts would be none.
class Group {
 public:
  Group(rabbitmq::Settings settings, std::vector<Host> hosts, milliseconds backup_takes,
        const Hosts::Events& events, Hosts::Counts& counts)
      : settings_(std::move(settings)),
        hosts_(std::move(hosts)),
        backup_takes_(backup_takes),
        events_(events),
        counts_(counts) {
    for (const Host& host : hosts_) by_sgc_[host.sgc_id] = host;
  }
  ~Group() {
    if (thread_.joinable()) thread_.request_stop(), thread_.join();
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Declares the queues and consumes them; `connected` is counted down once that is done. Health
  // messages begin with work().
  void start(std::latch& connected) {
    thread_ = std::jthread([this, &connected](const std::stop_token& stop) {
      auto done = connect();
      if (done) {
        connected.count_down();
        done = run(stop);
      }
      if (done) return;
      std::fprintf(stderr, "simulated hosts: %s\n", done.error().text().c_str());
      std::_Exit(1);
    });
  }
  void work() { working_ = true; }

 private:
  struct Due {
    Time at;
    std::shared_ptr<Job> job;
    bool operator>(const Due& other) const { return at > other.at; }
  };

  Result<void> connect() {
    waker_ = TRY(rabbitmq::Waker::create());
    connection_ = TRY(Connection::open(settings_, settings_.config.client_name, *waker_));
    TRY(rabbitmq::declare_exchanges(*connection_));
    for (const Host& host : hosts_) TRY(declare(host));
    ::amqp_confirm_select(connection_->library(), rabbitmq::kWorkChannel);
    TRY(connection_->answer(rabbitmq::kWorkChannel));
    ::amqp_basic_qos(connection_->library(), rabbitmq::kWorkChannel, 0, settings_.config.prefetch,
                     /*global=*/0);
    TRY(connection_->answer(rabbitmq::kWorkChannel));
    for (const Host& host : hosts_) TRY(consume(host));
    return {};
  }

  Result<void> declare(const Host& host) {
    const std::string pattern = "command.host." + std::to_string(host.server_id) + ".#";
    return rabbitmq::declare_queue(*connection_, rabbitmq::kWorkChannel,
                                   {command_queue(host.server_id), {pattern}});
  }

  Result<void> consume(const Host& host) {
    const std::string queue = command_queue(host.server_id);
    ::amqp_basic_consume(connection_->library(), rabbitmq::kWorkChannel, rabbitmq::to_amqp(queue),
                         amqp_empty_bytes, /*no_local=*/0, /*no_ack=*/0, /*exclusive=*/0,
                         amqp_empty_table);
    return in("consume " + queue, connection_->answer(rabbitmq::kWorkChannel));
  }

  Result<void> run(const std::stop_token& stop) {
    next_heartbeat_ = steady_clock::now();
    while (!stop.stop_requested()) {
      while (const auto event = TRY(connection_->next())) TRY(take(*event));
      TRY(send_due());
      const Time until = due_.empty() ? next_heartbeat_ : std::min(next_heartbeat_, due_.top().at);
      const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
      waker_->wait(::amqp_get_sockfd(connection_->library()), POLLIN,
                   std::max(left, milliseconds(0)));
    }
    return {};
  }

  Result<void> take(const rabbitmq::Event& event) {
    if (const auto* delivered = std::get_if<rabbitmq::Delivered>(&event)) {
      TRY(take_command(delivered->message));
      return connection_->acknowledge(delivered->tag);
    }
    if (const auto* confirmed = std::get_if<rabbitmq::Confirmed>(&event)) settle(*confirmed);
    if (std::holds_alternative<rabbitmq::Returned>(event)) counts_.refused++;
    return {};
  }

  Result<void> take_command(const Message& message) {
    const Time now = steady_clock::now();
    auto job = std::make_shared<Job>();
    job->command = TRY(BackupCommand::parse(message.body));
    counts_.commands++;
    if (!seen_.insert({job->command.backup_id, job->command.attempt}).second) {
      counts_.repeated++;
      return {};
    }
    events_.arrived(job->command.backup_id, now);
    job->host = by_sgc_.at(job->command.sgc_id);
    job->ends = now + backup_takes_;
    due_.push({now, std::move(job)});
    return {};
  }

  void settle(const rabbitmq::Confirmed& confirmed) {
    auto first = confirmed.up_to ? unconfirmed_.begin() : unconfirmed_.lower_bound(confirmed.tag);
    const auto end = unconfirmed_.upper_bound(confirmed.tag);
    for (auto it = first; it != end; it++) {
      if (!confirmed.taken) counts_.refused++;
      if (it->second != 0) events_.completed(it->second);
    }
    unconfirmed_.erase(first, end);
  }

  Result<void> send_due() {
    const Time now = steady_clock::now();
    if (!working_) next_heartbeat_ = now + milliseconds(100);
    for (; !due_.empty() && due_.top().at <= now; due_.pop()) TRY(report(due_.top().job, now));
    // Evenly spread over the interval.
    const auto step = std::chrono::nanoseconds(kHeartbeat) / hosts_.size();
    for (; next_heartbeat_ <= now; next_heartbeat_ += step) TRY(send_heartbeat());
    return {};
  }

  Result<void> report(const std::shared_ptr<Job>& job, Time now) {
    const BackupReport body = report_of(*job, now);
    const bool completed = now >= job->ends;
    counts_.reports++;
    TRY(publish(backup_status_key(body.backup_id), body.to_json(),
                completed ? job->host.sgc_id : 0));
    if (!completed) due_.push({std::min(now + kReport, job->ends), job});
    return {};
  }

  Result<void> send_heartbeat() {
    HostHealth health;
    health.server_id = hosts_[next_host_++ % hosts_.size()].server_id;
    counts_.heartbeats++;
    return publish(host_health_key(health.server_id), health.to_json(), 0, /*fleeting=*/true);
  }

  Result<void> publish(std::string key, std::string body, int64_t completed_sgc,
                       bool fleeting = false) {
    unconfirmed_[++last_tag_] = completed_sgc;
    return connection_->publish({.exchange = rabbitmq::kExchange,
                                 .routing_key = std::move(key),
                                 .body = std::move(body),
                                 .fleeting = fleeting},
                                last_tag_);
  }

  const rabbitmq::Settings settings_;
  const std::vector<Host> hosts_;
  const milliseconds backup_takes_;
  const Hosts::Events& events_;
  Hosts::Counts& counts_;
  std::unordered_map<int64_t, Host> by_sgc_;
  std::unique_ptr<rabbitmq::Waker> waker_;
  std::unique_ptr<Connection> connection_;
  std::set<std::pair<int64_t, int>> seen_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::map<uint64_t, int64_t> unconfirmed_;  // by tag: the SGC whose backup it says is completed
  uint64_t last_tag_ = 0;
  size_t next_host_ = 0;
  Time next_heartbeat_;
  std::atomic<bool> working_{false};
  std::jthread thread_;
};

class AllHosts final : public Hosts {
 public:
  explicit AllHosts(Events events) : events_(std::move(events)) {}

  Result<void> start(const std::string& bus_url, const std::vector<Host>& hosts,
                     milliseconds backup_takes) {
    std::vector<std::vector<Host>> shares(kConnections);
    for (size_t i = 0; i < hosts.size(); i++) shares[i % kConnections].push_back(hosts[i]);
    for (size_t i = 0; i < kConnections; i++) {
      rabbitmq::Settings settings {
        {.url = bus_url,
         .client_name = "simulated hosts " + std::to_string(i),
         .publish_timeout = std::chrono::minutes(1)},
            TRY(rabbitmq::parse_url(bus_url))
      };
      groups_.push_back(std::make_unique<Group>(std::move(settings), std::move(shares[i]),
                                                backup_takes, events_, counts_));
    }
    std::latch connected(kConnections);
    for (const auto& group : groups_) group->start(connected);
    connected.wait();
    for (const auto& group : groups_) group->work();
    return {};
  }
  const Counts& counts() const override { return counts_; }

 private:
  const Events events_;
  Counts counts_;
  std::vector<std::unique_ptr<Group>> groups_;
};

}  // namespace

Result<std::unique_ptr<Hosts>> Hosts::start(const std::string& bus_url,
                                            const std::vector<Host>& hosts,
                                            milliseconds backup_takes, Events events) {
  auto all = std::make_unique<AllHosts>(std::move(events));
  TRY(all->start(bus_url, hosts, backup_takes));
  return all;
}

}  // namespace manman::bench
