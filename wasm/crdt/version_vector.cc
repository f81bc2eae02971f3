#include "crdt/version_vector.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace tabmesh {

namespace {

bool IsBefore(uint32_t instance, uint32_t first, const Hole& hole) {
  return instance != hole.instance ? instance < hole.instance : first < hole.first;
}

}  // namespace

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

uint32_t VersionVector::Whole(uint32_t index) const {
  for (const Hole& hole : holes_) {
    if (hole.instance == index) return hole.first - 1;
  }
  return entries_[index].seq;
}

uint32_t VersionVector::WholeOf(const InstanceId& id) const {
  const uint32_t index = Find(id);
  return index == kUnknown ? 0 : Whole(index);
}

bool VersionVector::Has(const InstanceId& id, uint32_t seq) const {
  const uint32_t index = Find(id);
  if (index == kUnknown || seq > entries_[index].seq) return false;
  return Planted("holes-never-filled") ||
         std::none_of(holes_.begin(), holes_.end(), [index, seq](const Hole& hole) {
           return hole.instance == index && seq >= hole.first && seq <= hole.last;
         });
}

void VersionVector::Advance(uint32_t index, uint32_t seq) {
  entries_[index].seq = std::max(entries_[index].seq, seq);
}

bool VersionVector::Add(uint32_t index, uint32_t seq) {
  const uint32_t newest = entries_[index].seq;
  if (seq > newest && seq != newest + 1) {
    if (holes_.size() >= kHolesMax) return false;
    const auto after = std::find_if(holes_.begin(), holes_.end(),
                                    [index](const Hole& hole) { return hole.instance > index; });
    holes_.insert(after, {index, newest + 1, seq - 1});
  }
  Advance(index, seq);
  for (size_t i = 0; seq < newest && i < holes_.size(); ++i) {
    const Hole hole = holes_[i];
    if (hole.instance != index || seq < hole.first || seq > hole.last) continue;
    const bool splits = hole.first < seq && seq < hole.last;
    if (splits && holes_.size() >= kHolesMax) return false;
    const auto at = holes_.erase(holes_.begin() + static_cast<ptrdiff_t>(i));
    const auto rest = seq < hole.last ? holes_.insert(at, {index, seq + 1, hole.last}) : at;
    if (hole.first < seq) holes_.insert(rest, {index, hole.first, seq - 1});
    break;
  }
  return true;
}

std::vector<Hole> VersionVector::HolesWith(const std::vector<uint32_t>& seqs,
                                           const std::vector<Hole>& theirs) const {
  std::vector<Hole> left;
  const auto keep = [&left](uint32_t instance, uint32_t first, uint32_t last) {
    auto at = left.end();
    while (at != left.begin() && IsBefore(instance, first, *(at - 1))) --at;
    left.insert(at, {instance, first, last});
  };
  for (const Hole& ours : holes_) {
    const uint32_t seq = ours.instance < seqs.size() ? seqs[ours.instance] : 0;
    for (const Hole& hole : theirs) {
      if (hole.instance != ours.instance || hole.first > ours.last || hole.last < ours.first) continue;
      keep(ours.instance, std::max(hole.first, ours.first), std::min(hole.last, ours.last));
    }
    if (ours.last > seq) keep(ours.instance, std::max(ours.first, seq + 1), ours.last);
  }
  for (const Hole& hole : theirs) {
    const uint32_t newest = hole.instance < entries_.size() ? entries_[hole.instance].seq : 0;
    if (hole.last > newest) keep(hole.instance, std::max(hole.first, newest + 1), hole.last);
  }
  return left;
}

void VersionVector::SetHoles(std::vector<Hole> holes) { holes_ = std::move(holes); }

}  // namespace tabmesh
