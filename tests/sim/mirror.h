// What a tab's readers see: built from the core's changes alone, as the glue does, and compared with the
// core.
#ifndef TABMESH_TESTS_SIM_MIRROR_H_
#define TABMESH_TESTS_SIM_MIRROR_H_

#include <map>
#include <string>
#include <string_view>

#include "json/parse.h"

namespace tabmesh::sim {

/// A JSON value by members, so that two are equal whatever the order of their keys.
struct Tree {
  std::string text;  // scalars and arrays; empty for objects
  std::map<std::string, Tree, std::less<>> members;
  friend bool operator==(const Tree&, const Tree&) = default;
};

inline Tree FromValue(const JsonValue& value) {
  Tree tree;
  if (value.kind == JsonValue::Kind::kText) {
    tree.text = std::string(value.text);
  } else {
    for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
      tree.members[std::string(member->key)] = FromValue(*member);
    }
  }
  return tree;
}

class Mirror {
 public:
  /// Takes the whole state, an object.
  bool Reset(std::string_view state) {
    CallArena arena;
    JsonValue* value = nullptr;
    if (parser_.ParseObject(state, &arena, &value) != Status::kOk) return false;
    root_ = FromValue(*value);
    return true;
  }

  /// Applies `[[path, value], [path], …]`.
  bool Apply(std::string_view edits) {
    CallArena arena;
    Edit* edit = nullptr;
    if (parser_.ParseEdits(edits, &arena, &edit) != Status::kOk) return false;
    for (; edit != nullptr; edit = edit->next) ApplyOne(*edit);
    return true;
  }

  const Tree& root() const { return root_; }

 private:
  void ApplyOne(const Edit& edit) {
    Tree* at = &root_;
    for (size_t i = 0; i + 1 < edit.path.size; ++i) {
      if (edit.value == nullptr && at->members.find(edit.path.keys[i]) == at->members.end()) return;
      if (!at->text.empty()) at->text.clear();
      at = &at->members[std::string(edit.path.keys[i])];
    }
    if (edit.value != nullptr) at->text.clear();
    const std::string last(edit.path.keys[edit.path.size - 1]);
    if (edit.value == nullptr) {
      at->members.erase(last);
    } else {
      at->members[last] = FromValue(*edit.value);
    }
  }

  JsonParser parser_;
  Tree root_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_MIRROR_H_
