// What has to be written so that readers see a given value.
#ifndef TABMESH_CRDT_DIFF_H_
#define TABMESH_CRDT_DIFF_H_

#include <cstdint>

#include "base/arena.h"
#include "base/status.h"
#include "crdt/document.h"
#include "crdt/op.h"
#include "json/value.h"

namespace tabmesh {

/// How a top-level key merges (API.md 5). The strategies that keep siblings come here.
enum class Strategy : uint8_t {
  kMerge,          // each leaf by itself
  kLastWriteWins,  // the key whole: its value is one leaf, objects included
};

/// Appends the ops, without ids, that make `document` show `edit.value` at `edit.path`, or nothing
/// there; none where it does already. With kLastWriteWins the path must be a single key. Keys and values live
/// as long as `arena`. kPathTooLong, kValueTooLarge, kOutOfMemory. O(size of the value + visible members at
/// its objects).
Status Diff(const Document& document, const Edit& edit, Strategy strategy, CallArena* arena, OpList* ops);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_DIFF_H_
