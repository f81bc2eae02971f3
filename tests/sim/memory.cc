#include "memory.h"

#include <cstdlib>

#include "base/memory.h"

namespace tabmesh {

namespace {

constexpr uint64_t kNever = UINT64_MAX;
thread_local uint64_t left = kNever;  // allocations that succeed
thread_local bool failed = false;

bool RunsOut() {
  if (left == kNever) return false;
  if (left > 0) return --left, false;
  return failed = true;
}

}  // namespace

void* Allocate(size_t bytes) { return RunsOut() ? nullptr : std::malloc(bytes); }

void* Reallocate(void* place, size_t bytes) { return RunsOut() ? nullptr : std::realloc(place, bytes); }

namespace sim {

namespace {
constexpr uint64_t kSucceedMax = 12;
}  // namespace

Shortage::Shortage(Faults* faults) : faults_(faults) {
  failed = false;
  if (faults->Draws(Fault::kAllocationFailed))
    left = faults->random(Fault::kAllocationFailed)->Below(kSucceedMax);
}

Shortage::~Shortage() {
  left = kNever;
  if (failed) faults_->Count(Fault::kAllocationFailed);
}

bool Shortage::struck() const { return failed; }

}  // namespace sim

}  // namespace tabmesh
