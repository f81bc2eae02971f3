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

bool Locks::StealFor(uint64_t for_ms) {
  if (queue_.empty() || !queue_.front().holds || events_->now_ms() < stolen_until_ms_) return false;
  TakeFromHolder();
  stolen_until_ms_ = events_->now_ms() + for_ms;
  events_->At(stolen_until_ms_, [this] { GrantNext(); });
  return true;
}

void Locks::Rob(Page* page, Task granted, Task lost) {
  Leave(page);
  if (!queue_.empty() && queue_.front().holds) TakeFromHolder();
  stolen_until_ms_ = 0;
  tickets_[page] = next_ticket_;
  queue_.push_front({page, next_ticket_++, std::move(granted), std::move(lost)});
  GrantNext();
}

void Locks::TakeFromHolder() {
  const Place robbed = std::move(queue_.front());
  queue_.pop_front();
  // After the grant, should that still be on its way.
  events_->After(3, [this, robbed] {
    robbed.page->Enter([this, robbed] {
      if (tickets_[robbed.page] == robbed.ticket) robbed.lost();
    });
  });
}

void Locks::Show(Page* page, const InstanceId& id) {
  Hide(page);
  shown_.push_back({page, id});
}

void Locks::Hide(Page* page) {
  for (std::vector<Shown>* list : {&shown_, &knocked_at_}) {
    list->erase(std::remove_if(list->begin(), list->end(), [page](const Shown& s) { return s.page == page; }),
                list->end());
  }
}

void Locks::Query(Page* page, Told told) {
  events_->After(random_.Below(3), [this, page, told = std::move(told)] {
    std::vector<InstanceId> alive;
    std::string holder;
    const bool is_held = !queue_.empty() && queue_.front().holds;
    if (is_held || events_->now_ms() < stolen_until_ms_) holder.assign(InstanceId::kBytes, '\0');
    for (const Shown& shown : shown_) {
      alive.push_back(shown.id);
      if (is_held && shown.page == queue_.front().page) holder = shown.id.view();
    }
    page->Enter([told, alive, holder] { told(alive, holder); });
  });
}

void Locks::Knock(const InstanceId& id) {
  const auto found =
      std::find_if(shown_.begin(), shown_.end(), [&id](const Shown& shown) { return shown.id == id; });
  if (found == shown_.end()) return;
  Page* page = found->page;
  Hide(page);
  knocked_at_.push_back({page, id});
  events_->After(random_.Below(3), [this, page, id] {
    page->Enter([this, page, id] {
      const auto still = std::find_if(knocked_at_.begin(), knocked_at_.end(), [&](const Shown& shown) {
        return shown.page == page && shown.id == id;
      });
      if (still != knocked_at_.end()) Show(page, id);
    });
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
