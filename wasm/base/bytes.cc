#include "base/bytes.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/memory.h"

namespace tabmesh {

namespace {
constexpr size_t kKeptBytesMax = size_t{1} << 20;
}  // namespace

Buffer::~Buffer() { std::free(data_); }

Buffer::Buffer(Buffer&& other) noexcept { *this = std::move(other); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(failed_, other.failed_);
  return *this;
}

bool Buffer::Grow(size_t extra) {
  if (failed_) return false;
  if (capacity_ - size_ >= extra) return true;
  size_t capacity = capacity_ < 64 ? 64 : capacity_ * 2;
  if (capacity < size_ + extra) capacity = size_ + extra;
  void* data = Reallocate(data_, capacity);
  if (data == nullptr) {
    failed_ = true;
    size_ = 0;
    return false;
  }
  data_ = static_cast<uint8_t*>(data);
  capacity_ = capacity;
  return true;
}

void Buffer::Reserve(size_t bytes) { (void)Grow(bytes); }

void Buffer::Append(std::string_view bytes) {
  if (bytes.empty() || !Grow(bytes.size())) return;
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Buffer::AppendByte(uint8_t byte) {
  if (Grow(1)) data_[size_++] = byte;
}

void Buffer::AppendVarint(uint64_t value) {
  while (value >= 0x80) {
    AppendByte(static_cast<uint8_t>(value) | 0x80);
    value >>= 7;
  }
  AppendByte(static_cast<uint8_t>(value));
}

void Buffer::AppendFixed32(uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) AppendByte(static_cast<uint8_t>(value >> shift));
}

void Buffer::AppendFixed64(uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) AppendByte(static_cast<uint8_t>(value >> shift));
}

void Buffer::AppendSized(std::string_view bytes) {
  AppendVarint(bytes.size());
  Append(bytes);
}

void Buffer::Clear() {
  if (capacity_ > kKeptBytesMax) {
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }
  size_ = 0;
  failed_ = false;
}

std::string_view Reader::Take(size_t count) {
  if (!ok_ || count > left()) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

uint8_t Reader::Byte() {
  const std::string_view byte = Take(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

uint64_t Reader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = Byte();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  ok_ = false;
  return 0;
}

uint32_t Reader::Fixed32() {
  uint32_t value = 0;
  for (int shift = 0; shift < 32; shift += 8) value |= static_cast<uint32_t>(Byte()) << shift;
  return ok_ ? value : 0;
}

uint64_t Reader::Fixed64() {
  const uint64_t low = Fixed32();
  const uint64_t high = Fixed32();
  return ok_ ? low | high << 32 : 0;
}

std::string_view Reader::Sized(size_t bytes_max) {
  const uint64_t size = Varint();
  if (size > bytes_max) ok_ = false;
  return Take(ok_ ? static_cast<size_t>(size) : 0);
}

}  // namespace tabmesh
