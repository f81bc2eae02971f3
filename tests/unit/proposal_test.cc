// Writes whose records their own transactions store.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/limits.h"
#include "replica/replica.h"
#include "tests/sim/memory.h"
#include "tests/unit/replicas.h"

namespace tabmesh {
namespace {

TEST(Proposal, IsMergedAndSentWhenAcceptedAndNeverSeenWhenWithdrawn) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  Buffer record;
  ASSERT_EQ(a->Propose(R"([[["x"],1]])", kNow, &record), Status::kOk);
  EXPECT_EQ(State(*a), "{}");
  EXPECT_TRUE(a->actions()->frames.empty());
  uint32_t seq = 0;
  EXPECT_EQ(a->LocalSet(R"([[["y"],1]])", kNow, &seq), Status::kNotReady);
  Buffer second;
  EXPECT_EQ(a->Propose(R"([[["y"],1]])", kNow, &second), Status::kNotReady);
  Buffer nothing;
  a->Withdraw(kNow, &nothing);
  EXPECT_EQ(nothing.size(), 0u) << "the number is taken by the next write";
  EXPECT_EQ(State(*a), "{}");
  record.Clear();
  ASSERT_EQ(a->Propose(R"([[["x"],2]])", kNow, &record), Status::kOk);
  a->Accept(kNow);
  EXPECT_EQ(a->actions()->changes.view(), R"([[["x"],2]])");
  ASSERT_EQ(a->actions()->frames.size(), 1u);
  EXPECT_EQ(a->actions()->frames[0].view(), record.view());
  EXPECT_TRUE(a->actions()->records.empty());
  b->Receive(record.view(), kNow);
  EXPECT_EQ(State(*b), R"({"x":2})");
  record.Clear();
  ASSERT_EQ(a->Propose(R"([[["x"],2]])", kNow, &record), Status::kOk);
  EXPECT_EQ(record.size(), 0u);
  Set(a.get(), R"([[["y"],1]])");
  EXPECT_EQ(a->seq(), 2u);
}

// The page goes away while the database stores it; other writes go on.
TEST(Proposal, PassedOverIsMergedWhenItWasStoredAfterAll) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  Set(a.get(), R"([[["x"],1]])");
  Buffer record;
  ASSERT_EQ(a->Propose(R"([[["x"],2]])", kNow, &record), Status::kOk);
  a->PassOver();
  const std::string other = Set(a.get(), R"([[["y"],1]])");
  const std::string one_more = Set(a.get(), R"([[["z"],1]])");
  EXPECT_EQ(a->seq(), 4u);
  EXPECT_FALSE(a->HasOwn(2));
  Buffer none;
  EXPECT_EQ(a->Propose(R"([[["y"],2]])", kNow, &none), Status::kNotReady);
  a->Accept(kNow);
  EXPECT_TRUE(a->HasOwn(2));
  EXPECT_EQ(State(*a), R"({"x":2,"y":1,"z":1})");
  EXPECT_TRUE(a->vector().holes().empty());
  for (const std::string_view stored : {std::string_view(other), record.view(), std::string_view(one_more)})
    ASSERT_EQ(b->Restore(stored, kNow), Status::kOk);
  EXPECT_EQ(b->vector().holes().size(), 1u) << "the first write";
  EXPECT_EQ(Set(a.get(), R"([[["y"],3]])").empty(), false);
  EXPECT_EQ(a->seq(), 5u);
}

TEST(Proposal, PassedOverAndNeverStoredLeavesNoHoleForOthers) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  Buffer record;
  ASSERT_EQ(a->Propose(R"([[["x"],2]])", kNow, &record), Status::kOk);
  a->PassOver();
  const std::string other = Set(a.get(), R"([[["y"],1]])");
  Buffer empty;
  a->Withdraw(kNow, &empty);
  ASSERT_GT(empty.size(), 0u);
  ASSERT_EQ(a->actions()->frames.size(), 1u) << "others learn of it as well";
  EXPECT_EQ(a->actions()->frames[0].view(), empty.view());
  ASSERT_EQ(b->Restore(other, kNow), Status::kOk);
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 0u);
  ASSERT_EQ(b->Restore(empty.view(), kNow), Status::kOk);
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 2u);
  EXPECT_EQ(State(*b), R"({"y":1})");
  EXPECT_EQ(b->digest(), a->digest());
  EXPECT_TRUE(a->vector().holes().empty());
}

// Somebody reads the journal sooner than its writer hears from the database.
TEST(Proposal, ThatOthersHaveReadAlreadyIsNoConflictOfIdentities) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  Buffer record;
  ASSERT_EQ(a->Propose(R"([[["x"],2]])", kNow, &record), Status::kOk);
  ASSERT_EQ(b->Restore(record.view(), kNow), Status::kOk);
  b->Tick(kNow + kGossipEveryMs);
  Deliver(b.get(), a.get());
  Deliver(a.get(), b.get());
  Deliver(b.get(), a.get());
  EXPECT_EQ(Events(a.get()).find("identity-conflict"), std::string::npos) << Events(a.get());
  EXPECT_TRUE(a->HasOwn(1));
  a->Accept(kNow);
  EXPECT_EQ(a->digest(), b->digest());

  // A number that nobody here has given is somebody else's.
  auto twin = MakeReady(OptionsOf(1));
  for (int i = 0; i < 2; ++i) Set(twin.get(), "[[[\"x\"]," + std::to_string(i) + "]]");
  a->actions()->Clear();
  a->Receive(Set(twin.get(), R"([[["x"],"third"]])"), kNow);
  EXPECT_NE(Events(a.get()).find("identity-conflict"), std::string::npos);
}

// It is stored: a tab that cannot take it must not give its number to another write.
TEST(Proposal, ThatCannotBeTakenEndsTheReplica) {
  auto a = MakeReady(OptionsOf(1));
  Buffer record;
  const std::string large = "[[[\"x\"],\"" + std::string(1'000'000, 'x') + "\"]]";
  ASSERT_EQ(a->Propose(large, kNow, &record), Status::kOk);
  {
    const sim::Scarcity scarcity(0);
    a->Accept(kNow);
  }
  EXPECT_TRUE(a->actions()->incomplete);
  EXPECT_FALSE(a->HasOwn(1));
  uint32_t seq = 0;
  EXPECT_EQ(a->LocalSet(R"([[["y"],1]])", kNow, &seq), Status::kOutOfMemory);
}

TEST(Proposal, RefusesSumsWhichTheNextOneWouldNotHave) {
  auto a = MakeReady(OptionsOf(1));
  Buffer record;
  EXPECT_EQ(a->Propose(R"([[["n"],1,2]])", kNow, &record), Status::kNotANumber);
  EXPECT_EQ(record.size(), 0u);
  Set(a.get(), R"([[["n"],1,2]])");
  EXPECT_EQ(State(*a), R"({"n":1})");
}

// The limit of a state is for who writes: what others have written, each within it, is merged.
TEST(Proposal, IsRefusedBeforeItIsStoredWhenTheStateWouldBeTooLarge) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  const auto text = [](size_t bytes) { return std::string(bytes, 'x'); };
  constexpr size_t kFilled = kStateBytesMax / kValueBytesMax - 1;
  for (size_t i = 0; i < kFilled; ++i) {
    const std::string record =
        Set(a.get(), "[[[\"" + std::to_string(i) + "\"],\"" + text(kValueBytesMax - 2) + "\"]]");
    ASSERT_EQ(b->Restore(record, kNow), Status::kOk);
  }
  Buffer record;
  const std::string large =
      "[[[\"p\"],\"" + text(kValueBytesMax - 2) + "\"],[[\"q\"],\"" + text(1000) + "\"]]";
  EXPECT_EQ(a->Propose(large, kNow, &record), Status::kStateTooLarge);
  EXPECT_EQ(record.size(), 0u);

  const std::string of_a = Set(a.get(), "[[[\"a\"],\"" + text(900'000) + "\"]]");
  const std::string of_b = Set(b.get(), "[[[\"b\"],\"" + text(900'000) + "\"]]");
  ASSERT_EQ(a->Restore(of_b, kNow), Status::kOk);
  ASSERT_EQ(b->Restore(of_a, kNow), Status::kOk);
  EXPECT_EQ(a->digest(), b->digest());
  uint32_t seq = 0;
  EXPECT_EQ(a->LocalSet(R"([[["one"],1]])", kNow, &seq), Status::kStateTooLarge);
  Set(a.get(), R"([[["a"]]])");
  Set(a.get(), R"([[["b"]]])");
  Set(a.get(), R"([[["one"],1]])");
}

}  // namespace
}  // namespace tabmesh
