// Some tabs of one origin in one process: the real core over a simulated browser that loses, doubles,
// reorders, freezes, crashes and sets clocks wrong. One seed draws everything.
#ifndef TABMESH_TESTS_SIM_SIMULATION_H_
#define TABMESH_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mirror.h"
#include "random.h"
#include "replica/replica.h"

namespace tabmesh::sim {

enum class Fault : uint8_t {
  kLoss,
  kDuplicate,
  kReorder,
  kCrash,
  kFreeze,
  kCache,  // back/forward cache: says goodbye, misses everything, comes back
  kClockJump,
  kSlowStorage,
  kFailedAppend,
  kMutation,  // a frame with changed bytes
  kStolenLock,
  kClose,
};
inline constexpr size_t kFaultKinds = 12;
const char* FaultName(Fault fault);

struct Outcome {
  /// Empty when all checks held; else what did not.
  std::string violation;
  uint64_t digest = 0;
  uint64_t tab_ms = 0;
  uint64_t faults[kFaultKinds] = {};
  uint64_t writes = 0;
};

/// One run of `ticks` simulated steps, then a time without faults in which all must become equal.
Outcome Simulate(uint64_t seed, uint64_t ticks);

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_SIMULATION_H_
