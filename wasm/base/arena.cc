#include "base/arena.h"

#include <cstdlib>
#include <cstring>

#include "base/memory.h"

namespace tabmesh {

namespace {

constexpr size_t kSmallestClassBytes = 16;
constexpr size_t kTextBlockBytes = size_t{64} << 10;
constexpr size_t kCallBlockBytes = size_t{64} << 10;

// Index of the smallest class that holds `bytes`; the classes double in size.
size_t ClassOf(size_t bytes) {
  size_t index = 0;
  for (size_t capacity = kSmallestClassBytes; capacity < bytes; capacity *= 2) ++index;
  return index;
}

}  // namespace

TextArena::~TextArena() {
  // Texts longer than the largest class belong to their owner, who frees them one by one.
  while (blocks_ != nullptr) {
    Block* next = blocks_->next;
    std::free(blocks_);
    blocks_ = next;
  }
}

bool TextArena::Store(std::string_view text, std::string_view* stored) {
  if (text.empty()) {
    *stored = {};
    return true;
  }
  const size_t index = ClassOf(text.size());
  char* place = nullptr;
  if (index >= kClasses) {
    place = static_cast<char*>(Allocate(text.size()));
  } else if (free_[index] != nullptr) {
    place = reinterpret_cast<char*>(free_[index]);
    free_[index] = free_[index]->next;
  } else {
    const size_t bytes = kSmallestClassBytes << index;
    if (static_cast<size_t>(block_end_ - cursor_) < bytes) {
      auto* block = static_cast<Block*>(Allocate(kTextBlockBytes));
      if (block == nullptr) return false;
      block->next = blocks_;
      blocks_ = block;
      cursor_ = reinterpret_cast<char*>(block) + kSmallestClassBytes;
      block_end_ = reinterpret_cast<char*>(block) + kTextBlockBytes;
    }
    place = cursor_;
    cursor_ += bytes;
  }
  if (place == nullptr) return false;
  std::memcpy(place, text.data(), text.size());
  *stored = {place, text.size()};
  used_bytes_ += text.size();
  return true;
}

void TextArena::Free(std::string_view stored) {
  if (stored.empty()) return;
  used_bytes_ -= stored.size();
  char* place = const_cast<char*>(stored.data());
  const size_t index = ClassOf(stored.size());
  if (index >= kClasses) {
    std::free(place);
    return;
  }
  auto* text = reinterpret_cast<FreeText*>(place);
  text->next = free_[index];
  free_[index] = text;
}

CallArena::~CallArena() {
  while (blocks_ != nullptr) {
    Block* next = blocks_->next;
    std::free(blocks_);
    blocks_ = next;
  }
}

void* CallArena::Allocate(size_t bytes) {
  bytes = (bytes + 7) & ~size_t{7};
  if (blocks_ == nullptr || blocks_->capacity - used_ < bytes) {
    const size_t capacity = bytes > kCallBlockBytes ? bytes : kCallBlockBytes;
    constexpr size_t kHeaderBytes = (sizeof(Block) + 7) & ~size_t{7};
    auto* block = static_cast<Block*>(tabmesh::Allocate(kHeaderBytes + capacity));
    if (block == nullptr) return nullptr;
    block->next = blocks_;
    block->capacity = kHeaderBytes + capacity;
    blocks_ = block;
    used_ = kHeaderBytes;
  }
  void* place = reinterpret_cast<char*>(blocks_) + used_;
  used_ += bytes;
  return place;
}

bool CallArena::Copy(std::string_view text, std::string_view* copy) {
  auto* place = static_cast<char*>(Allocate(text.size()));
  if (place == nullptr) return false;
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  *copy = {place, text.size()};
  return true;
}

void CallArena::Reset() {
  constexpr size_t kHeaderBytes = (sizeof(Block) + 7) & ~size_t{7};
  while (blocks_ != nullptr && (blocks_->next != nullptr || blocks_->capacity > 2 * kCallBlockBytes)) {
    Block* next = blocks_->next;
    std::free(blocks_);
    blocks_ = next;
  }
  used_ = kHeaderBytes;
}

}  // namespace tabmesh
