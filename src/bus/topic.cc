#include <vector>

#include "bus/bus.h"

namespace manman {
namespace {

// The words between dots; an empty text has none.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  if (text.empty()) return result;
  for (size_t begin = 0;;) {
    const size_t dot = text.find('.', begin);
    result.push_back(text.substr(begin, dot - begin));
    if (dot == std::string_view::npos) return result;
    begin = dot + 1;
  }
}

}  // namespace

bool topic_matches(std::string_view pattern, std::string_view routing_key) {
  const auto key = words(routing_key);
  // matched[n]: the words of the pattern so far match the first n words of the key. Going through
  // both once keeps a pattern of many `#` from costing more than their product.
  std::vector<bool> matched(key.size() + 1, false);
  matched[0] = true;
  for (const std::string_view word : words(pattern)) {
    if (word == "#") {
      for (size_t n = 1; n <= key.size(); n++) matched[n] = matched[n] || matched[n - 1];
      continue;
    }
    for (size_t n = key.size(); n > 0; n--)
      matched[n] = matched[n - 1] && (word == "*" || word == key[n - 1]);
    matched[0] = false;
  }
  return matched[key.size()];
}

}  // namespace manman
