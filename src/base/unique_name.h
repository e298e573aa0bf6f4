#pragma once

#include <string>

namespace manman {

// A name that no other call gives, in any process on any machine: 32 hexadecimal digits.
std::string unique_name();

}  // namespace manman
