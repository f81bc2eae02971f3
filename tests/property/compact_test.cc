// A compacted state shows what the state showed, and goes on as it would have gone on.
#include "crdt/compact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/conflicts.h"
#include "tests/property/random_writes.h"

namespace tabmesh {
namespace {

constexpr std::string_view kInitialStates[] = {
    "{}",
    R"({"tree":{"a":{"b":0},"n":1},"n":5,"whole":{"x":0,"y":1},"first":{"f":1},"asked":{"d":0,"e":1}})",
    R"({"tree":{"a":1,"c":{"n":2}},"whole":0,"first":"i","asked":{"d":{"e":1}},"list":[{"id":1,"y":0},{"id":2}]})",
};

InstanceId Author() {
  InstanceId id;
  id.bytes[15] = 200;
  return id;
}

// The new era's replica, which has read nothing but the compacted state.
struct Era {
  VersionVector vector;
  std::vector<std::string_view> keys;  // of the ops it began with
  std::unique_ptr<Writer> writer;
};

void Begin(const Document& document, const VersionVector& vector, CallArena* arena, Era* era, Write* base,
           std::string_view initial = "{}", bool merges_all = false) {
  ASSERT_EQ(Compact(document, vector, Author(), &era->vector, arena, &base->ops, &era->keys), Status::kOk);
  uint32_t self = 0;
  InstanceId own;
  own.bytes[0] = 100;
  ASSERT_EQ(era->vector.Intern(own, &self), Status::kOk);
  era->writer = std::make_unique<Writer>(&era->vector, self, merges_all);
  era->writer->Begin(initial, arena);
  if (!base->ops.empty()) era->writer->Learn(*base);
}

std::string Conflicts(const Document& document, const VersionVector& vector) {
  Buffer out;
  PrintConflicts(document, vector, &out);
  return std::string(out.view());
}

// Member order is not replicated: the printed bytes as a multiset.
std::string Sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

TEST(Compaction, ShowsTheSameAndGoesOnTheSame) {
  const uint64_t first = FromEnvironment("TABMESH_SEED", 1);
  for (uint64_t seed = first; seed < first + Rounds(4000); ++seed) {
    VersionVector vector;
    AddInstances(kReplicas + 1, &vector);
    CallArena arena;
    const std::string_view initial = kInitialStates[seed % std::size(kInitialStates)];
    const bool merges_all = seed % 7 == 0;
    Writer old_era(&vector, kReplicas, merges_all);
    old_era.Begin(initial, &arena);
    for (const Write& write : RandomWrites(seed, &vector, &arena, initial)) old_era.Learn(write);
    Era era;
    Write base{{}, 0};
    Begin(old_era.document(), vector, &arena, &era, &base, initial, merges_all);
    ASSERT_EQ(Sorted(era.writer->State()), Sorted(old_era.State())) << "TABMESH_SEED=" << seed << "\n"
                                                                    << era.writer->State() << "\n"
                                                                    << old_era.State();
    ASSERT_EQ(Conflicts(era.writer->document(), era.vector), Conflicts(old_era.document(), vector))
        << "TABMESH_SEED=" << seed;
    std::mt19937_64 random(seed ^ 0x5eed);
    for (int i = 0; i < 6; ++i) {
      const std::string edits = RandomEdits(&random);
      Write in_old{{}, 0}, in_new{{}, 0};
      const std::string before = old_era.State();
      old_era.Make(edits, 100 + static_cast<uint64_t>(i), &arena, &in_old);
      era.writer->Make(edits, 100 + static_cast<uint64_t>(i), &arena, &in_new);
      ASSERT_EQ(Sorted(era.writer->State()), Sorted(old_era.State()))
          << "TABMESH_SEED=" << seed << " " << edits << " on " << before;
    }
  }
}

TEST(Compaction, LeavesOneInstanceAndNothingThatIsGone) {
  const uint64_t first = FromEnvironment("TABMESH_SEED", 1);
  for (uint64_t seed = first; seed < first + Rounds(4000); ++seed) {
    VersionVector vector;
    AddInstances(kReplicas + 1, &vector);
    CallArena arena;
    Writer old_era(&vector, kReplicas);
    for (const Write& write : RandomWrites(seed, &vector, &arena)) old_era.Learn(write);
    Era era;
    Write base{{}, 0};
    Begin(old_era.document(), vector, &arena, &era, &base);
    size_t values = 0;
    for (const Op& op : base.ops) {
      const bool shows = op.kind == OpKind::kValue || op.kind == OpKind::kLeaf ||
                         op.kind == OpKind::kObject || op.kind == OpKind::kList || op.kind == OpKind::kItem;
      // A list that was removed and written below shows those members, not items.
      const bool keeps_kind = op.kind == OpKind::kTombstone && op.path.size == 1 && op.path.keys[0] == "list";
      ASSERT_TRUE(shows || keeps_kind) << static_cast<int>(op.kind) << " TABMESH_SEED=" << seed;
      const auto beside = [&op](const Op& other) {
        return other.kind == OpKind::kValue && std::equal(other.path.keys, other.path.keys + other.path.size,
                                                          op.path.keys, op.path.keys + op.path.size);
      };
      values += std::any_of(base.ops.begin(), base.ops.end(), beside);
    }
    // The author, the writers of values, of what stands before values, and the reader itself.
    ASSERT_LE(era.vector.size(), 2 + values);
    ASSERT_LE(era.writer->document().tree().node_count(), old_era.document().tree().node_count());
  }
}

}  // namespace
}  // namespace tabmesh
