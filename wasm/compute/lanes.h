// Four numbers at a time, as one instruction where the machine has it: the vector extensions of Clang and
// GCC, which WebAssembly's SIMD and every desktop have instructions for. Lane by lane the same as without.
#ifndef TABMESH_COMPUTE_LANES_H_
#define TABMESH_COMPUTE_LANES_H_

#include <cmath>
#include <cstddef>
#include <cstring>

namespace tabmesh::compute {

inline constexpr size_t kLanes = 4;

using Float4 = float __attribute__((vector_size(16)));
using Mask4 = int __attribute__((vector_size(16)));

inline Float4 Load(const float* from) {
  Float4 lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void Store(Float4 lanes, float* to) { std::memcpy(to, &lanes, sizeof lanes); }

inline Float4 All(float value) { return Float4{value, value, value, value}; }

inline Float4 Select(Mask4 where, Float4 then, Float4 otherwise) { return where ? then : otherwise; }

inline Float4 Min(Float4 a, Float4 b) { return Select(b < a, b, a); }
inline Float4 Max(Float4 a, Float4 b) { return Select(a < b, b, a); }

inline Float4 Sqrt(Float4 x) {
  return Float4{__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
}

}  // namespace tabmesh::compute

#endif  // TABMESH_COMPUTE_LANES_H_
