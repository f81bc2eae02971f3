// The whole state as one stored frame. Grammar: JOURNAL_FORMAT.md.
#ifndef TABMESH_JOURNAL_CHECKPOINT_H_
#define TABMESH_JOURNAL_CHECKPOINT_H_

#include "base/bytes.h"
#include "crdt/document.h"
#include "crdt/version_vector.h"
#include "wire/frame.h"

namespace tabmesh {

/// Appends a checkpoint: a delta for a replica that has nothing, addressed to everybody. kOutOfMemory.
Status EncodeCheckpoint(const FrameWriter& writer, const InstanceId& from, const Document& document,
                        const VersionVector& vector, Buffer* out);

/// Whether a stored frame may be of this kind: a write, or a checkpoint. Everything else in a journal
/// is foreign.
constexpr bool IsStored(FrameKind kind) { return kind == FrameKind::kOps || kind == FrameKind::kDelta; }

}  // namespace tabmesh

#endif  // TABMESH_JOURNAL_CHECKPOINT_H_
