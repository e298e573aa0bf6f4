#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/compression.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/retry.h"
#include "base/sha256.h"
#include "base/time.h"

namespace manman {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "manman-base-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }
  fs::path dir_;
};

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Code::kInvalidArgument, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  return TRY(half(TRY(half(value))));
}

TEST(ErrorTest, TryPassesValuesAndErrors) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(ErrorTest, ContextGoesInFront) {
  const auto result = in("backup 5", in("part 2", Result<int>(fail(Code::kUnavailable, "cut"))));
  EXPECT_EQ(result.error().message, "backup 5: part 2: cut");
  EXPECT_TRUE(result.error().retryable);
  EXPECT_EQ(Error({Code::kUnknown, "x"}).with_hint("do y").text(), "x\nhint: do y");
}

TEST_F(FileTest, WriteFileDurablyReplacesWhole) {
  const fs::path path = dir_ / "a";
  ASSERT_TRUE(write_file_durably(path, "one"));
  ASSERT_TRUE(write_file_durably(path, "two"));
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_FALSE(fs::exists(dir_ / "a.new"));
  EXPECT_EQ(read_file(path, 2).error().code, Code::kOutOfRange);
}

TEST_F(FileTest, RemoveTreeFollowsNoSymlink) {
  fs::create_directories(dir_ / "keep");
  std::ofstream(dir_ / "keep/file") << "x";
  fs::create_directories(dir_ / "tree/inner");
  fs::create_directory_symlink(dir_ / "keep", dir_ / "tree/inner/link");
  ::chmod((dir_ / "tree/inner").c_str(), 0);
  ASSERT_TRUE(remove_tree(dir_ / "tree"));
  EXPECT_FALSE(fs::exists(dir_ / "tree"));
  EXPECT_TRUE(fs::exists(dir_ / "keep/file"));
  EXPECT_TRUE(remove_tree(dir_ / "nothing"));
}

TEST_F(FileTest, FileSourceReadsAtOffsetAndNotBeyond) {
  std::ofstream(dir_ / "f") << "0123456789";
  auto source = FileSource::open(dir_ / "f").value();
  std::byte buffer[4];
  ASSERT_TRUE(source->read_at(6, buffer));
  EXPECT_EQ(static_cast<char>(buffer[0]), '6');
  EXPECT_EQ(source->read_at(7, buffer).error().code, Code::kOutOfRange);
}

TEST(FailpointTest, ActsAsConfigured) {
  ASSERT_TRUE(failpoint::configure("backup.uploaded@2=error:boom"));
  EXPECT_TRUE(failpoint::pass("backup.uploaded"));
  EXPECT_EQ(failpoint::pass("backup.uploaded").error().message, "boom");
  EXPECT_TRUE(failpoint::pass("backup.uploaded"));
  ASSERT_TRUE(failpoint::configure(""));
  EXPECT_EQ(failpoint::configure("no.such=crash").error().code, Code::kInvalidArgument);
  EXPECT_EQ(failpoint::configure("backup.uploaded=explode").error().code, Code::kInvalidArgument);
}

TEST(RetryTest, StopsAtSuccessFinalErrorAndLimit) {
  const Backoff quick{std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
  int calls = 0;
  auto flaky = [&]() -> Result<int> {
    if (++calls < 3) return fail(Code::kUnavailable, "away");
    return calls;
  };
  EXPECT_EQ(retry(5, quick, nullptr, flaky).value(), 3);
  calls = 0;
  EXPECT_FALSE(retry(2, quick, nullptr, flaky));
  calls = 0;
  auto final_error = [&]() -> Result<int> {
    calls++;
    return fail(Code::kNotFound, "gone");
  };
  EXPECT_FALSE(retry(5, quick, nullptr, final_error));
  EXPECT_EQ(calls, 1);
}

TEST(Sha256Test, KnownAnswer) {  // FIPS 180-4, "abc"
  EXPECT_EQ(to_hex(Sha256::of(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 stream;
  stream.update(as_bytes("a"));
  stream.update(as_bytes("bc"));
  EXPECT_EQ(stream.finish(), Sha256::of(as_bytes("abc")));
  EXPECT_EQ(sha256_from_hex(to_hex(Sha256::of(as_bytes("abc")))).value(),
            Sha256::of(as_bytes("abc")));
  EXPECT_FALSE(sha256_from_hex(std::string(63, 'a')));
  EXPECT_FALSE(sha256_from_hex(std::string(64, 'g')));
}

TEST(HmacSha256Test, KnownAnswer) {  // RFC 4231, test case 2
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(LogTest, PrefixNamesWhatIsKnown) {
  EXPECT_EQ((About{.backup_id = 5, .sgc_id = 3}.prefix()), "[backup=5 sgc=3] ");
  EXPECT_EQ(About{}.prefix(), "");
}

TEST(CompressionTest, WordsReadBack) {
  for (const Compression& one :
       {Compression{}, Compression{ArchiveFormat::kGzip, Compression::kGzipFast},
        Compression{ArchiveFormat::kGzip, Compression::kGzipBest},
        Compression{ArchiveFormat::kZstd, 1}, Compression{ArchiveFormat::kZstd, 19},
        Compression{ArchiveFormat::kNone, 0}}) {
    const auto read = Compression::parse(one.format_text(), one.level_text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, one);
  }
  EXPECT_EQ(Compression::parse("", ""), Compression());
  EXPECT_EQ(Compression().level_text(), "default");
}

TEST(CompressionTest, WhatIsNotSaidIsTheUsual) {
  const Compression usual{ArchiveFormat::kZstd, 9};
  EXPECT_EQ(Compression::parse("", "", usual), usual);
  EXPECT_EQ(Compression::parse("zst", "", usual), usual);
  EXPECT_EQ(Compression::parse("", "4", usual), (Compression{ArchiveFormat::kZstd, 4}));
  EXPECT_EQ(Compression::parse("gz", "", usual), Compression());
  EXPECT_EQ(Compression::parse("none", "", usual), (Compression{ArchiveFormat::kNone, 0}));
}

TEST(CompressionTest, NamesTheWordThatIsWrong) {
  const auto error_of = [](std::string_view format, std::string_view level) {
    return Compression::parse(format, level).error().message;
  };
  EXPECT_EQ(error_of("GZ", ""), "format: must be gz, zst or none");
  EXPECT_TRUE(error_of("gz", "1").starts_with("level: must be fast, default or best"));
  for (const char* level : {"0", "20", "-1", " 3", "3 ", "99999999999999", "fast"})
    EXPECT_TRUE(error_of("zst", level).starts_with("level: ")) << level;
  EXPECT_TRUE(error_of("none", "0").starts_with("level: must not be set"));
}

TEST(CompressionTest, NamesSayTheFormat) {
  EXPECT_EQ(format_of_name("a/world.tar.gz"), ArchiveFormat::kGzip);
  EXPECT_EQ(format_of_name("world.tgz"), ArchiveFormat::kGzip);
  EXPECT_EQ(format_of_name("s3://b/world.tar.zst"), ArchiveFormat::kZstd);
  EXPECT_EQ(format_of_name("world.tar"), ArchiveFormat::kNone);
  EXPECT_EQ(format_of_name("world.zip"), std::nullopt);
  EXPECT_EQ(format_of_name("-"), std::nullopt);
}

TEST(RateLimiterTest, ThreadsTogetherKeepToTheLimit) {
  RateLimiter limiter(4 << 20);
  const auto begun = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; i++)
      threads.emplace_back([&] {
        for (int part = 0; part < 8; part++) EXPECT_TRUE(limiter.take(128 << 10, nullptr));
      });
  }
  // 3 MiB at 4 MiB a second, a quarter of a second's worth of them at once.
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took.count(), 0.49);
}

TEST(RateLimiterTest, WithoutALimitNothingWaits) {
  RateLimiter limiter(0);
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; i++) ASSERT_TRUE(limiter.take(UINT64_MAX, nullptr));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(RateLimiterTest, CancelEndsTheWait) {
  RateLimiter limiter(1);
  Progress progress;
  std::jthread canceller([&] { progress.cancel = true; });
  const auto taken = limiter.take(1'000'000, &progress);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kCancelled);
}

TEST(RateLimiterTest, ALimitedSinkPassesAllOnInOrder) {
  struct Collector final : Sink {
    std::string bytes;
    Result<void> write(ConstBytes more) override {
      bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
      return {};
    }
  } collector;
  RateLimiter limiter(1 << 20);
  LimitedSink sink(collector, limiter, nullptr);
  std::string sent;
  for (int i = 0; i < 200'000; i++) sent += static_cast<char>(i * 7 + i / 256);
  ASSERT_TRUE(sink.write(as_bytes(sent)));
  ASSERT_TRUE(sink.write({}));
  EXPECT_EQ(collector.bytes, sent);
}

TEST(TimeTest, FormatsUtc) {
  EXPECT_EQ(format_utc(0), "-");
  EXPECT_EQ(format_utc(1769860800), "2026-01-31T12:00:00Z");
}

}  // namespace
}  // namespace manman
