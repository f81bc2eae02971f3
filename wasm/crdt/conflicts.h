// The places whose values nobody has chosen between yet, as JSON.
#ifndef TABMESH_CRDT_CONFLICTS_H_
#define TABMESH_CRDT_CONFLICTS_H_

#include "base/bytes.h"
#include "crdt/document.h"

namespace tabmesh {

/// Appends `[{"id","key","strategy","base","values":[{"tab","time","value"}, …]}, …]`: of each key that has
/// values which differ and await a choice (Strategy::kResolve, kPrompt), the earliest first; of more than
/// kSiblingsShownMax the latest. `base`, what was replaced, is missing where there was nothing, `value` where
/// the key was removed. Times are milliseconds since 1970, tabs and ids hexadecimal. O(top-level keys).
void PrintConflicts(const Document& document, const VersionVector& vector, Buffer* out);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_CONFLICTS_H_
