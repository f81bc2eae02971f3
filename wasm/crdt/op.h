// One write to one place, as it is made, sent, stored and merged.
#ifndef TABMESH_CRDT_OP_H_
#define TABMESH_CRDT_OP_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crdt/stamp.h"
#include "crdt/strategy.h"
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
  kValue = 5,      // a value, or its removal, beside concurrent ones; clears below
  kCount = 6,      // what one instance has added to a counter since its base was written
  kList = 7,       // a keyed list begins here; what lies below stays
  kItem = 8,       // an item of a list: it is there
  kItemGone = 9,   // it is not; what lies below stays, for a later write may bring it back
};
inline constexpr uint8_t kOpKindMax = 9;

/// Whether older writes below the op's path are gone once it is merged.
constexpr bool Clears(OpKind kind) { return kind <= OpKind::kValue && kind != OpKind::kObject; }

/// Names a write by what has arrived: everything of the instance up to this number.
struct Dot {
  uint32_t instance = 0;
  uint32_t seq = 0;
};

/// What only some kinds of op have.
struct OpDetail {
  // kValue: the writes to this place that its writer had seen, and what it replaced.
  Strategy strategy = Strategy::kPrompt;
  bool removed = false;
  Dot* context = nullptr;
  size_t context_size = 0;
  HlcTime base_hlc = 0;
  std::string_view base;  // JSON text, empty where there was nothing
  // kCount: the base that is counted from, and the sum.
  WriteId epoch;
  int64_t total = 0;
};

struct Op {
  Path path;
  OpKind kind = OpKind::kLeaf;
  std::string_view value;  // kLeaf and kValue: canonical JSON text; empty for a removal
  WriteId id;
  std::string_view unknown_fields;  // what a newer version has added, byte for byte; mostly empty
  OpDetail* detail = nullptr;       // kValue and kCount; lives as long as the call
  // Set by Document::Prepare: where the op goes, and its texts in the document's own memory.
  Node* node = nullptr;
  std::string_view stored;
  std::string_view stored_base;
  std::string_view stored_fields;
  bool has_room = false;  // in the node's extra
};

using OpList = std::vector<Op>;

}  // namespace tabmesh

#endif  // TABMESH_CRDT_OP_H_
