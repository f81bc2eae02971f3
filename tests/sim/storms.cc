// Storms: when. What a stroke does: strokes.cc.
#include "storms.h"

#include <algorithm>
#include <string>
#include <vector>

namespace tabmesh::sim {

namespace {

constexpr uint64_t kSecond = 1000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kUnheardMs = 300;
constexpr uint64_t kStoppedMs = 50 * kSecond;
// As long as an open may be blocked, and longer than it takes to ask a holder of whom nothing is heard.
constexpr uint64_t kCalmBeforeMs = 40 * kSecond;

}  // namespace

Storms::Storms(World* world, uint64_t seed)
    : world_(world), random_(seed, kStreamStorms), workload_(seed), hostile_(seed) {
  population_ = 2 + random_.Below(7);
  population_ = std::min(population_, world_->settings.tabs);
}

void Storms::Begin() {
  Storm();
  ActAlone();
  // The quiet time begins in the middle of a storm: what was lost last has to be found by itself.
  const uint64_t end_ms = world_->settings.ticks * kSecond;
  const uint64_t before_ms = random_.Below(10 * kSecond);
  if (end_ms > before_ms) world_->events.At(end_ms - before_ms, [this] { Storm(); });
  if (end_ms > kUnheardMs) world_->events.At(end_ms - kUnheardMs, [this] { DieUnheard(); });
}

void Storms::Storm() {
  if (!world_->faults.on()) return;
  const uint64_t length_ms = random_.Between(3 * kSecond, 25 * kSecond);
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    const auto fault = static_cast<Fault>(kind);
    for (uint64_t n = world_->faults.Strokes(fault); n > 0; --n) {
      world_->events.After(world_->faults.random(fault)->Below(length_ms), [this, fault] { Strike(fault); });
    }
  }
  const uint64_t openings = 1 + random_.Below(6);
  for (uint64_t n = 0; n < openings; ++n) {
    world_->events.After(n == 0 ? 0 : random_.Below(length_ms), [this] { Populate(); });
  }
  Act(world_->events.now_ms() + length_ms);
  world_->events.After(length_ms + random_.Between(kMinute, 10 * kMinute), [this] { Storm(); });
}

void Storms::Populate() {
  const size_t alive = world_->Alive().size();
  if (!world_->faults.on() || alive >= population_) return;
  // Some rounds of everybody opening at once (HAZARDS H9), others one by one.
  const uint64_t count = random_.Chance(300) ? population_ - alive : 1 + random_.Below(population_ - alive);
  for (uint64_t i = 0; i < count; ++i) world_->OpenTab();
}

void Storms::Act(uint64_t until_ms) {
  if (world_->events.now_ms() >= until_ms || !world_->faults.on()) return;
  const std::vector<Tab*> alive = world_->Alive();
  if (!alive.empty()) workload_.Act(alive[random_.Below(alive.size())]);
  world_->events.After(workload_.PauseMs(), [this, until_ms] { Act(until_ms); });
}

// Between storms a write now and then, whose loss no other one shows.
void Storms::ActAlone() {
  if (!world_->faults.on()) return;
  const std::vector<Tab*> alive = world_->Alive();
  if (alive.empty()) {
    Populate();
  } else {
    workload_.Act(alive[random_.Below(alive.size())]);
  }
  world_->events.After(random_.Between(10 * kSecond, 3 * kMinute), [this] { ActAlone(); });
}

// A tab whose death nobody sees stores what nobody has heard of: the journal alone has it.
void Storms::DieUnheard() {
  for (Tab* tab : world_->Alive()) {
    if (tab->options().has_locks || !tab->running() || !tab->has_journal() || !world_->faults.on()) continue;
    world_->channel.Deafen(tab, world_->events.now_ms() + kUnheardMs);
    workload_.Act(tab);
    world_->events.After(kUnheardMs - 1, [tab] { tab->Crash(); });
    return;
  }
}

// The last fault: others have to lead until it runs again. By now everybody has heard of the leader, and
// nobody waits for the database: who cannot open it cannot lead.
void Storms::StopLeader() {
  const std::vector<Tab*> alive = world_->Alive();
  const auto may_lead = [](const Tab* tab) { return tab->options().has_locks; };
  if (std::count_if(alive.begin(), alive.end(), may_lead) < 2) return;
  for (Tab* tab : alive) {
    // The twin of a leader, as long as it writes nothing, takes the leader for itself.
    if (!tab->running() || !tab->replica()->election().leads() || world_->IsTwin(*tab)) continue;
    tab->Say("leads, and is stopped without a word");
    world_->Disturb(*tab);
    tab->Page::Hold(Life::kFrozen);
    world_->events.After(kStoppedMs, [this, tab] {
      world_->CheckLed();
      tab->Thaw([] {});
      if (!tab->gone()) tab->SetVisible(true, 1);
    });
    return;
  }
}

void Storms::Calm() {
  world_->Say("The quiet time begins: no more faults");
  world_->faults.Stop();
  world_->channel.Heal();
  world_->database.FillUntil(0);
  bool may_lead = false;
  for (Tab* tab : world_->Alive()) {
    tab->Thaw([tab] { tab->Resume(); });
    if (tab->gone()) continue;
    tab->SetVisible(true, 1);
    may_lead |= tab->options().has_locks;
  }
  if (!may_lead) world_->OpenTab(/*plain=*/true);
  if (!world_->faults.drawn()[static_cast<size_t>(Fault::kTabStopped)] || random_.Chance(500)) return;
  world_->events.After(kCalmBeforeMs, [this] { StopLeader(); });
}

}  // namespace tabmesh::sim
