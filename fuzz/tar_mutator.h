#pragma once

#include <string>

#include "fuzz/random.h"

namespace manman::archive::fuzz {

// Another tar stream: fields, names, numbers, kinds, extended headers and contents changed, entries
// moved, doubled or left out, and then mostly all checksums made right, so that the parser gets
// beyond them. Anything is taken as a stream; at most max_size bytes come back.
std::string mutate_tar(std::string stream, Random& random, size_t max_size);

}  // namespace manman::archive::fuzz
