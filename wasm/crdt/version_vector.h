// What has arrived: for each instance, up to which sequence number, without gaps.
#ifndef TABMESH_CRDT_VERSION_VECTOR_H_
#define TABMESH_CRDT_VERSION_VECTOR_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/plant.h"
#include "base/status.h"
#include "crdt/stamp.h"

namespace tabmesh {

/// Instances are numbered in the order this replica met them; the numbers are its own affair.
class VersionVector {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  /// The instance's index, adding it with sequence 0. kMalformedFrame beyond kInstancesMax.
  Status Intern(const InstanceId& id, uint32_t* index);
  /// The instance's index, or kUnknown.
  uint32_t Find(const InstanceId& id) const;

  /// All of this instance's writes up to and including this one have arrived.
  uint32_t Seq(uint32_t index) const { return entries_[index].seq; }
  uint32_t SeqOf(const InstanceId& id) const;
  /// Never lowers.
  void Advance(uint32_t index, uint32_t seq);

  /// Which of two stamps is later: negative, 0 or positive. Ties go to the larger instance id.
  int Compare(const WriteId& a, const WriteId& b) const {
    if (a.hlc != b.hlc) return a.hlc < b.hlc ? -1 : 1;
    if (a.instance == b.instance || Planted("tie-break-missing")) return 0;
    return Id(a.instance) < Id(b.instance) ? -1 : 1;
  }

  const InstanceId& Id(uint32_t index) const { return entries_[index].id; }
  uint64_t IdHash(uint32_t index) const { return entries_[index].id_hash; }
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }

 private:
  struct Entry {
    InstanceId id;
    uint64_t id_hash = 0;
    uint32_t seq = 0;
  };
  struct IdHasher {
    size_t operator()(const InstanceId& id) const { return static_cast<size_t>(id.Hash()); }
  };
  std::vector<Entry> entries_;
  std::unordered_map<InstanceId, uint32_t, IdHasher> index_;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_VERSION_VECTOR_H_
