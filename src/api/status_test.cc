#include "api/test_service.h"
#include "base/failpoint.h"

namespace manman::api {
namespace {

class Status : public ApiTest {
 protected:
  ~Status() override { good(failpoint::configure("")); }

  // The reason of the latest dead letter.
  std::string rejected(const std::string& key, const std::string& body) {
    const size_t before = bus_.dead_letters().size();
    good(bus_.publish({key, body}));
    const auto letters = bus_.dead_letters();
    return letters.size() == before ? "not rejected" : letters.back().reason;
  }
};

TEST_F(Status, ABackupGoesFromPendingToCompleted) {
  const v1::Backup backup = create_backup();
  clock_.advance(std::chrono::seconds(2));
  report({.backup_id = backup.backup_id(),
          .status = "running",
          .progress_bytes = 10,
          .total_bytes = 100});
  v1::Backup row = get_backup(backup.backup_id());
  EXPECT_EQ(row.status(), "running");
  EXPECT_EQ(row.started_at(), clock_.now_s());
  EXPECT_EQ(row.progress_bytes(), 10);
  EXPECT_EQ(row.total_bytes(), 100);
  clock_.advance(std::chrono::seconds(3));
  BackupReport done = completed(backup, 1234);
  done.sha256 = "feed";
  done.entries = 7;
  done.warnings = {"skipped fifo"};
  report(done);
  row = get_backup(backup.backup_id());
  EXPECT_EQ(row.status(), "completed");
  EXPECT_EQ(row.size_bytes(), 1234);
  EXPECT_EQ(row.sha256(), "feed");
  EXPECT_EQ(row.entries(), 7);
  EXPECT_EQ(row.finished_at(), clock_.now_s());
  ASSERT_EQ(row.warnings_size(), 1);
  EXPECT_EQ(row.warnings(0), "skipped fifo");
}

TEST_F(Status, AFinishedBackupNeverChanges) {
  for (const std::string end : {"completed", "failed"}) {
    const v1::Backup backup = create_backup();
    BackupReport first = completed(backup, 50);
    first.status = end;
    first.error_message = end == "failed" ? "disk full" : "";
    report(first);
    const std::string before = get_backup(backup.backup_id()).SerializeAsString();
    for (const std::string late : {"running", "completed", "failed"}) {
      BackupReport again = completed(backup, 99);
      again.status = late;
      again.error_message = "late";
      report(again);
      EXPECT_EQ(get_backup(backup.backup_id()).SerializeAsString(), before) << end << " " << late;
    }
  }
}

TEST_F(Status, AReportOfAnotherAttemptIsIgnored) {
  const v1::Backup backup = create_backup();
  for (const int attempt : {0, 2, 99}) {
    BackupReport other = completed(backup);
    other.attempt = attempt;
    report(other);
    EXPECT_EQ(get_backup(backup.backup_id()).status(), "pending");
  }
}

TEST_F(Status, WhatContradictsTheRowIsRejectedWithTheReason) {
  const v1::Backup backup = create_backup();
  const std::string key = backup_status_key(backup.backup_id());
  BackupReport bad = completed(backup);
  bad.s3_url = "s3://manman/backups/9/9.tar.gz";
  EXPECT_NE(rejected(key, bad.to_json()).find("stored as s3://manman/backups/9/9.tar.gz"),
            std::string::npos);
  bad = completed(backup, 0);
  EXPECT_NE(rejected(key, bad.to_json()).find("no size_bytes"), std::string::npos);
  bad = completed(backup);
  bad.server_id = server_id_ + 1;
  EXPECT_NE(rejected(key, bad.to_json()).find("it is the job of server"), std::string::npos);
  bad = completed(backup);
  bad.status = "perfect";
  EXPECT_NE(rejected(key, bad.to_json()).find("field status"), std::string::npos);
  EXPECT_NE(rejected(backup_status_key(77), completed(backup).to_json()).find("came as"),
            std::string::npos);
  EXPECT_NE(rejected(key, "{not json"), "not rejected");
  EXPECT_NE(rejected(key, R"({"status":"completed"})").find("backup_id"), std::string::npos);
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "pending");
  // None of them stops the consumer.
  report(completed(backup));
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "completed");
}

TEST_F(Status, AReportOfAMinimalClientIsEnough) {
  const v1::Backup backup = create_backup();
  good(bus_.publish({backup_status_key(backup.backup_id()),
                     R"({"backup_id": 1, "status": "completed", "s3_url": ")" + backup.s3_url() +
                         R"(", "size_bytes": 1234})"}));
  EXPECT_EQ(get_backup(backup.backup_id()).size_bytes(), 1234);
}

TEST_F(Status, TheObjectOfACancelledBackupDoesNotStay) {
  const v1::Backup backup = create_backup();
  cancel_backup(backup.backup_id());
  expect_ok();
  put_archive(key_of(backup), mark_of(backup));  // the host was slower
  report(completed(backup));
  EXPECT_TRUE(eventually([&] { return !has_object(key_of(backup)); }));
}

// It may be of a database that was lost, and all that is left of a world.
TEST_F(Status, AReportRemovesOnlyWhatIsOfItsOwnRow) {
  const v1::Backup kept = completed_backup();
  BackupReport forged = completed(kept);
  forged.backup_id = 99;  // no such row
  report(forged);
  const std::string old = backup_key(sgc_id_, 99, ArchiveFormat::kGzip);
  put_archive(old, "of another time");
  forged.s3_url = "s3://manman/" + old;
  report(forged);
  const v1::Backup taken = create_backup();
  put_archive(key_of(taken), "of another time");
  cancel_backup(taken.backup_id());
  report(completed(taken));
  const v1::Backup gone = create_backup();
  cancel_backup(gone.backup_id());
  put_archive(key_of(gone), mark_of(gone));
  report(completed(gone));
  ASSERT_TRUE(eventually([&] { return !has_object(key_of(gone)); }));  // so the job has run
  EXPECT_TRUE(has_object(key_of(kept)));
  EXPECT_TRUE(has_object(old));
  EXPECT_TRUE(has_object(key_of(taken)));
  delete_backup(taken.backup_id());
  expect_ok();
  EXPECT_TRUE(has_object(key_of(taken)));
}

TEST_F(Status, AReportOfAnotherDatabasesBackupIsIgnored) {
  const v1::Backup backup = create_backup();
  BackupReport old = completed(backup);
  old.mark = "of another time";
  report(old);
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "pending");
  old.mark = mark_of(backup);
  report(old);
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "completed");
}

TEST_F(Status, ACrashBetweenCommitAndAcknowledgementChangesNothing) {
  const v1::Backup backup = create_backup();
  good(failpoint::configure("api.status.applied@1=error"));
  report(completed(backup));  // comes twice
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "completed");
}

// No database's text holds a NUL; the report counts all the same.
TEST_F(Status, AReasonOfAnyContentIsTaken) {
  const v1::Backup backup = create_backup();
  const std::string key = backup_status_key(backup.backup_id());
  const std::string body = R"({"backup_id":)" + std::to_string(backup.backup_id()) +
                           R"(,"status":"failed","error_message":"game/a\u0000b: gone"})";
  good(bus_.publish({key, body}));
  EXPECT_EQ(get_backup(backup.backup_id()).status(), "failed");
  EXPECT_EQ(get_backup(backup.backup_id()).error_message(),
            "game/a\xef\xbf\xbd"
            "b: gone");
  const v1::Session session = start_session();
  report({.session_id = session.session_id(),
          .status = "crashed",
          .error_message = std::string("a\0\xff\xc3", 4)});
  EXPECT_EQ(get_session(session.session_id()).status(), "crashed");
  EXPECT_EQ(get_session(session.session_id()).error_message().substr(0, 4), "a\xef\xbf\xbd");
}

TEST_F(Status, ASessionTellsItsWay) {
  const v1::Session session = start_session();
  const int64_t id = session.session_id();
  report({.session_id = id, .status = "starting", .progress_bytes = 3, .total_bytes = 9});
  EXPECT_EQ(get_session(id).status(), "starting");
  EXPECT_EQ(get_session(id).progress_bytes(), 3);
  clock_.advance(std::chrono::seconds(1));
  report_session(id, "running");
  EXPECT_EQ(get_session(id).started_at(), clock_.now_s());
  report_session(id, "starting");  // late
  EXPECT_EQ(get_session(id).status(), "running");
  clock_.advance(std::chrono::seconds(1));
  report({.session_id = id,
          .status = "crashed",
          .exit_code = 139,
          .error_message = "killed by signal 11"});
  const v1::Session ended = get_session(id);
  EXPECT_EQ(ended.status(), "crashed");
  EXPECT_EQ(ended.exit_code(), 139);
  EXPECT_EQ(ended.error_message(), "killed by signal 11");
  EXPECT_EQ(ended.ended_at(), clock_.now_s());
  report_session(id, "running");
  report_session(id, "completed");
  EXPECT_EQ(get_session(id).SerializeAsString(), ended.SerializeAsString());
}

TEST_F(Status, AHostThatComesBackMendsALostSession) {
  clock_.advance(config_.lease);
  const int64_t id = start_session().session_id();
  clock_.advance(config_.lease);
  ASSERT_TRUE(eventually([&] { return get_session(id).status() == "crashed"; }));
  report_session(id, "running");
  EXPECT_EQ(get_session(id).status(), "running");
  EXPECT_EQ(get_session(id).ended_at(), 0);
  EXPECT_EQ(get_session(id).error_message(), "");
}

TEST_F(Status, AHeartbeatBringsAServerBack) {
  const auto status = [&] {
    v1::GetServerRequest request;
    request.set_server_id(server_id_);
    return call(&v1::ManManAPI::Stub::GetServer, request).server().status();
  };
  EXPECT_EQ(status(), "online");
  clock_.advance(config_.offline_after + std::chrono::seconds(2));
  EXPECT_TRUE(eventually([&] { return status() == "offline"; }));
  good(bus_.publish({host_health_key(server_id_), HostHealth{server_id_}.to_json()}));
  EXPECT_TRUE(eventually([&] { return status() == "online"; }));
  good(bus_.publish({host_health_key(99), HostHealth{99}.to_json()}));  // of a deleted server
}

}  // namespace
}  // namespace manman::api
