#include "archive/entries.h"

#include "archive/scan.h"

namespace manman::archive {
namespace {

using Visit = std::function<Result<bool>(const format::EntryRecord&)>;

class Lister final : public MemberVisitor {
 public:
  explicit Lister(const Visit& visit) : visit_(visit) {}
  Result<bool> begin(const Member& member) override {
    return visit_({.entry = member.entry,
                   .sparse = member.sparse,
                   .changed = false,
                   .header_offset = member.header_offset,
                   .data_offset = member.data_offset});
  }
  Result<void> data(uint64_t /*offset*/, ConstBytes /*bytes*/) override { return {}; }
  Result<void> end() override { return {}; }

 private:
  const Visit& visit_;
};

}  // namespace

Result<void> for_each_entry(RandomSource& source, const std::optional<Index>& index,
                            const Progress* progress, const Visit& visit) {
  if (!index) {
    Lister lister(visit);
    return scan(source, index, {.progress = progress}, lister);
  }
  EntryCursor entries = index->entries();
  while (const auto record = TRY(entries.next())) {
    if (progress != nullptr) TRY(progress->check());
    if (!TRY(visit(*record))) return {};
  }
  return {};
}

}  // namespace manman::archive
