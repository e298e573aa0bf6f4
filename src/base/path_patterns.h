#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace manman {

// Patterns of paths in the syntax of gitignore(5): "*.log", "/cache/", "plugins/**/tmp",
// "!keep.log". The last one that matches counts. Matching takes time by the product of the sizes
// of pattern and path at most. Any number of threads may match at once.
class PathPatterns {
 public:
  // Empty ones and comments ("# …") are passed over. A pattern that can't match anything (a bracket
  // that is not closed, a backslash at its end …) or is longer than 4096 bytes is kInvalidArgument
  // naming it.
  static Result<PathPatterns> compile(const std::vector<std::string>& patterns);

  // Of a path below the folder that the patterns are for. What is in a folder that matches is not
  // asked for: no pattern takes it back in.
  bool match(std::string_view path, bool is_folder) const;
  bool empty() const { return patterns_.empty(); }

 private:
  enum class Kind : uint8_t {
    kByte,
    kSet,
    kInName,    // "*": anything without a slash
    kFolders,   // "**/": nothing, or anything that ends with a slash
    kAnything,  // "**" at the end
  };
  struct Token {
    Kind kind;
    unsigned char byte = 0;
    uint32_t set = 0;  // in the pattern's sets
  };
  struct Pattern {
    bool takes_back = false;
    bool folders_only = false;
    bool whole_path = false;  // else the last name alone
    std::vector<Token> tokens;
    std::vector<std::bitset<256>> sets;

    Result<void> parse(std::string_view text);
    // Of a set in brackets that begins at `at`; gives where it ends.
    Result<size_t> parse_set(std::string_view text, size_t at);
    size_t parse_stars(std::string_view text, size_t at);
    void add_set(const std::bitset<256>& set);
    bool match(std::string_view text) const;
    void reach(std::vector<bool>& states, size_t state) const;
  };

  static Result<Pattern> compile_one(std::string_view text);

  std::vector<Pattern> patterns_;
};

}  // namespace manman
