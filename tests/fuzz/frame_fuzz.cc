// Any bytes as a frame, and any body as that of each kind: decoding reads within its bytes and ends.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/fragment.h"
#include "wire/messages.h"
#include "wire/ops_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Frame frame;
  (void)OpenFrame(bytes, NamespaceOf("fuzz"), &frame);
  frame = {FrameKind::kOps, /*name_space=*/0, /*newer_minor=*/size % 2 == 1, bytes};
  CallArena arena;
  Reader of_batch(bytes);
  Batch batch;
  (void)DecodeBatch(&of_batch, &arena, &batch);
  Reader of_set(bytes);
  OpSet set;
  (void)DecodeOpSet(&of_set, &arena, &set);
  Hello hello;
  (void)DecodeHello(frame, &hello);
  Presence presence;
  (void)DecodePresence(frame, &presence);
  Position position;
  (void)DecodePosition(frame, &position);
  Ack ack;
  (void)DecodeAck(frame, &ack);
  Reader of_delta(bytes);
  DeltaHead head;
  (void)DecodeDeltaHead(&of_delta, &head);
  FragmentAssembler assembler;
  std::string_view message;
  (void)assembler.Add(frame, &message);
  return 0;
}
