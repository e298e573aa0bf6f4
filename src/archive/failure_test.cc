#include <sys/wait.h>

#include <condition_variable>
#include <thread>

#include "archive/ordered_pipeline.h"
#include "archive/test_support.h"

// Sinks and sources that fail, cancelling, and files that change while they are read.
namespace manman::archive::test {
namespace {

// Does something before a write; fails from some byte on.
struct HookedSink final : Sink {
  std::function<void()> hook;
  uint64_t fail_after = UINT64_MAX;
  uint64_t written = 0;
  Result<void> write(ConstBytes bytes) override {
    if (hook) hook();
    written += bytes.size();
    if (written > fail_after) return fail(Code::kUnavailable, "the store went away");
    return {};
  }
};

class FailingSource final : public RandomSource {
 public:
  FailingSource(std::string bytes, uint64_t bad_from, uint64_t bad_to)
      : inner_(std::move(bytes)), bad_from_(bad_from), bad_to_(bad_to) {}
  uint64_t size() const override { return inner_.size(); }
  Result<void> read_at(uint64_t offset, MutableBytes buffer) override {
    if (offset < bad_to_ && offset + buffer.size() > bad_from_)
      return fail(Code::kUnavailable, "the store went away");
    return inner_.read_at(offset, buffer);
  }

 private:
  MemorySource inner_;
  uint64_t bad_from_;
  uint64_t bad_to_;
};

void fill(const fs::path& dir, int files) {
  std::mt19937_64 random(23);
  for (int i = 0; i < files; i++) write_file(dir / std::to_string(100 + i), noise(random, 1 << 20));
}

TEST(Failure, ASinkThatFailsEndsThePacking) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  fill(dir, 20);
  for (const uint64_t after : {0UL, 5UL, 100'000UL, 5'000'000UL}) {
    HookedSink sink;
    sink.fail_after = after;
    const auto result = pack(dir, sink, {});
    EXPECT_EQ(code_of(result), Code::kUnavailable);
    EXPECT_EQ(message_of(result), "the store went away");
  }
}

TEST(Failure, ASourceThatFailsEndsTheUnpacking) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  fill(dir, 20);
  const std::string bytes = pack_bytes(dir);
  for (uint64_t at = 0; at < bytes.size(); at += bytes.size() / 15) {
    FailingSource source(bytes, at, at + 1);
    const TempDir target;
    const auto result = unpack(source, target.path(), {.strip_prefix = "game"});
    EXPECT_EQ(code_of(result), Code::kUnavailable) << at << " " << message_of(result);
    EXPECT_EQ(code_of(verify(source, 2, nullptr)), Code::kUnavailable) << at;
  }
}

TEST(Failure, CancelEndsEverything) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  fill(dir, 20);
  Progress progress;
  HookedSink sink;
  sink.hook = [&] { progress.cancel = sink.written > 1'000'000; };
  EXPECT_EQ(code_of(pack(dir, sink, {.progress = &progress})), Code::kCancelled);
  EXPECT_LT(sink.written, 16U << 20);

  MemorySource source(pack_bytes(dir));
  Progress cancelled;
  cancelled.cancel = true;
  const TempDir target;
  EXPECT_EQ(
      code_of(unpack(source, target.path(), {.strip_prefix = "game", .progress = &cancelled})),
      Code::kCancelled);
  EXPECT_EQ(code_of(verify(source, 2, &cancelled)), Code::kCancelled);
}

TEST(Failure, ProgressCountsUpToTheWhole) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  fill(dir, 3);
  write_file(dir / "small", "small");
  const uint64_t whole = (3 << 20) + 5;
  Progress packing;
  MemorySink sink;
  ASSERT_TRUE(pack(dir, sink, {.progress = &packing}));
  EXPECT_EQ(packing.done_bytes, whole);
  EXPECT_EQ(packing.done_entries, 5U);
  Progress unpacking;
  const TempDir target;
  ASSERT_TRUE(
      unpack_bytes(sink.bytes, target.path(), {.strip_prefix = "game", .progress = &unpacking}));
  EXPECT_EQ(unpacking.done_bytes, whole);
  EXPECT_EQ(unpacking.total_bytes, whole);
  EXPECT_EQ(unpacking.done_entries, 5U);
}

// Acts once, when the third write comes: names are read by then, and the windows of frames and of
// files read ahead are too small for what is late in the order to be open.
struct LateSink final : Sink {
  std::string bytes;
  std::function<void()> act;
  int writes = 0;
  Result<void> write(ConstBytes more) override {
    if (++writes == 3) act();
    bytes += as_text(more);
    return {};
  }
};

TEST(Failure, FilesThatVanishAreNamedAndLeftOut) {
  const TempDir temp;
  const fs::path dir = temp.make("game");
  fill(dir, 40);
  constexpr int kSmall = 2000;
  for (int i = 0; i < kSmall; i++) write_file(dir / ("small-" + std::to_string(i)), "small");
  write_file(dir / "z-small", "small");
  fs::create_directory(dir / "zz-folder");
  LateSink sink;
  sink.act = [&] {
    fs::remove(dir / "138");
    fs::remove(dir / "z-small");
    fs::remove(dir / "zz-folder");
  };
  auto result = pack(dir, sink, {.threads = 1});
  ASSERT_TRUE(result) << message_of(result);
  std::ranges::sort(result->warnings);
  EXPECT_EQ(result->warnings,
            (std::vector<std::string>{
                "game/138 vanished while the folder was read; not in the archive",
                "game/z-small vanished while the folder was read; not in the archive",
                "game/zz-folder vanished while the folder was read; not in the archive"}));
  EXPECT_EQ(result->entries, 1U + 39U + kSmall);
  EXPECT_TRUE(verify_bytes(sink.bytes));
}

// A file of 64 MiB is read over many frames; what happens to it after the first is seen.
struct Change {
  const char* name;
  std::function<void(const fs::path&)> change;
  const char* warning;
};

TEST(Failure, AFileThatShrinksGrowsOrChangesIsPaddedCutAndNamed) {
  const std::vector<Change> changes = {
      {"shrinks", [](const fs::path& file) { ASSERT_EQ(::truncate(file.c_str(), 1000), 0); },
       "shrank while it was read; padded with zeros"},
      {"grows", [](const fs::path& file) { std::ofstream(file, std::ios::app) << "more"; },
       "grew while it was read; cut at the size that it had first"},
      {"changes",
       [](const fs::path& file) {
         const UniqueFd fd(::open(file.c_str(), O_WRONLY));
         ASSERT_EQ(::pwrite(fd.get(), "!", 1, 5), 1);
       },
       "changed while it was read"}};
  for (const Change& change : changes) {
    SCOPED_TRACE(change.name);
    const TempDir temp;
    const fs::path dir = temp.make("game");
    std::mt19937_64 random(29);
    write_file(dir / "world", noise(random, 64 << 20));
    LateSink sink;
    sink.act = [&] { change.change(dir / "world"); };
    const auto result = pack(dir, sink, {.threads = 1});
    ASSERT_TRUE(result) << message_of(result);
    EXPECT_EQ(result->warnings,
              std::vector<std::string>{std::string("game/world ") + change.warning});
    const TempDir target;
    const auto unpacked = unpack_bytes(sink.bytes, target.path());
    ASSERT_TRUE(unpacked) << message_of(unpacked);
    EXPECT_EQ(fs::file_size(target.path() / "world"), 64U << 20);
  }
}

TEST(Failure, AFileThatCanNotBeReadFailsTheWholeWithItsName) {
  if (::geteuid() == 0) {
    // Root reads everything: the check runs in a child that is not root.
    const TempDir temp;
    ASSERT_EQ(::chmod(temp.path().c_str(), 0755), 0);
    const fs::path dir = temp.make("game");
    write_file(dir / "secret", "x");
    ASSERT_EQ(::chmod((dir / "secret").c_str(), 0), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
      MemorySink sink;
      const auto result = pack(dir, sink, {});
      const bool right = code_of(result) == Code::kPermissionDenied &&
                         message_of(result).find("game/secret") != std::string::npos;
      ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return;
  }
  const TempDir temp;
  const fs::path dir = temp.make("game");
  write_file(dir / "secret", "x");
  ASSERT_EQ(::chmod((dir / "secret").c_str(), 0), 0);
  MemorySink sink;
  const auto result = pack(dir, sink, {});
  EXPECT_EQ(code_of(result), Code::kPermissionDenied);
  EXPECT_NE(message_of(result).find("game/secret"), std::string::npos);
}

TEST(Pipeline, KeepsTheOrderAndStopsAtTheFirstError) {
  using Numbers = OrderedPipeline<int>;
  const auto produce = [](Numbers& pipeline) -> Result<void> {
    for (int i = 0; i < 1000; i++) {
      auto job = TRY(pipeline.make());
      *job = i;
      TRY(pipeline.push(std::move(job)));
    }
    return {};
  };
  for (const int bad : {-1, 0, 500, 999}) {
    Numbers pipeline(4, 7, produce, [bad] {
      return [bad](int& number) -> Result<void> {
        if (number == bad) return fail(Code::kDataLoss, "bad number");
        return {};
      };
    });
    int expected = 0;
    Result<void> error;
    for (;;) {
      auto job = pipeline.pop();
      if (!job) {
        error = std::unexpected(job.error());
        break;
      }
      if (!*job) break;
      ASSERT_EQ(**job, expected++);
      pipeline.recycle(std::move(*job));
    }
    EXPECT_EQ(message_of(error), bad < 0 ? "(success)" : "bad number");
    EXPECT_TRUE(bad >= 0 || expected == 1000);
  }
  // Left alone with a full window it ends without waiting for anyone.
  const Numbers abandoned(2, 3, produce, [] { return [](int&) -> Result<void> { return {}; }; });
}

}  // namespace
}  // namespace manman::archive::test
