#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace manman {

// Data that can only be reached with its mutex held:
//   Sync<State> state;  auto locked = state.lock();  locked->count++;
// wait() on the guard sleeps until notify_all() and the predicate holds.
template <typename T>
class Sync {
 public:
  Sync() = default;
  explicit Sync(T data) : data_(std::move(data)) {}

  class Guard {
   public:
    explicit Guard(Sync& owner) : owner_(owner), lock_(owner.mutex_) {}
    T* operator->() { return &owner_.data_; }
    T& operator*() { return owner_.data_; }

    template <typename Predicate>
    void wait(Predicate&& holds) {
      owner_.changed_.wait(lock_, std::forward<Predicate>(holds));
    }
    // False when the time passed and the predicate still does not hold.
    template <typename Duration, typename Predicate>
    bool wait_for(Duration duration, Predicate&& holds) {
      return owner_.changed_.wait_for(lock_, duration, std::forward<Predicate>(holds));
    }

   private:
    Sync& owner_;
    std::unique_lock<std::mutex> lock_;
  };

  Guard lock() { return Guard(*this); }
  void notify_all() { changed_.notify_all(); }
  void notify_one() { changed_.notify_one(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T data_{};
};

}  // namespace manman
