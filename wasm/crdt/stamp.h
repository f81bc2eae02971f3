// Who wrote what, when, and in which order: instance ids, dots and stamps.
#ifndef TABMESH_CRDT_STAMP_H_
#define TABMESH_CRDT_STAMP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "crdt/hlc.h"

namespace tabmesh {

/// 128 random bits of one page load, never stored, never reused.
struct InstanceId {
  static constexpr size_t kBytes = 16;
  std::array<uint8_t, kBytes> bytes{};

  /// Missing bytes are zero.
  static InstanceId From(std::string_view bytes) {
    InstanceId id;
    if (bytes.empty()) return id;
    std::memcpy(id.bytes.data(), bytes.data(), bytes.size() < kBytes ? bytes.size() : kBytes);
    return id;
  }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), kBytes}; }
  uint64_t Hash() const { return HashBytes(view(), 0); }
  bool IsZero() const { return *this == InstanceId{}; }
  friend bool operator==(const InstanceId&, const InstanceId&) = default;
  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;
};

/// Names one write. As a dot, (instance, seq), it says what has arrived; as a stamp, (hlc, instance),
/// who wins. Each dot has exactly one stamp. `instance` is an index into the replica's VersionVector.
struct WriteId {
  HlcTime hlc = 0;
  uint32_t instance = 0;
  uint32_t seq = 0;  // from 1; 0 for the initial state, which nobody has written
};

/// Whether two stamps are one.
inline bool SameWrite(const WriteId& a, const WriteId& b) {
  return a.hlc == b.hlc && a.instance == b.instance;
}

}  // namespace tabmesh

#endif  // TABMESH_CRDT_STAMP_H_
