// Walking a tree of nodes, and telling what is found there as ops.
#ifndef TABMESH_CRDT_WALK_H_
#define TABMESH_CRDT_WALK_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "crdt/node.h"
#include "crdt/op.h"

namespace tabmesh {

/// All nodes below a root, each before its children, without recursion. The tree must stay as it is.
class TreeWalk {
 public:
  explicit TreeWalk(const Node* root) : root_(root), at_(root) {}

  /// The next node; null at the end. `below`: also what is below the last one.
  const Node* Next(bool below = true) {
    if (below && at_->first_child != nullptr) {
      at_ = at_->first_child;
      keys_.push_back(at_->key);
      return at_;
    }
    while (at_ != root_ && at_->next == nullptr) {
      at_ = at_->parent;
      keys_.pop_back();
    }
    if (at_ == root_) return nullptr;
    at_ = at_->next;
    keys_.back() = at_->key;
    return at_;
  }

  /// The way to the last node; valid until the next.
  Path path() const { return {keys_.data(), keys_.size()}; }

 private:
  const Node* root_;
  const Node* at_;
  std::vector<std::string_view> keys_;
};

/// Ops whose paths lie behind one another in one list of keys.
class GatheredOps {
 public:
  GatheredOps(OpList* ops, std::vector<std::string_view>* keys)
      : ops_(ops), keys_(keys), first_op_(ops->size()) {}

  /// Appends an op for `path`; valid until the next. Its own path is set by Finish.
  Op* Add(OpKind kind, Path path, std::string_view value = {}) {
    starts_.push_back({keys_->size(), path.size});
    keys_->insert(keys_->end(), path.keys, path.keys + path.size);
    Op& op = ops_->emplace_back();
    op.kind = kind;
    op.value = value;
    return &op;
  }

  /// Paths are views, made when the storage stands still.
  void Finish() {
    for (size_t i = 0; i < starts_.size(); ++i) {
      (*ops_)[first_op_ + i].path = {keys_->data() + starts_[i].first, starts_[i].size};
    }
  }

 private:
  struct Start {
    size_t first;
    size_t size;
  };
  OpList* ops_;
  std::vector<std::string_view>* keys_;
  std::vector<Start> starts_;
  const size_t first_op_;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_WALK_H_
