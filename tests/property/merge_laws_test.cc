// The laws of the merge over random op sets: order, grouping and repetition make no difference.
// Replay one seed with TABMESH_SEED=<seed>; more rounds with TABMESH_ROUNDS=<n>.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/document.h"
#include "crdt/missing.h"
#include "json/print.h"
#include "tests/property/random_writes.h"

namespace tabmesh {
namespace {

struct World {
  VersionVector vector;
  std::vector<std::vector<std::string_view>> paths;
  OpList ops;
};

World RandomOps(uint64_t seed) {
  static constexpr std::string_view kKeys[] = {"a", "b", "c"};
  static constexpr std::string_view kValues[] = {"1", "\"x\"", "[1,2]", "null"};
  static constexpr std::string_view kAdded[] = {"", "", "x", "more"};
  std::mt19937_64 random(seed);
  World world;
  AddInstances(kReplicas, &world.vector);
  const size_t count = 1 + random() % 8;
  for (size_t i = 0; i < count; ++i) {
    auto& path = world.paths.emplace_back();
    for (size_t depth = 1 + random() % 3; depth > 0; --depth) path.push_back(kKeys[random() % 3]);
    Op& op = world.ops.emplace_back();
    op.kind = static_cast<OpKind>(random() % 5);
    op.unknown_fields = kAdded[random() % 4];
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
  friend void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << outcome.state << ", " << outcome.nodes << " nodes, digest " << outcome.digest;
  }
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
  const uint64_t rounds = Rounds(4000);
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
    CallArena arena;
    OpList missing;
    std::vector<std::string_view> keys;
    ASSERT_EQ(CollectMissing(source.document(), std::vector<uint32_t>(4), &arena, &missing, &keys),
              Status::kOk);
    Merger copy(world);
    copy.Add(missing);
    ASSERT_EQ(copy.End(), source.End()) << "seed " << seed;
  }
}

// ---- writes of every sort ---------------------------------------------------------------------------

std::string Account(const std::vector<Write>& writes) {
  static constexpr const char* kNames[] = {"leaf",  "tombstone", "object", "replace", "clear",
                                           "value", "count",     "list",   "item",    "item gone"};
  Buffer out;
  for (const Write& write : writes) {
    for (const Op& op : write.ops) {
      PrintPath(op.path, &out);
      out.Append(std::string(" ") + kNames[static_cast<size_t>(op.kind)] + " " + std::string(op.value) +
                 " at " + std::to_string(HlcMs(op.id.hlc)) + "." + std::to_string(op.id.hlc & 0xffff) +
                 " by " + std::to_string(op.id.instance) + ":" + std::to_string(op.id.seq));
      for (size_t i = 0; op.detail != nullptr && i < op.detail->context_size; ++i) {
        out.Append(" saw " + std::to_string(op.detail->context[i].instance) + ":" +
                   std::to_string(op.detail->context[i].seq));
      }
      if (op.kind == OpKind::kCount) {
        out.Append(" total " + std::to_string(op.detail->total) + " since " +
                   std::to_string(HlcMs(op.detail->epoch.hlc)));
      }
      out.AppendByte('\n');
    }
  }
  return std::string(out.view());
}

TEST(MergeLaws, WritesOfEverySortEndEqualInAnyOrder) {
  const uint64_t first = FromEnvironment("TABMESH_SEED", 1);
  VersionVector vector;
  AddInstances(kReplicas, &vector);
  CallArena arena;
  for (uint64_t seed = first; seed < first + Rounds(2000); ++seed) {
    arena.Reset();
    std::vector<Write> writes = RandomWrites(seed, &vector, &arena);
    if (writes.empty()) continue;
    World world;
    world.vector = vector;
    Merger in_order(world);
    for (const Write& write : writes) in_order.Add(write.ops);
    const Outcome expected = in_order.End();
    std::mt19937_64 random(seed ^ 0xabcdef);
    for (int order = 0; order < 24; ++order) {
      std::shuffle(writes.begin(), writes.end(), random);
      Merger shuffled(world);
      for (const Write& write : writes) {
        shuffled.Add(write.ops);
        if (random() % 3 == 0) shuffled.Add(writes[random() % writes.size()].ops);
      }
      ASSERT_EQ(shuffled.End(), expected)
          << "replay: TABMESH_SEED=" << seed << " core_tests --gtest_filter=MergeLaws.*\n"
          << Account(writes);
    }
  }
}

// Any replica may hand on what it has: to one that has nothing, and to one that has something else.
TEST(MergeLaws, DeltasOfEverySortOfWriteCarryWhatIsMissing) {
  const uint64_t first = FromEnvironment("TABMESH_SEED", 1);
  VersionVector vector;
  AddInstances(kReplicas, &vector);
  CallArena arena;
  for (uint64_t seed = first; seed < first + Rounds(4000); ++seed) {
    arena.Reset();
    const std::vector<Write> writes = RandomWrites(seed, &vector, &arena);
    World world;
    world.vector = vector;
    Merger whole(world);
    Merger some(world);
    std::mt19937_64 random(seed);
    std::vector<uint32_t> covered(kReplicas);
    std::vector<bool> stopped(kReplicas);
    for (const Write& write : writes) {
      whole.Add(write.ops);
      if (random() % 2 == 0) stopped[write.instance] = true;
      if (stopped[write.instance]) continue;
      some.Add(write.ops);
      covered[write.instance] = write.ops[0].id.seq;
    }
    OpList missing;
    std::vector<std::string_view> keys;
    ASSERT_EQ(CollectMissing(whole.document(), covered, &arena, &missing, &keys), Status::kOk);
    some.Add(missing);
    ASSERT_EQ(some.End(), whole.End())
        << "replay: TABMESH_SEED=" << seed << " core_tests --gtest_filter=MergeLaws.*\n"
        << Account(writes);
  }
}

}  // namespace
}  // namespace tabmesh
