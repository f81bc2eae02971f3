// Some tabs of one origin in one process: the real core over a simulated browser. One seed draws everything.
// First a time of storms, in which all that can go wrong does; then a quiet time, after which all must be
// well.
#ifndef TABMESH_TESTS_SIM_SIMULATION_H_
#define TABMESH_TESTS_SIM_SIMULATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "faults.h"

namespace tabmesh::sim {

struct Settings {
  /// Seconds of the time of storms.
  uint64_t ticks = 4000;
  /// At most so many tabs at a time.
  uint64_t tabs = 8;
  FaultSet faults = DefaultFaults();
  /// Lines of the transcript that are kept; 0: none.
  size_t transcript_lines = 0;
  /// Expects what cannot be, to show that the checks are connected.
  bool canary = false;
};

struct Outcome {
  /// Empty when all checks held; else the first that did not.
  std::string violation;
  uint64_t violation_at_ms = 0;
  uint64_t digest = 0;
  uint64_t tab_ms = 0;
  uint64_t writes = 0;
  uint64_t durable_writes = 0;
  uint64_t page_loads = 0;
  uint64_t eras = 0;  // that have ended
  uint64_t transactions = 0;
  uint64_t events = 0;
  std::array<uint64_t, kFaultKinds> faults{};
  std::string transcript;
};

Outcome Simulate(uint64_t seed, const Settings& settings);

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_SIMULATION_H_
