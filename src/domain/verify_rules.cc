#include "domain/verify_rules.h"

namespace manman {

std::string_view rule_text(VerifiedHow after_upload) {
  return after_upload == VerifiedHow::kNot ? "none" : to_text(after_upload);
}

std::optional<VerifiedHow> verify_rule_from(std::string_view text) {
  if (text == "none") return VerifiedHow::kNot;
  if (text == "head") return VerifiedHow::kHead;
  if (text == "full") return VerifiedHow::kFull;
  return std::nullopt;
}

}  // namespace manman
