#include "crdt/compact.h"

#include <algorithm>
#include <unordered_set>

#include "base/plant.h"
#include "crdt/walk.h"

namespace tabmesh {

namespace {

bool AwaitsChoice(const Node& node) { return node.extra != nullptr && node.extra->siblings.size() > 1; }

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
    return Status::kOk;
  }

 private:
  Op* Add(OpKind kind, HlcTime hlc, std::string_view value = {}) {
    Op* op = ops_.Add(kind, path_, value);
    op->id = {hlc, author_, 1};
    return op;
  }

  // What is left of a write takes along what a newer version has added to it.
  void AddWrite(OpKind kind, const Node& node, std::string_view value = {}) {
    Add(kind, node.written.hlc, value)->unknown_fields = UnknownFieldsOf(node.extra, node.written);
  }

  Status Visit(const Node& node) {
    // A later initial state shows again what nothing hides.
    const bool hides = node.initial && !Planted("compaction-uncovers-initial");
    // The clears of values that stand beside others are told with them, and those of leaves and tombstones.
    const bool has_siblings = node.extra != nullptr && !node.extra->siblings.empty();
    const bool clears = node.kind == RegisterKind::kLeaf || node.kind == RegisterKind::kTombstone;
    if (hides && node.cleared.hlc != 0 && !clears && !has_siblings) Add(OpKind::kClear, node.cleared.hlc);
    if (node.Counts() && node.Visible() == Shown::kLeaf) {
      Add(OpKind::kLeaf, LatestHlc(node), node.LeafText());
    } else if (node.written.hlc != 0) {
      const size_t before = ops_.count();
      VisitRegister(node, hides);
      // One stamp by two instances: who comes first beside the siblings must stay so.
      if (ops_.count() > before && AwaitsChoice(node)) {
        if (const Status status = KeepWriter(node.written, ops_.last()); status != Status::kOk) return status;
      }
    }
    // What lies hidden below a later object is never shown again.
    const bool hidden = !AwaitsChoice(node) && node.kind != RegisterKind::kValues;
    return node.extra == nullptr || hidden ? Status::kOk : VisitSiblings(*node.extra, hides);
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
  static HlcTime LatestHlc(const Node& node) {
    HlcTime latest = node.written.hlc;
    for (const Count& count : node.extra->counts) latest = std::max(latest, count.id.hlc);
    return latest;
  }

  Status VisitSiblings(const NodeExtra& extra, bool hides) {
    const bool one = extra.siblings.size() == 1;
    for (const Sibling& sibling : extra.siblings) {
      if (one && sibling.text.empty() && !hides) continue;
      auto* detail = arena_->New<OpDetail>();
      if (detail == nullptr) return Status::kOutOfMemory;
      detail->strategy = sibling.strategy;
      detail->removed = sibling.text.empty();
      detail->base_hlc = sibling.base_hlc;
      detail->base = sibling.base;
      Op* op = Add(OpKind::kValue, sibling.id.hlc, sibling.text);
      op->detail = detail;
      op->unknown_fields = UnknownFieldsOf(&extra, sibling.id);
      if (one) continue;
      // Several values under one dot would be one.
      if (const Status status = KeepWriter(sibling.id, op); status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  Status KeepWriter(const WriteId& id, Op* op) {
    op->id.seq = id.seq;
    const Status status = into_->Intern(vector_.Id(id.instance), &op->id.instance);
    if (status == Status::kOk) into_->Advance(op->id.instance, id.seq);
    return status;
  }

  const VersionVector& vector_;
  VersionVector* into_;
  const uint32_t author_;
  CallArena* arena_;
  GatheredOps ops_;
  Path path_;
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
  TreeWalk walk(document.tree().root());
  while (const Node* node = walk.Next()) {
    if (node->shown == Shown::kNothing && node->initial) ++remains.hidden;
    if (!AwaitsChoice(*node)) continue;
    for (const Sibling& sibling : node->extra->siblings) writers.insert(sibling.id.instance);
    if (node->kind != RegisterKind::kNone) writers.insert(node->written.instance);
  }
  remains.instances = writers.size() + 1;
  return remains;
}

}  // namespace tabmesh
