#include "json/print.h"

#include <cstddef>
#include <cstdint>

namespace tabmesh {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void PrintUnicodeEscape(uint32_t unit, Buffer* out) {
  const char escape[] = {'\\',
                         'u',
                         kHexDigits[unit >> 12 & 15],
                         kHexDigits[unit >> 8 & 15],
                         kHexDigits[unit >> 4 & 15],
                         kHexDigits[unit & 15]};
  out->Append({escape, sizeof escape});
}

// The short escape of a control character, quote or backslash; 0 where there is none.
char ShortEscape(uint8_t byte) {
  switch (byte) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

}  // namespace

void PrintString(std::string_view wtf8, Buffer* out) {
  out->AppendByte('"');
  size_t plain = 0;  // start of the run that needs no escape
  for (size_t i = 0; i < wtf8.size(); ++i) {
    const auto byte = static_cast<uint8_t>(wtf8[i]);
    // A surrogate in WTF-8 is ED A0..BF xx.
    const bool surrogate = byte == 0xed && i + 2 < wtf8.size() && static_cast<uint8_t>(wtf8[i + 1]) >= 0xa0;
    if (byte >= 0x20 && byte != '"' && byte != '\\' && !surrogate) continue;
    out->Append(wtf8.substr(plain, i - plain));
    if (surrogate) {
      const uint32_t high = static_cast<uint8_t>(wtf8[i + 1]) & 0x3f;
      const uint32_t low = static_cast<uint8_t>(wtf8[i + 2]) & 0x3f;
      PrintUnicodeEscape(0xd000 | high << 6 | low, out);
      i += 2;
    } else if (const char escape = ShortEscape(byte); escape != 0) {
      out->AppendByte('\\');
      out->AppendByte(static_cast<uint8_t>(escape));
    } else {
      PrintUnicodeEscape(byte, out);
    }
    plain = i + 1;
  }
  out->Append(wtf8.substr(plain));
  out->AppendByte('"');
}

void PrintPath(Path path, Buffer* out) {
  out->AppendByte('[');
  for (size_t i = 0; i < path.size; ++i) {
    if (i > 0) out->AppendByte(',');
    PrintString(path.keys[i], out);
  }
  out->AppendByte(']');
}

void PrintValue(const JsonValue& value, Buffer* out) {
  if (value.kind == JsonValue::Kind::kText) return out->Append(value.text);
  const bool list = value.kind == JsonValue::Kind::kList;
  out->AppendByte(list ? '[' : '{');
  for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
    if (member != value.first_member) out->AppendByte(',');
    if (!list) {
      PrintString(member->key, out);
      out->AppendByte(':');
    }
    PrintValue(*member, out);
  }
  out->AppendByte(list ? ']' : '}');
}

void PrintNumber(uint64_t value, Buffer* out) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out->Append({digits + at, sizeof digits - at});
}

void PrintHex(std::string_view bytes, Buffer* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out->AppendByte(static_cast<uint8_t>(kDigits[byte >> 4]));
    out->AppendByte(static_cast<uint8_t>(kDigits[byte & 15]));
  }
}

}  // namespace tabmesh
