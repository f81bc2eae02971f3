// Web Locks: the leader's lock, a queue in the order of asking, and one lock a tab by which the others see
// that it lives. HAZARDS H35 to H38.
#ifndef TABMESH_TESTS_SIM_LOCKS_H_
#define TABMESH_TESTS_SIM_LOCKS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crdt/stamp.h"
#include "events.h"
#include "faults.h"
#include "page.h"
#include "random.h"

namespace tabmesh::sim {

class Locks {
 public:
  Locks(EventQueue* events, Faults* faults, uint64_t seed);

  /// Queues for the leader's lock; who has a place gives it up first. `lost` is called when it is stolen.
  void Request(Page* page, Task granted, Task lost);
  void Release(Page* page);
  /// Whether the page has a place in the queue, or the lock.
  bool Wants(const Page* page) const;
  void Show(Page* page, const InstanceId& id);
  void Hide(Page* page);
  /// `holder` as Replica::LockHeldBy wants it.
  using Told = std::function<void(const std::vector<InstanceId>& alive, const std::string& holder)>;
  void Query(Page* page, Told told);
  /// Takes away the sign that an instance is alive; its page gives it again when it runs.
  void Knock(const InstanceId& id);
  /// Takes the lock from whoever has it.
  void Rob(Page* page, Task granted, Task lost);

  /// Null when nobody has the lock, or a script.
  const Page* holder() const {
    return queue_.empty() || !queue_.front().holds ? nullptr : queue_.front().page;
  }
  /// The page's process has ended. The browser may take a while to notice.
  void PageGone(Page* page);
  /// A script takes the lock away from its holder, if there is one, and keeps it for a while. The holder's
  /// page hears of it when it runs.
  bool StealFor(uint64_t for_ms);

 private:
  struct Place {
    Page* page;
    uint64_t ticket;
    Task granted;
    Task lost;
    bool holds = false;
  };
  struct Shown {
    Page* page;
    InstanceId id;
  };
  void Leave(const Page* page);
  void GrantNext();
  void TakeFromHolder();

  EventQueue* events_;
  Faults* faults_;
  Random random_;
  std::deque<Place> queue_;
  std::map<const Page*, uint64_t> tickets_;  // never iterated; 0: the page wants no lock
  uint64_t next_ticket_ = 1;
  uint64_t stolen_until_ms_ = 0;
  std::vector<Shown> shown_;
  std::vector<Shown> knocked_at_;  // and to be shown again when their pages run
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_LOCKS_H_
