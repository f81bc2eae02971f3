#include "replica/suspicion.h"

#include "base/plant.h"
#include "replica/options.h"

namespace tabmesh {

namespace {
constexpr uint64_t kHourMs = 3'600'000;
}  // namespace

// Not all at once: the first answer is heard by all.
Suspicion::Suspicion(const InstanceId& self)
    : silent_ms_(kHolderSilentMs + kHolderSpreadMs * self.bytes[0] / 256) {}

bool Suspicion::HeldBy(std::string_view holder, uint64_t now_ms) {
  if (holder.empty()) {
    Stop();
    return false;
  }
  const InstanceId id = InstanceId::From(holder);
  if (id != holder_ || due_ms_ == 0) {
    holder_ = id;
    asked_ = 0;
    due_ms_ = id.IsZero() ? 0 : now_ms + silent_ms_;
  }
  unseen_ = id.IsZero() ? unseen_ + 1 : 0;
  if (unseen_ < 2 || Planted("holder-never-robbed")) return false;
  Stop();
  knocked_ms_ = {};  // they were right; the limit is for whoever is deaf
  return true;
}

void Suspicion::Heard(const InstanceId& from, uint64_t now_ms) {
  if (from != holder_ || due_ms_ == 0) return;
  asked_ = 0;
  knocked_ms_ = {};  // not deaf any more
  due_ms_ = now_ms + silent_ms_;
}

Suspicion::Step Suspicion::Check(uint64_t now_ms) {
  if (due_ms_ > now_ms + silent_ms_) due_ms_ = now_ms + silent_ms_;  // the clock was set back
  if (due_ms_ == 0 || now_ms < due_ms_) return Step::kNone;
  if (asked_ < kHolderAskedMax) {
    ++asked_;
    due_ms_ = now_ms + kHolderAnswerMs;
    return Step::kAsk;
  }
  asked_ = 0;
  due_ms_ = now_ms + silent_ms_;
  if (!MayKnock(now_ms)) return Step::kNone;
  knocked_ms_[knocks_++ % knocked_ms_.size()] = now_ms;
  return Step::kKnock;
}

void Suspicion::Stop() {
  holder_ = {};
  due_ms_ = 0;
  asked_ = 0;
  unseen_ = 0;
}

// Who is deaf would knock at a leader that works again and again.
bool Suspicion::MayKnock(uint64_t now_ms) const {
  const uint64_t oldest_ms = knocked_ms_[knocks_ % knocked_ms_.size()];
  return oldest_ms == 0 || now_ms < oldest_ms || now_ms - oldest_ms >= kHourMs;
}

}  // namespace tabmesh
