#include "base/path_patterns.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace manman {
namespace {

constexpr size_t kMaxPatternSize = 4096;

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::kInvalidArgument, std::string(why));
}

// The bytes of a class such as "alpha", as in the C locale.
std::optional<std::bitset<256>> class_named(std::string_view name) {
  using Test = int (*)(int);
  static constexpr auto kClasses =
      std::to_array<std::pair<std::string_view, Test>>({{"alnum", std::isalnum},
                                                        {"alpha", std::isalpha},
                                                        {"blank", std::isblank},
                                                        {"cntrl", std::iscntrl},
                                                        {"digit", std::isdigit},
                                                        {"graph", std::isgraph},
                                                        {"lower", std::islower},
                                                        {"print", std::isprint},
                                                        {"punct", std::ispunct},
                                                        {"space", std::isspace},
                                                        {"upper", std::isupper},
                                                        {"xdigit", std::isxdigit}});
  const auto known = std::ranges::find(kClasses, name, &std::pair<std::string_view, Test>::first);
  if (known == kClasses.end()) return std::nullopt;
  std::bitset<256> set;
  for (int c = 0; c < 128; c++) set[static_cast<size_t>(c)] = known->second(c) != 0;
  return set;
}

// Spaces at the end mean nothing unless a backslash stands before them.
std::string_view without_spaces_at_end(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size(); at++) {
    const bool escaped = text[at] == '\\' && at + 1 < text.size();
    if (escaped) at++;
    if (escaped || text[at] != ' ') end = at + 1;
  }
  return text.substr(0, end);
}

}  // namespace

Result<PathPatterns> PathPatterns::compile(const std::vector<std::string>& patterns) {
  PathPatterns compiled;
  for (const std::string& text : patterns) {
    if (text.starts_with('#') || without_spaces_at_end(text).empty()) continue;
    compiled.patterns_.push_back(
        TRY(in("pattern \"" + text.substr(0, 200) + "\"", compile_one(text))));
  }
  return compiled;
}

Result<PathPatterns::Pattern> PathPatterns::compile_one(std::string_view text) {
  if (text.size() > kMaxPatternSize) return bad("longer than 4096 bytes");
  if (text.find('\0') != std::string_view::npos) return bad("has a NUL in it");
  Pattern pattern;
  text = without_spaces_at_end(text);
  if (text.starts_with('!')) {
    pattern.takes_back = true;
    text.remove_prefix(1);
  }
  if (text.ends_with('/')) {
    pattern.folders_only = true;
    text.remove_suffix(1);
  }
  pattern.whole_path = text.find('/') != std::string_view::npos;
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.empty()) return bad("names nothing");
  TRY(pattern.parse(text));
  return pattern;
}

Result<void> PathPatterns::Pattern::parse(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    switch (text[at]) {
      case '*':
        at = parse_stars(text, at);
        break;
      case '?':
        add_set(~std::bitset<256>());
        at++;
        break;
      case '[':
        at = TRY(parse_set(text, at));
        break;
      case '\\':
        if (++at == text.size()) return bad("ends with a backslash");
        [[fallthrough]];
      default:
        tokens.push_back({.kind = Kind::kByte, .byte = static_cast<unsigned char>(text[at++])});
    }
  }
  return {};
}

// Two or more are special only as a whole part of a path.
size_t PathPatterns::Pattern::parse_stars(std::string_view text, size_t at) {
  const size_t end = std::min(text.find_first_not_of('*', at), text.size());
  const bool alone =
      whole_path && end - at > 1 && (at == 0 || text[at - 1] == '/') &&
      (end == text.size() || text[end] == '/' || text.substr(end).starts_with("\\/"));
  if (!alone) {
    tokens.push_back({.kind = Kind::kInName});
    return end;
  }
  if (end < text.size() && text[end] == '/') {
    tokens.push_back({.kind = Kind::kFolders});
    return end + 1;
  }
  tokens.push_back({.kind = Kind::kAnything});
  return end;
}

// No set has the slash.
void PathPatterns::Pattern::add_set(const std::bitset<256>& set) {
  tokens.push_back({.kind = Kind::kSet, .set = static_cast<uint32_t>(sets.size())});
  sets.push_back(set);
  sets.back().reset('/');
}

Result<size_t> PathPatterns::Pattern::parse_set(std::string_view text, size_t at) {
  constexpr std::string_view kOpen = "has a bracket that is not closed";
  std::bitset<256> set;
  const auto byte = [&] { return static_cast<unsigned char>(text[at]); };
  at++;
  const bool negated = at < text.size() && (text[at] == '!' || text[at] == '^');
  if (negated) at++;
  int before = -1;  // what a range may begin with
  for (bool first = true;; first = false) {
    if (at >= text.size()) return bad(kOpen);
    if (text[at] == ']' && !first) break;
    if (text[at] == '-' && before >= 0 && at + 1 < text.size() && text[at + 1] != ']') {
      at++;
      if (text[at] == '\\' && ++at == text.size()) return bad(kOpen);
      for (int c = before; c <= byte(); c++) set.set(static_cast<size_t>(c));
      before = -1;
    } else if (text.substr(at).starts_with("[:")) {
      const size_t end = text.find(']', at + 2);
      if (end == std::string_view::npos) return bad(kOpen);
      if (end == at + 2 || text[end - 1] != ':') {
        set.set('[');
        before = '[';
      } else {
        const auto named = class_named(text.substr(at + 2, end - at - 3));
        if (!named) return bad("has a class of bytes that is not known");
        set |= *named;
        before = -1;
        at = end;
      }
    } else {
      if (text[at] == '\\' && ++at == text.size()) return bad(kOpen);
      set.set(byte());
      before = byte();
    }
    at++;
  }
  add_set(negated ? ~set : set);
  return at + 1;
}

bool PathPatterns::match(std::string_view path, bool is_folder) const {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (size_t i = patterns_.size(); i-- > 0;) {
    const Pattern& pattern = patterns_[i];
    if (pattern.folders_only && !is_folder) continue;
    if (pattern.match(pattern.whole_path ? path : name)) return !pattern.takes_back;
  }
  return false;
}

// Adds the state before a token, and those that need no byte to be reached from it.
void PathPatterns::Pattern::reach(std::vector<bool>& states, size_t state) const {
  for (;; state++) {
    states[state] = true;
    if (state == tokens.size() || tokens[state].kind == Kind::kByte ||
        tokens[state].kind == Kind::kSet)
      return;
  }
}

// All ways to match are followed side by side, one byte at a time: states[i] says that the text so
// far matches the tokens before i.
bool PathPatterns::Pattern::match(std::string_view text) const {
  std::vector<bool> states(tokens.size() + 1);
  std::vector<bool> next(tokens.size() + 1);
  reach(states, 0);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::fill(next.begin(), next.end(), false);
    bool alive = false;
    for (size_t i = 0; i < tokens.size(); i++) {
      if (!states[i]) continue;
      const Token& token = tokens[i];
      const bool goes_on = (token.kind == Kind::kByte && token.byte == byte) ||
                           (token.kind == Kind::kSet && sets[token.set][byte]) ||
                           (token.kind == Kind::kFolders && byte == '/');
      if (goes_on) reach(next, i + 1);
      if (token.kind == Kind::kFolders) next[i] = true;
      const bool stays =
          token.kind == Kind::kAnything || (token.kind == Kind::kInName && byte != '/');
      if (stays) reach(next, i);
      alive = alive || goes_on || stays || token.kind == Kind::kFolders;
    }
    if (!alive) return false;
    std::swap(states, next);
  }
  return states[tokens.size()];
}

}  // namespace manman
