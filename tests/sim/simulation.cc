#include "simulation.h"

#include <string>
#include <vector>

#include "base/hash.h"
#include "storms.h"
#include "world.h"

namespace tabmesh::sim {

namespace {

// Everybody gossips every 30 s, and asks four times before giving up; that, after a leader that was stopped
// runs again.
constexpr uint64_t kQuietMs = 150000;
constexpr uint64_t kReopenMs = 15000;
// More than ten times what a run needs: somebody goes round in circles.
constexpr uint64_t kEventsMax = 20000000;

void RunUntil(World* world, uint64_t until_ms) {
  while (world->verdict.good() && world->events.RunNext(until_ms)) {
    if (world->events.done() > kEventsMax) world->Check("somebody goes round in circles");
  }
}

// Everybody leaves; who opens the store then has the disk alone.
void Reopen(World* world) {
  world->Say("All tabs are closed, and one is opened");
  for (Tab* tab : world->Alive()) tab->Close();
  RunUntil(world, world->events.now_ms() + kReopenMs);
  if (world->verdict.good()) world->OpenTab(/*plain=*/true);
  RunUntil(world, world->events.now_ms() + kReopenMs);
}

}  // namespace

Outcome Simulate(uint64_t seed, const Settings& settings) {
  World world(seed, settings);
  Storms storms(&world, seed);
  storms.Begin();
  RunUntil(&world, settings.ticks * 1000);
  if (world.verdict.good()) storms.Calm();
  RunUntil(&world, settings.ticks * 1000 + kQuietMs);
  if (world.verdict.good()) world.CheckSettled();
  uint64_t digest = seed;
  if (world.verdict.good()) {
    const Replica& replica = *world.Alive().front()->replica();
    Buffer state;
    replica.PrintState(&state);
    digest = Mix(replica.digest() ^ HashBytes(state.view(), world.events.done()));
    Reopen(&world);
  }
  if (world.verdict.good()) world.CheckSettled();

  Outcome outcome;
  outcome.violation = world.verdict.what();
  outcome.violation_at_ms = world.verdict.at_ms();
  outcome.tab_ms = world.TabMs();
  outcome.writes = storms.acts();
  outcome.durable_writes = world.durability.durable_writes();
  outcome.page_loads = world.tabs.size();
  outcome.eras = world.eras;
  outcome.transactions = world.transactions.count();
  outcome.events = world.events.done();
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    outcome.faults[kind] = world.faults.count(static_cast<Fault>(kind));
    digest = Mix(digest ^ outcome.faults[kind]);
  }
  outcome.digest = Mix(digest ^ outcome.tab_ms);
  outcome.transcript = world.transcript.Text();
  return outcome;
}

}  // namespace tabmesh::sim
