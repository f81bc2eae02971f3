// One place of the state: its register, the largest clear, and its children.
#ifndef TABMESH_CRDT_NODE_H_
#define TABMESH_CRDT_NODE_H_

#include <cstdint>
#include <string_view>

#include "crdt/stamp.h"

namespace tabmesh {

/// What was last written here. Siblings of the other strategies and counters get kinds of their own here.
enum class RegisterKind : uint8_t { kNone, kLeaf, kObject, kTombstone };

/// What a reader sees here.
enum class Shown : uint8_t { kNothing, kLeaf, kObject };

/// Owned by a NodeTree; `key` and `text` are in its TextArena.
struct Node {
  Node* parent = nullptr;
  Node* first_child = nullptr;  // in the order of their making
  Node* last_child = nullptr;
  Node* next = nullptr;
  Node* previous = nullptr;
  Node* next_in_bucket = nullptr;
  std::string_view key;   // WTF-8
  std::string_view text;  // canonical JSON, kLeaf only
  uint64_t path_hash = 0;
  WriteId written;  // of the register
  WriteId cleared;  // the largest clear here; hlc 0 if none. Never above `written`.
  uint32_t children_shown = 0;
  RegisterKind kind = RegisterKind::kNone;
  Shown shown = Shown::kNothing;
  // For the change log: what was shown before the first change of the call.
  Shown shown_before = Shown::kNothing;
  bool logged = false;
  bool printed = false;
  bool to_sweep = false;

  /// A leaf written below a scalar makes it an object: whatever is older than the scalar is gone already.
  Shown Visible() const {
    if (children_shown > 0 || kind == RegisterKind::kObject) return Shown::kObject;
    return kind == RegisterKind::kLeaf ? Shown::kLeaf : Shown::kNothing;
  }
  bool Empty() const { return kind == RegisterKind::kNone && cleared.hlc == 0 && first_child == nullptr; }
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_NODE_H_
