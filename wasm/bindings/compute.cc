// compute.wasm: a module of its own, for it needs SIMD, which the state must do without, and what fills its
// memory must not take any from the state. Plain exports, for nothing but numbers crosses;
// js-glue/compute/module.ts knows them.
#include <cstddef>
#include <cstdint>

#include "compute/block_pool.h"
#include "compute/particles.h"
#include "compute/statistics.h"

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

namespace compute = tabmesh::compute;

compute::BlockPool pool;
compute::ParticleForces forces;
compute::Statistics statistics;
uint32_t bins[compute::kBinsMax];

template <typename T>
void Measure(const void* block, size_t count) {
  statistics = compute::StatisticsOf(static_cast<const T*>(block), count);
}

template <typename T>
void Count(const void* block, size_t count, double from, double to, size_t bin_count) {
  compute::AddToHistogram(static_cast<const T*>(block), count, from, to, bins, bin_count);
}

// As js-glue/compute/module.ts numbers them.
enum Type { kFloat32, kFloat64, kInt32, kUint8 };

}  // namespace

EXPORT(take) void* Take(size_t bytes) { return pool.Take(bytes); }
EXPORT(give) int Give(void* block) { return pool.Give(block) ? 1 : 0; }
EXPORT(taken) size_t Taken() { return pool.taken(); }
EXPORT(takenBytes) size_t TakenBytes() { return pool.taken_bytes(); }
EXPORT(heldBytes) size_t HeldBytes() { return pool.held_bytes(); }

// Where the glue writes the forces, as 32-bit words in the order of ParticleForces.
EXPORT(forces) void* Forces() { return &forces; }
EXPORT(step) void Step(float* block, size_t stride) { compute::StepParticles(block, stride, forces); }
EXPORT(scatter) void Scatter(float* block, size_t stride, float speed, uint32_t seed) {
  compute::ScatterParticles(block, stride, forces, speed, seed);
}
EXPORT(packPositions) void PackPositions(const float* block, size_t stride, size_t count, uint16_t* to) {
  compute::PackPositions(block, stride, count, forces, to);
}

// The address of Statistics: four doubles.
EXPORT(statistics) void* StatisticsOf(const void* block, int type, size_t count) {
  if (type == kFloat32) Measure<float>(block, count);
  if (type == kFloat64) Measure<double>(block, count);
  if (type == kInt32) Measure<int32_t>(block, count);
  if (type == kUint8) Measure<uint8_t>(block, count);
  return &statistics;
}

// The address of `bin_count` numbers of 32 bits; at most kBinsMax.
EXPORT(histogram)
void* Histogram(const void* block, int type, size_t count, double from, double to, size_t bin_count) {
  for (uint32_t& bin : bins) bin = 0;
  if (type == kFloat32) Count<float>(block, count, from, to, bin_count);
  if (type == kFloat64) Count<double>(block, count, from, to, bin_count);
  if (type == kInt32) Count<int32_t>(block, count, from, to, bin_count);
  if (type == kUint8) Count<uint8_t>(block, count, from, to, bin_count);
  return bins;
}
