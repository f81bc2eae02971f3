// What a run has been found guilty of: the first violation counts.
#ifndef TABMESH_TESTS_SIM_VERDICT_H_
#define TABMESH_TESTS_SIM_VERDICT_H_

#include <cstdint>
#include <string>
#include <utility>

namespace tabmesh::sim {

class Verdict {
 public:
  void Fail(uint64_t at_ms, std::string what) {
    if (!good()) return;
    at_ms_ = at_ms;
    what_ = std::move(what);
  }
  bool good() const { return what_.empty(); }
  const std::string& what() const { return what_; }
  uint64_t at_ms() const { return at_ms_; }

 private:
  uint64_t at_ms_ = 0;
  std::string what_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_VERDICT_H_
