#include "replica/actions.h"

#include <cstddef>

namespace tabmesh {

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

Actions::Event& Actions::Event::Json(std::string_view name, std::string_view value) {
  Name(name);
  out_->Append(value);
  return *this;
}

}  // namespace tabmesh
