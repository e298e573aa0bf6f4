#include "db/postgresql/settings.h"

#include <gmock/gmock.h>

namespace manman::db {
namespace {

using testing::HasSubstr;
using testing::Not;

PostgresqlSettings parsed(const std::string& url) {
  auto settings = PostgresqlSettings::parse(url);
  if (!settings) throw std::runtime_error(settings.error().text());
  return *std::move(settings);
}

TEST(PostgresqlSettingsTest, NameSaysWhereAndNotHow) {
  const auto settings = parsed("postgres://bob:hunter2@db.example:6432/worlds?sslmode=require");
  EXPECT_EQ(settings.name, "database worlds at db.example:6432 (PG_DATABASE_URL)");
  EXPECT_EQ(settings.password, "hunter2");
  EXPECT_THAT(settings.conninfo, HasSubstr("sslmode='require'"));
  EXPECT_EQ(parsed("postgresql://bob@/").name, "database bob at localhost:5432 (PG_DATABASE_URL)");
  EXPECT_EQ(parsed("postgres:///w?host=/run/pg").name,
            "database w at /run/pg:5432 (PG_DATABASE_URL)");
}

TEST(PostgresqlSettingsTest, AddsLimitsThatTheUrlMayReplace) {
  const auto plain = parsed("postgres://h/d").conninfo;
  for (const char* part :
       {"application_name='manman'", "connect_timeout='5'", "tcp_user_timeout='15000'",
        "keepalives_idle='10'", "client_encoding='UTF8'", "statement_timeout=15s"}) {
    EXPECT_THAT(plain, HasSubstr(part));
  }
  const auto own = parsed(
                       "postgres://h/d?application_name=me&connect_timeout=9&client_encoding=LATIN1"
                       "&options=-c%20statement_timeout%3D1s%20-c%20timezone%3DCET")
                       .conninfo;
  EXPECT_THAT(own, HasSubstr("application_name='me'"));
  EXPECT_THAT(own, HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(own, HasSubstr("client_encoding='UTF8'"));
  // The later of two counts.
  EXPECT_LT(own.find("statement_timeout=15s"), own.find("statement_timeout=1s"));
  EXPECT_LT(own.find("timezone=CET"), own.find("timezone=UTC"));
}

TEST(PostgresqlSettingsTest, KeepsAnyPassword) {
  const auto settings = parsed("postgres://u:a%40%2F%3F%27%5C%20%25@h/d");
  EXPECT_EQ(settings.password, "a@/?'\\ %");
  EXPECT_THAT(settings.conninfo, HasSubstr(R"(password='a@/?\'\\ %')"));
}

TEST(PostgresqlSettingsTest, RefusesWhatCantBeReadAndShowsNoPartOfIt) {
  for (const std::string url :
       {"postgres://u:sec@ret@h/d", "postgres://u:sec/ret@h/d", "postgres://u:sec?ret@h/d",
        "postgres://u:secret", "postgres://u:sec%zzret@h/d", "postgres://h/d?secret=1",
        "postgres://[secret/d", "postgres://h:12secret/d"}) {
    const auto settings = PostgresqlSettings::parse(url);
    ASSERT_FALSE(settings) << url;
    EXPECT_EQ(settings.error().code, Code::kInvalidArgument);
    EXPECT_THAT(settings.error().message, HasSubstr("PG_DATABASE_URL"));
    EXPECT_THAT(settings.error().message, Not(HasSubstr("\n")));
    for (const char* part : {"sec", "ret"}) {
      EXPECT_THAT(settings.error().text(), Not(HasSubstr(part))) << url;
    }
  }
  EXPECT_FALSE(PostgresqlSettings::parse(std::string("postgres://h/d\0x", 16)));
}

TEST(PostgresqlSettingsTest, MessagesAreOneLineWithoutThePassword) {
  const auto settings = parsed("postgres://u:hunter2@h/d");
  EXPECT_EQ(settings.presentable("FATAL:  no\n\tentry for hunter2 \n"), "FATAL: no entry for ***");
  EXPECT_EQ(parsed("postgres://h/d").presentable("a\n"), "a");
}

}  // namespace
}  // namespace manman::db
