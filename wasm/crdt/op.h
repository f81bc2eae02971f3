// One write to one place, as it is made, sent, stored and merged.
#ifndef TABMESH_CRDT_OP_H_
#define TABMESH_CRDT_OP_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crdt/stamp.h"
#include "json/value.h"

namespace tabmesh {

struct Node;

/// What a write does to the register at its path, and to what lies below. The numbers are the wire's.
enum class OpKind : uint8_t {
  kLeaf = 0,       // a scalar or array, as JSON text; clears below
  kTombstone = 1,  // removed; clears below
  kObject = 2,     // an object begins here; what lies below stays
  kReplace = 3,    // an object begins here; clears below
  kClear = 4,      // only the clearing, of a register that was overwritten since
};
inline constexpr uint8_t kOpKindMax = 4;

/// Whether older writes below the op's path are gone once it is merged.
constexpr bool Clears(OpKind kind) { return kind != OpKind::kObject; }

struct Op {
  Path path;
  OpKind kind = OpKind::kLeaf;
  std::string_view value;  // kLeaf only: canonical JSON text
  WriteId id;
  // Set by Document::Prepare: where the op goes, and its value in the document's own memory.
  Node* node = nullptr;
  std::string_view stored;
};

using OpList = std::vector<Op>;

}  // namespace tabmesh

#endif  // TABMESH_CRDT_OP_H_
