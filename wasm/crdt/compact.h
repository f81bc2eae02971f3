// The state without its history: what a store goes on from when an era ends.
#ifndef TABMESH_CRDT_COMPACT_H_
#define TABMESH_CRDT_COMPACT_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/status.h"
#include "crdt/document.h"
#include "crdt/op.h"
#include "crdt/version_vector.h"

namespace tabmesh {

/// Appends ops that make a document with the same initial state show what `document` shows, with the same
/// places in lists and the same values awaiting a choice, and adds the instances that they name to `*into`,
/// an empty vector of the new era. All is as if `author` had written it in one write, at the times at which
/// it was written; only values that await a choice keep their writers. Gone are tombstones and clears, but
/// those that hide something of the initial state, the contexts of values, and who counted how much. Nothing
/// that was written in the old era and is not in `document` may be merged with it. Keys point into `*keys`,
/// details live in `arena`. kOutOfMemory. O(size of the state).
Status Compact(const Document& document, const VersionVector& vector, const InstanceId& author,
               VersionVector* into, CallArena* arena, OpList* ops, std::vector<std::string_view>* keys);

/// What Compact cannot drop.
struct Remains {
  size_t instances = 0;  // writers of values that await a choice, and the author
  size_t hidden = 0;     // places of the initial state that show nothing
};
/// O(number of places).
Remains RemainsOf(const Document& document);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_COMPACT_H_
