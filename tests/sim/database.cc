// Database: connections, transactions, and what the glue asks for. What befalls it: database_faults.cc.
#include "database.h"

#include <algorithm>
#include <utility>

#include "base/plant.h"

namespace tabmesh::sim {

namespace {

constexpr uint64_t kOpenMsMax = 25;
constexpr uint64_t kTransactionMsMax = 8;
// Now and then others have read what was stored, and told of it, before its own page hears that it is.
constexpr uint64_t kWordMsMax = 3000;
constexpr uint64_t kBlockedMsMin = 3100;
constexpr uint64_t kBlockedMsMax = 40000;
// Whoever has slept through more eras cannot tell which of its writes were kept.
constexpr size_t kEndsMax = 16;

}  // namespace

/// A checkpoint in the making.
struct Database::Job {
  uint64_t connection;
  uint64_t term;
  uint32_t era;
  Bytes bytes;
  Bytes end;  // null unless it ends the era
  uint64_t cursor;
  std::function<void(Stored)> done;
  std::vector<Named> old;
  uint64_t number = 0;
  Stored fence = Stored::kDone;
};

Database::Database(EventQueue* events, Faults* faults, DatabaseWatcher* watcher, uint64_t seed)
    : events_(events), faults_(faults), watcher_(watcher), random_(seed, kStreamDatabase) {
  strict_ = random_.Chance(300);
  piece_bytes_ = random_.Between(200, 2000);
}

// ---- connections ---------------------------------------------------------------------------------

void Database::Open(Page* page, Task lost, std::function<void(uint64_t, uint64_t)> done) {
  uint64_t wait_ms = 1 + random_.Below(kOpenMsMax);
  if (faults_->Strikes(Fault::kOpenBlocked)) {
    wait_ms = faults_->random(Fault::kOpenBlocked)->Between(kBlockedMsMin, kBlockedMsMax);
  }
  const bool fails = faults_->Strikes(Fault::kOpenFailed);
  events_->After(wait_ms, [this, page, fails, lost = std::move(lost), done = std::move(done)] {
    page->Enter([this, page, fails, lost, done] {
      if (fails) return done(0, 0);
      connections_[next_connection_] = {page, lost, true, false};
      done(next_connection_++, generation_);
    });
  });
}

void Database::Close(uint64_t connection) { connections_.erase(connection); }

void Database::Notice(uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end() || found->second.noticed) return;
  found->second.noticed = true;
  const Task lost = found->second.lost;
  lost();
}

void Database::AbortAll(uint64_t connection) {
  for (const auto& transaction : running_) transaction->aborted |= transaction->connection == connection;
}

// ---- transactions --------------------------------------------------------------------------------

void Database::Begin(uint64_t connection, Fault abort, bool needs_page, Task effect,
                     std::function<void(bool)> done) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;  // closed: the page's store has ended
  Page* page = found->second.page;
  if (!found->second.open) {
    Notice(connection);  // InvalidStateError: the connection is closing
    return page->Soon([done = std::move(done)] { done(false); });
  }
  auto transaction = std::make_shared<Transaction>();
  transaction->page = page;
  transaction->connection = connection;
  transaction->needs_page = needs_page;
  transaction->effect = std::move(effect);
  transaction->done = std::move(done);
  running_.push_back(transaction);
  busy_until_ms_ = std::max(busy_until_ms_, events_->now_ms()) + random_.Below(kTransactionMsMax);
  events_->At(busy_until_ms_, [this, transaction, abort] { Run(transaction, abort); });
}

void Database::Run(const std::shared_ptr<Transaction>& transaction, Fault abort) {
  const bool writes = abort != Fault::kReadAborted;
  if (transaction->aborted || (writes && events_->now_ms() < full_until_ms_) || faults_->Strikes(abort)) {
    return End(transaction, false);
  }
  if (!transaction->needs_page) {
    transaction->effect();
    return End(transaction, true);
  }
  // Its second half runs in the page; a frozen one keeps it open.
  if (transaction->page->gone()) return End(transaction, false);
  transaction->page->Enter([this, transaction] {
    if (transaction->ended) return;
    if (!transaction->aborted) transaction->effect();
    End(transaction, !transaction->aborted);
  });
}

void Database::End(const std::shared_ptr<Transaction>& transaction, bool ok) {
  transaction->ended = true;
  running_.erase(std::remove(running_.begin(), running_.end(), transaction), running_.end());
  transaction->page->Enter([transaction, ok] { transaction->done(ok); });
}

// ---- what the glue asks for ------------------------------------------------------------------------

JournalContents Database::ContentsFrom(uint64_t cursor) const {
  JournalContents contents;
  contents.generation = generation_;
  contents.era = era_;
  contents.ends = ends_;
  // Records up to the older checkpoint are gone: whoever has not read them needs the checkpoint.
  if (cursor == 0 || cursor < (named_.empty() ? 0 : named_.back().cursor)) {
    for (const Named& named : named_) contents.checkpoints.push_back(Joined(named.number));
  }
  for (const StoredRecord& stored : records_) {
    if (stored.key > cursor && stored.record.era == era_) contents.records.push_back(stored.record.bytes);
  }
  contents.cursor = std::max(cursor, records_.empty() ? 0 : records_.back().key);
  if (!named_.empty()) contents.cursor = std::max(contents.cursor, named_.front().cursor);
  return contents;
}

void Database::Read(uint64_t connection, uint64_t cursor,
                    std::function<void(bool, const JournalContents&)> done) {
  const auto contents = std::make_shared<JournalContents>();
  const auto read = [this, contents, cursor] { *contents = ContentsFrom(cursor); };
  Begin(connection, Fault::kReadAborted, /*needs_page=*/false, read,
        [contents, done = std::move(done)](bool ok) { done(ok, *contents); });
}

void Database::Put(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (record.era == era_) {
      uint32_t& newest = newest_[record.instance];
      newest = std::max(newest, record.since);
      if (record.seq > newest + 1) watcher_->HoleMade();
      newest = std::max(newest, record.seq);
    }
    records_.push_back({next_key_++, record, false});
  }
  if (strict_) Flush();
}

// Stored first: whether the era lasts is asked in the same transaction, and records of one that has ended are
// left out by who reads.
void Database::Append(uint64_t connection, uint32_t era, std::vector<Record> records,
                      std::function<void(const Appended&)> done) {
  const auto appended = std::make_shared<Appended>();
  const auto append = [this, appended, era, records = std::move(records)] {
    Put(records);
    const bool stale = era != era_ && !Planted("append-to-any-era");
    *appended = {!stale, stale, last_key(), generation_, era};
  };
  Begin(connection, Fault::kAppendAborted, /*needs_page=*/false, append,
        [this, appended, done = std::move(done)](bool ok) {
          if (!ok && Planted("acknowledged-on-success"))
            *appended = {true, false, last_key(), generation_, era_};
          done(*appended);
        });
}

// Between the answer of the page and the word that it is stored, anything may befall the page.
void Database::Transact(uint64_t connection, uint64_t cursor, uint32_t era, uint64_t id,
                        std::function<Exchange(const JournalContents&, bool known)> run,
                        std::function<void(const Appended&)> done) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  Page* page = found->second.page;
  const auto appended = std::make_shared<Appended>();
  const auto exchange = [this, appended, cursor, era, id, run = std::move(run)] {
    const bool known = id != 0 && transactions_.count(id) > 0;
    const Exchange answer = run(ContentsFrom(era == era_ ? cursor : 0), known);
    const bool full = events_->now_ms() < full_until_ms_;
    if (answer.gives_up || full || faults_->Strikes(Fault::kAppendAborted)) return;
    Put(answer.records);
    if (id != 0 && !answer.records.empty()) transactions_[id] = last_key();
    if (answer.stored != nullptr) answer.stored(last_key());
    *appended = {!faults_->Strikes(Fault::kOutcomeLost), false, last_key(), generation_, era_};
  };
  Begin(connection, Fault::kReadAborted, /*needs_page=*/true, exchange,
        [this, page, appended, done = std::move(done)](bool ok) {
          appended->ok &= ok;
          events_->After(random_.Below(random_.Chance(50) ? kWordMsMax : kTransactionMsMax),
                         [page, appended, done] { page->Enter([appended, done] { done(*appended); }); });
        });
}

void Database::ClaimTerm(uint64_t connection, uint64_t at_least, std::function<void(uint64_t)> done) {
  const auto term = std::make_shared<uint64_t>(0);
  const auto claim = [this, at_least, term] {
    *term = term_ = std::max(at_least, term_ + 1);
    Flush();
    watcher_->TermStored(term_);
  };
  Begin(connection, Fault::kClaimAborted, /*needs_page=*/true, claim,
        [term, done = std::move(done)](bool ok) { done(ok ? *term : 0); });
}

void Database::Checkpoint(uint64_t connection, uint64_t term, uint32_t era, Bytes bytes, uint64_t cursor,
                          std::function<void(Stored)> done) {
  const auto job = std::make_shared<Job>();
  job->connection = connection;
  job->term = term;
  job->era = era;
  job->bytes = std::move(bytes);
  job->cursor = cursor;
  job->done = std::move(done);
  BeginJob(job);
}

void Database::EndEra(uint64_t connection, uint64_t term, uint32_t era, Bytes state, Bytes end,
                      uint64_t cursor, std::function<void(Stored)> done) {
  const auto job = std::make_shared<Job>();
  job->connection = connection;
  job->term = term;
  job->era = era;
  job->bytes = std::move(state);
  job->end = std::move(end);
  job->cursor = cursor;
  job->done = std::move(done);
  BeginJob(job);
}

void Database::BeginJob(const std::shared_ptr<Job>& job) {
  Begin(
      job->connection, Fault::kReadAborted, /*needs_page=*/false, [this, job] { job->old = named_; },
      [this, job](bool ok) {
        if (!ok) return job->done(Stored::kFailed);
        job->number = (job->old.empty() ? 0 : job->old.front().number) + 1;
        PutPiece(job, 0);
      });
}

Stored Database::Fence(const Job& job) const {
  if (term_ != job.term) return Stored::kFenced;
  return era_ == job.era ? Stored::kDone : Stored::kStale;
}

// Each piece is put under the fence, and the first one clears away what an unfinished checkpoint of the same
// number has left: nothing refers to pieces of this number yet. An era begins with two copies, for readers
// find another where one is damaged.
void Database::PutPiece(const std::shared_ptr<Job>& job, size_t index) {
  if (index * piece_bytes_ >= job->bytes->size()) return Seal(job);
  const auto put = [this, job, index] {
    job->fence = Fence(*job);
    if (job->fence != Stored::kDone) return;
    if (IsNamed(job->number)) watcher_->CheckpointTouched(job->term, term_);
    if (index == 0) pieces_.erase(pieces_.lower_bound(job->number * kPiecesMax), pieces_.end());
    const auto piece =
        std::make_shared<const std::string>(job->bytes->substr(index * piece_bytes_, piece_bytes_));
    pieces_[job->number * kPiecesMax + index] = piece;
    if (job->end != nullptr) pieces_[(job->number + 1) * kPiecesMax + index] = piece;
  };
  Begin(job->connection, Fault::kAppendAborted, /*needs_page=*/true, put, [this, job, index](bool ok) {
    if (!ok || job->fence != Stored::kDone) return job->done(ok ? job->fence : Stored::kFailed);
    PutPiece(job, index + 1);
  });
}

void Database::Seal(const std::shared_ptr<Job>& job) {
  const auto seal = [this, job] {
    job->fence = Planted("checkpoint-unfenced") ? Stored::kDone : Fence(*job);
    // What was stored meanwhile is not in the state that was made.
    const bool late = job->end != nullptr && last_key() > job->cursor && !Planted("era-ends-over-records");
    if (job->fence == Stored::kDone && late) job->fence = Stored::kFailed;
    if (job->fence != Stored::kDone) return;
    std::vector<Named> kept = {{job->number, job->cursor}};
    if (job->end != nullptr) {
      kept.insert(kept.begin(), {job->number + 1, job->cursor});
    } else if (!job->old.empty()) {
      kept.push_back(job->old.front());
    }
    watcher_->CheckpointTouched(job->term, term_);
    named_ = kept;
    watcher_->CheckpointStored(*Joined(job->number) == *job->bytes);
    if (job->end == nullptr) watcher_->CheckpointCovers(*job->bytes, era_, Readable(job->cursor));
    if (kept.size() > 1) {
      pieces_.erase(pieces_.begin(), pieces_.lower_bound(kept.back().number * kPiecesMax));
      const uint64_t covered = kept.back().cursor;
      records_.erase(std::remove_if(records_.begin(), records_.end(),
                                    [covered](const StoredRecord& stored) { return stored.key <= covered; }),
                     records_.end());
    }
    if (job->end != nullptr) {
      watcher_->EraEnded(era_, job->bytes, *job->end, Readable(job->cursor));
      newest_.clear();
      ends_[era_++] = job->end;
      if (ends_.size() > kEndsMax) ends_.erase(ends_.begin());
    }
    Flush();
  };
  Begin(job->connection, Fault::kAppendAborted, /*needs_page=*/true, seal,
        [job](bool ok) { job->done(ok ? job->fence : Stored::kFailed); });
}

std::vector<Record> Database::Readable(uint64_t cursor) const {
  std::vector<Record> records;
  for (const StoredRecord& stored : records_) {
    if (stored.key <= cursor && !stored.flipped && stored.record.era == era_)
      records.push_back(stored.record);
  }
  return records;
}

bool Database::IsNamed(uint64_t number) const {
  return std::any_of(named_.begin(), named_.end(), [number](const Named& n) { return n.number == number; });
}

Bytes Database::Joined(uint64_t number) const {
  std::string whole;
  for (auto piece = pieces_.lower_bound(number * kPiecesMax);
       piece != pieces_.end() && piece->first < (number + 1) * kPiecesMax; ++piece) {
    whole += *piece->second;
  }
  return std::make_shared<const std::string>(std::move(whole));
}

void Database::Flush() { flushed_key_ = last_key(); }

}  // namespace tabmesh::sim
