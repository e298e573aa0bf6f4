#include "game/runtime/docker/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace manman::docker {
namespace {

TEST(HttpHead, IsReadOnceItIsComplete) {
  const std::string head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n";
  for (size_t size = 0; size < head.size(); size++) {
    const auto part = parse_http_head(head.substr(0, size));
    ASSERT_TRUE(part) << size;
    EXPECT_FALSE(*part);
  }
  const auto whole = parse_http_head(head + "stream");
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->status, 101);
  EXPECT_EQ((*whole)->size_bytes, head.size());
}

TEST(HttpHead, NeedsNoReason) {
  for (const std::string line : {"HTTP/1.1 409", "HTTP/1.0 409 ", "HTTP/1.1 409 Conflict"}) {
    const auto head = parse_http_head(line + "\r\n\r\n");
    ASSERT_TRUE(head && *head) << line;
    EXPECT_EQ((*head)->status, 409);
  }
}

TEST(HttpHead, RefusesWhatIsNone) {
  for (const std::string line :
       {"SSH-2.0-OpenSSH", "HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 -20 x",
        "HTTP/1.1 099 x", "HTTP/1.1200 OK", "HTTP/1.x 200 OK", "\r\n", "http/1.1 200 OK"}) {
    const auto head = parse_http_head(line + "\r\n\r\n");
    ASSERT_FALSE(head) << line;
    EXPECT_EQ(head.error().code, Code::kDataLoss);
  }
}

TEST(HttpHead, IsRefusedAsSoonAsItCanBeNone) {
  EXPECT_FALSE(parse_http_head("\x15\x03\x01"));
  EXPECT_FALSE(parse_http_head(std::string("\0\0\0", 3)));
}

TEST(HttpHead, IsBounded) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  EXPECT_FALSE(parse_http_head(start + std::string(kMaxHttpHeadBytes, 'x')));
  EXPECT_FALSE(parse_http_head(start + std::string(kMaxHttpHeadBytes, 'x') + "\r\n\r\n"));
  EXPECT_TRUE(parse_http_head(start + std::string(kMaxHttpHeadBytes / 2, 'x')));
}

}  // namespace
}  // namespace manman::docker
