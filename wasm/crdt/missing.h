// What one replica has and another has not seen, as ops.
#ifndef TABMESH_CRDT_MISSING_H_
#define TABMESH_CRDT_MISSING_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/status.h"
#include "crdt/document.h"
#include "crdt/op.h"

namespace tabmesh {

/// Appends the ops that a replica with `covered` sequence numbers, one an instance of this replica's
/// vector, has not seen. The paths' keys point into `*keys`, details live in `arena`. kOutOfMemory.
/// O(size of the state).
Status CollectMissing(const Document& document, const std::vector<uint32_t>& covered, CallArena* arena,
                      OpList* ops, std::vector<std::string_view>* keys);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_MISSING_H_
