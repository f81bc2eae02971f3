// The queue between a tab's records and the journal, as js-glue/journal-writer.ts keeps it: one transaction
// at a time takes all that wait, and what fails is tried again until it succeeds.
#ifndef TABMESH_TESTS_SIM_JOURNAL_WRITER_H_
#define TABMESH_TESTS_SIM_JOURNAL_WRITER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "database.h"
#include "page.h"

namespace tabmesh::sim {

class JournalWriter {
 public:
  /// Own writes up to `seq` are stored.
  using Durable = std::function<void(uint32_t seq, const Appended& appended)>;

  /// `stale` is called when the era that is written for has ended.
  JournalWriter(Page* page, Database* database, Durable durable, Task stale);

  void Push(Record record, bool visible);
  /// All that is not known to be stored. A record that is stored twice is read once.
  std::vector<Record> Unstored() const;
  /// Somebody else has stored these.
  void Stored(const std::vector<Record>& records, const Appended& appended);
  /// Begins to store everything that is not stored, in this very task: the page may not run again.
  void FlushNow();
  /// 0: there is no journal now.
  void Use(uint64_t connection);
  /// Forgets all of the era before; the next write's number follows `seq`.
  void BeginEra(uint32_t era, uint32_t seq);
  void Close();

 private:
  void Begin();
  void Next();
  void Store(const std::vector<Record>& batch, const Appended& appended);
  void Failed(const std::vector<Record>& batch);

  Page* page_;
  Database* database_;
  Durable durable_;
  Task stale_;
  std::vector<Record> waiting_;
  std::map<uint64_t, std::vector<Record>> under_way_;
  uint64_t next_batch_ = 0;
  uint64_t connection_ = 0;
  uint32_t era_ = 0;
  uint32_t running_ = 0;
  uint64_t retry_ms_;
  uint64_t retry_ = 0;  // number of the timer that is set, or 0
  uint64_t next_retry_ = 1;
  bool scheduled_ = false;
  uint32_t stored_ = 0;
  std::set<uint32_t> stored_early_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_JOURNAL_WRITER_H_
