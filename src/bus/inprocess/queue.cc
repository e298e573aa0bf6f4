#include "bus/inprocess/queue.h"

#include <algorithm>

namespace manman::inprocess {

bool Queue::accepts(std::string_view routing_key) const {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return topic_matches(pattern, routing_key); });
}

void Queue::put_back(Entry entry) {
  const auto place = std::ranges::lower_bound(entries_, entry.sequence, {}, &Entry::sequence);
  entries_.insert(place, std::move(entry));
}

std::optional<Time> Queue::ready_at() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().not_before;
}

Entry Queue::pop() {
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  return entry;
}

void Queue::withdraw(const Publication& publication) {
  std::erase_if(entries_,
                [&](const Entry& entry) { return entry.publication.get() == &publication; });
}

void Queue::close() {
  patterns.clear();
  for (const Entry& entry : entries_) entry.publication->unsettled--;
  entries_.clear();
}

}  // namespace manman::inprocess
