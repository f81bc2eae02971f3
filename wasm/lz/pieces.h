// Bytes that are compressed piece by piece, so that nobody has to wait for all of it at once.
// Grammar: journal/JOURNAL_FORMAT.md.
#ifndef TABMESH_LZ_PIECES_H_
#define TABMESH_LZ_PIECES_H_

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tabmesh::lz {

/// Some three milliseconds' work.
inline constexpr size_t kPieceBytesMax = size_t{64} << 10;

/// Appends one piece: at most kPieceBytesMax bytes, as npm lz-string's `compressToUint8Array` has them, one
/// character a byte. Pieces one after another are the packed form of what they hold. O(n). kOutOfMemory.
Status AppendPiece(std::string_view bytes, Buffer* out);

/// Whether these are pieces, and no frame.
bool IsPacked(std::string_view bytes);

/// Appends what the pieces hold. kMalformedFrame, kFrameTooLarge, kOutOfMemory.
Status Unpack(std::string_view packed, Buffer* out);

}  // namespace tabmesh::lz

#endif  // TABMESH_LZ_PIECES_H_
