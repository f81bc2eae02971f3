// Two arenas: TextArena for keys and values that live with the document, CallArena for what lives
// as long as one call into the core.
#ifndef TABMESH_BASE_ARENA_H_
#define TABMESH_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace tabmesh {

/// Stores byte strings in size classes (16, 32, … 2048 bytes) cut from 64 KiB blocks; longer ones
/// are allocated alone. Store and Free are O(length). Freed memory is reused by its class.
class TextArena {
 public:
  TextArena() = default;
  ~TextArena();
  TextArena(const TextArena&) = delete;
  TextArena& operator=(const TextArena&) = delete;

  /// Copies `text`. `stored` lives until `Free(stored)`. False when memory has run out.
  [[nodiscard]] bool Store(std::string_view text, std::string_view* stored);
  /// `stored` must come from Store of this arena; an empty view is allowed.
  void Free(std::string_view stored);

  /// Bytes of text now stored, without rounding.
  size_t used_bytes() const { return used_bytes_; }

 private:
  static constexpr size_t kClasses = 8;
  struct FreeText {
    FreeText* next;
  };
  struct Block {
    Block* next;
  };

  FreeText* free_[kClasses] = {};
  Block* blocks_ = nullptr;
  char* cursor_ = nullptr;
  char* block_end_ = nullptr;
  size_t used_bytes_ = 0;
};

/// Bump allocator: Allocate is O(1), Reset gives everything back at once. Keeps one block.
class CallArena {
 public:
  CallArena() = default;
  ~CallArena();
  CallArena(const CallArena&) = delete;
  CallArena& operator=(const CallArena&) = delete;

  /// `bytes` of memory, 8-aligned, valid until Reset; null when memory has run out.
  void* Allocate(size_t bytes);
  /// A value-initialised T, or null.
  template <typename T>
  T* New() {
    void* place = Allocate(sizeof(T));
    return place == nullptr ? nullptr : new (place) T();
  }
  /// Copies `text`; false when memory has run out.
  [[nodiscard]] bool Copy(std::string_view text, std::string_view* copy);
  void Reset();

 private:
  struct Block {
    Block* next;
    size_t capacity;
  };
  Block* blocks_ = nullptr;
  size_t used_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_BASE_ARENA_H_
