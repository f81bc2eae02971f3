// Messages longer than one postMessage should be: cut up and put together again.
#ifndef TABMESH_WIRE_FRAGMENT_H_
#define TABMESH_WIRE_FRAGMENT_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "crdt/stamp.h"
#include "wire/frame.h"

namespace tabmesh {

/// Cuts `message` into kFragment frames of at most kFragmentBytesMax of it each, appended to `frames`.
/// `number` must be different for each message of a sender.
void Fragment(const FrameWriter& writer, const InstanceId& from, uint64_t number, std::string_view message,
              std::vector<Buffer>* frames);

/// Puts fragments together, one message a sender at a time: a newer message of the same sender
/// replaces an unfinished one, and copies of pieces that were taken are passed over. Channels keep a
/// sender's order, so a fragment out of order means loss, and the message is given up; anti-entropy asks
/// again.
class FragmentAssembler {
 public:
  /// Takes one fragment. `*message` is the whole message when this was its last piece, valid until the
  /// next call; else empty. kMalformedFrame, kFrameTooLarge, kOutOfMemory.
  Status Add(const Frame& fragment, std::string_view* message);

 private:
  struct Assembly {
    InstanceId from;
    uint64_t number = 0;
    uint64_t next_index = 0;
    uint64_t count = 0;
    Buffer bytes;
  };
  Assembly* Find(const InstanceId& from);

  std::vector<Assembly> assemblies_;  // oldest first, at most kAssembliesMax
  Buffer finished_;
};

}  // namespace tabmesh

#endif  // TABMESH_WIRE_FRAGMENT_H_
