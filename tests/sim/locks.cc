#include "locks.h"

#include <algorithm>
#include <utility>

namespace tabmesh::sim {

namespace {
constexpr uint64_t kLateReleaseMsMax = 30000;
}  // namespace

Locks::Locks(EventQueue* events, Faults* faults, uint64_t seed)
    : events_(events), faults_(faults), random_(seed, kStreamLocks) {}

void Locks::Request(Page* page, Task granted, Task lost) {
  Leave(page);
  tickets_[page] = next_ticket_;
  queue_.push_back({page, next_ticket_++, std::move(granted), std::move(lost)});
  GrantNext();
}

void Locks::Release(Page* page) {
  tickets_[page] = 0;
  Leave(page);
  GrantNext();
}

void Locks::Leave(const Page* page) {
  queue_.erase(
      std::remove_if(queue_.begin(), queue_.end(), [page](const Place& p) { return p.page == page; }),
      queue_.end());
}

bool Locks::Wants(const Page* page) const {
  return std::any_of(queue_.begin(), queue_.end(), [page](const Place& p) { return p.page == page; });
}

void Locks::GrantNext() {
  if (queue_.empty() || queue_.front().holds || events_->now_ms() < stolen_until_ms_) return;
  Place& front = queue_.front();
  front.holds = true;
  Page* page = front.page;
  const uint64_t ticket = front.ticket;
  events_->After(random_.Below(3), [this, page, ticket, granted = front.granted] {
    page->Enter([this, page, ticket, granted] {
      if (tickets_[page] == ticket) granted();
    });
  });
}

bool Locks::Steal(uint64_t for_ms) {
  if (queue_.empty() || !queue_.front().holds || events_->now_ms() < stolen_until_ms_) return false;
  const Place robbed = std::move(queue_.front());
  queue_.pop_front();
  stolen_until_ms_ = events_->now_ms() + for_ms;
  // After the grant, should that still be on its way.
  events_->After(3, [this, robbed] {
    robbed.page->Enter([this, robbed] {
      if (tickets_[robbed.page] == robbed.ticket) robbed.lost();
    });
  });
  events_->At(stolen_until_ms_, [this] { GrantNext(); });
  return true;
}

void Locks::Show(Page* page, const InstanceId& id) {
  Hide(page);
  shown_.push_back({page, id});
}

void Locks::Hide(Page* page) {
  shown_.erase(
      std::remove_if(shown_.begin(), shown_.end(), [page](const Shown& s) { return s.page == page; }),
      shown_.end());
}

void Locks::QueryAlive(Page* page, Told told) {
  events_->After(random_.Below(3), [this, page, told = std::move(told)] {
    std::vector<InstanceId> alive;
    for (const Shown& shown : shown_) alive.push_back(shown.id);
    page->Enter([told, alive] { told(alive); });
  });
}

void Locks::PageGone(Page* page) {
  uint64_t late_ms = random_.Below(5);
  if (faults_->Strikes(Fault::kLockReleasedLate)) {
    late_ms = faults_->random(Fault::kLockReleasedLate)->Below(kLateReleaseMsMax);
  }
  events_->After(late_ms, [this, page] {
    Hide(page);
    Release(page);
  });
}

}  // namespace tabmesh::sim
