#include "archive/selection.h"

#include <algorithm>

#include "archive/damage.h"
#include "archive/entries.h"
#include "archive/path.h"

namespace manman::archive {
namespace {

constexpr size_t kMaxStandIns = 100'000;

}  // namespace

// The pass over the entries.
struct Selection::Finder {
  Selection& selection;
  std::vector<bool> matched;

  Result<bool> see(const format::EntryRecord& record) {
    bool chosen = false;
    for (size_t i = 0; i < selection.only_.size(); i++) {
      if (!is_at_or_below(record.entry.path, selection.only_[i])) continue;
      matched[i] = true;
      chosen = true;
    }
    if (!chosen && !selection.contains(record.entry.path)) return true;
    add_range(selection.ranges_, range_of(record));
    selection.data_size_ += record.entry.size_bytes;
    const Entry& entry = record.entry;
    if (entry.kind != EntryKind::kHardLink || selection.contains(entry.link_target)) return true;
    if (selection.stand_ins_.size() >= kMaxStandIns)
      return fail(Code::kResourceExhausted,
                  "more than 100000 hard links to files that are not chosen");
    selection.stand_ins_.emplace(entry.link_target, entry.path);
    return true;
  }

  // The files that links stand in for were passed before the links were known.
  Result<bool> see_again(const format::EntryRecord& record) {
    if (record.entry.kind == EntryKind::kFile && selection.stand_in(record.entry.path) != nullptr) {
      selection.ranges_.push_back(range_of(record));
      selection.data_size_ += record.entry.size_bytes;
    }
    return true;
  }
};

Result<Selection> Selection::find(RandomSource& source, const std::optional<Index>& index,
                                  const UnpackOptions& options) {
  const std::vector<std::string>& only = options.only;
  const Progress* const progress = options.progress;
  Selection selection;
  selection.with_parents_ = options.with_parents;
  for (const std::string& path : only) selection.only_.push_back(clean_path(path));
  if (only.empty()) {
    if (index) selection.data_size_ = index->tail().data_size;
    return selection;
  }
  Finder finder{selection, std::vector<bool>(only.size())};
  TRY(for_each_entry(source, index, progress,
                     [&](const auto& record) { return finder.see(record); }));
  for (size_t i = 0; i < only.size(); i++)
    if (!finder.matched[i]) return fail(Code::kNotFound, "no entry " + only[i] + " in the archive");
  if (!index) {
    selection.ranges_.clear();
    return selection;
  }
  if (selection.stand_ins_.empty()) return selection;
  TRY(for_each_entry(source, index, progress,
                     [&](const auto& record) { return finder.see_again(record); }));
  std::ranges::sort(selection.ranges_, {}, &Range::begin);
  return selection;
}

bool Selection::contains(const std::string& path) const {
  return only_.empty() || std::ranges::any_of(only_, [&](const std::string& one) {
           return is_at_or_below(path, one) || (with_parents_ && is_at_or_below(one, path));
         });
}

const std::string* Selection::stand_in(const std::string& path) const {
  const auto found = stand_ins_.find(path);
  return found == stand_ins_.end() ? nullptr : &found->second;
}

}  // namespace manman::archive
