#include "host/journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include <fstream>
#include <stdexcept>

#include "base/file.h"
#include "host/lanes.h"

namespace manman::host {
namespace {

namespace fs = std::filesystem;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string name = (fs::temp_directory_path() / "manman-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    dir_ = name;
    open();
  }
  ~JournalTest() override {
    journal_.reset();
    EXPECT_TRUE(remove_tree(dir_));
  }
  void open() {
    journal_.reset();
    journal_ = Journal::open(dir_).value();
  }
  static Record record(int64_t id) {
    Record record;
    record.key = {JobKind::kBackup, id, 2};
    record.sgc_id = 42;
    record.command = "{\"bytes\":\"\xc3\xa9\\u0001\"}";
    return record;
  }

  fs::path dir_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, KeepsEverythingInOrderAcrossProcesses) {
  for (const int64_t id : {9, 3, 5}) ASSERT_TRUE(journal_->add(record(id)));
  ASSERT_TRUE(journal_->update(record(3).key, [](Record& changed) {
    changed.phase = Phase::kSwapping;
    changed.upload_begun = true;
    changed.quiesced = true;
    changed.staged_identity = "i";
    changed.replaced_data = "kept";
    changed.stop_asked = true;
    changed.report_key = "k";
    changed.report_body = "b";
    changed.remember = false;
  }));
  open();
  const auto records = journal_->unfinished();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key.id, 9);
  EXPECT_EQ(records[2].key.id, 5);
  const Record& changed = records[1];
  EXPECT_EQ(changed.key, record(3).key);
  EXPECT_EQ(changed.command, record(3).command);
  EXPECT_EQ(changed.phase, Phase::kSwapping);
  EXPECT_EQ(changed.staged_identity + changed.replaced_data, "ikept");
  EXPECT_EQ(changed.report_key + changed.report_body, "kb");
  EXPECT_TRUE(changed.upload_begun && changed.quiesced && changed.stop_asked && !changed.remember);
  ASSERT_TRUE(journal_->add(record(1)));
  EXPECT_EQ(journal_->unfinished().back().key.id, 1);
}

TEST_F(JournalTest, RemembersWhatIsDone) {
  ASSERT_TRUE(journal_->add(record(1)));
  Record forgotten = record(2);
  forgotten.remember = false;
  ASSERT_TRUE(journal_->add(forgotten));
  ASSERT_TRUE(journal_->finish(record(1).key));
  ASSERT_TRUE(journal_->finish(record(2).key));
  open();
  EXPECT_TRUE(journal_->unfinished().empty());
  EXPECT_TRUE(journal_->find_done(record(1).key));
  EXPECT_FALSE(journal_->find_done(record(2).key));
}

TEST_F(JournalTest, RemembersABoundedNumber) {
  constexpr int64_t kJobs = 1003;
  for (int64_t id = 1; id <= kJobs; id++)
    ASSERT_TRUE(write_file_durably(dir_ / "journal/done" / (record(id).key.text() + ".json"), "x"));
  ASSERT_TRUE(journal_->add(record(5000)));
  open();
  ASSERT_TRUE(journal_->finish(record(5000).key));
  const auto left = std::distance(fs::directory_iterator(dir_ / "journal/done"), {});
  EXPECT_EQ(left, 1000);
  EXPECT_TRUE(journal_->find_done(record(5000).key));
}

TEST_F(JournalTest, DamagedFilesAreMovedAsideAndStopNothing) {
  ASSERT_TRUE(journal_->add(record(1)));
  const std::string good = read_file(dir_ / "journal/backup-1-2.json").value();
  const std::map<std::string, std::string> bad = {
      {"backup-2-2", ""},
      {"backup-3-2", good.substr(0, good.size() / 2)},
      {"backup-4-2", good},  // of another job
      {"backup-5-2", "[1,2]"},
      {"backup-6-2", "{\"version\":\"x\"}"},
      {"backup-7-2", std::string(100000, '[')},
  };
  for (const auto& [name, text] : bad) std::ofstream(dir_ / "journal" / (name + ".json")) << text;
  std::ofstream(dir_ / "journal/backup-8-2.json.new") << "half";
  open();
  EXPECT_EQ(journal_->unfinished().size(), 1U);
  for (const auto& [name, text] : bad)
    EXPECT_EQ(read_file(dir_ / "journal" / (name + ".json.bad")).value(), text);
  EXPECT_FALSE(fs::exists(dir_ / "journal/backup-8-2.json.new"));
}

TEST_F(JournalTest, SameKeyTwiceIsRefused) {
  ASSERT_TRUE(journal_->add(record(1)));
  EXPECT_EQ(journal_->add(record(1)).error().code, Code::kAlreadyExists);
  EXPECT_EQ(journal_->update(record(9).key, [](Record&) {}).error().code, Code::kNotFound);
}

TEST_F(JournalTest, ChangeThatCannotBeWrittenDidNotHappen) {
  ASSERT_TRUE(journal_->add(record(1)));
  fs::create_directory(dir_ / "journal/backup-1-2.json.new");
  EXPECT_FALSE(journal_->update(record(1).key, [](Record& r) { r.upload_begun = true; }));
  EXPECT_FALSE(journal_->find(record(1).key)->upload_begun);
  fs::create_directory(dir_ / "journal/backup-2-2.json.new");
  EXPECT_FALSE(journal_->add(record(2)));
  EXPECT_FALSE(journal_->find(record(2).key));
}

TEST(LanesTest, OneLaneKeepsItsOrderAndOthersGoOnMeanwhile) {
  Sync<std::vector<int>> seen;
  Sync<bool> released;
  Sync<bool> done;
  Lanes lanes(3);
  lanes.post(1, [&] {
    auto go = released.lock();
    go.wait([&] { return *go; });
  });
  for (int i = 0; i < 100; i++) lanes.post(1, [&, i] { seen.lock()->push_back(i); });
  lanes.post(2, [&] {
    *released.lock() = true;  // would never come if lane 2 waited for lane 1
    released.notify_all();
  });
  lanes.post(1, [&] {
    *done.lock() = true;
    done.notify_all();
  });
  auto finished = done.lock();
  ASSERT_TRUE(finished.wait_for(std::chrono::seconds(60), [&] { return *finished; }));
  auto order = seen.lock();
  ASSERT_EQ(order->size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(*order));
}

TEST(LanesTest, ManyLanesShareFewThreads) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  Sync<int> done;
  {
    Lanes lanes(2);
    for (int lane = 0; lane < 50; lane++)
      lanes.post(lane, [&] {
        most = std::max(most.load(), ++at_once);
        --at_once;
        (*done.lock())++;
        done.notify_all();
      });
    auto count = done.lock();
    ASSERT_TRUE(count.wait_for(std::chrono::seconds(60), [&] { return *count == 50; }));
  }
  EXPECT_LE(most, 2);
}

TEST(GateTest, LetsInNoMoreThanItHasPlacesAndCanBeLeft) {
  Gate gate(1);
  auto inside = gate.enter([] { return false; });
  ASSERT_TRUE(inside);
  EXPECT_EQ(gate.enter([] { return true; }).error().code, Code::kCancelled);
  {
    const auto moved = std::move(*inside);
  }
  EXPECT_TRUE(gate.enter([] { return false; }));
}

}  // namespace
}  // namespace manman::host
