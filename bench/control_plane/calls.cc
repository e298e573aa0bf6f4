#include "control_plane/calls.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>

#include "control_plane/times.h"

namespace manman::bench {
namespace {

using nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kDrain{60};
constexpr seconds kCallLimit{30};

std::unexpected<Error> failed(const char* call, const grpc::Status& status) {
  return fail(Code::kUnavailable, std::string(call) + ": " + status.error_message());
}

}  // namespace

std::unique_ptr<v1::ManManAPI::Stub> connect(const std::string& api) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // or all would share one connection
  return v1::ManManAPI::NewStub(
      grpc::CreateCustomChannel(api, grpc::InsecureChannelCredentials(), arguments));
}

Result<std::vector<Host>> hosts_of(v1::ManManAPI::Stub& api) {
  std::unordered_map<int64_t, int64_t> servers;  // by SGC
  v1::ListServerGameConfigsRequest sgcs;
  sgcs.set_page_size(100);
  do {
    grpc::ClientContext context;
    v1::ListServerGameConfigsResponse page;
    const auto status = api.ListServerGameConfigs(&context, sgcs, &page);
    if (!status.ok()) return failed("ListServerGameConfigs", status);
    for (const auto& sgc : page.configs()) servers[sgc.server_game_config_id()] = sgc.server_id();
    sgcs.set_page_token(page.next_page_token());
  } while (!sgcs.page_token().empty());
  std::vector<Host> hosts;
  v1::ListSessionsRequest sessions;
  sessions.set_page_size(100);
  sessions.set_live_only(true);
  do {
    grpc::ClientContext context;
    v1::ListSessionsResponse page;
    const auto status = api.ListSessions(&context, sessions, &page);
    if (!status.ok()) return failed("ListSessions", status);
    for (const auto& session : page.sessions())
      hosts.push_back({servers.at(session.server_game_config_id()), session.server_game_config_id(),
                       session.session_id()});
    sessions.set_page_token(page.next_page_token());
  } while (!sessions.page_token().empty());
  return hosts;
}

// When the next call is due. Thread-safe.
class Clients::Pace {
 public:
  explicit Pace(double rate)
      : step_(rate == 0 ? nanoseconds(0) : duration_cast<nanoseconds>(seconds(1) / rate)) {}
  Time next() {
    if (step_.count() == 0) return steady_clock::now();
    const Time due = begin_ + step_ * calls_++;
    std::this_thread::sleep_until(due);
    return due;
  }

 private:
  const nanoseconds step_;
  const Time begin_ = steady_clock::now();
  std::atomic<int64_t> calls_{0};
};

Clients::Clients(std::string api, const std::vector<Host>& hosts) : api_(std::move(api)) {
  state_.lock()->free.assign(hosts.begin(), hosts.end());
}

void Clients::arrived(int64_t backup_id, Time at) {
  state_.lock()->orders[backup_id].arrived = at;
}

void Clients::completed(int64_t sgc_id) {
  auto state = state_.lock();
  const auto host = state->busy.find(sgc_id);
  if (host == state->busy.end()) return;
  state->free.push_back(host->second);
  state->busy.erase(host);
  state_.notify_one();
}

Host Clients::take_free() {
  auto state = state_.lock();
  state.wait([&] { return !state->free.empty(); });
  const Host host = state->free.front();
  state->free.pop_front();
  state->busy[host.sgc_id] = host;
  return host;
}

void Clients::call_once(v1::ManManAPI::Stub& api, Time due) {
  const Host host = take_free();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  v1::CreateBackupRequest request;
  request.set_session_id(host.session_id);
  v1::CreateBackupResponse response;
  const auto status = api.CreateBackup(&context, request, &response);
  const Time returned = steady_clock::now();
  auto state = state_.lock();
  if (status.ok()) {
    Order& order = state->orders[response.backup().backup_id()];
    order.called = due;
    order.returned = returned;
    return;
  }
  state->busy.erase(host.sgc_id);
  state->free.push_back(host);
  if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION)
    state->refused++;
  else if (state->failure.empty())
    state->failure = failed("CreateBackup", status).error().message;
}

void Clients::call_until(v1::ManManAPI::Stub& api, Pace& pace, Time end) {
  for (;;) {
    const Time due = pace.next();
    if (due >= end) return;
    call_once(api, due);
  }
}

Result<json> Clients::order_backups(int clients, double rate, seconds duration) {
  {
    auto state = state_.lock();
    state->orders.clear();
    state->refused = 0;
  }
  std::vector<std::unique_ptr<v1::ManManAPI::Stub>> stubs;
  for (int i = 0; i < clients; i++) stubs.push_back(connect(api_));
  Pace pace(rate);
  const Time begin = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (auto& stub : stubs)
      threads.emplace_back([&] { call_until(*stub, pace, begin + duration); });
  }
  const double took_s = std::chrono::duration<double>(steady_clock::now() - begin).count();
  const double drained_s = TRY(drain());
  auto state = state_.lock();
  if (!state->failure.empty()) return fail(Code::kUnavailable, state->failure);
  Times answers;
  Times from_call;
  Times from_return;
  for (const auto& [id, order] : state->orders) {
    if (order.arrived == Time())
      return fail(Code::kDataLoss, "the command of backup " + std::to_string(id) + " never came");
    answers.add(order.returned - order.called);
    from_call.add(order.arrived - order.called);
    from_return.add(std::max(nanoseconds(0), nanoseconds(order.arrived - order.returned)));
  }
  return json{{"clients", clients},
              {"calls_per_s", static_cast<double>(state->orders.size()) / took_s},
              {"refused", state->refused},
              {"call", answers.summary()},
              {"call_to_arrival", from_call.summary()},
              {"return_to_arrival", from_return.summary()},
              {"drained_s", drained_s}};
}

// Seconds until all orders are completed rows.
Result<double> Clients::drain() {
  const auto api = connect(api_);
  const Time begin = steady_clock::now();
  for (;;) {
    const int64_t left = TRY(unfinished(*api));
    const auto waited = steady_clock::now() - begin;
    if (left == 0) return std::chrono::duration<double>(waited).count();
    if (waited > kDrain)
      return fail(Code::kDeadlineExceeded, std::to_string(left) + " backups are not completed");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<int64_t> Clients::unfinished(v1::ManManAPI::Stub& api) {
  auto left = static_cast<int64_t>(state_.lock()->orders.size());
  v1::ListBackupsRequest request;
  request.set_page_size(100);
  for (bool found = true; found;) {
    grpc::ClientContext context;
    v1::ListBackupsResponse page;
    const auto status = api.ListBackups(&context, request, &page);
    if (!status.ok()) return failed("ListBackups", status);
    found = false;
    auto state = state_.lock();
    for (const auto& backup : page.backups()) {
      if (!state->orders.contains(backup.backup_id())) continue;
      found = true;
      if (backup.status() == "completed") left--;
    }
    request.set_page_token(page.next_page_token());
  }
  return left;
}

}  // namespace manman::bench
