#include "crdt/compact.h"

#include <algorithm>
#include <unordered_set>

#include "base/plant.h"
#include "crdt/walk.h"

namespace tabmesh {

namespace {

bool AwaitsChoice(const Node& node) { return node.extra != nullptr && node.extra->siblings.size() > 1; }

// Whether a write has the stamp of a value that awaits a choice here or above: which of them comes first, and
// so whether the one has cleared the other, their writers decide.
bool Ties(const Node* node, const WriteId& id) {
  for (; node != nullptr; node = node->parent) {
    if (!AwaitsChoice(*node)) continue;
    for (const Sibling& sibling : node->extra->siblings) {
      if (sibling.id.hlc == id.hlc) return true;
    }
  }
  return false;
}

class Compactor {
 public:
  Compactor(const VersionVector& vector, VersionVector* into, uint32_t author, CallArena* arena, OpList* ops,
            std::vector<std::string_view>* keys)
      : vector_(vector), into_(into), author_(author), arena_(arena), ops_(ops, keys) {}

  Status Run(const Node* root) {
    TreeWalk walk(root);
    bool below = true;
    while (const Node* node = walk.Next(below)) {
      path_ = walk.path();
      if (const Status status = Visit(*node); status != Status::kOk) return status;
      below = node->kind != RegisterKind::kItemGone;
    }
    ops_.Finish();
    return status_;
  }

 private:
  Op* Add(OpKind kind, const Node& node, const WriteId& id, std::string_view value = {}) {
    Op* op = ops_.Add(kind, path_, value);
    op->id = {id.hlc, author_, 1};
    if (Ties(&node, id)) KeepWriter(id, op);
    return op;
  }

  // What is left of a write takes along what a newer version has added to it.
  void AddWrite(OpKind kind, const Node& node, std::string_view value = {}) {
    Add(kind, node, node.written, value)->unknown_fields = UnknownFieldsOf(node.extra, node.written);
  }

  Status Visit(const Node& node) {
    // A later initial state shows again what nothing hides.
    const bool hides = node.initial && !Planted("compaction-uncovers-initial");
    // What lies hidden below a later object is never shown again.
    const bool hidden = !AwaitsChoice(node) && node.kind != RegisterKind::kValues;
    // The clears of values that are told go with them, and those of leaves and tombstones.
    const bool clears = node.kind == RegisterKind::kLeaf || node.kind == RegisterKind::kTombstone ||
                        (!hidden && !node.extra->siblings.empty());
    if (hides && node.cleared.hlc != 0 && !clears) Add(OpKind::kClear, node, node.cleared);
    if (node.Counts() && node.Visible() == Shown::kLeaf) {
      Add(OpKind::kLeaf, node, LatestOf(node), node.LeafText());
    } else if (node.written.hlc != 0) {
      VisitRegister(node, hides);
    }
    return node.extra == nullptr || hidden ? Status::kOk : VisitSiblings(node, hides);
  }

  void VisitRegister(const Node& node, bool hides) {
    switch (node.kind) {
      case RegisterKind::kLeaf:
        AddWrite(OpKind::kLeaf, node, node.text);
        break;
      case RegisterKind::kObject:
        AddWrite(OpKind::kObject, node);
        break;
      case RegisterKind::kList:
        AddWrite(OpKind::kList, node);
        break;
      case RegisterKind::kItem:
        AddWrite(OpKind::kItem, node);
        break;
      case RegisterKind::kTombstone:
        // What was written below a removed list is an object's members, not items.
        if (hides || (node.list_key && node.children_shown > 0)) AddWrite(OpKind::kTombstone, node);
        break;
      case RegisterKind::kItemGone:
        if (hides) AddWrite(OpKind::kItemGone, node);
        break;
      case RegisterKind::kNone:
      case RegisterKind::kValues:
        break;
    }
  }

  // An increment later than the base is what was written last.
  WriteId LatestOf(const Node& node) const {
    WriteId latest = node.written;
    for (const Count& count : node.extra->counts) {
      if (vector_.Compare(count.id, latest) > 0) latest = count.id;
    }
    return latest;
  }

  Status VisitSiblings(const Node& node, bool hides) {
    const NodeExtra& extra = *node.extra;
    const bool one = extra.siblings.size() == 1;
    for (const Sibling& sibling : extra.siblings) {
      if (one && sibling.text.empty() && !hides) continue;
      auto* detail = arena_->New<OpDetail>();
      if (detail == nullptr) return Status::kOutOfMemory;
      detail->strategy = sibling.strategy;
      detail->removed = sibling.text.empty();
      detail->base_hlc = sibling.base_hlc;
      detail->base = sibling.base;
      // Several values keep their writers: under one dot they would be one.
      Op* op = Add(OpKind::kValue, node, sibling.id, sibling.text);
      op->detail = detail;
      op->unknown_fields = UnknownFieldsOf(&extra, sibling.id);
    }
    return Status::kOk;
  }

  void KeepWriter(const WriteId& id, Op* op) {
    op->id.seq = id.seq;
    const Status status = into_->Intern(vector_.Id(id.instance), &op->id.instance);
    if (status == Status::kOk) {
      into_->Advance(op->id.instance, id.seq);
    } else {
      status_ = status;
    }
  }

  const VersionVector& vector_;
  VersionVector* into_;
  const uint32_t author_;
  CallArena* arena_;
  GatheredOps ops_;
  Path path_;
  Status status_ = Status::kOk;
};

}  // namespace

Status Compact(const Document& document, const VersionVector& vector, const InstanceId& author,
               VersionVector* into, CallArena* arena, OpList* ops, std::vector<std::string_view>* keys) {
  uint32_t index = 0;
  if (const Status status = into->Intern(author, &index); status != Status::kOk) return status;
  into->Advance(index, 1);
  return Compactor(vector, into, index, arena, ops, keys).Run(document.tree().root());
}

Remains RemainsOf(const Document& document) {
  Remains remains;
  std::unordered_set<uint32_t> writers;
  bool any_choice = false;
  TreeWalk walk(document.tree().root());
  while (const Node* node = walk.Next()) {
    if (node->shown == Shown::kNothing && node->initial) ++remains.hidden;
    if (any_choice && Ties(node, node->written)) writers.insert(node->written.instance);
    if (!AwaitsChoice(*node)) continue;
    any_choice = true;
    for (const Sibling& sibling : node->extra->siblings) writers.insert(sibling.id.instance);
    if (Ties(node, node->written)) writers.insert(node->written.instance);
  }
  remains.instances = writers.size() + 1;
  return remains;
}

}  // namespace tabmesh
