#pragma once

#include <string>
#include <string_view>

#include "archive/format.h"
#include "base/error.h"
#include "base/stream.h"

namespace manman::archive {

// Deflate for the small blocks of the index, the same in archives of every format.
Result<std::string> deflate_block(std::string_view raw);
// kDataLoss unless it inflates to exactly raw_size bytes.
Result<std::string> inflate_block(ConstBytes packed, size_t raw_size);

// The records of a block, of its data after the head; decode_block() has checked both.
Result<std::string> block_records(const format::BlockHead& head, ConstBytes payload);

}  // namespace manman::archive
