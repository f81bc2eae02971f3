// Records that the journal has in another order than they were written in, or has not at all.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/limits.h"
#include "replica/replica.h"
#include "tests/unit/replicas.h"
#include "wire/messages.h"

namespace tabmesh {
namespace {

// Three writes of a, the first of which the journal does not have yet.
TEST(StoredOverAGap, IsTakenAndWhatIsMissingIsAskedOfItsWriter) {
  auto a = MakeReady(OptionsOf(1));
  auto b = MakeReady(OptionsOf(2));
  const std::string first = Set(a.get(), R"([[["x"],1]])");
  const std::string second = Set(a.get(), R"([[["y"],1]])");
  const std::string third = Set(a.get(), R"([[["z"],1]])");
  // b has met a.
  a->SetVisible(false, kNow);
  Deliver(a.get(), b.get());
  b->actions()->Clear();
  ASSERT_EQ(b->Restore(third, kNow), Status::kOk);
  ASSERT_EQ(b->Restore(second, kNow), Status::kOk);
  b->Restored(/*alone=*/false, kNow);
  EXPECT_EQ(State(*b), R"({"z":1,"y":1})");
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 0u);
  ASSERT_EQ(b->actions()->frames.size(), 1u);  // asks
  Deliver(b.get(), a.get());
  Deliver(a.get(), b.get());
  EXPECT_EQ(State(*b), R"({"z":1,"y":1,"x":1})");
  EXPECT_EQ(b->digest(), a->digest());
  EXPECT_TRUE(b->vector().holes().empty());
  b->actions()->Clear();
  b->Restored(/*alone=*/false, kNow);
  EXPECT_TRUE(b->actions()->frames.empty()) << "nothing is missing any more";
}

TEST(StoredOverAGap, IsSummedUpWithItsHolesAndFilledFromTheJournalLater) {
  auto a = MakeReady(OptionsOf(1));
  const std::string first = Set(a.get(), R"([[["x"],1]])");
  const std::string second = Set(a.get(), R"([[["x"],2],[["y"],1]])");
  const std::string third = Set(a.get(), R"([[["z"],1]])");
  auto leader = MakeReady(OptionsOf(2));
  ASSERT_EQ(leader->Restore(first, kNow), Status::kOk);
  ASSERT_EQ(leader->Restore(third, kNow), Status::kOk);
  leader->Restored(/*alone=*/true, kNow);
  Buffer checkpoint;
  ASSERT_EQ(leader->EncodeCheckpoint(&checkpoint), Status::kOk);

  // Whoever begins with that does not take the second for one it has.
  auto reader = MakeReady(OptionsOf(3));
  ASSERT_EQ(reader->Restore(checkpoint.view(), kNow), Status::kOk);
  EXPECT_EQ(State(*reader), R"({"x":1,"z":1})");
  ASSERT_EQ(reader->Restore(second, kNow), Status::kOk);
  EXPECT_EQ(State(*reader), R"({"x":2,"z":1,"y":1})");
  EXPECT_EQ(reader->digest(), a->digest());
  // Nor does a later answer without it make a hole again.
  ASSERT_EQ(reader->Restore(checkpoint.view(), kNow), Status::kOk);
  EXPECT_TRUE(reader->vector().holes().empty());
}

// Both have the same newest write of a; neither vector is the larger.
TEST(StoredOverAGap, WhatEitherLacksIsExchanged) {
  auto a = MakeReady(OptionsOf(1));
  const std::string first = Set(a.get(), R"([[["x"],1]])");
  const std::string second = Set(a.get(), R"([[["y"],1]])");
  const std::string third = Set(a.get(), R"([[["z"],1]])");
  auto b = MakeReady(OptionsOf(2));
  auto c = MakeReady(OptionsOf(3));
  for (const std::string* record : {&first, &third}) ASSERT_EQ(b->Restore(*record, kNow), Status::kOk);
  for (const std::string* record : {&second, &third}) ASSERT_EQ(c->Restore(*record, kNow), Status::kOk);
  b->Tick(kNow + kGossipEveryMs);  // says what it has
  for (int turn = 0; turn < 6; ++turn) {
    Replica* from = turn % 2 == 0 ? b.get() : c.get();
    Replica* to = turn % 2 == 0 ? c.get() : b.get();
    Deliver(from, to);
  }
  EXPECT_EQ(State(*b), R"({"x":1,"z":1,"y":1})");
  EXPECT_EQ(b->digest(), a->digest());
  EXPECT_EQ(c->digest(), a->digest());
  EXPECT_EQ(b->counters().divergences + c->counters().divergences, 0u);
}

// What is shared up to a number is all of it.
TEST(StoredOverAGap, IsNotAcknowledgedAsWhole) {
  auto a = MakeReady(OptionsOf(1));
  const std::string first = Set(a.get(), R"([[["x"],1]])");
  (void)Set(a.get(), R"([[["y"],1]])");
  const std::string third = Set(a.get(), R"([[["z"],1]])");
  auto b = MakeReady(OptionsOf(2));
  ASSERT_EQ(b->Restore(first, kNow), Status::kOk);
  ASSERT_EQ(b->Restore(third, kNow), Status::kOk);
  a->actions()->Clear();
  a->AskShared(kNow);
  b->actions()->Clear();
  Deliver(a.get(), b.get());
  Deliver(b.get(), a.get());
  EXPECT_NE(Events(a.get()).find(R"({"type":"shared","seq":1})"), std::string::npos) << Events(a.get());
  // The question that b has sent as well is answered by now.
  b->actions()->Clear();
  Deliver(a.get(), b.get());
  EXPECT_EQ(b->vector().WholeOf(a->options().instance), 3u);
}

// A delta to `to` that claims every other write of somebody who never was.
std::string ManyHoles(const InstanceId& to, uint8_t made_up, uint32_t holes) {
  VersionVector vector;
  uint32_t index = 0;
  InstanceId id;
  id.bytes[0] = made_up;
  EXPECT_EQ(vector.Intern(id, &index), Status::kOk);
  for (uint32_t i = 1; i <= holes; ++i) EXPECT_TRUE(vector.Add(index, 2 * i));
  Buffer frame;
  FrameWriter(NamespaceOf("test", 0)).Begin(FrameKind::kDelta, &frame);
  EncodeDeltaHead({id, to, 0}, &frame);
  EncodeOpSet(vector, {}, &frame);
  FrameWriter::End(0, &frame);
  return std::string(frame.view());
}

TEST(ManyHoles, OfAForgerLeaveRoomForThoseOfTheJournalAndOfOthers) {
  auto a = MakeReady(OptionsOf(1));
  for (const uint8_t made_up : {200, 201, 202}) {
    a->Receive(ManyHoles(a->options().instance, made_up, kHolesToldMax), kNow);
    a->Receive(ManyHoles(a->options().instance, made_up, kHolesMax), kNow);
  }
  EXPECT_EQ(a->vector().holes().size(), kHolesToldMax);
  EXPECT_EQ(a->counters().dropped, 0u);

  auto b = MakeReady(OptionsOf(2));
  const std::string first = Set(b.get(), R"([[["x"],1]])");
  const std::string second = Set(b.get(), R"([[["y"],1]])");
  const std::string third = Set(b.get(), R"([[["z"],1]])");
  for (const std::string* record : {&first, &third, &second})
    ASSERT_EQ(a->Restore(*record, kNow), Status::kOk);
  EXPECT_EQ(State(*a), R"({"x":1,"z":1,"y":1})");
  EXPECT_EQ(a->vector().WholeOf(b->options().instance), 3u);

  // What somebody tells with a hole of its own is not claimed, and can be read elsewhere.
  auto c = MakeReady(OptionsOf(3));
  const std::string fourth = Set(b.get(), R"([[["u"],1]])");
  const std::string fifth = Set(b.get(), R"([[["v"],1]])");
  for (const std::string* record : {&first, &second, &third, &fifth})
    ASSERT_EQ(c->Restore(*record, kNow), Status::kOk);
  Set(c.get(), R"([[["w"],1]])");
  c->Tick(kNow + kGossipEveryMs);
  for (int turn = 0; turn < 4; ++turn) {
    Deliver(c.get(), a.get());
    Deliver(a.get(), c.get());
  }
  EXPECT_EQ(State(*a), R"({"x":1,"z":1,"y":1,"w":1})") << "the fifth is left out";
  EXPECT_EQ(a->vector().WholeOf(b->options().instance), 3u);
  for (const std::string* record : {&fourth, &fifth}) a->Receive(*record, kNow);
  EXPECT_EQ(State(*a), R"({"x":1,"z":1,"y":1,"w":1,"u":1,"v":1})");
}

}  // namespace
}  // namespace tabmesh
