#include "domain/verification.h"

#include <gtest/gtest.h>

namespace manman {
namespace {

TEST(Verification, TheLastGoodReadingCounts) {
  Verification known;
  known.found_good(VerifiedHow::kHead, 10);
  EXPECT_EQ(known, (Verification{.verified_at = 10, .how = VerifiedHow::kHead, .looked_at = 10}));
  known.found_good(VerifiedHow::kFull, 20);
  EXPECT_EQ(known.how, VerifiedHow::kFull);
  known.found_good(VerifiedHow::kHead, 30);  // less than is known
  EXPECT_EQ(known, (Verification{.verified_at = 20, .how = VerifiedHow::kFull, .looked_at = 30}));
  known.found_good(VerifiedHow::kFull, 15);  // late
  EXPECT_EQ(known.verified_at, 20);
  EXPECT_EQ(known.looked_at, 30);
}

TEST(Verification, DamageStandsUntilAllIsReadAnew) {
  Verification known;
  known.found_good(VerifiedHow::kFull, 10);
  known.found_damaged(VerifiedHow::kFull, 20, 25, "cut short");
  EXPECT_EQ(known.failed_at, 25);
  EXPECT_EQ(known.error, "cut short");
  EXPECT_EQ(known.verified_at, 10);
  known.found_good(VerifiedHow::kFull, 22);  // it may have read past the place before
  known.found_good(VerifiedHow::kHead, 40);
  EXPECT_EQ(known.failed_at, 25);
  EXPECT_EQ(known.verified_at, 10);
  known.found_good(VerifiedHow::kFull, 50);
  EXPECT_EQ(known, (Verification{.verified_at = 50, .how = VerifiedHow::kFull, .looked_at = 50}));
}

TEST(Verification, WhatADrillFindsNoReadingTakesBack) {
  Verification known;
  known.found_good(VerifiedHow::kDrill, 10);
  known.found_good(VerifiedHow::kFull, 20);
  EXPECT_EQ(known.how, VerifiedHow::kDrill);
  EXPECT_EQ(known.verified_at, 10);
  known.found_damaged(VerifiedHow::kFull, 30, 35, "a bit");
  known.found_good(VerifiedHow::kFull, 40);  // the same archive, so the drill's word stands again
  EXPECT_EQ(known, (Verification{.verified_at = 10, .how = VerifiedHow::kDrill, .looked_at = 40}));
  known.found_damaged(VerifiedHow::kDrill, 50, 55, "map.sqlite");
  known.found_damaged(VerifiedHow::kHead, 60, 65, "gone");
  known.found_good(VerifiedHow::kFull, 70);
  EXPECT_EQ(known.failed_at, 65);
  known.found_good(VerifiedHow::kDrill, 80);
  EXPECT_EQ(known, (Verification{.verified_at = 80, .how = VerifiedHow::kDrill, .looked_at = 80}));
}

TEST(Verification, CountsOnceTheLookThatIsDueWasGood) {
  Verification known{.due = VerifiedHow::kFull};
  known.found_good(VerifiedHow::kHead, 20);
  EXPECT_FALSE(known.counts());
  known.found_good(VerifiedHow::kFull, 10);  // it took longer than the other
  EXPECT_TRUE(known.counts());
  EXPECT_EQ(known, (Verification{.verified_at = 10, .how = VerifiedHow::kFull, .looked_at = 20}));
  known.found_damaged(VerifiedHow::kHead, 30, 31, "gone");
  EXPECT_FALSE(known.counts());
}

TEST(Verification, WhatIsDueStaysDueWhenItIsDamaged) {
  Verification known{.due = VerifiedHow::kFull};
  known.found_damaged(VerifiedHow::kFull, 10, 11, "a bit");
  EXPECT_EQ(known.due, VerifiedHow::kFull);
  known.found_good(VerifiedHow::kDrill, 20);  // more than is asked for
  EXPECT_TRUE(known.counts());
}

TEST(Verification, NamesComeBack) {
  for (const auto how :
       {VerifiedHow::kNot, VerifiedHow::kHead, VerifiedHow::kFull, VerifiedHow::kDrill})
    EXPECT_EQ(verified_how_from(to_text(how)), how);
  EXPECT_FALSE(verified_how_from("drilled"));
}

}  // namespace
}  // namespace manman
