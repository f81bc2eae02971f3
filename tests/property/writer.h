// A replica without a network, for laws: it learns a write when it is told.
#ifndef TABMESH_TESTS_PROPERTY_WRITER_H_
#define TABMESH_TESTS_PROPERTY_WRITER_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crdt/diff.h"
#include "crdt/document.h"
#include "crdt/hlc.h"
#include "json/parse.h"

namespace tabmesh {

inline void AddInstances(size_t count, VersionVector* vector) {
  for (size_t i = 0; i < count; ++i) {
    InstanceId id;
    id.bytes[0] = static_cast<uint8_t>(i);
    uint32_t index = 0;
    ASSERT_EQ(vector->Intern(id, &index), Status::kOk);
  }
}

inline constexpr size_t kReplicas = 4;
inline const ListKeys kLists = {{"list", "id"}};

inline Strategy StrategyOf(std::string_view key) {
  if (key == "whole") return Strategy::kLastWriteWins;
  if (key == "first") return Strategy::kFirstWriteWins;
  if (key == "asked") return Strategy::kPrompt;
  if (key == "resolved") return Strategy::kResolve;
  return Strategy::kMerge;
}

// One write: its ops have one stamp.
struct Write {
  OpList ops;
  uint32_t instance;
};

class Writer {
 public:
  /// `merges_all`: of another version of the app, which merges all keys leaf by leaf.
  Writer(const VersionVector* vector, uint32_t instance, bool merges_all = false)
      : document_(vector, &kLists), instance_(instance), merges_all_(merges_all) {
    parser_.UseLists(&kLists);
  }

  /// As Replica::Open does; before all writes.
  void Begin(std::string_view initial_state, CallArena* arena) {
    JsonValue* state = nullptr;
    ASSERT_EQ(parser_.ParseObject(initial_state, arena, &state), Status::kOk);
    OpList ops;
    for (JsonValue* member = state->first_member; member != nullptr; member = member->next_member) {
      Edit edit;
      edit.path = {&member->key, 1};
      edit.value = member;
      const Strategy strategy =
          KeptAs(member->key) == Strategy::kMerge ? Strategy::kMerge : Strategy::kLastWriteWins;
      ASSERT_EQ(Diff(document_, edit, strategy, instance_, 0, arena, &ops), Status::kOk);
    }
    ASSERT_EQ(document_.Prepare(&ops), Status::kOk);
    for (const Op& op : ops) {
      for (Node* node = op.node; node != nullptr; node = node->parent) node->initial = true;
    }
    document_.Commit(ops);
    document_.EndChanges(nullptr);
  }

  // Null when nothing had to be written.
  // `unknown_fields`: what a newer version adds to each op; must stay.
  bool Make(const std::string& edits, uint64_t ms, CallArena* arena, Write* write,
            std::string_view unknown_fields = {}) {
    Edit* edit = nullptr;
    EXPECT_EQ(parser_.ParseEdits(edits, arena, &edit), Status::kOk) << edits;
    write->instance = instance_;
    for (; edit != nullptr; edit = edit->next) {
      const Status status = edit->mode == Edit::Mode::kIncrement
                                ? Increment(document_, *edit, instance_, arena, &write->ops)
                                : Diff(document_, *edit, KeptAs(edit->path.keys[0]), instance_,
                                       ms ^ instance_, arena, &write->ops);
      if (status != Status::kOk) return false;
    }
    if (write->ops.empty()) return false;
    const WriteId id{clock_.Tick(ms), instance_, ++seq_};
    for (Op& op : write->ops) {
      op.id = id;
      op.unknown_fields = unknown_fields;
    }
    Learn(*write);
    return true;
  }

  void Learn(const Write& write) {
    OpList ops = write.ops;
    clock_.Observe(ops[0].id.hlc);
    ASSERT_EQ(document_.Prepare(&ops), Status::kOk);
    document_.Commit(ops);
    document_.EndChanges(nullptr);
  }

  const Document& document() const { return document_; }
  std::string State() const {
    Buffer out;
    document_.PrintState(&out);
    return std::string(out.view());
  }

 private:
  Strategy KeptAs(std::string_view key) const { return merges_all_ ? Strategy::kMerge : StrategyOf(key); }

  Document document_;
  JsonParser parser_;
  Hlc clock_;
  uint32_t instance_;
  bool merges_all_;
  uint32_t seq_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_TESTS_PROPERTY_WRITER_H_
