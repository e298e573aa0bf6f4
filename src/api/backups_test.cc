#include "api/test_service.h"
#include "base/sha256.h"

namespace manman::api {
namespace {

using Stub = v1::ManManAPI::Stub;

class Backups : public ApiTest {
 protected:
  Backups() { config_.max_attempts = 1; }

  grpc::Status download(int64_t id, std::string& bytes) {
    v1::DownloadBackupRequest request;
    request.set_backup_id(id);
    grpc::ClientContext context;
    auto reader = stub_->DownloadBackup(&context, request);
    v1::DownloadBackupResponse chunk;
    while (reader->Read(&chunk)) {
      EXPECT_LE(chunk.data().size(), size_t{1} << 20);
      bytes += chunk.data();
    }
    return status_ = reader->Finish();
  }

  void change_row(int64_t backup_id, const std::function<void(Backup&)>& change) {
    good(database_->transact([&](db::Transaction& tx) -> Result<void> {
      Backup row = TRY(db::backups::get(tx, backup_id));
      change(row);
      return db::backups::update(tx, row);
    }));
  }
};

TEST_F(Backups, CreateStoresARowAndCommandsTheHost) {
  ScriptedHost host(bus_, server_id_);
  const v1::Session session = running_session();
  v1::CreateBackupRequest request;
  request.set_session_id(session.session_id());
  request.set_description("before the update\nby hand");
  const v1::Backup backup = call(&Stub::CreateBackup, request).backup();
  expect_ok();
  EXPECT_EQ(backup.status(), "pending");
  EXPECT_EQ(backup.session_id(), session.session_id());
  EXPECT_EQ(backup.server_game_config_id(), sgc_id_);
  EXPECT_EQ(backup.description(), "before the update\nby hand");
  EXPECT_EQ(backup.created_at(), clock_.now_s());
  EXPECT_EQ(backup.attempt(), 1);
  const std::string key = backup_key(sgc_id_, backup.backup_id(), ArchiveFormat::kGzip);
  EXPECT_EQ(backup.s3_url(), "s3://manman/" + key);

  const auto command = good(BackupCommand::parse(host.command(1).body));
  EXPECT_EQ(host.command(1).routing_key, command_key(server_id_, "backup"));
  EXPECT_EQ(command.backup_id, backup.backup_id());
  EXPECT_EQ(command.session_id, session.session_id());
  EXPECT_EQ(command.s3_key, key);
  EXPECT_EQ(command.s3_url, backup.s3_url());
  EXPECT_EQ(command.compression, Compression());
  EXPECT_EQ(backup.format(), "gz");
  EXPECT_EQ(backup.level(), "default");
  EXPECT_EQ(command.launch.environment, "test");
  EXPECT_EQ(command.launch.argv, (std::vector<std::string>{"/bin/game", "--port", "7"}));
}

TEST_F(Backups, CreateTakesFormatAndLevel) {
  ScriptedHost host(bus_, server_id_);
  v1::CreateBackupRequest request;
  request.set_server_game_config_id(sgc_id_);
  request.set_format("zst");
  request.set_level("9");
  const v1::Backup backup = call(&Stub::CreateBackup, request).backup();
  expect_ok();
  EXPECT_EQ(backup.format(), "zst");
  EXPECT_EQ(backup.level(), "9");
  EXPECT_TRUE(backup.s3_url().ends_with(".tar.zst")) << backup.s3_url();
  const auto command = good(BackupCommand::parse(host.command(0).body));
  EXPECT_EQ(command.compression, (Compression{ArchiveFormat::kZstd, 9}));
  // The row says what the host wrote: one that names no format is too old to know another.
  BackupReport done = completed(backup);
  done.compression = {};
  report(done);
  EXPECT_EQ(get_backup(backup.backup_id()).format(), "gz");

  request.set_format("none");
  request.clear_level();
  const v1::Backup plain = call(&Stub::CreateBackup, request).backup();
  expect_ok();
  EXPECT_EQ(plain.format(), "none");
  EXPECT_EQ(plain.level(), "");
  EXPECT_TRUE(plain.s3_url().ends_with(".tar")) << plain.s3_url();
}

TEST_F(Backups, CreateRefusesFormatsAndLevelsThatAreNone) {
  const std::vector<std::array<std::string, 3>> wrong = {
      {"zip", "", "format: must be gz, zst or none"},
      {"gz", "9", "level: must be fast, default or best with format gz"},
      {"", "9", "level: must be fast, default or best with format gz"},
      {"zst", "0", "level: must be a number from 1 to 19 with format zst"},
      {"zst", "20", "level: must be a number"},
      {"zst", "3x", "level: must be a number"},
      {"none", "1", "level: must not be set with format none"},
  };
  for (const auto& [format, level, says] : wrong) {
    v1::CreateBackupRequest request;
    request.set_server_game_config_id(sgc_id_);
    request.set_format(format);
    request.set_level(level);
    call(&Stub::CreateBackup, request);
    expect_error(INVALID_ARGUMENT, says);
  }
  EXPECT_EQ(call(&Stub::ListBackups, v1::ListBackupsRequest()).backups_size(), 0);
}

TEST_F(Backups, CreateRefusesBadInput) {
  v1::CreateBackupRequest request;
  call(&Stub::CreateBackup, request);
  expect_error(INVALID_ARGUMENT, "session_id: must be positive");
  request.set_session_id(-1);
  call(&Stub::CreateBackup, request);
  expect_error(INVALID_ARGUMENT, "session_id: must not be negative");
  request.set_session_id(7);
  call(&Stub::CreateBackup, request);
  expect_error(NOT_FOUND, "no session 7");
  request.set_description(std::string(4097, 'x'));
  call(&Stub::CreateBackup, request);
  expect_error(INVALID_ARGUMENT, "description: must be at most 4096 bytes");
  request.Clear();
  request.set_server_game_config_id(99);
  call(&Stub::CreateBackup, request);
  expect_error(NOT_FOUND, "99");

  const int64_t other = deploy_another();
  request.set_session_id(running_session().session_id());
  request.set_server_game_config_id(other);
  call(&Stub::CreateBackup, request);
  expect_error(INVALID_ARGUMENT, "server_game_config_id: session 1 is of SGC " +
                                     std::to_string(sgc_id_) + ", not of SGC " +
                                     std::to_string(other));
  EXPECT_EQ(call(&Stub::ListBackups, v1::ListBackupsRequest()).backups_size(), 0);
}

TEST_F(Backups, OneAtATimeOnAnSgc) {
  const v1::Backup first = create_backup();
  create_backup();
  expect_error(FAILED_PRECONDITION, "backup " + std::to_string(first.backup_id()) + " of SGC " +
                                        std::to_string(sgc_id_) +
                                        " is pending; one backup or "
                                        "restore at a time");
  report({.backup_id = first.backup_id(), .status = "running"});
  create_backup();
  expect_error(FAILED_PRECONDITION, "is running; one backup or restore at a time");
  create_backup(deploy_another());
  expect_ok();
  report(completed(first));
  create_backup();
  expect_ok();
}

TEST_F(Backups, NoneWhileARestoreIsAtWork) {
  const v1::Backup backup = completed_backup();
  const v1::Session session = start_session(backup.backup_id());
  const std::string expected = "session " + std::to_string(session.session_id()) + " of SGC " +
                               std::to_string(sgc_id_) + " is restoring backup " +
                               std::to_string(backup.backup_id());
  create_backup();
  expect_error(FAILED_PRECONDITION, expected);
  report_session(session.session_id(), "starting");
  create_backup();
  expect_error(FAILED_PRECONDITION, expected);
  stop_session(session.session_id());  // which waits behind the restore
  create_backup();
  expect_error(FAILED_PRECONDITION, expected);
  report_session(session.session_id(), "stopped");
  create_backup();
  expect_ok();
}

TEST_F(Backups, ListGoesThroughPagesNewestFirst) {
  std::vector<int64_t> ids;
  for (int i = 0; i < 7; i++) {
    ids.push_back(create_backup().backup_id());
    report({.backup_id = ids.back(), .status = "failed", .error_message = "full"});
  }
  const int64_t other = deploy_another();
  create_backup(other);
  std::vector<int64_t> seen;
  v1::ListBackupsRequest request;
  request.set_server_game_config_id(sgc_id_);
  request.set_page_size(3);
  for (int page = 0; page < 3; page++) {
    const auto response = call(&Stub::ListBackups, request);
    expect_ok();
    for (const auto& backup : response.backups()) seen.push_back(backup.backup_id());
    request.set_page_token(response.next_page_token());
    EXPECT_EQ(response.next_page_token().empty(), page == 2);
    if (page == 0) report(completed(create_backup()));  // a new one does not shift the pages
  }
  EXPECT_EQ(seen, std::vector<int64_t>(ids.rbegin(), ids.rend()));
  request.set_page_token("bm90IG1pbmU");
  call(&Stub::ListBackups, request);
  expect_error(INVALID_ARGUMENT, "page_token: ");
}

TEST_F(Backups, AFullLastPageHasNoNext) {
  completed_backup();
  completed_backup();
  v1::ListBackupsRequest request;
  request.set_page_size(2);
  const auto response = call(&Stub::ListBackups, request);
  EXPECT_EQ(response.backups_size(), 2);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(Backups, DeleteRemovesObjectAndRow) {
  const v1::Backup backup = completed_backup();
  ASSERT_TRUE(has_object(key_of(backup)));
  delete_backup(backup.backup_id());
  expect_ok();
  EXPECT_FALSE(has_object(key_of(backup)));
  get_backup(backup.backup_id());
  expect_error(NOT_FOUND, "no backup " + std::to_string(backup.backup_id()));
  delete_backup(backup.backup_id());
  expect_error(NOT_FOUND, "no backup");
}

TEST_F(Backups, DeleteRefusesWhatIsInUse) {
  const v1::Backup active = create_backup();
  delete_backup(active.backup_id());
  expect_error(FAILED_PRECONDITION, "is pending");
  report({.backup_id = active.backup_id(), .status = "running"});
  delete_backup(active.backup_id());
  expect_error(FAILED_PRECONDITION, "is running");
  report(completed(active));
  const v1::Session session = start_session(active.backup_id());
  delete_backup(active.backup_id());
  expect_error(FAILED_PRECONDITION,
               "is being restored by session " + std::to_string(session.session_id()));
  report_session(session.session_id(), "running");
  delete_backup(active.backup_id());
  expect_ok();
  EXPECT_EQ(get_session(session.session_id()).restored_from_backup_id(), 0);
}

TEST_F(Backups, AFailedOneWithoutObjectCanBeDeleted) {
  const v1::Backup backup = create_backup();
  report({.backup_id = backup.backup_id(), .status = "failed", .error_message = "disk full"});
  delete_backup(backup.backup_id());
  expect_ok();
}

TEST_F(Backups, DeleteLeavesOtherBucketsAlone) {
  const v1::Backup backup = completed_backup();
  change_row(backup.backup_id(), [](Backup& row) { row.s3_url = "s3://elsewhere/backups/1/1"; });
  delete_backup(backup.backup_id());
  expect_error(FAILED_PRECONDITION, "in bucket elsewhere; this service removes only from manman");
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "completed");
}

TEST_F(Backups, DeleteGoesOnWhenTheStoreIsBack) {
  const v1::Backup backup = completed_backup();
  store_->away = true;
  delete_backup(backup.backup_id());
  expect_error(UNAVAILABLE, "is marked for deletion");
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "deleting");
  start_session(backup.backup_id());
  expect_error(FAILED_PRECONDITION, "is deleting; only a completed one can be restored");
  store_->away = false;
  EXPECT_TRUE(eventually([&] {
    get_backup(backup.backup_id());
    return status_.error_code() == NOT_FOUND;
  }));
  EXPECT_FALSE(has_object(key_of(backup)));
}

TEST_F(Backups, DeleteGoesOnAfterARestart) {
  const v1::Backup backup = completed_backup();
  store_->away = true;
  delete_backup(backup.backup_id());
  service_.reset();
  store_->away = false;
  EXPECT_TRUE(has_object(key_of(backup)));
  start();
  EXPECT_TRUE(eventually([&] {
    get_backup(backup.backup_id());
    return status_.error_code() == NOT_FOUND;
  }));
  EXPECT_FALSE(has_object(key_of(backup)));
}

TEST_F(Backups, DownloadGivesTheArchive) {
  const v1::Backup backup = create_backup();
  std::string archive;
  for (int i = 0; archive.size() < 2'500'000; i++) archive += std::to_string(i);
  put_object(key_of(backup), archive);
  BackupReport done = completed(backup, static_cast<int64_t>(archive.size()));
  done.sha256 = to_hex(Sha256::of(as_bytes(archive)));
  report(done);
  std::string bytes;
  EXPECT_TRUE(download(backup.backup_id(), bytes).ok()) << status_.error_message();
  EXPECT_TRUE(bytes == archive);
}

TEST_F(Backups, DownloadTellsWhatIsWrong) {
  std::string bytes;
  download(0, bytes);
  expect_error(INVALID_ARGUMENT, "backup_id: must be positive");
  download(9, bytes);
  expect_error(NOT_FOUND, "no backup 9");
  const v1::Backup backup = create_backup();
  download(backup.backup_id(), bytes);
  expect_error(FAILED_PRECONDITION, "is pending");
  BackupReport done = completed(backup);
  done.sha256 = std::string(64, '0');
  report(done);
  download(backup.backup_id(), bytes);
  expect_error(DATA_LOSS, "is not in the store");
  put_object(key_of(backup), "four");
  download(backup.backup_id(), bytes);
  expect_error(DATA_LOSS, "is 4 bytes instead of 5");
  EXPECT_EQ(bytes, "");
  put_object(key_of(backup), "bytes");
  download(backup.backup_id(), bytes);
  expect_error(DATA_LOSS, "does not have the SHA-256 that was recorded");
}

class CancelledBackups : public Backups {
 protected:
  v1::Backup cancel(int64_t id) {
    v1::CancelBackupRequest request;
    request.set_backup_id(id);
    return call(&Stub::CancelBackup, request).backup();
  }
};

TEST_F(CancelledBackups, RowSaysSoAtOnceAndTheHostIsTold) {
  ScriptedHost host(bus_, server_id_);
  const v1::Backup backup = create_backup();
  host.command(0);
  const v1::Backup cancelled = cancel(backup.backup_id());
  expect_ok();
  EXPECT_EQ(cancelled.status(), "cancelled");
  EXPECT_EQ(cancelled.finished_at(), clock_.now_s());
  EXPECT_EQ(host.command(1).routing_key, command_key(server_id_, "backup.cancel"));
  const auto command = good(CancelBackupCommand::parse(host.command(1).body));
  EXPECT_EQ(command.backup_id, backup.backup_id());
  EXPECT_EQ(command.sgc_id, sgc_id_);
  EXPECT_EQ(command.s3_key, key_of(backup));
  EXPECT_EQ(command.s3_url, backup.s3_url());
  // Again: nothing more to do.
  EXPECT_EQ(cancel(backup.backup_id()).status(), "cancelled");
  expect_ok();
  const v1::Backup next = create_backup();
  expect_ok();
  host.command(2);
  EXPECT_EQ(host.commands().size(), 3U);
  EXPECT_EQ(next.status(), "pending");
}

TEST_F(CancelledBackups, NothingThatTheHostReportsLaterCounts) {
  const v1::Backup backup = create_backup();
  cancel(backup.backup_id());
  put_archive(key_of(backup), mark_of(backup));
  report(BackupReport{.backup_id = backup.backup_id(), .status = "running"});
  report(BackupReport{.backup_id = backup.backup_id(), .status = "failed"});
  report(completed(backup));
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "cancelled");
  EXPECT_TRUE(eventually([&] { return !has_object(key_of(backup)); }));
  delete_backup(backup.backup_id());
  expect_ok();
  get_backup(backup.backup_id());
  expect_error(NOT_FOUND, "no backup");
}

TEST_F(CancelledBackups, OneThatHasEndedIsRefused) {
  const v1::Backup backup = completed_backup();
  cancel(backup.backup_id());
  expect_error(FAILED_PRECONDITION, "has ended already: it is completed");
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "completed");
  EXPECT_TRUE(has_object(key_of(backup)));
  cancel(99);
  expect_error(NOT_FOUND, "no backup 99");
  cancel(0);
  expect_error(INVALID_ARGUMENT, "backup_id");
}

TEST_F(CancelledBackups, CommandThatIsNotSentYetIsDropped) {
  const v1::Backup backup = create_backup();  // nobody takes it
  cancel(backup.backup_id());
  expect_ok();
  ScriptedHost host(bus_, server_id_);
  EXPECT_EQ(host.command(0).routing_key, command_key(server_id_, "backup.cancel"));
  EXPECT_EQ(host.commands().size(), 1U);
}

}  // namespace
}  // namespace manman::api
