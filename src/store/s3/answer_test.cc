#include <gtest/gtest.h>

#include "store/s3/answer.h"
#include "store/s3/endpoint.h"
#include "store/s3/xml.h"

namespace manman::s3 {
namespace {

S3Config good_config() {
  S3Config config;
  config.endpoint = "http://nas.local:9000";
  config.bucket = "backups";
  config.access_key = "access-key";
  config.secret_key = "secret-key";
  return config;
}

TEST(EndpointTest, PathAndVirtualHostStyle) {
  S3Config config = good_config();
  EXPECT_EQ(make_endpoint(config)->url(make_endpoint(config)->path("a b/c")),
            "http://nas.local:9000/backups/a%20b/c");
  config.path_style = false;
  EXPECT_EQ(make_endpoint(config)->url(make_endpoint(config)->path("a")),
            "http://backups.nas.local:9000/a");
  EXPECT_EQ(make_endpoint(config)->path(""), "/");
  config.endpoint = "";
  config.region = "eu-central-1";
  EXPECT_EQ(make_endpoint(config)->host, "backups.s3.eu-central-1.amazonaws.com");
  config.endpoint = "https://s3.example.com:443/";
  EXPECT_EQ(make_endpoint(config)->host, "backups.s3.example.com") << "as it is sent and signed";
}

TEST(EndpointTest, WrongSettingsAreNamedAndNotShown) {
  const auto refused = [](const std::function<void(S3Config&)>& change, const std::string& says) {
    S3Config config = good_config();
    change(config);
    const auto endpoint = make_endpoint(config);
    ASSERT_FALSE(endpoint) << says;
    EXPECT_EQ(endpoint.error().code, Code::kInvalidArgument);
    EXPECT_NE(endpoint.error().message.find(says), std::string::npos) << endpoint.error().message;
    EXPECT_EQ(endpoint.error().message.find("hidden"), std::string::npos);
  };
  for (const char* endpoint : {"nas.local:9000", "ftp://nas", "http://", "http://user:hidden@nas",
                               "http://nas/path", "http://nas?x", "http://nas local"})
    refused([&](auto& c) { c.endpoint = endpoint; }, "S3_ENDPOINT");
  for (const char* bucket : {"", "a/b", "a b"})
    refused([&](auto& c) { c.bucket = bucket; }, "S3_BUCKET");
  refused([](auto& c) { c.region = "eu/1"; }, "S3_REGION");
  refused([](auto& c) { c.access_key = ""; }, "S3_ACCESS_KEY");
  refused([](auto& c) { c.secret_key = "hidden\n"; }, "S3_SECRET_KEY");
  refused([](auto& c) { c.session_token = "hidden hidden"; }, "S3_SESSION_TOKEN");
  refused([](auto& c) { c.part_bytes = 1 << 20; }, "5 MiB");
}

Error error_with(int status, const std::string& body,
                 std::map<std::string, std::string> headers = {}, std::string_view key = "k") {
  return error_of({status, std::move(headers), body}, good_config(), key);
}

TEST(AnswerTest, TellsFinalErrorsFromThoseThatPass) {
  EXPECT_TRUE(error_with(503, "<Error><Code>SlowDown</Code></Error>").retryable);
  EXPECT_TRUE(error_with(500, "").retryable);
  EXPECT_TRUE(error_with(400, "<Error><Code>RequestTimeout</Code></Error>").retryable);
  EXPECT_TRUE(error_with(429, "").retryable);
  EXPECT_FALSE(error_with(501, "").retryable);
  EXPECT_FALSE(error_with(400, "<Error><Code>InvalidPart</Code></Error>").retryable);
  EXPECT_FALSE(error_with(403, "").retryable);
  EXPECT_EQ(error_with(404, "").code, Code::kNotFound);
  EXPECT_EQ(error_with(404, "<Error><Code>NoSuchBucket</Code></Error>").code,
            Code::kFailedPrecondition);
  EXPECT_EQ(error_with(404, "", {}, "").code, Code::kFailedPrecondition) << "the bucket itself";
}

TEST(AnswerTest, NamesTheRegionThatTheServerWants) {
  const auto malformed = error_with(
      400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>");
  EXPECT_NE(malformed.message.find("S3_REGION"), std::string::npos) << malformed.message;
  EXPECT_NE(malformed.message.find("eu-west-1"), std::string::npos) << malformed.message;
  const auto moved = error_with(301, "", {{"x-amz-bucket-region", "eu-west-2"}});
  EXPECT_NE(moved.message.find("eu-west-2"), std::string::npos) << moved.message;
}

TEST(AnswerTest, ShowsTheServersWordsWithoutSecrets) {
  const auto error = error_with(400, "<Error><Code>Odd</Code><Message>by access-key, secret-key\n" +
                                         std::string(1000, 'x') + "</Message></Error>");
  EXPECT_NE(error.message.find("Odd: by …, …"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_LT(error.message.size(), 400U);
}

TEST(AnswerTest, ClocksThatDisagree) {
  HttpResponse response{403, {{"date", "Fri, 24 May 2013 00:00:00 GMT"}}, ""};
  EXPECT_EQ(date_of(response), 1369353600);
  EXPECT_TRUE(is_skewed(response, 1369353600 + 1000)) << "a HEAD has no other sign";
  EXPECT_FALSE(is_skewed(response, 1369353600 + 10));
  response.body = "<Error><Code>AccessDenied</Code></Error>";
  EXPECT_FALSE(is_skewed(response, 1369353600 + 1000));
}

TEST(XmlTest, ListsWithAndWithoutEncodedKeys) {
  const auto encoded = parse_objects(
      "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%20b+c%2B%zz</Key>"
      "<Size>5</Size><ETag>&quot;e&quot;</ETag><LastModified>2013-05-24T00:00:00.000Z"
      "</LastModified></Contents></ListBucketResult>");
  ASSERT_TRUE(encoded) << encoded.error().message;
  EXPECT_EQ(encoded->objects.at(0).key, "a b c+%zz");
  EXPECT_EQ(encoded->objects.at(0).size_bytes, 5U);
  EXPECT_EQ(encoded->objects.at(0).etag, "e");
  EXPECT_EQ(encoded->objects.at(0).modified_at, 1369353600);
  const auto plain = parse_objects(
      "<ListBucketResult><Contents><Key>a+b%20</Key><Size>5</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->objects.at(0).key, "a+b%20");
}

TEST(XmlTest, WhatIsNotWholeIsRefused) {
  for (const char* body :
       {"", " ", "<html>", "<Other/>", "<ListBucketResult><IsTruncated>true</IsTruncated>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>5x</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>5</Size></Contents></ListBucketResult>"}) {
    const auto parsed = parse_objects(body);
    ASSERT_FALSE(parsed) << body;
    EXPECT_TRUE(parsed.error().retryable) << body;
  }
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  EXPECT_FALSE(parse_completed("<Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(
      parse_uploads("<ListMultipartUploadsResult><Upload><Key>a</Key></Upload>"
                    "</ListMultipartUploadsResult>"));
}

TEST(XmlTest, CompleteNamesThePartsInOrder) {
  EXPECT_NE(complete_body({"a", "<b>"})
                .find("<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
                      "<Part><PartNumber>2</PartNumber><ETag>\"&lt;b&gt;\"</ETag></Part>"),
            std::string::npos)
      << complete_body({"a", "<b>"});
}

}  // namespace
}  // namespace manman::s3
