// The envelope of everything that is sent or stored. Grammar: WIRE_FORMAT.md.
#ifndef TABMESH_WIRE_FRAME_H_
#define TABMESH_WIRE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tabmesh {

inline constexpr uint8_t kWireMajor = 1;
inline constexpr uint8_t kWireMinor = 0;

enum class FrameKind : uint8_t {
  kOps = 1,       // one write of one instance: sent, and a journal record
  kHello = 2,     // "this is what I have"
  kDelta = 3,     // "this is what you lack": sent, and a checkpoint
  kPresence = 4,  // "I am here", or "I am leaving"
  kPosition = 5,  // "my newest write has this number"
  kAck = 6,       // "I have your writes up to this number"
  kFragment = 7,  // a piece of a longer message
  kDestroy = 8,   // "the store was erased: forget it"
  kEnd = 9,       // which writes of its era the next one has: only stored
  kNote = 10,     // what the glue of one tab tells that of another
};

inline constexpr size_t kFrameHeadBytes = 8;
inline constexpr size_t kFrameCheckBytes = 4;
static_assert(kFrameHeadBytes == 2 + 1 + 1 + 4, "magic, version, kind, namespace");

/// The number that stands for a store and its era in its frames.
uint32_t NamespaceOf(std::string_view name, uint32_t era = 0);

/// Writes frames of one namespace: Begin, append the body, End.
class FrameWriter {
 public:
  explicit FrameWriter(uint32_t name_space) : name_space_(name_space) {}
  void Begin(FrameKind kind, Buffer* out) const;
  /// Seals the frame that began at `start` in `out`.
  static void End(size_t start, Buffer* out);

 private:
  uint32_t name_space_;
};

/// An opened frame; `body` points into the bytes it was read from.
struct Frame {
  // Also of a foreign frame:
  FrameKind kind = FrameKind::kOps;
  uint32_t name_space = 0;
  /// Written by a newer minor version: the body may go on after what we know.
  bool newer_minor = false;
  std::string_view body;
};

/// kForeignFrame, kUnsupportedVersion, kChecksumMismatch, kMalformedFrame, kFrameTooLarge.
Status OpenFrame(std::string_view bytes, uint32_t name_space, Frame* frame);

/// The end of a body: nothing may be left, except by a newer minor version.
Status EndOfBody(const Frame& frame, const Reader& reader);

}  // namespace tabmesh

#endif  // TABMESH_WIRE_FRAME_H_
