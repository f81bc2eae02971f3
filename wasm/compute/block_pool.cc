#include "compute/block_pool.h"

#include <bit>
#include <cstdlib>

#include "base/memory.h"

namespace tabmesh::compute {

namespace {

constexpr size_t kSmallest = 64;
constexpr int kSmallestBits = 6;
// Smaller blocks are carved from chunks of so many bytes; larger ones have their own.
constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr size_t kCarvedMax = kChunkBytes / 16;

}  // namespace

BlockPool::~BlockPool() {
  while (chunks_ != nullptr) {
    Chunk* next = chunks_->next;
    std::free(chunks_);
    chunks_ = next;
  }
}

uint32_t BlockPool::ClassOf(size_t bytes) {
  if (bytes <= kSmallest) return 0;
  const int bits = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^bits < bytes <= 2^(bits + 1)
  const size_t over = bytes - 1 - (size_t{1} << bits);
  return static_cast<uint32_t>(4 * (bits - kSmallestBits) + 1) + static_cast<uint32_t>(over >> (bits - 2));
}

size_t BlockPool::CapacityOf(uint32_t size_class) {
  const size_t power = kSmallest << size_class / 4;
  return power + size_class % 4 * (power / 4);
}

char* BlockPool::AddChunk(size_t bytes) {
  constexpr size_t kBefore = sizeof(Chunk) + kAlignment;
  auto* chunk = static_cast<Chunk*>(Allocate(bytes + kBefore));
  if (chunk == nullptr) return nullptr;
  chunk->next = chunks_;
  chunks_ = chunk;
  held_bytes_ += bytes + kBefore;
  char* start = reinterpret_cast<char*>(chunk + 1);
  const size_t off = reinterpret_cast<uintptr_t>(start) % kAlignment;
  return off == 0 ? start : start + (kAlignment - off);
}

BlockPool::Head* BlockPool::Carve(size_t bytes) {
  if (bytes > kCarvedMax) return reinterpret_cast<Head*>(AddChunk(bytes));
  if (carve_left_ < bytes) {
    char* chunk = AddChunk(kChunkBytes);
    if (chunk == nullptr) return nullptr;
    carve_at_ = chunk;
    carve_left_ = kChunkBytes;
  }
  char* start = carve_at_;
  carve_at_ += bytes;
  carve_left_ -= bytes;
  return reinterpret_cast<Head*>(start);
}

void* BlockPool::Take(size_t bytes) {
  if (bytes > kBytesMax) return nullptr;
  const uint32_t size_class = ClassOf(bytes);
  Head* head = free_[size_class];
  if (head != nullptr) {
    free_[size_class] = head->next;
  } else {
    head = Carve(sizeof(Head) + CapacityOf(size_class));
    if (head == nullptr) return nullptr;
    head->size_class = size_class;
  }
  head->is_taken = 1;
  ++taken_;
  taken_bytes_ += CapacityOf(size_class);
  return head + 1;
}

bool BlockPool::Give(void* data) {
  Head* head = static_cast<Head*>(data) - 1;
  if (head->is_taken == 0) return false;
  head->is_taken = 0;
  head->next = free_[head->size_class];
  free_[head->size_class] = head;
  --taken_;
  taken_bytes_ -= CapacityOf(head->size_class);
  return true;
}

}  // namespace tabmesh::compute
