// Tab: the journal, as js-glue/engine.ts reads it, writes it and makes checkpoints.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/plant.h"
#include "lz/pieces.h"
#include "tab.h"

namespace tabmesh::sim {

namespace {
constexpr uint64_t kStorageWaitMs = 3000;
constexpr uint64_t kReopenMs = 250;
/// Smaller than in pages, so that there are several.
constexpr size_t kPieceBytes = 1000;

/// The bytes themselves where memory is out.
std::string Packed(std::string_view bytes) {
  Buffer pieces;
  for (size_t from = 0; from < bytes.size(); from += kPieceBytes) {
    if (lz::AppendPiece(bytes.substr(from, kPieceBytes), &pieces) != Status::kOk) return std::string(bytes);
  }
  return std::string(pieces.view());
}
}  // namespace

void Tab::OpenJournal(Task then) {
  if (connection_ != 0) return then();
  waiting_for_open_.push_back(std::move(then));
  if (opening_) return;
  opening_ = true;
  const auto lost = [this] {
    if (telling()) Say("loses its connection to the database");
    connection_ = 0;
    writer_.Use(0);
    After(kReopenMs, [this] { CatchUp(); });
  };
  around_.database->Open(this, lost, [this](uint64_t connection, uint64_t generation) {
    opening_ = false;
    if (ended_) return around_.database->Close(connection);
    // Before anything else uses it: a claim or a checkpoint of the old store must not get into the new one.
    if (connection != 0 && generation_ != 0 && generation != generation_) {
      around_.database->Close(connection);
      return End("finds another generation of the store");
    }
    connection_ = connection;
    if (connection == 0 && telling()) Say("could not open the database");
    std::vector<Task> waiting;
    waiting.swap(waiting_for_open_);
    for (const Task& task : waiting) task();
  });
}

void Tab::RestoreFromJournal(std::function<void(Restored)> done) {
  OpenJournal([this, done = std::move(done)] {
    if (ended_) return;
    if (connection_ == 0) return done(Restored::kFailed);
    const uint64_t from = cursor_;
    around_.database->Read(connection_, from, [this, from, done](bool ok, const JournalContents& contents) {
      if (ended_) return;
      if (!ok) return done(Restored::kFailed);
      if (generation_ != 0 && contents.generation != generation_) return done(Restored::kErased);
      generation_ = contents.generation;
      const bool enters = contents.era != era_;
      if (enters && away_) return done(Restored::kFailed);  // whoever comes back reads again
      if (enters && from > 0) {
        cursor_ = 0;  // nothing of it has been read
        return RestoreFromJournal(done);
      }
      if (enters) EnterEra(contents);
      RestoreAll(contents);
      if (enters) writer_.BeginEra(era_, replica_->seq());
      if (hydrated_) {  // at once: a write that came in between would be told without it
        replica_->Restored(/*alone=*/enters, Now());
        if (enters) return WriteAgain(), done(Restored::kDone);
        Perform();
        if (ended_) return;
      }
      writer_.Use(connection_);
      done(Restored::kDone);
    });
  });
}

void Tab::RestoreAll(const JournalContents& contents) {
  const uint64_t now = Now();
  const Shortage shortage(around_.faults);
  for (const Bytes& checkpoint : contents.checkpoints) {
    if (replica_->Restore(*checkpoint, now) == Status::kOk) break;
  }
  for (const Bytes& record : contents.records) {
    const Status status = replica_->Restore(*record, now);
    if (status == Status::kOutOfMemory && !replica_->actions()->incomplete) {
      around_.watcher->Fail(*this, "goes on without a record that it had no memory for");
    }
  }
  if (telling()) {
    Say("reads " + std::to_string(contents.checkpoints.size()) + " checkpoints and " +
        std::to_string(contents.records.size()) + " records up to " + std::to_string(contents.cursor));
  }
  cursor_ = contents.cursor + (Planted("cursor-past-own-write") ? 1 : 0);
  since_checkpoint_ += contents.records.size();
}

void Tab::Hydrate() {
  // What the two waits share: who is first ends the waiting, what comes later merges.
  struct Waiting {
    bool over = false;
    bool others_known = false;
    bool others = true;
  };
  const auto waiting = std::make_shared<Waiting>();
  const auto finish = [this, waiting] {
    if (ended_ || !waiting->over || !waiting->others_known || hydrating_over_) return;
    hydrating_over_ = true;
    replica_->Restored(/*alone=*/!waiting->others, Now());
    Perform();
    TellHydrated();
    if (waiting->others) LookWhoLives([this] { WatchAlive(); });
  };
  if (options_.has_locks) {
    around_.locks->Query(this, [this, waiting, finish](const std::vector<InstanceId>& alive, const auto&) {
      waiting->others_known = true;
      waiting->others = false;
      for (const InstanceId& id : alive) waiting->others |= id != options_.id;
      finish();
    });
  } else {
    waiting->others_known = true;
  }
  RestoreFromJournal([this, waiting, finish](Restored restored) {
    if (restored == Restored::kFailed) After(kReopenMs, [this] { CatchUp(); });
    if (!waiting->over) {
      waiting->over = true;
      return finish();
    }
    if (restored != Restored::kDone) return;
    replica_->Restored(/*alone=*/false, Now());  // storage answered after all: merge
    Perform();
    TellHydrated();
  });
  After(kStorageWaitMs, [this, waiting, finish] {
    if (waiting->over) return;
    if (telling()) Say("goes on without storage, which does not answer");
    waiting->over = true;
    finish();
  });
}

void Tab::TellHydrated() {
  if (!ended_ && generation_ != 0) around_.watcher->Hydrated(*this, cursor_, generation_);
}

void Tab::CatchUp() {
  if (ended_) return;
  RestoreFromJournal([this](Restored restored) {
    if (restored == Restored::kErased) return End("finds another generation of the store");
    if (restored == Restored::kFailed) return After(kReopenMs, [this] { CatchUp(); });
    if (ended_ || suspended_) return;
    replica_->Restored(/*alone=*/false, Now());
    Perform();
    TellHydrated();
  });
}

void Tab::Written(uint64_t count) {
  since_checkpoint_ += count;
  if (since_checkpoint_ < options_.checkpoint_every || !leads_ || checkpointing_ || connection_ == 0) return;
  checkpointing_ = true;
  Soon([this] { MakeCheckpoint(); });
}

void Tab::MakeCheckpoint() {
  const auto over = [this] { checkpointing_ = false; };
  if (ended_ || connection_ == 0) return over();
  // One connection from the beginning to the end: it can't have changed its database.
  const uint64_t connection = connection_;
  const uint64_t term = term_;
  const auto read = [this, connection, term, over](bool ok, const JournalContents& contents) {
    if (!ok || ended_ || suspended_ || !leads_) return over();
    if (contents.era != era_) return over(), CatchUp();
    RestoreAll(contents);
    replica_->Restored(/*alone=*/false, Now());
    Perform();
    if (ended_) return;
    since_checkpoint_ = 0;
    if (replica_->CompactionDue()) return EndEra(connection, term, over);
    Buffer bytes;
    if (replica_->EncodeCheckpoint(&bytes) != Status::kOk) return over();
    const auto frame = std::make_shared<const std::string>(
        bytes.size() > options_.compress_above ? Packed(bytes.view()) : std::string(bytes.view()));
    if (telling()) {
      Say("makes a checkpoint of " + std::to_string(frame->size()) + " bytes up to " +
          std::to_string(cursor_));
    }
    around_.database->Checkpoint(connection, term, era_, frame, cursor_, [this, over](Stored stored) {
      over();
      CheckpointDone(stored);
    });
  };
  around_.database->Read(connection, cursor_, read);
}

void Tab::CheckpointDone(Stored stored) {
  if (ended_) return;
  if (stored == Stored::kStale) return CatchUp();
  if (stored != Stored::kFenced) return;
  if (telling()) Say("is fenced out");
  replica_->LockLost(Now());
  Perform();
}

// ---- the end of an era ----------------------------------------------------------------------------

void Tab::EndEra(uint64_t connection, uint64_t term, Task over) {
  Buffer state, end;
  if (replica_->EncodeNextEra(&state, &end) != Status::kOk) return over();
  around_.watcher->EraMade(*this, state.view());
  if (telling()) Say("ends era " + std::to_string(era_) + " with " + std::to_string(state.size()) + " bytes");
  const auto done = [this, over = std::move(over)](Stored stored) {
    over();
    CheckpointDone(stored == Stored::kDone ? Stored::kStale : stored);
  };
  around_.database->EndEra(connection, term, era_, std::make_shared<const std::string>(state.view()),
                           std::make_shared<const std::string>(end.view()), cursor_, done);
}

// What the replica knows is of an era that has ended: the next one begins with nothing of it.
void Tab::EnterEra(const JournalContents& contents) {
  std::vector<uint32_t> kept;
  const auto end = contents.ends.find(era_);
  const bool known = end != contents.ends.end() && replica_->KeptAtEnd(*end->second, &kept) == Status::kOk;
  const auto lacks = [&kept](uint32_t seq) {
    for (size_t i = 1; i < kept.size(); i += 2) {
      if (seq >= kept[i] && seq <= kept[i + 1]) return true;
    }
    return seq > kept.front();
  };
  for (const Made& made : unstored_) {
    if (!known) break;
    const bool repeat =
        lacks(made.seq) ? !Planted("lost-writes-not-repeated") : Planted("kept-writes-repeated");
    if (repeat) to_repeat_.push_back(made.edits);
  }
  if (proposal_ && proposal_->era == era_) proposal_->kept = known && !lacks(proposal_->records.back().seq);
  around_.watcher->LeavesEra(*this, /*gives_up=*/!known && !unstored_.empty());
  unstored_.clear();
  if (telling()) {
    Say("goes on in era " + std::to_string(contents.era) + ", with " + std::to_string(to_repeat_.size()) +
        " writes to be written again");
  }
  era_ = contents.era;
  replica_ = std::make_unique<Replica>(*replica_, era_);
  if (replica_->Open(kInitialState, Now()) != Status::kOk) around_.watcher->Fail(*this, "did not open");
}

// The era is entered, and its beginning read.
void Tab::WriteAgain() {
  const bool waits = waits_for_shared();
  since_ = durable_seq_ = shared_seq_ = wanted_shared_ = replica_->seq();
  mirror_->Reset(kInitialState);
  std::vector<std::string> edits;
  edits.swap(to_repeat_);
  Perform();
  for (const std::string& each : edits) {
    if (!ended_) Commit(each);
  }
  if (ended_) return;
  writer_.Use(connection_);
  if (!waits) return;
  wanted_shared_ = replica_->seq();
  AskShared();
}

}  // namespace tabmesh::sim
