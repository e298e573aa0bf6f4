#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace manman {

// How a backup was verified, the more the further down.
enum class VerifiedHow {
  kNot,
  kHead,   // its object is there, in its size
  kFull,   // all of its archive was read and checked
  kDrill,  // it was unpacked and examined, by a restore drill
};

// As stored and on the wire: "", "head", "full", "drill".
std::string_view to_text(VerifiedHow how);
std::optional<VerifiedHow> verified_how_from(std::string_view text);

// What is known of a backup's archive since it was stored. Times are Unix seconds, 0 is never.
struct Verification {
  int64_t verified_at = 0;  // the beginning of the last good look that counts
  VerifiedHow how = VerifiedHow::kNot;
  int64_t failed_at = 0;  // when damage was found, unless a later look of its kind was good
  VerifiedHow failed_how = VerifiedHow::kNot;  // the strongest look that found some
  std::string error;                           // what
  int64_t looked_at = 0;                       // the beginning of the last look, whatever it found
  int64_t lease_until_ms = 0;                  // the verifier that has claimed it
  // The look that is asked for before the backup is counted on; kNot: none, or it was good.
  VerifiedHow due = VerifiedHow::kNot;

  // Whether a backup that is stored can be counted on to restore, as far as is known.
  bool counts() const { return failed_at == 0 && due == VerifiedHow::kNot; }

  // A look that began at `begun_at` found it good. One that says no more than is known of a later
  // time already, or less than is known, changes no more than looked_at. Damage is taken back by a
  // look that says as much as the one that found it, and reads all: what a drill finds wrong within
  // a perfect archive no reading of the archive sees.
  void found_good(VerifiedHow look, int64_t begun_at);
  void found_damaged(VerifiedHow look, int64_t begun_at, int64_t now_s, std::string what);

  bool operator==(const Verification&) const = default;
};

}  // namespace manman
