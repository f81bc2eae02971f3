// Database: what befalls it.
#include <algorithm>
#include <utility>

#include "database.h"

namespace tabmesh::sim {

namespace {

std::string Flipped(const std::string& bytes, Random* random) {
  std::string changed(bytes);
  const uint64_t at = random->Below(changed.size());
  changed[at] = static_cast<char>(changed[at] ^ (1 << random->Below(8)));
  return changed;
}

}  // namespace

void Database::PageGone(Page* page, bool crashed) {
  std::vector<std::shared_ptr<Transaction>> own;
  for (const auto& transaction : running_) {
    if (transaction->page == page) own.push_back(transaction);
  }
  const size_t kept = crashed ? random_.Below(own.size() + 1) : own.size();
  for (size_t i = 0; i < own.size(); ++i) own[i]->aborted |= i >= kept || own[i]->needs_page;
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    connection = connection->second.page == page ? connections_.erase(connection) : std::next(connection);
  }
}

void Database::Stall(uint64_t ms) { busy_until_ms_ = std::max(busy_until_ms_, events_->now_ms()) + ms; }

bool Database::LoseConnection(Page* page) {
  bool any = false;
  for (auto& [number, connection] : connections_) {
    if (connection.page != page || !connection.open) continue;
    connection.open = false;
    any = true;
    AbortAll(number);
    events_->After(1, [this, page, number = number] { page->Enter([this, number] { Notice(number); }); });
  }
  return any;
}

void Database::BrowserGone(bool power) {
  const size_t kept = power ? 0 : random_.Below(running_.size() + 1);
  for (size_t i = 0; i < running_.size(); ++i) {
    running_[i]->aborted |= i >= kept || running_[i]->needs_page;
  }
  connections_.clear();
  full_until_ms_ = 0;
  if (!power) return;
  const uint64_t last = random_.Between(flushed_key_, last_key());
  while (!records_.empty() && records_.back().key > last) {
    const Record& lost = records_.back().record;
    uint32_t& newest = newest_[lost.instance];
    newest = std::min(newest, lost.seq - 1);
    records_.pop_back();
  }
  next_key_ = last + 1;
  std::erase_if(transactions_, [last](const auto& known) { return known.second > last; });
  watcher_->SuffixLost(last);
}

void Database::Evict() {
  ++generation_;
  next_key_ = 1;
  flushed_key_ = 0;
  records_.clear();
  newest_.clear();
  pieces_.clear();
  named_.clear();
  damaged_number_ = 0;
  term_ = 0;
  era_ = 0;
  ends_.clear();
  transactions_.clear();
  watcher_->Evicted();
  std::vector<Page*> pages;
  for (auto& [number, connection] : connections_) {
    if (connection.open) pages.push_back(connection.page);
  }
  for (Page* page : pages) LoseConnection(page);
}

bool Database::FlipRecord(Random* random) {
  if (records_.empty()) return false;
  StoredRecord& stored = records_[random->Below(records_.size())];
  if (stored.flipped) return false;
  stored.flipped = true;
  stored.record.bytes = std::make_shared<const std::string>(Flipped(*stored.record.bytes, random));
  watcher_->RecordFlipped(stored.record.instance, stored.record.seq);
  return true;
}

bool Database::DamageCheckpoint(Random* random) {
  if (named_.empty() || IsNamed(damaged_number_)) return false;
  const uint64_t number = named_[random->Below(named_.size())].number;
  const auto piece = pieces_.lower_bound(number * kPiecesMax);
  if (piece == pieces_.end() || piece->first >= (number + 1) * kPiecesMax) return false;
  damaged_number_ = number;
  piece->second = std::make_shared<const std::string>(Flipped(*piece->second, random));
  return true;
}

}  // namespace tabmesh::sim
