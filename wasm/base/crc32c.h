// CRC-32C (Castagnoli), RFC 3720 appendix B.4.
#ifndef TABMESH_BASE_CRC32C_H_
#define TABMESH_BASE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace tabmesh {

/// The checksum of `bytes`; "123456789" gives 0xe3069283. O(n), no allocation.
uint32_t Crc32c(std::string_view bytes);

}  // namespace tabmesh

#endif  // TABMESH_BASE_CRC32C_H_
