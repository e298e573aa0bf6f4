#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace manman {

// Status codes, with gRPC's names and numbers
// (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), so that an Error crosses the wire
// without a translation table.
enum class Code : int {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "NOT_FOUND", "DATA_LOSS", …
std::string_view code_name(Code code);

// What went wrong, for a program (code, retryable) and for a person (message, hint). The message
// says what happened and to what; each layer that passes the Error on puts one clause in front
// with in(). The hint, if any, says what to do about it.
struct [[nodiscard]] Error {
  Code code = Code::kUnknown;
  std::string message;
  bool retryable = false;
  std::string hint = {};

  // The same error with a clause of context: in("backup 5") makes "backup 5: …".
  Error in(std::string_view clause) &&;
  Error in(std::string_view clause) const&;
  Error with_hint(std::string text) &&;

  // "message" or "message\nhint: hint".
  std::string text() const;
};

template <typename T>
using Result = std::expected<T, Error>;

// Makes the unexpected value of any Result: return fail(Code::kNotFound, "no backup 5");
inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message), code == Code::kUnavailable});
}

// The error of a failed system call: "open /x/y: Permission denied". `error_number` is errno as
// the call left it. ENOSPC and EDQUOT become kResourceExhausted, ENOENT kNotFound, EACCES and
// EPERM kPermissionDenied; the rest kInternal.
Error errno_error(std::string_view what, int error_number);
inline std::unexpected<Error> fail_errno(std::string_view what, int error_number) {
  return std::unexpected(errno_error(what, error_number));
}

// Puts a clause of context in front of a failed result's message; passes a good one through.
template <typename T>
Result<T> in(std::string_view clause, Result<T> result) {
  if (!result) return std::unexpected(std::move(result).error().in(clause));
  return result;
}

}  // namespace manman

// The value of a Result, or return its error from the enclosing function:
//   auto size = TRY(store.head(key)).size_bytes;
#define TRY(expression) MANMAN_TRY_AS(MANMAN_JOIN(try_result_, __COUNTER__), expression)
#define MANMAN_JOIN(a, b) MANMAN_JOIN_EXPANDED(a, b)
#define MANMAN_JOIN_EXPANDED(a, b) a##b
#define MANMAN_TRY_AS(result, expression)                \
  ({                                                     \
    auto&& result = (expression);                        \
    if (!result) [[unlikely]]                            \
      return std::unexpected(std::move(result).error()); \
    std::move(result).value();                           \
  })
