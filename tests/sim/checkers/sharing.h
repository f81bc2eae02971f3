// A write that was called shared is, or was, in the memory of another tab.
#ifndef TABMESH_TESTS_SIM_CHECKERS_SHARING_H_
#define TABMESH_TESTS_SIM_CHECKERS_SHARING_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../tab.h"

namespace tabmesh::sim {

class Sharing {
 public:
  std::string Shared(const Tab& tab, uint32_t seq, const std::vector<std::unique_ptr<Tab>>& tabs) const {
    const auto gone = gone_.find({tab.era(), tab.id()});
    if (gone != gone_.end() && gone->second >= seq) return {};
    for (const auto& other : tabs) {
      if (other.get() == &tab || other->replica() == nullptr || other->era() != tab.era()) continue;
      if (other->replica()->vector().WholeOf(tab.id()) >= seq) return {};
    }
    return "write " + std::to_string(seq) + " of " + tab.Name() +
           " is called shared, but no other tab has it";
  }

  /// The page is gone with what it had, or the era is.
  void Leaves(const Tab& tab) {
    const VersionVector& vector = tab.replica()->vector();
    for (uint32_t i = 0; i < vector.size(); ++i) {
      if (vector.Id(i) == tab.id()) continue;
      uint32_t& seq = gone_[{tab.era(), vector.Id(i)}];
      seq = std::max(seq, vector.Seq(i));
    }
  }

 private:
  std::map<std::pair<uint32_t, InstanceId>, uint32_t> gone_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_SHARING_H_
