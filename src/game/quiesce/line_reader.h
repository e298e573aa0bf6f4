#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace manman {

// Cuts a stream of output into lines, without their "\n" or "\r\n". Of a line longer than
// kMaxLineBytes only the beginning is given, at once; its rest is dropped.
class LineReader {
 public:
  static constexpr size_t kMaxLineBytes = 4U << 20;  // the list of a large world in one line

  // Calls line for each line that these bytes complete, until it returns true; the bytes after that
  // line are dropped. True when line did.
  bool feed(std::string_view bytes, const std::function<bool(std::string_view)>& line);

  // Forgets a line begun.
  void reset();

 private:
  std::string begun_;
  bool dropping_ = false;  // the rest of a line that was too long
};

}  // namespace manman
