// How a top-level key merges: API.md 5.
#ifndef TABMESH_CRDT_STRATEGY_H_
#define TABMESH_CRDT_STRATEGY_H_

#include <cstdint>

namespace tabmesh {

/// The numbers are the wire's.
enum class Strategy : uint8_t {
  kMerge = 0,           // each leaf by itself
  kLastWriteWins = 1,   // the key whole: its value is one leaf, objects included
  kFirstWriteWins = 2,  // the key whole; of concurrent values the earliest shows
  kResolve = 3,         // the key whole; the latest shows until the leader has resolved
  kPrompt = 4,          // the key whole; the latest shows until somebody has chosen
};
inline constexpr uint8_t kStrategyMax = 4;

/// Whether concurrent values are kept beside one another.
constexpr bool KeepsSiblings(Strategy strategy) { return strategy >= Strategy::kFirstWriteWins; }
/// Whether a write carries the value that it replaced.
constexpr bool KeepsBase(Strategy strategy) { return strategy >= Strategy::kResolve; }

}  // namespace tabmesh

#endif  // TABMESH_CRDT_STRATEGY_H_
