#include "base/crc32c.h"

#include <array>
#include <cstddef>

namespace tabmesh {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected 0x1edc6f41
constexpr size_t kSlices = 4;

// Slicing-by-4 (Kounavis and Berry, "A Systematic Approach to Building High Performance
// Software-Based CRC Generators", 2005): four table look-ups for four bytes.
constexpr std::array<std::array<uint32_t, 256>, kSlices> MakeTables() {
  std::array<std::array<uint32_t, 256>, kSlices> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (kPolynomial & (0u - (crc & 1)));
    tables[0][i] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (uint32_t i = 0; i < 256; ++i) {
      const uint32_t previous = tables[slice - 1][i];
      tables[slice][i] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

// Built at start-up rather than compiled in: 4 KiB less to download.
const std::array<std::array<uint32_t, 256>, kSlices>& Tables() {
  static const auto tables = MakeTables();
  return tables;
}

}  // namespace

uint32_t Crc32c(std::string_view bytes) {
  const auto& tables = Tables();
  uint32_t crc = 0xffffffff;
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 4; left -= 4, at += 4) {
    crc ^= static_cast<uint32_t>(at[0]) | static_cast<uint32_t>(at[1]) << 8 |
           static_cast<uint32_t>(at[2]) << 16 | static_cast<uint32_t>(at[3]) << 24;
    crc = tables[3][crc & 0xff] ^ tables[2][crc >> 8 & 0xff] ^ tables[1][crc >> 16 & 0xff] ^
          tables[0][crc >> 24];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xff];
  return ~crc;
}

}  // namespace tabmesh
