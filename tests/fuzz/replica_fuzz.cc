// Any bytes from a channel or a disk: nothing may crash, and the replica goes on working.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "json/parse.h"
#include "replica/replica.h"

namespace {

// What readers are told must be readable, whatever came in.
void CheckChanges(tabmesh::Replica* replica) {
  tabmesh::JsonParser parser;
  tabmesh::CallArena arena;
  tabmesh::Edit* edit = nullptr;
  const std::string_view changes = replica->actions()->changes.view();
  if (!changes.empty() && parser.ParseEdits(changes, &arena, &edit) != tabmesh::Status::kOk) std::abort();
  replica->actions()->Clear();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  constexpr uint64_t kNow = 1'700'000'000'000;
  ReplicaOptions options;
  options.name = "fuzz";
  options.instance.bytes[0] = 1;
  Replica replica(options);
  if (replica.Open(R"({"a":{"b":1}})", kNow) != Status::kOk) std::abort();
  const bool restore = size > 0 && (data[0] & 1) != 0;
  if (!restore) replica.Restored(/*alone=*/true, kNow);
  // The input is a list of (length, kind, body): each becomes a frame with a right checksum.
  Reader input(std::string_view(reinterpret_cast<const char*>(data), size));
  (void)input.Byte();
  const FrameWriter writer(NamespaceOf(options.name));
  while (input.ok() && input.left() > 2) {
    const size_t length = input.Byte() | static_cast<size_t>(input.Byte()) << 8;
    const auto kind = static_cast<FrameKind>(input.Byte() % 10);
    Buffer frame;
    writer.Begin(kind, &frame);
    frame.Append(input.Take(length < input.left() ? length : input.left()));
    FrameWriter::End(0, &frame);
    if (restore) {
      (void)replica.Restore(frame.view(), kNow);
    } else {
      replica.Receive(frame.view(), kNow);
    }
    CheckChanges(&replica);
  }
  replica.Restored(/*alone=*/true, kNow);
  CheckChanges(&replica);
  uint32_t seq = 0;
  if (replica.LocalSet(R"([[["still"],"works"]])", kNow, &seq) != Status::kOk) std::abort();
  Buffer state;
  replica.PrintState(&state);
  if (state.view().find("\"still\":\"works\"") == std::string_view::npos) std::abort();
  return 0;
}
