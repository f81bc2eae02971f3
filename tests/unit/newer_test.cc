// What a newer version of tabmesh adds to its writes stays with them in replicas that do not know it.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/missing.h"
#include "replica/replica.h"
#include "tests/unit/replicas.h"

namespace tabmesh {
namespace {

ReplicaOptions Options(uint8_t id, std::string_view unknown_fields = {}, uint32_t era = 0) {
  ReplicaOptions options = OptionsOf(id);
  options.strategies = {{"asked", Strategy::kPrompt}};
  options.lists = {{"list", "id"}};
  options.unknown_fields = unknown_fields;
  options.era = era;
  return options;
}

// What a replica would tell one that has nothing: the added bytes by path and kind.
std::map<std::string, std::string> Told(const Replica& replica) {
  std::map<std::string, std::string> told;
  CallArena arena;
  OpList ops;
  std::vector<std::string_view> keys;
  const std::vector<uint32_t> nothing(replica.vector().size());
  EXPECT_EQ(CollectMissing(replica.document(), nothing, &arena, &ops, &keys), Status::kOk);
  for (const Op& op : ops) {
    std::string place = std::to_string(static_cast<int>(op.kind)) + ':';
    for (size_t i = 0; i < op.path.size; ++i) place += '/' + std::string(op.path.keys[i]);
    told[place + '@' + std::to_string(replica.vector().Id(op.id.instance).bytes[0])] = op.unknown_fields;
  }
  return told;
}

constexpr std::string_view kEdits =
    R"([[["a","b"],1],[["gone"],1],[["n"],5,2],[["asked"],"x"],[["list"],[{"id":1},{"id":2}]]])";
const std::string kAdded("\0\xff new", 6);

TEST(NewerVersion, WhatItAddsIsToldOnWithEveryKindOfWrite) {
  auto newer = MakeReady(Options(1, kAdded));
  auto older = MakeReady(Options(2));
  older->Receive(Set(newer.get(), kEdits), kNow);
  older->Receive(Set(newer.get(), R"([[["gone"]],[["list"],[{"id":2}]]])", kNow + 1), kNow + 1);
  ASSERT_EQ(State(*older), State(*newer));
  EXPECT_EQ(older->document().digest(), newer->document().digest());
  const auto told = Told(*older);
  EXPECT_EQ(told, Told(*newer));
  EXPECT_GE(told.size(), 8u);
  for (const auto& [place, added] : told) EXPECT_EQ(added, kAdded) << place;
}

TEST(NewerVersion, WhatItAddsComesBackFromARecordACheckpointAndAnEra) {
  auto newer = MakeReady(Options(1, kAdded));
  auto older = MakeReady(Options(2));
  older->Receive(Set(newer.get(), kEdits), kNow);
  Buffer checkpoint;
  ASSERT_EQ(older->EncodeCheckpoint(&checkpoint), Status::kOk);
  auto reader = std::make_unique<Replica>(Options(3, kAdded));
  ASSERT_EQ(reader->Open("{}", kNow), Status::kOk);
  ASSERT_EQ(reader->Restore(checkpoint.view(), kNow), Status::kOk);
  EXPECT_EQ(reader->document().digest(), newer->document().digest());
  EXPECT_EQ(Told(*reader), Told(*newer));

  Buffer state, end;
  ASSERT_EQ(older->EncodeNextEra(&state, &end), Status::kOk);
  auto next = std::make_unique<Replica>(Options(4, {}, 1));
  ASSERT_EQ(next->Open("{}", kNow), Status::kOk);
  ASSERT_EQ(next->Restore(state.view(), kNow), Status::kOk);
  for (const auto& [place, added] : Told(*next)) {
    // A count is part of its base from now on.
    EXPECT_EQ(added, place.find("/n@") == std::string::npos ? kAdded : "") << place;
  }
}

TEST(NewerVersion, WhatItAddedGoesWithWhatItWrote) {
  auto newer = MakeReady(Options(1, kAdded));
  auto older = MakeReady(Options(2));
  const std::string first = Set(newer.get(), kEdits);
  older->Receive(first, kNow);
  const size_t with_them = older->document().tree().text_bytes();
  Set(older.get(), R"([[["a"]],[["gone"],2],[["n"]],[["asked"],"y"],[["list"]]])", kNow + 1);
  for (const auto& [place, added] : Told(*older)) EXPECT_EQ(added, "") << place;
  EXPECT_LT(older->document().tree().text_bytes(), with_them);

  // Whoever hears of the second write first ends the same.
  auto late = MakeReady(Options(3));
  late->Receive(Set(MakeReady(Options(4)).get(), R"([[["x"],1]])"), kNow);
  Buffer all;
  ASSERT_EQ(older->EncodeCheckpoint(&all), Status::kOk);
  ASSERT_EQ(late->Restore(all.view(), kNow), Status::kOk);
  late->Receive(first, kNow);
  for (const auto& [place, added] : Told(*late)) EXPECT_EQ(added, "") << place;
}

TEST(NewerVersion, OfTwoValuesBesideEachOtherEachKeepsItsOwn) {
  auto one = MakeReady(Options(1, "one"));
  auto two = MakeReady(Options(2, "two"));
  auto older = MakeReady(Options(3));
  const std::string a = Set(one.get(), R"([[["asked"],"a"]])");
  const std::string b = Set(two.get(), R"([[["asked"],"b"]])");
  older->Receive(a, kNow);
  older->Receive(b, kNow);
  const std::map<std::string, std::string> both = {{"5:/asked@1", "one"}, {"5:/asked@2", "two"}};
  EXPECT_EQ(Told(*older), both);
  Set(older.get(), R"([[["asked"],"c"]])", kNow + 1);
  const std::map<std::string, std::string> chosen = {{"5:/asked@3", ""}};
  EXPECT_EQ(Told(*older), chosen);
}

}  // namespace
}  // namespace tabmesh
