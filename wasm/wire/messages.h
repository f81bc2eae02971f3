// The small messages between tabs.
#ifndef TABMESH_WIRE_MESSAGES_H_
#define TABMESH_WIRE_MESSAGES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "crdt/stamp.h"
#include "crdt/version_vector.h"
#include "wire/frame.h"
#include "wire/ops_codec.h"

namespace tabmesh {

/// "This is what I have." To one instance, or to all where `to` is zero.
struct Hello {
  InstanceId from;
  InstanceId to;
  /// The sender waits for a kDelta, be it empty.
  bool asks = false;
  uint64_t digest = 0;
  SentVector vector;
};

/// The head of a kDelta frame; an OpSet follows.
struct DeltaHead {
  InstanceId from;
  InstanceId to;  // zero: for everybody, as a checkpoint is
  uint64_t digest = 0;
};

struct Presence {
  InstanceId from;
  bool visible = false;
  bool leads = false;
  bool leaves = false;
  /// The sender is new and wants everybody's presence.
  bool asks = false;
  /// What the sender writes reaches no journal by itself.
  bool stores_nothing = false;
  uint64_t term = 0;  // the highest the sender knows; its own when `leads`
  uint64_t connected_at_ms = 0;
  std::string_view label;  // points into the bytes read
};

/// "My newest write has this number", to all.
struct Position {
  InstanceId from;
  uint32_t seq = 0;
  /// The sender waits for a kAck.
  bool asks = false;
};

/// "I have your writes up to this number."
struct Ack {
  InstanceId from;
  InstanceId to;
  uint32_t seq = 0;
};

/// What the core only carries. Nobody answers for its arrival.
struct Note {
  InstanceId from;
  InstanceId to;           // zero: to all
  std::string_view value;  // one JSON value of at most kNoteBytesMax; points into the bytes read
};

void EncodeHello(const InstanceId& from, const InstanceId& to, bool asks, uint64_t digest,
                 const VersionVector& vector, Buffer* out);
void EncodeDeltaHead(const DeltaHead& head, Buffer* out);
void EncodePresence(const Presence& presence, Buffer* out);
void EncodePosition(const Position& position, Buffer* out);
void EncodeAck(const Ack& ack, Buffer* out);
void EncodeNote(const Note& note, Buffer* out);

/// Each reads a whole body, but DecodeDeltaHead only the head. kMalformedFrame.
Status DecodeHello(const Frame& frame, Hello* hello);
Status DecodeDeltaHead(Reader* reader, DeltaHead* head);
Status DecodePresence(const Frame& frame, Presence* presence);
Status DecodePosition(const Frame& frame, Position* position);
Status DecodeAck(const Frame& frame, Ack* ack);
/// Whether the value is one is left to the caller.
Status DecodeNote(const Frame& frame, Note* note);
/// Which writes of an era are in what the next one began with.
Status DecodeEraEnd(const Frame& frame, SentVector* kept);

}  // namespace tabmesh

#endif  // TABMESH_WIRE_MESSAGES_H_
