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

/// Appends the ops, without ids, that make `document` show `edit.value` at `edit.path`, or nothing
/// there; none where it does already. Under a strategy other than kMerge the path must be a single key. Keys,
/// values and details live as long as `arena`. `instance` is the writer; `salt` differs from write to write
/// (PositionsBetween). kPathTooLong, kValueTooLarge, kOutOfMemory. O(size of the value + visible members at
/// its objects).
Status Diff(const Document& document, const Edit& edit, Strategy strategy, uint32_t instance, uint64_t salt,
            CallArena* arena, OpList* ops);

/// Appends the op that adds `by` to the number at `path`, as `instance`. kNotANumber where something else
/// is, `by` is not whole, or the sum is beyond ±(2^53 - 1); kPathTooLong, kOutOfMemory.
Status Increment(const Document& document, const Edit& edit, uint32_t instance, CallArena* arena,
                 OpList* ops);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_DIFF_H_
