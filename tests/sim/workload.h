// What the users of the simulated tabs do. A new kind of operation is a class here and a line in
// MakeOperations.
#ifndef TABMESH_TESTS_SIM_WORKLOAD_H_
#define TABMESH_TESTS_SIM_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "random.h"
#include "tab.h"

namespace tabmesh::sim {

class Operation {
 public:
  virtual ~Operation() = default;
  /// How often it is chosen, against the others.
  virtual uint64_t Weight() const = 0;
  /// Does it once. All chance comes from `random`.
  virtual void Perform(Tab* tab, Random* random) = 0;
};

class Workload {
 public:
  explicit Workload(uint64_t seed);

  /// One thing that a user does in this tab.
  void Act(Tab* tab);
  /// How long until the next one, in a burst.
  uint64_t PauseMs();
  /// How many paths all operations together can write, prefixes included.
  static uint64_t Places();
  uint64_t acts() const { return acts_; }

 private:
  Random random_;
  uint64_t pause_ms_max_;
  std::vector<std::unique_ptr<Operation>> operations_;
  uint64_t weights_ = 0;
  uint64_t acts_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_WORKLOAD_H_
