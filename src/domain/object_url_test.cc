#include "domain/object_url.h"

#include <gtest/gtest.h>

namespace manman {
namespace {

TEST(ObjectUrlTest, TakesWhatItMakes) {
  const ObjectUrl url{"worlds", backup_key(42, 5, ArchiveFormat::kGzip)};
  EXPECT_EQ(url.text(), "s3://worlds/backups/42/5.tar.gz");
  const auto parsed = ObjectUrl::parse(url.text());
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->bucket, "worlds");
  EXPECT_EQ(parsed->key, "backups/42/5.tar.gz");
}

TEST(ObjectUrlTest, TakesOtherKeysThanOurs) {
  const auto parsed = ObjectUrl::parse("s3://My_bucket.1/old/wörld 1..2/..x/save.tar.gz");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->key, "old/wörld 1..2/..x/save.tar.gz");
}

TEST(ObjectUrlTest, RefusesWhatIsNoObjectsUrl) {
  using std::string_literals::operator""s;
  const std::string bad[] = {
      "",
      "backups/42/5.tar.gz",
      "http://bucket/key",
      "S3://bucket/key",
      "s3://",
      "s3://bucket",
      "s3://bucket/",
      "s3:///key",
      "s3://../key",
      "s3://./key",
      "s3://bu cket/key",
      "s3://bucket//etc/passwd",
      "s3://bucket/../key",
      "s3://bucket/a/../key",
      "s3://bucket/a/..",
      "s3://bucket/./a",
      "s3://bucket/a\nb",
      "s3://bucket/a\0b"s,
      "s3://bucket/" + std::string(1025, 'k'),
      "s3://" + std::string(256, 'b') + "/key",
  };
  for (const std::string& url : bad) {
    const auto parsed = ObjectUrl::parse(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(parsed.error().message.starts_with("object url \"")) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace manman
