// Storage of the state's nodes: who is whose child, in pooled memory.
#ifndef TABMESH_CRDT_NODE_TREE_H_
#define TABMESH_CRDT_NODE_TREE_H_

#include <cstddef>
#include <string_view>

#include "base/arena.h"
#include "base/pool.h"
#include "crdt/node.h"
#include "json/value.h"

namespace tabmesh {

/// Owns all nodes and texts. One hash index serves all parents: a step of a path is O(1).
class NodeTree {
 public:
  NodeTree();
  ~NodeTree();
  NodeTree(const NodeTree&) = delete;
  NodeTree& operator=(const NodeTree&) = delete;

  Node* root() { return &root_; }
  const Node* root() const { return &root_; }

  /// The child or node, or null.
  Node* FindChild(const Node* parent, std::string_view key) const;
  Node* Find(Path path) const;
  /// The node, made with all its ancestors if need be; null when memory has run out (nodes made on
  /// the way stay, empty).
  Node* FindOrAdd(Path path);
  /// Gives `node` an extra if it has none; false when memory has run out.
  [[nodiscard]] bool AddExtra(Node* node);
  /// Also frees the texts in it.
  void FreeExtra(Node* node);
  /// `node` must be Empty() and not the root.
  void Remove(Node* node);

  TextArena* texts() { return &texts_; }
  size_t node_count() const { return nodes_.used(); }
  size_t pool_bytes() const { return nodes_.bytes(); }
  size_t text_bytes() const { return texts_.used_bytes(); }

 private:
  Node* AddChild(Node* parent, std::string_view key);
  void FreeTexts(Node* node);
  bool GrowIndex();
  Node** Bucket(uint64_t hash) const { return &buckets_[hash & (bucket_count_ - 1)]; }

  Node root_;
  Pool<Node> nodes_;
  TextArena texts_;
  Node** buckets_ = nullptr;
  size_t bucket_count_ = 0;  // a power of two
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_NODE_TREE_H_
