// One tab's replica of the shared state: a pure function of what it is told.
#ifndef TABMESH_REPLICA_REPLICA_H_
#define TABMESH_REPLICA_REPLICA_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "crdt/conflicts.h"
#include "crdt/document.h"
#include "crdt/hlc.h"
#include "crdt/version_vector.h"
#include "json/parse.h"
#include "replica/actions.h"
#include "replica/anti_entropy.h"
#include "replica/census.h"
#include "replica/election.h"
#include "replica/options.h"
#include "replica/suspicion.h"
#include "wire/fragment.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace tabmesh {

/// Counters since the replica was made.
struct ReplicaCounters {
  uint64_t writes = 0;
  uint64_t frames_in = 0;
  uint64_t bytes_in = 0;
  uint64_t frames_out = 0;
  uint64_t bytes_out = 0;
  uint64_t dropped = 0;  // frames and records that were not used because something was wrong with them
  uint64_t gaps = 0;     // writes that came before an earlier one of the same instance
  uint64_t divergences = 0;
};

/// Life: Open, Restore every stored record, Hydrated; then anything in any order; Close.
/// Every call but Open and the readers adds to `actions()`, which the caller performs and clears.
/// `now_ms` is the caller's wall clock; it may jump, stand still or be wrong.
class Replica {
 public:
  explicit Replica(ReplicaOptions options);
  /// The one that goes on in a later era when that of `before` has ended: the same instance with the same
  /// peers, clock and place in the election, and nothing of the state. Its life begins with Open.
  Replica(const Replica& before, uint32_t era);

  /// Takes the initial state, a JSON object, and greets whoever is there. JsonParser's errors.
  Status Open(std::string_view initial_state, uint64_t now_ms);

  /// A stored checkpoint or record, in the journal's order. Bad bytes are dropped, counted and
  /// reported; the error is returned for information.
  Status Restore(std::string_view record, uint64_t now_ms);
  /// All stored records have been told: at the start, and after every later reading of the journal.
  /// `alone`: the caller knows that no other replica of this store is running.
  void Restored(bool alone, uint64_t now_ms);

  /// Local edits as JSON (JsonParser::ParseEdits), one stamp for all. `*seq` is the write's number,
  /// or that of the newest write when nothing had to change. kNotReady before the join is over;
  /// otherwise Diff's and Document::Prepare's errors, and then nothing has changed. Changes are told only of
  /// values set beside others.
  Status LocalSet(std::string_view edits, uint64_t now_ms, uint32_t* seq);

  /// The same, but nothing is merged or sent yet: `*record` is what to store, and stays empty when nothing
  /// has to change. Until Accept, Withdraw or PassOver no other write is taken (kNotReady). Increments are
  /// not (kNotANumber): one that is passed over would be missing in the next sum.
  Status Propose(std::string_view edits, uint64_t now_ms, Buffer* record);
  /// The record has been stored: merges and sends what was proposed.
  void Accept(uint64_t now_ms);
  /// It has not, and never will be: its number goes to the next write. Where that was passed over, `*record`
  /// is an empty write of the number, to be stored as any is, or readers would wait for it for ever.
  void Withdraw(uint64_t now_ms, Buffer* record);
  /// Nobody knows yet whether it was stored: other writes go on, with the numbers after its own.
  void PassOver() { passed_over_ = proposed_ != 0; }

  /// Bytes from a channel. Never fails: what is wrong is dropped, counted and reported.
  void Receive(std::string_view bytes, uint64_t now_ms);

  /// A JSON value for one other replica, or for all where `to` is zero: the event "note" hands it over. It
  /// may be lost, or come twice. kMalformedJson, kValueTooLarge.
  Status SendNote(const InstanceId& to, std::string_view value, uint64_t now_ms);

  /// Someone waits for the newest write to be shared: asks for an acknowledgement.
  void AskShared(uint64_t now_ms);
  void Tick(uint64_t now_ms);

  void SetVisible(bool visible, uint64_t now_ms);
  /// While somebody here cannot store what it writes, no era ends: what the next one has of it is known only
  /// from the journal.
  void SetStores(bool stores, uint64_t now_ms);
  /// The page is about to be frozen, cached or closed: leaves the election, says goodbye.
  void Suspend(uint64_t now_ms);
  /// It goes on. Assumes that everything was missed; the caller also reads the journal again.
  void Resume(uint64_t now_ms);
  /// The store is being erased: tells the others.
  void Destroy(uint64_t now_ms);
  /// Whom the caller knows to run: InstanceId::kBytes a piece. Others leave the census, and the event
  /// "catch-up" asks the caller to read the journal.
  void RetainPeers(std::string_view alive_ids, uint64_t now_ms);
  /// Who holds the leader lock, as far as the caller can see: InstanceId::kBytes; zeros for somebody who is
  /// not among those that run; empty when nobody does. The event "knock" asks the caller to take away the
  /// sign that an instance is alive, which one that runs gives again, and to look once more.
  void LockHeldBy(std::string_view holder, uint64_t now_ms);

  /// Others may have taken this replica for gone: tells them that it is here.
  void Announce(uint64_t now_ms);
  /// Takes the leader lock from whoever has it, if this replica waits for it.
  void TakeLead(uint64_t now_ms);
  void LockGranted(uint64_t now_ms);
  void LockLost(uint64_t now_ms);
  void TermClaimed(uint64_t term, uint64_t now_ms);
  void ClaimFailed(uint64_t now_ms);

  Actions* actions() { return &actions_; }
  bool ready() const { return anti_entropy_.joined(); }
  uint64_t digest() const { return document_.digest(); }
  uint32_t seq() const { return vector_.Seq(self_); }
  /// Whether its own write of this number is merged.
  bool HasOwn(uint32_t seq) const { return vector_.Has(options_.instance, seq); }
  const Document& document() const { return document_; }
  const VersionVector& vector() const { return vector_; }
  const Election& election() const { return election_; }
  const Hlc& clock() const { return clock_; }
  const ReplicaCounters& counters() const { return counters_; }
  const ReplicaOptions& options() const { return options_; }

  /// The whole visible state as a JSON object.
  void PrintState(Buffer* out) const { document_.PrintState(out); }
  /// `[{"id","label","visible","connectedAt","lastSeen"}, …]`, the others only.
  void PrintPeers(Buffer* out) const;
  /// What awaits a choice; grammar: crdt/conflicts.h. The event "conflicts" says when it has changed.
  void PrintConflicts(Buffer* out) const { tabmesh::PrintConflicts(document_, vector_, out); }
  /// `["id",time]` of the newest write at or below a path: the writer's instance in hexadecimal, milliseconds
  /// since 1970. Nothing where nobody has written. `path` is a JSON array of keys; ParseEdits' errors.
  Status PrintLastWrite(std::string_view path, Buffer* out);
  /// Everything merged so far as one stored frame. kOutOfMemory.
  Status EncodeCheckpoint(Buffer* out) const;

  /// What this replica has, as a kHello frame to everybody that asks for nothing: for a way to another
  /// device, which has no part in the census. O(instances).
  Buffer EncodeGreeting() const;
  /// What the sender of such a frame lacks, as one frame that Restore takes; nothing where it lacks nothing.
  /// OpenFrame's and DecodeHello's errors, and then nothing is appended. O(size of the state), O(instances)
  /// where nothing is lacking.
  Status EncodeAnswer(std::string_view greeting, Buffer* out) const;

  /// Whether history outweighs the state, or too many instances have written, and all who are here can
  /// follow: the leader should end the era. O(1), or O(size of the state) once it is so.
  bool CompactionDue() const;
  /// What the next era begins with, as a stored frame of it; and which writes of this one are in it, for
  /// KeptAtEnd. kOutOfMemory. O(size of the state).
  Status EncodeNextEra(Buffer* state, Buffer* end) const;
  /// Which of this replica's own writes are in what followed its era: `[seq, first, last, …]`, all up to
  /// `seq` but those from each `first` to `last`. OpenFrame's errors: `end` is not that of this era.
  Status KeptAtEnd(std::string_view end, std::vector<uint32_t>* kept) const;

 private:
  Status OpenInitial(std::string_view initial_state);
  Status DiffEdits(std::string_view edits, OpList* ops, bool* beside);
  Status ReceiveFrame(std::string_view bytes, uint64_t now_ms);
  Status ReceiveOps(const Frame& frame, uint64_t now_ms);
  Status ReceiveDelta(const Frame& frame, uint64_t now_ms);
  Status ReceiveHello(const Frame& frame, uint64_t now_ms);
  Status ReceivePresence(const Frame& frame, uint64_t now_ms);
  Status ReceivePosition(const Frame& frame, uint64_t now_ms);
  Status ReceiveAck(const Frame& frame);
  Status ReceiveNote(const Frame& frame);
  Status ReceiveFragment(const Frame& frame, uint64_t now_ms);

  // One step each of the straight line from bytes to a merged write.
  Status DecodeOwnOrForeignBatch(const Frame& frame, Batch* batch);
  Status MergeBatch(Batch* batch);
  static void RenameInDetails(const std::vector<uint32_t>& indices, OpList* ops);
  Status MergeOpSet(OpSet* set, size_t holes_max);
  Status ValidateValues(const OpList& ops);
  Status ReadVector(const SentVector& sent, std::vector<uint32_t>* indices, std::vector<uint32_t>* seqs);
  Status RestoreFrame(std::string_view record);
  void AskForSkipped(uint64_t now_ms);

  // A number that is passed over may be in the journal.
  uint32_t NextSeq() const;
  void EndProposal();
  bool IsOwnOfAnother(const InstanceId& instance, uint32_t seq) const;
  Buffer EncodeWrite(const WriteId& id, OpList* ops);
  void SendWrite(Buffer frame, uint64_t now_ms);
  void Send(Buffer frame);
  void SendHello(const InstanceId& to, bool asks);
  void SendFullQuestion(const InstanceId& to);
  void SendDelta(const InstanceId& to, const SentVector& theirs);
  void SendPresence(bool leaves, bool asks);
  void SendPosition(bool asks);
  void SendAck(const InstanceId& to, uint32_t seq);
  void Pull(const InstanceId& from, uint64_t now_ms);
  void Heal(const InstanceId& other, uint64_t now_ms);
  InstanceId Respondent() const;
  void Begin(uint64_t now_ms);
  void Join(bool alone, uint64_t now_ms);
  void BecomeReady();
  void Dropped(Status status);
  void CheckHolder(uint64_t now_ms);
  void ReportLeader();
  void ReportStrategies(const OpList& ops);
  void EndCall(bool local);

  void NoticeEra(const Frame& frame, uint64_t now_ms);

  ReplicaOptions options_;
  bool continues_ = false;  // wrote in an era before: what this one began with may name it
  uint32_t self_ = 0;
  VersionVector vector_;
  Document document_;
  Hlc clock_;
  JsonParser parser_;
  CallArena arena_;
  uint32_t namespace_;
  FrameWriter writer_;
  FragmentAssembler assembler_;
  uint64_t message_number_ = 0;
  AntiEntropy anti_entropy_;
  Census census_;
  Election election_;
  Suspicion suspicion_;
  bool visible_;
  bool suspended_ = false;
  Buffer proposal_;                // a write that is being stored
  uint32_t proposed_ = 0;          // its number; 0 if there is none
  bool passed_over_ = false;       // other writes need not wait for it
  std::vector<Hello> unanswered_;  // questions that came before storage was read
  InstanceId skipped_;             // of whom the journal had a write, but not one before it
  std::set<std::string, std::less<>> reported_strategies_;
  InstanceId reported_leader_;
  uint64_t reported_term_ = 0;
  Actions actions_;
  ReplicaCounters counters_;
};

}  // namespace tabmesh

#endif  // TABMESH_REPLICA_REPLICA_H_
