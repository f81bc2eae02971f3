// The memory of the state and of messages, which may run out: whoever asks for it goes on without, softly.
// Short lists that live as long as a call are standard vectors instead, and end the module when there is none
// for them.
#ifndef TABMESH_BASE_MEMORY_H_
#define TABMESH_BASE_MEMORY_H_

#include <cstddef>

namespace tabmesh {

/// Null when memory has run out. Given back with std::free. Defined in a file of its own: the simulator links
/// another, and has it run out.
void* Allocate(size_t bytes);
/// The same with what is at `place`, which stays as it is when memory has run out.
void* Reallocate(void* place, size_t bytes);

}  // namespace tabmesh

#endif  // TABMESH_BASE_MEMORY_H_
