// What can go wrong, and how often it does in a run. HAZARDS of browsers and of those who use them.
#ifndef TABMESH_TESTS_SIM_FAULTS_H_
#define TABMESH_TESTS_SIM_FAULTS_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "random.h"

namespace tabmesh::sim {

enum class Fault : uint8_t {
  // The channel.
  kFrameLost,
  kFrameDuplicated,
  kFrameReordered,  // worse than a browser: order of one sender is kept there
  kFrameMutated,
  kFrameTruncated,
  kFrameNewerMinor,   // sent by a newer minor version: must be understood
  kFrameOtherMajor,   // sent by another major version: must be dropped
  kLateRegistration,  // what is sent just after a channel was opened misses it
  kDeafTab,           // one tab's channel is dead for a while, both ways
  // Where storage events are the channel.
  kStorageEventOwn,   // fired in the writing page too, as WebKit does
  kStorageEventLate,  // the value that is read then is a later one: those between are never seen
  // A script of the same origin that writes well-formed frames of made-up content.
  kHostileWrite,
  kHostileClear,
  kHostileStamp,
  kHostileLastStamp,
  kHostileVector,
  kHostileClaim,
  kHostilePresence,
  kHostileTerm,
  kHostileMessage,
  // Pages.
  kTabClosed,
  kTabCrashed,
  kTabFrozen,
  kTabStopped,  // frozen without a word, holding whatever it holds
  kTabCached,
  kTabDiscarded,
  kTabHidden,
  kTabThrottled,
  kRendererCrashed,  // several tabs at once
  kBrowserCrashed,
  kPowerLost,
  // Clocks.
  kClockForward,
  kClockBack,
  kClockDrift,
  kSystemSleep,
  // Storage.
  kStorageSlow,
  kOpenBlocked,
  kOpenFailed,
  kReadAborted,
  kAppendAborted,
  kOutcomeLost,  // a transaction is stored, and its page is told that it has failed
  kConnectionLost,
  kQuotaFull,
  kRecordFlipped,
  kCheckpointDamaged,
  kDatabaseEvicted,
  // Leadership.
  kClaimAborted,
  kLockStolen,
  kLockReleasedLate,
  kNoLocks,
  // Identity.
  kIdentityDuplicated,
  // Memory.
  kAllocationFailed,  // from some point of a call on
};
inline constexpr size_t kFaultKinds = static_cast<size_t>(Fault::kAllocationFailed) + 1;
using FaultSet = std::bitset<kFaultKinds>;

const char* FaultName(Fault fault);
/// The kinds that strike unless others are asked for.
FaultSet DefaultFaults();
/// Names separated by commas; false when one is unknown.
bool ParseFaults(std::string_view names, FaultSet* set);
std::string PrintFaults(const FaultSet& set);

/// Draws which kinds are on in a run, at which rates, and when they strike.
class Faults {
 public:
  Faults(uint64_t seed, const FaultSet& allowed);

  /// For kinds that strike where something passes by: whether this one is struck. Counts.
  bool Strikes(Fault fault) {
    const bool strikes = Draws(fault);
    if (strikes) Count(fault);
    return strikes;
  }
  /// The same, of a stroke that may miss.
  bool Draws(Fault fault) {
    const auto kind = static_cast<size_t>(fault);
    return on_ && rates_[kind] != 0 && streams_[kind].Below(10000) < rates_[kind];
  }
  /// For kinds that strike in storms: how often in the next one.
  uint64_t Strokes(Fault fault);
  /// A stroke that found somebody to hit.
  void Count(Fault fault) { ++counts_[static_cast<size_t>(fault)]; }
  Random* random(Fault fault) { return &streams_[static_cast<size_t>(fault)]; }

  /// The quiet time begins.
  void Stop() { on_ = false; }
  bool on() const { return on_; }
  /// Which kinds may strike in this run at all.
  const FaultSet& drawn() const { return drawn_; }
  uint64_t count(Fault fault) const { return counts_[static_cast<size_t>(fault)]; }

 private:
  bool on_ = true;
  FaultSet drawn_;
  std::array<uint64_t, kFaultKinds> rates_{};
  std::array<uint64_t, kFaultKinds> counts_{};
  std::vector<Random> streams_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_FAULTS_H_
