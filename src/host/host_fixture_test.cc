#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/failpoint.h"
#include "base/file.h"
#include "host/host_fixture_for_tests.h"

namespace manman::host {
namespace fs = std::filesystem;

HostWorld::HostWorld(const fs::path& dir)
    : bus({.redelivery_delay = std::chrono::milliseconds(20)}),
      store(open_folder_store(dir / "store", "bucket").value()),
      store_in_use(store.get()),
      runtime(make_process_runtime("/proc/self/exe")) {
  status_ = bus.subscribe("status", {"status.#", "health.#"},
                          [this](const Message& message) {
                            reports_.lock()->push_back(message);
                            reports_.notify_all();
                            return Handled{};
                          })
                .value();
}

HostWorld::~HostWorld() {
  stop();
}

void HostWorld::start(HostConfig config) {
  host_.reset();
  host_ = std::make_unique<HostManager>(std::move(config), *runtime);
  auto started = host_->adopt();
  if (started) started = host_->start(bus, *store_in_use);
  if (!started) throw std::runtime_error(started.error().message);
}

Result<void> HostWorld::send(std::string_view what, const std::string& body) {
  return bus.publish({.routing_key = command_key(kServer, what), .body = body});
}

bool HostWorld::wait_for(const std::function<bool(const Message&)>& holds) {
  auto reports = reports_.lock();
  return reports.wait_for(kLong, [&] { return std::ranges::any_of(*reports, holds); });
}

HostTest::HostTest() {
  std::string name = (fs::temp_directory_path() / "manman-host-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  dir_ = name;
  world_ = std::make_unique<HostWorld>(dir_);
}

void HostTest::TearDown() {
  EXPECT_TRUE(failpoint::configure(""));
  world_->stop();
  for (const std::string& found : names("session-")) {
    const GameInstance left{std::stoll(found.substr(8)), kSgc, gsc()};
    EXPECT_TRUE(world_->runtime->kill(left));
    EXPECT_TRUE(world_->runtime->wait(left, kLong));
  }
  world_.reset();
  EXPECT_TRUE(remove_tree(dir_));
}

HostConfig HostTest::config() const {
  HostConfig config;
  config.server_id = kServer;
  config.data_dir = dir_ / "data";
  config.threads = 2;
  config.report_interval = std::chrono::milliseconds(50);
  config.heartbeat_interval = std::chrono::milliseconds(50);
  config.upload_attempts = 3;
  config.guard_program = {"/proc/self/exe", "resume-guard"};
  return config;
}

void HostTest::restart_host() {
  world_->stop();
  world_->forget_reports();
  start_host();
}

void HostTest::host_was_away_for(std::chrono::seconds duration) {
  fs::last_write_time(dir_ / "data/journal/lock", fs::file_time_type::clock::now() - duration);
}

GameLaunch HostTest::launch() {
  GameLaunch launch;
  launch.environment = "test";
  launch.argv = {"sh", "-c", R"(
    echo started >> ../starts
    trap 'echo terminated >> ../console; exit 0' TERM
    while :; do
      read line || continue
      echo "$line" >> ../console
      case "$line" in
        save-off) echo saving is off ;;
        save-all) echo saved ;;
        exit*) exit ${line#exit } ;;
        abort) kill -ABRT $$ ;;
        stop) exit 0 ;;
      esac
    done)"};
  launch.handling.stop_command = "stop";
  launch.handling.stop_grace_seconds = 20;
  launch.handling.quiesce = {{"save-off", "^saving is off$", 20}, {"save-all", "^saved$", 20}};
  launch.handling.resume = {"save-on"};
  return launch;
}

StartSessionCommand HostTest::session(int64_t session_id, int64_t restore_backup_id) {
  StartSessionCommand command;
  command.session_id = session_id;
  command.sgc_id = kSgc;
  command.launch = launch();
  command.restore_backup_id = restore_backup_id;
  if (restore_backup_id != 0) command.restore_s3_url = backup(restore_backup_id).s3_url;
  return command;
}

BackupCommand HostTest::backup(int64_t backup_id) {
  BackupCommand command;
  command.backup_id = backup_id;
  command.sgc_id = kSgc;
  command.s3_key = "backups/42/" + std::to_string(backup_id) + ".tar.gz";
  command.s3_url = "s3://bucket/" + command.s3_key;
  command.launch = launch();
  return command;
}

SessionCommand HostTest::command(SessionCommand::Kind kind, int64_t session_id) {
  return {.kind = kind, .session_id = session_id, .sgc_id = kSgc, .launch = launch()};
}

void HostTest::start(const StartSessionCommand& command) {
  ASSERT_TRUE(world_->send("session.start", command.to_json()));
}
void HostTest::send(const BackupCommand& command) {
  ASSERT_TRUE(world_->send("backup", command.to_json()));
}
void HostTest::send(const SessionCommand& command) {
  ASSERT_TRUE(world_->send("session.stop", command.to_json()));
}

BackupReport HostTest::wait_backup(int64_t backup_id, const std::string& status) {
  BackupReport found;
  const bool came = world_->wait_for([&](const Message& message) {
    const auto report = BackupReport::parse(message.body);
    if (!report || report->backup_id != backup_id || report->status != status) return false;
    found = *report;
    return true;
  });
  EXPECT_TRUE(came) << "no report that backup " << backup_id << " is " << status;
  return found;
}

SessionReport HostTest::wait_session(int64_t session_id, const std::string& status) {
  SessionReport found;
  const bool came = world_->wait_for([&](const Message& message) {
    const auto report = SessionReport::parse(message.body);
    if (!report || report->session_id != session_id || report->status != status) return false;
    found = *report;
    return true;
  });
  EXPECT_TRUE(came) << "no report that session " << session_id << " is " << status;
  return found;
}

SessionReport HostTest::wait_replaced(int64_t session_id, const std::string& replaced_data) {
  SessionReport found;
  const bool came = world_->wait_for([&](const Message& message) {
    const auto report = SessionReport::parse(message.body);
    if (!report || report->session_id != session_id || !report->status.empty()) return false;
    found = *report;
    return true;
  });
  EXPECT_TRUE(came) << "no report on the replaced data of session " << session_id;
  EXPECT_EQ(found.replaced_data, replaced_data) << found.error_message;
  return found;
}

bool HostTest::eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void HostTest::wait_journal_empty() {
  EXPECT_TRUE(eventually([this] {
    for (const auto& entry : fs::directory_iterator(dir_ / "data/journal")) {
      if (entry.path().extension() == ".json") return false;
    }
    return true;
  })) << "a job stays in the journal";
}

void HostTest::write(const fs::path& path, const std::string& contents) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << contents;
}

std::string HostTest::read(const fs::path& path) {
  return read_file(path).value_or("");
}

std::map<std::string, std::string> HostTest::tree(const fs::path& dir) {
  std::map<std::string, std::string> files;
  if (!fs::exists(dir)) return {{"(missing)", ""}};
  for (const auto& entry : fs::recursive_directory_iterator(dir))
    files[entry.path().lexically_relative(dir).string()] =
        entry.is_regular_file() ? read(entry.path()) : "(folder)";
  return files;
}

void HostTest::make_world(const std::string& mark) {
  fs::remove_all(game());
  write(game() / "world/level.dat", "level of " + mark);
  for (int i = 0; i < 5; i++)
    write(game() / ("world/region/r." + mark + "." + std::to_string(i) + ".mca"),
          std::string(300000, static_cast<char>('a' + i)) + mark);
  fs::create_directories(game() / "logs");
}

std::vector<std::string> HostTest::names(const std::string& prefix) const {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(gsc(), error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(prefix)) found.push_back(name);
  }
  return found;
}

BackupReport HostTest::backed_up(int64_t backup_id, const std::string& mark) {
  make_world(mark);
  send(backup(backup_id));
  return wait_backup(backup_id, "completed");
}

void HostTest::crash_at(const std::string& failpoint, const std::string& what,
                        const std::string& body) {
  world_->stop();
  write(dir_ / "command", body);
  const std::string spec = failpoint + "=crash";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv("MANMAN_FAILPOINTS", spec.c_str(), 1);
    ::execl("/proc/self/exe", "host_test", "host-until-killed", dir_.c_str(), what.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  ASSERT_TRUE(ended) << failpoint << " was not passed";
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << failpoint << ": ended with " << status;
}

}  // namespace manman::host
