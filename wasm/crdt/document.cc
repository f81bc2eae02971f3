#include "crdt/document.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/limits.h"
#include "base/plant.h"

namespace tabmesh {

namespace {

RegisterKind RegisterOf(OpKind kind) {
  switch (kind) {
    case OpKind::kLeaf:
      return RegisterKind::kLeaf;
    case OpKind::kTombstone:
      return RegisterKind::kTombstone;
    case OpKind::kList:
      return RegisterKind::kList;
    case OpKind::kItem:
      return RegisterKind::kItem;
    case OpKind::kItemGone:
      return RegisterKind::kItemGone;
    default:
      return RegisterKind::kObject;
  }
}

// What a write may add to a place's context.
size_t DotsOf(const Op& op) { return op.kind == OpKind::kValue ? op.detail->context_size + 1 : 0; }

bool IsItem(RegisterKind kind) { return kind == RegisterKind::kItem || kind == RegisterKind::kItemGone; }

}  // namespace

// ---- before and after the merge ------------------------------------------------------------------

Status Document::Prepare(OpList* ops, size_t text_bytes_max) {
  const size_t before = tree_.text_bytes();
  for (Op& op : *ops) {
    op.node = tree_.FindOrAdd(op.path);
    if (op.node != nullptr) MarkListKey(op.node);
    if (op.node == nullptr || !tree_.texts()->Store(op.value, &op.stored) || !PrepareExtra(&op)) {
      Discard(ops);
      return Status::kOutOfMemory;
    }
  }
  // What adds nothing makes room.
  if (tree_.text_bytes() > std::max(before, text_bytes_max)) {
    Discard(ops);
    return Status::kStateTooLarge;
  }
  return Status::kOk;
}

void Document::MarkListKey(Node* node) {
  if (lists() == nullptr || lists()->empty()) return;
  while (node->parent != tree_.root()) node = node->parent;
  if (!node->list_key) node->list_key = lists()->find(node->key) != lists()->end();
}

// Makes room for what the merge will add.
bool Document::PrepareExtra(Op* op) {
  // Those of a clear go with it: where it is told apart, what it was written for is gone.
  const bool adds_fields = !op->unknown_fields.empty() && op->kind != OpKind::kClear;
  if (op->detail == nullptr && !adds_fields) return true;
  if (op->detail != nullptr && !tree_.texts()->Store(op->detail->base, &op->stored_base)) return false;
  if (adds_fields && !tree_.texts()->Store(op->unknown_fields, &op->stored_fields)) return false;
  const bool is_new = op->node->extra == nullptr;
  if (!tree_.AddExtra(op->node)) return false;
  NodeExtra* extra = op->node->extra;
  if (is_new) extra->floor = op->node->cleared;
  const size_t ops = extra->ops_awaited + 1;
  const size_t dots = extra->dots_awaited + DotsOf(*op);
  op->has_room = !adds_fields || extra->unknown.Reserve(ops);
  if (op->kind == OpKind::kCount) op->has_room = op->has_room && extra->counts.Reserve(ops);
  if (op->kind == OpKind::kValue) {
    op->has_room = op->has_room && extra->siblings.Reserve(ops) && extra->context.Reserve(dots);
  }
  if (!op->has_room) return false;
  extra->ops_awaited = static_cast<uint32_t>(ops);
  extra->dots_awaited = static_cast<uint32_t>(dots);
  return true;
}

// The op has taken its room, or will not.
void Document::TakeRoom(const Op& op) {
  if (!op.has_room) return;
  --op.node->extra->ops_awaited;
  op.node->extra->dots_awaited -= static_cast<uint32_t>(DotsOf(op));
}

void Document::Discard(OpList* ops) {
  for (Op& op : *ops) {
    TakeRoom(op);
    Drop(op);
    tree_.texts()->Free(op.stored_fields);
    op.has_room = false;
    op.stored = op.stored_base = op.stored_fields = {};
    op.node = nullptr;
  }
  if (changes_.empty()) Sweep();
}

void Document::Drop(const Op& op) {
  tree_.texts()->Free(op.stored);
  tree_.texts()->Free(op.stored_base);
  if (op.node != nullptr) ToSweep(op.node);
}

bool Document::EndChanges(Buffer* out) {
  const bool changed = !changes_.empty();
  if (changed && out != nullptr) changes_.Print(out);
  changes_.Clear();
  Sweep();
  return changed;
}

bool Document::TakeConflictsChanged() { return std::exchange(conflicts_changed_, false); }

uint64_t Document::ConflictId(const Node* node) const {
  uint64_t id = 0;
  for (const Sibling& sibling : node->extra->siblings) id += SiblingHash(node, sibling);
  return id;
}

void Document::ToSweep(Node* node) {
  if (node->to_sweep) return;
  node->to_sweep = true;
  sweep_.push_back(node);
}

void Document::Sweep() {
  // Children come before their parents in pruning, so one pass frees whole subtrees. A node that is
  // on the list itself waits for its own turn.
  for (Node* node : sweep_) {
    node->to_sweep = false;
    if (node->extra != nullptr && node->extra->Empty()) tree_.FreeExtra(node);
    while (node->parent != nullptr && node->Empty() && !node->to_sweep) {
      Node* parent = node->parent;
      tree_.Remove(node);
      node = parent;
    }
  }
  sweep_.clear();
}

// ---- the merge -----------------------------------------------------------------------------------

void Document::Commit(const OpList& ops) {
  for (const Op& op : ops) {
    TakeRoom(op);
    if (Dominated(op)) {
      Drop(op);
    } else if (op.kind == OpKind::kValue) {
      CommitValue(op);
    } else if (op.kind == OpKind::kCount) {
      CommitCount(op);
    } else {
      CommitOne(op);
    }
    KeepUnknownFields(op);
  }
}

bool Document::Wins(const Op& op, const Node* node) const {
  // A clear stands alone where a hostile peer has sent it so.
  if (node->kind == RegisterKind::kNone) {
    return node->cleared.hlc == 0 || vector_->Compare(op.id, node->cleared) >= 0;
  }
  if (const int order = vector_->Compare(op.id, node->written); order != 0)
    return order > 0 || Planted("last-arrival-wins");
  // One stamp with two contents means a forged or duplicated identity: still converge.
  const RegisterKind kind = RegisterOf(op.kind);
  return kind != node->kind ? kind > node->kind : op.value > node->text;
}

bool Document::Dominated(const Op& op) const {
  if (Planted("late-children-kept")) return false;
  for (const Node* node = op.node->parent; node != nullptr; node = node->parent) {
    if (node->cleared.hlc != 0 && vector_->Compare(op.id, node->cleared) < 0) return true;
  }
  return false;
}

void Document::CommitOne(const Op& op) {
  Node* node = op.node;
  if (Clears(op.kind) && op.id.hlc != 0) RaiseFloor(node, op.id);
  if (op.kind != OpKind::kClear && Wins(op, node)) {
    SetRegister(node, RegisterOf(op.kind), op.stored, op.id);
  } else {
    tree_.texts()->Free(op.stored);
  }
  if (Clears(op.kind) && op.id.hlc != 0) SetCleared(node, op.id);
  Recount(node);
  DropUnknownFields(node);
  changes_.Refresh(node);
}

// An instance has one value, for its later ones have seen its earlier ones. That an earlier one has a later
// stamp, or two have one name, means a forged or duplicated identity: still converge, on the larger.
bool Document::Outdoes(const Op& op, const Sibling& sibling) const {
  const int order = vector_->Compare(op.id, sibling.id);
  if (order != 0) return order > 0;
  return op.id.seq != sibling.id.seq ? op.id.seq > sibling.id.seq : op.value > sibling.text;
}

void Document::CommitValue(const Op& op) {
  Node* node = op.node;
  NodeExtra* extra = node->extra;
  const Sibling* own = nullptr;
  for (const Sibling& sibling : extra->siblings) {
    if (sibling.id.instance == op.id.instance) own = &sibling;
  }
  const bool known = Covers(extra->context.begin(), extra->context.size(), op.id);
  if (own != nullptr ? !Outdoes(op, *own) : known) {
    Cover(&extra->context, {op.id.instance, op.id.seq});
    return Drop(op);
  }
  if (node->kind == RegisterKind::kValues && node->shown == Shown::kLeaf) changes_.Note(node);
  const OpDetail& detail = *op.detail;
  const bool was_conflict = extra->siblings.size() > 1;
  for (size_t i = extra->siblings.size(); i-- > 0;) {
    const WriteId& id = extra->siblings[i].id;
    const bool same = id.instance == op.id.instance;
    if (same || Covers(detail.context, detail.context_size, id)) RemoveSibling(node, i);
  }
  for (size_t i = 0; i < detail.context_size; ++i) Cover(&extra->context, detail.context[i]);
  Cover(&extra->context, {op.id.instance, op.id.seq});
  if (extra->floor.hlc != 0 && vector_->Compare(op.id, extra->floor) <= 0) {
    Drop(op);
  } else {
    extra->siblings.Add({op.id, op.stored, op.stored_base, detail.base_hlc, detail.strategy});
    digest_ += SiblingHash(node, extra->siblings[extra->siblings.size() - 1]);
  }
  conflicts_changed_ |= was_conflict || extra->siblings.size() > 1;
  ShowSibling(node);
  SetCleared(node, op.id);
  Recount(node);
  DropUnknownFields(node);
  changes_.Refresh(node);
  ToSweep(node);
}

void Document::CommitCount(const Op& op) {
  Node* node = op.node;
  NodeExtra* extra = node->extra;
  Count added{op.id, op.detail->epoch, op.detail->total};
  if (Planted("count-added-twice") && !extra->counts.empty()) added.total += 1;
  for (size_t i = 0; i < extra->counts.size(); ++i) {
    Count& known = extra->counts[i];
    if (known.id.instance != op.id.instance) continue;
    // Two sums under one number mean a forged or duplicated identity: still converge.
    if ((known.id.seq > op.id.seq && !Planted("older-count-taken")) ||
        (known.id.seq == op.id.seq && known.total >= added.total))
      return;
    digest_ -= CountHash(node, known);
    extra->counts.RemoveAt(i);
    break;
  }
  extra->counts.Add(added);
  digest_ += CountHash(node, added);
  Recount(node);
  DropUnknownFields(node);
  changes_.Refresh(node);
  ToSweep(node);
}

// ---- one place -----------------------------------------------------------------------------------

void Document::SetRegister(Node* node, RegisterKind kind, std::string_view text, const WriteId& id) {
  digest_ -= RegisterHash(node);
  const bool other_text = node->text != text;
  if (other_text && node->shown == Shown::kLeaf) changes_.Note(node);
  if ((IsItem(kind) || IsItem(node->kind)) && kind != node->kind) changes_.Note(node);
  if (node->kind != RegisterKind::kValues) tree_.texts()->Free(node->text);
  node->kind = kind;
  node->text = text;
  node->written = id;
  digest_ += RegisterHash(node);
}

// Removes what is older here and below.
void Document::SetCleared(Node* node, const WriteId& id) {
  if (node->cleared.hlc != 0 && vector_->Compare(id, node->cleared) <= 0) return;
  digest_ -= ClearHash(node);
  node->cleared = id;
  digest_ += ClearHash(node);
  if (node->kind != RegisterKind::kNone && vector_->Compare(node->written, id) < 0) {
    SetRegister(node, RegisterKind::kNone, {}, {});
  }
  PruneBelow(node, id);
}

void Document::RaiseFloor(Node* node, const WriteId& id) {
  NodeExtra* extra = node->extra;
  if (extra == nullptr || vector_->Compare(id, extra->floor) <= 0 || Planted("plain-write-keeps-values"))
    return;
  if (node->kind == RegisterKind::kValues && node->shown == Shown::kLeaf) changes_.Note(node);
  extra->floor = id;
  conflicts_changed_ |= extra->siblings.size() > 1;
  for (size_t i = extra->siblings.size(); i-- > 0;) {
    if (vector_->Compare(extra->siblings[i].id, id) <= 0) RemoveSibling(node, i);
  }
  ShowSibling(node);
  ToSweep(node);
}

void Document::RemoveSibling(Node* node, size_t index) {
  NodeExtra* extra = node->extra;
  const Sibling sibling = extra->siblings[index];
  if (node->kind == RegisterKind::kValues && node->text.data() == sibling.text.data()) node->text = {};
  digest_ -= SiblingHash(node, sibling);
  tree_.texts()->Free(sibling.text);
  tree_.texts()->Free(sibling.base);
  extra->siblings.RemoveAt(index);
}

// The siblings' part of the register: they hold it while none of the plain writes is later.
void Document::ShowSibling(Node* node) {
  const Sibling* latest = LatestOf(*node->extra, *vector_);
  if (latest == nullptr) {
    if (node->kind == RegisterKind::kValues) SetRegister(node, RegisterKind::kNone, {}, {});
    return;
  }
  // One stamp with two contents, as in Wins.
  const int order = node->kind == RegisterKind::kNone ? 1 : vector_->Compare(latest->id, node->written);
  if (order > 0 || node->kind == RegisterKind::kValues ||
      (order == 0 && RegisterKind::kValues > node->kind)) {
    SetRegister(node, RegisterKind::kValues, ShownOf(*node->extra, *vector_)->text, latest->id);
  }
}

WriteId Document::BaseOf(const Node* node) const {
  WriteId base = node->kind == RegisterKind::kNone ? WriteId{} : node->written;
  for (; node != nullptr; node = node->parent) {
    if (node->cleared.hlc != 0 && vector_->Compare(node->cleared, base) > 0) base = node->cleared;
  }
  return base;
}

WriteId Document::BaseOf(Path path) const {
  const Node* node = tree_.root();
  for (size_t i = 0; i < path.size; ++i) {
    const Node* child = tree_.FindChild(node, path.keys[i]);
    if (child != nullptr) {
      node = child;
      continue;
    }
    // Only the clears of its ancestors are older than a place that nobody has written.
    WriteId base;
    for (; node != nullptr; node = node->parent) {
      if (node->cleared.hlc != 0 && vector_->Compare(node->cleared, base) > 0) base = node->cleared;
    }
    return base;
  }
  return BaseOf(node);
}

WriteId Document::LastWriteOf(Path path) const {
  const Node* top = tree_.root();
  for (size_t i = 0; i < path.size; ++i) {
    const Node* child = tree_.FindChild(top, path.keys[i]);
    if (child == nullptr) {
      if (top->Visible() != Shown::kLeaf) return {};
      break;
    }
    top = child;
  }
  WriteId last;
  const auto look_at = [&](const WriteId& id) {
    if (id.hlc != 0 && (last.hlc == 0 || vector_->Compare(id, last) > 0)) last = id;
  };
  for (const Node* node = top;;) {
    look_at(node->written);
    look_at(node->cleared);
    if (node->extra != nullptr) {
      for (const Sibling& sibling : node->extra->siblings) look_at(sibling.id);
      for (const Count& count : node->extra->counts) look_at(count.id);
    }
    if (node->first_child != nullptr) {
      node = node->first_child;
      continue;
    }
    while (node != top && node->next == nullptr) node = node->parent;
    if (node == top) return last;
    node = node->next;
  }
}

// ---- what newer versions have added -------------------------------------------------------------

bool Document::Bears(const Node* node, const WriteId& id) const {
  if (node->kind != RegisterKind::kNone && SameWrite(node->written, id)) return true;
  const auto is_it = [&](const auto& part) { return SameWrite(part.id, id); };
  return std::any_of(node->extra->siblings.begin(), node->extra->siblings.end(), is_it) ||
         std::any_of(node->extra->counts.begin(), node->extra->counts.end(), is_it);
}

// Two of one write mean a forged or duplicated identity, or a folded era: still converge, on the larger.
void Document::KeepUnknownFields(const Op& op) {
  if (op.stored_fields.empty()) return;
  ToSweep(op.node);
  if (!Bears(op.node, op.id)) return tree_.texts()->Free(op.stored_fields);
  NodeExtra* extra = op.node->extra;
  for (size_t i = 0; i < extra->unknown.size(); ++i) {
    const UnknownFields& known = extra->unknown[i];
    if (!SameWrite(known.id, op.id)) continue;
    if (known.bytes >= op.stored_fields) return tree_.texts()->Free(op.stored_fields);
    RemoveUnknownFields(op.node, i);
    break;
  }
  extra->unknown.Add({op.id, op.stored_fields});
  digest_ += UnknownFieldsHash(op.node, {op.id, op.stored_fields});
}

// Of writes that nothing here bears any more.
void Document::DropUnknownFields(Node* node) {
  if (node->extra == nullptr) return;
  for (size_t i = node->extra->unknown.size(); i-- > 0;) {
    if (Bears(node, node->extra->unknown[i].id)) continue;
    RemoveUnknownFields(node, i);
    ToSweep(node);
  }
}

void Document::RemoveUnknownFields(Node* node, size_t index) {
  const UnknownFields gone = node->extra->unknown[index];
  digest_ -= UnknownFieldsHash(node, gone);
  tree_.texts()->Free(gone.bytes);
  node->extra->unknown.RemoveAt(index);
}

// ---- counts --------------------------------------------------------------------------------------

// Counts of an older base are gone; those of a base that has not arrived wait for it.
void Document::Recount(Node* node) {
  NodeExtra* extra = node->extra;
  if (extra == nullptr || (extra->counts.empty() && extra->count_text_size == 0)) return;
  const WriteId base = BaseOf(node);
  for (size_t i = extra->counts.size(); i-- > 0;) {
    if (Planted("count-outlives-its-base") || SameWrite(extra->counts[i].epoch, base) ||
        vector_->Compare(extra->counts[i].epoch, base) > 0)
      continue;
    digest_ -= CountHash(node, extra->counts[i]);
    extra->counts.RemoveAt(i);
    ToSweep(node);
  }
  const bool may_count = node->kind == RegisterKind::kNone || node->kind == RegisterKind::kTombstone ||
                         node->kind == RegisterKind::kLeaf;
  int64_t sum = 0;
  const bool counts = may_count && SumCounts(*extra, base, node->text, &sum);
  if (node->shown == Shown::kLeaf) changes_.Note(node);
  extra->count_text_size = 0;
  if (counts) PrintCount(sum, extra);
}

// ---- what lies below -----------------------------------------------------------------------------

void Document::PruneBelow(Node* node, const WriteId& clear) {
  if (Planted("older-below-kept")) return;
  for (Node* child = node->first_child; child != nullptr; child = child->next) PruneOlder(child, clear);
}

void Document::PruneOlder(Node* node, const WriteId& clear) {
  PruneBelow(node, clear);
  if (node->kind != RegisterKind::kNone && vector_->Compare(node->written, clear) < 0) {
    SetRegister(node, RegisterKind::kNone, {}, {});
  }
  if (node->cleared.hlc != 0 && vector_->Compare(node->cleared, clear) < 0) {
    digest_ -= ClearHash(node);
    node->cleared = {};
  }
  Recount(node);
  DropUnknownFields(node);
  changes_.Refresh(node);
  if (node->Empty()) ToSweep(node);
}

// ---- the digest ----------------------------------------------------------------------------------

uint64_t Document::StampHash(uint64_t hash, const WriteId& id) const {
  return Mix(Mix(hash ^ id.hlc) ^ (id.hlc == 0 ? 0 : vector_->IdHash(id.instance)));
}

uint64_t Document::RegisterHash(const Node* node) const {
  if (node->kind == RegisterKind::kNone || node->kind == RegisterKind::kValues || node->written.hlc == 0) {
    return 0;
  }
  const uint64_t hash = Mix(node->path_hash ^ static_cast<uint64_t>(node->kind));
  return HashBytes(node->text, StampHash(hash, node->written));
}

uint64_t Document::ClearHash(const Node* node) const {
  return node->cleared.hlc == 0 ? 0 : StampHash(~node->path_hash, node->cleared);
}

uint64_t Document::SiblingHash(const Node* node, const Sibling& sibling) const {
  const uint64_t hash = Mix(node->path_hash + 1 + static_cast<uint64_t>(sibling.strategy));
  return HashBytes(sibling.text, StampHash(hash, sibling.id));
}

uint64_t Document::UnknownFieldsHash(const Node* node, const UnknownFields& fields) const {
  return HashBytes(fields.bytes, StampHash(Mix(node->path_hash + 32), fields.id));
}

uint64_t Document::CountHash(const Node* node, const Count& count) const {
  const uint64_t hash = StampHash(Mix(node->path_hash + 16), count.id);
  return Mix(StampHash(hash, count.epoch) ^ static_cast<uint64_t>(count.total));
}

}  // namespace tabmesh
