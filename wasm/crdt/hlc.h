// Hybrid logical clock: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks", OPODIS 2014.
#ifndef TABMESH_CRDT_HLC_H_
#define TABMESH_CRDT_HLC_H_

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "base/plant.h"

namespace tabmesh {

/// Milliseconds since 1970 in the upper 48 bits, a counter in the lower 16. A counter that
/// overflows carries into the milliseconds. Zero means "never written".
using HlcTime = uint64_t;

constexpr HlcTime HlcFromMs(uint64_t ms) { return ms << 16; }
constexpr uint64_t HlcMs(HlcTime time) { return time >> 16; }

class Hlc {
 public:
  /// A time above every time returned or observed before, and not below `now_ms`.
  HlcTime Tick(uint64_t now_ms) {
    last_ = std::max(Planted("clock-counter-dropped") ? last_ : last_ + 1,
                     HlcFromMs(std::min(now_ms, kClockMsMax)));
    return Planted("wall-clock-decides") ? HlcFromMs(now_ms) + 1 : last_;
  }

  /// Takes in a time from another replica. The paper's receive rule, less the time of the receive
  /// itself, which nothing is stamped with; `now` enters at the next Tick.
  void Observe(HlcTime remote) {
    if (!Planted("clock-observe-cut")) last_ = std::max(last_, remote);
  }

  HlcTime last() const { return last_; }
  /// Whether there is no time left that others would take: somebody has forged the last ones.
  bool exhausted() const { return HlcMs(last_ + 1) >= kHlcMsMax; }

 private:
  HlcTime last_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_HLC_H_
