// Fixed-size slots from slabs with a free list: O(1) to take and to give back.
#ifndef TABMESH_BASE_POOL_H_
#define TABMESH_BASE_POOL_H_

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "base/memory.h"

namespace tabmesh {

/// Owns slabs of T. Slots are given back one by one or all at the pool's end; slabs are freed at
/// its end only. T must be trivially destructible.
template <typename T, size_t kSlotsPerSlab = 512>
class Pool {
  static_assert(std::is_trivially_destructible_v<T>, "slots are dropped without a destructor");

 public:
  Pool() = default;
  ~Pool() {
    while (slabs_ != nullptr) {
      Slab* next = slabs_->next;
      std::free(slabs_);
      slabs_ = next;
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A value-initialised T, or null when memory has run out.
  T* Take() {
    if (free_ == nullptr && !AddSlab()) return nullptr;
    Slot* slot = free_;
    free_ = slot->next;
    ++used_;
    return new (slot->storage) T();
  }

  /// `item` must come from this pool, and is dead afterwards.
  void Give(T* item) {
    Slot* slot = reinterpret_cast<Slot*>(item);
    slot->next = free_;
    free_ = slot;
    --used_;
  }

  size_t used() const { return used_; }
  size_t bytes() const { return slab_count_ * sizeof(Slab); }

 private:
  union Slot {
    Slot* next;
    alignas(T) unsigned char storage[sizeof(T)];
  };
  struct Slab {
    Slab* next;
    Slot slots[kSlotsPerSlab];
  };

  bool AddSlab() {
    Slab* slab = static_cast<Slab*>(Allocate(sizeof(Slab)));
    if (slab == nullptr) return false;
    slab->next = slabs_;
    slabs_ = slab;
    ++slab_count_;
    for (size_t i = kSlotsPerSlab; i-- > 0;) {
      slab->slots[i].next = free_;
      free_ = &slab->slots[i];
    }
    return true;
  }

  Slot* free_ = nullptr;
  Slab* slabs_ = nullptr;
  size_t used_ = 0;
  size_t slab_count_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_BASE_POOL_H_
