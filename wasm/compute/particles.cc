#include "compute/particles.h"

#include "base/hash.h"
#include "compute/lanes.h"

namespace tabmesh::compute {

namespace {

// Along one axis: mirrored at the walls, and never beyond them however fast.
void Bounce(Float4* place, Float4* velocity, float half, float bounce) {
  const Float4 wall = All(half);
  const Mask4 above = *place > wall;
  const Mask4 below = *place < -wall;
  const Float4 mirrored = Select(above, wall + wall - *place, Select(below, -wall - wall - *place, *place));
  *place = Min(Max(mirrored, -wall), wall);
  *velocity = Select(above | below, *velocity * All(-bounce), *velocity);
}

}  // namespace

void StepParticles(float* block, size_t stride, const ParticleForces& forces) {
  float* const x = block;
  float* const y = block + stride;
  float* const z = block + 2 * stride;
  float* const vx = block + 3 * stride;
  float* const vy = block + 4 * stride;
  float* const vz = block + 5 * stride;
  const Float4 dt = All(forces.dt);
  const Float4 kept = All(1 / (1 + forces.drag * forces.dt));
  const Float4 soft = All(forces.softening * forces.softening);
  for (size_t i = 0; i < stride; i += kLanes) {
    Float4 px = Load(x + i), py = Load(y + i), pz = Load(z + i);
    Float4 ax = All(forces.gravity[0]), ay = All(forces.gravity[1]), az = All(forces.gravity[2]);
    for (uint32_t k = 0; k < forces.attractors; ++k) {
      const auto& attractor = forces.attractor[k];
      const Float4 dx = All(attractor.place[0]) - px;
      const Float4 dy = All(attractor.place[1]) - py;
      const Float4 dz = All(attractor.place[2]) - pz;
      const Float4 square = dx * dx + dy * dy + dz * dz + soft;
      const Float4 pull = All(attractor.strength) / (square * Sqrt(square));
      ax += dx * pull;
      ay += dy * pull;
      az += dz * pull;
    }
    Float4 ux = (Load(vx + i) + ax * dt) * kept;
    Float4 uy = (Load(vy + i) + ay * dt) * kept;
    Float4 uz = (Load(vz + i) + az * dt) * kept;
    px += ux * dt;
    py += uy * dt;
    pz += uz * dt;
    Bounce(&px, &ux, forces.half[0], forces.bounce);
    Bounce(&py, &uy, forces.half[1], forces.bounce);
    Bounce(&pz, &uz, forces.half[2], forces.bounce);
    Store(px, x + i);
    Store(py, y + i);
    Store(pz, z + i);
    Store(ux, vx + i);
    Store(uy, vy + i);
    Store(uz, vz + i);
  }
}

void ScatterParticles(float* block, size_t stride, const ParticleForces& forces, float speed, uint32_t seed) {
  for (size_t run = 0; run < 2 * kAxes; ++run) {
    const float most = run < kAxes ? forces.half[run] : speed;
    for (size_t i = 0; i < stride; ++i) {
      // 24 bits are what a float holds: from -1 to below 1.
      const uint64_t bits = Mix(uint64_t{seed} << 32 ^ (run * stride + i)) >> 40;
      block[run * stride + i] = (static_cast<float>(bits) / static_cast<float>(1 << 23) - 1) * most;
    }
  }
}

void PackPositions(const float* block, size_t stride, size_t count, const ParticleForces& forces,
                   uint16_t* to) {
  for (size_t axis = 0; axis < kAxes; ++axis) {
    const float* from = block + axis * stride;
    const float half = forces.half[axis];
    const float scale = half > 0 ? 65535 / (2 * half) : 0;
    for (size_t i = 0; i < count; ++i) {
      const float place = (from[i] + half) * scale + 0.5F;
      to[kAxes * i + axis] = place > 0 ? static_cast<uint16_t>(place < 65535 ? place : 65535) : 0;
    }
  }
}

}  // namespace tabmesh::compute
