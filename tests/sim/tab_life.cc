// Tab: who leads, who lives, and the page's life.
#include <utility>

#include "tab.h"

namespace tabmesh::sim {

namespace {
constexpr uint64_t kAliveEveryMs = 5000;
constexpr uint64_t kClaimAgainMs = 2000;
constexpr uint64_t kDoubtEveryMs = 1500;

InstanceId ReadId(std::string_view hex) {
  InstanceId id;
  for (size_t i = 0; i < InstanceId::kBytes && 2 * i + 2 <= hex.size(); ++i) {
    id.bytes[i] = static_cast<uint8_t>(std::stoul(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return id;
}
}  // namespace

// ---- leadership, and who lives ------------------------------------------------------------------

void Tab::QueueForLock() {
  around_.locks->Request(
      this, [this] { LockGranted(); }, [this] { LockLost(); });
}

void Tab::RobHolder() {
  around_.watcher->Robs(*this);
  around_.locks->Rob(
      this, [this] { LockGranted(); }, [this] { LockLost(); });
}

void Tab::LockGranted() {
  if (ended_) return;
  replica_->LockGranted(Now());
  Perform();
}

void Tab::LockLost() {
  if (ended_) return;
  if (telling()) Say("hears that its lock was stolen");
  replica_->LockLost(Now());
  Perform();
}

void Tab::Knock(std::string_view hex) {
  if (!options_.has_locks) return;
  if (telling()) Say("knocks at the holder of the lock, " + std::string(hex));
  around_.locks->Knock(ReadId(hex));
}

void Tab::Claim(uint64_t at_least) {
  OpenJournal([this, at_least] {
    if (ended_) return;
    if (connection_ == 0) return TermStored(0);
    around_.database->ClaimTerm(connection_, at_least, [this](uint64_t term) { TermStored(term); });
  });
}

void Tab::TermStored(uint64_t term) {
  if (ended_) return;
  if (term != 0) {
    replica_->TermClaimed(term, Now());
  } else {
    if (telling()) Say("cannot store a term");
    replica_->ClaimFailed(Now());
    After(kClaimAgainMs, [this] {
      if (ended_ || leads_) return;
      replica_->LockLost(Now());  // queues again
      Perform();
    });
  }
  Perform();
  // Its place in the queue it may have again: a claim can fail after the lock was stolen and asked for once
  // more.
  if (term == 0 && !ended_ && replica_->election().role() == Election::Role::kCandidate) {
    around_.watcher->Fail(*this, "keeps the lock although it could not store a term");
  }
}

void Tab::WatchAlive() {
  Buffer peers;
  if (!ended_) replica_->PrintPeers(&peers);
  if (ended_ || suspended_ || alive_timer_ != 0 || !options_.has_locks) return;
  if (!others_run_ && peers.view() == "[]") return;
  const uint64_t timer = alive_timer_ = next_timer_++;
  After(doubts_holder_ ? kDoubtEveryMs : kAliveEveryMs, [this, timer] {
    if (timer != alive_timer_) return;
    alive_timer_ = 0;
    LookWhoLives([this] { WatchAlive(); });
  });
}

void Tab::LookWhoLives(Task then) {
  if (!options_.has_locks) return then();
  around_.locks->Query(
      this, [this, then = std::move(then)](const std::vector<InstanceId>& alive, const std::string& holder) {
        if (!ended_ && !suspended_) {
          std::string ids;
          for (const InstanceId& id : alive) ids += id.view();
          doubts_holder_ = holder == InstanceId().view();
          others_run_ = alive.size() > 1 || doubts_holder_;
          replica_->RetainPeers(ids, Now());
          Perform();
        }
        if (!ended_ && !suspended_) {
          replica_->LockHeldBy(holder, Now());
          Perform();
        }
        then();
      });
}

// ---- the page's life ----------------------------------------------------------------------------

void Tab::SetVisible(bool visible, uint64_t timer_quantum) {
  timer_quantum_ms = timer_quantum;
  if (ended_ || visible == visible_) return;
  visible_ = visible;
  replica_->SetVisible(visible, Now());
  Perform();
}

void Tab::Suspend() {
  away_ = true;
  if (suspended_ || ended_) return;
  PassOver();
  suspended_ = true;
  replica_->Suspend(Now());
  Perform();
  writer_.FlushNow();
  if (options_.has_locks) around_.locks->Hide(this);
  around_.channel->Close(channel_end_);
  alive_timer_ = 0;
  if (around_.locks->Wants(this)) {
    around_.watcher->Fail(*this, "keeps its place in the queue for the lock while it is suspended");
  }
}

// First the journal: if the store was erased meanwhile, nothing of this tab may leave it.
void Tab::Resume() {
  away_ = false;
  if (!suspended_ || ended_ || resuming_) return;
  resuming_ = true;
  writer_.Use(0);
  RestoreFromJournal([this](Restored restored) {
    resuming_ = false;
    if (ended_) return;
    if (restored == Restored::kErased) return End("finds another generation of the store");
    if (away_) return;
    suspended_ = false;
    OpenChannel();
    if (options_.has_locks) around_.locks->Show(this, options_.id);
    replica_->Restored(/*alone=*/false, Now());
    Perform();
    if (ended_) return;
    replica_->Resume(Now());
    Perform();
    if (ended_) return;
    AskShared();
    if (restored == Restored::kFailed) CatchUp();
    LookWhoLives([this] { WatchAlive(); });
  });
}

void Tab::Close() {
  if (gone()) return;
  if (running() && !ended_) Suspend();
  if (telling()) Say("is closed");
  ended_ = true;
  around_.database->PageGone(this, /*crashed=*/false);
  Leave();
}

void Tab::Crash() {
  if (gone()) return;
  if (telling()) Say("crashes");
  ended_ = true;
  around_.database->PageGone(this, /*crashed=*/true);
  Leave();
}

// The store has ended by itself. For a reason, an app would load its page again.
void Tab::End(std::string_view why) {
  if (ended_) return;
  if (telling() && !why.empty()) Say(why);
  writer_.Close();  // nothing of the old store may reach the new one
  around_.channel->Close(channel_end_);
  Suspend();
  ended_ = true;
  if (!why.empty()) around_.watcher->WantsReload(this);
}

void Tab::Leave() {
  around_.watcher->Leaves(*this);
  Go();
  leads_ = false;
  around_.channel->Close(channel_end_);
  around_.locks->PageGone(this);
  // Not at once: a call of the core may be under way.
  events()->After(0, [this] {
    replica_.reset();
    mirror_.reset();
  });
}

}  // namespace tabmesh::sim
