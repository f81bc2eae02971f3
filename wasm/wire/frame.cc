#include "wire/frame.h"

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/plant.h"

namespace tabmesh {

namespace {
constexpr std::string_view kMagic = "TM";
}  // namespace

uint32_t NamespaceOf(std::string_view name, uint32_t era) { return Crc32c(name) + era; }

void FrameWriter::Begin(FrameKind kind, Buffer* out) const {
  out->Append(kMagic);
  out->AppendByte(kWireMajor << 4 | kWireMinor);
  out->AppendByte(static_cast<uint8_t>(kind));
  out->AppendFixed32(name_space_);
}

void FrameWriter::End(size_t start, Buffer* out) {
  if (!out->failed()) out->AppendFixed32(Crc32c(out->view().substr(start)));
}

Status OpenFrame(std::string_view bytes, uint32_t name_space, Frame* frame) {
  Reader reader(bytes);
  if (reader.Take(kMagic.size()) != kMagic) return Status::kForeignFrame;
  const uint8_t version = reader.Byte();
  const uint8_t kind = reader.Byte();
  const uint32_t name = reader.Fixed32();
  if (!reader.ok() || reader.left() < kFrameCheckBytes) return Status::kMalformedFrame;
  if (bytes.size() > kMessageBytesMax) return Status::kFrameTooLarge;
  const std::string_view checked = bytes.substr(0, bytes.size() - kFrameCheckBytes);
  Reader check(bytes.substr(checked.size()));
  if (check.Fixed32() != Crc32c(checked) && !Planted("checksum-unchecked")) return Status::kChecksumMismatch;
  if (version >> 4 != kWireMajor) return Status::kUnsupportedVersion;
  frame->name_space = name;
  frame->kind = static_cast<FrameKind>(kind);
  if (name != name_space) return Status::kForeignFrame;
  frame->newer_minor = (version & 15) > kWireMinor;
  frame->body = checked.substr(kFrameHeadBytes);
  return Status::kOk;
}

Status EndOfBody(const Frame& frame, const Reader& reader) {
  if (!reader.ok()) return Status::kMalformedFrame;
  return reader.AtEnd() || frame.newer_minor ? Status::kOk : Status::kMalformedFrame;
}

}  // namespace tabmesh
