// Memory that runs out: takes the place of base/memory.cc.
#ifndef TABMESH_TESTS_SIM_MEMORY_H_
#define TABMESH_TESTS_SIM_MEMORY_H_

#include <cstdint>

#include "faults.h"

namespace tabmesh::sim {

/// While it lives, a fault may have all of this thread's allocations fail from some point on.
class Shortage {
 public:
  explicit Shortage(Faults* faults);
  ~Shortage();
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

  /// Whether an allocation has failed.
  bool struck() const;

 private:
  Faults* faults_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_MEMORY_H_
