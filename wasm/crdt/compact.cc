#include "crdt/compact.h"

#include <algorithm>

#include "base/plant.h"

namespace tabmesh {

namespace {

class Compactor {
 public:
  Compactor(const VersionVector& vector, VersionVector* into, uint32_t author, CallArena* arena, OpList* ops,
            std::vector<std::string_view>* keys)
      : vector_(vector),
        into_(into),
        author_(author),
        arena_(arena),
        ops_(ops),
        keys_(keys),
        first_op_(ops->size()) {}

  Status Run(const Node* root) {
    // Depth first, without recursion: down, else along, else up and along.
    const Node* node = root->first_child;
    if (node != nullptr) stack_.push_back(node->key);
    while (node != nullptr) {
      if (const Status status = Visit(*node); status != Status::kOk) return status;
      if (node->first_child != nullptr && node->kind != RegisterKind::kItemGone) {
        node = node->first_child;
        stack_.push_back(node->key);
        continue;
      }
      while (node != nullptr && node->next == nullptr) {
        node = node->parent;
        if (node == root) node = nullptr;
        if (!stack_.empty()) stack_.pop_back();
      }
      if (node != nullptr) {
        node = node->next;
        stack_.back() = node->key;
      }
    }
    // Keys of each op are stored behind one another; views are made now that the storage stands still.
    for (size_t i = 0; i < starts_.size(); ++i) {
      (*ops_)[first_op_ + i].path = {keys_->data() + starts_[i].first, starts_[i].size};
    }
    return Status::kOk;
  }

 private:
  Op* Add(OpKind kind, HlcTime hlc, std::string_view value = {}) {
    Op op;
    op.kind = kind;
    op.value = value;
    op.id = {hlc, author_, 1};
    starts_.push_back({keys_->size(), stack_.size()});
    keys_->insert(keys_->end(), stack_.begin(), stack_.end());
    ops_->push_back(op);
    return &ops_->back();
  }

  Status Visit(const Node& node) {
    // A later initial state shows again what nothing hides.
    const bool hides = node.initial && !Planted("compaction-uncovers-initial");
    const bool has_siblings = node.extra != nullptr && !node.extra->siblings.empty();
    // The clears of siblings are told with them, and those of leaves and tombstones.
    const WriteId& cleared = has_siblings ? node.extra->floor : node.cleared;
    const bool clears = node.kind == RegisterKind::kLeaf || node.kind == RegisterKind::kTombstone;
    if (hides && cleared.hlc != 0 && !clears) Add(OpKind::kClear, cleared.hlc);
    if (node.Counts() && node.Visible() == Shown::kLeaf) {
      Add(OpKind::kLeaf, LatestHlc(node), node.LeafText());
    } else if (node.written.hlc != 0) {
      VisitRegister(node, hides);
    }
    return node.extra == nullptr ? Status::kOk : VisitSiblings(*node.extra, hides);
  }

  void VisitRegister(const Node& node, bool hides) {
    switch (node.kind) {
      case RegisterKind::kLeaf:
        Add(OpKind::kLeaf, node.written.hlc, node.text);
        break;
      case RegisterKind::kObject:
        Add(OpKind::kObject, node.written.hlc);
        break;
      case RegisterKind::kList:
        Add(OpKind::kList, node.written.hlc);
        break;
      case RegisterKind::kItem:
        Add(OpKind::kItem, node.written.hlc);
        break;
      case RegisterKind::kTombstone:
        // What was written below a removed list is an object's members, not items.
        if (hides || (node.list_key && node.children_shown > 0)) Add(OpKind::kTombstone, node.written.hlc);
        break;
      case RegisterKind::kItemGone:
        if (hides) Add(OpKind::kItemGone, node.written.hlc);
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
      if (one) continue;
      // Several values under one dot would be one.
      op->id.seq = sibling.id.seq;
      if (const Status status = into_->Intern(vector_.Id(sibling.id.instance), &op->id.instance);
          status != Status::kOk) {
        return status;
      }
      into_->Advance(op->id.instance, sibling.id.seq);
    }
    return Status::kOk;
  }

  struct Start {
    size_t first;
    size_t size;
  };
  const VersionVector& vector_;
  VersionVector* into_;
  const uint32_t author_;
  CallArena* arena_;
  OpList* ops_;
  std::vector<std::string_view>* keys_;
  std::vector<Start> starts_;
  std::vector<std::string_view> stack_;
  const size_t first_op_;
};

}  // namespace

Status Compact(const Document& document, const VersionVector& vector, const InstanceId& author,
               VersionVector* into, CallArena* arena, OpList* ops, std::vector<std::string_view>* keys) {
  uint32_t index = 0;
  if (const Status status = into->Intern(author, &index); status != Status::kOk) return status;
  into->Advance(index, 1);
  return Compactor(vector, into, index, arena, ops, keys).Run(document.tree().root());
}

}  // namespace tabmesh
