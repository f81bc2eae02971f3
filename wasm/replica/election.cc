#include "replica/election.h"

#include <algorithm>

#include "base/plant.h"

namespace tabmesh {

void Election::Start(Actions* actions) {
  if (role_ != Role::kOut) return;
  role_ = Role::kFollower;
  actions->lock = LockAction::kRequest;
}

void Election::Stop(Actions* actions) {
  if (role_ == Role::kOut) return;
  if (role_ == Role::kLeader) leader_ = {};
  role_ = Role::kOut;
  if (!Planted("lock-kept-at-suspend")) actions->lock = LockAction::kRelease;
}

void Election::LockGranted(Actions* actions) {
  if (role_ == Role::kOut) {  // granted while we were leaving
    actions->lock = LockAction::kRelease;
  } else if (role_ == Role::kFollower) {
    role_ = Role::kCandidate;
    actions->lock = LockAction::kClaim;
    actions->claim_term = term_ + 1;
  }
}

void Election::LockLost(Actions* actions) {
  if (role_ == Role::kOut) return;
  if (role_ == Role::kLeader) leader_ = {};
  role_ = Role::kFollower;
  if (!Planted("lost-lock-not-requeued")) actions->lock = LockAction::kRequest;
}

void Election::Rob(Actions* actions) {
  if (role_ == Role::kFollower) actions->lock = LockAction::kSteal;
}

void Election::TermClaimed(uint64_t term, const InstanceId& self, Actions* actions) {
  if (role_ != Role::kCandidate) {  // robbed meanwhile: but nobody leads an earlier term any more
    term_ = std::max(term_, term);
    return;
  }
  if (term <= term_ && !Planted("stale-term-claimed")) {  // somebody claimed a larger one meanwhile
    actions->lock = LockAction::kClaim;
    actions->claim_term = term_ + 1;
    return;
  }
  role_ = Role::kLeader;
  term_ = term;
  leader_ = self;
}

void Election::ClaimFailed(Actions* actions) {
  if (role_ != Role::kCandidate) return;
  role_ = Role::kFollower;
  actions->lock = LockAction::kRelease;
}

void Election::Observe(uint64_t term, bool leads, const InstanceId& from, Actions* actions) {
  if (term > term_ && role_ == Role::kLeader && !Planted("deposed-leader-stays")) {
    role_ = Role::kFollower;
    leader_ = {};
    // Releasing and queueing again in one step: the lock goes to whoever waits.
    actions->lock = LockAction::kRequest;
  }
  const bool is_own = role_ == Role::kLeader && term == term_;  // nobody else's, whatever is said
  if (leads && term >= term_ && !is_own) leader_ = from;
  if (!leads && leader_ == from) leader_ = {};
  term_ = std::max(term_, term);
}

void Election::Gone(const InstanceId& from) {
  if (leader_ == from) leader_ = {};
}

}  // namespace tabmesh
