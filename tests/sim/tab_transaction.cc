// Tab: transactions, as js-glue/transactions.ts makes them.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/plant.h"
#include "tab.h"

namespace tabmesh::sim {

namespace {
constexpr uint32_t kAttemptsMax = 8;
constexpr uint64_t kRetryFirstMs = 20;
constexpr uint64_t kRetryLastMs = 2000;
}  // namespace

void Tab::Transact(uint64_t id) {
  if (ended_ || !running() || !hydrated_ || transacting_) return;
  transacting_ = true;
  proposed_ = 0;
  TryTransaction(id, 0);
}

void Tab::TryTransaction(uint64_t id, uint32_t attempt) {
  if (ended_) return;
  if (attempt == kAttemptsMax) return Conclude(id, /*committed=*/false);
  const auto again = [this, id](uint32_t next) {
    After(kRetryFirstMs << next, [this, id, next] { TryTransaction(id, next); });
  };
  if (away_) return again(attempt);
  OpenJournal([this, id, attempt, again] {
    if (ended_) return;
    if (connection_ == 0 || generation_ == 0) return again(attempt + 1);
    around_.database->Transact(
        connection_, cursor_, era_, id,
        [this, id](const JournalContents& contents, bool known) { return Exchanged(contents, id, known); },
        [this, id, attempt, again](const Appended& appended) {
          if (ended_) return;
          if (!appended.ok) return proposal_ ? AskJournal(id, attempt, 0) : again(attempt + 1);
          if (proposal_) SettleProposal(/*stored=*/true, appended);
          Conclude(id, /*committed=*/true);
        });
  });
}

// Within the transaction of the database: what this tab has not read, then what it writes.
Exchange Tab::Exchanged(const JournalContents& contents, uint64_t id, bool known) {
  const Exchange nothing = {/*gives_up=*/true, {}, nullptr};
  if (ended_ || away_) return nothing;
  if (contents.generation != generation_) return End("finds another generation of the store"), nothing;
  if (contents.era != era_) {
    EnterEra(contents);
    RestoreAll(contents);
    writer_.BeginEra(era_, replica_->seq());
    replica_->Restored(/*alone=*/true, Now());
    WriteAgain();
  } else {
    RestoreAll(contents);
    replica_->Restored(/*alone=*/false, Now());
    Perform();
  }
  if (ended_) return nothing;
  if (known && !Planted("transaction-id-forgotten")) return {};
  const auto& members = mirror_->root().members;
  const auto ledger = members.find("ledger");
  const uint64_t before =
      ledger == members.end() ? 0 : std::strtoull(ledger->second.text.c_str(), nullptr, 10);
  const std::string edits = R"([[["ledger"],)" + std::to_string(before + 1) + "]]";
  Buffer bytes;
  const Status status = replica_->Propose(edits, Now(), &bytes);
  if (status != Status::kOk)
    around_.watcher->Fail(*this, "refused the transaction " + edits + ": " + StatusName(status));
  const Record own = {std::make_shared<const std::string>(bytes.view()), options_.id, replica_->seq() + 1,
                      era_, since_};
  proposed_ = own.seq;
  proposed_in_ = era_;
  if (telling()) Say("proposes " + edits + " as number " + std::to_string(own.seq));
  around_.watcher->Proposed(*this, own);
  proposal_ = {writer_.Unstored(), era_};
  proposal_->records.push_back(own);
  holding_ = true;
  Perform();
  return {false, proposal_->records, [this, own, id, before](uint64_t last_key) {
            around_.watcher->Transacted(own, id, before, last_key);
          }};
}

// The connection may have ended after the commit: only the journal knows. Its number is nobody else's until
// then.
void Tab::AskJournal(uint64_t id, uint32_t attempt, uint32_t asked) {
  if (ended_) return;
  RestoreFromJournal([this, id, attempt, asked](Restored restored) {
    if (ended_) return;
    if (restored == Restored::kErased) return End("finds another generation of the store");
    if (restored == Restored::kFailed || (away_ && proposal_->era == era_)) {
      PassOver();
      return After(std::min(kRetryFirstMs << std::min(asked, 10u), kRetryLastMs),
                   [this, id, attempt, asked] { AskJournal(id, attempt, asked + 1); });
    }
    const bool stored =
        proposal_->era == era_ ? replica_->HasOwn(proposal_->records.back().seq) : proposal_->kept;
    SettleProposal(stored, {true, false, cursor_, generation_, era_});
    if (stored) return Conclude(id, /*committed=*/true);
    TryTransaction(id, attempt + 1);
  });
}

void Tab::SettleProposal(bool stored, const Appended& appended) {
  const Proposal settled = *std::exchange(proposal_, std::nullopt);
  if (settled.era == era_ && stored) {
    replica_->Accept(Now());
    Perform();
    if (!ended_) writer_.Stored(settled.records, appended);
  } else if (settled.era == era_) {
    Buffer empty;
    replica_->Withdraw(Now(), &empty);
    if (empty.size() > 0 && !Planted("number-left-open")) {
      const Record record = {std::make_shared<const std::string>(empty.view()), options_.id,
                             settled.records.back().seq, era_, since_};
      around_.watcher->Wrote(*this, record);
      writer_.Push(record, visible_);
    }
    Perform();
  }
  holding_ = false;
  CommitEarly();
}

void Tab::PassOver() {
  if (!holding_) return;
  holding_ = false;
  if (Planted("suspended-transaction-counts")) {
    replica_->Accept(Now());
    Perform();
  } else {
    replica_->PassOver();
  }
  CommitEarly();
}

void Tab::Conclude(uint64_t id, bool committed) {
  transacting_ = false;
  around_.watcher->Concluded(*this, {id, committed, options_.id, proposed_, proposed_in_});
}

}  // namespace tabmesh::sim
