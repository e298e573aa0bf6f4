#include "store/s3/sigv4.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/sha256.h"

// The expected values are AWS's own, from its documentation of Signature Version 4 for S3 and from
// its test suite.
namespace manman::s3 {
namespace {

const std::string kEmpty = to_hex(Sha256::of({}));
constexpr int64_t kTime = 1369353600;  // 2013-05-24T00:00:00Z
const std::string kHost = "examplebucket.s3.amazonaws.com";

const Signer kSigner{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                     "us-east-1"};

std::string signature_of(std::string_view method, std::string_view path, const Fields& query,
                         Fields more, const std::string& payload_hash = kEmpty) {
  more.insert(
      more.end(),
      {{"host", kHost}, {"x-amz-content-sha256", payload_hash}, {"x-amz-date", amz_date(kTime)}});
  const std::string text = authorization(kSigner, {method, path, query, more, payload_hash}, kTime);
  return text.substr(text.rfind('=') + 1);
}

TEST(SigV4Test, GetWithARange) {
  const Fields headers = {{"range", "bytes=0-9"},
                          {"host", kHost},
                          {"x-amz-content-sha256", kEmpty},
                          {"x-amz-date", amz_date(kTime)}};
  EXPECT_EQ(authorization(kSigner, {"GET", "/test.txt", {}, headers, kEmpty}, kTime),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4Test, PutOfAKeyThatIsEncoded) {
  EXPECT_EQ(signature_of("PUT", uri_encode("/test$file.text", true), {},
                         {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                          {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         to_hex(Sha256::of(as_bytes("Welcome to Amazon S3.")))),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4Test, QueryOfANameAlone) {
  EXPECT_EQ(signature_of("GET", "/", {{"lifecycle", ""}}, {}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4Test, QueryIsSorted) {
  EXPECT_EQ(signature_of("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4Test, Presigned) {
  const Fields headers = {{"host", kHost}};
  EXPECT_EQ(presigned_query(kSigner, {"GET", "/test.txt", {}, headers, "UNSIGNED-PAYLOAD"}, kTime,
                            86400, ""),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
            "SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4Test, SuiteGetVanilla) {
  const Signer signer{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1",
                      "service"};
  const Fields headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
  constexpr int64_t kSuiteTime = 1440938160;
  const auto signed_as = [&](const Fields& query) {
    const std::string text =
        authorization(signer, {"GET", "/", query, headers, kEmpty}, kSuiteTime);
    return text.substr(text.rfind('=') + 1);
  };
  EXPECT_EQ(signed_as({}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(signed_as({{"Param2", "value2"}, {"Param1", "value1"}}),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(SigV4Test, EncodesEveryOtherByte) {
  EXPECT_EQ(uri_encode("a/b c+d~\xc3\xa9%", true), "a/b%20c%2Bd~%C3%A9%25");
  EXPECT_EQ(uri_encode("a/b", false), "a%2Fb");
}

}  // namespace
}  // namespace manman::s3
