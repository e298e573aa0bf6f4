#pragma once

#include <string>

#include "fuzz/random.h"

namespace manman::archive::fuzz {

// Another archive: of one with an index, a part is changed (a number of the tail, a record, a
// block, a frame, the tar stream itself) and all hashes over it are made right again, so that the
// lie gets as far as it can. Others go to mutate_gzip() or mutate_tar().
std::string mutate_archive(const std::string& bytes, Random& random, size_t max_size);

}  // namespace manman::archive::fuzz
