// What the tests of whole replicas share.
#ifndef TABMESH_TESTS_UNIT_REPLICAS_H_
#define TABMESH_TESTS_UNIT_REPLICAS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "replica/replica.h"

namespace tabmesh {

inline constexpr uint64_t kNow = 1'700'000'000'000;

inline ReplicaOptions OptionsOf(uint8_t id) {
  ReplicaOptions options;
  options.name = "test";
  options.instance.bytes[0] = id;
  return options;
}

/// A page that has not read its storage yet.
inline std::unique_ptr<Replica> Make(uint8_t id, std::string_view initial = "{}", bool may_lead = true) {
  ReplicaOptions options = OptionsOf(id);
  options.may_lead = may_lead;
  auto replica = std::make_unique<Replica>(options);
  EXPECT_EQ(replica->Open(initial, kNow), Status::kOk);
  return replica;
}

/// A page that is alone.
inline std::unique_ptr<Replica> MakeReady(const ReplicaOptions& options, std::string_view initial = "{}") {
  auto replica = std::make_unique<Replica>(options);
  EXPECT_EQ(replica->Open(initial, kNow), Status::kOk);
  replica->Restored(/*alone=*/true, kNow);
  replica->actions()->Clear();
  return replica;
}

inline std::unique_ptr<Replica> MakeReady(uint8_t id, std::string_view initial = "{}") {
  return MakeReady(OptionsOf(id), initial);
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

/// Delivers what each wants sent to all others, and their answers, until all are silent.
inline void Exchange(const std::vector<Replica*>& replicas) {
  for (bool sent = true; sent;) {
    sent = false;
    for (Replica* from : replicas) {
      std::vector<Buffer> frames;
      frames.swap(from->actions()->frames);
      from->actions()->Clear();
      for (const Buffer& frame : frames) {
        sent = true;
        for (Replica* to : replicas) {
          if (to != from) to->Receive(frame.view(), kNow);
        }
      }
    }
  }
}

}  // namespace tabmesh

#endif  // TABMESH_TESTS_UNIT_REPLICAS_H_
