// One place of the state: its register, the largest clear, and its children.
#ifndef TABMESH_CRDT_NODE_H_
#define TABMESH_CRDT_NODE_H_

#include <cstdint>
#include <string_view>

#include "crdt/extra.h"
#include "crdt/stamp.h"

namespace tabmesh {

/// What was last written here.
enum class RegisterKind : uint8_t {
  kNone,
  kLeaf,
  kObject,
  kTombstone,
  kValues,  // one of `extra`'s siblings
  kList,
  kItem,
  kItemGone,
};

/// What a reader sees here.
enum class Shown : uint8_t { kNothing, kLeaf, kObject, kList };

/// The key of the child of a list's item that holds the item's position. Not WTF-8, so no user's key.
inline constexpr std::string_view kPositionKey = "\xff";

/// Owned by a NodeTree; `key` and `text` are in its TextArena.
struct Node {
  Node* parent = nullptr;
  Node* first_child = nullptr;  // in the order of their making
  Node* last_child = nullptr;
  Node* next = nullptr;
  Node* previous = nullptr;
  Node* next_in_bucket = nullptr;
  NodeExtra* extra = nullptr;  // null in most places
  std::string_view key;        // WTF-8
  std::string_view text;       // kLeaf: canonical JSON; kValues: the sibling shown, which owns it
  uint64_t path_hash = 0;
  WriteId written;  // of the register; kValues: of the latest sibling
  WriteId cleared;  // the largest clear here; hlc 0 if none. Never above `written`.
  uint32_t children_shown = 0;
  RegisterKind kind = RegisterKind::kNone;
  Shown shown = Shown::kNothing;
  // For the change log: what was shown before the first change of the call.
  Shown shown_before = Shown::kNothing;
  bool logged = false;
  bool printed = false;
  bool to_sweep = false;
  bool initial = false;   // also a place of the initial state, whatever was written since
  bool list_key = false;  // a list to this replica, also before its marker has arrived

  bool Counts() const { return extra != nullptr && extra->count_text_size > 0; }
  /// What a reader sees of a leaf.
  std::string_view LeafText() const { return Counts() ? extra->CountText() : text; }

  /// A leaf written below a scalar makes it an object: whatever is older than the scalar is gone already.
  Shown Visible() const {
    switch (kind) {
      case RegisterKind::kList:
        return Shown::kList;
      case RegisterKind::kItem:
        return Shown::kObject;
      case RegisterKind::kItemGone:
        return Shown::kNothing;
      default:
        if (children_shown > 0 && list_key && kind == RegisterKind::kNone) return Shown::kList;
        if (children_shown > 0 || kind == RegisterKind::kObject) return Shown::kObject;
        return LeafText().empty() ? Shown::kNothing : Shown::kLeaf;
    }
  }
  bool Empty() const {
    return kind == RegisterKind::kNone && cleared.hlc == 0 && first_child == nullptr &&
           (extra == nullptr || extra->Empty());
  }
  bool IsPosition() const { return key == kPositionKey; }
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_NODE_H_
