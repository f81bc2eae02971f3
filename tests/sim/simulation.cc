#include "simulation.h"

#include <algorithm>
#include <utility>

namespace tabmesh::sim {

namespace {

constexpr std::string_view kInitial = R"({"a":{"x":0,"y":0},"b":"initial","c":{},"whole":{"k":1}})";
constexpr size_t kTabsMax = 6;
constexpr uint64_t kStepMs = 5;
constexpr uint64_t kQuietMs = 120000;

enum class Life : uint8_t { kRunning, kFrozen, kCached };

struct Message {
  uint64_t at_ms;
  uint64_t order;
  std::string bytes;
};

// A batch of records on its way into the journal.
struct Append {
  uint64_t done_ms;
  std::vector<std::string> records;
  uint32_t last_seq;
};

struct Tab {
  std::unique_ptr<Replica> replica;
  InstanceId id;
  Life life = Life::kRunning;
  uint64_t thaw_ms = 0;
  int64_t clock_offset_ms = 0;
  std::deque<Message> inbox;
  std::deque<Append> appends;  // one transaction after the other
  std::vector<std::string> unsent_records;
  uint32_t durable_seq = 0;
  size_t cursor = 0;
  uint64_t hydrate_at_ms = 0;
  bool lost_lock = false;
  uint64_t look_at_ms = 0;  // when to ask the lock manager who lives
  uint64_t wake_at_ms = 0;  // as the core asked
  uint64_t timer_ms = 0;    // when the timer set for it runs
  Mirror mirror;
};

class Simulation {
 public:
  Simulation(uint64_t seed, uint64_t ticks) : random_(seed), ticks_(ticks) {
    // Swarm testing (Groce et al., 2012): some faults are off entirely in a run.
    for (uint64_t& rate : rates_) rate = random_.Chance(600) ? 1 + random_.Below(60) : 0;
  }

  Outcome Run() {
    const size_t tabs = 2 + random_.Below(kTabsMax - 1);
    for (size_t i = 0; i < tabs; ++i) OpenTab();
    for (uint64_t tick = 0; tick < ticks_ && outcome_.violation.empty(); ++tick) Step(/*faults=*/true);
    EndFaults();
    for (uint64_t ms = 0; ms < kQuietMs && outcome_.violation.empty(); ms += kStepMs) Step(/*faults=*/false);
    if (outcome_.violation.empty()) CheckConverged();
    return outcome_;
  }

 private:
  bool Strikes(Fault fault, uint64_t scale = 1000) {
    const auto index = static_cast<size_t>(fault);
    if (!faults_on_ || rates_[index] == 0 || random_.Below(scale) >= rates_[index]) return false;
    ++outcome_.faults[index];
    return true;
  }

  uint64_t NowFor(const Tab& tab) const {
    const int64_t now = static_cast<int64_t>(now_ms_) + tab.clock_offset_ms;
    return now < 0 ? 0 : static_cast<uint64_t>(now);
  }

  void Fail(std::string what) {
    if (outcome_.violation.empty()) outcome_.violation = std::move(what);
  }

  // ---- tabs ----

  void OpenTab() {
    auto tab = std::make_unique<Tab>();
    for (uint8_t& byte : tab->id.bytes) byte = static_cast<uint8_t>(random_.Next());
    if (random_.Chance(300)) tab->clock_offset_ms = static_cast<int64_t>(random_.Below(7200000)) - 3600000;
    ReplicaOptions options;
    options.name = "sim";
    options.instance = tab->id;
    options.connected_at_ms = now_ms_;
    options.strategies.emplace("whole", Strategy::kLastWriteWins);
    tab->replica = std::make_unique<Replica>(options);
    tab->mirror.Reset(kInitial);
    tab->hydrate_at_ms = now_ms_ + 1 + random_.Below(30) + (Strikes(Fault::kSlowStorage, 100) ? 3000 : 0);
    Tab* opened = tab.get();
    tabs_.push_back(std::move(tab));
    if (opened->replica->Open(kInitial, NowFor(*opened)) != Status::kOk) Fail("open failed");
    Perform(opened);
  }

  void CloseTab(size_t index, bool crash) {
    Tab* tab = tabs_[index].get();
    if (!crash && tab->life == Life::kRunning) {
      tab->replica->Suspend(NowFor(*tab));
      Perform(tab);
      // pagehide: puts and commit() in one task, so what was queued is stored.
      for (const Append& append : tab->appends) Store(append.records);
      Store(tab->unsent_records);
    } else {
      RequireDurable(*tab);
    }
    ReleaseLock(tab->id);
    tabs_.erase(tabs_.begin() + static_cast<ptrdiff_t>(index));
    for (const auto& other : tabs_) other->look_at_ms = now_ms_ + 5000;
  }

  // What a dead tab was told is durable must be found by everybody at the end.
  void RequireDurable(const Tab& tab) { required_[tab.id] = std::max(required_[tab.id], tab.durable_seq); }

  void Step(bool faults) {
    faults_on_ = faults;
    now_ms_ += kStepMs;
    outcome_.tab_ms += kStepMs * tabs_.size();
    if (faults && tabs_.size() < kTabsMax && random_.Chance(tabs_.size() < 2 ? 100 : 4)) OpenTab();
    for (size_t i = 0; i < tabs_.size(); ++i) StepTab(tabs_[i].get());
    GrantLock();
    if (faults && !tabs_.empty()) StrikeTabs();
  }

  void StrikeTabs() {
    const size_t index = random_.Below(tabs_.size());
    Tab* tab = tabs_[index].get();
    if (Strikes(Fault::kCrash, 6000)) return CloseTab(index, /*crash=*/true);
    if (Strikes(Fault::kClose, 6000)) return CloseTab(index, /*crash=*/false);
    if (tab->life == Life::kRunning && Strikes(Fault::kFreeze, 3000)) {
      tab->life = Life::kFrozen;
      tab->thaw_ms = now_ms_ + random_.Below(20000);
    } else if (tab->life == Life::kRunning && Strikes(Fault::kCache, 3000)) {
      tab->replica->Suspend(NowFor(*tab));
      Perform(tab);
      tab->inbox.clear();
      tab->life = Life::kCached;
      tab->thaw_ms = now_ms_ + random_.Below(20000);
    }
    if (Strikes(Fault::kClockJump, 1000)) {
      tab->clock_offset_ms += static_cast<int64_t>(random_.Below(200000000)) - 100000000;
    }
    if (lock_granted_ && Strikes(Fault::kStolenLock, 8000)) {
      Tab* holder = Find(lock_queue_.front());
      ReleaseLock(holder->id);
      holder->lost_lock = true;  // a frozen holder learns it when it wakes
      if (holder->life == Life::kRunning) LoseLock(holder);
    }
  }

  void LoseLock(Tab* tab) {
    tab->lost_lock = false;
    tab->replica->LockLost(NowFor(*tab));
    Perform(tab);
  }

  void StepTab(Tab* tab) {
    if (tab->life != Life::kRunning) {
      if (now_ms_ >= tab->thaw_ms) Thaw(tab);
      return;
    }
    if (tab->hydrate_at_ms != 0 && now_ms_ >= tab->hydrate_at_ms) ReadJournal(tab);
    Deliver(tab);
    FinishAppends(tab);
    if (tab->timer_ms != 0 && now_ms_ >= tab->timer_ms) {
      tab->timer_ms = tab->wake_at_ms = 0;
      tab->replica->Tick(NowFor(*tab));
      Perform(tab);
    }
    if (tab->look_at_ms != 0 && now_ms_ >= tab->look_at_ms) LookWhoLives(tab);
    if (faults_on_ && tab->replica->ready() && random_.Chance(60)) Write(tab);
    if (faults_on_ && random_.Chance(1) && tab->replica->election().leads()) Checkpoint(tab);
  }

  void LookWhoLives(Tab* tab) {
    tab->look_at_ms = 0;
    std::string alive;
    for (const auto& other : tabs_) alive += other->id.view();
    tab->replica->RetainPeers(alive, NowFor(*tab));
    Perform(tab);
  }

  void Thaw(Tab* tab) {
    const bool cached = tab->life == Life::kCached;
    tab->life = Life::kRunning;
    if (cached) tab->replica->Resume(NowFor(*tab));
    Perform(tab);
    if (tab->lost_lock) LoseLock(tab);
    tab->hydrate_at_ms = now_ms_ + 1 + random_.Below(20);
  }

  // ---- storage ----

  void Store(const std::vector<std::string>& records) {
    journal_.insert(journal_.end(), records.begin(), records.end());
  }

  void ReadJournal(Tab* tab) {
    tab->hydrate_at_ms = 0;
    if (tab->cursor < journal_start_ && !checkpoint_.empty())
      (void)tab->replica->Restore(checkpoint_, NowFor(*tab));
    for (size_t i = std::max(tab->cursor, journal_start_); i < journal_end(); ++i) {
      if (tab->replica->Restore(journal_[i - journal_start_], NowFor(*tab)) != Status::kOk)
        Fail("a record did not restore");
    }
    tab->cursor = journal_end();
    const bool alone = tabs_.size() == 1;
    tab->replica->Restored(alone, NowFor(*tab));
    Perform(tab);
  }

  size_t journal_end() const { return journal_start_ + journal_.size(); }

  void FinishAppends(Tab* tab) {
    if (!tab->appends.empty() && now_ms_ >= tab->appends.front().done_ms) {
      Append& append = tab->appends.front();
      if (Strikes(Fault::kFailedAppend, 100)) {
        append.done_ms = now_ms_ + 50;
        return;
      }
      Store(append.records);
      tab->durable_seq = append.last_seq;
      tab->appends.pop_front();
    }
    if (tab->appends.empty() && !tab->unsent_records.empty()) {
      tab->appends.push_back(
          {now_ms_ + random_.Below(20), std::move(tab->unsent_records), tab->replica->seq()});
      tab->unsent_records.clear();
    }
  }

  void Checkpoint(Tab* tab) {
    if (stored_term_ != tab->replica->election().term()) return;  // fenced
    ReadJournal(tab);
    Buffer bytes;
    tab->replica->EncodeCheckpoint(&bytes);
    checkpoint_ = std::string(bytes.view());
    journal_start_ = journal_end();
    journal_.clear();
  }

  // ---- the lock ----

  Tab* Find(const InstanceId& id) {
    for (const auto& tab : tabs_) {
      if (tab->id == id) return tab.get();
    }
    return nullptr;
  }

  void ReleaseLock(const InstanceId& id) {
    if (!lock_queue_.empty() && lock_queue_.front() == id) lock_granted_ = false;
    lock_queue_.erase(std::remove(lock_queue_.begin(), lock_queue_.end(), id), lock_queue_.end());
  }

  void GrantLock() {
    if (lock_granted_ || lock_queue_.empty()) return;
    Tab* tab = Find(lock_queue_.front());
    if (tab == nullptr || tab->life != Life::kRunning) return;  // a frozen waiter, or a cached one that left
    lock_granted_ = true;
    tab->replica->LockGranted(NowFor(*tab));
    Perform(tab);
  }

  void Claim(Tab* tab, uint64_t at_least) {
    stored_term_ = std::max(stored_term_ + 1, at_least);
    const uint64_t term = stored_term_;
    if (!claimed_terms_.insert(term).second) Fail("term claimed twice");
    tab->replica->TermClaimed(term, NowFor(*tab));
  }

  // ---- the channel ----

  void Perform(Tab* tab) {
    for (bool again = true; again;) {
      again = false;
      Actions* actions = tab->replica->actions();
      if (actions->changes.size() > 0 && !tab->mirror.Apply(actions->changes.view()))
        Fail("unreadable changes");
      for (const Buffer& record : actions->records) tab->unsent_records.emplace_back(record.view());
      for (const Buffer& frame : actions->frames) Broadcast(*tab, frame.view());
      if (actions->events.view().find("\"catch-up\"") != std::string_view::npos && tab->hydrate_at_ms == 0) {
        tab->hydrate_at_ms = now_ms_ + 1 + random_.Below(20);
      }
      const LockAction lock = actions->lock;
      const uint64_t term = actions->claim_term;
      actions->Clear();
      if (lock == LockAction::kRequest || lock == LockAction::kRelease) ReleaseLock(tab->id);
      if (lock == LockAction::kRequest) lock_queue_.push_back(tab->id);
      if (lock == LockAction::kClaim) {
        Claim(tab, term);
        again = true;
      }
    }
    SetTimer(tab);
    CheckMirror(*tab);
  }

  // A timer runs by elapsed time, whatever the wall clock does meanwhile.
  void SetTimer(Tab* tab) {
    const uint64_t wake = tab->replica->actions()->wake_at_ms;
    if (wake == tab->wake_at_ms) return;
    tab->wake_at_ms = wake;
    const uint64_t now = NowFor(*tab);
    tab->timer_ms = wake == 0 ? 0 : now_ms_ + (wake > now ? wake - now : 0);
  }

  void Broadcast(const Tab& from, std::string_view frame) {
    for (const auto& tab : tabs_) {
      if (tab.get() == &from || tab->life == Life::kCached) continue;
      if (Strikes(Fault::kLoss)) continue;
      Push(tab.get(), frame);
      if (Strikes(Fault::kDuplicate)) Push(tab.get(), frame);
      if (Strikes(Fault::kMutation)) {
        std::string changed(frame);
        for (uint64_t n = 1 + random_.Below(3); n > 0; --n) {
          changed[random_.Below(changed.size())] ^= static_cast<char>(1 + random_.Below(255));
        }
        Push(tab.get(), changed);
      }
    }
  }

  void Push(Tab* tab, std::string_view frame) {
    uint64_t at = now_ms_ + random_.Below(3);
    if (!tab->inbox.empty()) at = std::max(at, tab->inbox.back().at_ms);
    tab->inbox.push_back({at, ++message_order_, std::string(frame)});
    if (tab->inbox.size() > 1 && Strikes(Fault::kReorder)) {
      std::swap(tab->inbox.back().bytes, tab->inbox[random_.Below(tab->inbox.size())].bytes);
    }
  }

  void Deliver(Tab* tab) {
    while (!tab->inbox.empty() && tab->inbox.front().at_ms <= now_ms_) {
      const Message message = std::move(tab->inbox.front());
      tab->inbox.pop_front();
      tab->replica->Receive(message.bytes, NowFor(*tab));
      Perform(tab);
    }
  }

  // ---- writes ----

  std::string RandomValue() {
    switch (random_.Below(8)) {
      case 0:
        return "{}";
      case 1:
        return R"({"x":)" + std::to_string(random_.Below(9)) + "}";
      case 2:
        return R"({"x":{"y":[)" + std::to_string(random_.Below(9)) + R"(]},"z":null})";
      case 3:
        return "[1,{\"two\":2}]";
      case 4:
        return "\"\\ud800 lone\"";
      default:
        return std::to_string(random_.Below(1000));
    }
  }

  void Write(Tab* tab) {
    static constexpr std::string_view kKeys[] = {"a", "b", "c", "x", "y"};
    std::string path;
    if (random_.Chance(100)) {
      path = "\"whole\"";
    } else {
      path = '"' + std::string(kKeys[random_.Below(3)]) + '"';
      for (uint64_t depth = random_.Below(3); depth > 0; --depth)
        path += ",\"" + std::string(kKeys[random_.Below(5)]) + '"';
    }
    std::string edit = "[[" + path + "]";
    if (!random_.Chance(200)) edit += ',' + RandomValue();
    if (edit.back() != ']' && random_.Chance(100)) edit += ",1";
    const std::string edits = '[' + edit + "]]";
    uint32_t seq = 0;
    if (tab->replica->LocalSet(edits, NowFor(*tab), &seq) != Status::kOk) return Fail("refused " + edits);
    ++outcome_.writes;
    // The glue has shown the write already; the core must agree with it.
    if (!tab->mirror.Apply(edits)) Fail("unreadable edits");
    Perform(tab);
    if (random_.Chance(50)) {
      tab->replica->AskShared(NowFor(*tab));
      Perform(tab);
    }
  }

  // ---- checks ----

  void CheckMirror(const Tab& tab) {
    if (!tab.replica->ready()) return;
    Buffer state;
    tab.replica->PrintState(&state);
    Mirror core;
    if (!core.Reset(state.view())) return Fail("unreadable state");
    if (!(core.root() == tab.mirror.root()))
      Fail("what readers see is not the core's state: " + std::string(state.view()));
  }

  void EndFaults() {
    faults_on_ = false;
    for (const auto& tab : tabs_) {
      if (tab->life != Life::kRunning) tab->thaw_ms = now_ms_;
      RequireDurable(*tab);
    }
    if (tabs_.empty()) OpenTab();
  }

  void CheckConverged() {
    const Tab& first = *tabs_.front();
    size_t leaders = 0;
    for (const auto& tab : tabs_) {
      if (!tab->replica->ready()) return Fail("a tab never became ready");
      if (tab->replica->digest() != first.replica->digest()) return Fail("digests differ");
      if (!(tab->mirror.root() == first.mirror.root())) return Fail("states differ");
      if (tab->replica->election().leads()) ++leaders;
      for (const auto& [id, seq] : required_) {
        if (tab->replica->vector().SeqOf(id) < seq) return Fail("a durable write is missing");
      }
    }
    if (leaders != 1) return Fail(std::to_string(leaders) + " leaders after a quiet time");
    Buffer state;
    first.replica->PrintState(&state);
    outcome_.digest = Mix(first.replica->digest() ^ HashBytes(state.view(), outcome_.writes));
  }

  Random random_;
  uint64_t ticks_;
  uint64_t rates_[kFaultKinds] = {};
  bool faults_on_ = true;
  uint64_t now_ms_ = 1700000000000;
  uint64_t message_order_ = 0;
  std::vector<std::unique_ptr<Tab>> tabs_;
  std::vector<std::string> journal_;
  size_t journal_start_ = 1;
  std::string checkpoint_;
  uint64_t stored_term_ = 0;
  std::set<uint64_t> claimed_terms_;
  std::deque<InstanceId> lock_queue_;
  bool lock_granted_ = false;
  std::map<InstanceId, uint32_t> required_;
  Outcome outcome_;
};

}  // namespace

const char* FaultName(Fault fault) {
  static constexpr const char* kNames[kFaultKinds] = {
      "loss",  "duplicate",    "reorder",       "crash",    "freeze",      "cache",
      "clock", "slow-storage", "failed-append", "mutation", "stolen-lock", "close"};
  return kNames[static_cast<size_t>(fault)];
}

Outcome Simulate(uint64_t seed, uint64_t ticks) { return Simulation(seed, ticks).Run(); }

}  // namespace tabmesh::sim
