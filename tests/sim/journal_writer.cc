#include "journal_writer.h"

#include <algorithm>
#include <utility>

namespace tabmesh::sim {

namespace {
constexpr uint64_t kRetryFirstMs = 50;
constexpr uint64_t kRetryLastMs = 5000;
constexpr uint64_t kLaterMs = 2;
// Smaller than in the browser, as the records are.
constexpr size_t kTransactionBytes = 2048;

void Sort(std::vector<Record>* records) {
  std::stable_sort(records->begin(), records->end(),
                   [](const Record& a, const Record& b) { return a.seq < b.seq; });
}

}  // namespace

JournalWriter::JournalWriter(Page* page, Database* database, Durable durable, Task stale)
    : page_(page),
      database_(database),
      durable_(std::move(durable)),
      stale_(std::move(stale)),
      retry_ms_(kRetryFirstMs) {}

void JournalWriter::Push(Record record, bool visible) {
  waiting_.push_back(std::move(record));
  if (retry_ != 0 || scheduled_) return;
  scheduled_ = true;
  const auto later = [this] {
    scheduled_ = false;
    if (retry_ == 0) Next();
  };
  if (visible) {
    page_->After(kLaterMs, later);
  } else {
    page_->Soon(later);
  }
}

std::vector<Record> JournalWriter::Unstored() const {
  std::vector<Record> records;
  for (const auto& [number, batch] : under_way_) {
    records.insert(records.end(), batch.begin(), batch.end());
  }
  records.insert(records.end(), waiting_.begin(), waiting_.end());
  Sort(&records);
  return records;
}

void JournalWriter::Stored(const std::vector<Record>& records, const Appended& appended) {
  std::erase_if(waiting_, [&records](const Record& record) {
    return std::any_of(records.begin(), records.end(),
                       [&record](const Record& other) { return other.seq == record.seq; });
  });
  Store(records, appended);
}

void JournalWriter::FlushNow() {
  if (connection_ == 0) return;
  while (!waiting_.empty()) Begin();
}

void JournalWriter::BeginEra(uint32_t era, uint32_t seq) {
  era_ = era;
  waiting_.clear();
  under_way_.clear();
  stored_early_.clear();
  stored_ = seq;
  running_ = 0;
  retry_ = 0;
  retry_ms_ = kRetryFirstMs;
}

void JournalWriter::Use(uint64_t connection) {
  connection_ = connection;
  if (connection_ != 0) Next();
}

void JournalWriter::Close() {
  retry_ = 0;
  connection_ = 0;
}

void JournalWriter::Begin() {
  if (connection_ == 0 || waiting_.empty()) return;
  size_t bytes = 0;
  size_t count = 0;
  while (count < waiting_.size() &&
         (count == 0 || bytes + waiting_[count].bytes->size() <= kTransactionBytes)) {
    bytes += waiting_[count++].bytes->size();
  }
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<Record> batch(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  ++running_;
  const uint64_t number = next_batch_++;
  under_way_[number] = batch;
  database_->Append(connection_, era_, batch, [this, batch, number, era = era_](const Appended& appended) {
    if (era != era_) return;
    --running_;
    under_way_.erase(number);
    if (appended.ok) {
      Store(batch, appended);
    } else {
      Failed(batch);
      if (appended.stale) stale_();
    }
  });
}

void JournalWriter::Next() {
  retry_ = 0;
  if (running_ == 0) Begin();
}

// Durable means: everything up to this number, so a batch that overtook a failed one has to wait.
void JournalWriter::Store(const std::vector<Record>& batch, const Appended& appended) {
  retry_ms_ = kRetryFirstMs;
  for (const Record& record : batch) stored_early_.insert(record.seq);
  while (stored_early_.erase(stored_ + 1) > 0) ++stored_;
  durable_(stored_, appended);
  Next();
}

void JournalWriter::Failed(const std::vector<Record>& batch) {
  waiting_.insert(waiting_.begin(), batch.begin(), batch.end());
  Sort(&waiting_);
  const uint64_t retry = retry_ = next_retry_++;
  page_->After(retry_ms_, [this, retry] {
    if (retry_ == retry) Next();
  });
  retry_ms_ = std::min(retry_ms_ * 2, kRetryLastMs);
}

}  // namespace tabmesh::sim
