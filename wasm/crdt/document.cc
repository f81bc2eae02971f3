#include "crdt/document.h"

#include <string_view>

#include "base/hash.h"
#include "base/limits.h"

namespace tabmesh {

namespace {

RegisterKind RegisterOf(OpKind kind) {
  switch (kind) {
    case OpKind::kLeaf:
      return RegisterKind::kLeaf;
    case OpKind::kTombstone:
      return RegisterKind::kTombstone;
    default:
      return RegisterKind::kObject;
  }
}

}  // namespace

Status Document::Prepare(OpList* ops) {
  for (Op& op : *ops) {
    op.node = tree_.FindOrAdd(op.path);
    if (op.node == nullptr || !tree_.texts()->Store(op.value, &op.stored)) {
      Discard(ops);
      return Status::kOutOfMemory;
    }
  }
  if (tree_.text_bytes() > kStateBytesMax) {
    Discard(ops);
    return Status::kStateTooLarge;
  }
  return Status::kOk;
}

void Document::Discard(OpList* ops) {
  for (Op& op : *ops) {
    tree_.texts()->Free(op.stored);
    op.stored = {};
    if (op.node != nullptr) ToSweep(op.node);
    op.node = nullptr;
  }
  if (changes_.empty()) Sweep();
}

void Document::Commit(const OpList& ops) {
  for (const Op& op : ops) CommitOne(op);
}

int Document::CompareWrites(const WriteId& a, const WriteId& b) const {
  if (a.hlc != b.hlc) return a.hlc < b.hlc ? -1 : 1;
  if (a.instance == b.instance) return 0;
  return vector_->Id(a.instance) < vector_->Id(b.instance) ? -1 : 1;
}

bool Document::Wins(const Op& op, const Node* node) const {
  if (node->kind == RegisterKind::kNone) return true;
  if (const int order = CompareWrites(op.id, node->written); order != 0) return order > 0;
  // One stamp with two contents means a forged or duplicated identity: still converge.
  const RegisterKind kind = RegisterOf(op.kind);
  return kind != node->kind ? kind > node->kind : op.value > node->text;
}

bool Document::Dominated(const Op& op) const {
  for (const Node* node = op.node->parent; node != nullptr; node = node->parent) {
    if (node->cleared.hlc != 0 && CompareWrites(op.id, node->cleared) < 0) return true;
  }
  return false;
}

void Document::CommitOne(const Op& op) {
  Node* node = op.node;
  if (Dominated(op)) {
    tree_.texts()->Free(op.stored);
    return ToSweep(node);
  }
  if (op.kind != OpKind::kClear && Wins(op, node)) {
    SetRegister(node, RegisterOf(op.kind), op.stored, op.id);
  } else {
    tree_.texts()->Free(op.stored);
  }
  if (Clears(op.kind) && op.id.hlc != 0 &&
      (node->cleared.hlc == 0 || CompareWrites(op.id, node->cleared) > 0)) {
    SetCleared(node, op.id);
    if (node->kind != RegisterKind::kNone && CompareWrites(node->written, op.id) < 0) {
      SetRegister(node, RegisterKind::kNone, {}, {});
    }
    PruneBelow(node, op.id);
  }
  changes_.Refresh(node);
}

void Document::SetRegister(Node* node, RegisterKind kind, std::string_view text, const WriteId& id) {
  digest_ -= RegisterHash(node);
  if (node->shown == Shown::kLeaf && node->text != text) changes_.Note(node);
  tree_.texts()->Free(node->text);
  node->kind = kind;
  node->text = text;
  node->written = id;
  digest_ += RegisterHash(node);
}

void Document::SetCleared(Node* node, const WriteId& id) {
  digest_ -= ClearHash(node);
  node->cleared = id;
  digest_ += ClearHash(node);
}

void Document::PruneBelow(Node* node, const WriteId& clear) {
  for (Node* child = node->first_child; child != nullptr; child = child->next) PruneOlder(child, clear);
}

void Document::PruneOlder(Node* node, const WriteId& clear) {
  PruneBelow(node, clear);
  if (node->kind != RegisterKind::kNone && CompareWrites(node->written, clear) < 0) {
    SetRegister(node, RegisterKind::kNone, {}, {});
  }
  if (node->cleared.hlc != 0 && CompareWrites(node->cleared, clear) < 0) SetCleared(node, {});
  changes_.Refresh(node);
  if (node->Empty()) ToSweep(node);
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
    while (node->parent != nullptr && node->Empty() && !node->to_sweep) {
      Node* parent = node->parent;
      tree_.Remove(node);
      node = parent;
    }
  }
  sweep_.clear();
}

bool Document::EndChanges(Buffer* out) {
  const bool changed = !changes_.empty();
  if (changed && out != nullptr) changes_.Print(out);
  changes_.Clear();
  Sweep();
  return changed;
}

void Document::CollectMissing(const std::vector<uint32_t>& covered, OpList* ops,
                              std::vector<std::string_view>* keys) const {
  const auto missing = [&](const WriteId& id) { return id.hlc != 0 && id.seq > covered[id.instance]; };
  // Keys of each op are stored behind one another; views are made when the storage stands still.
  struct Start {
    size_t first;
    size_t size;
  };
  std::vector<Start> starts;
  std::vector<std::string_view> stack;
  const auto add = [&](OpKind kind, std::string_view value, const WriteId& id) {
    Op op;
    op.kind = kind;
    op.value = value;
    op.id = id;
    starts.push_back({keys->size(), stack.size()});
    keys->insert(keys->end(), stack.begin(), stack.end());
    ops->push_back(op);
  };
  const Node* node = tree_.root()->first_child;
  if (node != nullptr) stack.push_back(node->key);
  while (node != nullptr) {
    const bool clear_apart = node->cleared.hlc != 0 && (node->cleared.hlc != node->written.hlc ||
                                                        node->cleared.instance != node->written.instance);
    if (node->kind != RegisterKind::kNone && missing(node->written)) {
      switch (node->kind) {
        case RegisterKind::kLeaf:
          add(OpKind::kLeaf, node->text, node->written);
          break;
        case RegisterKind::kTombstone:
          add(OpKind::kTombstone, {}, node->written);
          break;
        default:
          add(node->cleared.hlc != 0 && !clear_apart ? OpKind::kReplace : OpKind::kObject, {}, node->written);
      }
    }
    if (clear_apart && missing(node->cleared)) add(OpKind::kClear, {}, node->cleared);
    // Depth first, without recursion: down, else along, else up and along.
    if (node->first_child != nullptr) {
      node = node->first_child;
      stack.push_back(node->key);
      continue;
    }
    while (node != nullptr && node->next == nullptr) {
      node = node->parent;
      if (node == tree_.root()) node = nullptr;
      if (!stack.empty()) stack.pop_back();
    }
    if (node != nullptr) {
      node = node->next;
      stack.back() = node->key;
    }
  }
  const size_t first_op = ops->size() - starts.size();
  for (size_t i = 0; i < starts.size(); ++i) {
    (*ops)[first_op + i].path = {keys->data() + starts[i].first, starts[i].size};
  }
}

uint64_t Document::RegisterHash(const Node* node) const {
  if (node->kind == RegisterKind::kNone || node->written.hlc == 0) return 0;
  uint64_t hash = Mix(node->path_hash ^ static_cast<uint64_t>(node->kind));
  hash = Mix(hash ^ node->written.hlc);
  hash = Mix(hash ^ vector_->IdHash(node->written.instance));
  return HashBytes(node->text, hash);
}

uint64_t Document::ClearHash(const Node* node) const {
  if (node->cleared.hlc == 0) return 0;
  return Mix(Mix(~node->path_hash ^ node->cleared.hlc) ^ vector_->IdHash(node->cleared.instance));
}

}  // namespace tabmesh
