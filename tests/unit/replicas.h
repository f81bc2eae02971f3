// What the tests of whole replicas share.
#ifndef TABMESH_TESTS_UNIT_REPLICAS_H_
#define TABMESH_TESTS_UNIT_REPLICAS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "replica/replica.h"

namespace tabmesh {

inline constexpr uint64_t kNow = 1'700'000'000'000;

inline ReplicaOptions OptionsOf(uint8_t id) {
  ReplicaOptions options;
  options.name = "test";
  options.instance.bytes[0] = id;
  return options;
}

/// A page that is alone.
inline std::unique_ptr<Replica> MakeReady(const ReplicaOptions& options, std::string_view initial = "{}") {
  auto replica = std::make_unique<Replica>(options);
  EXPECT_EQ(replica->Open(initial, kNow), Status::kOk);
  replica->Restored(/*alone=*/true, kNow);
  replica->actions()->Clear();
  return replica;
}

inline std::string State(const Replica& replica) {
  Buffer out;
  replica.PrintState(&out);
  return std::string(out.view());
}

inline std::string Events(Replica* replica) { return std::string(replica->actions()->events.view()); }

/// Writes; returns the frame, which is also the record.
inline std::string Set(Replica* replica, std::string_view edits, uint64_t now = kNow) {
  uint32_t seq = 0;
  EXPECT_EQ(replica->LocalSet(edits, now, &seq), Status::kOk) << edits;
  if (replica->actions()->records.empty()) return {};
  const std::string record(replica->actions()->records[0].view());
  replica->actions()->Clear();
  return record;
}

/// Delivers what `from` wants sent.
inline void Deliver(Replica* from, Replica* to, uint64_t now = kNow) {
  for (const Buffer& frame : from->actions()->frames) to->Receive(frame.view(), now);
  from->actions()->Clear();
}

}  // namespace tabmesh

#endif  // TABMESH_TESTS_UNIT_REPLICAS_H_
