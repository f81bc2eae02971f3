// Lists of ops as bytes: paths share what they have in common with the one before.
#ifndef TABMESH_WIRE_OPS_CODEC_H_
#define TABMESH_WIRE_OPS_CODEC_H_

#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "crdt/op.h"
#include "crdt/stamp.h"
#include "crdt/version_vector.h"

namespace tabmesh {

/// What one instance wrote at once: all ops have the same WriteId.
struct Batch {
  const InstanceId& instance() const { return instances[0]; }
  HlcTime hlc = 0;
  uint32_t seq = 0;
  /// The writer, then whoever else the ops' details name: those have indices into this list.
  std::vector<InstanceId> instances;
  OpList ops;  // ids are unset: the receiver numbers instances its own way
};

/// `vector` knows the writer, which is `id.instance`, and all instances that the ops name.
void EncodeBatch(const VersionVector& vector, const WriteId& id, const OpList& ops, Buffer* out);

/// Keys and details live in `arena`, or in the bytes read from; values in those bytes. kMalformedFrame,
/// kForbiddenKey, kKeyTooLong, kStampOutOfRange, kOutOfMemory. Values are not validated as JSON here.
Status DecodeBatch(Reader* reader, CallArena* arena, Batch* batch);

/// A version vector as it is sent and stored.
struct SentVector {
  struct Entry {
    InstanceId instance;
    uint32_t seq = 0;
  };
  std::vector<Entry> entries;
  std::vector<Hole> holes;  // instances are indices into `entries`
};

/// A version vector, and ops of any of its instances: what one replica has and another lacks.
struct OpSet {
  SentVector vector;
  OpList ops;  // all instances, also in details, are indices into `vector.entries`
};

/// `ops` carry indices into `vector`, which is written whole.
void EncodeOpSet(const VersionVector& vector, const OpList& ops, Buffer* out);

/// As DecodeBatch. Every op lies within the vector it came with.
Status DecodeOpSet(Reader* reader, CallArena* arena, OpSet* set);

void EncodeVector(const VersionVector& vector, Buffer* out);
/// kMalformedFrame, also where an instance is named twice, or holes are not in VersionVector's order.
Status DecodeVector(Reader* reader, SentVector* vector);

}  // namespace tabmesh

#endif  // TABMESH_WIRE_OPS_CODEC_H_
