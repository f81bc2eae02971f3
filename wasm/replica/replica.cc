// The straight line of a write, own or foreign. Questions and answers: replica_exchange.cc; who is here and
// who leads: replica_presence.cc.
#include "replica/replica.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/plant.h"
#include "crdt/diff.h"
#include "journal/checkpoint.h"
#include "lz/pieces.h"
#include "wire/delta.h"

namespace tabmesh {

Replica::Replica(ReplicaOptions options)
    : options_(std::move(options)),
      document_(&vector_, &options_.lists),
      namespace_(NamespaceOf(options_.name, options_.era)),
      writer_(namespace_),
      suspicion_(options_.instance),
      visible_(options_.visible) {
  (void)vector_.Intern(options_.instance, &self_);  // the first of an empty vector
  parser_.UseLists(&options_.lists);
}

// ---- start -------------------------------------------------------------------------------------

Status Replica::Open(std::string_view initial_state, uint64_t now_ms) {
  Begin(now_ms);
  const Status status = OpenInitial(initial_state);
  arena_.Reset();
  if (status != Status::kOk) return status;
  document_.EndChanges(nullptr);
  if (!suspended_) {
    SendPresence(/*leaves=*/false, /*asks=*/true);
    if (options_.may_lead) election_.Start(&actions_);
  }
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
    // What nobody has written has nothing beside it.
    const bool whole = options_.StrategyOf(member->key) != Strategy::kMerge;
    const Strategy strategy = whole ? Strategy::kLastWriteWins : Strategy::kMerge;
    if (const Status status = Diff(document_, edit, strategy, self_, 0, &arena_, &ops);
        status != Status::kOk) {
      return status;
    }
  }
  if (const Status status = document_.Prepare(&ops); status != Status::kOk) return status;
  for (const Op& op : ops) {
    for (Node* node = op.node; node != nullptr; node = node->parent) node->initial = true;
  }
  document_.Commit(ops);
  return Status::kOk;
}

Status Replica::Restore(std::string_view record, uint64_t now_ms) {
  Begin(now_ms);
  Buffer unpacked;
  const bool is_packed = lz::IsPacked(record);
  Status status = is_packed ? lz::Unpack(record, &unpacked) : Status::kOk;
  if (status == Status::kOk) status = RestoreFrame(is_packed ? unpacked.view() : record);
  arena_.Reset();
  // Last words of an era that had ended are nobody's loss.
  if (status != Status::kOk && status != Status::kForeignFrame) Dropped(status);
  const bool no_room = status == Status::kOutOfMemory || status == Status::kStateTooLarge;
  actions_.incomplete |= no_room && !Planted("unread-record-skipped");
  return status;  // readers are told at Restored, all at once
}

// What was stored is taken as it comes. A number that is left out is asked for: its write has been stored
// later than this one, and not read yet, or somebody has it in memory.
Status Replica::RestoreFrame(std::string_view record) {
  Frame frame;
  if (const Status status = OpenFrame(record, namespace_, &frame); status != Status::kOk) {
    const bool other_era = status == Status::kForeignFrame && frame.name_space != 0;
    return status == Status::kForeignFrame && !other_era ? Status::kMalformedFrame : status;
  }
  if (!IsStored(frame.kind)) return Status::kMalformedFrame;
  if (frame.kind == FrameKind::kDelta) {
    Reader reader(frame.body);
    DeltaHead head;
    OpSet set;
    if (const Status status = DecodeDeltaHead(&reader, &head); status != Status::kOk) return status;
    if (const Status status = DecodeOpSet(&reader, &arena_, &set); status != Status::kOk) return status;
    if (const Status status = EndOfBody(frame, reader); status != Status::kOk) return status;
    return MergeOpSet(&set, kHolesMax);
  }
  Batch batch;
  if (const Status status = DecodeOwnOrForeignBatch(frame, &batch); status != Status::kOk) return status;
  if (vector_.Has(batch.instance(), batch.seq)) return Status::kOk;
  if (batch.seq > vector_.SeqOf(batch.instance()) + 1) skipped_ = batch.instance();
  return MergeBatch(&batch);
}

void Replica::Restored(bool alone, uint64_t now_ms) {
  Begin(now_ms);
  for (const Hello& hello : unanswered_) SendDelta(hello.from, hello.vector);
  unanswered_.clear();
  if (!anti_entropy_.joined()) {
    Join(alone, now_ms);
  } else {
    AskForSkipped(now_ms);
  }
  EndCall(/*local=*/false);
}

// The writer itself, if it is alive. Once: what nobody has was never acknowledged.
void Replica::AskForSkipped(uint64_t now_ms) {
  const InstanceId writer = std::exchange(skipped_, {});
  if (vector_.WholeOf(writer) == vector_.SeqOf(writer) || census_.peers().empty()) return;
  Pull(census_.Find(writer) != nullptr ? writer : Respondent(), now_ms);
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

Status Replica::DiffEdits(std::string_view edits, OpList* ops, bool* beside) {
  Edit* edit = nullptr;
  if (const Status status = parser_.ParseEdits(edits, &arena_, &edit); status != Status::kOk) return status;
  const uint64_t salt = Mix(vector_.IdHash(self_) ^ NextSeq());
  for (; edit != nullptr; edit = edit->next) {
    const Strategy strategy = options_.StrategyOf(edit->path.keys[0]);
    const bool counts = edit->mode == Edit::Mode::kIncrement;
    *beside |= edit->mode == Edit::Mode::kBeside;
    if (counts && (KeepsSiblings(strategy) || (strategy != Strategy::kMerge && edit->path.size > 1))) {
      return Status::kNotANumber;
    }
    const Status status = counts ? Increment(document_, *edit, self_, &arena_, ops)
                                 : Diff(document_, *edit, strategy, self_, salt, &arena_, ops);
    if (status != Status::kOk) return status;
  }
  for (Op& op : *ops) op.unknown_fields = options_.unknown_fields;
  return !ops->empty() && seq() >= UINT32_MAX - 1 ? Status::kSequenceExhausted : Status::kOk;
}

Status Replica::PrintLastWrite(std::string_view path, Buffer* out) {
  Buffer edits;
  edits.Append("[[");
  edits.Append(path);
  edits.Append("]]");
  Edit* edit = nullptr;
  const bool whole = path == "[]";  // no edit has such a path
  const Status status = whole ? Status::kOk : parser_.ParseEdits(edits.view(), &arena_, &edit);
  const bool read = status == Status::kOk && (whole || edit != nullptr);
  const WriteId last = read ? document_.LastWriteOf(whole ? Path{} : edit->path) : WriteId{};
  arena_.Reset();
  if (last.hlc == 0) return status;
  out->Append("[\"");
  PrintHex(vector_.Id(last.instance).view(), out);
  out->Append("\",");
  PrintNumber(HlcMs(last.hlc), out);
  out->AppendByte(']');
  return Status::kOk;
}

Buffer Replica::EncodeWrite(const WriteId& id, OpList* ops) {
  for (Op& op : *ops) op.id = id;
  Buffer frame;
  writer_.Begin(FrameKind::kOps, &frame);
  EncodeBatch(vector_, id, *ops, &frame);
  FrameWriter::End(0, &frame);
  return frame;
}

Status Replica::LocalSet(std::string_view edits, uint64_t now_ms, uint32_t* seq) {
  Begin(now_ms);
  *seq = this->seq();
  if (!ready() || (proposed_ != 0 && !passed_over_)) return Status::kNotReady;
  if (actions_.incomplete) return Status::kOutOfMemory;
  if (clock_.exhausted()) return Status::kStampOutOfRange;
  OpList ops;
  bool beside = false;
  Status status = DiffEdits(edits, &ops, &beside);
  if (status == Status::kOk) status = document_.Prepare(&ops);
  if (status == Status::kOk && !ops.empty()) {
    const WriteId id{clock_.Tick(now_ms), self_, *seq = NextSeq()};
    Buffer frame = EncodeWrite(id, &ops);
    Buffer record;
    record.Append(frame.view());
    const bool unrecorded = (frame.failed() || record.failed()) && !Planted("unrecorded-write-kept");
    if (unrecorded || !vector_.Add(self_, id.seq)) {
      document_.Discard(&ops);
      *seq = this->seq();
      return Status::kOutOfMemory;
    }
    document_.Commit(ops);
    actions_.records.push_back(std::move(record));
    SendWrite(std::move(frame), now_ms);
  }
  arena_.Reset();
  EndCall(/*local=*/!beside);  // beside others, it may not be the one that is shown
  return status;
}

Status Replica::Propose(std::string_view edits, uint64_t now_ms, Buffer* record) {
  Begin(now_ms);
  if (!ready() || proposed_ != 0) return Status::kNotReady;
  if (actions_.incomplete) return Status::kOutOfMemory;
  if (clock_.exhausted()) return Status::kStampOutOfRange;
  OpList ops;
  bool beside = false;
  Status status = DiffEdits(edits, &ops, &beside);
  for (const Op& op : ops) {
    if (op.kind == OpKind::kCount) status = Status::kNotANumber;
  }
  // Whether there will be room is known now.
  if (status == Status::kOk) status = document_.Prepare(&ops);
  if (status == Status::kOk) document_.Discard(&ops);
  if (status == Status::kOk && !ops.empty()) {
    proposed_ = seq() + 1;
    proposal_ = EncodeWrite({clock_.Tick(now_ms), self_, proposed_}, &ops);
    record->Append(proposal_.view());
    if (record->failed() || proposal_.failed()) {
      EndProposal();
      status = Status::kOutOfMemory;
    }
  }
  arena_.Reset();
  EndCall(/*local=*/false);
  return status;
}

void Replica::Accept(uint64_t now_ms) {
  Begin(now_ms);
  Frame frame;
  Batch batch;
  Status status = OpenFrame(proposal_.view(), namespace_, &frame);
  if (status == Status::kOk) status = DecodeOwnOrForeignBatch(frame, &batch);
  if (status == Status::kOk) status = MergeBatch(&batch);
  if (status == Status::kOk) {
    SendWrite(std::move(proposal_), now_ms);
  } else {
    Dropped(status);
    actions_.incomplete = true;  // it is stored, and its number must not be given again
  }
  EndProposal();
  arena_.Reset();
  EndCall(/*local=*/false);
}

void Replica::Withdraw(uint64_t now_ms, Buffer* record) {
  Begin(now_ms);
  if (proposed_ != 0 && seq() > proposed_ && !HasOwn(proposed_)) {
    OpList nothing;
    Buffer frame = EncodeWrite({clock_.Tick(now_ms), self_, proposed_}, &nothing);
    record->Append(frame.view());
    if (!frame.failed() && !record->failed() && !clock_.exhausted() && vector_.Add(self_, proposed_)) {
      SendWrite(std::move(frame), now_ms);
    } else {
      record->Clear();
      actions_.incomplete = true;  // others would wait for the number for ever
    }
  }
  EndProposal();
  EndCall(/*local=*/false);
}

uint32_t Replica::NextSeq() const {
  const bool passes = passed_over_ && seq() + 1 == proposed_ && !Planted("passed-over-number-reused");
  return seq() + (passes ? 2 : 1);
}

void Replica::EndProposal() {
  proposal_.Clear();
  proposed_ = 0;
  passed_over_ = false;
}

void Replica::SendWrite(Buffer frame, uint64_t now_ms) {
  Send(std::move(frame));
  anti_entropy_.Wrote(now_ms);
  ++counters_.writes;
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
  if (const Status status = OpenFrame(bytes, namespace_, &frame); status != Status::kOk) {
    if (status == Status::kForeignFrame && frame.name_space != 0) NoticeEra(frame, now_ms);
    return status;
  }
  // Storage events may come back to the window that wrote (WebKit bug 210512): nobody answers its own
  // questions. Writes of its name go on, for one that it has not made is a sign.
  const bool own = frame.body.substr(0, InstanceId::kBytes) == options_.instance.view();
  if (own && frame.kind != FrameKind::kOps && !Planted("own-messages-taken")) return Status::kOk;
  if (frame.body.size() >= InstanceId::kBytes) suspicion_.Heard(InstanceId::From(frame.body), now_ms);
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
    case FrameKind::kNote:
      return ReceiveNote(frame);
    case FrameKind::kEnd:
      break;
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
  census_.Seen(batch.instance(), now_ms);
  const uint32_t seq = vector_.SeqOf(batch.instance());
  if (IsOwnOfAnother(batch.instance(), batch.seq)) {
    Actions::Event(&actions_, "identity-conflict");
    return Status::kIdentityConflict;
  }
  if (vector_.Has(batch.instance(), batch.seq)) return Status::kOk;
  if (batch.seq > seq + 1) {
    ++counters_.gaps;
    anti_entropy_.Suspect(now_ms);
    Pull(batch.instance(), now_ms);
    return Status::kOk;
  }
  if (const Status status = MergeBatch(&batch); status != Status::kOk) return status;
  ReportStrategies(batch.ops);
  Actions::Event(&actions_, "remote").Id("from", batch.instance().view()).Number("at", HlcMs(batch.hlc));
  return Status::kOk;
}

// Others may have read what was proposed before this tab learns that it was stored.
bool Replica::IsOwnOfAnother(const InstanceId& instance, uint32_t seq) const {
  const uint32_t proposed = Planted("own-proposal-is-a-conflict") ? 0 : proposed_;
  return instance == options_.instance && seq > std::max(this->seq(), proposed);
}

Status Replica::MergeBatch(Batch* batch) {
  if (const Status status = ValidateValues(batch->ops); status != Status::kOk) return status;
  std::vector<uint32_t> indices(batch->instances.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    const Status status = vector_.Intern(batch->instances[i], &indices[i]);
    if (status != Status::kOk) return status;
  }
  const uint32_t instance = indices[0];
  for (Op& op : batch->ops) op.id = {batch->hlc, instance, batch->seq};
  RenameInDetails(indices, &batch->ops);
  if (const Status status = document_.Prepare(&batch->ops, kMergedBytesMax); status != Status::kOk) {
    return status;
  }
  if (Planted("vector-over-a-gap")) {
    vector_.Advance(instance, batch->seq);
  } else if (!vector_.Add(instance, batch->seq)) {
    document_.Discard(&batch->ops);
    return Status::kOutOfMemory;
  }
  clock_.Observe(batch->hlc);
  document_.Commit(batch->ops);
  return Status::kOk;
}

// Of a set with more holes than that, what has none is merged: the rest is asked for again.
Status Replica::MergeOpSet(OpSet* set, size_t holes_max) {
  if (const Status status = ValidateValues(set->ops); status != Status::kOk) return status;
  std::vector<uint32_t> indices;
  std::vector<uint32_t> seqs;
  if (const Status status = ReadVector(set->vector, &indices, &seqs); status != Status::kOk) return status;
  for (Op& op : set->ops) op.id.instance = indices[op.id.instance];
  std::vector<Hole> theirs = set->vector.holes;
  for (Hole& hole : theirs) hole.instance = indices[hole.instance];
  std::vector<Hole> holes = vector_.HolesWith(seqs, theirs);
  if (holes.size() > holes_max) {
    for (const Hole& hole : theirs) seqs[hole.instance] = 0;
    std::erase_if(set->ops, [&seqs](const Op& op) { return seqs[op.id.instance] == 0; });
    holes = vector_.HolesWith(seqs, {});
  }
  RenameInDetails(indices, &set->ops);
  if (const Status status = document_.Prepare(&set->ops, kMergedBytesMax); status != Status::kOk) {
    return status;
  }
  for (const Op& op : set->ops) clock_.Observe(op.id.hlc);
  document_.Commit(set->ops);
  vector_.SetHoles(std::move(holes));
  for (uint32_t i = 0; i < seqs.size(); ++i) vector_.Advance(i, seqs[i]);
  return Status::kOk;
}

// `indices`: of each entry; `seqs`: by index.
Status Replica::ReadVector(const SentVector& sent, std::vector<uint32_t>* indices,
                           std::vector<uint32_t>* seqs) {
  for (const SentVector::Entry& entry : sent.entries) {
    uint32_t& index = indices->emplace_back();
    if (const Status status = vector_.Intern(entry.instance, &index); status != Status::kOk) return status;
    const bool has_written = seq() > 0 || proposed_ != 0;
    if (IsOwnOfAnother(entry.instance, entry.seq) && (has_written || !continues_)) {
      Actions::Event(&actions_, "identity-conflict");
      return Status::kIdentityConflict;
    }
  }
  seqs->resize(vector_.size());
  for (size_t i = 0; i < indices->size(); ++i) (*seqs)[(*indices)[i]] = sent.entries[i].seq;
  return Status::kOk;
}

// From the sender's numbers of instances to ours.
void Replica::RenameInDetails(const std::vector<uint32_t>& indices, OpList* ops) {
  for (Op& op : *ops) {
    if (op.detail == nullptr) continue;
    if (op.detail->epoch.hlc != 0) op.detail->epoch.instance = indices[op.detail->epoch.instance];
    for (size_t i = 0; i < op.detail->context_size; ++i) {
      op.detail->context[i].instance = indices[op.detail->context[i].instance];
    }
  }
}

Status Replica::ValidateValues(const OpList& ops) {
  std::vector<std::string_view> values;
  for (const Op& op : ops) {
    if (!op.value.empty()) values.push_back(op.value);
    if (op.detail != nullptr && !op.detail->base.empty()) values.push_back(op.detail->base);
  }
  if (values.empty() || Planted("values-not-validated")) return Status::kOk;
  const Status status = parser_.Validate(values.data(), values.size());
  return status == Status::kOk || status == Status::kOutOfMemory ? status : Status::kMalformedFrame;
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
        // Who was here before this era does not know yet which of its numbers the era knows.
        if (continues_ && anti_entropy_.joining() && census_.HeardSince(now_ms - kSilentMs)) {
          Pull({}, now_ms);
        } else if (anti_entropy_.joining()) {
          BecomeReady();
        }
    }
    if (anti_entropy_.PositionDue(now_ms)) SendPosition(/*asks=*/false);
    if (anti_entropy_.GossipDue(now_ms)) {
      SendHello({}, /*asks=*/false);
      // One that was lost would leave this tab out of the others' lists.
      if (!Planted("presence-told-once")) SendPresence(/*leaves=*/false, /*asks=*/false);
      // What a tab has stored just before it died, nobody may have heard of, nor that it died.
      const bool looks = election_.leader().IsZero() || election_.leader() == options_.instance;
      if (looks && !Planted("journal-not-looked-at")) Actions::Event(&actions_, "catch-up");
    }
    CheckHolder(now_ms);
  }
  EndCall(/*local=*/false);
}

// Another version of the app may merge a key otherwise. All replicas still agree, for what decides is in
// the ops; but what one of them expects of the key does not hold.
void Replica::ReportStrategies(const OpList& ops) {
  for (const Op& op : ops) {
    const std::string_view key = op.path.keys[0];
    const Strategy strategy = options_.StrategyOf(key);
    bool other = false;
    if (op.kind == OpKind::kValue) {
      other = strategy != op.detail->strategy;
    } else if (op.kind == OpKind::kList) {
      other = options_.lists.find(key) == options_.lists.end();
    } else if (strategy == Strategy::kMerge) {
      other = op.kind == OpKind::kLeaf && op.path.size == 1 && op.value[0] == '{';
    } else {
      other = KeepsSiblings(strategy) || op.path.size > 1;
    }
    if (!other || !reported_strategies_.insert(std::string(key)).second) continue;
    Actions::Event(&actions_, "strategy-mismatch").Text("key", key);
  }
}

// ---- the end of every call ---------------------------------------------------------------------------

void Replica::Dropped(Status status) {
  ++counters_.dropped;
  Actions::Event(&actions_, "dropped").Text("reason", StatusName(status));
}

// Readers of a joined replica are told at once, those of a joining one all at once when it is ready.
void Replica::EndCall(bool local) {
  if (ready()) {
    document_.EndChanges(local ? nullptr : &actions_.changes);
    if (document_.TakeConflictsChanged()) Actions::Event(&actions_, "conflicts");
  }
  ReportLeader();
  const bool failed = actions_.changes.failed() || actions_.events.failed();
  actions_.incomplete |= failed && !Planted("lost-changes-ignored");
  if (suspended_ || election_.role() != Election::Role::kFollower) suspicion_.Stop();
  const uint64_t suspects_at_ms = suspicion_.NextWake();
  actions_.wake_at_ms = suspended_ ? 0 : anti_entropy_.NextWake();
  if (suspects_at_ms != 0 && (actions_.wake_at_ms == 0 || suspects_at_ms < actions_.wake_at_ms)) {
    actions_.wake_at_ms = suspects_at_ms;
  }
}

Status Replica::EncodeCheckpoint(Buffer* out) const {
  return tabmesh::EncodeCheckpoint(writer_, options_.instance, document_, vector_, out);
}

}  // namespace tabmesh
