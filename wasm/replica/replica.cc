// The straight line of a write, own or foreign. Questions and answers: replica_exchange.cc; who is here and
// who leads: replica_presence.cc.
#include "replica/replica.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "crdt/diff.h"
#include "journal/checkpoint.h"
#include "wire/delta.h"

namespace tabmesh {

Replica::Replica(ReplicaOptions options)
    : options_(std::move(options)),
      document_(&vector_),
      writer_(NamespaceOf(options_.name)),
      visible_(options_.visible) {
  (void)vector_.Intern(options_.instance, &self_);  // the first of an empty vector
}

// ---- start -------------------------------------------------------------------------------------

Status Replica::Open(std::string_view initial_state, uint64_t now_ms) {
  Begin(now_ms);
  const Status status = OpenInitial(initial_state);
  arena_.Reset();
  if (status != Status::kOk) return status;
  document_.EndChanges(nullptr);
  SendPresence(/*leaves=*/false, /*asks=*/true);
  if (options_.may_lead) election_.Start(&actions_);
  EndCall(/*local=*/false);
  return Status::kOk;
}

// The initial state is written by nobody at time zero: it loses to every write and is never sent.
Status Replica::OpenInitial(std::string_view initial_state) {
  JsonValue* state = nullptr;
  if (const Status status = parser_.ParseObject(initial_state, &arena_, &state); status != Status::kOk) {
    return status;
  }
  OpList ops;
  for (JsonValue* member = state->first_member; member != nullptr; member = member->next_member) {
    Edit edit;
    edit.path = {&member->key, 1};
    edit.value = member;
    const auto named = options_.strategies.find(member->key);
    const Strategy strategy = named == options_.strategies.end() ? options_.default_strategy : named->second;
    if (const Status status = Diff(document_, edit, strategy, &arena_, &ops); status != Status::kOk) {
      return status;
    }
  }
  if (const Status status = document_.Prepare(&ops); status != Status::kOk) return status;
  document_.Commit(ops);
  return Status::kOk;
}

Status Replica::Restore(std::string_view record, uint64_t now_ms) {
  Begin(now_ms);
  const Status status = RestoreInOrder(record, /*over_gaps=*/false);
  arena_.Reset();
  if (status != Status::kOk) Dropped(status);
  return status;  // readers are told at Restored, all at once
}

Status Replica::RestoreInOrder(std::string_view record, bool over_gaps) {
  Frame frame;
  if (const Status status = OpenFrame(record, NamespaceOf(options_.name), &frame); status != Status::kOk) {
    return status;
  }
  if (!IsStored(frame.kind)) return Status::kMalformedFrame;
  if (frame.kind == FrameKind::kDelta) {
    Reader reader(frame.body);
    DeltaHead head;
    OpSet set;
    if (const Status status = DecodeDeltaHead(&reader, &head); status != Status::kOk) return status;
    if (const Status status = DecodeOpSet(&reader, &arena_, &set); status != Status::kOk) return status;
    if (const Status status = EndOfBody(frame, reader); status != Status::kOk) return status;
    return MergeOpSet(&set);
  }
  Batch batch;
  if (const Status status = DecodeOwnOrForeignBatch(frame, &batch); status != Status::kOk) return status;
  const uint32_t seq = vector_.SeqOf(batch.instance);
  if (batch.seq <= seq) return Status::kOk;
  if (batch.seq > seq + 1 && !over_gaps) {
    out_of_order_.emplace_back().Append(record);
    return Status::kOk;
  }
  uint32_t instance = 0;
  if (const Status status = ValidateValues(batch.ops); status != Status::kOk) return status;
  if (const Status status = vector_.Intern(batch.instance, &instance); status != Status::kOk) return status;
  return MergeBatch(&batch, instance);
}

void Replica::Restored(bool alone, uint64_t now_ms) {
  Begin(now_ms);
  // What the journal lacks before these was never durable; what others still have of it, the digests
  // will bring.
  std::vector<Buffer> records;
  records.swap(out_of_order_);
  for (const Buffer& record : records) {
    const Status status = RestoreInOrder(record.view(), /*over_gaps=*/true);
    arena_.Reset();
    if (status != Status::kOk) Dropped(status);
  }
  for (const Hello& hello : unanswered_) SendDelta(hello.from, hello.vector);
  unanswered_.clear();
  if (!anti_entropy_.joined()) Join(alone, now_ms);
  EndCall(/*local=*/false);
}

void Replica::Join(bool alone, uint64_t now_ms) {
  anti_entropy_.BeginJoin(alone, now_ms);
  if (anti_entropy_.joined()) {
    BecomeReady();
  } else if (!census_.peers().empty()) {
    Pull(Respondent(), now_ms);
  }
}

void Replica::Begin(uint64_t now_ms) { anti_entropy_.Now(now_ms); }

void Replica::BecomeReady() {
  anti_entropy_.FinishJoin();
  Actions::Event(&actions_, "ready");
}

// ---- a local write: parse, diff, stamp, merge, encode -----------------------------------------------

Status Replica::LocalSet(std::string_view edits, uint64_t now_ms, uint32_t* seq) {
  Begin(now_ms);
  *seq = this->seq();
  if (!ready()) return Status::kNotReady;
  OpList ops;
  const auto diff = [&] {
    Edit* edit = nullptr;
    if (const Status status = parser_.ParseEdits(edits, &arena_, &edit); status != Status::kOk) return status;
    for (; edit != nullptr; edit = edit->next) {
      const auto named = options_.strategies.find(edit->path.keys[0]);
      const Strategy strategy =
          named == options_.strategies.end() ? options_.default_strategy : named->second;
      if (const Status status = Diff(document_, *edit, strategy, &arena_, &ops); status != Status::kOk) {
        return status;
      }
    }
    if (ops.empty()) return Status::kOk;
    if (*seq == UINT32_MAX) return Status::kSequenceExhausted;
    return document_.Prepare(&ops);
  };
  const Status status = diff();
  if (status == Status::kOk && !ops.empty()) {
    const WriteId id{clock_.Tick(now_ms), self_, ++*seq};
    for (Op& op : ops) op.id = id;
    document_.Commit(ops);
    vector_.Advance(self_, id.seq);
    Buffer frame;
    writer_.Begin(FrameKind::kOps, &frame);
    EncodeBatch(options_.instance, id, ops, &frame);
    FrameWriter::End(0, &frame);
    actions_.records.emplace_back().Append(frame.view());
    Send(std::move(frame));
    anti_entropy_.Wrote(now_ms);
    ++counters_.writes;
  }
  arena_.Reset();
  EndCall(/*local=*/true);
  return status;
}

// ---- a foreign write: open, decode, validate, observe, merge -----------------------------------------

void Replica::Receive(std::string_view bytes, uint64_t now_ms) {
  Begin(now_ms);
  ++counters_.frames_in;
  counters_.bytes_in += bytes.size();
  if (suspended_) return;  // Resume will ask for all of it
  const Status status = ReceiveFrame(bytes, now_ms);
  arena_.Reset();
  if (status != Status::kOk && status != Status::kForeignFrame) Dropped(status);
  EndCall(/*local=*/false);
}

Status Replica::ReceiveFrame(std::string_view bytes, uint64_t now_ms) {
  Frame frame;
  if (const Status status = OpenFrame(bytes, NamespaceOf(options_.name), &frame); status != Status::kOk) {
    return status;
  }
  switch (frame.kind) {
    case FrameKind::kOps:
      return ReceiveOps(frame, now_ms);
    case FrameKind::kHello:
      return ReceiveHello(frame, now_ms);
    case FrameKind::kDelta:
      return ReceiveDelta(frame, now_ms);
    case FrameKind::kPresence:
      return ReceivePresence(frame, now_ms);
    case FrameKind::kPosition:
      return ReceivePosition(frame, now_ms);
    case FrameKind::kAck:
      return ReceiveAck(frame);
    case FrameKind::kFragment:
      return ReceiveFragment(frame, now_ms);
    case FrameKind::kDestroy:
      Actions::Event(&actions_, "destroyed");
      return Status::kOk;
  }
  return frame.newer_minor ? Status::kOk : Status::kMalformedFrame;
}

Status Replica::DecodeOwnOrForeignBatch(const Frame& frame, Batch* batch) {
  Reader reader(frame.body);
  if (const Status status = DecodeBatch(&reader, &arena_, batch); status != Status::kOk) return status;
  return EndOfBody(frame, reader);
}

Status Replica::ReceiveOps(const Frame& frame, uint64_t now_ms) {
  Batch batch;
  if (const Status status = DecodeOwnOrForeignBatch(frame, &batch); status != Status::kOk) return status;
  census_.Seen(batch.instance, now_ms);
  const uint32_t seq = vector_.SeqOf(batch.instance);
  if (batch.instance == options_.instance && batch.seq > seq) {
    Actions::Event(&actions_, "identity-conflict");
    return Status::kIdentityConflict;
  }
  if (batch.seq <= seq) return Status::kOk;
  if (batch.seq > seq + 1) {
    ++counters_.gaps;
    anti_entropy_.Suspect(now_ms);
    Pull(batch.instance, now_ms);
    return Status::kOk;
  }
  uint32_t instance = 0;
  if (const Status status = ValidateValues(batch.ops); status != Status::kOk) return status;
  if (const Status status = vector_.Intern(batch.instance, &instance); status != Status::kOk) return status;
  if (const Status status = MergeBatch(&batch, instance); status != Status::kOk) return status;
  Actions::Event(&actions_, "remote").Id("from", batch.instance.view());
  return Status::kOk;
}

Status Replica::MergeBatch(Batch* batch, uint32_t instance) {
  for (Op& op : batch->ops) op.id = {batch->hlc, instance, batch->seq};
  if (const Status status = document_.Prepare(&batch->ops); status != Status::kOk) return status;
  clock_.Observe(batch->hlc);
  document_.Commit(batch->ops);
  vector_.Advance(instance, batch->seq);
  return Status::kOk;
}

Status Replica::MergeOpSet(OpSet* set) {
  if (const Status status = ValidateValues(set->ops); status != Status::kOk) return status;
  std::vector<uint32_t> indices(set->vector.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    if (const Status status = vector_.Intern(set->vector[i].instance, &indices[i]); status != Status::kOk) {
      return status;
    }
    if (indices[i] == self_ && set->vector[i].seq > seq()) {
      Actions::Event(&actions_, "identity-conflict");
      return Status::kIdentityConflict;
    }
  }
  for (Op& op : set->ops) op.id.instance = indices[op.id.instance];
  if (const Status status = document_.Prepare(&set->ops); status != Status::kOk) return status;
  for (const Op& op : set->ops) clock_.Observe(op.id.hlc);
  document_.Commit(set->ops);
  for (size_t i = 0; i < indices.size(); ++i) vector_.Advance(indices[i], set->vector[i].seq);
  return Status::kOk;
}

Status Replica::ValidateValues(const OpList& ops) {
  std::vector<std::string_view> values;
  for (const Op& op : ops) {
    if (op.kind == OpKind::kLeaf) values.push_back(op.value);
  }
  if (values.empty()) return Status::kOk;
  return parser_.Validate(values.data(), values.size()) == Status::kOk ? Status::kOk
                                                                       : Status::kMalformedFrame;
}

// ---- time ----------------------------------------------------------------------------------------

void Replica::Tick(uint64_t now_ms) {
  Begin(now_ms);
  if (!suspended_) {
    switch (anti_entropy_.CheckQuestion(now_ms)) {
      case AntiEntropy::Patience::kWait:
        break;
      case AntiEntropy::Patience::kRepeat:
        SendHello({}, /*asks=*/true);
        break;
      case AntiEntropy::Patience::kGiveUp:
        if (anti_entropy_.joining()) BecomeReady();
    }
    if (anti_entropy_.PositionDue(now_ms)) SendPosition(/*asks=*/false);
    if (anti_entropy_.GossipDue(now_ms)) SendHello({}, /*asks=*/false);
  }
  EndCall(/*local=*/false);
}

// ---- the end of every call ---------------------------------------------------------------------------

void Replica::Dropped(Status status) {
  ++counters_.dropped;
  Actions::Event(&actions_, "dropped").Text("reason", StatusName(status));
}

// Readers of a joined replica are told at once, those of a joining one all at once when it is ready.
void Replica::EndCall(bool local) {
  if (ready()) document_.EndChanges(local ? nullptr : &actions_.changes);
  ReportLeader();
  actions_.wake_at_ms = suspended_ ? 0 : anti_entropy_.NextWake();
}

void Replica::EncodeCheckpoint(Buffer* out) const {
  tabmesh::EncodeCheckpoint(writer_, options_.instance, document_, vector_, out);
}

}  // namespace tabmesh
