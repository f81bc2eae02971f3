// Faults planted on purpose, one at a time, to prove that the simulator catches them (npm run plants). In
// every build but that one `Planted` is a constant false, and nothing of this is left.
#ifndef TABMESH_BASE_PLANT_H_
#define TABMESH_BASE_PLANT_H_

#include <string_view>

namespace tabmesh {

#ifdef TABMESH_PLANTS
inline std::string_view g_plant;  // chosen once, before anything runs
inline bool Planted(std::string_view name) { return g_plant == name; }
#else
constexpr bool Planted(std::string_view) { return false; }
#endif

}  // namespace tabmesh

#endif  // TABMESH_BASE_PLANT_H_
