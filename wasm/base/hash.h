// 64-bit hashing, the same on every platform: digests are compared between tabs and between
// native and WebAssembly builds. Not for adversaries.
#ifndef TABMESH_BASE_HASH_H_
#define TABMESH_BASE_HASH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tabmesh {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Hash of `bytes` that depends on `seed`; eight bytes a step.
constexpr uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  uint64_t hash = Mix(seed ^ bytes.size());
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    for (int b = 0; b < 8; ++b) {
      word |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i + static_cast<size_t>(b)])) << (8 * b);
    }
    hash = Mix(hash ^ word);
  }
  uint64_t tail = 0;
  for (int shift = 0; i < bytes.size(); ++i, shift += 8) {
    tail |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << shift;
  }
  return Mix(hash ^ tail);
}

}  // namespace tabmesh

#endif  // TABMESH_BASE_HASH_H_
