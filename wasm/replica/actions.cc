#include "replica/actions.h"

#include <cstddef>

namespace tabmesh {

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

void Actions::Event::Name(std::string_view name) {
  out_->AppendByte(',');
  PrintString(name, out_);
  out_->AppendByte(':');
}

Actions::Event& Actions::Event::Text(std::string_view name, std::string_view value) {
  Name(name);
  PrintString(value, out_);
  return *this;
}

Actions::Event& Actions::Event::Number(std::string_view name, uint64_t value) {
  Name(name);
  PrintNumber(value, out_);
  return *this;
}

Actions::Event& Actions::Event::Id(std::string_view name, std::string_view id_bytes) {
  Name(name);
  out_->AppendByte('"');
  PrintHex(id_bytes, out_);
  out_->AppendByte('"');
  return *this;
}

}  // namespace tabmesh
