// Growable byte buffer and bounds-checked reader. Both remember failure, so that a sequence of
// calls is checked once, at its end.
#ifndef TABMESH_BASE_BYTES_H_
#define TABMESH_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tabmesh {

/// Owns its bytes. After an allocation failure it stays empty and `failed()` is true until `Clear()`.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void Append(std::string_view bytes);
  void AppendByte(uint8_t byte);
  /// LEB128, as in the Protocol Buffers encoding specification: 1 to 10 bytes.
  void AppendVarint(uint64_t value);
  void AppendFixed32(uint32_t value);  // little-endian
  void AppendFixed64(uint64_t value);  // little-endian
  /// A varint length, then the bytes.
  void AppendSized(std::string_view bytes);

  /// Makes room for `bytes` more, so that as many appends cannot fail.
  void Reserve(size_t bytes);
  /// Forgets the contents and any failure; keeps the memory unless it is above 1 MiB.
  void Clear();

  /// Valid until the next non-const call.
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  char* data() { return reinterpret_cast<char*>(data_); }
  size_t size() const { return size_; }
  bool failed() const { return failed_; }

 private:
  bool Grow(size_t extra);

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  bool failed_ = false;
};

/// Reads from bytes it does not own. After the first read past the end or bad varint every read
/// returns zero or empty, and `ok()` is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t Byte();
  uint64_t Varint();
  uint32_t Fixed32();
  uint64_t Fixed64();
  /// A view of the next `count` bytes, into the input.
  std::string_view Take(size_t count);
  /// A varint length of at most `bytes_max`, then a view of that many bytes.
  std::string_view Sized(size_t bytes_max);
  void Fail() { ok_ = false; }

  size_t left() const { return bytes_.size() - at_; }
  bool ok() const { return ok_; }
  /// True when all was read and nothing went wrong.
  bool AtEnd() const { return ok_ && left() == 0; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace tabmesh

#endif  // TABMESH_BASE_BYTES_H_
