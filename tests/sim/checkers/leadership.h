// One leader a term, terms that grow, one leader in the end.
#ifndef TABMESH_TESTS_SIM_CHECKERS_LEADERSHIP_H_
#define TABMESH_TESTS_SIM_CHECKERS_LEADERSHIP_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../tab.h"

namespace tabmesh::sim {

class Leadership {
 public:
  /// A term was stored: none twice, none below an earlier one.
  std::string TermStored(uint64_t term);
  /// After a call: nobody else leads this term, and the largest term known never falls.
  std::string Called(const Tab& tab);
  /// Stored terms begin again with the database. Who was there before may still believe in an old one, until
  /// it looks.
  void Evicted(uint32_t tabs_so_far);

  /// After the quiet time.
  std::string CheckOne(const std::vector<const Tab*>& tabs) const;

 private:
  uint64_t newest_ = 0;
  uint32_t old_tabs_ = 0;
  std::map<uint64_t, uint32_t> leaders_;     // by term, the tab's number
  std::map<uint32_t, uint64_t> terms_seen_;  // by the tab's number
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_LEADERSHIP_H_
