// What a replica keeps is bounded by what lives, the places that were ever written, and who wrote.
#ifndef TABMESH_TESTS_SIM_CHECKERS_MEMORY_H_
#define TABMESH_TESTS_SIM_CHECKERS_MEMORY_H_

#include <cstdint>
#include <string>

#include "../tab.h"

namespace tabmesh::sim {

class Memory {
 public:
  /// `places`: how many paths the workload can write, prefixes included. A removed one keeps its tombstone.
  explicit Memory(uint64_t places) : places_(places) {}
  /// Each has a number of its own.
  void TabOpened() { ++places_; }
  void Forged(uint64_t places) { forged_ += places; }

  std::string Check(const Tab& tab) const {
    const Replica& replica = *tab.replica();
    const uint64_t nodes = replica.document().tree().node_count();
    if (nodes > places_ + forged_) return tab.Name() + " has " + std::to_string(nodes) + " nodes";
    Buffer state;
    replica.PrintState(&state);
    Buffer checkpoint;
    if (replica.EncodeCheckpoint(&checkpoint) != Status::kOk) return "a checkpoint cannot be made";
    const uint64_t bound = kFixedBytes + 2 * state.size() + kPlaceBytes * (places_ + forged_) +
                           kInstanceBytes * replica.vector().size();
    if (checkpoint.size() <= bound) return {};
    return "a checkpoint of " + tab.Name() + " has " + std::to_string(checkpoint.size()) +
           " bytes, more than " + std::to_string(bound);
  }

 private:
  static constexpr uint64_t kFixedBytes = 256;
  static constexpr uint64_t kPlaceBytes = 40;     // an op without its value
  static constexpr uint64_t kInstanceBytes = 21;  // an id and a number
  uint64_t places_;
  uint64_t forged_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_MEMORY_H_
