// Every order of a few writes, exhaustively.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "crdt/conflicts.h"
#include "tests/property/writer.h"

namespace tabmesh {
namespace {

// What readers see, members by name: their order is not replicated.
std::string Shows(const Node* node) {
  if (node->shown == Shown::kLeaf) return std::string(node->LeafText());
  std::map<std::string, std::string> members;
  for (const Node* child = node->first_child; child != nullptr; child = child->next) {
    if (child->shown != Shown::kNothing) members[std::string(child->key)] = Shows(child);
  }
  std::string text = "{";
  for (const auto& [key, value] : members) {
    text += (text.size() > 1 ? ",\"" : "\"") + key + "\":" + value;
  }
  return text + "}";
}

std::string MergedIn(const std::vector<Write>& writes, const std::vector<size_t>& order,
                     const VersionVector& vector, uint64_t* digest) {
  Document document(&vector);
  for (const size_t index : order) {
    OpList ops = writes[index].ops;
    EXPECT_EQ(document.Prepare(&ops), Status::kOk);
    document.Commit(ops);
    document.EndChanges(nullptr);
  }
  *digest = document.digest();
  Buffer out;
  out.Append(Shows(document.tree().root()));
  PrintConflicts(document, vector, &out);
  return std::string(out.view());
}

// Merges the writes in all orders; returns the one result.
std::string InAllOrders(const std::vector<Write>& writes, const VersionVector& vector) {
  std::vector<size_t> order(writes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  uint64_t digest = 0;
  const std::string expected = MergedIn(writes, order, vector, &digest);
  size_t orders = 0;
  do {
    ++orders;
    uint64_t other = 0;
    EXPECT_EQ(MergedIn(writes, order, vector, &other), expected);
    EXPECT_EQ(other, digest);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, writes.size() == 5 ? 120u : 24u);
  return expected;
}

class FiveWrites : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

// Three replicas: two that write twice without knowing of anyone, one that has seen the first write of each.
TEST_P(FiveWrites, HaveOneResultInAll120Orders) {
  const std::string key = std::get<0>(GetParam());
  const std::string wanted = std::get<1>(GetParam());
  VersionVector vector;
  AddInstances(3, &vector);
  CallArena arena;
  std::vector<std::unique_ptr<Writer>> writers;
  for (uint32_t i = 0; i < 3; ++i) writers.push_back(std::make_unique<Writer>(&vector, i));
  std::vector<Write> writes(5);
  const auto set = [&](const char* value) { return "[[[\"" + key + "\"],\"" + value + "\"]]"; };
  ASSERT_TRUE(writers[0]->Make(set("a1"), 10, &arena, &writes[0]));
  ASSERT_TRUE(writers[1]->Make(set("b1"), 20, &arena, &writes[1]));
  writers[2]->Learn(writes[0]);
  writers[2]->Learn(writes[1]);
  ASSERT_TRUE(writers[2]->Make(set("c1"), 5, &arena, &writes[2]));  // a slow clock, but it has seen both
  ASSERT_TRUE(writers[0]->Make(set("a2"), 30, &arena, &writes[3]));
  ASSERT_TRUE(writers[1]->Make(set("b2"), 40, &arena, &writes[4]));
  const std::string result = InAllOrders(writes, vector);
  EXPECT_EQ(result.substr(0, result.find('}') + 1), wanted);
  const bool asks = key != "first";
  for (const char* value : {"c1", "a2", "b2"}) {
    EXPECT_EQ(result.find("\"value\":\"" + std::string(value)) != std::string::npos, asks) << result;
  }
  for (const char* value : {"a1", "b1"})
    EXPECT_EQ(result.find("\"value\":\"" + std::string(value)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Strategies, FiveWrites,
                         ::testing::Values(std::make_tuple("first", R"({"first":"c1"})"),
                                           std::make_tuple("resolved", R"({"resolved":"b2"})"),
                                           std::make_tuple("asked", R"({"asked":"b2"})")));

// The table in ARCHITECTURE.md, "When a subtree is written and something inside it".
TEST(SubtreeWrites, HaveTheDocumentedResultInAll24Orders) {
  // The four writes at the times given, each by a replica that has seen only the beginning: tree.kept and
  // tree.gone.
  struct Row {
    uint64_t replace, set, remove, scalar;
    const char* wanted;
  };
  const Row rows[] = {
      {20, 30, 40, 10, R"({"tree":{"inside":2,"new":1}})"},
      {30, 20, 10, 5, R"({"tree":{"new":1}})"},
      {20, 30, 10, 40, R"({"tree":"scalar"})"},
      {20, 50, 10, 40, R"({"tree":{"inside":2}})"},
      {40, 30, 50, 45, R"({"tree":"scalar"})"},
      {10, 20, 30, 15, R"({"tree":{"inside":2}})"},
  };
  for (const Row& row : rows) {
    VersionVector vector;
    AddInstances(5, &vector);
    CallArena arena;
    std::vector<std::unique_ptr<Writer>> writers;
    for (uint32_t i = 0; i < 5; ++i) writers.push_back(std::make_unique<Writer>(&vector, i));
    Write begin;
    ASSERT_TRUE(writers[4]->Make(R"([[["tree"],{"kept":0,"gone":0}]])", 1, &arena, &begin));
    for (uint32_t i = 0; i < 4; ++i) writers[i]->Learn(begin);
    std::vector<Write> writes(4);
    ASSERT_TRUE(writers[0]->Make(R"([[["tree"],{"new":1},1]])", row.replace, &arena, &writes[0]));
    ASSERT_TRUE(writers[1]->Make(R"([[["tree","inside"],2]])", row.set, &arena, &writes[1]));
    ASSERT_TRUE(writers[2]->Make(R"([[["tree","gone"]]])", row.remove, &arena, &writes[2]));
    ASSERT_TRUE(writers[3]->Make(R"([[["tree"],"scalar"]])", row.scalar, &arena, &writes[3]));
    for (Write& write : writes) write.ops.insert(write.ops.begin(), begin.ops.begin(), begin.ops.end());
    const std::string result = InAllOrders(writes, vector);
    EXPECT_EQ(result.substr(0, result.rfind('[')), row.wanted) << row.replace << " " << row.set;
  }
}

}  // namespace
}  // namespace tabmesh
