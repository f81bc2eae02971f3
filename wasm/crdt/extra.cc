#include "crdt/extra.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "base/plant.h"

namespace tabmesh {

bool Covers(const Dot* context, size_t size, const WriteId& id) {
  if (Planted("context-ignored")) return false;
  return std::any_of(context, context + size,
                     [&](const Dot& dot) { return dot.instance == id.instance && dot.seq >= id.seq; });
}

void Cover(List<Dot>* context, const Dot& dot) {
  for (Dot& known : *context) {
    if (known.instance != dot.instance) continue;
    known.seq = std::max(known.seq, dot.seq);
    return;
  }
  context->Add(dot);
}

std::string_view UnknownFieldsOf(const NodeExtra* extra, const WriteId& id) {
  if (extra == nullptr) return {};
  for (const UnknownFields& known : extra->unknown) {
    if (SameWrite(known.id, id)) return known.bytes;
  }
  return {};
}

const Sibling* LatestOf(const NodeExtra& extra, const VersionVector& vector) {
  const Sibling* latest = nullptr;
  for (const Sibling& sibling : extra.siblings) {
    if (latest == nullptr || (vector.Compare(sibling.id, latest->id) > 0 && !Planted("siblings-by-arrival")))
      latest = &sibling;
  }
  return latest;
}

const Sibling* ShownOf(const NodeExtra& extra, const VersionVector& vector) {
  const Sibling* shown = LatestOf(extra, vector);
  if (shown == nullptr || shown->strategy != Strategy::kFirstWriteWins) return shown;
  for (const Sibling& sibling : extra.siblings) {
    if (vector.Compare(sibling.id, shown->id) < 0) shown = &sibling;
  }
  return shown;
}

bool SumCounts(const NodeExtra& extra, const WriteId& epoch, std::string_view base, int64_t* sum) {
  int64_t start = 0;
  if (!base.empty() && !ParseWhole(base, &start)) return false;
  // 65,536 instances times 2^53 do not fit into 64 bits.
  __extension__ __int128 total = start;
  bool any = false;
  for (const Count& count : extra.counts) {
    if (count.epoch.hlc != epoch.hlc || count.epoch.instance != epoch.instance) continue;
    total += count.total;
    any = true;
  }
  if (!any) return false;
  *sum = total > kWholeMax ? kWholeMax : total < -kWholeMax ? -kWholeMax : static_cast<int64_t>(total);
  return true;
}

bool ParseWhole(std::string_view text, int64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number <= kWholeMax &&
         *number >= -kWholeMax;
}

void PrintCount(int64_t number, NodeExtra* extra) {
  char* const start = extra->count_text;
  extra->count_text_size =
      static_cast<uint8_t>(std::to_chars(start, start + sizeof extra->count_text, number).ptr - start);
}

}  // namespace tabmesh
