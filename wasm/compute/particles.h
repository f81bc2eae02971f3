// Points that move under forces in a box. Six runs of `stride` floats: x, y, z, then the velocities along
// them.
#ifndef TABMESH_COMPUTE_PARTICLES_H_
#define TABMESH_COMPUTE_PARTICLES_H_

#include <cstddef>
#include <cstdint>

namespace tabmesh::compute {

inline constexpr size_t kAxes = 3;
inline constexpr size_t kAttractorsMax = 8;

/// All in units of the caller's; the glue writes it as an array of 32-bit words.
struct ParticleForces {
  float dt;              // seconds of one step
  float drag;            // of the velocity a second
  float bounce;          // what is left of the velocity at a wall, from 0 to 1
  float softening;       // of the attractors: nothing is nearer to one than this
  float gravity[kAxes];  // acceleration
  float half[kAxes];     // the box goes from -half to half
  uint32_t attractors;   // how many
  struct {
    float place[kAxes];
    float strength;  // negative: pushes away
  } attractor[kAttractorsMax];
};

/// One step by the semi-implicit Euler method (Hairer, Lubich, Wanner, "Geometric Numerical Integration",
/// I.1.2), drag implicit, so that no drag is too large. `stride` is a multiple of four, and all of it is
/// moved. Who leaves the box is mirrored at its wall. O(stride * attractors).
void StepParticles(float* block, size_t stride, const ParticleForces& forces);

/// Places all at random in the box, with velocities of at most `speed` along each axis; the same for the same
/// seed.
void ScatterParticles(float* block, size_t stride, const ParticleForces& forces, float speed, uint32_t seed);

/// The first `count` positions as x, y, z of 16 bits each: 0 is -half, 65,535 is half.
void PackPositions(const float* block, size_t stride, size_t count, const ParticleForces& forces,
                   uint16_t* to);

}  // namespace tabmesh::compute

#endif  // TABMESH_COMPUTE_PARTICLES_H_
