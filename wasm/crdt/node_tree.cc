#include "crdt/node_tree.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/hash.h"
#include "base/limits.h"

namespace tabmesh {

namespace {
constexpr uint64_t kRootHash = 0x7461626d657368;  // "tabmesh"
constexpr size_t kBucketsAtStart = 256;
}  // namespace

NodeTree::NodeTree() {
  root_.path_hash = kRootHash;
  root_.shown = Shown::kObject;
  root_.kind = RegisterKind::kObject;
}

NodeTree::~NodeTree() {
  // Long texts are not part of the arena's blocks: give each back.
  for (size_t i = 0; i < bucket_count_; ++i) {
    for (Node* node = buckets_[i]; node != nullptr; node = node->next_in_bucket) {
      FreeTexts(node);
    }
  }
  std::free(buckets_);
}

void NodeTree::FreeTexts(Node* node) {
  texts_.Free(node->key);
  if (node->kind != RegisterKind::kValues) texts_.Free(node->text);
  FreeExtra(node);
}

bool NodeTree::AddExtra(Node* node) {
  if (node->extra != nullptr) return true;
  void* place = Allocate(sizeof(NodeExtra));
  if (place != nullptr) node->extra = new (place) NodeExtra();
  return place != nullptr;
}

void NodeTree::FreeExtra(Node* node) {
  if (node->extra == nullptr) return;
  for (const Sibling& sibling : node->extra->siblings) {
    texts_.Free(sibling.text);
    texts_.Free(sibling.base);
  }
  for (const UnknownFields& fields : node->extra->unknown) texts_.Free(fields.bytes);
  node->extra->~NodeExtra();
  std::free(node->extra);
  node->extra = nullptr;
}

bool NodeTree::GrowIndex() {
  const size_t count = bucket_count_ == 0 ? kBucketsAtStart : bucket_count_ * 2;
  auto** buckets = static_cast<Node**>(Allocate(count * sizeof(Node*)));
  if (buckets == nullptr) return bucket_count_ != 0;  // a crowded index still works
  std::fill_n(buckets, count, nullptr);
  for (size_t i = 0; i < bucket_count_; ++i) {
    while (Node* node = buckets_[i]) {
      buckets_[i] = node->next_in_bucket;
      Node** bucket = &buckets[node->path_hash & (count - 1)];
      node->next_in_bucket = *bucket;
      *bucket = node;
    }
  }
  std::free(buckets_);
  buckets_ = buckets;
  bucket_count_ = count;
  return true;
}

Node* NodeTree::FindChild(const Node* parent, std::string_view key) const {
  if (bucket_count_ == 0) return nullptr;
  const uint64_t hash = HashBytes(key, parent->path_hash);
  for (Node* node = *Bucket(hash); node != nullptr; node = node->next_in_bucket) {
    if (node->path_hash == hash && node->parent == parent && node->key == key) return node;
  }
  return nullptr;
}

Node* NodeTree::Find(Path path) const {
  const Node* node = &root_;
  for (size_t i = 0; i < path.size && node != nullptr; ++i) node = FindChild(node, path.keys[i]);
  return const_cast<Node*>(node);
}

Node* NodeTree::AddChild(Node* parent, std::string_view key) {
  if (nodes_.used() >= bucket_count_ && !GrowIndex()) return nullptr;
  Node* node = nodes_.Take();
  if (node == nullptr) return nullptr;
  if (!texts_.Store(key, &node->key)) {
    nodes_.Give(node);
    return nullptr;
  }
  node->path_hash = HashBytes(key, parent->path_hash);
  node->parent = parent;
  node->previous = parent->last_child;
  (parent->last_child == nullptr ? parent->first_child : parent->last_child->next) = node;
  parent->last_child = node;
  Node** bucket = Bucket(node->path_hash);
  node->next_in_bucket = *bucket;
  *bucket = node;
  return node;
}

Node* NodeTree::FindOrAdd(Path path) {
  Node* node = &root_;
  for (size_t i = 0; i < path.size && node != nullptr; ++i) {
    Node* child = FindChild(node, path.keys[i]);
    node = child != nullptr ? child : AddChild(node, path.keys[i]);
  }
  return node;
}

void NodeTree::Remove(Node* node) {
  (node->previous == nullptr ? node->parent->first_child : node->previous->next) = node->next;
  (node->next == nullptr ? node->parent->last_child : node->next->previous) = node->previous;
  Node** link = Bucket(node->path_hash);
  while (*link != node) link = &(*link)->next_in_bucket;
  *link = node->next_in_bucket;
  FreeTexts(node);
  nodes_.Give(node);
}

}  // namespace tabmesh
