// Simulated time: what is due next runs next, and time without events costs nothing.
#ifndef TABMESH_TESTS_SIM_EVENTS_H_
#define TABMESH_TESTS_SIM_EVENTS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace tabmesh::sim {

using Task = std::function<void()>;

class EventQueue {
 public:
  uint64_t now_ms() const { return now_ms_; }
  uint64_t done() const { return done_; }

  /// What is due at the same time runs in the order of these calls.
  void At(uint64_t at_ms, Task task) {
    events_.push_back({std::max(at_ms, now_ms_), next_order_++, std::move(task)});
    std::push_heap(events_.begin(), events_.end(), Later);
  }
  void After(uint64_t ms, Task task) { At(now_ms_ + ms, std::move(task)); }

  /// Runs the next event that is due by then; false, and it is then, when there is none.
  bool RunNext(uint64_t until_ms) {
    if (events_.empty() || events_.front().at_ms > until_ms) {
      now_ms_ = until_ms;
      return false;
    }
    std::pop_heap(events_.begin(), events_.end(), Later);
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_ms_ = event.at_ms;
    ++done_;
    event.task();
    return true;
  }

 private:
  struct Event {
    uint64_t at_ms;
    uint64_t order;
    Task task;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.order > b.order;
  }

  std::vector<Event> events_;  // a heap
  uint64_t now_ms_ = 0;
  uint64_t next_order_ = 0;
  uint64_t done_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_EVENTS_H_
