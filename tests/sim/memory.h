// Memory that runs out: takes the place of base/memory.cc.
#ifndef TABMESH_TESTS_SIM_MEMORY_H_
#define TABMESH_TESTS_SIM_MEMORY_H_

#include <cstdint>

#include "faults.h"

namespace tabmesh::sim {

/// While it lives, `succeed` allocations of this thread succeed, and no more.
class Scarcity {
 public:
  static constexpr uint64_t kPlenty = UINT64_MAX;

  explicit Scarcity(uint64_t succeed);
  ~Scarcity();
  Scarcity(const Scarcity&) = delete;
  Scarcity& operator=(const Scarcity&) = delete;

  /// There is memory again.
  void End();
  /// Whether an allocation has failed.
  bool struck() const;
};

/// The same, when a fault strikes.
class Shortage {
 public:
  explicit Shortage(Faults* faults);
  ~Shortage();
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

  bool struck() const { return scarcity_.struck(); }

 private:
  Faults* faults_;
  Scarcity scarcity_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_MEMORY_H_
