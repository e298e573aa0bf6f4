#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/sync.h"
#include "host/record.h"

namespace manman::host {

// What the host has taken on, one file per job in {data_dir}/journal/, and in done/ beneath it the
// latest 1,000 jobs that are over. Every change is durable when its call returns; one that could
// not be written did not happen. Thread-safe.
class Journal {
 public:
  // Reads what is there. A file that can't be read is moved aside ({name}.bad) and logged. One
  // process at a time: a folder that another one works in is kFailedPrecondition.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& data_dir);

  // Sets the record's sequence. A key that is there is kAlreadyExists.
  Result<void> add(Record record);
  // Changes a record by `change`; the record then. No such key is kNotFound.
  Result<Record> update(const JobKey& key, const std::function<void(Record&)>& change);
  // The job is over: its record moves to done/, or is removed when it is not to be remembered.
  Result<void> finish(const JobKey& key);

  std::optional<Record> find(const JobKey& key);
  // Of a job that is over and still remembered.
  std::optional<Record> find_done(const JobKey& key);
  // In the order of arrival.
  std::vector<Record> unfinished();

  // That a host works on what it holds, at this moment. Not synced to disk.
  void note_alive();
  // How long ago that was noted last, by any process; by this machine's clock.
  std::chrono::milliseconds silent_for() const;

 private:
  struct State {
    std::map<JobKey, Record> records;
    std::deque<std::string> done;  // names of files, oldest first
    int64_t last_sequence = 0;
  };

  Journal(std::filesystem::path dir, UniqueFd lock)
      : dir_(std::move(dir)), lock_(std::move(lock)) {}
  Result<void> load();
  Result<void> load_done();
  void load_record(const std::filesystem::path& path);
  void forget_oldest(State& state);
  std::filesystem::path path_of(const JobKey& key) const { return dir_ / (key.text() + ".json"); }
  std::filesystem::path done_dir() const { return dir_ / "done"; }

  std::filesystem::path dir_;
  UniqueFd lock_;
  Sync<State> state_;
};

}  // namespace manman::host
