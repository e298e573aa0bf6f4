#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "bus/inprocess/inprocess_bus.h"
#include "domain/messages.h"
#include "game/runtime/process/process_runtime.h"
#include "host/host_manager.h"
#include "store/folder/folder_store.h"

// A real host for tests: folder store, in-process bus, /bin/sh games under the real wrapper. The
// test program is its own wrapper, and a host that is killed at a failpoint (host_main_test.cc).
namespace manman::host {

inline constexpr int64_t kServer = 3;
inline constexpr int64_t kSgc = 42;
inline constexpr std::chrono::seconds kLong{60};  // what should be quick takes no longer than this

// Store, bus and runtime of one host, and all reports that it sends.
class HostWorld {
 public:
  explicit HostWorld(const std::filesystem::path& dir);
  ~HostWorld();

  void start(HostConfig config);
  void stop() { host_.reset(); }
  // Publishes a command and waits until the host has acknowledged it.
  Result<void> send(std::string_view what, const std::string& body);
  // Waits until one of the reports so far holds; false after a long time.
  bool wait_for(const std::function<bool(const Message&)>& holds);
  std::vector<Message> reports() { return *reports_.lock(); }
  void forget_reports() { reports_.lock()->clear(); }

  InProcessBus bus;
  std::unique_ptr<Store> store;
  Store* store_in_use = nullptr;  // a decorator may stand before the real one
  std::unique_ptr<Runtime> runtime;

 private:
  std::unique_ptr<Subscription> status_;
  Sync<std::vector<Message>> reports_;
  std::unique_ptr<HostManager> host_;
};

class HostTest : public testing::Test {
 protected:
  HostTest();
  void TearDown() override;  // ends whatever a failed test left running

  HostConfig config() const;
  void start_host() { world_->start(config()); }
  void restart_host();

  // A game that notes its starts and the lines of its console beside game/, and obeys them.
  static GameLaunch launch();
  StartSessionCommand session(int64_t session_id, int64_t restore_backup_id = 0);
  static BackupCommand backup(int64_t backup_id);
  static SessionCommand command(SessionCommand::Kind kind, int64_t session_id);
  void start(const StartSessionCommand& command);
  void send(const BackupCommand& command);
  void send(const SessionCommand& command);

  // The report of that status, or a failed test.
  BackupReport wait_backup(int64_t backup_id, const std::string& status);
  SessionReport wait_session(int64_t session_id, const std::string& status);
  SessionReport wait_replaced(int64_t session_id, const std::string& replaced_data);
  void wait_journal_empty();
  static bool eventually(const std::function<bool()>& holds);

  std::filesystem::path gsc() const { return dir_ / "data/gsc-test-42"; }
  std::filesystem::path game() const { return gsc() / "game"; }
  void write(const std::filesystem::path& path, const std::string& contents);
  static std::string read(const std::filesystem::path& path);
  // Every file below, with its contents.
  static std::map<std::string, std::string> tree(const std::filesystem::path& dir);
  void make_world(const std::string& mark);
  // Names in the GSC directory that begin so.
  std::vector<std::string> names(const std::string& prefix) const;
  // A completed backup of a world with this mark.
  BackupReport backed_up(int64_t backup_id, const std::string& mark);

  // As if no host had worked here for so long.
  void host_was_away_for(std::chrono::seconds duration);

  // Runs a host of its own in a process that is killed at the failpoint, with one command.
  void crash_at(const std::string& failpoint, const std::string& what, const std::string& body);

  std::filesystem::path dir_;
  std::unique_ptr<HostWorld> world_;
};

}  // namespace manman::host
