// Finds less with which a seed still fails: fewer kinds of faults, fewer tabs, a shorter time.
#ifndef TABMESH_TESTS_SIM_SHRINKER_H_
#define TABMESH_TESTS_SIM_SHRINKER_H_

#include <cstdint>

#include "simulation.h"

namespace tabmesh::sim {

/// Settings under which `seed`, which fails under `failing`, still fails, and no kind of fault can be left
/// out. Not always with the same violation: a smaller run shows another face of the same fault.
Settings Shrink(uint64_t seed, const Settings& failing);

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_SHRINKER_H_
