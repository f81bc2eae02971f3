// The journal in IndexedDB as js-glue/platform/indexed-db.ts keeps it: transactions one after the other, and
// everything that may befall them. HAZARDS H22 to H29.
#ifndef TABMESH_TESTS_SIM_DATABASE_H_
#define TABMESH_TESTS_SIM_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crdt/stamp.h"
#include "events.h"
#include "faults.h"
#include "page.h"
#include "random.h"

namespace tabmesh::sim {

using Bytes = std::shared_ptr<const std::string>;

/// A record and the write it holds.
struct Record {
  Bytes bytes;
  InstanceId instance;
  uint32_t seq = 0;
  uint32_t era = 0;
  uint32_t since = 0;  // the number of its writer's newest write when the era began
};

struct JournalContents {
  std::vector<Bytes> checkpoints;  // newest first
  std::vector<Bytes> records;
  uint64_t cursor = 0;
  uint64_t generation = 0;
  uint32_t era = 0;
  std::map<uint32_t, Bytes> ends;  // of the last eras: which of their writes the next one has
};

/// kStale: of an era that has ended.
enum class Stored : uint8_t { kDone, kFenced, kStale, kFailed };

/// Where a batch of records has come to lie.
struct Appended {
  bool ok = false;
  bool stale = false;  // nothing was stored: the era has ended
  uint64_t last_key = 0;
  uint64_t generation = 0;
  uint32_t era = 0;
};

/// What a transaction of the store writes, given the newest state.
struct Exchange {
  bool gives_up = false;  // its page aborts it
  std::vector<Record> records;
  std::function<void(uint64_t last_key)> stored;
};

/// Is told what the database does, to judge it.
class DatabaseWatcher {
 public:
  virtual ~DatabaseWatcher() = default;
  virtual void TermStored(uint64_t term) = 0;
  /// A checkpoint was made, overwritten or deleted on behalf of `term`.
  virtual void CheckpointTouched(uint64_t term, uint64_t newest_term) = 0;
  /// A checkpoint is named; whether its pieces are the ones that were made.
  virtual void CheckpointStored(bool as_made) = 0;
  /// `records`: those that the checkpoint takes the place of.
  virtual void CheckpointCovers(const std::string& checkpoint, uint32_t era,
                                const std::vector<Record>& records) = 0;
  /// Everything relaxed after this key is lost.
  virtual void SuffixLost(uint64_t last_key) = 0;
  virtual void RecordFlipped(const InstanceId& instance, uint32_t seq) = 0;
  /// A record is stored while an earlier one of its instance is not.
  virtual void HoleMade() = 0;
  virtual void Evicted() = 0;
  /// `state`: with which the next one begins; `records`: what the journal of the one that has ended had.
  virtual void EraEnded(uint32_t era, const Bytes& state, const std::string& end,
                        const std::vector<Record>& records) = 0;
};

class Database {
 public:
  Database(EventQueue* events, Faults* faults, DatabaseWatcher* watcher, uint64_t seed);

  /// `done` gets the number of a connection and the database's generation, or zeros. `lost` is called when it
  /// is gone, once.
  void Open(Page* page, Task lost, std::function<void(uint64_t connection, uint64_t generation)> done);
  void Close(uint64_t connection);
  void Read(uint64_t connection, uint64_t cursor, std::function<void(bool ok, const JournalContents&)> done);
  /// Needs no answer of the page's: whether the era lasts is known when it is done.
  void Append(uint64_t connection, uint32_t era, std::vector<Record> records,
              std::function<void(const Appended&)> done);
  /// Reads what is new since `cursor`, or everything where the era is another, and stores what `run` answers,
  /// in one transaction. `known`: one of this id has been stored before; id 0 has no memory.
  void Transact(uint64_t connection, uint64_t cursor, uint32_t era, uint64_t id,
                std::function<Exchange(const JournalContents&, bool known)> run,
                std::function<void(const Appended&)> done);
  /// `done` gets 0 when it has failed.
  void ClaimTerm(uint64_t connection, uint64_t at_least, std::function<void(uint64_t term)> done);
  void Checkpoint(uint64_t connection, uint64_t term, uint32_t era, Bytes bytes, uint64_t cursor,
                  std::function<void(Stored)> done);
  /// The next era begins with `state`, if nothing was stored after `cursor`: else kFailed.
  void EndEra(uint64_t connection, uint64_t term, uint32_t era, Bytes state, Bytes end, uint64_t cursor,
              std::function<void(Stored)> done);

  /// What a closed page has begun is completed; of a crashed one's, the first so many.
  void PageGone(Page* page, bool crashed);
  /// All pages are gone. With the power, also transactions that were complete, but not strict.
  void BrowserGone(bool power);
  bool LoseConnection(Page* page);
  void Evict();
  void FillUntil(uint64_t until_ms) { full_until_ms_ = until_ms; }
  void Stall(uint64_t ms);
  bool FlipRecord(Random* random);
  /// Never both: with the older one damaged too, what they cover is lost by definition.
  bool DamageCheckpoint(Random* random);

  uint64_t generation() const { return generation_; }
  uint32_t era() const { return era_; }

 private:
  static constexpr uint64_t kPiecesMax = 1 << 16;  // of one checkpoint

  struct Connection {
    Page* page;
    Task lost;
    bool open;
    bool noticed;
  };
  struct Transaction {
    Page* page;
    uint64_t connection;
    bool needs_page;  // it continues in the page after an answer
    bool aborted = false;
    bool ended = false;
    Task effect;
    std::function<void(bool ok)> done;
  };
  struct StoredRecord {
    uint64_t key;
    Record record;
    bool flipped;
  };
  struct Named {
    uint64_t number;
    uint64_t cursor;
  };
  struct Job;

  void Begin(uint64_t connection, Fault abort, bool needs_page, Task effect,
             std::function<void(bool ok)> done);
  void Run(const std::shared_ptr<Transaction>& transaction, Fault abort);
  void End(const std::shared_ptr<Transaction>& transaction, bool ok);
  void AbortAll(uint64_t connection);
  void Notice(uint64_t connection);
  void BeginJob(const std::shared_ptr<Job>& job);
  Stored Fence(const Job& job) const;
  void PutPiece(const std::shared_ptr<Job>& job, size_t index);
  void Seal(const std::shared_ptr<Job>& job);
  void Flush();
  JournalContents ContentsFrom(uint64_t cursor) const;
  void Put(const std::vector<Record>& records);
  Bytes Joined(uint64_t number) const;
  bool IsNamed(uint64_t number) const;
  std::vector<Record> Readable(uint64_t cursor) const;
  uint64_t last_key() const { return next_key_ - 1; }

  EventQueue* events_;
  Faults* faults_;
  DatabaseWatcher* watcher_;
  Random random_;
  bool strict_;
  uint64_t piece_bytes_;
  uint64_t generation_ = 1;
  uint64_t next_key_ = 1;
  uint64_t flushed_key_ = 0;
  std::vector<StoredRecord> records_;
  std::map<InstanceId, uint32_t> newest_;  // seq of the newest record stored, by instance
  std::map<uint64_t, Bytes> pieces_;
  std::vector<Named> named_;  // the index of checkpoints, newest first
  uint64_t damaged_number_ = 0;
  uint64_t term_ = 0;
  uint32_t era_ = 0;
  std::map<uint32_t, Bytes> ends_;
  std::map<uint64_t, uint64_t> transactions_;  // the keys of those that had an id, by it
  std::map<uint64_t, Connection> connections_;
  uint64_t next_connection_ = 1;
  std::vector<std::shared_ptr<Transaction>> running_;
  uint64_t busy_until_ms_ = 0;
  uint64_t full_until_ms_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_DATABASE_H_
