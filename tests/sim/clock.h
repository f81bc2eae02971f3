// The wall clock of one page: it starts wrong, jumps, and runs too fast or too slow.
#ifndef TABMESH_TESTS_SIM_CLOCK_H_
#define TABMESH_TESTS_SIM_CLOCK_H_

#include <algorithm>
#include <cstdint>

namespace tabmesh::sim {

/// Times are milliseconds since 1970; `true_ms` is the simulation's own time.
class PageClock {
 public:
  static constexpr int64_t kEpochMs = 1700000000000;

  uint64_t Now(uint64_t true_ms) const {
    const auto elapsed = static_cast<int64_t>(true_ms - since_ms_);
    const int64_t wall = at_since_ms_ + elapsed + elapsed * drift_per_thousand_ / 1000;
    return static_cast<uint64_t>(std::max<int64_t>(wall, 0));
  }

  /// Somebody sets the clock, or it did not run while the system slept.
  void Jump(int64_t ms) { at_since_ms_ += ms; }

  void Drift(int64_t per_thousand, uint64_t true_ms) {
    at_since_ms_ = static_cast<int64_t>(Now(true_ms));
    since_ms_ = true_ms;
    drift_per_thousand_ = per_thousand;
  }

 private:
  uint64_t since_ms_ = 0;
  int64_t at_since_ms_ = kEpochMs;
  int64_t drift_per_thousand_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CLOCK_H_
