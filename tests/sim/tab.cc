// Tab: performing what the core wants, the user, the channel. Storage: tab_storage.cc; leadership and the
// page's life: tab_life.cc.
#include "tab.h"

#include <algorithm>
#include <utility>

namespace tabmesh::sim {

namespace {
constexpr uint64_t kAskSharedMs = 500;
}  // namespace

Tab::Tab(const Surroundings& around, const TabOptions& options)
    : Page(around.events, options.number),
      around_(around),
      options_(options),
      writer_(
          this, around.database,
          [this](uint32_t seq, const Appended& appended) {
            if (ended_) return;
            durable_seq_ = std::max(durable_seq_, seq);
            const auto stored = [seq](const Made& made) { return made.seq <= seq; };
            unstored_.erase(std::remove_if(unstored_.begin(), unstored_.end(), stored), unstored_.end());
            around_.watcher->Durable(*this, seq, appended);
            ShareAlone();
          },
          [this] { CatchUp(); }) {}

const ListKeys& SimLists() {
  static const ListKeys lists = {{"list", "id"}};
  return lists;
}

void ChooseStrategies(ReplicaOptions* options) {
  options->strategies = {
      {"whole", Strategy::kLastWriteWins}, {"seat", Strategy::kFirstWriteWins}, {"title", Strategy::kPrompt}};
  options->lists = SimLists();
}

void Tab::Load() {
  loaded_at_ms_ = events()->now_ms();
  ReplicaOptions options;
  options.name = "sim";
  options.instance = options_.id;
  options.label = "tab " + std::to_string(options_.number);
  options.connected_at_ms = Now();
  ChooseStrategies(&options);
  if (options_.merges_all) options.strategies = {{"whole", Strategy::kLastWriteWins}};
  if (options_.is_newer) options.unknown_fields = "added by " + options.label;
  options.era_instances_max = options_.era_instances_max;
  options.era_dead_min = options_.era_dead_min;
  replica_ = std::make_unique<Replica>(options);
  mirror_ = std::make_unique<Mirror>(&SimLists());
  mirror_->Reset(kInitialState);
  if (telling()) Say("is opened");
  OpenChannel();
  if (options_.has_locks) around_.locks->Show(this, options_.id);
  if (replica_->Open(kInitialState, Now()) != Status::kOk) around_.watcher->Fail(*this, "did not open");
  Perform();
  Hydrate();
}

std::string Tab::Name() const {
  std::string name = "tab " + std::to_string(number());
  return leads_ ? name + " (leader, term " + std::to_string(term_) + ')' : name;
}

void Tab::Say(std::string_view what) const {
  if (telling()) around_.transcript->Say(events()->now_ms(), Name(), what);
}

// ---- performing what the core wants, in the order of its fields -----------------------------------

void Tab::Perform(bool local) {
  if (ended_) return;
  Actions* actions = replica_->actions();
  if (actions->incomplete) {
    actions->Clear();
    if (options_.has_locks) around_.locks->Release(this);
    RefuseEarly();
    return End("has run out of memory");
  }
  const bool changed = actions->changes.size() > 0;
  if (changed && !mirror_->Apply(actions->changes.view(), /*disjoint=*/true)) {
    around_.watcher->Fail(
        *this, "tells changes that overlap or cannot be read: " + std::string(actions->changes.view()));
  }
  const std::vector<Buffer> frames = std::move(actions->frames);
  const std::vector<Buffer> records = std::move(actions->records);
  const std::vector<CoreEvent> events = ReadEvents(actions->events.view());
  const LockAction lock = actions->lock;
  const uint64_t term = actions->claim_term;
  actions->Clear();
  around_.watcher->Called(*this, changed, local);
  for (const Buffer& frame : frames) {
    if (static_cast<FrameKind>(frame.view()[3]) == FrameKind::kHello)
      told_vector_at_ms_ = this->events()->now_ms();
    around_.channel->Post(channel_end_, frame.view());
  }
  for (const Buffer& bytes : records) {
    const Record record = {std::make_shared<const std::string>(bytes.view()), options_.id, replica_->seq(),
                           era_, since_};
    around_.watcher->Wrote(*this, record);
    writer_.Push(record, visible_);
    if (suspended_) writer_.FlushNow();
  }
  PerformLock(lock, term);
  for (const CoreEvent& event : events) {
    Handle(event);
    if (ended_) return;
  }
  if (changed) Written(1);
  Wake(replica_->actions()->wake_at_ms);
}

void Tab::PerformLock(LockAction action, uint64_t term) {
  switch (action) {
    case LockAction::kNone:
      break;
    case LockAction::kRequest:
      if (options_.has_locks) QueueForLock();
      break;
    case LockAction::kRelease:
      if (options_.has_locks) around_.locks->Release(this);
      break;
    case LockAction::kClaim:
      Claim(term);
      break;
    case LockAction::kSteal:
      if (options_.has_locks) RobHolder();
  }
}

void Tab::Handle(const CoreEvent& event) {
  const std::string_view type = event.Member("type");
  if (type == "ready") {
    hydrated_ = true;
    if (telling()) Say("is ready");
    CommitEarly();
  } else if (type == "tabs") {
    ShareAlone();
    WatchAlive();
  } else if (type == "catch-up") {
    if (hydrated_) CatchUp();
  } else if (type == "knock") {
    Knock(event.Member("id"));
  } else if (type == "leader") {
    leads_ = event.Number("self") == 1;
    term_ = event.Number("term");
    if (leads_) {
      if (telling()) Say("begins to lead");
      LookWhoLives([] {});
    }
  } else if (type == "shared") {
    const auto seq = static_cast<uint32_t>(event.Number("seq"));
    shared_seq_ = std::max(shared_seq_, seq);
    around_.watcher->Shared(*this, seq);
  } else if (type == "divergence") {
    if (telling()) Say("finds that its state is not the one of " + std::string(event.Member("from")));
    around_.watcher->Diverged(*this);
  } else if (type == "identity-conflict") {
    // At once: with a journal that it cannot take, it must neither lead nor make checkpoints.
    around_.watcher->MeetsItself(*this);
    Suspend();
    End("meets its own identity");
  } else if (type == "later-era") {
    if (hydrated_) CatchUp();  // before, the journal is being read anyway
  } else if (type == "dropped") {
    if (telling()) Say("drops bytes: " + std::string(event.Member("reason")));
  } else if (type == "destroyed") {
    End("was told that the store is destroyed");
  }
}

void Tab::Wake(uint64_t at_ms) {
  if (at_ms == wake_at_ms_) return;
  wake_at_ms_ = at_ms;
  const uint64_t timer = wake_timer_ = next_timer_++;
  if (at_ms == 0) return;
  After(at_ms > Now() ? at_ms - Now() : 0, [this, timer] {
    if (ended_ || timer != wake_timer_) return;
    wake_at_ms_ = 0;
    if (suspended_) return;
    replica_->Tick(Now());
    Perform();
  });
}

// ---- the user -----------------------------------------------------------------------------------

void Tab::Set(const std::string& edits) {
  if (ended_ || !running()) return;
  if (hydrated_ && !holding_) {
    Commit(edits);
  } else {
    early_.push_back(edits);
  }
}

void Tab::CommitEarly() {
  std::vector<std::string> early;
  early.swap(early_);
  for (const std::string& edits : early) {
    if (!ended_) Commit(edits);
  }
}

// Those that wait for the end of a transaction, of a tab that ends.
void Tab::RefuseEarly() {
  for (const std::string& edits : early_) {
    around_.watcher->Refused(*this);
    if (edits == TotalEdits()) --total_;
  }
  early_.clear();
}

void Tab::AddToTotal() {
  if (ended_ || !running()) return;
  ++total_;
  Set(TotalEdits());
}

std::string Tab::TotalEdits() const { return R"([[["totals",")" + std::to_string(number()) + R"("],1,2]])"; }

void Tab::Commit(const std::string& edits) {
  uint32_t seq = 0;
  const uint32_t before = replica_->seq();
  Status status = Status::kOk;
  bool refused = false;
  {
    const Shortage shortage(around_.faults);
    status = replica_->LocalSet(edits, Now(), &seq);
    refused = status == Status::kOutOfMemory && shortage.struck();
  }
  if (refused) return Refused(edits, before);
  if (seq > before) unstored_.push_back({seq, edits});
  if (status != Status::kOk) around_.watcher->Fail(*this, "refused " + edits + ": " + StatusName(status));
  if (telling()) Say("writes " + edits.substr(0, 200) + " as number " + std::to_string(seq));
  // The glue has shown the write already; the core must agree with it.
  if (!mirror_->Apply(edits)) around_.watcher->Fail(*this, "unreadable edits: " + edits);
  Perform(/*local=*/true);
  if (!ended_) Written(1);
}

// The app hears of it, and nothing has changed.
void Tab::Refused(const std::string& edits, uint32_t seq) {
  if (telling()) Say("has no memory to write " + edits.substr(0, 200));
  around_.watcher->Refused(*this);
  if (edits == TotalEdits()) --total_;
  if (replica_->seq() != seq) around_.watcher->Fail(*this, "has made a write that it has refused");
  Perform(/*local=*/true);
}

void Tab::WantShared() {
  if (ended_ || !running() || !hydrated_) return;
  wanted_shared_ = replica_->seq();
  AskShared();
}

void Tab::AskShared() {
  ask_timer_ = next_timer_++;
  if (ended_ || suspended_ || !waits_for_shared()) return;
  const uint64_t timer = ask_timer_;
  After(kAskSharedMs, [this, timer] {
    if (timer == ask_timer_) AskShared();
  });
  replica_->AskShared(Now());
  Perform();
}

void Tab::ShareAlone() {
  Buffer peers;
  replica_->PrintPeers(&peers);
  if (peers.view() == "[]") shared_seq_ = std::max(shared_seq_, durable_seq_);
}

// ---- the channel --------------------------------------------------------------------------------

void Tab::OpenChannel() {
  channel_end_ =
      around_.channel->Open(this, [this](std::string_view bytes, Wear wear) { Receive(bytes, wear); });
}

void Tab::Receive(std::string_view bytes, Wear wear) {
  if (ended_) return;
  const uint64_t dropped = replica_->counters().dropped;
  const uint64_t digest = replica_->digest();
  bool used = true;
  bool short_of_memory = false;
  {
    const Shortage shortage(around_.faults);
    replica_->Receive(bytes, Now());
    short_of_memory = shortage.struck();
    used = replica_->counters().dropped == dropped || short_of_memory;
  }
  if ((wear == Wear::kDamaged || wear == Wear::kOtherMajor) && digest != replica_->digest()) {
    around_.watcher->Fail(*this, "merged a frame that is damaged or of another major version");
  }
  if (wear == Wear::kOtherMajor && used && !short_of_memory && !suspended_) {
    around_.watcher->Fail(*this, "did not drop a frame of another major version");
  }
  const bool conflict = replica_->actions()->events.view().find("identity") != std::string_view::npos;
  if (wear == Wear::kNewerMinor && !used && !conflict) {
    around_.watcher->Fail(*this, "dropped a frame of a newer minor version");
  }
  Perform();
}

}  // namespace tabmesh::sim
