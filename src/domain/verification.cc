#include "domain/verification.h"

#include <algorithm>
#include <utility>

namespace manman {
namespace {

constexpr std::pair<VerifiedHow, std::string_view> kNames[] = {{VerifiedHow::kNot, ""},
                                                               {VerifiedHow::kHead, "head"},
                                                               {VerifiedHow::kFull, "full"},
                                                               {VerifiedHow::kDrill, "drill"}};

}  // namespace

std::string_view to_text(VerifiedHow how) {
  for (const auto& [value, name] : kNames)
    if (value == how) return name;
  return "";
}

std::optional<VerifiedHow> verified_how_from(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

void Verification::found_good(VerifiedHow look, int64_t begun_at) {
  looked_at = std::max(looked_at, begun_at);
  if (begun_at < verified_at && look <= how) return;
  // A reading that began before the damage was found may have missed it.
  if (failed_at != 0 && (look == VerifiedHow::kHead || look < failed_how || begun_at < failed_at))
    return;
  failed_at = 0;
  failed_how = VerifiedHow::kNot;
  error.clear();
  if (look >= due) due = VerifiedHow::kNot;
  if (look < how) return;
  verified_at = begun_at;
  how = look;
}

void Verification::found_damaged(VerifiedHow look, int64_t begun_at, int64_t now_s,
                                 std::string what) {
  looked_at = std::max(looked_at, begun_at);
  failed_how = std::max(look, failed_how);
  failed_at = now_s;
  error = std::move(what);
}

}  // namespace manman
