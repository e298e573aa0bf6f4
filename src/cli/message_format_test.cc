#include "cli/message_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manman/v1/manman.pb.h"

namespace manman::cli {
namespace {

TEST(MessageJson, HasEveryFieldAndNumbersForIds) {
  v1::Backup backup;
  backup.set_backup_id(5);
  backup.set_size_bytes(9'007'199'254'740'993);  // beyond what a double holds
  const auto json = nlohmann::ordered_json::parse(json_text(backup));
  EXPECT_EQ(json["backup_id"].dump(), "5");
  EXPECT_EQ(json["size_bytes"].dump(), "9007199254740993");
  EXPECT_EQ(json["error_message"], "");
  EXPECT_EQ(json["warnings"].dump(), "[]");
  EXPECT_EQ(json.size(), static_cast<size_t>(v1::Backup::descriptor()->field_count()));
}

TEST(MessageJson, MapsListsAndMessagesWithin) {
  v1::GameConfig config;
  (*config.mutable_env_template())["B"] = "2";
  (*config.mutable_env_template())["A"] = "1";
  config.add_command("-jar");
  auto* step = config.add_quiesce();
  step->set_input("save-off");
  const auto json = nlohmann::ordered_json::parse(json_text(config));
  EXPECT_EQ(json["env_template"].dump(), R"({"A":"1","B":"2"})");
  EXPECT_EQ(json["command"].dump(), R"(["-jar"])");
  EXPECT_EQ(json["quiesce"].dump(),
            R"([{"input":"save-off","confirm_regex":"","timeout_seconds":0,"repeat_ms":0,)"
            R"("lists_files":false}])");
  EXPECT_EQ(json_text(v1::GetBackupResponse()), R"({"backup":null})");
}

TEST(FieldText, IsForPeople) {
  v1::Backup backup;
  EXPECT_EQ(field_text(backup, "session_id"), "-");
  EXPECT_EQ(field_text(backup, "description"), "-");
  backup.set_created_at(1769860800);
  backup.set_size_bytes(1536);
  backup.set_description("a\x1b[2Jb");
  EXPECT_EQ(field_text(backup, "created_at"), "2026-01-31T12:00:00Z");
  EXPECT_EQ(field_text(backup, "size_bytes"), "1.5 KiB");
  EXPECT_EQ(field_text(backup, "description"), "a\\033[2Jb");
  EXPECT_EQ(details(backup),
            "size_bytes: 1.5 KiB\ndescription: a\\033[2Jb\ncreated_at: 2026-01-31T12:00:00Z\n");
  v1::Server server;
  EXPECT_EQ(field_text(server, "is_default"), "no");
}

TEST(Table, PadsByCharacters) {
  EXPECT_EQ(table({"ID", "NAME", "X"}, {{"1", "größe", "a"}, {"100", "b", "c"}}),
            "ID   NAME   X\n"
            "1    größe  a\n"
            "100  b      c\n");
  EXPECT_EQ(table({"ID"}, {{"1"}}, false), "1\n");
}

}  // namespace
}  // namespace manman::cli
