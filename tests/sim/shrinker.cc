#include "shrinker.h"

namespace tabmesh::sim {

namespace {

bool Fails(uint64_t seed, const Settings& settings) { return !Simulate(seed, settings).violation.empty(); }

void ShrinkFaults(uint64_t seed, Settings* settings) {
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    if (!settings->faults[kind]) continue;
    Settings fewer = *settings;
    fewer.faults.reset(kind);
    if (Fails(seed, fewer)) *settings = fewer;
  }
}

void ShrinkTabs(uint64_t seed, Settings* settings) {
  for (uint64_t tabs = 1; tabs < settings->tabs; ++tabs) {
    Settings fewer = *settings;
    fewer.tabs = tabs;
    if (Fails(seed, fewer)) return void(*settings = fewer);
  }
}

// A shorter run is the same run up to its end: only the start of the quiet time moves.
void ShrinkTime(uint64_t seed, Settings* settings) {
  for (uint64_t step = settings->ticks / 2; step > 0; step /= 2) {
    while (settings->ticks > step) {
      Settings shorter = *settings;
      shorter.ticks -= step;
      if (!Fails(seed, shorter)) break;
      *settings = shorter;
    }
  }
}

}  // namespace

Settings Shrink(uint64_t seed, const Settings& failing) {
  Settings settings = failing;
  settings.transcript_lines = 0;
  // Kinds that were not drawn go first, for nothing.
  settings.faults &= Faults(seed, settings.faults).drawn();
  ShrinkTime(seed, &settings);
  ShrinkFaults(seed, &settings);
  ShrinkTabs(seed, &settings);
  ShrinkTime(seed, &settings);
  ShrinkFaults(seed, &settings);
  return settings;
}

}  // namespace tabmesh::sim
