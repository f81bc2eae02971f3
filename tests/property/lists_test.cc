// Keyed lists under random operations by five replicas that hear of each other late. More rounds with
// TABMESH_ROUNDS=<n>, one seed with TABMESH_SEED=<seed>.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/property/writer.h"

namespace tabmesh {
namespace {

constexpr uint32_t kTabs = 5;
constexpr size_t kOperations = 1000;

// What a tab's user sees: ids in order, and a number in each.
using Items = std::vector<std::pair<int, int>>;

Items Read(const Writer& writer) {
  Items items;
  const Node* list = writer.document().tree().FindChild(writer.document().tree().root(), "list");
  if (list == nullptr || list->shown != Shown::kList) return items;
  for (const Node* item : ItemsInOrder(list, &kLists)) {
    const Node* number = writer.document().tree().FindChild(item, "n");
    items.emplace_back(std::stoi(std::string(item->key)),
                       number == nullptr ? 0 : std::stoi(std::string(number->LeafText())));
  }
  return items;
}

std::string Edits(const Items& items) {
  std::string text = "[[[\"list\"],[";
  for (const auto& [id, number] : items) {
    if (text.back() == '}') text += ',';
    text += "{\"id\":" + std::to_string(id) + ",\"n\":" + std::to_string(number) + '}';
  }
  return text + "]]]";
}

TEST(KeyedLists, HaveOneOrderNoDuplicatesAndLoseNothing) {
  const char* one = std::getenv("TABMESH_SEED");
  const char* rounds = std::getenv("TABMESH_ROUNDS");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one != nullptr ? first : rounds == nullptr ? 4 : std::strtoull(rounds, nullptr, 10);
  for (uint64_t seed = first; seed <= last; ++seed) {
    std::mt19937_64 random(seed);
    VersionVector vector;
    AddInstances(kTabs, &vector);
    std::vector<std::unique_ptr<CallArena>> arenas;
    std::vector<std::unique_ptr<Writer>> tabs;
    for (uint32_t i = 0; i < kTabs; ++i) tabs.push_back(std::make_unique<Writer>(&vector, i));
    std::vector<std::vector<Write>> made(kTabs);
    size_t known[kTabs][kTabs] = {};
    std::set<int> removed;
    std::set<int> inserted;
    int next_id = 1;
    const auto learn = [&](size_t who, size_t whom, size_t count) {
      for (; count > 0 && known[who][whom] < made[whom].size(); --count) {
        tabs[who]->Learn(made[whom][known[who][whom]++]);
      }
    };
    for (size_t operation = 0; operation < kTabs * kOperations; ++operation) {
      const size_t who = random() % kTabs;
      Items items = Read(*tabs[who]);
      const size_t at = items.empty() ? 0 : random() % items.size();
      switch (items.size() < 3 ? 0 : random() % (items.size() > 25 ? 6 : 5)) {
        case 0:
          items.insert(items.begin() + static_cast<ptrdiff_t>(at), {next_id, 0});
          inserted.insert(next_id++);
          break;
        case 1: {
          const auto moved = items[at];
          items.erase(items.begin() + static_cast<ptrdiff_t>(at));
          items.insert(items.begin() + static_cast<ptrdiff_t>(random() % (items.size() + 1)), moved);
          break;
        }
        case 2:
        case 3:
          items[at].second += 1;
          break;
        default:
          removed.insert(items[at].first);
          items.erase(items.begin() + static_cast<ptrdiff_t>(at));
      }
      arenas.push_back(std::make_unique<CallArena>());
      Write write;
      if (tabs[who]->Make(Edits(items), 1000 + operation / 50 + random() % 20, arenas.back().get(), &write)) {
        made[who].push_back(write);
        ASSERT_EQ(Read(*tabs[who]), items) << "a tab sees what it wrote; seed " << seed;
      }
      if (random() % 3 == 0) learn(random() % kTabs, random() % kTabs, 1 + random() % 20);
    }
    for (size_t who = 0; who < kTabs; ++who) {
      for (size_t whom = 0; whom < kTabs; ++whom) {
        if (who != whom) learn(who, whom, SIZE_MAX);
      }
    }
    const Items end = Read(*tabs[0]);
    std::set<int> there;
    for (const auto& [id, number] : end) ASSERT_TRUE(there.insert(id).second) << id << " is there twice";
    for (const int id : inserted) {
      if (removed.count(id) == 0) ASSERT_TRUE(there.count(id)) << id << " was lost; seed " << seed;
    }
    for (const auto& tab : tabs) {
      ASSERT_EQ(Read(*tab), end) << "replay: TABMESH_SEED=" << seed
                                 << " core_tests --gtest_filter=KeyedLists.*";
      ASSERT_EQ(tab->document().digest(), tabs[0]->document().digest());
    }
  }
}

}  // namespace
}  // namespace tabmesh
