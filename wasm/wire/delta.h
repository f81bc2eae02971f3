// What one replica has and another lacks, as one frame: an answer to a hello, or a checkpoint.
#ifndef TABMESH_WIRE_DELTA_H_
#define TABMESH_WIRE_DELTA_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "crdt/document.h"
#include "crdt/version_vector.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace tabmesh {

/// Appends a kDelta frame with every op whose seq is above `covered` (one number an instance of
/// `vector`). Almeida, Shoker, Baquero, "Delta State Replicated Data Types", 2018: the receiver may
/// take over the sender's vector because it has at least `covered`. kOutOfMemory. O(size of the state).
Status EncodeDelta(const FrameWriter& writer, const DeltaHead& head, const Document& document,
                   const VersionVector& vector, const std::vector<uint32_t>& covered, Buffer* out);

/// For each instance of `vector`, up to where they have all of its writes.
std::vector<uint32_t> CoveredBy(const SentVector& theirs, const VersionVector& vector);

}  // namespace tabmesh

#endif  // TABMESH_WIRE_DELTA_H_
