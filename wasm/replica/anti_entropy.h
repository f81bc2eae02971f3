// When to ask others for what is missing. The questions themselves are sent by the replica.
#ifndef TABMESH_REPLICA_ANTI_ENTROPY_H_
#define TABMESH_REPLICA_ANTI_ENTROPY_H_

#include <cstdint>
#include <vector>

#include "crdt/version_vector.h"
#include "wire/ops_codec.h"

namespace tabmesh {

/// How another replica's vector stands to ours.
struct Standing {
  bool we_lack;
  bool they_lack;
  bool equal() const { return !we_lack && !they_lack; }
};

/// O(entries + holes of both, squared).
Standing Compare(const SentVector& theirs, const VersionVector& ours);

/// Due times of a replica's questions; all in milliseconds of the caller's clock, 0 meaning never.
class AntiEntropy {
 public:
  /// Told first in every call: a clock that was set back must not stretch the waiting.
  void Now(uint64_t now_ms);

  /// Storage has been read. With `alone`, nobody else can be there: joined at once.
  void BeginJoin(bool alone, uint64_t now_ms);
  /// Everybody who answered has been heard.
  void FinishJoin();
  bool hydrating() const { return phase_ == Phase::kHydrating; }
  bool joining() const { return phase_ == Phase::kJoining; }
  bool joined() const { return phase_ == Phase::kJoined; }

  /// A question is wanted; true when it should go out now, false while another waits for its answer.
  bool Ask(uint64_t now_ms);
  void Answered();
  bool asking() const { return asked_at_ms_ != 0; }
  enum class Patience : uint8_t {
    kWait,    // nothing is overdue
    kRepeat,  // ask again, everybody this time
    kGiveUp,  // nobody has shown up, or answered often enough: go on alone
  };
  Patience CheckQuestion(uint64_t now_ms);

  void Wrote(uint64_t now_ms);
  /// Once after a quiet spell: tell the number of the newest write.
  bool PositionDue(uint64_t now_ms);
  bool GossipDue(uint64_t now_ms);
  /// Something was lost: vectors are exchanged soon, and then ever more rarely.
  void Suspect(uint64_t now_ms);
  /// Whether a divergence may be healed now, or was a moment ago.
  bool HealDue(uint64_t now_ms);

  /// Whether a frame of an earlier era may be answered now.
  bool EraAnswerDue(uint64_t now_ms);

  uint64_t NextWake() const;

 private:
  enum class Phase : uint8_t { kHydrating, kJoining, kJoined };
  Phase phase_ = Phase::kHydrating;
  uint64_t join_until_ms_ = 0;
  uint64_t asked_at_ms_ = 0;
  uint32_t attempts_ = 0;
  uint64_t position_at_ms_ = 0;
  uint64_t gossip_at_ms_ = 0;
  uint64_t gossip_every_ms_ = 0;
  uint64_t healed_at_ms_ = 0;
  uint64_t era_answered_at_ms_ = 0;
  uint64_t now_ms_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_ANTI_ENTROPY_H_
