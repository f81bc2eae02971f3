// A checkpoint holds the whole state: read again it gives the same digest; with changed bytes under a right
// checksum it never stops a replica from working.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/replicas.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  Reader input(std::string_view(reinterpret_cast<const char*>(data), size));
  auto a = fuzz::Open(1);
  auto b = fuzz::Open(2);
  a->Restored(/*alone=*/true, fuzz::kNow);
  b->Restored(/*alone=*/true, fuzz::kNow);
  for (size_t writes = input.Byte() % 24; writes > 0; --writes) {
    const uint8_t choice = input.Byte();
    Replica* writer = choice % 2 == 0 ? a.get() : b.get();
    const std::string record = fuzz::Write(writer, static_cast<uint8_t>(choice / 2));
    if (!record.empty()) (writer == a.get() ? b : a)->Receive(record, fuzz::kNow);
  }
  Buffer checkpoint;
  if (a->EncodeCheckpoint(&checkpoint) != Status::kOk) std::abort();
  auto copy = fuzz::Open(3);
  if (copy->Restore(checkpoint.view(), fuzz::kNow) != Status::kOk) std::abort();
  copy->Restored(/*alone=*/true, fuzz::kNow);
  if (copy->digest() != a->digest()) std::abort();
  Buffer again;
  if (copy->EncodeCheckpoint(&again) != Status::kOk) std::abort();

  std::string body(checkpoint.view().substr(kFrameHeadBytes));
  body.resize(body.size() - kFrameCheckBytes);
  while (input.ok() && input.left() >= 3) {
    const size_t at = input.Byte() | static_cast<size_t>(input.Byte()) << 8;
    body[at % body.size()] = static_cast<char>(input.Byte());
  }
  Buffer changed;
  FrameWriter(NamespaceOf("fuzz")).Begin(FrameKind::kDelta, &changed);
  changed.Append(body);
  FrameWriter::End(0, &changed);
  auto damaged = fuzz::Open(4);
  (void)damaged->Restore(changed.view(), fuzz::kNow);
  fuzz::CheckWorks(damaged.get());
  return 0;
}
