// Everything of one run: the browser, its tabs, and the checkers that watch them.
#ifndef TABMESH_TESTS_SIM_WORLD_H_
#define TABMESH_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channel.h"
#include "checkers/clocks.h"
#include "checkers/convergence.h"
#include "checkers/durability.h"
#include "checkers/fencing.h"
#include "checkers/leadership.h"
#include "checkers/membership.h"
#include "checkers/memory.h"
#include "checkers/sharing.h"
#include "checkers/totals.h"
#include "checkers/transactions.h"
#include "database.h"
#include "events.h"
#include "faults.h"
#include "locks.h"
#include "random.h"
#include "simulation.h"
#include "tab.h"
#include "transcript.h"
#include "verdict.h"

namespace tabmesh::sim {

class World : public TabWatcher, public DatabaseWatcher {
 public:
  World(uint64_t seed, const Settings& settings);

  Tab* OpenTab(bool plain = false);
  std::vector<Tab*> Alive() const;
  void Say(std::string_view what, const Tab* tab = nullptr);
  void Check(std::string wrong);
  /// A page that was held or hidden owes nobody a quick start.
  void Disturb(const Tab& tab) { disturbed_.insert(tab.number()); }
  /// Whether another tab has had its identity.
  bool IsTwin(const Tab& tab) const { return twins_.count(tab.id()) > 0; }
  /// Somebody leads, although a tab is stopped, perhaps with the lock.
  void CheckLed();
  /// After the quiet time: all is well.
  void CheckSettled();
  uint64_t TabMs() const;

  Settings settings;
  Verdict verdict;
  EventQueue events;
  Faults faults;
  Transcript transcript;
  Channel channel;
  Locks locks;
  Database database;
  std::vector<std::unique_ptr<Tab>> tabs;  // all there ever were, in the order of their loading

  Convergence convergence;
  Durability durability;
  Leadership leadership;
  Fencing fencing;
  Clocks clocks;
  Membership membership;
  Memory memory;
  Sharing sharing;
  Totals totals;
  Transactions transactions;

  // TabWatcher.
  void Fail(const Tab& tab, std::string what) override;
  void Called(const Tab& tab, bool changed, bool local) override;
  void Wrote(const Tab& tab, const Record& record) override;
  void Durable(const Tab& tab, uint32_t seq, const Appended& appended) override;
  void Shared(const Tab& tab, uint32_t seq) override;
  void Hydrated(const Tab& tab, uint64_t cursor, uint64_t generation) override;
  void Diverged(const Tab& tab) override;
  void MeetsItself(const Tab& tab) override;
  void Leaves(const Tab& tab) override;
  void Refused(const Tab& /*tab*/) override { clocks.Refused(); }
  void WantsReload(Tab* tab) override;
  void Robs(const Tab& tab) override;
  void LeavesEra(const Tab& tab, bool gives_up) override;
  void EraMade(const Tab& tab, std::string_view state) override;
  void Proposed(const Tab& tab, const Record& record) override;
  void Transacted(const Record& record, uint64_t id, uint64_t before, uint64_t last_key) override;
  void Concluded(const Tab& tab, const TransactionEnd& end) override;
  // DatabaseWatcher.
  void TermStored(uint64_t term) override;
  void CheckpointTouched(uint64_t term, uint64_t newest_term) override;
  void CheckpointStored(bool as_made) override;
  void CheckpointCovers(const std::string& checkpoint, uint32_t era,
                        const std::vector<Record>& records) override;
  void SuffixLost(uint64_t last_key) override;
  void RecordFlipped(const InstanceId& instance, uint32_t seq) override;
  void HoleMade() override;
  void Evicted() override;
  void EraEnded(uint32_t era, const Bytes& state, const std::string& end,
                const std::vector<Record>& records) override;

  uint64_t eras = 0;  // that have ended

 private:
  InstanceId DrawIdentity(bool plain);
  void PlantCanary();

  /// Nothing is promised of transactions once the disk was taken away or changed, or names were forged.
  bool ExcusesTransactions() const;

  Random random_;
  uint32_t era_instances_max_ = 0;
  size_t era_dead_min_ = 0;
  bool has_other_app_ = false;
  bool has_newer_ = false;
  std::set<uint32_t> disturbed_;
  std::set<uint32_t> hydrated_;
  std::set<InstanceId> twins_;        // identities that more than one tab has had
  std::vector<uint64_t> gone_at_ms_;  // by number - 1; 0 while the page lives
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_WORLD_H_
