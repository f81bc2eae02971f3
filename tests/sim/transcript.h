// An account of a run that a stranger can follow: one line an event, with the time and who it is about.
#ifndef TABMESH_TESTS_SIM_TRANSCRIPT_H_
#define TABMESH_TESTS_SIM_TRANSCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace tabmesh::sim {

/// Keeps the last lines. Off, it costs nothing: a failing seed is run once more with it.
class Transcript {
 public:
  /// 0 lines: off.
  explicit Transcript(size_t lines_max) : lines_max_(lines_max) {}
  bool on() const { return lines_max_ > 0; }

  /// "00:00:03.120 tab 3 (leader, term 5) crashes"
  void Say(uint64_t at_ms, std::string_view who, std::string_view what);
  std::string Text() const;

 private:
  size_t lines_max_;
  uint64_t forgotten_ = 0;
  std::deque<std::string> lines_;
};

/// "00:00:03.120"
std::string PrintTime(uint64_t at_ms);

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_TRANSCRIPT_H_
