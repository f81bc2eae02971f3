#include "replica/anti_entropy.h"

#include <algorithm>

#include "replica/options.h"

namespace tabmesh {

namespace {

// How many writes lie in the holes.
uint64_t Lacking(const std::vector<Hole>& holes) {
  uint64_t sum = 0;
  for (const Hole& hole : holes) sum += uint64_t{hole.last} - hole.first + 1;
  return sum;
}

}  // namespace

// By counting what each has, and what both have together.
Standing Compare(const SentVector& theirs, const VersionVector& ours) {
  uint64_t we = 0, they = 0, both = 0;
  std::vector<uint32_t> seqs(ours.size());
  std::vector<uint32_t> indices;
  for (const SentVector::Entry& entry : theirs.entries) {
    indices.push_back(ours.Find(entry.instance));
    they += entry.seq;
    if (indices.back() == VersionVector::kUnknown) {
      both += entry.seq;
    } else {
      seqs[indices.back()] = entry.seq;
    }
  }
  for (uint32_t i = 0; i < ours.size(); ++i) {
    we += ours.Seq(i);
    both += std::max(seqs[i], ours.Seq(i));
  }
  std::vector<Hole> holes;
  for (Hole hole : theirs.holes) {
    hole.instance = indices[hole.instance];
    if (hole.instance != VersionVector::kUnknown) {
      holes.push_back(hole);
    } else {
      both -= Lacking({hole});
    }
  }
  we -= Lacking(ours.holes());
  they -= Lacking(theirs.holes);
  both -= Lacking(ours.HolesWith(seqs, holes));
  return {/*we_lack=*/both > we, /*they_lack=*/both > they};
}

void AntiEntropy::Now(uint64_t now_ms) {
  if (now_ms < now_ms_) {
    const uint64_t back_ms = now_ms_ - now_ms;
    for (uint64_t* at : {&join_until_ms_, &asked_at_ms_, &position_at_ms_, &gossip_at_ms_, &healed_at_ms_,
                         &era_answered_at_ms_}) {
      if (*at != 0) *at -= std::min(*at - 1, back_ms);
    }
  }
  now_ms_ = now_ms;
}

void AntiEntropy::BeginJoin(bool alone, uint64_t now_ms) {
  if (phase_ != Phase::kHydrating) return;
  phase_ = Phase::kJoining;
  join_until_ms_ = now_ms + kJoinWaitMs;
  gossip_every_ms_ = kGossipEveryMs;
  gossip_at_ms_ = now_ms + kGossipEveryMs;
  if (alone) FinishJoin();
}

void AntiEntropy::FinishJoin() {
  phase_ = Phase::kJoined;
  join_until_ms_ = 0;
}

bool AntiEntropy::Ask(uint64_t now_ms) {
  if (phase_ == Phase::kHydrating || asking()) return false;
  asked_at_ms_ = now_ms;
  attempts_ = 1;
  join_until_ms_ = 0;
  return true;
}

void AntiEntropy::Answered() {
  asked_at_ms_ = 0;
  attempts_ = 0;
}

AntiEntropy::Patience AntiEntropy::CheckQuestion(uint64_t now_ms) {
  if (!asking()) return joining() && now_ms >= join_until_ms_ ? Patience::kGiveUp : Patience::kWait;
  if (now_ms < asked_at_ms_ + kPullRetryMs * attempts_) return Patience::kWait;
  if (attempts_ == kAskAttemptsMax) {
    Answered();
    return Patience::kGiveUp;
  }
  asked_at_ms_ = now_ms;
  ++attempts_;
  return Patience::kRepeat;
}

void AntiEntropy::Wrote(uint64_t now_ms) { position_at_ms_ = now_ms + kPositionAfterMs; }

bool AntiEntropy::PositionDue(uint64_t now_ms) {
  if (position_at_ms_ == 0 || now_ms < position_at_ms_) return false;
  position_at_ms_ = 0;
  return true;
}

bool AntiEntropy::GossipDue(uint64_t now_ms) {
  if (gossip_at_ms_ == 0 || now_ms < gossip_at_ms_) return false;
  gossip_every_ms_ = std::min(2 * gossip_every_ms_, kGossipEveryMs);
  gossip_at_ms_ = now_ms + gossip_every_ms_;
  return true;
}

void AntiEntropy::Suspect(uint64_t now_ms) {
  if (phase_ == Phase::kHydrating) return;
  gossip_every_ms_ = kGossipAfterLossMs;
  gossip_at_ms_ = std::min(gossip_at_ms_, now_ms + kGossipAfterLossMs);
}

bool AntiEntropy::HealDue(uint64_t now_ms) {
  if (healed_at_ms_ != 0 && now_ms < healed_at_ms_ + kHealEveryMs) return false;
  healed_at_ms_ = now_ms;
  return true;
}

bool AntiEntropy::EraAnswerDue(uint64_t now_ms) {
  if (era_answered_at_ms_ != 0 && now_ms < era_answered_at_ms_ + kEraAnswerEveryMs) return false;
  era_answered_at_ms_ = now_ms;
  return true;
}

uint64_t AntiEntropy::NextWake() const {
  uint64_t next = 0;
  const auto consider = [&next](uint64_t at) {
    if (at != 0 && (next == 0 || at < next)) next = at;
  };
  consider(join_until_ms_);
  if (asking()) consider(asked_at_ms_ + kPullRetryMs * attempts_);
  consider(position_at_ms_);
  consider(gossip_at_ms_);
  return next;
}

}  // namespace tabmesh
