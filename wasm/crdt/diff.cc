#include "crdt/diff.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "json/print.h"

namespace tabmesh {

namespace {

class Differ {
 public:
  Differ(const Document& document, CallArena* arena, OpList* ops)
      : tree_(document.tree()), arena_(arena), ops_(ops) {}

  Status Run(const Edit& edit, Strategy strategy) {
    if (strategy == Strategy::kLastWriteWins) {
      keys_.assign(edit.path.keys, edit.path.keys + edit.path.size);
      return Whole(edit);
    }
    const Node* node = tree_.Find(edit.path);
    const size_t ops_before = ops_->size();
    if (edit.value == nullptr && (node == nullptr || node->shown == Shown::kNothing)) return Status::kOk;
    if (const Status status = MarkAncestors(edit.path); status != Status::kOk) return status;
    const size_t ops_marked = ops_->size();
    keys_.assign(edit.path.keys, edit.path.keys + edit.path.size);
    Status status = Status::kOk;
    if (edit.value == nullptr) {
      status = Remove(node);
    } else {
      status = edit.replace ? Replace(*edit.value) : Value(node, *edit.value);
    }
    if (ops_->size() == ops_marked) ops_->resize(ops_before);  // nothing differs: no marker is needed
    return status;
  }

 private:
  // Objects on the way to an edit stay when their last member goes, so each gets a marker.
  Status MarkAncestors(Path path) {
    const Node* node = tree_.root();
    keys_.clear();
    for (size_t i = 0; i + 1 < path.size; ++i) {
      keys_.push_back(path.keys[i]);
      node = node == nullptr ? nullptr : tree_.FindChild(node, path.keys[i]);
      if (node != nullptr && node->kind == RegisterKind::kObject) continue;
      if (const Status status = Add(OpKind::kObject); status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  Status Add(OpKind kind, std::string_view value = {}) {
    if (keys_.size() > kPathSegmentsMax) return Status::kPathTooLong;
    auto* keys = static_cast<std::string_view*>(arena_->Allocate(keys_.size() * sizeof(std::string_view)));
    if (keys == nullptr) return Status::kOutOfMemory;
    std::copy(keys_.begin(), keys_.end(), keys);
    Op op;
    op.path = {keys, keys_.size()};
    op.kind = kind;
    op.value = value;
    ops_->push_back(op);
    return Status::kOk;
  }

  Status Remove(const Node* node) {
    const bool there = node != nullptr && node->shown != Shown::kNothing;
    return there ? Add(OpKind::kTombstone) : Status::kOk;
  }

  // The key as one leaf, whatever its value.
  Status Whole(const Edit& edit) {
    if (edit.path.size != 1) return Status::kPathTooLong;
    const Node* node = tree_.Find(edit.path);
    if (edit.value == nullptr) return Remove(node);
    Buffer text;
    PrintValue(*edit.value, &text);
    if (text.failed()) return Status::kOutOfMemory;
    if (text.size() > kValueBytesMax) return Status::kValueTooLarge;
    std::string_view kept;
    if (!arena_->Copy(text.view(), &kept)) return Status::kOutOfMemory;
    return Leaf(node, kept);
  }

  Status Leaf(const Node* node, std::string_view text) {
    if (node != nullptr && node->shown == Shown::kLeaf && node->text == text) return Status::kOk;
    return Add(OpKind::kLeaf, text);
  }

  Status Replace(const JsonValue& value) {
    if (value.kind == JsonValue::Kind::kText) return Add(OpKind::kLeaf, value.text);
    if (const Status status = Add(OpKind::kReplace); status != Status::kOk) return status;
    return Members(nullptr, value);
  }

  Status Value(const Node* node, const JsonValue& value) {
    if (value.kind == JsonValue::Kind::kText) return Leaf(node, value.text);
    const bool object = node != nullptr && node->shown == Shown::kObject;
    // The marker keeps an object whose last member goes.
    const bool marked = object && (node->kind == RegisterKind::kObject || node->parent == nullptr);
    if (!marked) {
      if (const Status status = Add(OpKind::kObject); status != Status::kOk) return status;
    }
    if (const Status status = Members(node, value); status != Status::kOk) return status;
    return object ? RemoveOthers(node, value) : Status::kOk;
  }

  Status Members(const Node* node, const JsonValue& value) {
    std::unordered_set<std::string_view> seen;
    for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
      if (!seen.insert(member->key).second) return Status::kDuplicatePath;
      keys_.push_back(member->key);
      const Node* child = node == nullptr ? nullptr : tree_.FindChild(node, member->key);
      const Status status = Value(child, *member);
      keys_.pop_back();
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  Status RemoveOthers(const Node* node, const JsonValue& value) {
    std::unordered_set<std::string_view> kept;
    for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
      kept.insert(member->key);
    }
    for (const Node* child = node->first_child; child != nullptr; child = child->next) {
      if (child->shown == Shown::kNothing || kept.count(child->key) != 0) continue;
      keys_.push_back(child->key);
      const Status status = Add(OpKind::kTombstone);
      keys_.pop_back();
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  const NodeTree& tree_;
  CallArena* arena_;
  OpList* ops_;
  std::vector<std::string_view> keys_;
};

}  // namespace

Status Diff(const Document& document, const Edit& edit, Strategy strategy, CallArena* arena, OpList* ops) {
  return Differ(document, arena, ops).Run(edit, strategy);
}

}  // namespace tabmesh
