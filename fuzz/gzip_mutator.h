#pragma once

#include <string>

#include "fuzz/random.h"

namespace manman::archive::fuzz {

// The bytes of a gzip stream's members up to the first damage, at most max_size of them.
std::string gunzip(const std::string& bytes, size_t max_size);

// bytes as a gzip stream of one or several members, with header fields and zeros behind by chance.
std::string gzip(const std::string& bytes, Random& random);

// Another .tar.gz: its tar stream changed and packed anew, or its own bytes changed and then mostly
// the members' CRC-32 and size made right.
std::string mutate_gzip(const std::string& bytes, Random& random, size_t max_size);

}  // namespace manman::archive::fuzz
