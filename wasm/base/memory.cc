#include "base/memory.h"

#include <cstdlib>

namespace tabmesh {

void* Allocate(size_t bytes) { return std::malloc(bytes); }

void* Reallocate(void* place, size_t bytes) { return std::realloc(place, bytes); }

}  // namespace tabmesh
