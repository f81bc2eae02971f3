#include "wire/messages.h"

#include "base/limits.h"

namespace tabmesh {

namespace {

// Bits of a presence's flags byte.
constexpr uint8_t kVisible = 1;
constexpr uint8_t kLeads = 2;
constexpr uint8_t kLeaves = 4;
constexpr uint8_t kAsks = 8;
constexpr uint8_t kStoresNothing = 16;

InstanceId ReadId(Reader* reader) { return InstanceId::From(reader->Take(InstanceId::kBytes)); }

uint32_t ReadSeq(Reader* reader) {
  const uint64_t seq = reader->Varint();
  if (seq > UINT32_MAX) reader->Fail();
  return static_cast<uint32_t>(seq);
}

}  // namespace

void EncodeHello(const InstanceId& from, const InstanceId& to, bool asks, uint64_t digest,
                 const VersionVector& vector, Buffer* out) {
  out->Append(from.view());
  out->Append(to.view());
  out->AppendByte(asks ? 1 : 0);
  out->AppendFixed64(digest);
  EncodeVector(vector, out);
}

Status DecodeHello(const Frame& frame, Hello* hello) {
  Reader reader(frame.body);
  hello->from = ReadId(&reader);
  hello->to = ReadId(&reader);
  hello->asks = (reader.Byte() & 1) != 0;
  hello->digest = reader.Fixed64();
  if (const Status status = DecodeVector(&reader, &hello->vector); status != Status::kOk) return status;
  return EndOfBody(frame, reader);
}

void EncodeDeltaHead(const DeltaHead& head, Buffer* out) {
  out->Append(head.from.view());
  out->Append(head.to.view());
  out->AppendFixed64(head.digest);
}

Status DecodeDeltaHead(Reader* reader, DeltaHead* head) {
  head->from = ReadId(reader);
  head->to = ReadId(reader);
  head->digest = reader->Fixed64();
  return reader->ok() ? Status::kOk : Status::kMalformedFrame;
}

void EncodePresence(const Presence& presence, Buffer* out) {
  out->Append(presence.from.view());
  out->AppendByte(static_cast<uint8_t>((presence.visible ? kVisible : 0) | (presence.leads ? kLeads : 0) |
                                       (presence.leaves ? kLeaves : 0) | (presence.asks ? kAsks : 0) |
                                       (presence.stores_nothing ? kStoresNothing : 0)));
  out->AppendVarint(presence.term);
  out->AppendVarint(presence.connected_at_ms);
  out->AppendSized(presence.label);
}

Status DecodePresence(const Frame& frame, Presence* presence) {
  Reader reader(frame.body);
  presence->from = ReadId(&reader);
  const uint8_t flags = reader.Byte();
  presence->visible = (flags & kVisible) != 0;
  presence->leads = (flags & kLeads) != 0;
  presence->leaves = (flags & kLeaves) != 0;
  presence->asks = (flags & kAsks) != 0;
  presence->stores_nothing = (flags & kStoresNothing) != 0;
  presence->term = reader.Varint();
  if (presence->term > kTermMax) return Status::kMalformedFrame;
  presence->connected_at_ms = reader.Varint();
  presence->label = reader.Sized(kLabelBytesMax);
  return EndOfBody(frame, reader);
}

void EncodePosition(const Position& position, Buffer* out) {
  out->Append(position.from.view());
  out->AppendVarint(position.seq);
  out->AppendByte(position.asks ? 1 : 0);
}

Status DecodePosition(const Frame& frame, Position* position) {
  Reader reader(frame.body);
  position->from = ReadId(&reader);
  position->seq = ReadSeq(&reader);
  position->asks = (reader.Byte() & 1) != 0;
  return EndOfBody(frame, reader);
}

void EncodeAck(const Ack& ack, Buffer* out) {
  out->Append(ack.from.view());
  out->Append(ack.to.view());
  out->AppendVarint(ack.seq);
}

void EncodeNote(const Note& note, Buffer* out) {
  out->Append(note.from.view());
  out->Append(note.to.view());
  out->AppendSized(note.value);
}

Status DecodeAck(const Frame& frame, Ack* ack) {
  Reader reader(frame.body);
  ack->from = ReadId(&reader);
  ack->to = ReadId(&reader);
  ack->seq = ReadSeq(&reader);
  return EndOfBody(frame, reader);
}

Status DecodeNote(const Frame& frame, Note* note) {
  Reader reader(frame.body);
  note->from = ReadId(&reader);
  note->to = ReadId(&reader);
  note->value = reader.Sized(kNoteBytesMax);
  return EndOfBody(frame, reader);
}

Status DecodeEraEnd(const Frame& frame, SentVector* kept) {
  Reader reader(frame.body);
  if (const Status status = DecodeVector(&reader, kept); status != Status::kOk) return status;
  return EndOfBody(frame, reader);
}

}  // namespace tabmesh
