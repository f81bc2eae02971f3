// Replicas that a fuzzer's input drives: every byte picks an edit of some sort.
#ifndef TABMESH_TESTS_FUZZ_REPLICAS_H_
#define TABMESH_TESTS_FUZZ_REPLICAS_H_

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "json/parse.h"
#include "replica/replica.h"

namespace tabmesh::fuzz {

inline constexpr uint64_t kNow = 1'700'000'000'000;

inline std::unique_ptr<Replica> Open(uint8_t id) {
  ReplicaOptions options;
  options.name = "fuzz";
  options.instance.bytes[0] = id;
  options.strategies = {{"whole", Strategy::kLastWriteWins},
                        {"first", Strategy::kFirstWriteWins},
                        {"resolved", Strategy::kResolve},
                        {"asked", Strategy::kPrompt}};
  options.lists = {{"list", "id"}};
  auto replica = std::make_unique<Replica>(options);
  if (replica->Open(R"({"tree":{"b":1},"list":[{"id":1}],"n":1,"asked":"?"})", kNow) != Status::kOk)
    std::abort();
  return replica;
}

inline std::string_view EditsOf(uint8_t choice) {
  static constexpr std::string_view kEdits[] = {
      R"([[["tree","a"],1]])",
      R"([[["tree","a","b"],[2]],[["tree","c"]]])",
      R"([[["tree"],{"c":{}},1]])",
      R"([[["tree"]]])",
      R"([[["tree","n"],2,2]])",
      R"([[["n"],-3,2]])",
      R"([[["n"],10]])",
      R"([[["whole"],{"x":1}]])",
      R"([[["first"],"a"]])",
      R"([[["first"]]])",
      R"([[["asked"],"c"]])",
      R"([[["asked"]]])",
      R"([[["resolved"],{"d":[1]}]])",
      R"([[["list"],[{"id":1,"x":1},{"id":"two"}]]])",
      R"([[["list"],[{"id":"two","y":{}},{"id":3},{"id":1}]]])",
      R"([[["list","1","x"],5]])",
      R"([[["list"],[]]])",
      R"([[["list"],"none"]])",
  };
  return kEdits[choice % std::size(kEdits)];
}

// What readers are told must be readable, whatever came in.
inline void CheckChanges(Replica* replica) {
  JsonParser parser;
  CallArena arena;
  Edit* edit = nullptr;
  const std::string_view changes = replica->actions()->changes.view();
  if (!changes.empty() && parser.ParseEdits(changes, &arena, &edit) != Status::kOk) std::abort();
  replica->actions()->Clear();
}

// Whatever happened before, a replica takes a write and shows it.
inline void CheckWorks(Replica* replica) {
  replica->Restored(/*alone=*/true, kNow);
  CheckChanges(replica);
  uint32_t seq = 0;
  if (replica->LocalSet(R"([[["still"],"works"]])", kNow, &seq) != Status::kOk) std::abort();
  Buffer state;
  replica->PrintState(&state);
  if (state.view().find("\"still\":\"works\"") == std::string_view::npos) std::abort();
  Buffer conflicts;
  replica->PrintConflicts(&conflicts);
}

// Writes; returns the record, empty when nothing had to change.
inline std::string Write(Replica* replica, uint8_t choice) {
  uint32_t seq = 0;
  (void)replica->LocalSet(EditsOf(choice), kNow + choice % 3, &seq);
  std::string record;
  if (!replica->actions()->records.empty()) record = std::string(replica->actions()->records[0].view());
  replica->actions()->Clear();
  return record;
}

}  // namespace tabmesh::fuzz

#endif  // TABMESH_TESTS_FUZZ_REPLICAS_H_
