// When the faults are over, whoever shows that it runs is known to all who can look.
#ifndef TABMESH_TESTS_SIM_CHECKERS_MEMBERSHIP_H_
#define TABMESH_TESTS_SIM_CHECKERS_MEMBERSHIP_H_

#include <string>
#include <vector>

#include "../tab.h"
#include "json/print.h"

namespace tabmesh::sim {

class Membership {
 public:
  std::string CheckSettled(const Tab& tab, const std::vector<Tab*>& alive) const {
    if (!tab.options().has_locks) return {};
    Buffer peers;
    tab.replica()->PrintPeers(&peers);
    for (const Tab* other : alive) {
      if (!other->options().has_locks || other->id() == tab.id()) continue;
      Buffer name;
      PrintHex(other->id().view(), &name);
      if (peers.view().find(name.view()) == std::string_view::npos) {
        return tab.Name() + " does not know that " + other->Name() + " is here";
      }
    }
    return {};
  }
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_MEMBERSHIP_H_
