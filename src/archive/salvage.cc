#include <algorithm>
#include <vector>

#include "archive/archive.h"
#include "archive/bytes.h"
#include "archive/container.h"
#include "archive/damage.h"
#include "archive/extractor.h"
#include "archive/scan.h"
#include "archive/sequential_reader.h"
#include "archive/tar_parser.h"

namespace manman::archive {
namespace {

using OnLost = std::function<void(const Entry&)>;

// Unpacks what it is given and passes over hard links to what was lost.
class Salvager final : public MemberVisitor {
 public:
  Salvager(Extractor& extractor, SalvageResult& result, const OnLost& on_lost)
      : extractor_(extractor), result_(result), on_lost_(on_lost) {}

  Result<bool> begin(const Member& member) override {
    entry_ = member.entry;
    at_work_ = true;
    auto begun = extractor_.begin(member);
    if (!begun && begun.error().code == Code::kInvalidArgument &&
        member.entry.kind == EntryKind::kHardLink) {
      lose(member.entry);
      return true;
    }
    return keep(std::move(begun));
  }
  Result<void> data(uint64_t offset, ConstBytes bytes) override {
    return keep(extractor_.data(offset, bytes));
  }
  Result<void> end() override {
    at_work_ = false;
    return keep(extractor_.end());
  }

  void lose(const Entry& entry) {
    result_.lost_entries++;
    on_lost_(entry);
  }
  // The reading ended in the middle: what is at work has no end.
  Result<void> abandon() {
    if (!at_work_) return {};
    at_work_ = false;
    lose(entry_);
    return extractor_.abandon();
  }
  // What went wrong with the unpacking itself, as opposed to the reading.
  Result<void> own_outcome() const { return outcome_; }

 private:
  template <typename T>
  Result<T> keep(Result<T> result) {
    if (!result) outcome_ = std::unexpected(result.error());
    return result;
  }

  Extractor& extractor_;
  SalvageResult& result_;
  const OnLost& on_lost_;
  Entry entry_;
  bool at_work_ = false;
  Result<void> outcome_;
};

// First all frames are checked, and then the entries unpacked that stand in good ones alone.
Result<void> by_index(RandomSource& archive, const std::optional<Index>& index,
                      const UnpackOptions& options, Salvager& salvager, SalvageResult& result) {
  result.indexed = true;
  const Damage damage = TRY(find_damage(archive, *index, options.threads, options.progress));
  if (damage.first)
    result.damage = std::to_string(damage.frames) + " of " +
                    std::to_string(index->tail().frame_count) +
                    " frames can't be read, the first: " + damage.first->message;
  std::vector<Range> good;
  EntryCursor entries = index->entries();
  size_t run = 0;
  while (const auto record = TRY(entries.next())) {
    const Range range = range_of(*record);
    while (run < damage.runs.size() && damage.runs[run].end <= range.begin) run++;
    if (run < damage.runs.size() && damage.runs[run].begin < range.end)
      salvager.lose(record->entry);
    else
      add_range(good, range);
  }
  if (good.empty()) return {};
  return scan(archive, index,
              {.threads = options.threads,
               .ranges = std::move(good),
               .on_archive = {},
               .progress = options.progress},
              salvager);
}

// Until the end mark. In gzip to the end of the member, whose checksum vouches for all of it.
Result<void> in_sequence(RandomSource& archive, ConstBytes start, const Progress* progress,
                         Salvager& salvager, SalvageResult& result) {
  const bool gzip = as_text(start).starts_with("\x1f\x8b");
  TarParser parser(salvager);
  const SequentialReading reading{
      .on_stream = [&parser, gzip](ConstBytes bytes) -> Result<bool> {
        auto fed = parser.feed(bytes);
        if (!gzip && parser.ended()) return false;  // whatever stands behind
        TRY(std::move(fed));
        return true;
      },
      .on_archive = {},
      .progress = progress,
      .data_only = true,
  };
  auto outcome = read_sequentially(archive, reading);
  if (outcome && !parser.ended()) outcome = parser.finish();
  TRY(salvager.own_outcome());
  if (outcome) return {};
  if (!is_damage(outcome.error())) return outcome;
  result.to_the_end = false;
  result.damage = outcome.error().message;
  return salvager.abandon();
}

// As many as an archive's mark takes.
Result<std::vector<std::byte>> first_bytes(RandomSource& archive) {
  std::vector<std::byte> bytes(std::min<uint64_t>(kTarBlock, archive.size()));
  TRY(archive.read_at(0, bytes));
  return bytes;
}

}  // namespace

Result<SalvageResult> salvage(RandomSource& archive, const std::filesystem::path& target,
                              const UnpackOptions& options, const OnLost& on_lost) {
  if (options.expected_sha256 || !options.only.empty())
    return fail(Code::kInvalidArgument, "a damaged archive is salvaged as a whole");
  const std::string dir = target.string();
  Budget budget = TRY(Budget::of(dir, options, archive.size()));
  const std::vector<std::byte> start = TRY(first_bytes(archive));
  auto opened = Index::open(archive);
  if (!opened && !is_damage(opened.error())) return std::unexpected(opened.error());
  const std::optional<Index> index = opened ? std::move(*opened) : std::nullopt;
  if (options.progress != nullptr && options.progress->total_bytes == 0 && index)
    options.progress->total_bytes = index->tail().data_size;
  Selection everything = TRY(Selection::find(archive, index, options));
  Extractor extractor = TRY(Extractor::create(dir, options, everything, budget));
  SalvageResult result;
  Salvager salvager(extractor, result, on_lost);
  if (index)
    TRY(by_index(archive, index, options, salvager, result));
  else
    TRY(in_sequence(archive, start, options.progress, salvager, result));
  if (!result.to_the_end && extractor.entries() == 0)
    return fail(Code::kDataLoss, "nothing can be salvaged: " + result.damage);
  TRY(extractor.finish());
  if (!index && result.damage.empty() && is_marked(start))
    result.damage = opened ? "the archive's index is missing" : opened.error().message;
  result.entries = extractor.entries();
  result.data_size_bytes = extractor.data_size();
  return result;
}

}  // namespace manman::archive
