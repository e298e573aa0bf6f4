#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sync.h"
#include "bus/inprocess/inprocess_bus.h"

// What stands in an in-process bus. None of it locks: all is reached through Sync<Exchange>.
namespace manman::inprocess {

using Time = std::chrono::steady_clock::time_point;

// One call of publish(), waiting for its queues.
struct Publication {
  size_t unsettled = 0;    // queues whose handler has not yet acknowledged or rejected
  bool abandoned = false;  // its publisher has been told kUnavailable and will publish again
};

// A message's place in one queue.
struct Entry {
  uint64_t sequence = 0;
  Message message;
  std::shared_ptr<Publication> publication;
  Time not_before{};  // of a redelivery
};

class Queue {
 public:
  std::set<std::string> patterns;
  size_t consumers = 0;

  bool accepts(std::string_view routing_key) const;
  size_t size() const { return entries_.size(); }
  void push(Entry entry) { entries_.push_back(std::move(entry)); }
  // Back to where it stood before a handler had it.
  void put_back(Entry entry);
  // When the head may be handled; nothing for an empty queue.
  std::optional<Time> ready_at() const;
  Entry pop();
  // Takes out the entries of this publication.
  void withdraw(const Publication& publication);
  // Nothing comes any more, and nobody waits for what is in it.
  void close();

 private:
  std::deque<Entry> entries_;  // by sequence
};

struct Exchange {
  std::map<std::string, Queue> queues;  // a queue is never removed
  std::deque<DeadLetter> dead_letters;
  uint64_t last_sequence = 0;
  bool closed = false;
};

}  // namespace manman::inprocess
