// Which items of a keyed list came, went, moved or changed.
#ifndef TABMESH_CRDT_LIST_DIFF_H_
#define TABMESH_CRDT_LIST_DIFF_H_

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "crdt/document.h"
#include "crdt/op_writer.h"
#include "json/value.h"

namespace tabmesh {

/// Writes what a member of an item needs: called with the item's node (null for a new one) and value.
using WriteItem = std::function<Status(const Node* item, const JsonValue& value)>;

/// Appends, at the writer's current path, the ops that turn the items of `list` (null, or a node that
/// shows no list, for none) into those of `value`. As few items as possible move: those outside a
/// longest run that is in order already (Fredman, "On computing the length of longest increasing
/// subsequences", 1975). A changed item is also said to be there, so that it outlives an earlier
/// removal. O(n log n).
Status DiffItems(const Document& document, const Node* list, const JsonValue& value, uint64_t salt,
                 const WriteItem& write_item, OpWriter* writer);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_LIST_DIFF_H_
