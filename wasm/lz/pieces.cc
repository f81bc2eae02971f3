#include "lz/pieces.h"

#include <cstdint>
#include <optional>
#include <string>

#include "base/limits.h"
#include "lz/lz_string.h"

namespace tabmesh::lz {

namespace {

constexpr std::string_view kHead = "TP";

Status UnpackPiece(Reader* reader, Buffer* out) {
  if (reader->Take(kHead.size()) != kHead) return Status::kMalformedFrame;
  const uint64_t told = reader->Varint();
  const std::string_view packed = reader->Sized(4 * kPieceBytesMax);
  if (!reader->ok() || told == 0 || told > kPieceBytesMax || packed.size() % 2 != 0) {
    return Status::kMalformedFrame;
  }
  const auto size = static_cast<size_t>(told);
  if (out->size() + size > kMessageBytesMax) return Status::kFrameTooLarge;
  std::u16string units;
  for (size_t i = 0; i < packed.size(); i += 2) {
    const auto high = static_cast<uint8_t>(packed[i]);
    units.push_back(static_cast<char16_t>(high << 8 | static_cast<uint8_t>(packed[i + 1])));
  }
  const std::optional<std::u16string> text = Decompress(units, Form::kRaw, size);
  if (!text || text->size() != size) return Status::kMalformedFrame;
  out->Reserve(size);
  for (const char16_t unit : *text) {
    if (unit > 0xff) return Status::kMalformedFrame;
    out->AppendByte(static_cast<uint8_t>(unit));
  }
  return out->failed() ? Status::kOutOfMemory : Status::kOk;
}

}  // namespace

Status AppendPiece(std::string_view bytes, Buffer* out) {
  std::u16string text;
  text.reserve(bytes.size());
  for (const char byte : bytes) text.push_back(static_cast<uint8_t>(byte));
  const std::u16string packed = Compress(text, Form::kRaw);
  out->Reserve(packed.size() * 2 + 16);
  out->Append(kHead);
  out->AppendVarint(bytes.size());
  out->AppendVarint(packed.size() * 2);
  for (const char16_t unit : packed) {
    out->AppendByte(static_cast<uint8_t>(unit >> 8));
    out->AppendByte(static_cast<uint8_t>(unit & 0xff));
  }
  return out->failed() ? Status::kOutOfMemory : Status::kOk;
}

bool IsPacked(std::string_view bytes) { return bytes.substr(0, kHead.size()) == kHead; }

Status Unpack(std::string_view packed, Buffer* out) {
  Reader reader(packed);
  while (reader.left() > 0) {
    if (const Status status = UnpackPiece(&reader, out); status != Status::kOk) return status;
  }
  return Status::kOk;
}

}  // namespace tabmesh::lz
