#pragma once

#include <string>

#include "base/error.h"

// Between start() and the wrapper that it spawns.
namespace manman::process {

// File descriptors that the wrapper is given.
inline constexpr int kAnswerFd = 3;  // the writing end of a pipe: the answer, then closed
inline constexpr int kLockFd = 4;    // the session's lock, held

// The answer: "ok", or the error that kept the game from being started.
std::string encode_answer(const Result<void>& started);
// "" (the wrapper ended without a word) and anything else are kInternal.
Result<void> decode_answer(const std::string& text);

}  // namespace manman::process
