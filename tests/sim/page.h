// A page as its browser sees it: tasks, timers, a wall clock, and a life that may stop at any point.
#ifndef TABMESH_TESTS_SIM_PAGE_H_
#define TABMESH_TESTS_SIM_PAGE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "clock.h"
#include "events.h"

namespace tabmesh::sim {

enum class Life : uint8_t {
  kRunning,
  kFrozen,  // nothing runs; everything that comes in waits
  kCached,  // the same, in the back/forward cache
  kGone,
};

/// Pages live as long as the simulation, also when gone: whoever has a pointer may keep it.
class Page {
 public:
  Page(EventQueue* events, uint32_t number) : events_(events), number_(number) {}
  virtual ~Page() = default;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  uint32_t number() const { return number_; }
  Life life() const { return life_; }
  bool gone() const { return life_ == Life::kGone; }
  bool running() const { return life_ == Life::kRunning; }
  /// Whether it has run without a pause since then.
  bool RunsSince(uint64_t then_ms) const { return running() && thawed_ms_ <= then_ms; }
  uint64_t Now() const { return clock.Now(events_->now_ms()); }

  /// A task of this page: runs now, when the page thaws, or never.
  void Enter(Task task) {
    if (life_ == Life::kRunning) {
      task();
    } else if (life_ != Life::kGone) {
      held_.push_back(std::move(task));
    }
  }

  /// A timer: by elapsed time, whatever the wall clock does, and as late as throttling makes it.
  void After(uint64_t ms, Task task) {
    uint64_t due = events_->now_ms() + (ms == 0 ? 1 : ms);
    if (timer_quantum_ms > 1) due = (due / timer_quantum_ms + 1) * timer_quantum_ms;
    events_->At(due, [this, task = std::move(task)] { Enter(task); });
  }

  /// A task of its own, as soon as possible; never throttled.
  void Soon(Task task) {
    events_->After(0, [this, task = std::move(task)] { Enter(task); });
  }

  void Hold(Life life) { life_ = life; }
  /// `first` runs before everything that has waited.
  void Thaw(const Task& first) {
    if (life_ == Life::kGone || life_ == Life::kRunning) return;
    life_ = Life::kRunning;
    thawed_ms_ = events_->now_ms();
    first();
    std::vector<Task> held;
    held.swap(held_);
    for (Task& task : held) Enter(std::move(task));
  }
  void Go() {
    life_ = Life::kGone;
    held_.clear();
  }

  PageClock clock;
  uint64_t timer_quantum_ms = 1;  // 1000 in hidden pages, 60000 after five minutes

 protected:
  EventQueue* events() const { return events_; }

 private:
  EventQueue* events_;
  uint32_t number_;
  Life life_ = Life::kRunning;
  uint64_t thawed_ms_ = 0;
  std::vector<Task> held_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_PAGE_H_
