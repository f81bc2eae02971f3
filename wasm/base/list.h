// A growable array that can fail softly: room is made first, and what follows cannot fail.
#ifndef TABMESH_BASE_LIST_H_
#define TABMESH_BASE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "base/memory.h"

namespace tabmesh {

/// Owns its items, which must be trivially copyable. Removal does not keep the order.
template <typename T>
class List {
  static_assert(std::is_trivially_copyable_v<T>, "items move by realloc");

 public:
  List() = default;
  ~List() { std::free(items_); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  /// Makes room for `more` further items. False when memory has run out; nothing has changed then.
  [[nodiscard]] bool Reserve(size_t more) {
    if (size_ + more <= capacity_) return true;
    const size_t capacity = size_ + more > 2 * size_t{capacity_} ? size_ + more : 2 * size_t{capacity_};
    auto* items = static_cast<T*>(Reallocate(static_cast<void*>(items_), capacity * sizeof(T)));
    if (items == nullptr) return false;
    items_ = items;
    capacity_ = static_cast<uint32_t>(capacity);
    return true;
  }
  /// Room must have been reserved.
  void Add(const T& item) { items_[size_++] = item; }
  void RemoveAt(size_t index) { items_[index] = items_[--size_]; }
  void Clear() { size_ = 0; }

  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }
  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  T* items_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_BASE_LIST_H_
