// What a replica is told once, at its making.
#ifndef TABMESH_REPLICA_OPTIONS_H_
#define TABMESH_REPLICA_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "crdt/stamp.h"
#include "crdt/strategy.h"
#include "json/value.h"

namespace tabmesh {

struct ReplicaOptions {
  /// The store's name: frames of other names are ignored.
  std::string name;
  /// 128 random bits, fresh for each page load.
  InstanceId instance;
  /// How often the store's history has been dropped: frames of other eras are ignored.
  uint32_t era = 0;
  /// Shown in the census; at most kLabelBytesMax bytes.
  std::string label;
  uint64_t connected_at_ms = 0;
  bool visible = true;
  /// Whether the caller stores what is written; SetStores when that changes.
  bool stores = true;
  /// Whether this replica takes part in the election.
  bool may_lead = true;
  Strategy default_strategy = Strategy::kMerge;
  std::map<std::string, Strategy, std::less<>> strategies;  // by top-level key
  ListKeys lists;                                           // these merge, whatever `strategies` says
  /// What a newer version would add to each op of its writes: for tests of those that do not know it.
  std::string unknown_fields;
  /// What an era may gather before its leader ends it: instances that wrote, and places that show nothing.
  uint32_t era_instances_max = 48;
  size_t era_dead_min = 256;

  Strategy StrategyOf(std::string_view key) const {
    if (lists.find(key) != lists.end()) return Strategy::kMerge;
    const auto named = strategies.find(key);
    return named == strategies.end() ? default_strategy : named->second;
  }
};

// Timing of the protocol, in milliseconds of the caller's clock. None of it decides correctness.
inline constexpr uint64_t kJoinWaitMs = 120;   // for a first sign of others, when nobody is known
inline constexpr uint64_t kPullRetryMs = 250;  // a hello without an answer is repeated
inline constexpr uint32_t kAskAttemptsMax =
    4;  // then a joiner goes on alone, and others wait for the next gossip
inline constexpr uint64_t kSilentMs = 60'000;  // who has not been heard of for so long is not waited for
inline constexpr uint64_t kPositionAfterMs =
    1000;  // quiet after a write, so that a lost last frame is noticed
inline constexpr uint64_t kGossipEveryMs = 30000;     // vector, digest and presence to everybody
inline constexpr uint64_t kGossipAfterLossMs = 2000;  // the first of them after something was lost
inline constexpr uint64_t kHolderSilentMs = 8000;     // then the holder of the leader lock is asked
inline constexpr uint64_t kHolderSpreadMs = 4000;     // or up to so much later, each tab at another moment
inline constexpr uint64_t kHolderAnswerMs = 2500;     // between two questions
inline constexpr uint32_t kHolderAskedMax = 3;        // then it is knocked at
inline constexpr uint64_t kHealEveryMs = 5000;        // full exchanges after a divergence, at most
inline constexpr uint64_t kEraAnswerEveryMs = 500;    // to frames of earlier eras

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_OPTIONS_H_
