// When what goes wrong: bursts of work and of faults, with long quiet times between.
#ifndef TABMESH_TESTS_SIM_STORMS_H_
#define TABMESH_TESTS_SIM_STORMS_H_

#include <cstdint>

#include "hostile.h"
#include "random.h"
#include "workload.h"
#include "world.h"

namespace tabmesh::sim {

class Storms {
 public:
  Storms(World* world, uint64_t seed);

  /// The first storm; the others follow by themselves until faults stop.
  void Begin();
  /// Faults stop: whoever sleeps is woken, what is blocked is freed.
  void Calm();
  uint64_t acts() const { return workload_.acts(); }

 private:
  void Storm();
  void Act(uint64_t until_ms);
  void ActAlone();
  void Populate();
  void DieUnheard();
  void StopLeader();
  void Strike(Fault fault);
  /// A tab for this kind to hit: running ones only, or any. Null where there is none.
  Tab* Victim(Fault fault, bool running);
  bool StrikePages(Fault fault);
  bool StrikeClocks(Fault fault);
  bool StrikeStorage(Fault fault);
  bool StrikeChannel(Fault fault);
  void LastWords(Tab* tab, Random* random, const Task& then);
  void Hold(Tab* tab, Life life, bool warned, uint64_t ms);
  void CrashAll(bool power);

  World* world_;
  Random random_;
  Workload workload_;
  Hostile hostile_;
  uint64_t population_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_STORMS_H_
