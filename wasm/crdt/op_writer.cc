#include "crdt/op_writer.h"

#include <algorithm>

#include "base/limits.h"

namespace tabmesh {

Status OpWriter::Add(OpKind kind, std::string_view value, OpDetail* detail) {
  if (keys_.size() > kPathSegmentsMax) return Status::kPathTooLong;
  auto* keys = static_cast<std::string_view*>(arena_->Allocate(keys_.size() * sizeof(std::string_view)));
  if (keys == nullptr) return Status::kOutOfMemory;
  std::copy(keys_.begin(), keys_.end(), keys);
  Op op;
  op.path = {keys, keys_.size()};
  op.kind = kind;
  op.value = value;
  op.detail = detail;
  ops_->push_back(op);
  return Status::kOk;
}

Status OpWriter::AddAt(std::string_view key, OpKind kind) {
  std::string_view kept;
  if (!arena_->Copy(key, &kept)) return Status::kOutOfMemory;
  Down(kept);
  const Status status = Add(kind);
  Up();
  return status;
}

Status OpWriter::AddBelow(std::string_view key, std::string_view value) {
  Down(key);
  const Status status = Add(OpKind::kLeaf, value);
  Up();
  return status;
}

}  // namespace tabmesh
