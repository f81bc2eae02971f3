// Readers see what the core has, and in the end all see the same.
#ifndef TABMESH_TESTS_SIM_CHECKERS_CONVERGENCE_H_
#define TABMESH_TESTS_SIM_CHECKERS_CONVERGENCE_H_

#include <string>
#include <vector>

#include "../tab.h"

namespace tabmesh::sim {

/// Each returns what is wrong, or nothing.
class Convergence {
 public:
  Convergence() { parser_.UseLists(&SimLists()); }
  /// After a call: the mirror, built from the changes told, is the core's state. O(state), so that it is
  /// looked at only now and then; an error stays until its place is written again.
  std::string Called(const Tab& tab, bool changed, bool local);
  std::string CheckMirror(const Tab& tab);
  /// A tripwire of the core's that nothing here can explain. What can: a record lost after it was stored, one
  /// that was stored without an earlier one, two contents under one name.
  std::string Diverged(const Tab& tab) const;
  void Excuse() { excused_ = true; }
  bool excused() const { return excused_; }

  /// After the quiet time.
  std::string CheckEqual(const std::vector<const Tab*>& tabs);
  /// Everybody tells others every half minute what it has, whatever has become of its clock: losses that
  /// nothing else shows are found by that alone.
  std::string CheckGossip(const Tab& tab, uint64_t now_ms) const;

 private:
  static constexpr uint64_t kLookEvery = 7;
  static constexpr uint64_t kLookEveryLocal = 3;
  JsonParser parser_;
  uint64_t calls_ = 0;
  uint64_t local_calls_ = 0;
  bool excused_ = false;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_CONVERGENCE_H_
