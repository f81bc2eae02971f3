// What a tab has added to its own number counts once each, whatever becomes of eras, connections and frames.
#ifndef TABMESH_TESTS_SIM_CHECKERS_TOTALS_H_
#define TABMESH_TESTS_SIM_CHECKERS_TOTALS_H_

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "../tab.h"

namespace tabmesh::sim {

class Totals {
 public:
  /// It has given writes up, or their disk was taken away under it.
  void Excuse(const Tab& tab) { excused_.insert(tab.number()); }

  /// After the quiet time, of a tab that lives.
  std::string CheckSettled(const Tab& tab) const {
    if (excused_.count(tab.number()) > 0) return {};
    const std::string key = std::to_string(tab.number());
    const auto& members = tab.mirror().root().members;
    const auto totals = members.find("totals");
    uint64_t shown = 0;
    if (totals != members.end() && totals->second.members.count(key) > 0) {
      shown = std::strtoull(totals->second.members.at(key).text.c_str(), nullptr, 10);
    }
    if (shown == tab.total()) return {};
    return tab.Name() + " has added " + std::to_string(tab.total()) + " times, but " + std::to_string(shown) +
           " count";
  }

 private:
  std::set<uint32_t> excused_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_TOTALS_H_
