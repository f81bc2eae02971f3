#include "memory.h"

#include <cstdlib>

#include "base/memory.h"

namespace tabmesh {

namespace {

thread_local uint64_t left = sim::Scarcity::kPlenty;  // allocations that succeed
thread_local bool failed = false;

bool RunsOut() {
  if (left == sim::Scarcity::kPlenty) return false;
  if (left > 0) return --left, false;
  return failed = true;
}

}  // namespace

void* Allocate(size_t bytes) { return RunsOut() ? nullptr : std::malloc(bytes); }

void* Reallocate(void* place, size_t bytes) { return RunsOut() ? nullptr : std::realloc(place, bytes); }

namespace sim {

namespace {

constexpr uint64_t kSucceedMax = 12;

uint64_t Drawn(Faults* faults) {
  if (!faults->Draws(Fault::kAllocationFailed)) return Scarcity::kPlenty;
  return faults->random(Fault::kAllocationFailed)->Below(kSucceedMax);
}

}  // namespace

Scarcity::Scarcity(uint64_t succeed) {
  left = succeed;
  failed = false;
}

Scarcity::~Scarcity() { End(); }

void Scarcity::End() { left = kPlenty; }

bool Scarcity::struck() const { return failed; }

Shortage::Shortage(Faults* faults) : faults_(faults), scarcity_(Drawn(faults)) {}

Shortage::~Shortage() {
  if (struck()) faults_->Count(Fault::kAllocationFailed);
}

}  // namespace sim

}  // namespace tabmesh
