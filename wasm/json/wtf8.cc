#include "json/wtf8.h"

#include <cstddef>
#include <cstdint>

namespace tabmesh {

bool IsWtf8(std::string_view bytes) {
  bool after_high_surrogate = false;
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<uint8_t>(bytes[i++]);
    if (lead < 0x80) {
      after_high_surrogate = false;
      continue;
    }
    const int following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() - i < static_cast<size_t>(following)) return false;
    uint32_t point = lead & (0x3f >> following);
    for (int k = 0; k < following; ++k) {
      const auto byte = static_cast<uint8_t>(bytes[i++]);
      if ((byte & 0xc0) != 0x80) return false;
      point = point << 6 | (byte & 0x3f);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[following] || point > 0x10ffff) return false;
    if (after_high_surrogate && point >= 0xdc00 && point <= 0xdfff) return false;
    after_high_surrogate = point >= 0xd800 && point <= 0xdbff;
  }
  return true;
}

}  // namespace tabmesh
