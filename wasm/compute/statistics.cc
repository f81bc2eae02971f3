#include "compute/statistics.h"

#include <limits>
#include <type_traits>

#include "compute/lanes.h"

namespace tabmesh::compute {

namespace {

// The ordinary way, and for what the lanes leave over.
template <typename T>
struct Sums {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double sum = 0;
  size_t count = 0;

  void Add(const T* numbers, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      const auto number = static_cast<double>(numbers[i]);
      if (number != number) continue;
      min = number < min ? number : min;
      max = number > max ? number : max;
      sum += number;
      ++count;
    }
  }
};

using Double2 = double __attribute__((vector_size(16)));

// Four at a time, summed in doubles. Stops before the first four with a NaN among them; returns how many are
// done.
size_t AddLanes(const float* numbers, size_t size, Sums<float>* sums) {
  if (size < kLanes) return 0;
  Float4 min = Load(numbers), max = min;
  Double2 low = {0, 0}, high = {0, 0};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const Float4 four = Load(numbers + i);
    const Mask4 is_number = four == four;
    if ((is_number[0] & is_number[1] & is_number[2] & is_number[3]) == 0) break;
    min = Min(min, four);
    max = Max(max, four);
    low += Double2{four[0], four[1]};
    high += Double2{four[2], four[3]};
  }
  if (i == 0) return 0;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    sums->min = min[lane] < sums->min ? min[lane] : sums->min;
    sums->max = max[lane] > sums->max ? max[lane] : sums->max;
  }
  sums->sum += low[0] + low[1] + high[0] + high[1];
  sums->count += i;
  return i;
}

}  // namespace

template <typename T>
Statistics StatisticsOf(const T* numbers, size_t count) {
  Sums<T> sums;
  size_t done = 0;
  if constexpr (std::is_same_v<T, float>) {
    while (count - done >= kLanes) {
      const size_t lanes = AddLanes(numbers + done, count - done, &sums);
      done += lanes;
      if (count - done < kLanes) break;
      sums.Add(numbers + done, kLanes);  // with a NaN among them
      done += kLanes;
    }
  }
  sums.Add(numbers + done, count - done);
  if (sums.count == 0) return {0, 0, 0, static_cast<double>(count)};
  return {sums.min, sums.max, sums.sum / static_cast<double>(sums.count),
          static_cast<double>(count - sums.count)};
}

template <typename T>
void AddToHistogram(const T* numbers, size_t count, double from, double to, uint32_t* bins,
                    size_t bin_count) {
  if (!(from < to) || bin_count == 0) return;
  const double scale = static_cast<double>(bin_count) / (to - from);
  for (size_t i = 0; i < count; ++i) {
    const auto number = static_cast<double>(numbers[i]);
    if (!(number >= from && number <= to)) continue;
    const auto bin = static_cast<size_t>((number - from) * scale);
    ++bins[bin < bin_count ? bin : bin_count - 1];
  }
}

template Statistics StatisticsOf(const float*, size_t);
template Statistics StatisticsOf(const double*, size_t);
template Statistics StatisticsOf(const int32_t*, size_t);
template Statistics StatisticsOf(const uint8_t*, size_t);
template void AddToHistogram(const float*, size_t, double, double, uint32_t*, size_t);
template void AddToHistogram(const double*, size_t, double, double, uint32_t*, size_t);
template void AddToHistogram(const int32_t*, size_t, double, double, uint32_t*, size_t);
template void AddToHistogram(const uint8_t*, size_t, double, double, uint32_t*, size_t);

}  // namespace tabmesh::compute
