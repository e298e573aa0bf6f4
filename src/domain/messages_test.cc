#include "domain/messages.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/base64.h"

namespace manman {
namespace {

using nlohmann::json;
using std::string_literals::operator""s;

GameLaunch full_launch() {
  GameLaunch launch;
  launch.environment = "prod";
  launch.image = "itzg/minecraft";
  launch.argv = {"java", "-Xmx4G", "", "--motd=Grüße \"ihr\"\n\\"};
  launch.env = {{"EULA", "TRUE"}, {"EMPTY", ""}};
  launch.handling.stop_command = "stop";
  launch.handling.stop_grace_seconds = 90;
  launch.handling.quiesce = {{"save-off", "", 5},
                             {"save-all flush", "Saved the (game|world)", 120}};
  launch.handling.quiesce.push_back({"save query", "ready", 30, 500, true});
  launch.handling.resume = {"save-on", "say done"};
  launch.handling.rcon = {25575, "survival-rcon"};
  launch.handling.files_root = "worlds";
  launch.handling.max_pause_seconds = 20;
  launch.handling.unconfirmed = Unconfirmed::kGoOn;
  launch.handling.leave_out = {"logs/", "!logs/keep"};
  launch.handling.examine = {{"*.dat", ExamineAs::kNbt}, {"a/", ExamineAs::kNothing}};
  launch.handling.ready = "^Done";
  launch.handling.ready_timeout_seconds = 7;
  launch.entrypoint_words = 1;
  launch.data_path = "/data";
  launch.port_bindings = {{25565, 30000, "TCP"}, {19132, 30001, "UDP"}};
  return launch;
}

void expect_same(const GameLaunch& a, const GameLaunch& b) {
  EXPECT_EQ(a.environment, b.environment);
  EXPECT_EQ(a.image, b.image);
  EXPECT_EQ(a.argv, b.argv);
  EXPECT_EQ(a.env, b.env);
  EXPECT_EQ(a.handling, b.handling);
  EXPECT_EQ(a.entrypoint_words, b.entrypoint_words);
  EXPECT_EQ(a.data_path, b.data_path);
  ASSERT_EQ(a.port_bindings.size(), b.port_bindings.size());
  for (size_t i = 0; i < a.port_bindings.size(); i++) {
    EXPECT_EQ(a.port_bindings[i].container_port, b.port_bindings[i].container_port);
    EXPECT_EQ(a.port_bindings[i].host_port, b.port_bindings[i].host_port);
    EXPECT_EQ(a.port_bindings[i].protocol, b.port_bindings[i].protocol);
  }
}

template <typename Message>
Message read_back(const Message& message) {
  auto parsed = Message::parse(message.to_json());
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed.value_or(Message{});
}

template <typename Message>
void expect_refused(std::string_view text, std::string_view field) {
  const auto parsed = Message::parse(text);
  ASSERT_FALSE(parsed) << text;
  EXPECT_EQ(parsed.error().code, Code::kInvalidArgument);
  EXPECT_NE(parsed.error().message.find(field), std::string::npos)
      << parsed.error().message << " should name " << field;
}

TEST(BackupCommandTest, ReadsBack) {
  const BackupCommand sent{5,
                           123,
                           42,
                           3,
                           "backups/42/5.tar.gz",
                           "s3://b/backups/42/5.tar.gz",
                           full_launch(),
                           {ArchiveFormat::kZstd, 7}};
  const BackupCommand got = read_back(sent);
  EXPECT_EQ(got.backup_id, 5);
  EXPECT_EQ(got.session_id, 123);
  EXPECT_EQ(got.sgc_id, 42);
  EXPECT_EQ(got.attempt, 3);
  EXPECT_EQ(got.s3_key, sent.s3_key);
  EXPECT_EQ(got.s3_url, sent.s3_url);
  expect_same(got.launch, sent.launch);
  EXPECT_EQ(got.compression, sent.compression);
}

TEST(BackupCommandTest, WhatAPolicySaysReadsBack) {
  BackupCommand sent{.backup_id = 5, .s3_key = "key"};
  sent.upload_bytes_per_second = int64_t{5} << 32;
  sent.fingerprint = true;
  sent.last_fingerprint = "abc";
  sent.last_backup_id = 4;
  const BackupCommand got = read_back(sent);
  EXPECT_EQ(got.upload_bytes_per_second, sent.upload_bytes_per_second);
  EXPECT_TRUE(got.fingerprint);
  EXPECT_EQ(got.last_fingerprint, "abc");
  EXPECT_EQ(got.last_backup_id, 4);
  BackupReport report{.backup_id = 5, .status = "failed", .fingerprint = "abc", .skipped = true};
  report.unchanged_since_backup_id = 4;
  const BackupReport told = read_back(report);
  EXPECT_EQ(told.fingerprint, "abc");
  EXPECT_TRUE(told.skipped);
  EXPECT_EQ(told.unchanged_since_backup_id, 4);
}

TEST(BackupCommandTest, HasTheFixedFields) {
  const json body = json::parse(BackupCommand{5, 123, 42, 1, "backups/42/5.tar.gz"}.to_json());
  EXPECT_EQ(body["command"], "backup_session");
  EXPECT_EQ(body["session_id"], 123);
  EXPECT_EQ(body["backup_id"], 5);
  EXPECT_EQ(body["s3_key"], "backups/42/5.tar.gz");
}

TEST(BackupCommandTest, TakesTheSmallestBody) {
  const auto got = BackupCommand::parse(
      R"({"command": "backup_session", "session_id": 123, "backup_id": 5,
          "s3_key": "backups/42/5.tar.gz", "of_the_future": [1, {"x": null}], "sgc_id": null})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->backup_id, 5);
  EXPECT_EQ(got->attempt, 1);
  EXPECT_EQ(got->sgc_id, 0);
  EXPECT_EQ(got->compression, Compression());
  EXPECT_TRUE(got->launch.argv.empty());
  EXPECT_EQ(got->launch.handling.stop_grace_seconds, 30);
}

TEST(BackupCommandTest, NamesTheFieldThatIsWrong) {
  const json good =
      json::parse(BackupCommand{5, 1, 2, 1, "k", "s3://b/k", full_launch()}.to_json());
  struct Case {
    const char* pointer;
    json value;
    const char* field;
  };
  const Case cases[] = {
      {"/command", "start_session", "command"},
      {"/command", 7, "command"},
      {"/backup_id", nullptr, "backup_id is missing"},
      {"/backup_id", 0, "backup_id"},
      {"/backup_id", -5, "backup_id"},
      {"/backup_id", "5", "backup_id"},
      {"/backup_id", 5.0, "backup_id"},
      {"/backup_id", 9223372036854775808ULL, "backup_id is out of range"},
      {"/session_id", -1, "session_id"},
      {"/attempt", 0, "attempt"},
      {"/attempt", 2147483648LL, "attempt"},
      {"/s3_key", "", "s3_key"},
      {"/s3_key", "a\0b"s, "s3_key"},
      {"/format", "zip", "format: must be"},
      {"/format", 7, "format"},
      {"/level", "11", "level: must be"},
      {"/launch", "x", "launch must be an object"},
      {"/launch/argv", "x", "launch.argv must be a list"},
      {"/launch/entrypoint_words", 9, "launch.entrypoint_words"},
      {"/launch/port_bindings/0/host_port", 0, "host_port"},
      {"/launch/port_bindings/0/container_port", 65536, "container_port"},
      {"/launch/argv/2", 3, "launch.argv[2] must be a string"},
      {"/launch/argv/0", "a\0"s, "launch.argv[0]"},
      {"/launch/env", json::array({"A"}), "launch.env must be an object"},
      {"/launch/env/EULA", true, "launch.env.EULA must be a string"},
      {"/launch/quiesce/1", "save", "launch.quiesce[1] must be an object"},
      {"/launch/quiesce/1/input", 1, "launch.quiesce[1].input must be a string"},
      {"/launch/quiesce/0/timeout_seconds", -1, "launch.quiesce[0].timeout_seconds"},
      {"/launch/stop_grace_seconds", 1e9, "launch.stop_grace_seconds"},
  };
  for (const Case& wrong : cases) {
    json body = good;
    body[json::json_pointer(wrong.pointer)] = wrong.value;
    expect_refused<BackupCommand>(body.dump(), wrong.field);
  }
}

TEST(StartSessionCommandTest, ReadsBackWithAndWithoutRestore) {
  const StartSessionCommand restore{.session_id = 456,
                                    .sgc_id = 42,
                                    .restore_backup_id = 5,
                                    .restore_s3_url = "s3://bucket/backups/42/5.tar.gz",
                                    .restore_size_bytes = 1234,
                                    .restore_data_bytes = 5678,
                                    .restore_sha256 = "ab12",
                                    .launch = full_launch()};
  const StartSessionCommand got = read_back(restore);
  EXPECT_EQ(got.session_id, 456);
  EXPECT_EQ(got.sgc_id, 42);
  EXPECT_EQ(got.restore_backup_id, 5);
  EXPECT_EQ(got.restore_s3_url, "s3://bucket/backups/42/5.tar.gz");
  EXPECT_EQ(got.restore_size_bytes, 1234);
  EXPECT_EQ(got.restore_data_bytes, 5678);
  EXPECT_EQ(got.restore_sha256, "ab12");
  EXPECT_EQ(read_back(StartSessionCommand{.session_id = 4, .lease_ms = 60000}).lease_ms, 60000);
  expect_same(got.launch, restore.launch);

  const json plain = json::parse(StartSessionCommand{.session_id = 456, .sgc_id = 42}.to_json());
  EXPECT_FALSE(plain.contains("restore_from"));
  EXPECT_EQ(read_back(StartSessionCommand{.session_id = 456}).restore_backup_id, 0);
}

TEST(StartSessionCommandTest, TakesTheSmallestBodyAndRefusesHalfARestore) {
  const auto got = StartSessionCommand::parse(
      R"({"command": "start_session", "session_id": 456,
          "restore_from": {"backup_id": 5, "s3_url": "s3://bucket/backups/42/5.tar.gz"}})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->restore_backup_id, 5);
  EXPECT_EQ(got->restore_size_bytes, 0);
  EXPECT_EQ(got->lease_ms, 0);
  // A restore that can't be read must never become a plain start over the old data.
  expect_refused<StartSessionCommand>(
      R"({"command":"start_session","session_id":4,"restore_from":{"backup_id":5}})",
      "restore_from.s3_url is missing");
  expect_refused<StartSessionCommand>(
      R"({"command":"start_session","session_id":4,"restore_from":{"s3_url":"s3://b/k"}})",
      "restore_from.backup_id is missing");
  expect_refused<StartSessionCommand>(
      R"({"command":"start_session","session_id":4,"restore_from":5})", "restore_from");
  expect_refused<StartSessionCommand>(R"({"command":"start_session"})", "session_id");
}

TEST(StartSessionCommandTest, OfSomePathsHasANameThatOlderHostsRefuse) {
  const StartSessionCommand command{.session_id = 4,
                                    .sgc_id = 3,
                                    .restore_backup_id = 5,
                                    .restore_s3_url = "s3://b/k",
                                    .restore_paths = {"game/world", "game/ops.json"}};
  EXPECT_EQ(json::parse(command.to_json()).at("command"), "start_session_with_paths");
  EXPECT_EQ(read_back(command).restore_paths, command.restore_paths);
  expect_refused<StartSessionCommand>(
      R"({"command":"start_session_with_paths","session_id":4,"sgc_id":3,)"
      R"("restore_from":{"backup_id":5,"s3_url":"s3://b/k"}})",
      "restore_from.paths");
}

TEST(CancelBackupCommandTest, ReadsBackAndNamesTheFieldThatIsWrong) {
  const CancelBackupCommand command{
      .backup_id = 5, .sgc_id = 42, .s3_key = "backups/42/5.tar.gz", .s3_url = "s3://b/k"};
  const CancelBackupCommand got = read_back(command);
  EXPECT_EQ(got.backup_id, 5);
  EXPECT_EQ(got.sgc_id, 42);
  EXPECT_EQ(got.s3_key, command.s3_key);
  EXPECT_EQ(got.s3_url, command.s3_url);
  expect_refused<CancelBackupCommand>(R"({"command":"cancel_backup","backup_id":5,"sgc_id":1})",
                                      "s3_key");
  expect_refused<CancelBackupCommand>(R"({"command":"cancel_backup","sgc_id":1,"s3_key":"k"})",
                                      "backup_id");
}

TEST(SessionCommandTest, EveryKindReadsBackUnderItsName) {
  using Kind = SessionCommand::Kind;
  const std::pair<Kind, std::string> kinds[] = {{Kind::kStop, "stop_session"},
                                                {Kind::kKill, "kill_session"},
                                                {Kind::kUndoRestore, "undo_restore"}};
  for (const auto& [kind, name] : kinds) {
    const SessionCommand sent{kind, 7, 8, full_launch()};
    EXPECT_EQ(command_name(sent.to_json()).value(), name);
    const SessionCommand got = read_back(sent);
    EXPECT_EQ(got.kind, kind);
    EXPECT_EQ(got.session_id, 7);
    EXPECT_EQ(got.sgc_id, 8);
    expect_same(got.launch, sent.launch);
  }
  expect_refused<SessionCommand>(R"({"command":"start_session","session_id":7})", "command");
}

TEST(SendInputCommandTest, EveryByteArrives) {
  std::string every_byte;
  for (int value = 0; value < 256; value++) every_byte += static_cast<char>(value);
  const SendInputCommand got = read_back(SendInputCommand{7, 8, "prod", every_byte});
  EXPECT_EQ(got.input, every_byte);
  EXPECT_EQ(got.environment, "prod");
  EXPECT_EQ(read_back(SendInputCommand{7, 8, "", ""}).input, "");
}

TEST(SendInputCommandTest, TakesPlainInputAndRefusesNone) {
  const auto got =
      SendInputCommand::parse(R"({"command":"send_input","session_id":7,"input":"say hi\n"})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->input, "say hi\n");
  expect_refused<SendInputCommand>(R"({"command":"send_input","session_id":7})", "input");
  expect_refused<SendInputCommand>(
      R"({"command":"send_input","session_id":7,"input_base64":"???"})", "input_base64");
}

TEST(BackupReportTest, ReadsBack) {
  const BackupReport sent{.backup_id = 5,
                          .server_id = 2,
                          .attempt = 3,
                          .status = "completed",
                          .s3_url = "s3://b/k",
                          .size_bytes = int64_t{1} << 53,
                          .sha256 = "ff",
                          .entries = 10,
                          .progress_bytes = 20,
                          .total_bytes = 30,
                          .error_message = "none",
                          .warnings = {"socket skipped", ""},
                          .compression = {ArchiveFormat::kZstd, 19}};
  const BackupReport got = read_back(sent);
  EXPECT_EQ(got.backup_id, 5);
  EXPECT_EQ(got.server_id, 2);
  EXPECT_EQ(got.attempt, 3);
  EXPECT_EQ(got.status, "completed");
  EXPECT_EQ(got.s3_url, "s3://b/k");
  EXPECT_EQ(got.size_bytes, int64_t{1} << 53);
  EXPECT_EQ(got.sha256, "ff");
  EXPECT_EQ(got.entries, 10);
  EXPECT_EQ(got.progress_bytes, 20);
  EXPECT_EQ(got.total_bytes, 30);
  EXPECT_EQ(got.error_message, "none");
  EXPECT_EQ(got.warnings, sent.warnings);
  EXPECT_EQ(got.compression, sent.compression);
}

TEST(BackupReportTest, TakesTheSmallestBodies) {
  const auto completed = BackupReport::parse(
      R"({"backup_id": 5, "status": "completed", "s3_url": "s3://b/k", "size_bytes": 1234})");
  ASSERT_TRUE(completed) << completed.error().message;
  EXPECT_EQ(completed->attempt, 1);
  EXPECT_EQ(completed->size_bytes, 1234);
  EXPECT_EQ(completed->compression, Compression());
  const auto failed =
      BackupReport::parse(R"({"backup_id": 5, "status": "failed", "error_message": "disk…"})");
  ASSERT_TRUE(failed) << failed.error().message;
  EXPECT_EQ(failed->error_message, "disk…");
}

TEST(BackupReportTest, RefusesWhatWouldSpoilARow) {
  expect_refused<BackupReport>(R"({"backup_id":5,"status":"failed","format":"zip"})",
                               "field format: must be gz, zst or none");
  expect_refused<BackupReport>(R"({"status":"running"})", "backup_id is missing");
  expect_refused<BackupReport>(R"({"backup_id":5})", "status is missing");
  expect_refused<BackupReport>(R"({"backup_id":5,"status":"done"})", "status must be one of");
  expect_refused<BackupReport>(R"({"backup_id":5,"status":"completed"})", "size_bytes is missing");
  expect_refused<BackupReport>(R"({"backup_id":5,"status":"completed","size_bytes":-1})",
                               "size_bytes");
  expect_refused<BackupReport>(R"({"backup_id":5,"status":"running","warnings":"w"})", "warnings");
}

// File names may hold any byte but NUL and '/'; a report about one must still arrive.
TEST(BackupReportTest, TextWithAnyByteArrivesReadable) {
  BackupReport report{.backup_id = 5, .status = "failed"};
  report.error_message = "game/w\xff\xc3/\xed\xa0\x80: No such file"s + '\0' + "!";
  report.warnings = {"skipped \x80\xfe"s, "tail \xf0\x9f"s};
  const BackupReport got = read_back(report);
  EXPECT_TRUE(got.error_message.starts_with("game/w\xef\xbf\xbd")) << got.error_message;
  EXPECT_TRUE(got.error_message.ends_with(": No such file\xef\xbf\xbd!")) << got.error_message;
  ASSERT_EQ(got.warnings.size(), 2U);
  EXPECT_TRUE(got.warnings[0].starts_with("skipped \xef\xbf\xbd"));
}

TEST(SessionReportTest, ReadsBack) {
  const SessionReport sent{.session_id = 456,
                           .sgc_id = 42,
                           .server_id = 2,
                           .status = "crashed",
                           .exit_code = -11,
                           .error_message = "killed by signal 11",
                           .replaced_data = "kept",
                           .progress_bytes = 3,
                           .total_bytes = 4};
  const SessionReport got = read_back(sent);
  EXPECT_EQ(got.session_id, 456);
  EXPECT_EQ(got.sgc_id, 42);
  EXPECT_EQ(got.server_id, 2);
  EXPECT_EQ(got.status, "crashed");
  EXPECT_EQ(got.exit_code, -11);
  EXPECT_EQ(got.error_message, "killed by signal 11");
  EXPECT_EQ(got.replaced_data, "kept");
  EXPECT_EQ(got.progress_bytes, 3);
  EXPECT_EQ(got.total_bytes, 4);
}

TEST(SessionReportTest, StatusMayOnlyBeLeftOutBesideReplacedData) {
  const SessionReport got = read_back(SessionReport{.session_id = 4, .replaced_data = "undone"});
  EXPECT_EQ(got.status, "");
  EXPECT_EQ(got.replaced_data, "undone");
  const auto small = SessionReport::parse(
      R"({"session_id": 456, "sgc_id": 42, "status": "running", "exit_code": 0})");
  ASSERT_TRUE(small) << small.error().message;
  expect_refused<SessionReport>(R"({"session_id":4})", "status is missing");
  expect_refused<SessionReport>(R"({"session_id":4,"status":"lost"})", "status");
  expect_refused<SessionReport>(R"({"session_id":4,"replaced_data":"burnt"})", "replaced_data");
  expect_refused<SessionReport>(R"({"session_id":4,"status":"running","exit_code":4294967296})",
                                "exit_code");
}

TEST(HostHealthTest, ReadsBack) {
  EXPECT_EQ(read_back(HostHealth{9}).server_id, 9);
  expect_refused<HostHealth>("{}", "server_id");
}

TEST(HostileJsonTest, IsRefusedAndNeverThrows) {
  const std::string deep_list(200'000, '[');
  std::string deep_object;
  for (int i = 0; i < 50'000; i++) deep_object += R"({"a":)";
  const std::string inside = R"({"backup_id":5,"status":"running","x":)" + std::string(50, '[') +
                             std::string(50, ']') + "}";
  const std::string bad[] = {
      "",
      " ",
      "nul",
      "null",
      "[]",
      "5",
      "\"x\"",
      "{",
      "{}",
      "{\"\"",
      "{\"a\":}",
      "{\"a\"}",
      "{'a':1}",
      "{} {}",
      "\xff{}",
      "{\"a\":1,}",
      "\0"s,
      "{\"\xff\":1}",
      deep_list,
      deep_object,
      inside,
      "{\"backup_id\":1e999,\"status\":\"running\"}",
      "{\"backup_id\":\"\\ud800\",\"status\":\"running\"}",
      "{\"backup_id\":99999999999999999999999999,\"status\":\"running\"}",
  };
  for (const std::string& text : bad) {
    const auto report = BackupReport::parse(text);
    ASSERT_FALSE(report) << text.substr(0, 80);
    EXPECT_EQ(report.error().code, Code::kInvalidArgument);
    EXPECT_FALSE(BackupCommand::parse(text));
    EXPECT_FALSE(StartSessionCommand::parse(text));
    EXPECT_FALSE(SessionCommand::parse(text));
    EXPECT_FALSE(SendInputCommand::parse(text));
    EXPECT_FALSE(SessionReport::parse(text));
    EXPECT_FALSE(HostHealth::parse(text));
    EXPECT_FALSE(command_name(text));
  }
}

TEST(Base64Test, KnownAnswers) {  // RFC 4648, section 10
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  for (const char* bad :
       {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "=Zm9"}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(RoutingKeyTest, AreTheFixedOnes) {
  EXPECT_EQ(command_key(3, "session.start"), "command.host.3.session.start");
  EXPECT_EQ(backup_status_key(5), "status.backup.5");
  EXPECT_EQ(session_status_key(6), "status.session.6");
  EXPECT_EQ(host_health_key(3), "health.host.3");
  EXPECT_EQ(command_queue(3), "host-3-commands");
}

}  // namespace
}  // namespace manman
