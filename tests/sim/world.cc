#include "world.h"

#include <utility>

#include "lz/pieces.h"
#include "wire/messages.h"
#include "workload.h"

namespace tabmesh::sim {

namespace {
// Storage that does not answer is given up after 3 s, other tabs that do not after 2.5 s more.
constexpr uint64_t kReadyWithinMs = 8000;
constexpr uint64_t kReloadMsMax = 500;
constexpr uint64_t kShownAgainMs = 20;

VersionVector VectorOf(const SentVector& sent) {
  VersionVector vector;
  std::vector<uint32_t> indices;
  for (const SentVector::Entry& entry : sent.entries) {
    (void)vector.Intern(entry.instance, &indices.emplace_back());
    vector.Advance(indices.back(), entry.seq);
  }
  std::vector<Hole> holes = sent.holes;
  for (Hole& hole : holes) hole.instance = indices[hole.instance];
  vector.SetHoles(std::move(holes));
  return vector;
}

}  // namespace

World::World(uint64_t seed, const Settings& chosen)
    : settings(chosen),
      faults(seed, chosen.faults),
      transcript(chosen.transcript_lines),
      channel(&events, &faults, seed),
      locks(&events, &faults, seed),
      database(&events, &faults, this, seed),
      memory(Workload::Places()),
      random_(seed, kStreamTabs) {
  era_instances_max_ = static_cast<uint32_t>(random_.Between(2, 60));
  era_dead_min_ = random_.Between(1, 60);
  has_other_app_ = random_.Chance(150);
  has_newer_ = random_.Chance(250);
  if (settings.canary) PlantCanary();
}

// ---- tabs ---------------------------------------------------------------------------------------

InstanceId World::DrawIdentity(bool plain) {
  InstanceId id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_.Next());
  const std::vector<Tab*> alive = Alive();
  if (plain || alive.empty() || !faults.Strikes(Fault::kIdentityDuplicated)) return id;
  convergence.Excuse();
  return *twins_.insert(alive[faults.random(Fault::kIdentityDuplicated)->Below(alive.size())]->id()).first;
}

// `plain`: a page with everything that a page may want.
Tab* World::OpenTab(bool plain) {
  TabOptions options;
  options.number = static_cast<uint32_t>(tabs.size() + 1);
  options.id = DrawIdentity(plain);
  options.has_locks = plain || !faults.Strikes(Fault::kNoLocks);
  options.merges_all = has_other_app_ && random_.Chance(300);
  options.is_newer = has_newer_ && random_.Chance(500);
  options.checkpoint_every = random_.Between(5, 200);
  if (options.checkpoint_every % 2 == 0)
    options.compress_above = 0;  // drawing nothing more: seeds stay what they are
  options.era_instances_max = era_instances_max_;
  options.era_dead_min = era_dead_min_;
  const Surroundings around = {&faults, &events, &channel, &locks, &database, &transcript, this};
  Tab* tab = tabs.emplace_back(std::make_unique<Tab>(around, options)).get();
  gone_at_ms_.push_back(0);
  memory.TabOpened();
  // Pages of one machine share a clock, those of a test of clocks do not.
  if (random_.Chance(300)) tab->clock.Jump(static_cast<int64_t>(random_.Below(7200000)) - 3600000);
  tab->Load();
  events.After(kReadyWithinMs, [this, tab] {
    if (tab->gone() || tab->ready() || disturbed_.count(tab->number()) > 0) return;
    Fail(*tab, "is not ready " + std::to_string(kReadyWithinMs / 1000) + " s after it was opened");
  });
  return tab;
}

std::vector<Tab*> World::Alive() const {
  std::vector<Tab*> alive;
  for (const auto& tab : tabs) {
    if (!tab->gone()) alive.push_back(tab.get());
  }
  return alive;
}

uint64_t World::TabMs() const {
  uint64_t sum = 0;
  for (const auto& tab : tabs) {
    const uint64_t gone = gone_at_ms_[tab->number() - 1];
    sum += (gone == 0 ? events.now_ms() : gone) - tab->loaded_at_ms();
  }
  return sum;
}

void World::Say(std::string_view what, const Tab* tab) {
  if (transcript.on()) transcript.Say(events.now_ms(), tab == nullptr ? "" : tab->Name(), what);
}

// ---- what tabs tell -----------------------------------------------------------------------------

void World::Check(std::string wrong) {
  if (wrong.empty() || !verdict.good()) return;
  Say("VIOLATION: " + wrong);
  verdict.Fail(events.now_ms(), std::move(wrong));
}

void World::Fail(const Tab& tab, std::string what) { Check(tab.Name() + ' ' + what); }

void World::Called(const Tab& tab, bool changed, bool local) {
  // A twin counts under a name that counts elsewhere.
  if (!IsTwin(tab)) Check(convergence.Called(tab, changed, local));
  Check(leadership.Called(tab));
  Check(clocks.Called(tab));
}

void World::Wrote(const Tab& tab, const Record& record) {
  durability.Wrote(record);
  if (durability.ambiguous()) convergence.Excuse();
  Check(clocks.Wrote(tab, record));
}

void World::Durable(const Tab& tab, uint32_t seq, const Appended& appended) {
  // Told late, of a database that is no more.
  if (appended.generation != database.generation() || appended.era != database.era()) return;
  durability.Durable(tab.id(), seq, appended.last_key);
}

void World::Shared(const Tab& tab, uint32_t seq) {
  // Who forges acknowledgements, or answers under another's name, can make anybody believe anything.
  if (faults.count(Fault::kHostileMessage) > 0 || faults.count(Fault::kIdentityDuplicated) > 0) return;
  Check(sharing.Shared(tab, seq, tabs));
}

void World::Hydrated(const Tab& tab, uint64_t cursor, uint64_t generation) {
  // A twin does not take a journal in which it has written already: its page has to be loaded again.
  if (generation != database.generation() || IsTwin(tab)) return;
  Check(durability.CheckRead(tab, cursor));
  const bool first = hydrated_.insert(tab.number()).second;
  if (first && durability.has_hole()) Check(durability.CheckFound(*tab.replica(), cursor));
}

void World::Diverged(const Tab& tab) { Check(convergence.Diverged(tab)); }

void World::MeetsItself(const Tab& tab) {
  if (!convergence.excused()) Fail(tab, "meets its own identity, which nobody else has");
}

void World::Leaves(const Tab& tab) {
  gone_at_ms_[tab.number() - 1] = events.now_ms();
  sharing.Leaves(tab);
}

void World::WantsReload(Tab* tab) {
  events.After(1 + random_.Below(kReloadMsMax), [this, tab] {
    if (tab->gone()) return;
    tab->Close();
    OpenTab();
  });
}

// Who runs is shown as alive again as soon as somebody has knocked.
void World::Robs(const Tab& tab) {
  const Page* holder = locks.holder();
  Say(tab.Name() + " robs the holder of the leader lock");
  if (holder != nullptr && holder->RunsSince(events.now_ms() - kShownAgainMs)) {
    Fail(tab, "robs tab " + std::to_string(holder->number()) + ", which runs, of the leader lock");
  }
}

void World::LeavesEra(const Tab& tab, bool gives_up) {
  sharing.Leaves(tab);
  if (gives_up) totals.Excuse(tab);
}

void World::EraMade(const Tab& tab, std::string_view state) {
  ReplicaOptions options;
  options.name = "sim";
  options.era = tab.replica()->options().era + 1;
  options.instance.bytes.fill(0xfd);
  ChooseStrategies(&options);
  Replica next(options);
  Status status = next.Open(kInitialState, 0);
  if (status == Status::kOk) status = next.Restore(state, 0);
  if (status != Status::kOk) {
    return Fail(tab,
                std::string("has made the beginning of an era that cannot be read: ") + StatusName(status));
  }
  Buffer before, after;
  tab.replica()->PrintState(&before);
  next.PrintState(&after);
  Mirror seen(&SimLists()), shown(&SimLists());
  if (!seen.Reset(before.view()) || !shown.Reset(after.view()) || !(seen.root() == shown.root())) {
    Fail(tab, "begins an era with " + std::string(after.view()) + ", not with " + std::string(before.view()));
  }
}

void World::Proposed(const Tab& tab, const Record& record) { Check(clocks.Wrote(tab, record)); }

void World::Transacted(const Record& record, uint64_t id, uint64_t before, uint64_t last_key) {
  durability.Wrote(record);
  if (ExcusesTransactions()) return;
  Say("A transaction is stored that found " + std::to_string(before));
  Check(transactions.Stored(record, id, before, last_key));
}

void World::Concluded(const Tab& tab, const TransactionEnd& end) {
  if (!ExcusesTransactions()) Check(transactions.Concluded(tab, end));
}

bool World::ExcusesTransactions() const {
  return convergence.excused() || faults.count(Fault::kHostileMessage) > 0 ||
         faults.count(Fault::kDatabaseEvicted) > 0 || faults.count(Fault::kRecordFlipped) > 0;
}

// ---- what the database tells ----------------------------------------------------------------------

void World::TermStored(uint64_t term) { Check(leadership.TermStored(term)); }

void World::CheckpointTouched(uint64_t term, uint64_t newest_term) {
  Check(fencing.CheckpointTouched(term, newest_term));
}

void World::CheckpointStored(bool as_made) {
  if (!as_made) Check("a stored checkpoint is not the one that was made");
}

void World::CheckpointCovers(const std::string& checkpoint, uint32_t era,
                             const std::vector<Record>& records) {
  Frame frame;
  DeltaHead head;
  OpSet set;
  CallArena arena;
  Buffer unpacked;
  const bool is_packed = lz::IsPacked(checkpoint);
  if (is_packed && lz::Unpack(checkpoint, &unpacked) != Status::kOk)
    return Check("a checkpoint is not packed right");
  if (OpenFrame(is_packed ? unpacked.view() : checkpoint, NamespaceOf("sim", era), &frame) != Status::kOk) {
    return Check("a checkpoint is no frame of its era");
  }
  Reader reader(frame.body);
  if (DecodeDeltaHead(&reader, &head) != Status::kOk || DecodeOpSet(&reader, &arena, &set) != Status::kOk) {
    return Check("a checkpoint is no delta");
  }
  const VersionVector has = VectorOf(set.vector);
  for (const Record& record : records) {
    if (!has.Has(record.instance, record.seq) && twins_.count(record.instance) == 0)
      Check("a checkpoint lacks a record whose place it takes");
  }
}

void World::SuffixLost(uint64_t last_key) {
  durability.SuffixLost(last_key);
  transactions.SuffixLost(last_key);
}

void World::RecordFlipped(const InstanceId& instance, uint32_t seq) {
  durability.RecordFlipped(instance, seq);
}

void World::HoleMade() { durability.HoleMade(); }

void World::Evicted() {
  durability.Evicted();
  leadership.Evicted(static_cast<uint32_t>(tabs.size()));
}

// Whatever was stored in the era is in what follows it.
void World::EraEnded(uint32_t era, const Bytes& state, const std::string& end,
                     const std::vector<Record>& records) {
  ++eras;
  Say("Era " + std::to_string(era) + " has ended");
  Frame frame;
  SentVector sent;
  if (OpenFrame(end, NamespaceOf("sim", era), &frame) != Status::kOk ||
      DecodeEraEnd(frame, &sent) != Status::kOk) {
    return Check("an era has ended without a list of its writes");
  }
  const VersionVector kept = VectorOf(sent);
  for (const Record& record : records) {
    if (!kept.Has(record.instance, record.seq) && !convergence.excused())
      Check("a stored write is lost with its era");
  }
  Check(durability.EraEnded(kept, era + 1, state));
}

// ---- the end ------------------------------------------------------------------------------------

void World::CheckLed() {
  for (const Tab* tab : Alive()) {
    if (tab->running() && tab->replica()->election().leads()) return;
  }
  Check("nobody who runs leads, 50 s after the leader was stopped");
}

void World::CheckSettled() {
  const std::vector<Tab*> alive = Alive();
  const std::vector<const Tab*> readable(alive.begin(), alive.end());
  Check(convergence.CheckEqual(readable));
  Check(leadership.CheckOne(readable));
  for (const Tab* tab : alive) {
    if (!verdict.good()) return;
    // A twin goes on counting where the other one was, and is told nothing of its own writes.
    if (!IsTwin(*tab)) Check(durability.CheckSettled(*tab));
    Check(convergence.CheckGossip(*tab, events.now_ms()));
    Check(memory.Check(*tab));
    Check(membership.CheckSettled(*tab, alive));
    if (!convergence.excused() && faults.count(Fault::kHostileMessage) == 0) Check(totals.CheckSettled(*tab));
    if (!ExcusesTransactions()) Check(transactions.CheckSettled(*tab));
  }
  Check(durability.CheckFound(*alive.front()->replica()));
}

// A durable write that was never stored: whoever reads the journal must be found to lack it.
void World::PlantCanary() {
  InstanceId id;
  id.bytes.fill(0xca);
  durability.Wrote({std::make_shared<const std::string>("never stored"), id, 1});
  durability.Durable(id, 1, 0);
}

}  // namespace tabmesh::sim
