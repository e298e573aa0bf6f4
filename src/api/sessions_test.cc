#include "api/test_service.h"

namespace manman::api {
namespace {

using Stub = v1::ManManAPI::Stub;

class Sessions : public ApiTest {
 protected:
  std::string sgc() const { return "SGC " + std::to_string(sgc_id_); }
  static std::string named(const v1::Session& session) {
    return "session " + std::to_string(session.session_id());
  }

  // An ended session whose restore has replaced data that is still there.
  v1::Session restored_and_ended() {
    const v1::Session session = start_session(completed_backup().backup_id());
    expect_ok();
    report({.session_id = session.session_id(), .status = "running", .replaced_data = "kept"});
    report_session(session.session_id(), "completed");
    return get_session(session.session_id());
  }
};

TEST_F(Sessions, StartCommandsTheHost) {
  ScriptedHost host(bus_, server_id_);
  const v1::Session session = start_session();
  expect_ok();
  EXPECT_EQ(session.status(), "pending");
  EXPECT_EQ(session.created_at(), clock_.now_s());
  EXPECT_EQ(host.command(0).routing_key, command_key(server_id_, "session.start"));
  const auto command = good(StartSessionCommand::parse(host.command(0).body));
  EXPECT_EQ(command.session_id, session.session_id());
  EXPECT_EQ(command.sgc_id, sgc_id_);
  EXPECT_EQ(command.restore_backup_id, 0);
  EXPECT_EQ(command.launch.handling.stop_command, "stop");
  EXPECT_EQ(command.lease_ms, config_.lease.count());
  EXPECT_EQ(host.command(0).expires_in, config_.lease);
}

TEST_F(Sessions, StartWithRestorePassesWhatTheRowSays) {
  const v1::Backup backup = completed_backup();
  good(database_->transact([&](db::Transaction& tx) -> Result<void> {
    Backup row = TRY(db::backups::get(tx, backup.backup_id()));
    row.s3_url = "s3://manman/old-scheme/42.tgz";
    row.sha256 = "abc";
    return db::backups::update(tx, row);
  }));
  ScriptedHost host(bus_, server_id_);
  const v1::Session session = start_session(backup.backup_id());
  expect_ok();
  EXPECT_EQ(session.restored_from_backup_id(), backup.backup_id());
  const auto command = good(StartSessionCommand::parse(host.command(0).body));
  EXPECT_EQ(command.restore_backup_id, backup.backup_id());
  EXPECT_EQ(command.restore_s3_url, "s3://manman/old-scheme/42.tgz");
  EXPECT_EQ(command.restore_size_bytes, 5);
  EXPECT_EQ(command.restore_sha256, "abc");
}

TEST_F(Sessions, StartRefusesInOrder) {
  v1::StartSessionRequest request;
  call(&Stub::StartSession, request);
  expect_error(INVALID_ARGUMENT, "server_game_config_id: must be positive");
  request.set_server_game_config_id(99);
  call(&Stub::StartSession, request);
  expect_error(NOT_FOUND, "99");
  start_session(-1);
  expect_error(INVALID_ARGUMENT, "restore_from_backup_id: must not be negative");
  start_session(77);
  expect_error(NOT_FOUND, "no backup 77");
  const int64_t other_sgc = deploy_another();
  const v1::Backup other = create_backup(other_sgc);
  start_session(other.backup_id());
  expect_error(INVALID_ARGUMENT, "restore_from_backup_id: backup " +
                                     std::to_string(other.backup_id()) + " is of SGC " +
                                     std::to_string(other_sgc) + ", not of " + sgc());
  const v1::Backup active = create_backup();
  start_session(active.backup_id());
  expect_error(FAILED_PRECONDITION, "is pending; only a completed one can be restored");
  start_session();
  expect_error(FAILED_PRECONDITION,
               "backup " + std::to_string(active.backup_id()) + " of " + sgc() + " is pending");
  report({.backup_id = active.backup_id(), .status = "failed"});
  start_session(active.backup_id());
  expect_error(FAILED_PRECONDITION, "is failed; only a completed one can be restored");
  EXPECT_EQ(call(&Stub::ListSessions, v1::ListSessionsRequest()).sessions_size(), 0);
}

TEST_F(Sessions, StartBesideALiveOneNeedsForce) {
  ScriptedHost host(bus_, server_id_);
  const v1::Session old = running_session();
  start_session();
  expect_error(FAILED_PRECONDITION, named(old) + " of " + sgc() + " is running");
  expect_error(FAILED_PRECONDITION, "--force");
  EXPECT_EQ(get_session(old.session_id()).status(), "running");

  const v1::Session fresh = start_session(0, true);
  expect_ok();
  EXPECT_EQ(get_session(old.session_id()).status(), "stopping");
  EXPECT_EQ(host.command(1).routing_key, command_key(server_id_, "session.stop"));
  EXPECT_EQ(good(SessionCommand::parse(host.command(1).body)).session_id, old.session_id());
  EXPECT_EQ(good(StartSessionCommand::parse(host.command(2).body)).session_id, fresh.session_id());
}

TEST_F(Sessions, ForceDoesNotBreakABackup) {
  const v1::Session old = running_session();
  create_backup();
  start_session(0, true);
  expect_error(FAILED_PRECONDITION, "backup 1 of " + sgc());
  EXPECT_EQ(get_session(old.session_id()).status(), "running");
}

TEST_F(Sessions, ALostOneIsStoppedBeforeTheNextStarts) {
  clock_.advance(config_.lease);  // the reaper's patience after its start
  const v1::Session lost = start_session();
  clock_.advance(config_.lease);
  ASSERT_TRUE(eventually([&] { return get_session(lost.session_id()).status() == "crashed"; }));
  EXPECT_EQ(get_session(lost.session_id()).error_message(),
            "host lost: server 1 said nothing about the start for 60 s");
  ScriptedHost host(bus_, server_id_);
  const v1::Session fresh = start_session();
  expect_ok();
  // The lost one's own start is not among them: the relay has dropped it.
  EXPECT_EQ(good(SessionCommand::parse(host.command(0).body)).session_id, lost.session_id());
  EXPECT_EQ(good(StartSessionCommand::parse(host.command(1).body)).session_id, fresh.session_id());
}

TEST_F(Sessions, AStopOfASilentHostIsLostAndItsLateEndCounts) {
  clock_.advance(config_.lease);  // the reaper's patience after its start
  ScriptedHost host(bus_, server_id_);
  const int64_t id = running_session().session_id();
  EXPECT_EQ(stop_session(id).status(), "stopping");
  EXPECT_EQ(host.command(1).expires_in.count(), 0) << "it is to be carried out however late";
  clock_.advance(config_.lease / 2);
  report({.session_id = id, .status = "stopping"});  // the host is at it
  clock_.advance(config_.lease / 2);
  EXPECT_EQ(get_session(id).status(), "stopping");
  clock_.advance(config_.lease / 2);
  ASSERT_TRUE(eventually([&] { return get_session(id).status() == "crashed"; }));
  EXPECT_EQ(get_session(id).error_message(),
            "host lost: server 1 said nothing about the stop for 60 s");
  report({.session_id = id, .status = "stopped"});
  EXPECT_EQ(get_session(id).status(), "stopped");
  EXPECT_EQ(get_session(id).error_message(), "");
}

TEST_F(Sessions, Stop) {
  ScriptedHost host(bus_, server_id_);
  stop_session(5);
  expect_error(NOT_FOUND, "no session 5");
  const v1::Session session = running_session();
  EXPECT_EQ(stop_session(session.session_id()).status(), "stopping");
  EXPECT_EQ(stop_session(session.session_id()).status(), "stopping");
  expect_ok();
  EXPECT_EQ(stop_session(session.session_id(), true).status(), "stopping");
  EXPECT_EQ(host.command(1).routing_key, command_key(server_id_, "session.stop"));
  EXPECT_EQ(host.command(2).routing_key, command_key(server_id_, "session.kill"));
  EXPECT_EQ(host.commands().size(), 3U);
  report({.session_id = session.session_id(), .status = "stopped", .exit_code = 0});
  stop_session(session.session_id());
  expect_error(FAILED_PRECONDITION, named(session) + " has ended already: stopped");
}

TEST_F(Sessions, InputGoesToRunningOnesOnly) {
  v1::SendInputRequest request;
  request.set_session_id(3);
  call(&Stub::SendInput, request);
  expect_error(INVALID_ARGUMENT, "input: must be 1 to 65536 bytes");
  request.set_input("say hi\n");
  call(&Stub::SendInput, request);
  expect_error(NOT_FOUND, "no session 3");
  const v1::Session session = start_session();
  request.set_session_id(session.session_id());
  call(&Stub::SendInput, request);
  expect_error(FAILED_PRECONDITION, named(session) + " is pending; only a running one takes input");
  report_session(session.session_id(), "running");
  call(&Stub::SendInput, request);
  expect_error(UNAVAILABLE, "did not reach its host");

  ScriptedHost host(bus_, server_id_);
  host.command(0);  // the start, from the outbox
  request.set_input(std::string("a\0\xff", 3));
  call(&Stub::SendInput, request);
  expect_ok();
  EXPECT_EQ(good(SendInputCommand::parse(host.command(1).body)).input, std::string("a\0\xff", 3));
  request.set_input(std::string(65537, 'x'));
  call(&Stub::SendInput, request);
  expect_error(INVALID_ARGUMENT, "input: ");
}

TEST_F(Sessions, ListFiltersByWhatIsShown) {
  const v1::Session done = running_session();
  report_session(done.session_id(), "completed");
  const v1::Session live = running_session();
  const auto ids = [&](const std::function<void(v1::ListSessionsRequest&)>& change) {
    v1::ListSessionsRequest request;
    change(request);
    std::vector<int64_t> found;
    const auto response = call(&Stub::ListSessions, request);
    for (const auto& session : response.sessions()) found.push_back(session.session_id());
    expect_ok();
    return found;
  };
  const std::vector<int64_t> both = {live.session_id(), done.session_id()};
  EXPECT_EQ(ids([](auto&) {}), both);
  EXPECT_EQ(ids([](auto& r) { r.set_live_only(true); }), std::vector{live.session_id()});
  EXPECT_EQ(ids([](auto& r) { r.add_status_filter("completed"); }), std::vector{done.session_id()});
  EXPECT_EQ(ids([&](auto& r) { r.set_server_id(server_id_); }), both);
  EXPECT_EQ(ids([&](auto& r) { r.set_server_id(server_id_ + 1); }), std::vector<int64_t>());
  EXPECT_EQ(ids([&](auto& r) { r.set_started_after(clock_.now_s()); }), std::vector<int64_t>());
  EXPECT_EQ(ids([&](auto& r) { r.set_started_after(clock_.now_s() - 1); }), both);

  v1::ListSessionsRequest bad;
  bad.add_status_filter("running");
  bad.add_status_filter("flying");
  call(&Stub::ListSessions, bad);
  expect_error(INVALID_ARGUMENT, "status_filter[1]: must be pending");
}

TEST_F(Sessions, UndoIsOrderedOnceAndTellsItsEnd) {
  const v1::Session session = restored_and_ended();
  EXPECT_EQ(session.replaced_data(), "kept");
  ScriptedHost host(bus_, server_id_);
  EXPECT_EQ(undo_restore(session.session_id()).replaced_data(), "undoing");
  EXPECT_EQ(host.command(0).routing_key, command_key(server_id_, "session.undo_restore"));
  undo_restore(session.session_id());
  expect_error(FAILED_PRECONDITION, "is having its restore undone already");
  start_session();
  expect_error(FAILED_PRECONDITION, "is being undone");
  create_backup();
  expect_error(FAILED_PRECONDITION, "is being undone");
  // The restore's own report comes once more: the undo is still at work.
  report({.session_id = session.session_id(), .status = "running", .replaced_data = "kept"});
  EXPECT_EQ(get_session(session.session_id()).replaced_data(), "undoing");
  report({.session_id = session.session_id(), .replaced_data = "undone"});
  EXPECT_EQ(get_session(session.session_id()).replaced_data(), "undone");
  undo_restore(session.session_id());
  expect_error(FAILED_PRECONDITION, "has had its restore undone already");
}

TEST_F(Sessions, AnUndoThatFailedCanBeAskedForAgain) {
  const v1::Session session = restored_and_ended();
  undo_restore(session.session_id());
  report({.session_id = session.session_id(),
          .error_message = "disk on fire",
          .replaced_data = "kept"});
  EXPECT_EQ(get_session(session.session_id()).replaced_data(), "kept");
  EXPECT_EQ(get_session(session.session_id()).error_message(), "disk on fire");
  undo_restore(session.session_id());
  expect_ok();
}

TEST_F(Sessions, UndoRefuses) {
  undo_restore(4);
  expect_error(NOT_FOUND, "no session 4");
  const v1::Session plain = running_session();
  undo_restore(plain.session_id());
  expect_error(FAILED_PRECONDITION, named(plain) + " is running");
  report_session(plain.session_id(), "completed");
  undo_restore(plain.session_id());
  expect_error(FAILED_PRECONDITION, "replaced no data");
  const v1::Session restored = restored_and_ended();
  const v1::Session later = running_session();
  undo_restore(restored.session_id());
  expect_error(FAILED_PRECONDITION, named(later) + " of " + sgc() + " is running");
  report_session(later.session_id(), "completed");
  create_backup();
  undo_restore(restored.session_id());
  expect_error(FAILED_PRECONDITION, "backup 2 of " + sgc() + " is pending");
}

}  // namespace
}  // namespace manman::api
