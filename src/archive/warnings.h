#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/sync.h"

namespace manman::archive {

// What a long piece of work has to say beside its result: the first 100 are kept, all counted. Any
// thread.
class Warnings {
 public:
  void add(std::string text) {
    auto list = list_.lock();
    list->count++;
    if (list->texts.size() < kMaxTexts) list->texts.push_back(std::move(text));
  }
  void move_to(std::vector<std::string>& texts, uint64_t& count) {
    auto list = list_.lock();
    texts = std::move(list->texts);
    count = list->count;
  }
  // Into a result's `warnings` and `warning_count`.
  template <typename T>
  void move_to(T& result) {
    move_to(result.warnings, result.warning_count);
  }

 private:
  static constexpr size_t kMaxTexts = 100;
  struct List {
    std::vector<std::string> texts;
    uint64_t count = 0;
  };
  Sync<List> list_;
};

}  // namespace manman::archive
