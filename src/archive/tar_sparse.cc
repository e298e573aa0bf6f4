#include <algorithm>

#include "archive/bytes.h"
#include "archive/tar_parser.h"

// The parser's part for GNU's sparse files.
namespace manman::archive {

Result<void> TarParser::begin_sparse(RawHeader& header) {
  member_.sparse = true;
  const bool old = header.type == 'S';
  const auto real_size = old ? std::optional(header.real_size) : own_.real_size;
  if (!real_size || *real_size > kMaxTarSize || own_.half_extent)
    return fail_here(Code::kDataLoss, member_.entry.path + ": a sparse file without a size or map");
  member_.entry.size_bytes = *real_size;
  extents_ = old ? std::move(header.extents) : std::move(own_.extents);
  if (old && header.more_extents) {
    state_ = State::kSparseBlock;
    return {};
  }
  if (old || !own_.map_in_data) return begin_data();
  map_text_.clear();
  map_lines_ = 0;
  extents_.clear();
  state_ = State::kSparseMap;
  return {};
}

// The map in front of the contents: lines with the number of extents, then an offset and a length
// each, in whole blocks.
Result<void> TarParser::take_sparse_map(ConstBytes block) {
  const auto wrong = [&] {
    return fail_here(Code::kDataLoss, member_.entry.path + ": its sparse map is damaged");
  };
  if (stored_left_ < kTarBlock) return wrong();
  stored_left_ -= kTarBlock;
  map_text_ += as_text(block);
  // 20 digits a number at most.
  if (map_text_.size() > (2 * kMaxExtents + 2) * 20) return wrong();
  const size_t complete = map_text_.rfind('\n');
  if (complete == std::string::npos) return map_text_.size() > kTarBlock ? wrong() : Result<void>();
  const size_t first_end = map_text_.find('\n');
  const auto count = parse_decimal(std::string_view(map_text_).substr(0, first_end));
  if (!count || *count > kMaxExtents) return wrong();
  // Only once all lines are there is the map parsed, so that its cost grows with its size only.
  const auto lines = static_cast<uint64_t>(std::ranges::count(as_text(block), '\n'));
  map_lines_ += lines;
  if (map_lines_ < 2 * *count + 1) return {};
  std::string_view text = std::string_view(map_text_).substr(first_end + 1);
  const auto next = [&]() -> std::optional<uint64_t> {
    const size_t end = text.find('\n');
    const auto number = parse_decimal(text.substr(0, end));
    text.remove_prefix(end + 1);
    return number;
  };
  for (uint64_t i = 0; i < *count; i++) {
    const auto offset = next();
    const auto length = next();
    if (!offset || !length) return wrong();
    extents_.push_back({*offset, *length});
  }
  map_text_.clear();
  map_text_.shrink_to_fit();
  return begin_data();
}

}  // namespace manman::archive
