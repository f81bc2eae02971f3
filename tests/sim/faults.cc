#include "faults.h"

namespace tabmesh::sim {

namespace {

struct Kind {
  const char* name;
  /// In how many of 1,000 runs it is on.
  uint16_t runs;
  /// Largest rate: of 10,000 that pass by, or of 1,000 storms.
  uint16_t rate_max;
  /// Not drawn unless asked for: the reason stands beside it.
  bool parked = false;
};

constexpr Kind kKinds[kFaultKinds] = {
    {"frame-lost", 600, 800},
    {"frame-duplicated", 500, 500},
    {"frame-reordered", 500, 500},
    {"frame-mutated", 400, 300},
    {"frame-truncated", 400, 200},
    {"frame-newer-minor", 300, 1000},
    {"frame-other-major", 300, 200},
    {"late-registration", 400, 5000},
    {"deaf-tab", 300, 400},
    {"storage-event-own", 500, 10000},
    {"storage-event-late", 400, 1000},
    {"hostile-write", 200,
     1000},  // A clear without a newer write at its place is not commutative yet: see Document::CommitOne.
    {"hostile-clear", 200, 1000, true},
    {"hostile-stamp", 150, 500},
    // After the last stamp there is none for a tab's own writes.
    {"hostile-last-stamp", 200, 1000, true},
    {"hostile-vector", 200, 1000},
    // Who believes that it has a tab's future writes will not take them.
    {"hostile-claim", 200, 1000, true},
    {"hostile-presence", 200, 1000},
    // After the last term there is none.
    {"hostile-term", 200, 1000, true},
    {"hostile-message", 200, 2000},
    {"tab-closed", 600, 800},
    {"tab-crashed", 600, 800},
    {"tab-frozen", 500, 800},
    {"tab-stopped", 500, 800},
    {"tab-cached", 500, 800},
    {"tab-discarded", 400, 500},
    {"tab-hidden", 500, 1500},
    {"tab-throttled", 300, 500},
    {"renderer-crashed", 300, 200},
    {"browser-crashed", 250, 150},
    {"power-lost", 250, 150},
    {"clock-forward", 400, 800},
    {"clock-back", 400, 800},
    {"clock-drift", 400, 500},
    {"system-sleep", 400, 400},
    {"storage-slow", 400, 500},
    {"open-blocked", 300, 2000},
    {"open-failed", 300, 1000},
    {"read-aborted", 300, 1000},
    {"append-aborted", 500, 2000},
    {"outcome-lost", 400, 2000},
    {"connection-lost", 400, 600},
    {"quota-full", 300, 300},
    {"record-flipped", 250, 500},
    {"checkpoint-damaged", 300, 600},
    {"database-evicted", 200, 150},
    {"claim-aborted", 300, 3000},
    {"lock-stolen", 400, 500},
    {"lock-released-late", 400, 5000},
    {"no-locks", 200, 3000},
    {"identity-duplicated", 150, 1000},
    {"allocation-failed", 150, 100},
};

}  // namespace

const char* FaultName(Fault fault) { return kKinds[static_cast<size_t>(fault)].name; }

FaultSet DefaultFaults() {
  FaultSet set;
  for (size_t kind = 0; kind < kFaultKinds; ++kind) set[kind] = !kKinds[kind].parked;
  return set;
}

bool ParseFaults(std::string_view names, FaultSet* set) {
  set->reset();
  if (names == "none") return true;
  while (!names.empty()) {
    const size_t comma = names.find(',');
    const std::string_view name = names.substr(0, comma);
    size_t kind = 0;
    while (kind < kFaultKinds && name != kKinds[kind].name) ++kind;
    if (kind == kFaultKinds) return false;
    set->set(kind);
    names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
  }
  return true;
}

std::string PrintFaults(const FaultSet& set) {
  std::string names;
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    if (!set[kind]) continue;
    if (!names.empty()) names += ',';
    names += kKinds[kind].name;
  }
  return names.empty() ? "none" : names;
}

// Swarm testing (Groce, Zhang, Eide, Chen, Regehr, 2012): leaving kinds out altogether finds what a mixture
// of all of them hides.
Faults::Faults(uint64_t seed, const FaultSet& allowed) {
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    Random& random = streams_.emplace_back(seed, kind);
    const bool on = random.Chance(kKinds[kind].runs);
    const uint64_t rate = kKinds[kind].rate_max == 0 ? 0 : 1 + random.Below(kKinds[kind].rate_max);
    // Somebody who asks for a kind by name wants it in every run.
    drawn_[kind] = allowed[kind] && (on || kKinds[kind].parked) && rate > 0;
    rates_[kind] = drawn_[kind] ? rate : 0;
  }
}

uint64_t Faults::Strokes(Fault fault) {
  const auto kind = static_cast<size_t>(fault);
  if (!on_ || rates_[kind] == 0) return 0;
  return rates_[kind] / 1000 + (streams_[kind].Chance(rates_[kind] % 1000) ? 1 : 0);
}

}  // namespace tabmesh::sim
