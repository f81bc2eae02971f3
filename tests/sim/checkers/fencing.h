// After a term was stored, nothing done on behalf of an older one has an effect.
#ifndef TABMESH_TESTS_SIM_CHECKERS_FENCING_H_
#define TABMESH_TESTS_SIM_CHECKERS_FENCING_H_

#include <cstdint>
#include <string>

namespace tabmesh::sim {

class Fencing {
 public:
  /// The checkpoints that readers use were changed on behalf of `term`.
  std::string CheckpointTouched(uint64_t term, uint64_t newest_term) const {
    if (term >= newest_term) return {};
    return "a checkpoint was changed on behalf of term " + std::to_string(term) + " while the newest is " +
           std::to_string(newest_term);
  }
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_FENCING_H_
