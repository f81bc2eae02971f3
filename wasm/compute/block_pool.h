// Memory of any size from size classes with free lists: O(1) to take and to give back.
#ifndef TABMESH_COMPUTE_BLOCK_POOL_H_
#define TABMESH_COMPUTE_BLOCK_POOL_H_

#include <cstddef>
#include <cstdint>

namespace tabmesh::compute {

/// Segregated free lists (Wilson et al., "Dynamic Storage Allocation: A Survey and Critical Review",
/// 1995, 3.6), four classes to each power of two: a block is at most a quarter larger than what was asked
/// for. What was given back serves its class again, and goes back to the system at the pool's end only:
/// WebAssembly's memory never shrinks.
class BlockPool {
 public:
  static constexpr size_t kAlignment = 16;
  static constexpr size_t kBytesMax = size_t{1} << 30;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// At least so many bytes, aligned to kAlignment; they hold what was there before. Null when memory has run
  /// out, or for more than kBytesMax. O(1), but for asking the system for more.
  void* Take(size_t bytes);

  /// `data` must have come from this pool. False for a block that has been given back already: nothing
  /// happens then.
  bool Give(void* data);

  size_t taken() const { return taken_; }
  /// Of the blocks that are taken, with what their classes round up.
  size_t taken_bytes() const { return taken_bytes_; }
  /// What has been asked of the system.
  size_t held_bytes() const { return held_bytes_; }

  /// The smallest class for so many bytes, and what its blocks hold.
  static uint32_t ClassOf(size_t bytes);
  static size_t CapacityOf(uint32_t size_class);

 private:
  static constexpr uint32_t kClasses = 4 * (30 - 6) + 1;

  // In front of each block.
  struct alignas(kAlignment) Head {
    Head* next;  // in its free list
    uint32_t size_class;
    uint32_t is_taken;
  };
  struct Chunk {
    Chunk* next;
  };

  Head* Carve(size_t bytes);
  char* AddChunk(size_t bytes);

  Head* free_[kClasses] = {};
  Chunk* chunks_ = nullptr;
  char* carve_at_ = nullptr;
  size_t carve_left_ = 0;
  size_t taken_ = 0;
  size_t taken_bytes_ = 0;
  size_t held_bytes_ = 0;
};

}  // namespace tabmesh::compute

#endif  // TABMESH_COMPUTE_BLOCK_POOL_H_
