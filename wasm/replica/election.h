// Who leads: a lock for liveness, a stored term for safety.
#ifndef TABMESH_REPLICA_ELECTION_H_
#define TABMESH_REPLICA_ELECTION_H_

#include <cstdint>

#include "crdt/stamp.h"
#include "replica/actions.h"

namespace tabmesh {

/// One replica's part in the election. A granted lock makes a candidate, who leads only once its term
/// is stored; terms follow Raft (Ongaro, Ousterhout, 2014, section 5.1): a larger one deposes.
class Election {
 public:
  enum class Role : uint8_t {
    kOut,        // takes no part: not started, suspended, or not allowed to lead
    kFollower,   // waits for the lock
    kCandidate,  // has the lock, its term is being stored
    kLeader,
  };

  /// Enters the queue for the lock.
  void Start(Actions* actions);
  /// Leaves it, or the leadership: before a page is hidden in the back/forward cache, frozen or closed.
  void Stop(Actions* actions);
  void LockGranted(Actions* actions);
  /// Stolen, or lost with the browser's lock manager: queues again.
  void LockLost(Actions* actions);
  /// Takes the lock from its holder, if this replica waits for it.
  void Rob(Actions* actions);
  void TermClaimed(uint64_t term, const InstanceId& self, Actions* actions);
  /// The term could not be stored: gives the lock to somebody who can. LockLost queues again.
  void ClaimFailed(Actions* actions);
  /// A message said that `from` knows `term`, and whether it leads it.
  void Observe(uint64_t term, bool leads, const InstanceId& from, Actions* actions);
  /// `from` has left, resigned or died.
  void Gone(const InstanceId& from);

  Role role() const { return role_; }
  bool leads() const { return role_ == Role::kLeader; }
  /// The largest term known; this replica's own when it leads.
  uint64_t term() const { return term_; }
  /// Zero when nobody is known to lead.
  const InstanceId& leader() const { return leader_; }

 private:
  Role role_ = Role::kOut;
  uint64_t term_ = 0;
  InstanceId leader_;
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_ELECTION_H_
