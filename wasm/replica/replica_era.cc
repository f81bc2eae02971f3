// Replica: where its era ends. All that an era knows is dead in the next one: who takes part in it begins
// anew from the compacted state, and writes again what it had written and that state does not have.
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

Replica::Replica(const Replica& before, uint32_t era) : Replica(before.options_) {
  options_.era = era;
  namespace_ = NamespaceOf(options_.name, era);
  writer_ = FrameWriter(namespace_);
  continues_ = before.continues_ || before.seq() > 0;
  clock_ = before.clock_;
  census_ = before.census_;
  election_ = before.election_;
  suspicion_ = before.suspicion_;
  visible_ = before.visible_;
  suspended_ = before.suspended_;
  reported_strategies_ = before.reported_strategies_;
  reported_leader_ = before.reported_leader_;
  reported_term_ = before.reported_term_;
  counters_ = before.counters_;
}

bool Replica::CompactionDue() const {
  const size_t shown = document_.shown_count();
  const size_t dead = document_.tree().node_count() - shown;
  const size_t dead_max = options_.era_dead_min + shown / 8;
  // Whoever lives writes in the next one too.
  const size_t instances_max = options_.era_instances_max + census_.peers().size();
  if (vector_.size() <= instances_max && dead <= dead_max) return false;
  if (!options_.stores) return false;
  for (const Peer& peer : census_.peers()) {
    if (peer.stores_nothing) return false;
  }
  const Remains remains = RemainsOf(document_);
  return vector_.size() > instances_max + remains.instances || dead > dead_max + remains.hidden;
}

Status Replica::EncodeNextEra(Buffer* state, Buffer* end) const {
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
  writer_.Begin(FrameKind::kEnd, end);
  EncodeVector(vector_, end);
  FrameWriter::End(end_start, end);
  return state->failed() || end->failed() ? Status::kOutOfMemory : Status::kOk;
}

Status Replica::KeptAtEnd(std::string_view end, std::vector<uint32_t>* kept) const {
  Frame frame;
  SentVector vector;
  if (const Status status = OpenFrame(end, namespace_, &frame); status != Status::kOk) return status;
  if (frame.kind != FrameKind::kEnd) return Status::kMalformedFrame;
  if (const Status status = DecodeEraEnd(frame, &vector); status != Status::kOk) return status;
  kept->assign(1, 0);
  for (const SentVector::Entry& entry : vector.entries) {
    if (entry.instance == options_.instance) kept->front() = entry.seq;
  }
  for (const Hole& hole : vector.holes) {
    if (vector.entries[hole.instance].instance == options_.instance)
      kept->insert(kept->end(), {hole.first, hole.last});
  }
  return Status::kOk;
}

// Who is behind learns of it by any frame of ours. That the store was erased concerns all eras.
void Replica::NoticeEra(const Frame& frame, uint64_t now_ms) {
  const int64_t ahead = static_cast<int32_t>(frame.name_space - namespace_);
  if (ahead > kErasApartMax || ahead < -kErasApartMax) return;
  if (frame.kind == FrameKind::kDestroy) {
    Actions::Event(&actions_, "destroyed");
  } else if (ahead > 0) {
    Actions::Event(&actions_, "later-era").Number("era", options_.era + static_cast<uint64_t>(ahead));
  } else if (anti_entropy_.EraAnswerDue(now_ms)) {
    SendPresence(/*leaves=*/false, /*asks=*/false);
  }
}

}  // namespace tabmesh
