#include "replica/election.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/replicas.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace tabmesh {
namespace {

LockAction TakeLock(Replica* replica) {
  const LockAction lock = replica->actions()->lock;
  replica->actions()->lock = LockAction::kNone;
  return lock;
}

TEST(Election, GrantedLockIsNotLeadershipBeforeTheTermIsStored) {
  auto a = Make(1);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRequest);
  a->LockGranted(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kClaim);
  EXPECT_FALSE(a->election().leads());
  a->TermClaimed(7, kNow);
  EXPECT_TRUE(a->election().leads());
  EXPECT_EQ(a->election().term(), 7u);
}

TEST(Election, LargerTermDeposesAndQueuesAgain) {
  auto a = Make(1);
  auto b = Make(2);
  a->LockGranted(kNow);
  a->TermClaimed(1, kNow);
  b->LockGranted(kNow);
  b->TermClaimed(2, kNow);
  TakeLock(a.get());
  Exchange({a.get(), b.get()});
  EXPECT_FALSE(a->election().leads());
  EXPECT_TRUE(b->election().leads());
  EXPECT_EQ(a->election().leader(), b->options().instance);
}

TEST(Election, NobodyElseLeadsTheOwnTerm) {
  auto a = MakeReady(1);
  a->LockGranted(kNow);
  a->TermClaimed(5, kNow);
  Presence presence;
  presence.from.bytes[0] = 9;
  presence.leads = true;
  presence.term = 5;
  Buffer frame;
  FrameWriter(NamespaceOf("test")).Begin(FrameKind::kPresence, &frame);
  EncodePresence(presence, &frame);
  FrameWriter::End(0, &frame);
  a->Receive(frame.view(), kNow);
  EXPECT_TRUE(a->election().leads());
  EXPECT_EQ(a->election().leader(), a->options().instance);
}

TEST(Election, SmallerTermIsIgnored) {
  auto a = Make(1);
  auto b = Make(2);
  a->LockGranted(kNow);
  a->TermClaimed(5, kNow);
  b->LockGranted(kNow);
  b->TermClaimed(4, kNow);
  Exchange({a.get(), b.get()});
  EXPECT_TRUE(a->election().leads());
  EXPECT_FALSE(b->election().leads());
}

TEST(Election, ClaimBelowAKnownTermIsRepeatedAboveIt) {
  auto a = Make(1);
  auto b = Make(2);
  a->LockGranted(kNow);
  a->TermClaimed(5, kNow);
  b->LockGranted(kNow);
  Exchange({a.get(), b.get()});
  b->TermClaimed(3, kNow);
  EXPECT_EQ(TakeLock(b.get()), LockAction::kClaim);
  EXPECT_EQ(b->actions()->claim_term, 6u);
  EXPECT_FALSE(b->election().leads());
}

TEST(Election, SuspendGivesTheLockBackAndResumeQueuesAgain) {
  auto a = Make(1);
  a->LockGranted(kNow);
  a->TermClaimed(1, kNow);
  TakeLock(a.get());
  a->Suspend(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRelease);
  EXPECT_FALSE(a->election().leads());
  a->Suspend(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kNone);
  a->LockGranted(kNow);  // the browser was faster
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRelease);
  a->Resume(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRequest);
}

TEST(Election, StolenLockMeansFollowing) {
  auto a = Make(1);
  a->LockGranted(kNow);
  a->TermClaimed(1, kNow);
  TakeLock(a.get());
  a->LockLost(kNow);
  EXPECT_FALSE(a->election().leads());
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRequest);
}

TEST(Election, HolderWhoAnswersIsAskedAndLeftAlone) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  TakeLock(b.get());
  for (uint64_t now = kNow; now < kNow + 600'000; now += 500) {
    b->Tick(now);
    b->LockHeldBy(a->options().instance.view(), now);
    Exchange({a.get(), b.get()});
    EXPECT_EQ(Events(b.get()).find("knock"), std::string::npos);
  }
  EXPECT_EQ(TakeLock(b.get()), LockAction::kNone);
}

TEST(Election, SilentHolderIsKnockedAtAndRobbedWhenItIsNotShownAgain) {
  auto b = MakeReady(2);
  TakeLock(b.get());
  const std::string silent(InstanceId::kBytes, '\1');
  std::string events;
  uint64_t now = kNow;
  for (; now < kNow + 60'000 && events.find("knock") == std::string::npos; now += 500) {
    b->LockHeldBy(silent, now);
    b->Tick(now);
    events = Events(b.get());
  }
  EXPECT_NE(events.find("\"01010101010101010101010101010101\""), std::string::npos);
  EXPECT_LT(now, kNow + 25'000);
  const std::string nameless(InstanceId::kBytes, '\0');
  b->LockHeldBy(nameless, now);
  EXPECT_EQ(TakeLock(b.get()), LockAction::kNone);
  b->LockHeldBy(nameless, now + 1500);
  EXPECT_EQ(TakeLock(b.get()), LockAction::kSteal);
  b->LockGranted(now + 1510);
  EXPECT_EQ(TakeLock(b.get()), LockAction::kClaim);
}

TEST(Election, ATermThatIsStoredForWhoWasRobbedDeposesWhoLeadsAnEarlierOne) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  b->LockGranted(kNow);
  b->TermClaimed(2, kNow);
  Exchange({a.get(), b.get()});
  a->LockGranted(kNow);  // it has slept, and its lock was stolen by b
  a->LockLost(kNow);
  a->TermClaimed(3, kNow);
  EXPECT_FALSE(a->election().leads());
  Exchange({a.get(), b.get()});
  EXPECT_FALSE(b->election().leads());
}

TEST(Election, OnlyWhoWaitsForTheLockSuspectsItsHolder) {
  auto replica = Make(1, "{}", /*may_lead=*/false);
  const std::string nameless(InstanceId::kBytes, '\0');
  for (int i = 0; i < 3; ++i) replica->LockHeldBy(nameless, kNow);
  EXPECT_EQ(TakeLock(replica.get()), LockAction::kNone);
}

TEST(Election, WhoIsToldToTakesTheLead) {
  auto a = MakeReady(1);
  TakeLock(a.get());
  a->TakeLead(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kSteal);
  a->LockGranted(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kClaim);
}

TEST(Election, WhoHasBeenDroppedAnnouncesItselfUnlessItSleeps) {
  auto a = MakeReady(1);
  auto b = MakeReady(2);
  a->Announce(kNow);
  EXPECT_EQ(a->actions()->frames.size(), 1u);
  Deliver(a.get(), b.get());
  EXPECT_NE(Events(b.get()).find("tabs"), std::string::npos);
  a->Suspend(kNow);
  a->actions()->Clear();
  a->Announce(kNow);
  EXPECT_TRUE(a->actions()->frames.empty());
}

TEST(Election, FailedClaimGivesTheLockToOthers) {
  auto a = Make(1);
  a->LockGranted(kNow);
  TakeLock(a.get());
  a->ClaimFailed(kNow);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRelease);
  a->LockLost(kNow);  // what the caller says when it is time to try again
  EXPECT_EQ(TakeLock(a.get()), LockAction::kRequest);
}

TEST(Election, ReplicaThatMayNotLeadNeverQueues) {
  auto a = Make(1, "{}", /*may_lead=*/false);
  EXPECT_EQ(TakeLock(a.get()), LockAction::kNone);
}

}  // namespace
}  // namespace tabmesh
