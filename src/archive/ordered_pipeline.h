#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace manman::archive {

// One producer thread makes jobs in order, several worker threads do them, and the owner's thread
// takes them out in the same order. At most `window` jobs exist at a time, so memory is bounded.
// The first error of anyone stops everyone; the destructor stops and joins all.
template <typename Job>
class OrderedPipeline {
 public:
  // Makes jobs with make() and hands them over with push(), until it returns.
  using Produce = std::function<Result<void>(OrderedPipeline&)>;
  using Work = std::function<Result<void>(Job&)>;

  // make_worker is called in each worker's thread, so that a worker has state of its own.
  OrderedPipeline(int workers, size_t window, Produce produce, std::function<Work()> make_worker)
      : window_(window) {
    try {
      threads_.emplace_back(
          [this, produce = std::move(produce)] { finish_producing(produce(*this)); });
      for (int i = 0; i < workers; i++)
        threads_.emplace_back([this, make_worker] { work(make_worker()); });
    } catch (const std::system_error& error) {
      // Fewer workers do as well; without any the owner gets the error from pop().
      if (threads_.size() < 2)
        stop(Error{Code::kResourceExhausted, std::string("can't start a thread: ") + error.what()});
    }
  }

  OrderedPipeline(const OrderedPipeline&) = delete;
  OrderedPipeline& operator=(const OrderedPipeline&) = delete;
  ~OrderedPipeline() {
    {
      const std::lock_guard lock(mutex_);
      state_.stopped = true;
    }
    wake_all();
    threads_.clear();  // joins
  }

  // For the producer: a job to fill, new or recycled, as soon as the window has room.
  Result<std::unique_ptr<Job>> make() {
    std::unique_lock lock(mutex_);
    for_producer_.wait(lock, [this] { return state_.stopped || state_.alive < window_; });
    if (state_.stopped) return stop_error();
    state_.alive++;
    if (state_.spare.empty()) return std::make_unique<Job>();
    std::unique_ptr<Job> job = std::move(state_.spare.back());
    state_.spare.pop_back();
    return job;
  }

  // For the producer.
  Result<void> push(std::unique_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex_);
      if (state_.stopped) return stop_error();
      state_.slots.push_back(Slot{std::move(job), false});
    }
    for_workers_.notify_one();
    return {};
  }

  // For the producer: returns once all jobs that were handed over are done.
  Result<void> drain() {
    std::unique_lock lock(mutex_);
    for_producer_.wait(
        lock, [this] { return state_.stopped || std::ranges::all_of(state_.slots, &Slot::done); });
    if (state_.stopped) return stop_error();
    return {};
  }

  // For the owner: the next job in order once it is done; null after the last.
  Result<std::unique_ptr<Job>> pop() {
    std::unique_lock lock(mutex_);
    for_owner_.wait(lock, [this] {
      return state_.stopped || (state_.slots.empty() ? state_.produced : state_.slots[0].done);
    });
    if (state_.stopped) return stop_error();
    if (state_.slots.empty()) return std::unique_ptr<Job>();
    std::unique_ptr<Job> job = std::move(state_.slots.front().job);
    state_.slots.pop_front();
    state_.claimed--;
    return job;
  }

  // For the owner: gives a job from pop() back, which makes room in the window.
  void recycle(std::unique_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex_);
      state_.spare.push_back(std::move(job));
      state_.alive--;
    }
    for_producer_.notify_one();
  }

 private:
  struct Slot {
    std::unique_ptr<Job> job;
    bool done = false;
  };
  struct State {
    std::deque<Slot> slots;  // in order: done or claimed ones first
    size_t claimed = 0;
    size_t alive = 0;
    std::vector<std::unique_ptr<Job>> spare;
    bool produced = false;
    bool stopped = false;
    std::optional<Error> error;
  };

  std::unexpected<Error> stop_error() const {
    return std::unexpected(state_.error.value_or(Error{Code::kCancelled, "stopped"}));
  }

  void wake_all() {
    for_producer_.notify_all();
    for_workers_.notify_all();
    for_owner_.notify_all();
  }

  void stop(Error error) {
    {
      const std::lock_guard lock(mutex_);
      state_.stopped = true;
      if (!state_.error) state_.error = std::move(error);
    }
    wake_all();
  }

  void finish_producing(Result<void> result) {
    if (!result) return stop(std::move(result).error());
    {
      const std::lock_guard lock(mutex_);
      state_.produced = true;
    }
    wake_all();
  }

  Job* claim() {
    std::unique_lock lock(mutex_);
    for_workers_.wait(lock, [this] {
      return state_.stopped || state_.claimed < state_.slots.size() || state_.produced;
    });
    if (state_.stopped || state_.claimed >= state_.slots.size()) return nullptr;
    return state_.slots[state_.claimed++].job.get();
  }

  void work(const Work& do_job) {
    while (Job* job = claim()) {
      if (auto result = do_job(*job); !result) return stop(std::move(result).error());
      {
        const std::lock_guard lock(mutex_);
        const auto slot = std::ranges::find_if(
            state_.slots, [&](const Slot& one) { return one.job.get() == job; });
        if (slot != state_.slots.end()) slot->done = true;
      }
      for_owner_.notify_one();
      for_producer_.notify_one();  // that drains
    }
  }

  const size_t window_;
  std::mutex mutex_;
  State state_;  // under the mutex
  // Each wakes those alone that have something to do: there may be many small jobs.
  std::condition_variable for_producer_;
  std::condition_variable for_workers_;
  std::condition_variable for_owner_;
  std::vector<std::jthread> threads_;
};

}  // namespace manman::archive
