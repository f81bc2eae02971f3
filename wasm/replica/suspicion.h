// Whether the holder of the leader lock still runs.
#ifndef TABMESH_REPLICA_SUSPICION_H_
#define TABMESH_REPLICA_SUSPICION_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "crdt/stamp.h"

namespace tabmesh {

/// A page that is stopped without a word keeps its lock, and whoever waits for it waits for ever. A holder
/// that is silent is asked by the channel, which is answered without timers; one that does not answer is
/// knocked at: the lock that shows it alive is taken away, and who runs shows it again. Only a holder that
/// does not is robbed of the leader lock. So neither a deaf tab, nor one that has slept, nor a throttled
/// holder deposes a leader that works. Safety is the term's (Election); this is for liveness alone.
class Suspicion {
 public:
  enum class Step : uint8_t { kNone, kAsk, kKnock };

  explicit Suspicion(const InstanceId& self);

  /// Who waits for the lock looks who holds it: an instance, zero for one that is not shown as alive, or
  /// empty when nobody does. Returns whether to rob it: the second time in a row that it is not shown.
  bool HeldBy(std::string_view holder, uint64_t now_ms);
  /// A frame of `from`.
  void Heard(const InstanceId& from, uint64_t now_ms);
  /// What is due: every step waits for a timer of its own, so that a page that has slept hears the answers
  /// first.
  Step Check(uint64_t now_ms);
  /// This replica leads, or takes no part.
  void Stop();

  /// Zero when nobody is suspected of anything.
  uint64_t NextWake() const { return due_ms_; }
  const InstanceId& holder() const { return holder_; }

 private:
  bool MayKnock(uint64_t now_ms) const;

  InstanceId holder_;
  uint64_t silent_ms_;
  uint64_t due_ms_ = 0;
  uint32_t asked_ = 0;
  uint32_t unseen_ = 0;  // looks in a row at which the holder was not shown
  std::array<uint64_t, 3> knocked_ms_{};
  uint32_t knocks_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_SUSPICION_H_
