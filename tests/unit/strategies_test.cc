// Writes of every sort through whole replicas: sent, stored, read again, handed on.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/position.h"
#include "replica/replica.h"
#include "tests/unit/replicas.h"
#include "wire/ops_codec.h"

namespace tabmesh {
namespace {

ReplicaOptions Options(uint8_t id) {
  ReplicaOptions options = OptionsOf(id);
  options.strategies = {{"whole", Strategy::kLastWriteWins},
                        {"first", Strategy::kFirstWriteWins},
                        {"resolved", Strategy::kResolve},
                        {"asked", Strategy::kPrompt}};
  options.lists = {{"list", "id"}};
  return options;
}

std::string Conflicts(const Replica& replica) {
  Buffer out;
  replica.PrintConflicts(&out);
  return std::string(out.view());
}

// Writes of every sort, some of them concurrent, by two replicas; the records in the order of their making.
std::vector<std::string> RecordsOfEverySort(Replica* a, Replica* b) {
  std::vector<std::string> records;
  const auto both = [&](std::string_view by_a, std::string_view by_b) {
    const std::string from_a = Set(a, by_a, kNow + records.size());
    const std::string from_b = Set(b, by_b, kNow + records.size());
    for (const std::string& record : {from_a, from_b}) {
      if (!record.empty()) records.push_back(record);
    }
    if (!from_a.empty()) b->Receive(from_a, kNow);
    if (!from_b.empty()) a->Receive(from_b, kNow);
  };
  both(R"([[["asked"],"a"],[["first"],"a"],[["resolved"],["a"]]])",
       R"([[["asked"],"b"],[["first"],"b"],[["resolved"],{"b":1}]])");
  both(R"([[["n"],5,2],[["deep","n"],-1,2]])", R"([[["n"],7,2],[["deep","n"],9007199254740000,2]])");
  both(R"([[["list"],[{"id":1,"x":1},{"id":"two"}]]])", R"([[["list"],[{"id":3}]]])");
  both(R"([[["asked"],"chosen"],[["whole"],{"k":[1]}]])", R"([[["list","1","x"],2]])");
  both(R"([[["asked"]],[["n"],100]])", R"([[["asked"],"again"],[["n"],1,2]])");
  both(R"([[["list"],[{"id":3},{"id":1,"x":2}]]])", R"([[["list","1"]],[["deep"],{"m":1},1]])");
  return records;
}

TEST(Strategies, WritesOfEverySortAreTheSameSentStoredAndHandedOn) {
  auto a = MakeReady(Options(1));
  auto b = MakeReady(Options(2));
  const std::vector<std::string> records = RecordsOfEverySort(a.get(), b.get());
  EXPECT_EQ(State(*a), State(*b));
  EXPECT_EQ(a->digest(), b->digest());
  EXPECT_EQ(Conflicts(*a), Conflicts(*b));
  EXPECT_NE(State(*a).find("\"first\":\"a\""), std::string::npos) << State(*a);
  EXPECT_NE(State(*a).find("\"n\":100"), std::string::npos) << State(*a);

  auto restored = std::make_unique<Replica>(Options(3));
  ASSERT_EQ(restored->Open("{}", kNow), Status::kOk);
  for (const std::string& record : records) ASSERT_EQ(restored->Restore(record, kNow), Status::kOk);
  restored->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(restored->digest(), a->digest());
  EXPECT_EQ(Conflicts(*restored), Conflicts(*a));

  Buffer checkpoint;
  ASSERT_EQ(a->EncodeCheckpoint(&checkpoint), Status::kOk);
  auto from_checkpoint = std::make_unique<Replica>(Options(4));
  ASSERT_EQ(from_checkpoint->Open("{}", kNow), Status::kOk);
  ASSERT_EQ(from_checkpoint->Restore(checkpoint.view(), kNow), Status::kOk);
  from_checkpoint->Restored(/*alone=*/true, kNow);
  EXPECT_EQ(from_checkpoint->digest(), a->digest());
  EXPECT_EQ(Conflicts(*from_checkpoint), Conflicts(*a));
}

TEST(Strategies, EveryPrefixAndChangedByteOfARecordIsRefusedOrHarmless) {
  auto a = MakeReady(Options(1));
  auto b = MakeReady(Options(2));
  for (const std::string& record : RecordsOfEverySort(a.get(), b.get())) {
    const std::string_view body =
        std::string_view(record).substr(kFrameHeadBytes, record.size() - kFrameHeadBytes - kFrameCheckBytes);
    for (size_t size = 0; size < body.size(); ++size) {
      CallArena arena;
      Reader reader(body.substr(0, size));
      Batch batch;
      EXPECT_NE(DecodeBatch(&reader, &arena, &batch), Status::kOk) << size;
    }
    for (size_t at = 0; at < body.size(); ++at) {
      for (const char bits : {'\x01', '\x80', '\xff'}) {
        std::string changed(body);
        changed[at] = static_cast<char>(changed[at] ^ bits);
        Buffer frame;
        FrameWriter(NamespaceOf("test")).Begin(FrameKind::kOps, &frame);
        frame.Append(changed);
        FrameWriter::End(0, &frame);
        auto target = MakeReady(Options(9));
        target->Receive(frame.view(), kNow);
        Buffer delta;
        ASSERT_EQ(target->EncodeCheckpoint(&delta), Status::kOk);
      }
    }
  }
}

TEST(Strategies, ConflictsAreListedWithBaseWritersAndTimesUntilChosen) {
  auto a = MakeReady(Options(1), R"({"asked":"base"})");
  auto b = MakeReady(Options(2), R"({"asked":"base"})");
  const std::string from_a = Set(a.get(), R"([[["asked"],"a"]])", kNow + 1);
  const std::string from_b = Set(b.get(), R"([[["asked"]]])", kNow + 2);
  a->Receive(from_b, kNow);
  EXPECT_NE(a->actions()->events.view().find("\"conflicts\""), std::string_view::npos);
  b->Receive(from_a, kNow);
  const std::string listed = Conflicts(*a);
  EXPECT_EQ(listed, Conflicts(*b));
  EXPECT_EQ(
      listed.substr(25),
      R"(,"key":"asked","strategy":4,"base":"base","values":[{"tab":"01000000000000000000000000000000",)"
      R"("time":1700000000001,"value":"a"},{"tab":"02000000000000000000000000000000","time":1700000000002}]}])");
  EXPECT_EQ(State(*a), "{}");
  b->Receive(Set(a.get(), R"([[["asked"]]])"), kNow);  // what shows, chosen
  EXPECT_EQ(Conflicts(*a), "[]");
  EXPECT_EQ(Conflicts(*b), "[]");
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Strategies, AKeyThatAnotherMergesOtherwiseIsReportedOnce) {
  ReplicaOptions other = Options(2);
  other.strategies = {{"first", Strategy::kPrompt}, {"tree", Strategy::kLastWriteWins}};
  other.lists = {{"plain", "id"}};
  auto a = MakeReady(Options(1));
  auto b = MakeReady(other);
  const auto events = [&](std::string_view edits) {
    a->Receive(Set(b.get(), edits), kNow);
    const std::string seen(a->actions()->events.view());
    a->actions()->Clear();
    return seen;
  };
  for (const auto& [key, edits] :
       {std::pair{"first", R"([[["first"],1]])"}, std::pair{"asked", R"([[["asked"],1]])"},
        std::pair{"tree", R"([[["tree"],{"x":1}]])"}, std::pair{"plain", R"([[["plain"],[{"id":1}]]])"},
        std::pair{"whole", R"([[["whole","x"],1]])"}}) {
    EXPECT_NE(events(edits).find("{\"type\":\"strategy-mismatch\",\"key\":\"" + std::string(key)),
              std::string::npos)
        << key;
  }
  EXPECT_EQ(events(R"([[["first"],2]])").find("strategy-mismatch"), std::string::npos);
  EXPECT_EQ(events(R"([[["agreed"],2]])").find("strategy-mismatch"), std::string::npos);
  EXPECT_EQ(a->digest(), b->digest());
}

// What a removed item of a list has left must not come back where the list is a tree to its reader.
TEST(Strategies, AnObjectWrittenWhereAnotherVersionHadAListShowsNothingOfItsRemovedItems) {
  ReplicaOptions other = Options(2);
  other.lists = {};
  for (const auto& [edits, shown] :
       {std::pair{R"([[["list","1"],{"new":1}]])", R"({"list":{"1":{"new":1}}})"},
        std::pair{R"([[["list","1","new"],1]])", R"({"list":{"1":{"new":1}}})"},
        std::pair{R"([[["list","1","old"],1]])", R"({"list":{"1":{"old":1}}})"},
        std::pair{R"([[["list","1","old"],3,2]])", R"({"list":{"1":{"old":3}}})"}}) {
    auto a = MakeReady(Options(1));
    auto b = MakeReady(other);
    b->Receive(Set(a.get(), R"([[["list"],[{"id":1}]]])"), kNow);
    Set(b.get(), R"([[["list"],{}]])", kNow + 1);
    b->Receive(Set(a.get(), R"([[["list","1","old"],1]])", kNow + 2), kNow + 2);
    b->Receive(Set(a.get(), R"([[["list","1"]]])", kNow + 3), kNow + 3);
    Set(b.get(), edits, kNow + 4);
    EXPECT_EQ(State(*b), shown);
  }
}

TEST(Strategies, NothingIsRemovedFromAListThatIsNoneToItsReader) {
  ReplicaOptions other = Options(2);
  other.lists = {};
  auto a = MakeReady(Options(1));
  auto b = MakeReady(other);
  b->Receive(Set(a.get(), R"([[["list"],[{"id":1}]]])"), kNow);
  const std::string seen = State(*b);
  EXPECT_EQ(Set(b.get(), R"([[["list","1"]]])", kNow + 1), "");
  EXPECT_EQ(State(*b), seen);
}

// One stamp with two contents means a forged or duplicated identity: all who have both show the same.
TEST(Strategies, AValueAndAPlainWriteUnderOneStampConvergeInAnyOrder) {
  for (const std::string_view plain :
       {R"([[["asked"]]])", R"([[["asked"],7]])", R"([[["asked"],{"x":1}]])"}) {
    ReplicaOptions other = Options(1);  // the same instance
    other.strategies = {};
    const std::string value = Set(MakeReady(Options(1)).get(), R"([[["asked"],"v"]])");
    auto writer = MakeReady(other, R"({"asked":1})");
    const std::string removal = Set(writer.get(), plain);
    ASSERT_FALSE(removal.empty());
    std::vector<uint64_t> digests;
    std::vector<std::string> states;
    for (const bool value_first : {true, false}) {
      auto reader = MakeReady(Options(3));
      Replica* one = reader.get();
      // A checkpoint is merged whatever numbers are known.
      for (const std::string& record :
           value_first ? std::vector{value, removal} : std::vector{removal, value}) {
        auto witness = MakeReady(Options(4));
        witness->Receive(record, kNow);
        Buffer checkpoint;
        ASSERT_EQ(witness->EncodeCheckpoint(&checkpoint), Status::kOk);
        ASSERT_EQ(one->Restore(checkpoint.view(), kNow), Status::kOk);
      }
      one->Restored(/*alone=*/false, kNow);
      digests.push_back(one->digest());
      states.push_back(State(*one));
      Buffer begin, end;
      ASSERT_EQ(one->EncodeNextEra(&begin, &end), Status::kOk);
      Replica next(*one, 1);
      ASSERT_EQ(next.Open("{}", kNow), Status::kOk);
      ASSERT_EQ(next.Restore(begin.view(), kNow), Status::kOk);
      EXPECT_EQ(State(next), State(*one)) << plain;
    }
    EXPECT_EQ(digests[0], digests[1]) << plain << states[0] << states[1];
    EXPECT_EQ(states[0], states[1]) << plain;
  }
}

// One app version asks, another does not, and a later initial state has the key: what hid it goes on hiding
// it.
TEST(Strategies, AValueAboveAPlainRemovalHidesTheInitialStateInTheNextEraToo) {
  ReplicaOptions plain = Options(2);
  plain.strategies = {};
  auto remover = MakeReady(plain, R"({"asked":{"x":1}})");
  const std::string removal = Set(remover.get(), R"([[["asked"]]])", kNow);
  const std::string value = Set(MakeReady(Options(1)).get(), R"([[["asked"],"v"]])", kNow + 10);
  for (const bool value_first : {true, false}) {
    auto reader = MakeReady(Options(3), R"({"asked":{"x":1}})");
    for (const std::string& record : value_first ? std::vector{value, removal} : std::vector{removal, value})
      reader->Receive(record, kNow + 20);
    EXPECT_EQ(State(*reader), R"({"asked":"v"})");
    Buffer begin, end;
    ASSERT_EQ(reader->EncodeNextEra(&begin, &end), Status::kOk);
    Replica next(*reader, 1);
    ASSERT_EQ(next.Open(R"({"asked":{"x":1,"y":2}})", kNow), Status::kOk);
    ASSERT_EQ(next.Restore(begin.view(), kNow), Status::kOk);
    next.Restored(/*alone=*/true, kNow);
    EXPECT_EQ(State(next), R"({"asked":"v"})");
    Set(&next, R"([[["asked"]]])", kNow + 30);
    EXPECT_EQ(State(next), "{}");
  }
}

// Two replicas under one identity, as a forger or a copied one: whatever arrives first, all end equal.
TEST(Strategies, ValuesThatAForgerWroteUnderOneNameConvergeInAnyOrder) {
  const auto write = [](std::string_view edits, uint64_t now, int earlier) {
    auto writer = MakeReady(Options(1));
    for (int i = 0; i < earlier; ++i) Set(writer.get(), R"([[["n"],1,2]])", now - 1000);
    Set(writer.get(), edits, now);
    Buffer checkpoint;
    EXPECT_EQ(writer->EncodeCheckpoint(&checkpoint), Status::kOk);
    return std::string(checkpoint.view());
  };
  const std::vector<std::string> forged = {
      write(R"([[["asked"],"second, later clock"]])", kNow + 50'000, 1),
      write(R"([[["asked"],"third, earlier clock"]])", kNow + 10'000, 2),
      write(R"([[["asked"],"third as well"]])", kNow + 10'000, 2),
  };
  std::vector<size_t> order = {0, 1, 2};
  uint64_t digest = 0;
  std::string state;
  do {
    Replica reader(Options(3));
    ASSERT_EQ(reader.Open("{}", kNow), Status::kOk);
    for (const size_t i : order) ASSERT_EQ(reader.Restore(forged[i], kNow), Status::kOk);
    reader.Restored(/*alone=*/true, kNow);
    if (digest == 0) digest = reader.digest(), state = State(reader);
    EXPECT_EQ(reader.digest(), digest) << order[0] << order[1] << order[2] << State(reader) << state;
    // What is known of it can be told.
    Buffer told;
    ASSERT_EQ(reader.EncodeCheckpoint(&told), Status::kOk);
    Replica behind(Options(4));
    ASSERT_EQ(behind.Open("{}", kNow), Status::kOk);
    ASSERT_EQ(behind.Restore(forged[order[0]], kNow), Status::kOk);
    ASSERT_EQ(behind.Restore(told.view(), kNow), Status::kOk);
    EXPECT_EQ(behind.digest(), digest) << order[0];
  } while (std::next_permutation(order.begin(), order.end()));
}

// A version of the app that merges the key as a tree writes it plainly: older values beside one another go,
// later ones stay, and so it is in every order.
TEST(Strategies, PlainWritesWinByStampOverValuesAndCounts) {
  ReplicaOptions plain = Options(3);
  plain.strategies.clear();
  auto a = MakeReady(Options(1));
  auto b = MakeReady(Options(2));
  auto c = MakeReady(plain);
  const std::vector<std::string> records = {
      Set(a.get(), R"([[["asked"],"early"],[["tree","n"],1,2]])", kNow + 1),
      Set(b.get(), R"([[["asked"],"late"],[["tree","n"],1,2]])", kNow + 9),
      Set(c.get(), R"([[["asked"],{"plain":1}],[["tree"],{"m":1},1]])", kNow + 5),
      Set(c.get(), R"([[["asked"],7,1]])", kNow + 7),
      Set(c.get(), R"([[["asked"]]])", kNow + 6),
  };
  std::vector<size_t> order = {0, 1, 2, 3, 4};
  uint64_t digest = 0;
  do {
    // Those of one instance stay in their order: what comes early is asked for.
    auto target = MakeReady(Options(9));
    for (const size_t index : order) target->Receive(records[index], kNow);
    for (const size_t index : order) target->Receive(records[index], kNow);
    for (const std::string& record : records) target->Receive(record, kNow);
    if (digest == 0) digest = target->digest();
    ASSERT_EQ(target->digest(), digest);
    EXPECT_EQ(State(*target), R"({"asked":"late","tree":{"m":1}})") << State(*target);
    EXPECT_EQ(Conflicts(*target), "[]");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Increment, RefusesWhatIsNoWholeNumberAndChangesNothing) {
  auto a = MakeReady(Options(1), R"({"text":"x","half":0.5,"most":9007199254740991,"object":{},"list":[]})");
  const std::string before = State(*a);
  for (const std::string_view edits :
       {R"([[["text"],1,2]])", R"([[["half"],1,2]])", R"([[["n"],0.5,2]])", R"([[["n"],"1",2]])",
        R"([[["most"],1,2]])", R"([[["object"],1,2]])", R"([[["list"],1,2]])", R"([[["first"],1,2]])",
        R"([[["whole","x"],1,2]])", R"([[["n"],9007199254740992,2]])"}) {
    uint32_t seq = 0;
    EXPECT_EQ(a->LocalSet(edits, kNow, &seq), Status::kNotANumber) << edits;
    EXPECT_EQ(State(*a), before);
  }
}

TEST(Increment, SumsBeyondJavaScriptsWholeNumbersStayAtTheirEdge) {
  auto a = MakeReady(Options(1));
  auto b = MakeReady(Options(2));
  const std::string from_a = Set(a.get(), R"([[["n"],9007199254740991,2],[["m"],-9007199254740991,2]])");
  const std::string from_b = Set(b.get(), R"([[["n"],9007199254740991,2],[["m"],-9007199254740991,2]])");
  a->Receive(from_b, kNow);
  b->Receive(from_a, kNow);
  EXPECT_EQ(State(*a), R"({"n":9007199254740991,"m":-9007199254740991})");
  EXPECT_EQ(a->digest(), b->digest());
}

TEST(Lists, RefuseItemsWithoutAnIdOrWithTheIdOfAnother) {
  auto a = MakeReady(Options(1));
  for (const std::string_view items : {"[1]", "[{}]", "[{\"id\":null}]", "[{\"id\":{}}]", "[{\"id\":[1]}]",
                                       "[{\"id\":true}]", "[{\"id\":1},{\"id\":1}]"}) {
    uint32_t seq = 0;
    EXPECT_EQ(a->LocalSet("[[[\"list\"]," + std::string(items) + "]]", kNow, &seq), Status::kBadListItem)
        << items;
  }
  EXPECT_EQ(State(*a), "{}");
}

TEST(Lists, HundredsOfInsertionsAtOneSpotKeepPositionsShort) {
  auto a = MakeReady(Options(1), R"({"list":[{"id":"first"},{"id":"last"}]})");
  auto b = MakeReady(Options(2), R"({"list":[{"id":"first"},{"id":"last"}]})");
  std::string items;
  for (int i = 0; i < 600; ++i) {
    items = "{\"id\":" + std::to_string(i) + "}" + (items.empty() ? "" : ",") + items;
    b->Receive(Set(a.get(), "[[[\"list\"],[{\"id\":\"first\"}," + items + ",{\"id\":\"last\"}]]]",
                   kNow + static_cast<uint64_t>(i)),
               kNow);
  }
  EXPECT_EQ(State(*b), "{\"list\":[{\"id\":\"first\"}," + items + ",{\"id\":\"last\"}]}");
  const NodeTree& tree = b->document().tree();
  for (const Node* item = tree.FindChild(tree.root(), "list")->first_child; item != nullptr;
       item = item->next) {
    const Node* position = tree.FindChild(item, kPositionKey);
    ASSERT_NE(position, nullptr);
    EXPECT_LE(position->text.size(), 66u);
    EXPECT_TRUE(IsPosition(position->text.substr(1, position->text.size() - 2))) << position->text;
  }
}

TEST(Positions, AscendBetweenTheirNeighboursAndDifferBySalt) {
  std::vector<std::string> bounds = {"1", "A", "U000", "U0001", "U001", "zzzz", "zzzzz"};
  for (size_t low = 0; low <= bounds.size(); ++low) {
    for (size_t high = low; high <= bounds.size(); ++high) {
      const std::string_view below = low == 0 ? std::string_view() : bounds[low - 1];
      const std::string_view above = high == bounds.size() ? std::string_view() : bounds[high];
      const auto positions = PositionsBetween(below, above, 20, 7);
      std::string_view previous = below;
      for (const std::string& position : positions) {
        EXPECT_LT(previous, position);
        EXPECT_TRUE(above.empty() || position < above) << position << " below " << above;
        EXPECT_TRUE(IsPosition(position)) << position;
        previous = position;
      }
      EXPECT_NE(PositionsBetween(below, above, 1, 8), PositionsBetween(below, above, 1, 9));
    }
  }
  for (const std::string_view bad : {"", "0", "a0", "a b", "\xff"}) EXPECT_FALSE(IsPosition(bad)) << bad;
}

}  // namespace
}  // namespace tabmesh
