// Any bytes from a channel or a disk: nothing may crash, and the replica goes on working.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/replicas.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  auto replica = fuzz::Open(1);
  const bool restore = size > 0 && (data[0] & 1) != 0;
  if (!restore) replica->Restored(/*alone=*/true, fuzz::kNow);
  // The input is a list of (length, kind, body): each becomes a frame with a right checksum.
  Reader input(std::string_view(reinterpret_cast<const char*>(data), size));
  (void)input.Byte();
  const FrameWriter writer(NamespaceOf("fuzz"));
  while (input.ok() && input.left() > 2) {
    const size_t length = input.Byte() | static_cast<size_t>(input.Byte()) << 8;
    const auto kind = static_cast<FrameKind>(input.Byte() % 10);
    Buffer frame;
    writer.Begin(kind, &frame);
    frame.Append(input.Take(length < input.left() ? length : input.left()));
    FrameWriter::End(0, &frame);
    if (restore) {
      (void)replica->Restore(frame.view(), fuzz::kNow);
    } else {
      replica->Receive(frame.view(), fuzz::kNow);
    }
    fuzz::CheckChanges(replica.get());
  }
  fuzz::CheckWorks(replica.get());
  return 0;
}
