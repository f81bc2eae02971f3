// The simulator's only source of chance: SplitMix64, the same on every platform.
#ifndef TABMESH_TESTS_SIM_RANDOM_H_
#define TABMESH_TESTS_SIM_RANDOM_H_

#include <cstdint>

#include "base/hash.h"

namespace tabmesh::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(Mix(seed)) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }
  /// Uniform enough in [0, bound).
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  bool Chance(uint64_t per_thousand) { return Below(1000) < per_thousand; }

 private:
  uint64_t state_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_RANDOM_H_
