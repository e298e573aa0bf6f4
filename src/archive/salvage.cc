#include <algorithm>
#include <vector>

#include "archive/archive.h"
#include "archive/bytes.h"
#include "archive/container.h"
#include "archive/damage.h"
#include "archive/extractor.h"
#include "archive/frame_finder.h"
#include "archive/path.h"
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
    if (distrust_ && !TRY(is_believable(member))) {
      at_work_ = false;
      return true;
    }
    if (!distrust_ && top_.empty()) top_ = member.entry.path;
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
  // From now on what looks like an entry may be a part of a file that is an archive itself: what
  // stands outside the archive's first folder or would replace something is passed over.
  void distrust() { distrust_ = true; }
  // What went wrong with the unpacking itself, as opposed to the reading.
  Result<void> own_outcome() const { return outcome_; }

 private:
  Result<bool> is_believable(const Member& member) {
    const Entry& entry = member.entry;
    if (!check_path(entry.path) || !is_at_or_below(entry.path, top_)) return false;
    return entry.kind == EntryKind::kFolder || !extractor_.standing_at(entry.path);
  }

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
  bool distrust_ = false;
  std::string top_;  // the path of the archive's first entry
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

// An archive made elsewhere: until the end mark. In gzip to the end of the member, whose checksum
// vouches for all of it.
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
  };
  auto outcome = read_sequentially(archive, reading);
  if (outcome && !parser.ended()) outcome = parser.finish();
  TRY(salvager.own_outcome());
  if (outcome) return {};
  if (!is_damage(outcome.error())) return outcome;
  result.to_the_end = false;
  result.vouched = false;
  result.damage = outcome.error().message;
  return salvager.abandon();
}

// Feeds a stream in which parts are missing to parsers, one for each run of whole members.
class StreamWithGaps {
 public:
  explicit StreamWithGaps(Salvager& salvager) : salvager_(salvager) {}

  // The next bytes: whole blocks of them, or they are damaged.
  Result<void> feed(ConstBytes bytes) {
    for (; bytes.size() >= kTarBlock && !ended_; bytes = bytes.subspan(kTarBlock)) {
      const ConstBytes block = bytes.first(kTarBlock);
      if (!parser_ && begins_member(block)) parser_.emplace(salvager_);
      previous_.assign(block.begin(), block.end());
      if (!parser_) continue;
      if (auto fed = parser_->feed(block); !fed) {
        TRY(salvager_.own_outcome());
        if (whole_ && !is_damage(fed.error())) return fed;
        TRY(lose_thread(fed.error().message));
        continue;
      }
      ended_ = parser_->ended();
    }
    if (!ended_ && !bytes.empty()) return gap("a frame ends within a block of the tar stream");
    return {};
  }
  // What comes next does not follow what came.
  Result<void> gap(std::string_view why) {
    previous_.clear();
    return lose_thread(why);
  }
  bool ended() const { return ended_; }
  bool whole() const { return whole_; }
  const std::string& first_trouble() const { return trouble_; }

 private:
  Result<void> lose_thread(std::string_view why) {
    if (whole_) trouble_ = why;
    whole_ = false;
    parser_.reset();
    salvager_.distrust();
    return salvager_.abandon();
  }

  // An entry of ours: an extended header, or an own one where no extended one can stand before it.
  // The records of those end with the end of a line.
  bool begins_member(ConstBytes block) const {
    if (whole_) return true;  // the archive's first
    if (all_zero(block) || !has_good_checksum(block)) return false;
    const auto header = parse_header(block);
    if (!header || !header->is_pax_format) return false;
    if (header->type == 'x') return header->path == "././@PaxHeader";
    if (previous_.empty() || std::string_view("0125").find(header->type) == std::string_view::npos)
      return false;
    const std::string_view before = as_text(previous_);
    const size_t last = before.find_last_not_of('\0');
    return last != std::string_view::npos && before[last] != '\n';
  }

  Salvager& salvager_;
  std::optional<TarParser> parser_;
  std::vector<std::byte> previous_;
  bool ended_ = false;
  bool whole_ = true;
  std::string trouble_;
};

// One of ours whose index is gone: frame by frame, over what can't be read.
Result<void> by_frames(RandomSource& archive, ArchiveFormat format, const Progress* progress,
                       Salvager& salvager, SalvageResult& result) {
  const FrameHashes hashes = TRY(FrameHashes::gather(archive, container_of(format), progress));
  FrameFinder frames(archive, format, hashes, progress);
  StreamWithGaps stream(salvager);
  while (!stream.ended() && TRY(frames.next())) {
    if (frames.gap()) TRY(stream.gap("damaged frames were passed over"));
    TRY(stream.feed(frames.raw()));
  }
  if (!stream.ended()) TRY(stream.gap("the data is cut short"));
  const bool ends_right = stream.whole() && stream.ended() && TRY(frames.ends_right());
  result.to_the_end = ends_right;
  result.vouched = frames.vouched() || (ends_right && format == ArchiveFormat::kGzip);
  if (frames.first_gap() != UINT64_MAX)
    result.damage = "the data is damaged or cut short at byte " +
                    std::to_string(frames.first_gap()) + " of the archive";
  else if (!stream.whole())
    result.damage = stream.first_trouble();
  else if (!ends_right)
    result.damage = "the checksum of the whole is wrong";
  return {};
}

// As many as an archive's mark takes.
Result<std::vector<std::byte>> first_bytes(RandomSource& archive) {
  std::vector<std::byte> bytes(std::min<uint64_t>(2 * kTarBlock, archive.size()));
  TRY(archive.read_at(0, bytes));
  return bytes;
}

}  // namespace

Result<SalvageResult> salvage(RandomSource& archive, const std::filesystem::path& target,
                              const UnpackOptions& options, const OnLost& on_lost) {
  if (options.expected_sha256 || !options.only.empty())
    return fail(Code::kInvalidArgument, "a damaged archive is salvaged as a whole");
  const std::string dir = target.string();
  const std::vector<std::byte> start = TRY(first_bytes(archive));
  auto opened = Index::open(archive);
  if (!opened && !is_damage(opened.error())) return std::unexpected(opened.error());
  const std::optional<Index> index = opened ? std::move(*opened) : std::nullopt;
  Budget budget(TRY(Budget::limits(dir, options, index.has_value())), archive.size());
  if (options.progress != nullptr && options.progress->total_bytes == 0 && index)
    options.progress->total_bytes = index->tail().data_size;
  Selection everything = TRY(Selection::find(archive, index, options));
  Warnings warnings;
  Extractor extractor = TRY(Extractor::create(dir, options, everything, budget, warnings));
  SalvageResult result;
  Salvager salvager(extractor, result, on_lost);
  if (index)
    TRY(by_index(archive, index, options, salvager, result));
  else if (const auto format = format_marked_by(start))
    TRY(by_frames(archive, *format, options.progress, salvager, result));
  else
    TRY(in_sequence(archive, start, options.progress, salvager, result));
  if (!result.to_the_end && extractor.entries() == 0)
    return fail(Code::kDataLoss, "nothing can be salvaged: " + result.damage);
  TRY(extractor.finish());
  if (!index && result.damage.empty() && is_marked(start))
    result.damage = opened ? "the archive's index is missing" : opened.error().message;
  result.entries = extractor.entries();
  result.data_size_bytes = extractor.data_size();
  warnings.move_to(result);
  return result;
}

}  // namespace manman::archive
