#include "replica/suspicion.h"

#include <gtest/gtest.h>

#include <string>

#include "replica/options.h"

namespace tabmesh {
namespace {

using Step = Suspicion::Step;

constexpr uint64_t kNow = 1'700'000'000'000;
const std::string kNameless(InstanceId::kBytes, '\0');

InstanceId Id(uint8_t number) {
  InstanceId id;
  id.bytes[15] = number;
  return id;
}

class SuspicionTest : public testing::Test {
 protected:
  // Runs the timers until it has been knocked; how often was asked before that, and when.
  uint64_t Knocked(uint64_t now_ms, uint64_t until_ms) {
    asked_ = 0;
    for (; now_ms < until_ms; now_ms = suspicion_.NextWake()) {
      const Step step = suspicion_.Check(now_ms);
      if (step == Step::kKnock) return now_ms;
      asked_ += step == Step::kAsk;
      if (suspicion_.NextWake() <= now_ms) return 0;
    }
    return 0;
  }
  Suspicion suspicion_{Id(1)};
  int asked_ = 0;
};

TEST_F(SuspicionTest, NobodyHoldsItNobodyIsSuspected) {
  EXPECT_FALSE(suspicion_.HeldBy({}, kNow));
  EXPECT_EQ(suspicion_.NextWake(), 0u);
  EXPECT_EQ(suspicion_.Check(kNow + 1'000'000), Step::kNone);
}

TEST_F(SuspicionTest, WhoIsSilentIsAskedAndThenKnockedAt) {
  EXPECT_FALSE(suspicion_.HeldBy(Id(2).view(), kNow));
  const uint64_t at_ms = Knocked(suspicion_.NextWake(), kNow + 3'600'000);
  EXPECT_EQ(asked_, 3);
  EXPECT_GE(at_ms, kNow + kHolderSilentMs + 3 * kHolderAnswerMs);
  EXPECT_LE(at_ms, kNow + kHolderSilentMs + kHolderSpreadMs + 3 * kHolderAnswerMs);
  EXPECT_EQ(suspicion_.holder(), Id(2));
}

TEST_F(SuspicionTest, WhoAnswersIsNotKnockedAt) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  for (uint64_t now = kNow; now < kNow + 3'600'000; now = suspicion_.NextWake()) {
    const Step step = suspicion_.Check(now);
    ASSERT_NE(step, Step::kKnock);
    if (step == Step::kAsk) suspicion_.Heard(Id(2), now + 1);
    (void)suspicion_.HeldBy(Id(2).view(), now + 2);
  }
}

TEST_F(SuspicionTest, OthersDoNotAnswerForTheHolder) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  const uint64_t due = suspicion_.NextWake();
  suspicion_.Heard(Id(3), due - 1);
  EXPECT_EQ(suspicion_.Check(due), Step::kAsk);
}

TEST_F(SuspicionTest, AnotherHolderBeginsAnew) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  const uint64_t due = suspicion_.NextWake();
  EXPECT_EQ(suspicion_.Check(due), Step::kAsk);
  (void)suspicion_.HeldBy(Id(3).view(), due);
  EXPECT_EQ(suspicion_.Check(due + kHolderSilentMs - 1), Step::kNone);
  EXPECT_NE(Knocked(suspicion_.NextWake(), due + 60'000), 0u);
  EXPECT_EQ(asked_, 3);
}

// Its timers come late, or all at once: every step still waits for an answer.
TEST_F(SuspicionTest, APageThatHasSleptAsksFirst) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  const uint64_t late = kNow + 8 * 3'600'000ULL;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(suspicion_.Check(late), i == 0 ? Step::kAsk : Step::kNone);
  EXPECT_EQ(suspicion_.NextWake(), late + kHolderAnswerMs);
}

TEST_F(SuspicionTest, AClockThatIsSetBackDelaysNothingForLong) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  const uint64_t back = kNow - 1'000'000'000;
  EXPECT_EQ(suspicion_.Check(back), Step::kNone);
  EXPECT_LE(suspicion_.NextWake(), back + kHolderSilentMs + kHolderSpreadMs);
}

TEST_F(SuspicionTest, KnocksThreeTimesAnHourAtMost) {
  (void)suspicion_.HeldBy(Id(2).view(), kNow);
  uint64_t now = kNow;
  const uint64_t until = kNow + 3 * 3'600'000ULL;
  int knocks = 0;
  while ((now = Knocked(suspicion_.NextWake(), until)) != 0) {
    ++knocks;
    EXPECT_FALSE(suspicion_.HeldBy(Id(2).view(), now + 2));  // is shown again
  }
  EXPECT_EQ(knocks, 9);
}

TEST_F(SuspicionTest, WhoHasHeardOfTheHolderMayKnockAgain) {
  uint64_t now = kNow;
  for (int i = 0; i < 10; ++i) {
    (void)suspicion_.HeldBy(Id(2).view(), now);
    now = Knocked(suspicion_.NextWake(), now + 60'000);
    ASSERT_NE(now, 0u) << "round " << i;
    suspicion_.Heard(Id(2), now + 1);
  }
}

TEST_F(SuspicionTest, KnocksThatWereRightDoNotCount) {
  uint64_t now = kNow;
  for (int i = 0; i < 10; ++i) {
    (void)suspicion_.HeldBy(Id(2).view(), now);
    now = Knocked(suspicion_.NextWake(), now + 60'000);
    ASSERT_NE(now, 0u) << "round " << i;
    EXPECT_FALSE(suspicion_.HeldBy(kNameless, now + 10));
    EXPECT_TRUE(suspicion_.HeldBy(kNameless, now + 1510));
    now += 2000;
  }
}

TEST_F(SuspicionTest, AHolderWhoIsNotShownTwiceIsRobbed) {
  EXPECT_FALSE(suspicion_.HeldBy(kNameless, kNow));
  EXPECT_TRUE(suspicion_.HeldBy(kNameless, kNow + 1500));
  EXPECT_FALSE(suspicion_.HeldBy(kNameless, kNow + 3000));
  EXPECT_FALSE(suspicion_.HeldBy(Id(2).view(), kNow + 4500));
  EXPECT_FALSE(suspicion_.HeldBy(kNameless, kNow + 6000));
}

}  // namespace
}  // namespace tabmesh
