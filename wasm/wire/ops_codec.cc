#include "wire/ops_codec.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "base/plant.h"
#include "crdt/node.h"
#include "json/wtf8.h"

namespace tabmesh {

namespace {

constexpr size_t kVectorEntryBytesMin = InstanceId::kBytes + 1;
constexpr size_t kHoleBytesMin = 3;
constexpr size_t kOpBytesMin = 3;

size_t SharedKeys(Path a, Path b) {
  size_t shared = 0;
  while (shared < a.size && shared < b.size && a.keys[shared] == b.keys[shared]) ++shared;
  return shared;
}

// Instances are named by numbers; the first mention of one that the receiver cannot know spells it out.
class NamesOut {
 public:
  NamesOut(const VersionVector& vector, bool all_known) : vector_(vector), all_known_(all_known) {}

  void Introduce(uint32_t instance) { named_.push_back(instance); }
  void Append(uint32_t instance, Buffer* out) {
    if (all_known_) return out->AppendVarint(instance);
    const auto found = std::find(named_.begin(), named_.end(), instance);
    out->AppendVarint(static_cast<uint64_t>(found - named_.begin()));
    if (found != named_.end()) return;
    out->Append(vector_.Id(instance).view());
    named_.push_back(instance);
  }

 private:
  const VersionVector& vector_;
  const bool all_known_;
  std::vector<uint32_t> named_;
};

// The names of a batch grow as they are read; those of an op set are all there before.
class NamesIn {
 public:
  explicit NamesIn(size_t known) : known_(known) {}
  explicit NamesIn(std::vector<InstanceId>* growing) : growing_(growing) {}

  bool Read(Reader* reader, uint32_t* instance) {
    const uint64_t index = reader->Varint();
    const size_t known = growing_ == nullptr ? known_ : growing_->size();
    if (!reader->ok() || index > known || (index == known && growing_ == nullptr)) return false;
    if (index == known) growing_->push_back(InstanceId::From(reader->Take(InstanceId::kBytes)));
    *instance = static_cast<uint32_t>(index);
    return reader->ok();
  }

 private:
  size_t known_ = 0;
  std::vector<InstanceId>* growing_ = nullptr;
};

constexpr uint8_t kUnknownFieldsFollow = 0x80;  // beside the kind of an op
constexpr uint8_t kRemoved = 1;
constexpr uint8_t kHasBase = 2;

void EncodeValueDetail(const OpDetail& detail, NamesOut* names, Buffer* out) {
  const bool has_base = !detail.base.empty();
  out->AppendByte(static_cast<uint8_t>(detail.strategy));
  out->AppendByte(static_cast<uint8_t>((detail.removed ? kRemoved : 0) | (has_base ? kHasBase : 0)));
  out->AppendVarint(detail.context_size);
  for (size_t i = 0; i < detail.context_size; ++i) {
    names->Append(detail.context[i].instance, out);
    out->AppendVarint(detail.context[i].seq);
  }
  if (!has_base) return;
  out->AppendFixed64(detail.base_hlc);
  out->AppendSized(detail.base);
}

void EncodeCountDetail(const OpDetail& detail, NamesOut* names, Buffer* out) {
  out->AppendFixed64(detail.epoch.hlc);
  if (detail.epoch.hlc != 0) names->Append(detail.epoch.instance, out);
  const auto total = static_cast<uint64_t>(detail.total);  // zigzag, as in Protocol Buffers
  out->AppendVarint((total << 1) ^ static_cast<uint64_t>(detail.total >> 63));
}

void EncodeOp(const Op& op, Path before, NamesOut* names, Buffer* out) {
  const size_t shared = SharedKeys(before, op.path);
  out->AppendVarint(shared);
  out->AppendVarint(op.path.size - shared);
  for (size_t i = shared; i < op.path.size; ++i) out->AppendSized(op.path.keys[i]);
  const bool has_fields = !op.unknown_fields.empty();
  out->AppendByte(static_cast<uint8_t>(op.kind) | (has_fields ? kUnknownFieldsFollow : 0));
  if (op.kind == OpKind::kValue) EncodeValueDetail(*op.detail, names, out);
  if (op.kind == OpKind::kCount) EncodeCountDetail(*op.detail, names, out);
  if (op.kind == OpKind::kLeaf || (op.kind == OpKind::kValue && !op.detail->removed)) {
    out->AppendSized(op.value);
  }
  if (has_fields) out->AppendSized(op.unknown_fields);
}

Status DecodePath(Reader* reader, Path before, CallArena* arena, Path* path) {
  const uint64_t shared = reader->Varint();
  const uint64_t rest = reader->Varint();
  if (!reader->ok() || shared > before.size || rest > kPathSegmentsMax || shared + rest > kPathSegmentsMax ||
      shared + rest == 0) {
    return Status::kMalformedFrame;
  }
  const auto size = static_cast<size_t>(shared + rest);
  if (rest == 0) {
    *path = {before.keys, size};
    return Status::kOk;
  }
  auto* keys = static_cast<std::string_view*>(arena->Allocate(size * sizeof(std::string_view)));
  if (keys == nullptr) return Status::kOutOfMemory;
  std::copy(before.keys, before.keys + shared, keys);
  for (size_t i = static_cast<size_t>(shared); i < size; ++i) {
    keys[i] = reader->Sized(kKeyBytesMax);
    if (!reader->ok()) return Status::kMalformedFrame;
    const bool position = i == 2 && size == 3 && keys[i] == kPositionKey;
    if (!position && !IsWtf8(keys[i])) return Status::kMalformedFrame;
    if (keys[i] == "__proto__") return Status::kForbiddenKey;
  }
  *path = {keys, size};
  return Status::kOk;
}

bool ReadSeq(Reader* reader, uint32_t* seq) {
  const uint64_t value = reader->Varint();
  *seq = static_cast<uint32_t>(value);
  return reader->ok() && value <= UINT32_MAX;
}

// What follows cannot be more items than their bytes allow, whatever the count claims.
bool ReadCount(Reader* reader, size_t item_bytes_min, size_t* count) {
  const uint64_t claimed = reader->Varint();
  if (!reader->ok() || claimed > reader->left() / item_bytes_min) return false;
  *count = static_cast<size_t>(claimed);
  return true;
}

Status DecodeValueDetail(Reader* reader, NamesIn* names, CallArena* arena, OpDetail* detail) {
  const uint8_t strategy = reader->Byte();
  const uint8_t flags = reader->Byte();
  size_t size = 0;
  if (strategy > kStrategyMax || !KeepsSiblings(static_cast<Strategy>(strategy)) ||
      !ReadCount(reader, 2, &size) || size > kInstancesMax) {
    return Status::kMalformedFrame;
  }
  auto* context = static_cast<Dot*>(arena->Allocate(size * sizeof(Dot)));
  if (context == nullptr) return Status::kOutOfMemory;
  for (size_t i = 0; i < size; ++i) {
    if (!names->Read(reader, &context[i].instance) || !ReadSeq(reader, &context[i].seq)) {
      return Status::kMalformedFrame;
    }
  }
  detail->strategy = static_cast<Strategy>(strategy);
  detail->removed = (flags & kRemoved) != 0;
  detail->context = context;
  detail->context_size = size;
  if ((flags & kHasBase) == 0) return Status::kOk;
  detail->base_hlc = reader->Fixed64();
  detail->base = reader->Sized(kValueBytesMax);
  return reader->ok() && !detail->base.empty() ? Status::kOk : Status::kMalformedFrame;
}

Status DecodeCountDetail(Reader* reader, NamesIn* names, OpDetail* detail) {
  detail->epoch.hlc = reader->Fixed64();
  if (detail->epoch.hlc != 0 && !names->Read(reader, &detail->epoch.instance)) return Status::kMalformedFrame;
  const uint64_t zigzag = reader->Varint();
  detail->total = static_cast<int64_t>((zigzag >> 1) ^ (~(zigzag & 1) + 1));
  const bool good = reader->ok() && detail->total <= kWholeMax && detail->total >= -kWholeMax;
  return good && HlcMs(detail->epoch.hlc) < kHlcMsMax ? Status::kOk : Status::kMalformedFrame;
}

// Some kinds belong to places of a certain depth.
bool FitsPath(OpKind kind, Path path) {
  switch (kind) {
    case OpKind::kValue:
    case OpKind::kList:
      return path.size == 1;
    case OpKind::kItem:
    case OpKind::kItemGone:
      return path.size == 2;
    default:
      return path.keys[path.size - 1] != kPositionKey || kind == OpKind::kLeaf || kind == OpKind::kTombstone;
  }
}

Status DecodeOp(Reader* reader, Path before, NamesIn* names, CallArena* arena, Op* op) {
  if (const Status status = DecodePath(reader, before, arena, &op->path); status != Status::kOk) {
    return status;
  }
  const uint8_t head = reader->Byte();
  const uint8_t kind = head & ~kUnknownFieldsFollow;
  if (kind > kOpKindMax) return Status::kMalformedFrame;
  op->kind = static_cast<OpKind>(kind);
  if (!FitsPath(op->kind, op->path)) return Status::kMalformedFrame;
  bool has_text = op->kind == OpKind::kLeaf;
  if (op->kind == OpKind::kValue || op->kind == OpKind::kCount) {
    auto* detail = arena->New<OpDetail>();
    if (detail == nullptr) return Status::kOutOfMemory;
    op->detail = detail;
    const Status status = op->kind == OpKind::kValue ? DecodeValueDetail(reader, names, arena, detail)
                                                     : DecodeCountDetail(reader, names, detail);
    if (status != Status::kOk) return status;
    has_text = op->kind == OpKind::kValue && !detail->removed;
  }
  if (has_text) {
    op->value = reader->Sized(kValueBytesMax);
    if (op->value.empty()) return Status::kMalformedFrame;
  }
  if ((head & kUnknownFieldsFollow) != 0) {
    op->unknown_fields = reader->Sized(kUnknownFieldsBytesMax);
    if (op->unknown_fields.empty()) return Status::kMalformedFrame;
  }
  return reader->ok() ? Status::kOk : Status::kMalformedFrame;
}

// Below the newest number of its instance, and behind the hole before it.
bool ReadHole(Reader* reader, const SentVector& vector, const Hole& before, Hole* hole) {
  const uint64_t instance = reader->Varint();
  uint32_t more = 0;
  if (!ReadSeq(reader, &hole->first) || !ReadSeq(reader, &more) || instance >= vector.entries.size()) {
    return false;
  }
  const uint64_t last = uint64_t{hole->first} + more;
  hole->instance = static_cast<uint32_t>(instance);
  if (hole->first == 0 || last >= vector.entries[hole->instance].seq) return false;
  hole->last = static_cast<uint32_t>(last);
  if (before.last == 0 || before.instance < hole->instance) return true;
  return before.instance == hole->instance && hole->first > before.last + 1;
}

Status CheckStamp(HlcTime hlc) {
  return hlc != 0 && HlcMs(hlc) < kHlcMsMax ? Status::kOk : Status::kStampOutOfRange;
}

}  // namespace

void EncodeBatch(const VersionVector& vector, const WriteId& id, const OpList& ops, Buffer* out) {
  NamesOut names(vector, /*all_known=*/false);
  names.Introduce(id.instance);
  out->Append(vector.Id(id.instance).view());
  out->AppendFixed64(id.hlc);
  out->AppendVarint(id.seq);
  out->AppendVarint(ops.size());
  Path before;
  for (const Op& op : ops) {
    EncodeOp(op, before, &names, out);
    before = op.path;
  }
}

Status DecodeBatch(Reader* reader, CallArena* arena, Batch* batch) {
  batch->instances.assign(1, InstanceId::From(reader->Take(InstanceId::kBytes)));
  batch->hlc = reader->Fixed64();
  size_t count = 0;
  if (!ReadSeq(reader, &batch->seq) || batch->seq == 0 || !ReadCount(reader, kOpBytesMin, &count)) {
    return Status::kMalformedFrame;
  }
  if (const Status status = CheckStamp(batch->hlc); status != Status::kOk) return status;
  NamesIn names(&batch->instances);
  Path before;
  for (; count > 0; --count) {
    Op& op = batch->ops.emplace_back();
    if (const Status status = DecodeOp(reader, before, &names, arena, &op); status != Status::kOk)
      return status;
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
  if (Planted("holes-not-told")) return out->AppendVarint(0);
  out->AppendVarint(vector.holes().size());
  for (const Hole& hole : vector.holes()) {
    out->AppendVarint(hole.instance);
    out->AppendVarint(hole.first);
    out->AppendVarint(hole.last - hole.first);
  }
}

Status DecodeVector(Reader* reader, SentVector* vector) {
  size_t count = 0;
  if (!ReadCount(reader, kVectorEntryBytesMin, &count) || count > kInstancesMax) {
    return Status::kMalformedFrame;
  }
  vector->entries.resize(count);
  VersionVector named;
  for (SentVector::Entry& entry : vector->entries) {
    entry.instance = InstanceId::From(reader->Take(InstanceId::kBytes));
    uint32_t index = 0;
    const bool is_new = named.Find(entry.instance) == VersionVector::kUnknown;
    if (!ReadSeq(reader, &entry.seq) || !is_new || named.Intern(entry.instance, &index) != Status::kOk) {
      return Status::kMalformedFrame;
    }
  }
  if (!ReadCount(reader, kHoleBytesMin, &count) || count > kHolesMax) return Status::kMalformedFrame;
  vector->holes.resize(count);
  Hole before;
  for (Hole& hole : vector->holes) {
    if (!ReadHole(reader, *vector, before, &hole)) return Status::kMalformedFrame;
    before = hole;
  }
  return Status::kOk;
}

void EncodeOpSet(const VersionVector& vector, const OpList& ops, Buffer* out) {
  EncodeVector(vector, out);
  HlcTime oldest = UINT64_MAX;
  for (const Op& op : ops) oldest = std::min(oldest, op.id.hlc);
  out->AppendFixed64(oldest);
  out->AppendVarint(ops.size());
  NamesOut names(vector, /*all_known=*/true);
  Path before;
  for (const Op& op : ops) {
    EncodeOp(op, before, &names, out);
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
  NamesIn names(set->vector.entries.size());
  Path before;
  // As they come: a count of many is no room for them.
  for (; count > 0; --count) {
    Op& op = set->ops.emplace_back();
    if (const Status status = DecodeOp(reader, before, &names, arena, &op); status != Status::kOk)
      return status;
    before = op.path;
    const uint64_t instance = reader->Varint();
    const bool has_seq = ReadSeq(reader, &op.id.seq);
    const uint64_t later = reader->Varint();
    if (!reader->ok() || !has_seq || instance >= set->vector.entries.size() || later > UINT64_MAX - oldest) {
      return Status::kMalformedFrame;
    }
    op.id.instance = static_cast<uint32_t>(instance);
    op.id.hlc = oldest + later;
    if (op.id.seq == 0 || op.id.seq > set->vector.entries[op.id.instance].seq) return Status::kMalformedFrame;
    if (const Status status = CheckStamp(op.id.hlc); status != Status::kOk) return status;
  }
  return Status::kOk;
}

}  // namespace tabmesh
