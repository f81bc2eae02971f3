#include "crdt/version_vector.h"

#include <algorithm>

#include "base/limits.h"

namespace tabmesh {

Status VersionVector::Intern(const InstanceId& id, uint32_t* index) {
  *index = Find(id);
  if (*index != kUnknown) return Status::kOk;
  if (entries_.size() >= kInstancesMax) return Status::kMalformedFrame;
  *index = static_cast<uint32_t>(entries_.size());
  entries_.push_back({id, id.Hash(), 0});
  index_.emplace(id, *index);
  return Status::kOk;
}

uint32_t VersionVector::Find(const InstanceId& id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? kUnknown : found->second;
}

uint32_t VersionVector::SeqOf(const InstanceId& id) const {
  const uint32_t index = Find(id);
  return index == kUnknown ? 0 : entries_[index].seq;
}

void VersionVector::Advance(uint32_t index, uint32_t seq) {
  entries_[index].seq = std::max(entries_[index].seq, seq);
}

}  // namespace tabmesh
