// One tab: the real core, and around it what js-glue/engine.ts does, over the simulated browser.
#ifndef TABMESH_TESTS_SIM_TAB_H_
#define TABMESH_TESTS_SIM_TAB_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel.h"
#include "core_events.h"
#include "database.h"
#include "journal_writer.h"
#include "locks.h"
#include "memory.h"
#include "mirror.h"
#include "page.h"
#include "replica/replica.h"
#include "transcript.h"

namespace tabmesh::sim {

class Tab;

struct TransactionEnd {
  uint64_t id;
  bool committed;
  InstanceId instance;  // and its number, of an era: of the record that was last proposed, if any
  uint32_t seq;
  uint32_t era;
};

/// Is told what a tab does, to judge it.
class TabWatcher {
 public:
  virtual ~TabWatcher() = default;
  virtual void Fail(const Tab& tab, std::string what) = 0;
  /// After every call into the core. `local`: what readers see came from this tab's own write.
  virtual void Called(const Tab& tab, bool changed, bool local) = 0;
  virtual void Wrote(const Tab& tab, const Record& record) = 0;
  /// There was no memory for a write; it may have had a stamp already.
  virtual void Refused(const Tab& tab) = 0;
  virtual void Durable(const Tab& tab, uint32_t seq, const Appended& appended) = 0;
  virtual void Shared(const Tab& tab, uint32_t seq) = 0;
  /// It has merged what the journal of this generation holds up to `cursor`.
  virtual void Hydrated(const Tab& tab, uint64_t cursor, uint64_t generation) = 0;
  virtual void Diverged(const Tab& tab) = 0;
  /// Others have writes of its name that it has not made.
  virtual void MeetsItself(const Tab& tab) = 0;
  /// Its page is about to be gone, with its memory.
  virtual void Leaves(const Tab& tab) = 0;
  /// The store has ended by itself, or must: the page is to be loaded again.
  virtual void WantsReload(Tab* tab) = 0;
  virtual void Robs(const Tab& tab) = 0;
  /// It is about to go on in a later era, with nothing of what its replica has. `gives_up`: it cannot tell
  /// which of its unstored writes that era has.
  virtual void LeavesEra(const Tab& tab, bool gives_up) = 0;
  /// It has made the state with which the next era may begin.
  virtual void EraMade(const Tab& tab, std::string_view state) = 0;
  /// It wants this record stored as its transaction.
  virtual void Proposed(const Tab& tab, const Record& record) = 0;
  /// That was stored: a transaction that found `before` in the ledger and leaves one more.
  virtual void Transacted(const Record& record, uint64_t id, uint64_t before, uint64_t last_key) = 0;
  /// What it tells the app: it was stored, by whomever, or nothing of it was and nothing will be.
  virtual void Concluded(const Tab& tab, const TransactionEnd& end) = 0;
};

/// What a tab finds around itself.
struct Surroundings {
  Faults* faults;
  EventQueue* events;
  Channel* channel;
  Locks* locks;
  Database* database;
  Transcript* transcript;
  TabWatcher* watcher;
};

struct TabOptions {
  uint32_t number = 0;
  InstanceId id;
  /// Without a lock manager a tab never leads, and does not see who dies.
  bool has_locks = true;
  /// Of another version of the app, which merges keys leaf by leaf that keep several values in this one.
  bool merges_all = false;
  /// Of a newer version of tabmesh, which adds something of its own to each op.
  bool is_newer = false;
  /// Smaller than the glue's, so that checkpoints are made all the time.
  uint64_t checkpoint_every = 50;
  /// Bytes from which on a checkpoint is packed.
  uint64_t compress_above = 10'000;
  /// As ReplicaOptions has them; smaller than the product's.
  uint32_t era_instances_max = 48;
  size_t era_dead_min = 256;
};

class Tab : public Page {
 public:
  Tab(const Surroundings& around, const TabOptions& options);

  /// The page is loaded.
  void Load();
  /// A user's edits; before the tab is ready they wait.
  void Set(const std::string& edits);
  /// Adds one to the tab's own number, which nothing else writes.
  void AddToTotal();
  /// How often that was done.
  uint64_t total() const { return total_; }
  /// Somebody waits until another tab has the newest write.
  void WantShared();
  /// Adds one to the ledger, reading before it writes. With an id it is done once, whoever repeats it.
  void Transact(uint64_t id);
  bool transacting() const { return transacting_; }

  // What happens to the page.
  void Close();
  void Crash();
  void Suspend();  // pagehide, freeze
  void Resume();   // pageshow, resume
  void SetVisible(bool visible, uint64_t timer_quantum);

  const InstanceId& id() const { return options_.id; }
  const TabOptions& options() const { return options_; }
  /// Null when the page is gone.
  const Replica* replica() const { return replica_.get(); }
  const Mirror& mirror() const { return *mirror_; }
  uint32_t era() const { return era_; }
  bool ready() const { return hydrated_; }
  bool suspended() const { return suspended_; }
  bool has_journal() const { return connection_ != 0; }
  uint32_t durable_seq() const { return durable_seq_; }
  bool waits_for_shared() const { return wanted_shared_ > shared_seq_; }
  bool leads() const { return leads_; }
  uint64_t loaded_at_ms() const { return loaded_at_ms_; }
  /// When it last told others what it has.
  uint64_t told_vector_at_ms() const { return told_vector_at_ms_; }
  /// "tab 3 (leader, term 5)"
  std::string Name() const;
  void Say(std::string_view what) const;
  bool telling() const { return around_.transcript->on(); }

 private:
  enum class Restored : uint8_t { kDone, kErased, kFailed };

  void Perform(bool local = false);
  void PerformLock(LockAction action, uint64_t term);
  void Handle(const CoreEvent& event);
  void Commit(const std::string& edits);
  void CommitEarly();
  void RefuseEarly();
  void Refused(const std::string& edits, uint32_t seq);
  std::string TotalEdits() const;
  void Wake(uint64_t at_ms);
  void Receive(std::string_view bytes, Wear wear);
  void OpenChannel();
  void AskShared();
  void ShareAlone();
  void End(std::string_view why);
  void Leave();

  // Transactions: tab_transaction.cc.
  void TryTransaction(uint64_t id, uint32_t attempt);
  Exchange Exchanged(const JournalContents& contents, uint64_t id, bool known);
  void AskJournal(uint64_t id, uint32_t attempt, uint32_t asked);
  void SettleProposal(bool stored, const Appended& appended);
  void PassOver();
  void Conclude(uint64_t id, bool committed);

  // Leadership, and who lives.
  void QueueForLock();
  void RobHolder();
  void LockGranted();
  void LockLost();
  void Knock(std::string_view hex);
  void Claim(uint64_t at_least);
  void TermStored(uint64_t term);
  void WatchAlive();
  void LookWhoLives(Task then);

  // Storage: tab_storage.cc.
  void OpenJournal(Task then);
  void RestoreFromJournal(std::function<void(Restored)> done);
  void RestoreAll(const JournalContents& contents);
  void Hydrate();
  void TellHydrated();
  void CatchUp();
  void Written(uint64_t count);
  void MakeCheckpoint();
  void EndEra(uint64_t connection, uint64_t term, Task over);
  void EnterEra(const JournalContents& contents);
  void WriteAgain();
  void CheckpointDone(Stored stored);

  Surroundings around_;
  TabOptions options_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Mirror> mirror_;
  JournalWriter writer_;
  std::vector<std::string> early_;  // edits that wait until the tab is ready, or its proposal stored
  struct Made {
    uint32_t seq;
    std::string edits;
  };
  std::vector<Made> unstored_;          // own writes that are not known to be durable
  std::vector<std::string> to_repeat_;  // of those, what a new era lacks
  uint64_t loaded_at_ms_ = 0;
  uint64_t told_vector_at_ms_ = 0;

  // A transaction of this tab.
  struct Proposal {
    std::vector<Record> records;  // the last is its own
    uint32_t era;
    bool kept = false;  // by the era that followed its own
  };
  bool transacting_ = false;
  std::optional<Proposal> proposal_;
  uint32_t proposed_ = 0;
  uint32_t proposed_in_ = 0;  // the era
  bool holding_ = false;      // other writes wait for it

  uint64_t channel_end_ = 0;
  uint64_t connection_ = 0;
  bool opening_ = false;
  std::vector<Task> waiting_for_open_;
  uint64_t cursor_ = 0;
  uint64_t generation_ = 0;
  uint32_t era_ = 0;
  uint32_t since_ = 0;  // the number of its newest write when the era began
  uint64_t since_checkpoint_ = 0;
  bool checkpointing_ = false;

  bool suspended_ = false;
  bool resuming_ = false;
  bool away_ = false;
  bool ended_ = false;
  bool hydrated_ = false;
  bool hydrating_over_ = false;
  bool visible_ = true;
  bool leads_ = false;
  uint64_t term_ = 0;
  uint64_t total_ = 0;
  uint32_t durable_seq_ = 0;
  uint32_t shared_seq_ = 0;
  uint32_t wanted_shared_ = 0;
  uint64_t wake_at_ms_ = 0;
  uint64_t wake_timer_ = 0;
  uint64_t ask_timer_ = 0;
  uint64_t alive_timer_ = 0;
  bool others_run_ = false;     // as the locks say
  bool doubts_holder_ = false;  // of the leader lock, who is not shown as alive
  uint64_t next_timer_ = 1;
};

/// The state that every page of the simulation brings along.
inline constexpr std::string_view kInitialState =
    R"({"a":{"x":0,"y":0},"b":"initial","c":{},"whole":{"k":1},"counts":{"n":0},"list":[{"id":0}],"seat":null,)"
    R"("title":"draft"})";
/// And how its keys merge.
void ChooseStrategies(ReplicaOptions* options);
/// Which of them are keyed lists.
const ListKeys& SimLists();

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_TAB_H_
