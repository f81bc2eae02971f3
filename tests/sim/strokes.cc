// Storms: what a stroke of each kind does, and to whom.
#include <algorithm>
#include <string>
#include <vector>

#include "storms.h"

namespace tabmesh::sim {

namespace {

constexpr uint64_t kSecond = 1000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kYear = 365 * 24 * kHour;

// Short mostly, long sometimes.
uint64_t Span(Random* random, uint64_t low, uint64_t high) {
  uint64_t top = low;
  while (top < high && random->Chance(750)) top *= 2;
  return random->Between(low, std::min(std::max(top, low + 1), high));
}

// Each order of magnitude is as likely as any other.
uint64_t Magnitude(Random* random, uint64_t low, uint64_t high) {
  uint64_t doublings = 0;
  while ((low << doublings) < high) ++doublings;
  const uint64_t top = low << random->Below(doublings + 1);
  return std::min(random->Between(low, std::max(top, low)), high);
}

}  // namespace

void Storms::Strike(Fault fault) {
  if (!world_->faults.on()) return;
  if (StrikePages(fault) || StrikeClocks(fault) || StrikeStorage(fault) || StrikeChannel(fault)) {
    world_->faults.Count(fault);
  }
}

Tab* Storms::Victim(Fault fault, bool running) {
  std::vector<Tab*> alive = world_->Alive();
  if (running) {
    alive.erase(std::remove_if(alive.begin(), alive.end(),
                               [](const Tab* t) { return !t->running() || t->suspended(); }),
                alive.end());
  }
  return alive.empty() ? nullptr : alive[world_->faults.random(fault)->Below(alive.size())];
}

// The last words of a page: what is written just before it has to go, and in its own pagehide handler.
void Storms::LastWords(Tab* tab, Random* random, const Task& then) {
  if (random->Chance(600)) workload_.Act(tab);
  world_->events.After(random->Below(8), [this, tab, random, then] {
    if (!tab->running() || !world_->faults.on()) return;  // the quiet time has begun meanwhile
    for (uint64_t n = random->Below(3); n > 0; --n) workload_.Act(tab);
    tab->Suspend();
    if (random->Chance(300)) workload_.Act(tab);
    if (!tab->gone()) then();
  });
}

void Storms::Hold(Tab* tab, Life life, bool warned, uint64_t ms) {
  world_->Disturb(*tab);
  tab->Page::Hold(life);
  world_->events.After(ms, [tab, warned] {
    tab->Thaw([tab, warned] {
      tab->Say("runs again");
      if (warned) tab->Resume();
    });
  });
}

bool Storms::StrikePages(Fault fault) {
  Random* random = world_->faults.random(fault);
  const bool any = fault == Fault::kTabClosed || fault == Fault::kTabCrashed || fault == Fault::kTabDiscarded;
  Tab* tab = Victim(fault, /*running=*/!any);
  switch (fault) {
    case Fault::kTabClosed:
      if (tab == nullptr) return false;
      if (tab->running()) {
        LastWords(tab, random, [tab] { tab->Close(); });
      } else {
        tab->Close();
      }
      return true;
    case Fault::kTabCrashed:
      if (tab == nullptr) return false;
      if (random->Chance(500)) {
        // Right after a write, which may have been stored and not heard of.
        if (tab->running()) workload_.Act(tab);
        world_->events.After(random->Below(60), [this, tab] {
          if (world_->faults.on()) tab->Crash();
        });
      } else {
        tab->Crash();
      }
      return true;
    case Fault::kTabFrozen:
    case Fault::kTabCached:
    case Fault::kTabStopped: {
      if (tab == nullptr) return false;
      const bool warned = fault != Fault::kTabStopped;
      tab->Say(fault == Fault::kTabFrozen   ? "is frozen"
               : fault == Fault::kTabCached ? "goes into the back/forward cache"
                                            : "is stopped without a word");
      const Life life = fault == Fault::kTabCached ? Life::kCached : Life::kFrozen;
      const uint64_t ms = Span(random, 200, 10 * kMinute);
      if (!warned) {
        Hold(tab, life, warned, ms);
      } else {
        LastWords(tab, random, [this, tab, life, ms] { Hold(tab, life, /*warned=*/true, ms); });
      }
      return true;
    }
    case Fault::kTabDiscarded: {
      if (tab == nullptr) return false;
      tab->Say("is discarded; its page is loaded again when the user comes back");
      tab->Crash();
      world_->events.After(Span(random, 100, kMinute), [this] {
        if (world_->faults.on()) world_->OpenTab();
      });
      return true;
    }
    case Fault::kTabHidden:
    case Fault::kTabThrottled: {
      if (tab == nullptr) return false;
      const bool long_hidden = fault == Fault::kTabThrottled;
      tab->Say(long_hidden ? "is hidden: its timers run once a minute" : "is hidden");
      world_->Disturb(*tab);
      tab->SetVisible(false, long_hidden ? kMinute : kSecond);
      world_->events.After(Span(random, kSecond, 15 * kMinute),
                           [tab] { tab->Enter([tab] { tab->SetVisible(true, 1); }); });
      return true;
    }
    case Fault::kRendererCrashed: {
      std::vector<Tab*> alive = world_->Alive();
      if (alive.size() < 2) return false;
      world_->Say("A renderer with several tabs crashes");
      for (uint64_t n = 2 + random->Below(alive.size() - 1); n > 0; --n) {
        const auto at = static_cast<std::ptrdiff_t>(random->Below(alive.size()));
        alive[static_cast<size_t>(at)]->Crash();
        alive.erase(alive.begin() + at);
      }
      return true;
    }
    case Fault::kBrowserCrashed:
    case Fault::kPowerLost:
      CrashAll(fault == Fault::kPowerLost);
      world_->events.After(random->Between(kSecond, 20 * kSecond), [this] { Populate(); });
      return true;
    case Fault::kLockStolen: {
      const bool stolen = world_->locks.StealFor(random->Below(3 * kSecond));
      if (stolen) world_->Say("A script steals the leader's lock");
      return stolen;
    }
    default:
      return false;
  }
}

void Storms::CrashAll(bool power) {
  world_->Say(power ? "The power fails" : "The browser crashes");
  for (Tab* tab : world_->Alive()) tab->Crash();
  world_->database.BrowserGone(power);
}

bool Storms::StrikeClocks(Fault fault) {
  Random* random = world_->faults.random(fault);
  Tab* tab = Victim(fault, /*running=*/false);
  if (tab == nullptr) return false;
  switch (fault) {
    case Fault::kClockForward:
    case Fault::kClockBack: {
      auto ms = static_cast<int64_t>(Magnitude(random, 10, 10 * kYear));
      if (fault == Fault::kClockBack) ms = -ms;
      // A machine has one clock; pages see it change at different times, or on different machines.
      const bool all = random->Chance(500);
      const std::string by = "set by " + std::to_string(ms) + " ms";
      if (all) {
        world_->Say("The clock of the machine is " + by);
        for (Tab* every : world_->Alive()) every->clock.Jump(ms);
      } else {
        tab->Say("has its clock " + by);
        tab->clock.Jump(ms);
      }
      return true;
    }
    case Fault::kClockDrift: {
      const int64_t drift = static_cast<int64_t>(random->Below(1001)) - 500;
      tab->Say("has a clock that runs wrong by " + std::to_string(drift) + " in a thousand");
      tab->clock.Drift(drift, world_->events.now_ms());
      return true;
    }
    case Fault::kSystemSleep: {
      // Timers stand still while the wall clocks go on (HAZARDS H7).
      const uint64_t ms = Magnitude(random, kSecond, 12 * kHour);
      world_->Say("The system sleeps for " + std::to_string(ms) + " ms");
      for (Tab* every : world_->Alive()) every->clock.Jump(static_cast<int64_t>(ms));
      return true;
    }
    default:
      return false;
  }
}

bool Storms::StrikeStorage(Fault fault) {
  Random* random = world_->faults.random(fault);
  Database* database = &world_->database;
  switch (fault) {
    case Fault::kStorageSlow:
      world_->Say("Storage stalls");
      database->Stall(Span(random, 100, 8 * kSecond));
      return true;
    case Fault::kConnectionLost: {
      Tab* tab = Victim(fault, /*running=*/false);
      return tab != nullptr && database->LoseConnection(tab);
    }
    case Fault::kQuotaFull:
      world_->Say("The disk is full");
      database->FillUntil(world_->events.now_ms() + Span(random, 100, 2 * kMinute));
      return true;
    case Fault::kRecordFlipped: {
      const bool hit = database->FlipRecord(random);
      if (hit) world_->Say("A bit of a stored record flips");
      return hit;
    }
    case Fault::kCheckpointDamaged: {
      const bool hit = database->DamageCheckpoint(random);
      if (hit) world_->Say("A bit of a stored checkpoint flips");
      return hit;
    }
    case Fault::kDatabaseEvicted:
      world_->Say("The browser evicts the database");
      database->Evict();
      return true;
    default:
      return false;
  }
}

bool Storms::StrikeChannel(Fault fault) {
  Random* random = world_->faults.random(fault);
  Tab* tab = Victim(fault, /*running=*/false);
  if (tab == nullptr) return false;
  if (fault == Fault::kDeafTab) {
    tab->Say("is cut off from the channel");
    world_->channel.Deafen(tab, world_->events.now_ms() + Span(random, 200, 5 * kMinute));
    return true;
  }
  std::vector<InstanceId> ids;
  for (const Tab* alive : world_->Alive()) ids.push_back(alive->id());
  std::string frame;
  hostile_.EnterEra(tab->era());
  switch (fault) {
    case Fault::kHostileWrite:
    case Fault::kHostileClear:
      frame = hostile_.Write(random, tab->id(), HlcFromMs(tab->Now()), fault == Fault::kHostileClear);
      break;
    case Fault::kHostileStamp:
    case Fault::kHostileLastStamp:
      frame = hostile_.Stamp(random, tab->id(), fault == Fault::kHostileLastStamp);
      break;
    case Fault::kHostileClaim:
      frame = hostile_.Claim(tab->id(), ids[random->Below(ids.size())]);
      break;
    case Fault::kHostileVector:
      frame = hostile_.Vector(random, ids);
      break;
    case Fault::kHostilePresence:
      frame = hostile_.Presence(random, ids, tab->replica()->election().term());
      break;
    case Fault::kHostileTerm:
      frame = hostile_.Presence(random, ids, UINT64_MAX - random->Below(40));
      break;
    case Fault::kHostileMessage:
      frame = hostile_.Message(random, ids);
      break;
    default:
      return false;
  }
  world_->Say(std::string("A script forges a message: ") + FaultName(fault));
  world_->convergence.Excuse();
  world_->clocks.Forged(hostile_.largest());
  world_->memory.Forged(frame.size());
  world_->channel.Inject(random->Chance(500) ? tab : nullptr, frame);
  return true;
}

}  // namespace tabmesh::sim
