#pragma once

#include <cstdio>
#include <cstdlib>

// Ends the process, which the fuzzer takes as a finding, when something that must hold does not.
#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      std::fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                   \
    }                                                                                 \
  } while (false)
