#include "wire/fragment.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace tabmesh {

void Fragment(const FrameWriter& writer, const InstanceId& from, uint64_t number, std::string_view message,
              std::vector<Buffer>* frames) {
  const size_t count = (message.size() + kFragmentBytesMax - 1) / kFragmentBytesMax;
  for (size_t index = 0; index < count; ++index) {
    Buffer& frame = frames->emplace_back();
    writer.Begin(FrameKind::kFragment, &frame);
    frame.Append(from.view());
    frame.AppendVarint(number);
    frame.AppendVarint(index);
    frame.AppendVarint(count);
    frame.Append(message.substr(index * kFragmentBytesMax, kFragmentBytesMax));
    FrameWriter::End(0, &frame);
  }
}

FragmentAssembler::Assembly* FragmentAssembler::Find(const InstanceId& from) {
  for (Assembly& assembly : assemblies_) {
    if (assembly.from == from) return &assembly;
  }
  if (assemblies_.size() == kAssembliesMax) assemblies_.erase(assemblies_.begin());
  assemblies_.emplace_back().from = from;
  return &assemblies_.back();
}

Status FragmentAssembler::Add(const Frame& fragment, std::string_view* message) {
  *message = {};
  Reader reader(fragment.body);
  const InstanceId from = InstanceId::From(reader.Take(InstanceId::kBytes));
  const uint64_t number = reader.Varint();
  const uint64_t index = reader.Varint();
  const uint64_t count = reader.Varint();
  if (!reader.ok() || index >= count) return Status::kMalformedFrame;
  if (count > kMessageBytesMax / kFragmentBytesMax) return Status::kFrameTooLarge;
  const std::string_view piece = reader.Take(reader.left());
  if (piece.empty() || piece.size() > kFragmentBytesMax) return Status::kMalformedFrame;

  Assembly* assembly = Find(from);
  const bool again = assembly->number == number && assembly->count == count && assembly->next_index > 0;
  if (index == 0 && !again) {
    std::rotate(assembly, assembly + 1, assemblies_.data() + assemblies_.size());
    assembly = &assemblies_.back();
    assembly->number = number;
    assembly->count = count;
    assembly->next_index = 0;
    assembly->bytes.Clear();
  }
  if (assembly->number != number || assembly->next_index != index || assembly->count != count) {
    return Status::kOk;
  }
  assembly->bytes.Append(piece);
  if (assembly->bytes.failed()) {
    assembly->count = 0;
    return Status::kOutOfMemory;
  }
  if (++assembly->next_index < count) return Status::kOk;
  finished_ = std::move(assembly->bytes);
  assembly->bytes = Buffer();
  // Remembered, so that copies of its pieces are not put together again; the first to give way.
  std::rotate(assemblies_.data(), assembly, assembly + 1);
  *message = finished_.view();
  return Status::kOk;
}

}  // namespace tabmesh
