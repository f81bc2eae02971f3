// Replica: where its era ends. All that an era knows is dead in the next one: who takes part in it begins
// anew, under a new identity, from the compacted state; what it had written and the state does not have it
// writes again.
#include "crdt/compact.h"
#include "replica/replica.h"
#include "wire/delta.h"

namespace tabmesh {

namespace {

// Eras this far apart are another store's namespace.
constexpr int64_t kErasApartMax = 1 << 16;

// Who has written what an era begins with. Not random: no page has it.
InstanceId AuthorOf(uint32_t era) {
  InstanceId id = InstanceId::From("tabmesh era");
  for (size_t i = 0; i < 4; ++i)
    id.bytes[InstanceId::kBytes - 4 + i] = static_cast<uint8_t>(era >> (24 - 8 * i));
  return id;
}

}  // namespace

bool Replica::CompactionDue() const {
  const size_t dead = document_.tree().node_count() - document_.shown_count();
  return vector_.size() > options_.era_instances_max ||
         dead > options_.era_dead_min + document_.shown_count() / 8;
}

Status Replica::EnterEra(uint32_t era, uint64_t now_ms) {
  if (era == options_.era) return Status::kOk;
  if (!anti_entropy_.hydrating() || vector_.size() > 1) return Status::kNotReady;
  Begin(now_ms);
  options_.era = era;
  namespace_ = NamespaceOf(options_.name, era);
  writer_ = FrameWriter(namespace_);
  unanswered_.clear();
  SendPresence(/*leaves=*/false, /*asks=*/true);
  EndCall(/*local=*/false);
  return Status::kOk;
}

Status Replica::EncodeNextEra(Buffer* state, Buffer* end) const {
  if (!early_.empty()) return Status::kNotReady;
  CallArena arena;
  OpList ops;
  std::vector<std::string_view> keys;
  VersionVector vector;
  const uint32_t next = options_.era + 1;
  const InstanceId author = AuthorOf(next);
  if (const Status status = Compact(document_, vector_, author, &vector, &arena, &ops, &keys);
      status != Status::kOk) {
    return status;
  }
  const size_t state_start = state->size();
  FrameWriter(NamespaceOf(options_.name, next)).Begin(FrameKind::kDelta, state);
  EncodeDeltaHead({author, {}, 0}, state);
  EncodeOpSet(vector, ops, state);
  FrameWriter::End(state_start, state);
  const size_t end_start = end->size();
  writer_.Begin(FrameKind::kHello, end);
  EncodeHello(options_.instance, {}, /*asks=*/false, document_.digest(), vector_, end);
  FrameWriter::End(end_start, end);
  return state->failed() || end->failed() ? Status::kOutOfMemory : Status::kOk;
}

Status Replica::SeqAtEnd(std::string_view end, uint32_t* seq) const {
  Frame frame;
  Hello hello;
  if (const Status status = OpenFrame(end, namespace_, &frame); status != Status::kOk) return status;
  if (frame.kind != FrameKind::kHello) return Status::kMalformedFrame;
  if (const Status status = DecodeHello(frame, &hello); status != Status::kOk) return status;
  *seq = 0;
  for (const OpSet::Entry& entry : hello.vector) {
    if (entry.instance == options_.instance) *seq = entry.seq;
  }
  return Status::kOk;
}

// Who is behind learns of it by any frame of ours.
void Replica::NoticeEra(uint32_t name_space, uint64_t now_ms) {
  const int64_t ahead = static_cast<int32_t>(name_space - namespace_);
  if (ahead > 0 && ahead <= kErasApartMax) {
    Actions::Event(&actions_, "later-era");
  } else if (ahead < 0 && ahead >= -kErasApartMax && anti_entropy_.EraAnswerDue(now_ms)) {
    SendPresence(/*leaves=*/false, /*asks=*/false);
  }
}

}  // namespace tabmesh
