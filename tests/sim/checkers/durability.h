// A write that was called durable is found by everybody, whatever has happened since.
#ifndef TABMESH_TESTS_SIM_CHECKERS_DURABILITY_H_
#define TABMESH_TESTS_SIM_CHECKERS_DURABILITY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "../tab.h"

namespace tabmesh::sim {

class Durability {
 public:
  static constexpr uint64_t kEnd = UINT64_MAX;

  void Wrote(const Record& record);
  void Durable(const InstanceId& instance, uint32_t seq, uint64_t last_key);

  // What the contract does not promise.
  /// Power loss takes transactions that were complete, but not strict (HAZARDS H22).
  void SuffixLost(uint64_t last_key);
  /// A record that the disk has changed is lost with the tabs that have it in memory.
  void RecordFlipped(const InstanceId& instance, uint32_t seq);
  /// Eviction takes everything but what live tabs hold (HAZARDS H29).
  void Evicted();
  /// The next era begins with these writes, under another name, as `beginning`.
  std::string EraEnded(const VersionVector& kept, uint32_t next, Bytes beginning);

  /// Whether two writes went under one name: then only one of them is found in the journal.
  bool ambiguous() const { return ambiguous_; }

  /// A tab has read the journal up to `cursor`.
  std::string CheckRead(const Tab& tab, uint64_t cursor) const;
  /// Merging all durable writes that have keys up to `cursor` once more into the state must not change it.
  std::string CheckFound(const Replica& replica, uint64_t cursor = kEnd) const;
  /// A record is stored while an earlier one of its instance is not: what has read it is looked at closely.
  void HoleMade() { has_hole_ = true; }
  bool has_hole() const { return has_hole_; }
  /// After the quiet time nothing waits for storage or for other tabs.
  std::string CheckSettled(const Tab& tab) const;

  uint64_t durable_writes() const;

 private:
  struct Acknowledged {
    uint32_t seq;
    uint64_t key;  // all records up to `seq` have keys up to this
  };
  struct Writer {
    std::vector<Bytes> records;  // by seq - 1
    std::vector<Acknowledged> acknowledged;
    uint64_t last_key = 0;  // of all that is known to be stored
    std::set<uint32_t> flipped;
    bool ambiguous = false;

    uint32_t DurableUpTo(uint64_t cursor) const;
  };
  /// What the writers of this era and database have written is asked of nobody any more.
  void Forget();

  std::map<InstanceId, Writer> writers_;
  std::map<std::tuple<uint32_t, InstanceId, uint32_t>, Bytes> earlier_;  // by era and number
  uint32_t era_ = 0;
  Bytes beginning_;  // of the era, when it is not the first
  bool ambiguous_ = false;
  bool has_hole_ = false;
  uint64_t durable_before_ = 0;  // in eras that have ended
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_DURABILITY_H_
