// What a tab's readers see: built from the core's changes alone, as the glue does, and compared with the
// core.
#ifndef TABMESH_TESTS_SIM_MIRROR_H_
#define TABMESH_TESTS_SIM_MIRROR_H_

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/parse.h"

namespace tabmesh::sim {

/// A JSON value by members, so that two are equal whatever the order of their keys.
struct Tree {
  std::string text;  // scalars and arrays; empty for objects and keyed lists
  bool list = false;
  std::vector<std::string> order;  // of a list's items, which are its members
  std::map<std::string, Tree, std::less<>> members;
  friend bool operator==(const Tree&, const Tree&) = default;
};

inline Tree FromValue(const JsonValue& value) {
  Tree tree;
  if (value.kind == JsonValue::Kind::kText) {
    tree.text = std::string(value.text);
    return tree;
  }
  tree.list = value.kind == JsonValue::Kind::kList;
  for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
    tree.members[std::string(member->key)] = FromValue(*member);
    if (tree.list) tree.order.emplace_back(member->key);
  }
  return tree;
}

/// Whether `tree` is what `FromValue(value)` would be; nothing is copied, O(value).
inline bool Same(const Tree& tree, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kText) return tree.members.empty() && tree.text == value.text;
  if (!tree.text.empty() || tree.list != (value.kind == JsonValue::Kind::kList)) return false;
  size_t count = 0;
  for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
    const auto found = tree.members.find(member->key);
    if (found == tree.members.end() || !Same(found->second, *member)) return false;
    if (tree.list && (count >= tree.order.size() || tree.order[count] != member->key)) return false;
    ++count;
  }
  return count == tree.members.size() && (!tree.list || count == tree.order.size());
}

class Mirror {
 public:
  explicit Mirror(const ListKeys* lists) { parser_.UseLists(lists); }

  /// Takes the whole state, an object.
  bool Reset(std::string_view state) {
    CallArena arena;
    JsonValue* value = nullptr;
    if (parser_.ParseObject(state, &arena, &value) != Status::kOk) return false;
    root_ = FromValue(*value);
    return true;
  }

  /// Applies `[[path, value], [path], …]`. The core's changes must not touch one place twice.
  bool Apply(std::string_view edits, bool disjoint = false) {
    CallArena arena;
    Edit* edit = nullptr;
    if (parser_.ParseEdits(edits, &arena, &edit) != Status::kOk) return false;
    if (disjoint && !AreDisjoint(edit)) return false;
    for (; edit != nullptr; edit = edit->next) ApplyOne(*edit);
    return true;
  }

  const Tree& root() const { return root_; }

 private:
  static bool AreDisjoint(const Edit* edit) {
    std::vector<std::vector<std::string_view>> paths;
    for (; edit != nullptr; edit = edit->next) {
      paths.emplace_back(edit->path.keys, edit->path.keys + edit->path.size);
    }
    // In this order a path stands right after its longest prefix, or after others below that prefix.
    std::sort(paths.begin(), paths.end());
    for (size_t i = 1; i < paths.size(); ++i) {
      const auto& before = paths[i - 1];
      if (before.size() <= paths[i].size() && std::equal(before.begin(), before.end(), paths[i].begin())) {
        return false;
      }
    }
    return true;
  }

  void ApplyOne(const Edit& edit) {
    Tree* at = &root_;
    for (size_t i = 0; i + 1 < edit.path.size; ++i) {
      const bool there = at->members.find(edit.path.keys[i]) != at->members.end();
      if (!there && (edit.value == nullptr || at->list)) return;
      if (!at->text.empty()) at->text.clear();
      at = &at->members[std::string(edit.path.keys[i])];
    }
    if (edit.value != nullptr) at->text.clear();
    const std::string last(edit.path.keys[edit.path.size - 1]);
    if (edit.value == nullptr) {
      at->members.erase(last);
      at->order.erase(std::remove(at->order.begin(), at->order.end(), last), at->order.end());
    } else if (edit.mode == Edit::Mode::kIncrement) {
      Tree& number = at->members[last];
      const long long before = number.text.empty() ? 0 : std::atoll(number.text.c_str());
      number.text = std::to_string(before + std::atoll(std::string(edit.value->text).c_str()));
    } else {
      at->members[last] = FromValue(*edit.value);
    }
  }

  JsonParser parser_;
  Tree root_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_MIRROR_H_
