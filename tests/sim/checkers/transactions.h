// Transactions take effect one after the other, each at the moment when it is stored, and each reads what the
// one before has left: linearizability (Herlihy, Wing, 1990) with the points named by the database.
#ifndef TABMESH_TESTS_SIM_CHECKERS_TRANSACTIONS_H_
#define TABMESH_TESTS_SIM_CHECKERS_TRANSACTIONS_H_

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../tab.h"

namespace tabmesh::sim {

class Transactions {
 public:
  std::string Stored(const Record& record, uint64_t id, uint64_t before, uint64_t key) {
    if (id != 0 && Find(id) != nullptr) return "transaction " + std::to_string(id) + " is done twice";
    const uint64_t count = stored_.size();
    stored_.push_back({id, record.instance, record.seq, record.era, key});
    if (before == count) return {};
    return "a transaction finds " + std::to_string(before) + " in the ledger after " + std::to_string(count) +
           " others";
  }

  std::string Concluded(const Tab& tab, const TransactionEnd& end) const {
    bool own = false;
    for (const Entry& entry : stored_)
      own |= entry.instance == end.instance && entry.seq == end.seq && entry.era == end.era;
    const bool done = own || (end.id != 0 && Find(end.id) != nullptr);
    if (end.committed && !done) return tab.Name() + " calls a transaction committed that was never stored";
    if (!end.committed && own) return tab.Name() + " calls a transaction failed that is stored";
    return {};
  }

  /// After the quiet time, of a tab that lives.
  std::string CheckSettled(const Tab& tab) const {
    if (tab.transacting()) return "a transaction of " + tab.Name() + " has never ended";
    const auto& members = tab.mirror().root().members;
    const auto ledger = members.find("ledger");
    const uint64_t shown =
        ledger == members.end() ? 0 : std::strtoull(ledger->second.text.c_str(), nullptr, 10);
    if (shown == stored_.size()) return {};
    return tab.Name() + " shows " + std::to_string(shown) + " in the ledger after " +
           std::to_string(stored_.size()) + " transactions";
  }

  // What the contract does not promise.
  void SuffixLost(uint64_t last_key) {
    while (!stored_.empty() && stored_.back().key > last_key) stored_.pop_back();
  }

  uint64_t count() const { return stored_.size(); }

 private:
  struct Entry {
    uint64_t id;
    InstanceId instance;
    uint32_t seq;
    uint32_t era;  // numbers begin anew with each
    uint64_t key;
  };

  const Entry* Find(uint64_t id) const {
    for (const Entry& entry : stored_) {
      if (entry.id == id) return &entry;
    }
    return nullptr;
  }

  std::vector<Entry> stored_;  // in the order of the database
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_TRANSACTIONS_H_
