#include "crdt/position.h"

#include <algorithm>

#include "base/hash.h"
#include "base/limits.h"

namespace tabmesh {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kBase = 62;
// At the ends of a list one counts in steps of these first digits, and positions stay short.
constexpr size_t kStepDigits = 4;
constexpr size_t kSteps = kBase * kBase * kBase * kBase;

size_t DigitAt(std::string_view text, size_t index) {
  return index < text.size() ? kDigits.find(text[index]) : 0;
}

size_t StepOf(std::string_view position) {
  size_t step = 0;
  for (size_t i = 0; i < kStepDigits; ++i) step = step * kBase + DigitAt(position, i);
  return step;
}

std::string FromStep(size_t step) {
  std::string text(kStepDigits, '0');
  for (size_t i = kStepDigits; i-- > 0; step /= kBase) text[i] = kDigits[step % kBase];
  return text;
}

// Above `low`, below `high`; an empty `high` is 1.
std::string Middle(std::string_view low, std::string_view high) {
  std::string text;
  for (size_t i = 0;; ++i) {
    const size_t below = DigitAt(low, i);
    const size_t above = high.empty() || i >= high.size() ? kBase : DigitAt(high, i);
    if (above - below > 1 && above > below) return text + kDigits[(below + above) / 2];
    text += kDigits[below];
    // One digit apart: anything that begins with the lower one is below `high` from here on.
    if (above != below) high = {};
  }
}

std::string Salted(std::string text, std::string_view high, uint64_t salt) {
  const auto digits = static_cast<size_t>(salt % (kBase * (kBase - 1)));
  std::string salted = text + kDigits[digits % kBase] + kDigits[1 + digits / kBase];
  return high.empty() || salted < high ? salted : text;
}

void Fill(std::string_view low, std::string_view high, size_t from, size_t to, uint64_t salt,
          std::vector<std::string>* out) {
  if (from == to) return;
  const size_t middle = (from + to) / 2;
  (*out)[middle] = Salted(Middle(low, high), high, Mix(salt + middle));
  const std::string split = (*out)[middle];
  Fill(low, split, from, middle, salt, out);
  Fill(split, high, middle + 1, to, salt, out);
}

}  // namespace

bool IsPosition(std::string_view digits) {
  return !digits.empty() && digits.size() <= kPositionBytesMax && digits.back() != '0' &&
         std::all_of(digits.begin(), digits.end(),
                     [](char digit) { return kDigits.find(digit) != std::string_view::npos; });
}

std::vector<std::string> PositionsBetween(std::string_view low, std::string_view high, size_t count,
                                          uint64_t salt) {
  std::vector<std::string> positions(count);
  size_t first = 0;
  if (high.empty()) {
    first = low.empty() ? kSteps / 2 : StepOf(low) + 1;
    if (first + count > kSteps) first = 0;
  } else if (low.empty() && StepOf(high) > count) {
    first = StepOf(high) - count;
  }
  if (first == 0) {
    Fill(low, high, 0, count, salt, &positions);
  } else {
    for (size_t i = 0; i < count; ++i) positions[i] = Salted(FromStep(first + i), {}, Mix(salt + i));
  }
  return positions;
}

}  // namespace tabmesh
