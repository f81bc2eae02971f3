// What has arrived: for each instance, up to which sequence number, and which below it has not. Malkhi,
// Terry, "Concise Version Vectors in WinFS", 2005, call the latter exceptions.
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

/// Writes `first` to `last` of an instance, which have not arrived, though later ones have.
struct Hole {
  uint32_t instance = 0;  // an index
  uint32_t first = 0;
  uint32_t last = 0;
};

/// Instances are numbered in the order this replica met them; the numbers are its own affair.
class VersionVector {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  /// The instance's index, adding it with sequence 0. kMalformedFrame beyond kInstancesMax.
  Status Intern(const InstanceId& id, uint32_t* index);
  /// The instance's index, or kUnknown.
  uint32_t Find(const InstanceId& id) const;

  /// The number of the newest of this instance's writes that have arrived.
  uint32_t Seq(uint32_t index) const { return entries_[index].seq; }
  uint32_t SeqOf(const InstanceId& id) const;
  /// All of this instance's writes up to and including this one have arrived.
  uint32_t Whole(uint32_t index) const;
  uint32_t WholeOf(const InstanceId& id) const;
  bool Has(const InstanceId& id, uint32_t seq) const;

  /// All that follows the newest, up to this one, has arrived. Never lowers.
  void Advance(uint32_t index, uint32_t seq);
  /// One write has arrived. False, and nothing has changed, where that would make too many holes.
  [[nodiscard]] bool Add(uint32_t index, uint32_t seq);

  /// In the order of instances and numbers, none of them next to another.
  const std::vector<Hole>& holes() const { return holes_; }
  /// The holes that are left when all that somebody else has arrives: of each instance what is up to
  /// `seqs[index]`, without `theirs`.
  std::vector<Hole> HolesWith(const std::vector<uint32_t>& seqs, const std::vector<Hole>& theirs) const;
  void SetHoles(std::vector<Hole> holes);

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
  std::vector<Hole> holes_;  // nearly always none
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_VERSION_VECTOR_H_
