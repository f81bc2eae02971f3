// JSON text out, exactly as ECMAScript's JSON.stringify writes it (ECMA-262, QuoteJSONString).
#ifndef TABMESH_JSON_PRINT_H_
#define TABMESH_JSON_PRINT_H_

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "json/value.h"

namespace tabmesh {

/// Appends `wtf8` as a quoted JSON string; lone surrogates become \udxxx escapes, so the result is UTF-8.
void PrintString(std::string_view wtf8, Buffer* out);

/// Appends decimal digits.
void PrintNumber(uint64_t value, Buffer* out);
/// Appends two lower-case hexadecimal digits a byte.
void PrintHex(std::string_view bytes, Buffer* out);

/// Appends a path as an array of strings.
void PrintPath(Path path, Buffer* out);

/// Appends a whole value. Recursion is bounded by kDepthMax, which parsing has enforced.
void PrintValue(const JsonValue& value, Buffer* out);

}  // namespace tabmesh

#endif  // TABMESH_JSON_PRINT_H_
