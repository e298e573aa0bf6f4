#include "bus/run_handler.h"

#include <exception>

namespace manman {

Handled run_handler(const Handler& handler, const Message& message) {
  try {
    return handler(message);
  } catch (const std::exception& error) {
    return {Verdict::kRetry, std::string("the handler threw: ") + error.what()};
  } catch (...) {
    return {Verdict::kRetry, "the handler threw something that is no std::exception"};
  }
}

}  // namespace manman
