#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "crdt/diff.h"
#include "crdt/document.h"
#include "crdt/hlc.h"
#include "json/parse.h"

namespace tabmesh {
namespace {

TEST(Hlc, TickIsAboveEverythingObservedAndNotBelowNow) {
  for (const uint64_t local : {5u, 10u, 15u}) {
    for (const uint64_t remote : {5u, 10u, 15u}) {
      for (const uint64_t now : {5u, 10u, 15u}) {
        Hlc clock;
        const HlcTime before = clock.Tick(local);
        clock.Observe(HlcFromMs(remote) + 7);
        const HlcTime time = clock.Tick(now);
        EXPECT_GT(time, before);
        EXPECT_GT(time, HlcFromMs(remote) + 7);
        EXPECT_GE(time, HlcFromMs(now));
      }
    }
  }
}

TEST(Hlc, CounterOverflowCarriesIntoTheMilliseconds) {
  Hlc clock;
  clock.Tick(1000);
  HlcTime last = 0;
  for (int i = 0; i < 70000; ++i) {
    const HlcTime time = clock.Tick(1000);
    ASSERT_GT(time, last);
    last = time;
  }
  EXPECT_EQ(HlcMs(last), 1001u);
}

TEST(Hlc, OwnClockBeyondTheLimitIsClampedBelowWhatOthersRefuse) {
  Hlc clock;
  EXPECT_LT(HlcMs(clock.Tick(UINT64_MAX)), kHlcMsMax);
}

// A document with three instances, written by JSON edits at given times.
class DocumentTest : public ::testing::Test {
 protected:
  DocumentTest() : document_(&vector_) {
    for (uint8_t i = 0; i < 3; ++i) {
      InstanceId id;
      id.bytes[0] = i;
      uint32_t index = 0;
      EXPECT_EQ(vector_.Intern(id, &index), Status::kOk);
    }
  }

  // Writes `edits` as `instance` at `ms`; returns the ops, which live as long as the test.
  OpList Write(std::string_view edits, uint32_t instance, uint64_t ms, Strategy strategy = Strategy::kMerge) {
    Edit* edit = nullptr;
    EXPECT_EQ(parser_.ParseEdits(edits, &arena_, &edit), Status::kOk) << edits;
    OpList ops;
    for (; edit != nullptr; edit = edit->next) {
      EXPECT_EQ(Diff(document_, *edit, strategy, 0, ms, &arena_, &ops), Status::kOk);
    }
    for (Op& op : ops) op.id = {HlcFromMs(ms), instance, static_cast<uint32_t>(ms)};
    Merge(&document_, ops);
    return ops;
  }

  static void Merge(Document* document, OpList ops) {
    EXPECT_EQ(document->Prepare(&ops), Status::kOk);
    document->Commit(ops);
  }

  std::string State() {
    Buffer out;
    document_.PrintState(&out);
    return std::string(out.view());
  }

  std::string Changes() {
    Buffer out;
    return document_.EndChanges(&out) ? std::string(out.view()) : "";
  }

  JsonParser parser_;
  CallArena arena_;
  VersionVector vector_;
  Document document_;
};

TEST_F(DocumentTest, WritesOnlyWhatDiffers) {
  EXPECT_EQ(Write(R"([[["a"],{"x":1,"y":{"z":[1]}}]])", 0, 1).size(), 4u);
  EXPECT_EQ(Write(R"([[["a"],{"x":1,"y":{"z":[1]}}]])", 0, 2).size(), 0u);
  EXPECT_EQ(Write(R"([[["a"],{"x":2,"y":{"z":[1]}}]])", 0, 3).size(), 1u);
  EXPECT_EQ(Write(R"([[["a"],{"y":{"z":[1]}}]])", 0, 4).size(), 1u);
  EXPECT_EQ(State(), R"({"a":{"y":{"z":[1]}}})");
}

TEST_F(DocumentTest, LastWriteIsTheNewestAtAPathOrBelowIt) {
  const auto ms = [&](std::initializer_list<std::string_view> keys) {
    const std::vector<std::string_view> list(keys);
    return HlcMs(document_.LastWriteOf({list.data(), list.size()}).hlc);
  };
  EXPECT_EQ(ms({"a"}), 0u);
  Write(R"([[["a"],{"x":1,"y":{"z":[1,2]}}],[["b"],1]])", 0, 3);
  Write(R"([[["a","y","z"],[1]]])", 1, 7);
  EXPECT_EQ(ms({"a"}), 7u);
  EXPECT_EQ(ms({"a", "x"}), 3u);
  EXPECT_EQ(ms({"a", "y"}), 7u);
  EXPECT_EQ(ms({"a", "y", "z", "0"}), 7u);  // of a value that merges whole, that of the whole
  EXPECT_EQ(ms({"a", "none"}), 0u);
  EXPECT_EQ(ms({"b"}), 3u);
  EXPECT_EQ(document_.LastWriteOf({}).instance, 1u);
  Write(R"([[["b"]]])", 2, 9);
  EXPECT_EQ(ms({"b"}), 9u);
  Write(R"([[["d"],1,3]])", 0, 12, Strategy::kPrompt);
  Write(R"([[["d"],2,3]])", 1, 13, Strategy::kPrompt);
  EXPECT_EQ(ms({"d"}), 13u);
  EXPECT_EQ(ms({}), 13u);
}

TEST_F(DocumentTest, LaterStampWinsAndInstanceBreaksTies) {
  Write(R"([[["a"],1]])", 1, 5);
  Merge(&document_, Write(R"([[["a"],2]])", 0, 4));
  EXPECT_EQ(State(), R"({"a":1})");
  Write(R"([[["a"],3]])", 2, 5);
  EXPECT_EQ(State(), R"({"a":3})");
  Write(R"([[["a"],4]])", 0, 5);
  EXPECT_EQ(State(), R"({"a":3})");
}

TEST_F(DocumentTest, EmptiedObjectsStay) {
  Write(R"([[["a"],{"b":1}]])", 0, 1);
  Write(R"([[["a","b"]]])", 0, 2);
  EXPECT_EQ(State(), R"({"a":{}})");
  Write(R"([[["a"]]])", 0, 3);
  EXPECT_EQ(State(), R"({})");
}

TEST_F(DocumentTest, RemovedKeyAndConcurrentWriteInsideGoByStamp) {
  Write(R"([[["a"],{"old":1}]])", 0, 1);
  Write(R"([[["a"]]])", 0, 10);
  OpList later(1), earlier(1);
  const std::string_view new_path[] = {"a", "new"};
  later[0].path = earlier[0].path = {new_path, 2};
  later[0].value = earlier[0].value = "1";
  later[0].id = {HlcFromMs(11), 1, 1};
  earlier[0].id = {HlcFromMs(9), 1, 1};
  Merge(&document_, earlier);
  EXPECT_EQ(State(), R"({})");
  Merge(&document_, later);
  EXPECT_EQ(State(), R"({"a":{"new":1}})");
}

TEST_F(DocumentTest, ScalarHidesOlderSubtreeAndYieldsToNewerMembers) {
  Write(R"([[["a"],{"b":1,"c":2}]])", 0, 1);
  Write(R"([[["a"],5]])", 0, 2);
  EXPECT_EQ(State(), R"({"a":5})");
  Write(R"([[["a"],{"d":3}]])", 1, 3);
  EXPECT_EQ(State(), R"({"a":{"d":3}})");
}

TEST_F(DocumentTest, ReplaceDropsWhatOthersWroteBeforeAndKeepsWhatIsNewer) {
  Write(R"([[["a"],{"b":1}]])", 0, 1);
  OpList mine = Write(R"([[["a","mine"],1]])", 1, 2);
  OpList newer = Write(R"([[["a","newer"],1]])", 1, 9);
  Write(R"([[["a"],{"only":1},1]])", 0, 5);
  EXPECT_EQ(State(), R"({"a":{"newer":1,"only":1}})");
  Merge(&document_, mine);
  EXPECT_EQ(State(), R"({"a":{"newer":1,"only":1}})");
}

TEST_F(DocumentTest, LastWriteWinsKeepsTheKeyWhole) {
  Write(R"([[["a"],{"x":1,"y":2}]])", 0, 1, Strategy::kLastWriteWins);
  Write(R"([[["a"],{"x":2}]])", 1, 2, Strategy::kLastWriteWins);
  EXPECT_EQ(State(), R"({"a":{"x":2}})");
}

TEST_F(DocumentTest, TellsChangesOnceAtTheirTopmostPlace) {
  Write(R"([[["a"],{"b":{"c":1,"d":2}}],[["e"],1]])", 0, 1);
  EXPECT_EQ(Changes(), R"([[["a"],{"b":{"c":1,"d":2}}],[["e"],1]])");
  EXPECT_EQ(Changes(), "");
  Write(R"([[["a","b","c"],3],[["e"]]])", 0, 2);
  EXPECT_EQ(Changes(), R"([[["a","b","c"],3],[["e"]]])");
  Write(R"([[["a"],7]])", 0, 3);
  EXPECT_EQ(Changes(), R"([[["a"],7]])");
}

TEST_F(DocumentTest, ChangesOfAReplaceNameRemovedMembers) {
  Write(R"([[["a"],{"b":1,"c":{"d":1}}]])", 0, 1);
  Changes();
  Write(R"([[["a"],{"b":1},1]])", 0, 2);
  EXPECT_EQ(Changes(), R"([[["a","b"],1],[["a","c"]]])");
}

TEST_F(DocumentTest, DigestFollowsContentAndReturns) {
  const uint64_t empty = document_.digest();
  EXPECT_EQ(empty, 0u);
  const OpList ops = Write(R"([[["a"],{"b":1}],[["c"],2]])", 0, 1);
  const uint64_t one = document_.digest();
  EXPECT_NE(one, empty);
  Merge(&document_, ops);
  EXPECT_EQ(document_.digest(), one);
  Write(R"([[["a"],9]])", 0, 2);
  EXPECT_NE(document_.digest(), one);
}

TEST_F(DocumentTest, SubtreesThatAreGoneGiveTheirNodesBack) {
  Write(R"([[["a"],{}]])", 0, 1);
  Changes();
  const size_t nodes = document_.tree().node_count();
  const size_t texts = document_.tree().text_bytes();
  for (uint64_t ms = 2; ms < 200; ms += 2) {
    Write(R"([[["a"],{"b":{"c":{"d":"text","e":[1,2,3]}}},1]])", 0, ms);
    Changes();
    Write(R"([[["a"],{},1]])", 0, ms + 1);
    Changes();
  }
  EXPECT_EQ(document_.tree().node_count(), nodes);
  EXPECT_EQ(document_.tree().text_bytes(), texts);
}

TEST_F(DocumentTest, RefusesTwoEditsOfOneMember) {
  Edit* edit = nullptr;
  ASSERT_EQ(parser_.ParseEdits(R"([[["a"],{"x":1,"x":2}]])", &arena_, &edit), Status::kOk);
  OpList ops;
  EXPECT_EQ(Diff(document_, *edit, Strategy::kMerge, 0, 0, &arena_, &ops), Status::kDuplicatePath);
}

TEST_F(DocumentTest, RefusesAStateThatIsTooLargeAndKeepsTheOld) {
  Write(R"([[["kept"],1]])", 0, 1);
  const std::string value = "\"" + std::string(kValueBytesMax - 2, 'x') + "\"";
  OpList ops(kStateBytesMax / kValueBytesMax + 1);
  std::vector<std::string> keys(ops.size());
  std::vector<std::string_view> views(ops.size());
  for (size_t i = 0; i < ops.size(); ++i) {
    keys[i] = std::to_string(i);
    views[i] = keys[i];
    ops[i].path = {&views[i], 1};
    ops[i].value = value;
    ops[i].id = {HlcFromMs(2), 0, 2};
  }
  EXPECT_EQ(document_.Prepare(&ops), Status::kStateTooLarge);
  Changes();
  EXPECT_EQ(State(), R"({"kept":1})");
  EXPECT_EQ(document_.tree().node_count(), 1u);
}

}  // namespace
}  // namespace tabmesh
