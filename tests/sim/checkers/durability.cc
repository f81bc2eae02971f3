#include "durability.h"

#include <algorithm>
#include <utility>

namespace tabmesh::sim {

namespace {

ReplicaOptions Observer(uint8_t number, uint32_t era) {
  ReplicaOptions options;
  options.name = "sim";
  options.era = era;
  options.instance.bytes.fill(number);
  options.may_lead = false;
  ChooseStrategies(&options);
  return options;
}

}  // namespace

uint32_t Durability::Writer::DurableUpTo(uint64_t cursor) const {
  auto last = acknowledged.rbegin();
  while (last != acknowledged.rend() && last->key > cursor) ++last;
  if (last == acknowledged.rend()) return 0;
  // What follows a damaged record may wait for a tab that still has it.
  const bool waits = cursor != kEnd && !flipped.empty() && *flipped.begin() <= last->seq;
  return waits ? *flipped.begin() - 1 : last->seq;
}

void Durability::Wrote(const Record& record) {
  if (record.era != era_) return;  // never to be stored
  Writer& writer = writers_[record.instance];
  if (writer.records.size() < record.seq) writer.records.resize(record.seq);
  Bytes& place = writer.records[record.seq - 1];
  if (place != nullptr && *place != *record.bytes) ambiguous_ = writer.ambiguous = true;
  // Who still has the one of a database that was evicted will not take another of its name.
  const auto earlier = earlier_.find({record.era, record.instance, record.seq});
  if (earlier != earlier_.end() && *earlier->second != *record.bytes) ambiguous_ = writer.ambiguous = true;
  place = record.bytes;
}

void Durability::Durable(const InstanceId& instance, uint32_t seq, uint64_t last_key) {
  Writer& writer = writers_[instance];
  // The word of a transaction may come after that of writes which were stored later, and have waited for it.
  writer.last_key = std::max(writer.last_key, last_key);
  std::vector<Acknowledged>& acknowledged = writer.acknowledged;
  if (acknowledged.empty() || acknowledged.back().seq < seq) acknowledged.push_back({seq, writer.last_key});
}

void Durability::SuffixLost(uint64_t last_key) {
  for (auto& [id, writer] : writers_) {
    while (!writer.acknowledged.empty() && writer.acknowledged.back().key > last_key) {
      writer.acknowledged.pop_back();
    }
  }
}

void Durability::RecordFlipped(const InstanceId& instance, uint32_t seq) {
  writers_[instance].flipped.insert(seq);
}

void Durability::Evicted() {
  Forget();
  era_ = 0;
  beginning_.reset();
}

void Durability::Forget() {
  for (const auto& [id, writer] : writers_) {
    for (uint32_t seq = 1; seq <= writer.records.size(); ++seq) {
      if (const Bytes& record = writer.records[seq - 1]) earlier_[{era_, id, seq}] = record;
    }
  }
  writers_.clear();
}

std::string Durability::EraEnded(const VersionVector& kept, uint32_t next, Bytes beginning) {
  for (auto& [id, writer] : writers_) {
    if (writer.acknowledged.empty()) continue;
    const uint32_t seq = writer.acknowledged.back().seq;
    const bool lost = kept.WholeOf(id) < seq;
    if (lost && !writer.ambiguous && writer.flipped.empty()) return "a durable write is lost with its era";
    durable_before_ += seq;
  }
  Forget();
  era_ = next;
  beginning_ = std::move(beginning);
  return {};
}

std::string Durability::CheckRead(const Tab& tab, uint64_t cursor) const {
  for (const auto& [id, writer] : writers_) {
    if (writer.ambiguous) continue;
    const uint32_t seq = writer.DurableUpTo(cursor);
    if (tab.replica()->vector().WholeOf(id) >= seq) continue;
    Buffer hex;
    PrintHex(id.view().substr(0, 4), &hex);
    return tab.Name() + " has read the journal, but not the durable write " + std::to_string(seq) + " of " +
           std::string(hex.view()) + "…";
  }
  return {};
}

std::string Durability::CheckFound(const Replica& replica, uint64_t cursor) const {
  Buffer everything;
  if (replica.EncodeCheckpoint(&everything) != Status::kOk) return "a checkpoint cannot be made";
  Replica copy(Observer(0xfe, replica.options().era));
  if (copy.Open(kInitialState, 0) != Status::kOk || copy.Restore(everything.view(), 0) != Status::kOk) {
    return "a checkpoint cannot be read back";
  }
  if (copy.digest() != replica.digest()) return "a checkpoint read back has another digest";

  Replica durable(Observer(0xff, replica.options().era));
  if (durable.Open(kInitialState, 0) != Status::kOk) return "an observer did not open";
  if (beginning_ != nullptr) (void)durable.Restore(*beginning_, 0);
  for (const auto& [id, writer] : writers_) {
    if (writer.ambiguous) continue;
    // Who had not read a database that was evicted may store in the next one what it has written before.
    const uint32_t last = writer.DurableUpTo(cursor);
    for (uint32_t seq = 1; seq <= last && seq <= writer.records.size(); ++seq) {
      const Bytes& record = writer.records[seq - 1];
      if (record != nullptr && writer.flipped.count(seq) == 0) (void)durable.Restore(*record, 0);
    }
  }
  durable.Restored(/*alone=*/true, 0);
  Buffer required;
  if (durable.EncodeCheckpoint(&required) != Status::kOk) return "a checkpoint cannot be made";
  if (copy.Restore(required.view(), 0) != Status::kOk) return "the durable writes cannot be merged";
  // Where one name means two writes, a tab leaves out what the one has overwritten, and another that has the
  // other one never hears of it.
  if (copy.digest() == replica.digest() || ambiguous_) return {};
  return "a durable write is missing: merging all of them once more changes the state";
}

std::string Durability::CheckSettled(const Tab& tab) const {
  if (tab.durable_seq() != tab.replica()->seq()) {
    return "write " + std::to_string(tab.replica()->seq()) + " of " + tab.Name() +
           " never became durable: storage works, but only " + std::to_string(tab.durable_seq()) + " are";
  }
  if (tab.waits_for_shared()) return tab.Name() + " still waits for its writes to be shared";
  return {};
}

uint64_t Durability::durable_writes() const {
  uint64_t sum = durable_before_;
  for (const auto& [id, writer] : writers_) {
    if (!writer.acknowledged.empty()) sum += writer.acknowledged.back().seq;
  }
  return sum;
}

}  // namespace tabmesh::sim
