// WTF-8: UTF-8 that may also carry lone surrogates (Sapin, "The WTF-8 encoding", 2018).
#ifndef TABMESH_JSON_WTF8_H_
#define TABMESH_JSON_WTF8_H_

#include <string_view>

namespace tabmesh {

/// Whether `bytes` are well-formed WTF-8: shortest forms, at most U+10FFFF, no surrogate pair written
/// as two surrogates. Each JavaScript string has exactly one such form. O(n).
bool IsWtf8(std::string_view bytes);

}  // namespace tabmesh

#endif  // TABMESH_JSON_WTF8_H_
