// Eras through whole replicas: what the next one begins with, who learns of it, and what is bounded by it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "replica/replica.h"
#include "tests/unit/replicas.h"

namespace tabmesh {
namespace {

ReplicaOptions Options(uint32_t id, uint32_t era) {
  ReplicaOptions options;
  options.name = "test";
  options.era = era;
  for (size_t i = 0; i < 4; ++i) options.instance.bytes[i] = static_cast<uint8_t>(id >> (8 * i));
  options.strategies = {{"asked", Strategy::kPrompt}};
  options.lists = {{"list", "id"}};
  return options;
}

// A page that has read `stored`.
std::unique_ptr<Replica> Load(uint32_t id, uint32_t era, const std::vector<std::string>& stored,
                              std::string_view initial = "{}") {
  auto replica = std::make_unique<Replica>(Options(id, era));
  EXPECT_EQ(replica->Open(initial, kNow), Status::kOk);
  for (const std::string& record : stored) EXPECT_EQ(replica->Restore(record, kNow), Status::kOk);
  replica->Restored(/*alone=*/true, kNow);
  replica->actions()->Clear();
  return replica;
}

struct Ended {
  std::string state;
  std::string end;
};

Ended End(const Replica& replica) {
  Buffer state, end;
  EXPECT_EQ(replica.EncodeNextEra(&state, &end), Status::kOk);
  return {std::string(state.view()), std::string(end.view())};
}

std::vector<uint32_t> Kept(const Replica& replica, std::string_view end) {
  std::vector<uint32_t> kept;
  EXPECT_EQ(replica.KeptAtEnd(end, &kept), Status::kOk);
  return kept;
}

TEST(Era, TheNextBeginsWithWhatTheLastShowed) {
  auto last = Load(1, 0, {});
  Set(last.get(), R"([[["a","b"],1],[["a","c"],2],[["n"],5,2]])");
  Set(last.get(), R"([[["a","b"]],[["n"],2,2],[["list"],[{"id":1},{"id":2}]]])");
  const Ended ended = End(*last);
  auto next = Load(2, 1, {ended.state});
  EXPECT_EQ(State(*next), State(*last));
  EXPECT_EQ(next->vector().size(), 2u) << "itself, and who wrote what the era began with";
  Set(next.get(), R"([[["n"],1,2]])", kNow + 1);
  EXPECT_NE(State(*next).find("\"n\":8"), std::string::npos);
}

TEST(Era, TwoThatBeganWithTheSameStayEqual) {
  auto last = Load(1, 0, {});
  Set(last.get(), R"([[["a"],1],[["list"],[{"id":1},{"id":2}]]])");
  const Ended ended = End(*last);
  auto one = Load(2, 1, {ended.state});
  auto two = Load(3, 1, {ended.state});
  const std::string of_one = Set(one.get(), R"([[["a"],2],[["list"],[{"id":2},{"id":1,"x":1}]]])", kNow + 1);
  const std::string of_two = Set(two.get(), R"([[["b"],3],[["list"],[{"id":1}]]])", kNow + 1);
  one->Receive(of_two, kNow + 2);
  two->Receive(of_one, kNow + 2);
  EXPECT_EQ(one->digest(), two->digest());
  EXPECT_EQ(State(*one), State(*two));
}

TEST(Era, WhatHidesTheInitialStateGoesOnHidingIt) {
  const std::string initial =
      R"({"gone":1,"tree":{"kept":1,"gone":2,"replaced":{"x":1}},"untouched":{"y":1},"list":[{"id":1},{"id":2}]})";
  auto last = Load(1, 0, {}, initial);
  Set(last.get(), R"([[["gone"]],[["tree","gone"]],[["tree","replaced"],{"z":1},1],[["list"],[{"id":2}]]])");
  Set(last.get(), R"([[["other"],1]])");
  Set(last.get(), R"([[["other"]]])");
  const Ended ended = End(*last);
  auto next = Load(2, 1, {ended.state}, initial);
  EXPECT_EQ(State(*next), State(*last));
  EXPECT_EQ(State(*next).find("gone"), std::string::npos);
  EXPECT_EQ(next->document().tree().Find(Path{}), next->document().tree().root());
  const std::string_view other = "other";
  EXPECT_EQ(next->document().tree().Find({&other, 1}), nullptr) << "nothing of the initial state to hide";
}

TEST(Era, ValuesThatAwaitAChoiceKeepTheirWriters) {
  auto one = Load(1, 0, {});
  auto two = Load(2, 0, {});
  const std::string of_one = Set(one.get(), R"([[["asked"],"x"]])");
  const std::string of_two = Set(two.get(), R"([[["asked"],"y"]])");
  one->Receive(of_two, kNow);
  Buffer before;
  one->PrintConflicts(&before);
  EXPECT_NE(before.view(), "[]");
  const Ended ended = End(*one);
  auto next = Load(3, 1, {ended.state});
  Buffer after;
  next->PrintConflicts(&after);
  EXPECT_EQ(after.view(), before.view());
  Set(next.get(), R"([[["asked"],"z"]])", kNow + 1);
  Buffer chosen;
  next->PrintConflicts(&chosen);
  EXPECT_EQ(chosen.view(), "[]");
}

// Two versions of an app, and one stamp: whoever won goes on winning when one author has written both.
TEST(Era, AnObjectThatStandsBeforeAValueGoesOnStandingThere) {
  for (const bool two_values : {false, true}) {
    for (const uint32_t asking : {1u, 0xa0u}) {
      const uint32_t other = asking + 1;
      auto asks = Load(asking, 0, {});
      ReplicaOptions merging = Options(other, 0);
      merging.strategies.clear();
      auto merges = MakeReady(merging);
      const std::string object = Set(merges.get(), R"([[["asked"],{}]])");
      const std::string value = Set(asks.get(), R"([[["asked"],"x"]])");
      if (two_values) {
        auto third = Load(3, 0, {});
        asks->Receive(Set(third.get(), R"([[["asked"],"y"]])", kNow - 1), kNow);
      }
      asks->Receive(object, kNow);
      const Ended ended = End(*asks);
      auto next = Load(4, 1, {ended.state});
      EXPECT_EQ(State(*asks), R"({"asked":{}})");
      EXPECT_EQ(State(*next), State(*asks)) << two_values << ' ' << asking;
    }
  }
}

TEST(Era, SaysWhichWritesOfATabAreInTheNext) {
  auto leader = Load(1, 0, {});
  auto tab = Load(2, 0, {});
  leader->Receive(Set(tab.get(), R"([[["a"],1]])"), kNow);
  Set(tab.get(), R"([[["a"],2]])");  // on its way
  const Ended ended = End(*leader);
  EXPECT_EQ(Kept(*tab, ended.end), std::vector<uint32_t>{1});
  EXPECT_EQ(Kept(*Load(3, 0, {}), ended.end), std::vector<uint32_t>{0}) << "a stranger";
  std::vector<uint32_t> kept;
  auto later = Load(4, 1, {ended.state});
  EXPECT_EQ(later->KeptAtEnd(ended.end, &kept), Status::kForeignFrame);
  EXPECT_EQ(tab->KeptAtEnd(ended.state, &kept), Status::kForeignFrame);
  EXPECT_EQ(tab->KeptAtEnd(ended.end.substr(1), &kept), Status::kForeignFrame);
  const std::string write = Set(tab.get(), R"([[["a"],3]])");
  EXPECT_EQ(tab->KeptAtEnd(write, &kept), Status::kMalformedFrame);
  tab->Receive(ended.end, kNow);
  EXPECT_EQ(tab->counters().dropped, 1u) << "it is stored, and never sent";
}

TEST(Era, AWriteThatNobodyHadWhenItEndedIsNotAmongThoseThatAreKept) {
  auto tab = Load(2, 0, {});
  const std::string first = Set(tab.get(), R"([[["a"],1]])");
  Set(tab.get(), R"([[["b"],1]])");  // never arrives
  const std::string third = Set(tab.get(), R"([[["c"],1]])");
  auto leader = Load(1, 0, {first, third});
  EXPECT_EQ(State(*leader), R"({"a":1,"c":1})");
  EXPECT_EQ(Kept(*tab, End(*leader).end), (std::vector<uint32_t>{3, 2, 2}));
}

TEST(Era, AReplicaGoesOnInTheNextWithItsPeersItsPlaceInTheElectionAndItsClock) {
  auto leader = Load(1, 0, {});
  auto other = Load(2, 0, {});
  leader->SetVisible(false, kNow);
  leader->LockGranted(kNow);
  leader->TermClaimed(5, kNow);
  other->SetVisible(false, kNow);
  leader->Receive(other->actions()->frames[0].view(), kNow);
  Set(leader.get(), R"([[["a"],1]])", kNow + 1000);
  const Ended ended = End(*leader);
  Replica next(*leader, 1);
  ASSERT_EQ(next.Open("{}", kNow), Status::kOk);
  EXPECT_EQ(next.actions()->frames.size(), 1u) << "greets whoever is there";
  EXPECT_EQ(next.actions()->lock, LockAction::kNone);
  EXPECT_EQ(next.Restore(ended.state, kNow), Status::kOk);
  next.Restored(/*alone=*/true, kNow);
  EXPECT_TRUE(next.ready());
  EXPECT_EQ(State(next), R"({"a":1})");
  EXPECT_TRUE(next.election().leads());
  EXPECT_EQ(next.election().term(), 5u);
  EXPECT_GE(next.clock().last(), leader->clock().last());
  Buffer before, after;
  leader->PrintPeers(&before);
  next.PrintPeers(&after);
  EXPECT_EQ(after.view(), before.view());
  EXPECT_NE(after.view(), "[]");
}

TEST(Era, AReplicaThatIsSuspendedSaysNothingInTheNext) {
  auto tab = Load(1, 0, {});
  tab->Suspend(kNow);
  tab->actions()->Clear();
  Replica next(*tab, 1);
  ASSERT_EQ(next.Open("{}", kNow), Status::kOk);
  EXPECT_TRUE(next.actions()->frames.empty());
  EXPECT_EQ(next.actions()->lock, LockAction::kNone);
  next.Resume(kNow);
  EXPECT_EQ(next.actions()->lock, LockAction::kRequest);
}

// Two values that await a choice, one of this very tab: its number goes on after that one's.
TEST(Era, AWriterOfAValueThatAwaitsAChoiceCountsOn) {
  auto one = Load(1, 0, {});
  auto two = Load(2, 0, {});
  Set(one.get(), R"([[["x"],1]])");
  Set(one.get(), R"([[["x"],2]])");
  const std::string of_two = Set(two.get(), R"([[["asked"],"y"]])");
  Set(one.get(), R"([[["asked"],"x"]])");
  one->Receive(of_two, kNow);
  const Ended ended = End(*one);
  Replica next(*one, 1);
  ASSERT_EQ(next.Open("{}", kNow), Status::kOk);
  EXPECT_EQ(next.Restore(ended.state, kNow), Status::kOk);
  next.Restored(/*alone=*/true, kNow);
  EXPECT_EQ(Events(&next).find("identity-conflict"), std::string::npos);
  EXPECT_EQ(next.seq(), 3u);
  next.actions()->Clear();
  Set(&next, R"([[["z"],1]])", kNow + 1);
  EXPECT_EQ(next.seq(), 4u);
  // Whoever is ready is still told of a twin.
  auto twin = Load(1, 1, {});
  const std::string of_twin = Set(twin.get(), R"([[["x"],3]])");
  auto fresh = Load(1, 1, {});
  fresh->Receive(of_twin, kNow);
  EXPECT_NE(Events(fresh.get()).find("identity-conflict"), std::string::npos);
}

// A write that is made again after its era: it had not seen what somebody else wrote there meanwhile.
TEST(Era, AValueWrittenBesideOthersHasNotSeenThem) {
  auto tab = Load(1, 0, {});
  auto other = Load(2, 0, {});
  tab->Receive(Set(other.get(), R"([[["asked"],"theirs"]])"), kNow);
  Set(tab.get(), R"([[["asked"],"mine",3]])", kNow + 1);
  Buffer conflicts;
  tab->PrintConflicts(&conflicts);
  EXPECT_NE(conflicts.view().find("theirs"), std::string::npos);
  EXPECT_NE(conflicts.view().find("mine"), std::string::npos);
  Set(tab.get(), R"([[["asked"],"mine again",3]])", kNow + 2);
  conflicts.Clear();
  tab->PrintConflicts(&conflicts);
  EXPECT_EQ(conflicts.view().find("\"mine\""), std::string::npos) << "its own it has seen";
  EXPECT_NE(conflicts.view().find("theirs"), std::string::npos);
}

TEST(Era, EndsOnlyForWhatItsEndWouldDrop) {
  ReplicaOptions options = Options(1, 0);
  options.era_instances_max = 2;
  options.era_dead_min = 2;
  const std::string initial = R"({"a":1,"b":1,"c":1,"d":1})";
  const auto begin = [&options] {
    auto replica = std::make_unique<Replica>(options);
    EXPECT_EQ(replica->Open(R"({"a":1,"b":1,"c":1,"d":1})", kNow), Status::kOk);
    replica->Restored(/*alone=*/true, kNow);
    replica->actions()->Clear();
    return replica;
  };
  // What hides the initial state stays, whatever ends.
  auto hides = begin();
  Set(hides.get(), R"([[["a"]],[["b"]],[["c"]],[["d"]]])");
  EXPECT_FALSE(hides->CompactionDue());
  Set(hides.get(), R"([[["e"],1],[["f"],1],[["g"],1]])");
  Set(hides.get(), R"([[["e"]],[["f"]],[["g"]]])");
  EXPECT_TRUE(hides->CompactionDue());
  hides->SetStores(false, kNow);
  EXPECT_FALSE(hides->CompactionDue()) << "what it writes would be lost";
  // So do the writers of values that await a choice.
  auto asked = begin();
  for (uint32_t id = 2; id < 6; ++id) {
    asked->Receive(Set(Load(id, 0, {}, initial).get(), R"([[["asked"],)" + std::to_string(id) + "]]"), kNow);
  }
  EXPECT_EQ(asked->vector().size(), 5u);
  EXPECT_FALSE(asked->CompactionDue());
  for (uint32_t id = 6; id < 12; ++id)
    asked->Receive(Set(Load(id, 0, {}, initial).get(), R"([[["x"],1]])"), kNow);
  EXPECT_TRUE(asked->CompactionDue());
  // Nor does it end under somebody who stores nothing.
  Replica silent(Options(9, 0));
  ASSERT_EQ(silent.Open("{}", kNow), Status::kOk);
  silent.actions()->Clear();
  silent.SetStores(false, kNow);
  asked->Receive(silent.actions()->frames[0].view(), kNow);
  EXPECT_FALSE(asked->CompactionDue());
  silent.actions()->Clear();
  silent.SetStores(true, kNow);
  asked->Receive(silent.actions()->frames[0].view(), kNow);
  EXPECT_TRUE(asked->CompactionDue());
}

TEST(Era, NothingOfAnotherEraIsMergedAndWhoIsBehindIsTold) {
  auto leader = Load(1, 0, {});
  const std::string late = Set(leader.get(), R"([[["a"],1]])");
  auto next = Load(2, 1, {End(*leader).state});
  auto behind = Load(3, 0, {});

  next->Receive(Set(behind.get(), R"([[["a"],"old"]])"), kNow);
  EXPECT_EQ(State(*next), R"({"a":1})");
  EXPECT_EQ(next->counters().dropped, 0u);
  ASSERT_EQ(next->actions()->frames.size(), 1u) << "a presence, by which the sender learns";
  behind->Receive(next->actions()->frames[0].view(), kNow);
  EXPECT_EQ(Events(behind.get()), R"({"type":"later-era","era":1})");
  EXPECT_TRUE(behind->actions()->frames.empty());

  next->actions()->Clear();
  next->Receive(late, kNow + 1);
  EXPECT_TRUE(next->actions()->frames.empty()) << "not an answer to each";
  next->Receive(late, kNow + kEraAnswerEveryMs);
  EXPECT_EQ(next->actions()->frames.size(), 1u);

  behind->actions()->Clear();
  ReplicaOptions other = Options(4, 0);
  other.name = "other";
  Replica stranger(other);
  ASSERT_EQ(stranger.Open("{}", kNow), Status::kOk);
  behind->Receive(stranger.actions()->frames[0].view(), kNow);
  EXPECT_EQ(Events(behind.get()), "") << "another store is no later era";
}

TEST(Era, ThatTheStoreWasErasedConcernsAllEras) {
  auto behind = Load(1, 0, {});
  auto next = Load(2, 1, {End(*behind).state});
  behind->Destroy(kNow);
  next->Receive(behind->actions()->frames[0].view(), kNow);
  EXPECT_EQ(Events(next.get()), R"({"type":"destroyed"})");
}

TEST(Era, TellsWhichWritesItHadNot) {
  auto writer = Load(1, 0, {});
  const std::string first = Set(writer.get(), R"([[["a"],1]])");
  const std::string second = Set(writer.get(), R"([[["b"],2]])");
  const std::string third = Set(writer.get(), R"([[["c"],3]])");
  auto leader = Load(2, 0, {first, third});
  EXPECT_EQ(Kept(*writer, End(*leader).end), (std::vector<uint32_t>{3, 2, 2}));
  EXPECT_EQ(leader->Restore(second, kNow), Status::kOk);
  EXPECT_EQ(Kept(*writer, End(*leader).end), std::vector<uint32_t>{3});
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// One profile for months: pages come and go, keys are set and deleted; the leader makes checkpoints and ends
// eras as the glue has it do. The whole promise is TABMESH_LOADS=18000 TABMESH_CYCLES=1008000.
TEST(Era, BoundsWhatPagesAndDeletionsLeaveBehind) {
  const uint64_t loads = FromEnvironment("TABMESH_LOADS", 900);
  const uint64_t cycles = FromEnvironment("TABMESH_CYCLES", 50'000) / loads;
  constexpr size_t kKeys = 100;
  uint32_t era = 0;
  uint32_t eras = 0;
  uint64_t now = kNow;
  std::vector<std::string> stored;
  std::string expected;
  size_t largest_vector = 0;
  size_t largest_checkpoint = 0;
  for (uint32_t load = 1; load <= loads; ++load) {
    auto page = Load(load, era, stored);
    ASSERT_EQ(State(*page), expected.empty() ? "{}" : expected) << "load " << load;
    for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
      // Half of the places are new ones, as tasks are that get an id.
      const uint64_t number = load * cycles + cycle;
      const std::string key =
          cycle % 2 == 0 ? "key-" + std::to_string(number % kKeys) : "task-" + std::to_string(number);
      Set(page.get(), R"([[[")" + key + R"("],{"title":"some text","done":false}]])", ++now);
      Set(page.get(), R"([[[")" + key + R"("]]])", ++now);
    }
    Set(page.get(), R"([[["key-)" + std::to_string(load % kKeys) + R"("],)" + std::to_string(load) + "]]",
        ++now);
    if (page->CompactionDue()) {
      stored = {End(*page).state};
      ++era;
      ++eras;
    } else {
      Buffer checkpoint;
      ASSERT_EQ(page->EncodeCheckpoint(&checkpoint), Status::kOk);
      stored = {std::string(checkpoint.view())};
    }
    expected = State(*page);
    largest_vector = std::max<size_t>(largest_vector, page->vector().size());
    largest_checkpoint = std::max(largest_checkpoint, stored[0].size());
    ASSERT_LE(stored[0].size(), 2 * expected.size() + (64u << 10)) << "load " << load;
  }
  EXPECT_LE(largest_vector, 64u);
  EXPECT_GT(eras, loads / 64);
  RecordProperty("vector", static_cast<int>(largest_vector));
  std::printf(
      "%llu loads, %llu cycles: vector of at most %zu, checkpoint of at most %zu bytes for %zu of state, %u "
      "eras\n",
      static_cast<unsigned long long>(loads), static_cast<unsigned long long>(cycles * loads), largest_vector,
      largest_checkpoint, expected.size(), eras);
}

// Its own numbers may be in what the era began with: on its own it would give them again.
TEST(Era, WhoHasWrittenBeforeGoesOnAskingWhileOthersAreHeardOf) {
  auto leader = Load(1, 0, {});
  auto slept = Load(2, 0, {});
  const std::string value = Set(slept.get(), R"([[["asked"],"mine"]])");
  leader->Receive(value, kNow);
  Set(leader.get(), R"([[["x"],1]])");
  leader->Tick(kNow + kGossipEveryMs);
  Deliver(leader.get(), slept.get());
  slept->actions()->Clear();
  auto next = Load(1, 1, {End(*leader).state});

  Replica followed(*slept, 1);
  ASSERT_EQ(followed.Open("{}", kNow), Status::kOk);
  uint64_t now = kNow;
  next->SetVisible(false, now);
  Deliver(next.get(), &followed, now);  // heard of
  followed.Restored(/*alone=*/false, now);
  for (; now < kNow + 10'000; now += 100) followed.Tick(now);
  EXPECT_FALSE(followed.ready()) << "nobody has answered yet";
  followed.actions()->Clear();
  for (const uint64_t end = now + 5000; now < end && followed.actions()->frames.empty(); now += 100)
    followed.Tick(now);
  Deliver(&followed, next.get(), now);
  Deliver(next.get(), &followed, now);
  EXPECT_TRUE(followed.ready());
  EXPECT_EQ(State(followed), State(*next));
}

TEST(Era, WhoHasWrittenBeforeIsReadyWhenNobodyIsHeardOf) {
  auto slept = Load(2, 0, {});
  Set(slept.get(), R"([[["x"],1]])");
  Replica followed(*slept, 1);
  ASSERT_EQ(followed.Open("{}", kNow), Status::kOk);
  followed.Restored(/*alone=*/false, kNow);
  for (uint64_t now = kNow; now < kNow + 5000; now += 100) followed.Tick(now);
  EXPECT_TRUE(followed.ready());
}

}  // namespace
}  // namespace tabmesh
