// A script of the same origin that is no tab: well-formed frames of made-up content. HAZARDS H17.
#ifndef TABMESH_TESTS_SIM_HOSTILE_H_
#define TABMESH_TESTS_SIM_HOSTILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "crdt/hlc.h"
#include "crdt/op.h"
#include "crdt/stamp.h"
#include "random.h"
#include "wire/frame.h"

namespace tabmesh::sim {

class Hostile {
 public:
  explicit Hostile(uint64_t seed);
  /// Where its frames are heard.
  void EnterEra(uint32_t era) { writer_ = FrameWriter(NamespaceOf("sim", era)); }

  /// A write of somebody who does not exist, or a delta full of them to the tab `to`; stamped `time`, more or
  /// less. Some of it is not JSON. `clears`: with clears that no tab would send.
  std::string Write(Random* random, const InstanceId& to, HlcTime time, bool clears);
  /// Stamps from a far future, or the very last one that a decoder lets pass.
  std::string Stamp(Random* random, const InstanceId& to, bool last);
  /// "I have a million writes of that tab, and of many others."
  std::string Vector(Random* random, const std::vector<InstanceId>& alive);
  /// A delta to the tab `to` that claims to hold writes of `of` which do not exist.
  std::string Claim(const InstanceId& to, const InstanceId& of);
  /// Tabs that do not exist, leaders of terms nobody has stored, farewells in the name of others.
  std::string Presence(Random* random, const std::vector<InstanceId>& alive, uint64_t term);
  /// Positions, acknowledgements, pieces of messages, kinds nobody knows.
  std::string Message(Random* random, const std::vector<InstanceId>& alive);

  /// The largest stamp forged so far.
  HlcTime largest() const { return largest_; }

 private:
  std::string Seal(FrameKind kind, std::string_view body) const;
  std::string Stamped(Random* random, const InstanceId& to, HlcTime stamp, bool clears);
  OpList Ops(Random* random, const WriteId& id, bool clears);

  FrameWriter writer_;
  std::vector<InstanceId> made_up_;
  OpDetail details_[3];  // of the ops being made
  HlcTime largest_ = 0;
};

}  // namespace tabmesh::sim

#endif  // TABMESH_TESTS_SIM_HOSTILE_H_
