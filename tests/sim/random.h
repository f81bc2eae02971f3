// The simulator's only source of chance: SplitMix64, the same on every platform.
#ifndef TABMESH_TESTS_SIM_RANDOM_H_
#define TABMESH_TESTS_SIM_RANDOM_H_

#include <cstdint>

#include "base/hash.h"

namespace tabmesh::sim {

/// One stream of chance. Each part of a run and each fault kind has its own, so that leaving one out
/// does not change what the others draw: a failing seed can be shrunk.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(Mix(seed)) {}
  Random(uint64_t seed, uint64_t stream) : state_(Mix(Mix(seed) ^ stream)) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }
  /// Uniform enough in [0, bound).
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  /// In [low, high].
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  bool Chance(uint64_t per_thousand) { return Below(1000) < per_thousand; }

 private:
  uint64_t state_;
};

/// Streams other than those of the fault kinds, which are numbered from 0.
enum Stream : uint64_t {
  kStreamTabs = 1000,
  kStreamWorkload,
  kStreamChannel,
  kStreamDatabase,
  kStreamLocks,
  kStreamStorms,
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_RANDOM_H_
