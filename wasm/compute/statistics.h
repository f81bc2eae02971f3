// What a block of numbers looks like.
#ifndef TABMESH_COMPUTE_STATISTICS_H_
#define TABMESH_COMPUTE_STATISTICS_H_

#include <cstddef>
#include <cstdint>

namespace tabmesh::compute {

inline constexpr size_t kBinsMax = 1024;

/// Numbers that are none (NaN) are counted and otherwise left out; where nothing is left all are 0.
struct Statistics {
  double min;
  double max;
  double mean;
  double not_numbers;
};

/// T is float, double, int32_t or uint8_t. O(count).
template <typename T>
Statistics StatisticsOf(const T* numbers, size_t count);

/// Adds to `bins` how many of the numbers lie in each of `bin_count` equal parts from `from` to `to`, the
/// last one with its end; what lies outside is counted nowhere. O(count).
template <typename T>
void AddToHistogram(const T* numbers, size_t count, double from, double to, uint32_t* bins, size_t bin_count);

}  // namespace tabmesh::compute

#endif  // TABMESH_COMPUTE_STATISTICS_H_
