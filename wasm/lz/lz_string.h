// lz-string 1.5.0, bit for bit: LZ78 with a growing code width, on UTF-16 code units.
// Algorithm: pieroxy, https://pieroxy.net/blog/pages/lz-string/index.html
#ifndef TABMESH_LZ_LZ_STRING_H_
#define TABMESH_LZ_LZ_STRING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tabmesh::lz {

/// How the bit stream is packed into characters; the names are npm lz-string's.
enum class Form {
  kRaw,                  // compress: 16 bits a code unit
  kUtf16,                // compressToUTF16: 15 bits a code unit, each valid in any UTF-16 store
  kBase64,               // compressToBase64, padded with '='
  kEncodedUriComponent,  // compressToEncodedURIComponent
};

/// Compresses any code units, lone surrogates included. The empty string gives a short marker. O(n).
std::u16string Compress(std::u16string_view text, Form form);

/// The inverse. Where npm lz-string returns null for broken input, so does this: nullopt. It returns
/// an empty string for broken input in the places where npm does; nullopt for more than `units_max`, for a
/// few bytes can stand for a great many. O(n) of the result.
std::optional<std::u16string> Decompress(std::u16string_view packed, Form form, size_t units_max = SIZE_MAX);

}  // namespace tabmesh::lz

#endif  // TABMESH_LZ_LZ_STRING_H_
