#include "archive/manners.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <thread>

#include "archive/test_support.h"

namespace manman::archive::test {
namespace {

constexpr size_t kPage = 4096;

// One letter for each page: '#' in the page cache, '.' not.
std::string resident(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY));
  const size_t size = fs::file_size(path);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  std::vector<unsigned char> pages((size + kPage - 1) / kPage);
  EXPECT_EQ(::mincore(map, size, pages.data()), 0);
  ::munmap(map, size);
  std::string text;
  for (const unsigned char page : pages) text += (page & 1) != 0 ? '#' : '.';
  return text;
}

// Written, on the disk and out of the page cache, but for what is read again from `from` on.
void write_cold(const fs::path& path, size_t size, size_t from, size_t count) {
  std::mt19937_64 random(size);
  write_file(path, noise(random, size));
  const UniqueFd fd(::open(path.c_str(), O_RDONLY));
  ASSERT_EQ(::fsync(fd.get()), 0);
  ASSERT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  ASSERT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM), 0);
  std::string buffer(count, '\0');
  ASSERT_EQ(::pread(fd.get(), buffer.data(), count, static_cast<off_t>(from)),
            static_cast<ssize_t>(count));
}

TEST(Manners, ThePageCacheIsLeftAsItWas) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_cold(dir / "large", (5 << 20) + 1234, (1 << 20) + kPage, 70 * kPage);
  write_cold(dir / "small", 10 * kPage + 5, 0, 0);
  write_cold(dir / "hot", 10 * kPage, 0, 10 * kPage);
  const std::string large = resident(dir / "large");
  if (large.find('.') == std::string::npos)
    GTEST_SKIP() << "this file system's pages can't be dropped";
  EXPECT_EQ(std::ranges::count(large, '#'), 70);
  MemorySink polite;
  ASSERT_TRUE(pack(dir, polite, {.threads = 2, .background = true}));
  EXPECT_EQ(resident(dir / "large"), large);
  EXPECT_EQ(resident(dir / "small"), std::string(11, '.'));
  EXPECT_EQ(resident(dir / "hot"), std::string(10, '#'));
  MemorySink plain;
  ASSERT_TRUE(pack(dir, plain, {.threads = 2}));
  EXPECT_EQ(plain.bytes, polite.bytes);
  EXPECT_EQ(resident(dir / "large").find('.'), std::string::npos) << "nothing was tested above";
}

struct Standing {
  long io_class = 0;
  int policy = 0;
  int niceness = 0;
  bool operator==(const Standing&) const = default;
};

Standing standing_of(pid_t thread) {
  return {.io_class = IOPRIO_PRIO_CLASS(::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, thread)),
          .policy = ::sched_getscheduler(thread),
          .niceness = ::getpriority(PRIO_PROCESS, static_cast<id_t>(thread))};
}

// Looks at the threads of the process while an archive is written.
struct WatchingSink final : Sink {
  std::vector<Standing> seen;
  Result<void> write(ConstBytes bytes) override {
    if (!seen.empty() || bytes.size() < 1000) return {};  // a frame, so that all have begun
    for (const auto& thread : fs::directory_iterator("/proc/self/task"))
      seen.push_back(standing_of(std::stoi(thread.path().filename().string())));
    return {};
  }
};

TEST(Manners, OnlyTheThreadsThatReadAndCompressGiveWay) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(1);
  for (int i = 0; i < 30; i++) write_file(dir / std::to_string(i), noise(random, 1 << 20));
  const Standing own = standing_of(::gettid());
  const auto low = [](const Standing& one) {
    return one.io_class == IOPRIO_CLASS_IDLE && one.policy == SCHED_BATCH && one.niceness >= 10;
  };
  ASSERT_FALSE(low(own));
  WatchingSink watched;
  ASSERT_TRUE(pack(dir, watched, {.threads = 2, .background = true}));
  EXPECT_GE(std::ranges::count_if(watched.seen, low), 1);
  EXPECT_EQ(standing_of(::gettid()), own);
  WatchingSink plain;
  ASSERT_TRUE(pack(dir, plain, {.threads = 2}));
  EXPECT_EQ(std::ranges::count_if(plain.seen, low), 0);
}

TEST(Manners, ReadingKeepsToItsLimit) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  std::mt19937_64 random(1);
  write_file(dir / "large", noise(random, 3 << 20));
  for (int i = 0; i < 20; i++) write_file(dir / std::to_string(i), noise(random, 50'000));
  RateLimiter limiter(8 << 20);
  MemorySink sink;
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(pack(dir, sink, {.threads = 2, .read_limit = &limiter}));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  // 4.1 MB at 8.4 MB/s, a quarter of a second's worth of them at once.
  EXPECT_GE(took.count(), 0.23);
  EXPECT_EQ(sink.bytes, pack_bytes(dir));
}

}  // namespace
}  // namespace manman::archive::test
