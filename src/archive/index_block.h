#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"

namespace manman::archive {

// Deflate for the small blocks of the index, the same in archives of every format.
Result<std::string> deflate_block(std::string_view raw);
// kDataLoss unless it inflates to exactly raw_size bytes.
Result<std::string> inflate_block(ConstBytes packed, size_t raw_size);

}  // namespace manman::archive
