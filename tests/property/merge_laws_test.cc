// The laws of the merge over random op sets: order, grouping and repetition make no difference.
// Replay one seed with TABMESH_SEED=<seed>; more rounds with TABMESH_ROUNDS=<n>.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/document.h"

namespace tabmesh {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

struct World {
  VersionVector vector;
  std::vector<std::vector<std::string_view>> paths;
  OpList ops;
};

void AddInstances(VersionVector* vector) {
  for (uint8_t i = 0; i < 4; ++i) {
    InstanceId id;
    id.bytes[0] = i;
    uint32_t index = 0;
    ASSERT_EQ(vector->Intern(id, &index), Status::kOk);
  }
}

World RandomOps(uint64_t seed) {
  static constexpr std::string_view kKeys[] = {"a", "b", "c"};
  static constexpr std::string_view kValues[] = {"1", "\"x\"", "[1,2]", "null"};
  std::mt19937_64 random(seed);
  World world;
  AddInstances(&world.vector);
  const size_t count = 1 + random() % 8;
  for (size_t i = 0; i < count; ++i) {
    auto& path = world.paths.emplace_back();
    for (size_t depth = 1 + random() % 3; depth > 0; --depth) path.push_back(kKeys[random() % 3]);
    Op& op = world.ops.emplace_back();
    op.kind = static_cast<OpKind>(random() % 4);
    if (op.kind == OpKind::kLeaf) op.value = kValues[random() % 4];
    // Few times and instances, so that ties of every sort happen; even forged ones.
    op.id = {HlcFromMs(1 + random() % 4), static_cast<uint32_t>(random() % 4), 1};
  }
  for (size_t i = 0; i < count; ++i) world.ops[i].path = {world.paths[i].data(), world.paths[i].size()};
  return world;
}

struct Outcome {
  uint64_t digest;
  std::string state;
  size_t nodes;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class Merger {
 public:
  explicit Merger(const World& world) : document_(&world.vector) {}
  void Add(OpList ops) {
    ASSERT_EQ(document_.Prepare(&ops), Status::kOk);
    document_.Commit(ops);
    document_.EndChanges(nullptr);
  }
  Outcome End() {
    Buffer out;
    document_.PrintState(&out);
    // Member order is not replicated: compare the printed bytes as a multiset.
    std::string state(out.view());
    std::sort(state.begin(), state.end());
    return {document_.digest(), state, document_.tree().node_count()};
  }
  const Document& document() const { return document_; }

 private:
  Document document_;
};

TEST(MergeLaws, OrderGroupingAndRepetitionMakeNoDifference) {
  const uint64_t first = FromEnvironment("TABMESH_SEED", 1);
  const uint64_t rounds =
      std::getenv("TABMESH_SEED") != nullptr ? 1 : FromEnvironment("TABMESH_ROUNDS", 4000);
  for (uint64_t seed = first; seed < first + rounds; ++seed) {
    const World world = RandomOps(seed);
    Merger all_at_once(world);
    all_at_once.Add(world.ops);
    const Outcome expected = all_at_once.End();

    std::mt19937_64 random(seed ^ 0xabcdef);
    for (int order = 0; order < 24; ++order) {
      OpList shuffled = world.ops;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      Merger one_by_one(world);
      for (const Op& op : shuffled) {
        one_by_one.Add({op});
        if (random() % 3 == 0) one_by_one.Add({shuffled[random() % shuffled.size()]});
      }
      ASSERT_EQ(one_by_one.End(), expected)
          << "replay: TABMESH_SEED=" << seed << " core_tests --gtest_filter=MergeLaws.*";
    }
  }
}

TEST(MergeLaws, DeltasCarryTheWholeState) {
  for (uint64_t seed = 1; seed < 4000; ++seed) {
    const World world = RandomOps(seed);
    Merger source(world);
    source.Add(world.ops);
    OpList missing;
    std::vector<std::string_view> keys;
    source.document().CollectMissing(std::vector<uint32_t>(4), &missing, &keys);
    Merger copy(world);
    copy.Add(missing);
    ASSERT_EQ(copy.End(), source.End()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tabmesh
