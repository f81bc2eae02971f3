#include "journal/checkpoint.h"

#include <cstdint>
#include <vector>

#include "wire/delta.h"

namespace tabmesh {

Status EncodeCheckpoint(const FrameWriter& writer, const InstanceId& from, const Document& document,
                        const VersionVector& vector, Buffer* out) {
  const std::vector<uint32_t> nothing(vector.size());
  return EncodeDelta(writer, {from, {}, document.digest()}, document, vector, nothing, out);
}

}  // namespace tabmesh
