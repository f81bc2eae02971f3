#include "wire/delta.h"

#include <algorithm>
#include <string_view>

#include "base/arena.h"
#include "crdt/missing.h"

namespace tabmesh {

Status EncodeDelta(const FrameWriter& writer, const DeltaHead& head, const Document& document,
                   const VersionVector& vector, const std::vector<uint32_t>& covered, Buffer* out) {
  CallArena arena;
  OpList ops;
  std::vector<std::string_view> keys;
  if (const Status status = CollectMissing(document, covered, &arena, &ops, &keys); status != Status::kOk) {
    return status;
  }
  const size_t start = out->size();
  writer.Begin(FrameKind::kDelta, out);
  EncodeDeltaHead(head, out);
  EncodeOpSet(vector, ops, out);
  FrameWriter::End(start, out);
  return out->failed() ? Status::kOutOfMemory : Status::kOk;
}

std::vector<uint32_t> CoveredBy(const SentVector& theirs, const VersionVector& vector) {
  std::vector<uint32_t> covered(vector.size());
  for (const SentVector::Entry& entry : theirs.entries) {
    const uint32_t index = vector.Find(entry.instance);
    if (index != VersionVector::kUnknown) covered[index] = entry.seq;
  }
  for (const Hole& hole : theirs.holes) {
    const uint32_t index = vector.Find(theirs.entries[hole.instance].instance);
    if (index != VersionVector::kUnknown) covered[index] = std::min(covered[index], hole.first - 1);
  }
  return covered;
}

}  // namespace tabmesh
