#include "wire/ops_codec.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "json/wtf8.h"

namespace tabmesh {

namespace {

constexpr size_t kVectorEntryBytesMin = InstanceId::kBytes + 1;
constexpr size_t kOpBytesMin = 3;

size_t SharedKeys(Path a, Path b) {
  size_t shared = 0;
  while (shared < a.size && shared < b.size && a.keys[shared] == b.keys[shared]) ++shared;
  return shared;
}

void EncodeOp(const Op& op, Path before, Buffer* out) {
  const size_t shared = SharedKeys(before, op.path);
  out->AppendVarint(shared);
  out->AppendVarint(op.path.size - shared);
  for (size_t i = shared; i < op.path.size; ++i) out->AppendSized(op.path.keys[i]);
  out->AppendByte(static_cast<uint8_t>(op.kind));
  if (op.kind == OpKind::kLeaf) out->AppendSized(op.value);
}

Status DecodePath(Reader* reader, Path before, CallArena* arena, Path* path) {
  const uint64_t shared = reader->Varint();
  const uint64_t rest = reader->Varint();
  if (!reader->ok() || shared > before.size || rest > kPathSegmentsMax || shared + rest > kPathSegmentsMax ||
      shared + rest == 0) {
    return Status::kMalformedFrame;
  }
  const auto size = static_cast<size_t>(shared + rest);
  auto* keys = static_cast<std::string_view*>(arena->Allocate(size * sizeof(std::string_view)));
  if (keys == nullptr) return Status::kOutOfMemory;
  std::copy(before.keys, before.keys + shared, keys);
  for (size_t i = static_cast<size_t>(shared); i < size; ++i) {
    keys[i] = reader->Sized(kKeyBytesMax);
    if (!reader->ok() || !IsWtf8(keys[i])) return Status::kMalformedFrame;
    if (keys[i] == "__proto__") return Status::kForbiddenKey;
  }
  *path = {keys, size};
  return Status::kOk;
}

Status DecodeOp(Reader* reader, Path before, CallArena* arena, Op* op) {
  if (const Status status = DecodePath(reader, before, arena, &op->path); status != Status::kOk) {
    return status;
  }
  const uint8_t kind = reader->Byte();
  if (kind > kOpKindMax) return Status::kMalformedFrame;
  op->kind = static_cast<OpKind>(kind);
  if (op->kind == OpKind::kLeaf) op->value = reader->Sized(kValueBytesMax);
  return reader->ok() ? Status::kOk : Status::kMalformedFrame;
}

Status CheckStamp(HlcTime hlc) {
  return hlc != 0 && HlcMs(hlc) < kHlcMsMax ? Status::kOk : Status::kStampOutOfRange;
}

// The ops that follow cannot be more than their bytes allow, whatever their count claims.
bool ReadCount(Reader* reader, size_t item_bytes_min, size_t* count) {
  const uint64_t claimed = reader->Varint();
  if (!reader->ok() || claimed > reader->left() / item_bytes_min) return false;
  *count = static_cast<size_t>(claimed);
  return true;
}

bool ReadSeq(Reader* reader, uint32_t* seq) {
  const uint64_t value = reader->Varint();
  *seq = static_cast<uint32_t>(value);
  return reader->ok() && value <= UINT32_MAX;
}

}  // namespace

void EncodeBatch(const InstanceId& instance, const WriteId& id, const OpList& ops, Buffer* out) {
  out->Append(instance.view());
  out->AppendFixed64(id.hlc);
  out->AppendVarint(id.seq);
  out->AppendVarint(ops.size());
  Path before;
  for (const Op& op : ops) {
    EncodeOp(op, before, out);
    before = op.path;
  }
}

Status DecodeBatch(Reader* reader, CallArena* arena, Batch* batch) {
  batch->instance = InstanceId::From(reader->Take(InstanceId::kBytes));
  batch->hlc = reader->Fixed64();
  size_t count = 0;
  if (!ReadSeq(reader, &batch->seq) || batch->seq == 0 || !ReadCount(reader, kOpBytesMin, &count)) {
    return Status::kMalformedFrame;
  }
  if (const Status status = CheckStamp(batch->hlc); status != Status::kOk) return status;
  batch->ops.resize(count);
  Path before;
  for (Op& op : batch->ops) {
    if (const Status status = DecodeOp(reader, before, arena, &op); status != Status::kOk) return status;
    before = op.path;
  }
  return Status::kOk;
}

void EncodeVector(const VersionVector& vector, Buffer* out) {
  out->AppendVarint(vector.size());
  for (uint32_t i = 0; i < vector.size(); ++i) {
    out->Append(vector.Id(i).view());
    out->AppendVarint(vector.Seq(i));
  }
}

Status DecodeVector(Reader* reader, std::vector<OpSet::Entry>* entries) {
  size_t count = 0;
  if (!ReadCount(reader, kVectorEntryBytesMin, &count) || count > kInstancesMax) {
    return Status::kMalformedFrame;
  }
  entries->resize(count);
  for (OpSet::Entry& entry : *entries) {
    entry.instance = InstanceId::From(reader->Take(InstanceId::kBytes));
    if (!ReadSeq(reader, &entry.seq)) return Status::kMalformedFrame;
  }
  return Status::kOk;
}

void EncodeOpSet(const VersionVector& vector, const OpList& ops, Buffer* out) {
  EncodeVector(vector, out);
  HlcTime oldest = UINT64_MAX;
  for (const Op& op : ops) oldest = std::min(oldest, op.id.hlc);
  out->AppendFixed64(oldest);
  out->AppendVarint(ops.size());
  Path before;
  for (const Op& op : ops) {
    EncodeOp(op, before, out);
    out->AppendVarint(op.id.instance);
    out->AppendVarint(op.id.seq);
    out->AppendVarint(op.id.hlc - oldest);
    before = op.path;
  }
}

Status DecodeOpSet(Reader* reader, CallArena* arena, OpSet* set) {
  if (const Status status = DecodeVector(reader, &set->vector); status != Status::kOk) return status;
  const HlcTime oldest = reader->Fixed64();
  size_t count = 0;
  if (!ReadCount(reader, kOpBytesMin + 3, &count)) return Status::kMalformedFrame;
  set->ops.resize(count);
  Path before;
  for (Op& op : set->ops) {
    if (const Status status = DecodeOp(reader, before, arena, &op); status != Status::kOk) return status;
    before = op.path;
    const uint64_t instance = reader->Varint();
    const bool has_seq = ReadSeq(reader, &op.id.seq);
    const uint64_t later = reader->Varint();
    if (!reader->ok() || !has_seq || instance >= set->vector.size() || later > UINT64_MAX - oldest) {
      return Status::kMalformedFrame;
    }
    op.id.instance = static_cast<uint32_t>(instance);
    op.id.hlc = oldest + later;
    if (op.id.seq == 0 || op.id.seq > set->vector[op.id.instance].seq) return Status::kMalformedFrame;
    if (const Status status = CheckStamp(op.id.hlc); status != Status::kOk) return status;
  }
  return Status::kOk;
}

}  // namespace tabmesh
