// Stamps grow, and no further ahead than somebody's clock has ever been.
#ifndef TABMESH_TESTS_SIM_CHECKERS_CLOCKS_H_
#define TABMESH_TESTS_SIM_CHECKERS_CLOCKS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "../tab.h"
#include "wire/frame.h"

namespace tabmesh::sim {

class Clocks {
 public:
  /// A time from outside: a stamp that somebody has made up.
  void Forged(HlcTime time) { largest_ = std::max(largest_, time); }

  std::string Called(const Tab& tab) {
    largest_ = std::max(largest_, HlcFromMs(std::min(tab.Now(), kClockMsMax)));
    HlcTime& last = last_[tab.number()];
    const HlcTime now = tab.replica()->clock().last();
    if (now < last) return "the clock of " + tab.Name() + " has gone back";
    last = now;
    // Every write may add one to what it has seen.
    if (now > largest_ + writes_) return "the clock of " + tab.Name() + " is ahead of every wall clock";
    return {};
  }

  /// A write that was not made may have taken a stamp.
  void Refused() { ++writes_; }

  std::string Wrote(const Tab& tab, const Record& record) {
    ++writes_;
    Reader reader(std::string_view(*record.bytes).substr(kFrameHeadBytes + InstanceId::kBytes));
    const HlcTime stamp = reader.Fixed64();
    HlcTime& last = stamps_[tab.number()];
    if (stamp <= last) return "a stamp of " + tab.Name() + " is not above the one before";
    last = stamp;
    return {};
  }

 private:
  HlcTime largest_ = 0;
  uint64_t writes_ = 1;  // the one that is being made is counted when it is told
  std::map<uint32_t, HlcTime> last_;
  std::map<uint32_t, HlcTime> stamps_;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_CHECKERS_CLOCKS_H_
