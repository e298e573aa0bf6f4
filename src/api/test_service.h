#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "api/control_plane.h"
#include "archive/archive.h"
#include "base/file.h"
#include "base/sync.h"
#include "bus/inprocess/inprocess_bus.h"
#include "db/repositories.h"
#include "db/test_database.h"
#include "domain/messages.h"
#include "domain/object_url.h"
#include "manman/v1/manman.grpc.pb.h"
#include "store/folder/folder_store.h"

// For tests: the whole API on SQLite (PostgreSQL, where MANMAN_TEST_PG_URL names one), the
// in-process bus and a folder store, called over gRPC, with a clock that the test holds and a host
// whose part the test plays.
namespace manman::api {

class HeldClock final : public Clock {
 public:
  int64_t now_ms() const override { return now_ms_; }
  void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }
  void set(int64_t now_s) { now_ms_ = now_s * 1000; }

 private:
  std::atomic<int64_t> now_ms_{1'800'000'000'000};
};

// Waits until it holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// The value, or a failed test with the error's text.
template <typename T>
T good(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// A store that can be away.
class SwitchedStore final : public Store {
 public:
  explicit SwitchedStore(Store& real) : real_(real) {}
  std::atomic<bool> away{false};
  std::atomic<bool> bucket_gone{false};

  Result<std::unique_ptr<Upload>> put(std::string_view key, uint64_t bound) override {
    TRY(check());
    return real_.put(key, bound);
  }
  Result<void> abort_uploads(std::string_view key) override {
    TRY(check());
    return real_.abort_uploads(key);
  }
  Result<int> sweep_uploads(std::string_view prefix, std::chrono::seconds older_than) override {
    TRY(check());
    return real_.sweep_uploads(prefix, older_than);
  }
  Result<void> list_uploads(std::string_view prefix,
                            const std::function<bool(const PendingUpload&)>& visit) override {
    TRY(check());
    return real_.list_uploads(prefix, visit);
  }
  Result<void> get(std::string_view key, uint64_t offset, MutableBytes buffer) override {
    TRY(check());
    return real_.get(key, offset, buffer);
  }
  Result<ObjectInfo> head(std::string_view key) override {
    TRY(check());
    if (bucket_gone) return fail(Code::kNotFound, "404");  // an answer to HEAD has no body
    return real_.head(key);
  }
  Result<void> list(std::string_view prefix,
                    const std::function<bool(const ObjectInfo&)>& visit) override {
    TRY(check());
    if (bucket_gone) return fail(Code::kFailedPrecondition, "there is no such bucket");
    return real_.list(prefix, visit);
  }
  Result<void> remove(std::string_view key) override {
    TRY(check());
    return real_.remove(key);
  }
  bool distant() const override { return real_.distant(); }
  std::string bucket() const override { return real_.bucket(); }

 private:
  Result<void> check() const {
    if (away) return fail(Code::kUnavailable, "the store is away");
    return {};
  }
  Store& real_;
};

// Plays the host manager of one server: keeps the commands that come.
class ScriptedHost {
 public:
  ScriptedHost(Bus& bus, int64_t server_id)
      : subscription_(good(bus.subscribe(command_queue(server_id),
                                         {"command.host." + std::to_string(server_id) + ".#"},
                                         [this](const Message& message) {
                                           commands_.lock()->push_back(message);
                                           return Handled{};
                                         }))) {}

  std::vector<Message> commands() { return *commands_.lock(); }
  // The n-th command (from 0) once it has come.
  Message command(size_t n) {
    EXPECT_TRUE(eventually([&] { return commands_.lock()->size() > n; })) << "no command " << n;
    const auto all = commands();
    return n < all.size() ? all[n] : Message{};
  }

 private:
  Sync<std::vector<Message>> commands_;
  std::unique_ptr<Subscription> subscription_;
};

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    std::string name = (std::filesystem::temp_directory_path() / "api_test.XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    folder_ = good(open_folder_store(dir_ / "store", "manman"));
    store_ = std::make_unique<SwitchedStore>(*folder_);
    place_ = db::database_kinds().back().make();
    database_ = place_->open();
    good(database_->migrate());
    config_.grpc_address = "127.0.0.1:0";
    config_.http_address = "127.0.0.1:0";
    config_.job_interval = std::chrono::milliseconds(20);
    config_.verify.after_upload = VerifiedHow::kNot;
  }

  ~ApiTest() override {
    service_.reset();
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }

  void SetUp() override {
    start();
    deploy();
  }

  void start() {
    service_ = std::make_unique<ControlPlane>(config_, clock_);
    good(service_->listen());
    good(service_->start(*database_, bus_, *store_));
    stub_ = v1::ManManAPI::NewStub(
        grpc::CreateChannel(service_->grpc_address(), grpc::InsecureChannelCredentials()));
  }

  // A server, a game, its config and an SGC; what most tests stand on.
  void deploy() {
    server_id_ = good(service_->register_server("box", "test"));
    sgc_id_ = deploy_another();
  }

  int64_t deploy_another() {
    static std::atomic<int> count{0};
    const std::string number = std::to_string(count++);
    return good(database_->transact([&](db::Transaction& tx) -> Result<int64_t> {
      const auto game = TRY(db::games::create(tx, {.name = "game " + number}));
      GameConfig config{.game_id = game.game_id, .name = "config", .args_template = "--port 7"};
      config.entrypoint = {"/bin/game"};
      config.handling = R"({"stop_command": "stop"})";
      config = TRY(db::game_configs::create(tx, config));
      return TRY(db::server_game_configs::create(
          tx, {.server_id = server_id_, .game_config_id = config.config_id}))
      .sgc_id;
    }));
  }

  template <typename Response, typename Request>
  Response call(grpc::Status (v1::ManManAPI::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                const Request& request) {
    grpc::ClientContext context;
    Response response;
    status_ = (stub_.get()->*method)(&context, request, &response);
    return response;
  }

  // Of the latest call.
  void expect_ok() { EXPECT_TRUE(status_.ok()) << status_.error_message(); }
  void expect_error(grpc::StatusCode code, const std::string& part) {
    EXPECT_EQ(status_.error_code(), code) << status_.error_message();
    EXPECT_NE(status_.error_message().find(part), std::string::npos) << status_.error_message();
  }

  v1::Backup create_backup(int64_t sgc_id = 0) {
    v1::CreateBackupRequest request;
    request.set_server_game_config_id(sgc_id == 0 ? sgc_id_ : sgc_id);
    return call(&v1::ManManAPI::Stub::CreateBackup, request).backup();
  }
  v1::Backup get_backup(int64_t id) {
    v1::GetBackupRequest request;
    request.set_backup_id(id);
    return call(&v1::ManManAPI::Stub::GetBackup, request).backup();
  }
  void delete_backup(int64_t id) {
    v1::DeleteBackupRequest request;
    request.set_backup_id(id);
    call(&v1::ManManAPI::Stub::DeleteBackup, request);
  }
  v1::Session start_session(int64_t restore = 0, bool force = false) {
    v1::StartSessionRequest request;
    request.set_server_game_config_id(sgc_id_);
    request.set_restore_from_backup_id(restore);
    request.set_force(force);
    return call(&v1::ManManAPI::Stub::StartSession, request).session();
  }
  v1::Session get_session(int64_t id) {
    v1::GetSessionRequest request;
    request.set_session_id(id);
    return call(&v1::ManManAPI::Stub::GetSession, request).session();
  }
  v1::Session stop_session(int64_t id, bool kill = false) {
    v1::StopSessionRequest request;
    request.set_session_id(id);
    request.set_kill(kill);
    return call(&v1::ManManAPI::Stub::StopSession, request).session();
  }
  v1::Session undo_restore(int64_t id) {
    v1::UndoRestoreRequest request;
    request.set_session_id(id);
    return call(&v1::ManManAPI::Stub::UndoRestore, request).session();
  }

  // What hosts report; published, so it has been applied when this returns.
  void report(const BackupReport& message) {
    good(bus_.publish({backup_status_key(message.backup_id), message.to_json()}));
  }
  void report(const SessionReport& message) {
    good(bus_.publish({session_status_key(message.session_id), message.to_json()}));
  }
  void report_session(int64_t id, const std::string& status) {
    report(SessionReport{.session_id = id, .status = status});
  }
  BackupReport completed(const v1::Backup& backup, int64_t size = 5) {
    return {.backup_id = backup.backup_id(),
            .attempt = backup.attempt(),
            .status = "completed",
            .s3_url = backup.s3_url(),
            .size_bytes = size};
  }

  static std::string key_of(const v1::Backup& backup) {
    return good(ObjectUrl::parse(backup.s3_url())).key;
  }
  void put_object(const std::string& key, const std::string& bytes) {
    auto upload = good(folder_->put(key, bytes.size()));
    good(upload->write(as_bytes(bytes)));
    good(upload->commit());
  }
  // A whole archive that says whose it is.
  void put_archive(const std::string& key, const std::string& mark) {
    put_archive_of(key, R"({"mark": ")" + mark + R"("})");
  }
  void put_archive_of(const std::string& key, const std::string& origin) {
    const auto world = dir_ / "world";
    std::filesystem::create_directories(world);
    std::ofstream(world / "level.dat") << "level";
    auto upload = good(folder_->put(key, 1 << 20));
    archive::PackOptions options;
    options.origin = origin;
    good(archive::pack(world, *upload, options));
    good(upload->commit());
  }
  std::string mark_of(const v1::Backup& backup) {
    return good(database_->look(
                    [&](db::Transaction& tx) { return db::backups::get(tx, backup.backup_id()); }))
        .mark;
  }
  void cancel_backup(int64_t id) {
    v1::CancelBackupRequest request;
    request.set_backup_id(id);
    call(&v1::ManManAPI::Stub::CancelBackup, request);
  }
  bool has_object(const std::string& key) { return folder_->head(key).has_value(); }

  // A backup that is completed, with an object of five bytes.
  v1::Backup completed_backup() {
    const v1::Backup backup = create_backup();
    put_object(key_of(backup), "bytes");
    report(completed(backup));
    return get_backup(backup.backup_id());
  }
  // A session whose game runs.
  v1::Session running_session() {
    const v1::Session session = start_session();
    report_session(session.session_id(), "running");
    return get_session(session.session_id());
  }

  std::filesystem::path dir_;
  ApiConfig config_;
  HeldClock clock_;
  InProcessBus bus_{{.publish_timeout = std::chrono::milliseconds(500),
                     .redelivery_delay = std::chrono::milliseconds(10)}};
  std::unique_ptr<Store> folder_;
  std::unique_ptr<SwitchedStore> store_;
  std::unique_ptr<db::TestDatabase> place_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<ControlPlane> service_;
  std::unique_ptr<v1::ManManAPI::Stub> stub_;
  grpc::Status status_;
  int64_t server_id_ = 0;
  int64_t sgc_id_ = 0;
};

using enum grpc::StatusCode;

}  // namespace manman::api
