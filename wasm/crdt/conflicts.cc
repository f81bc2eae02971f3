#include "crdt/conflicts.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "json/print.h"

namespace tabmesh {

namespace {

bool Awaits(const NodeExtra& extra, const VersionVector& vector) {
  const Sibling* latest = LatestOf(extra, vector);
  return latest != nullptr && KeepsBase(latest->strategy) &&
         std::any_of(extra.siblings.begin(), extra.siblings.end(),
                     [&](const Sibling& sibling) { return sibling.text != latest->text; });
}

void PrintId(uint64_t id, Buffer* out) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(id >> (56 - 8 * i));
  PrintHex({bytes, sizeof bytes}, out);
}

void PrintOne(const Document& document, const Node* node, const VersionVector& vector, Buffer* out) {
  const NodeExtra& extra = *node->extra;
  std::vector<const Sibling*> values;
  for (const Sibling& sibling : extra.siblings) values.push_back(&sibling);
  std::sort(values.begin(), values.end(),
            [&](const Sibling* a, const Sibling* b) { return vector.Compare(a->id, b->id) < 0; });
  if (values.size() > kSiblingsShownMax) values.erase(values.begin(), values.end() - kSiblingsShownMax);
  out->Append("{\"id\":\"");
  PrintId(document.ConflictId(node), out);
  out->Append("\",\"key\":");
  PrintString(node->key, out);
  out->Append(",\"strategy\":");
  PrintNumber(static_cast<uint64_t>(values.back()->strategy), out);
  // What all of them came from is the oldest of what each replaced.
  const Sibling* oldest =
      *std::min_element(values.begin(), values.end(),
                        [](const Sibling* a, const Sibling* b) { return a->base_hlc < b->base_hlc; });
  if (!oldest->base.empty()) {
    out->Append(",\"base\":");
    out->Append(oldest->base);
  }
  out->Append(",\"values\":[");
  for (const Sibling* value : values) {
    if (value != values.front()) out->AppendByte(',');
    out->Append("{\"tab\":\"");
    PrintHex(vector.Id(value->id.instance).view(), out);
    out->Append("\",\"time\":");
    PrintNumber(HlcMs(value->id.hlc), out);
    if (!value->text.empty()) {
      out->Append(",\"value\":");
      out->Append(value->text);
    }
    out->AppendByte('}');
  }
  out->Append("]}");
}

}  // namespace

void PrintConflicts(const Document& document, const VersionVector& vector, Buffer* out) {
  char before = '[';
  const Node* root = document.tree().root();
  for (const Node* node = root->first_child; node != nullptr; node = node->next) {
    if (node->extra == nullptr || !Awaits(*node->extra, vector)) continue;
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    PrintOne(document, node, vector, out);
  }
  out->Append(before == '[' ? "[]" : "]");
}

}  // namespace tabmesh
