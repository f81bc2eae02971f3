#include "crdt/list_diff.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/limits.h"
#include "crdt/change_log.h"
#include "crdt/position.h"

namespace tabmesh {

namespace {

struct Placed {
  const JsonValue* value = nullptr;
  const Node* node = nullptr;  // null for an item that was not there
  std::string_view old_position;
  std::string position;  // without quotes
  bool stays = false;
};

std::string_view PositionOf(const NodeTree& tree, const Node* item) {
  const Node* position = tree.FindChild(item, kPositionKey);
  if (position == nullptr || position->text.size() < 2) return {};
  return position->text.substr(1, position->text.size() - 2);
}

// Marks a longest run of items whose positions ascend strictly.
void MarkThoseThatStay(std::vector<Placed>* items) {
  std::vector<size_t> tails;  // of the best run of each length, by index
  std::vector<size_t> before(items->size(), SIZE_MAX);
  for (size_t i = 0; i < items->size(); ++i) {
    const Placed& item = (*items)[i];
    if (!IsPosition(item.old_position)) continue;
    const auto at = std::lower_bound(
        tails.begin(), tails.end(), item.old_position,
        [&](size_t tail, std::string_view position) { return (*items)[tail].old_position < position; });
    if (at != tails.begin()) before[i] = *(at - 1);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  for (size_t i = tails.empty() ? SIZE_MAX : tails.back(); i != SIZE_MAX; i = before[i]) {
    (*items)[i].stays = true;
  }
}

// Gives positions to those that do not stay; false when one has become too long.
bool Place(std::vector<Placed>* items, uint64_t salt) {
  std::string_view low;
  for (size_t i = 0; i < items->size();) {
    if ((*items)[i].stays) {
      (*items)[i].position = std::string((*items)[i].old_position);
      low = (*items)[i++].old_position;
      continue;
    }
    size_t end = i;
    while (end < items->size() && !(*items)[end].stays) ++end;
    const std::string_view high = end < items->size() ? (*items)[end].old_position : std::string_view();
    std::vector<std::string> positions = PositionsBetween(low, high, end - i, salt + i);
    for (std::string& position : positions) {
      if (position.size() > kPositionBytesWanted) return false;
      (*items)[i++].position = std::move(position);
    }
  }
  return true;
}

void PlaceAnew(std::vector<Placed>* items, uint64_t salt) {
  std::vector<std::string> positions = PositionsBetween({}, {}, items->size(), salt);
  for (size_t i = 0; i < items->size(); ++i) {
    (*items)[i].stays = false;
    (*items)[i].position = std::move(positions[i]);
  }
}

bool IsThere(const Node* item) { return item != nullptr && item->kind == RegisterKind::kItem; }

// At the item's path.
Status Write(const Placed& item, const WriteItem& write_item, OpWriter* writer) {
  const size_t before = writer->count();
  if (!IsThere(item.node) && item.node != nullptr) {  // what a removed item has left must not come back
    if (const Status status = writer->Add(OpKind::kClear); status != Status::kOk) return status;
  }
  const Node* node = IsThere(item.node) ? item.node : nullptr;
  if (const Status status = write_item(node, *item.value); status != Status::kOk) return status;
  if (!item.stays) {
    std::string_view text;
    if (!writer->arena()->Copy('"' + item.position + '"', &text)) return Status::kOutOfMemory;
    if (const Status status = writer->AddBelow(kPositionKey, text); status != Status::kOk) return status;
  }
  return node != nullptr && writer->count() == before ? Status::kOk : writer->Add(OpKind::kItem);
}

}  // namespace

Status DiffItems(const Document& document, const Node* list, const JsonValue& value, uint64_t salt,
                 const WriteItem& write_item, OpWriter* writer) {
  const NodeTree& tree = document.tree();
  std::vector<Placed> items;
  std::unordered_set<std::string_view> wanted;
  for (const JsonValue* item = value.first_member; item != nullptr; item = item->next_member) {
    Placed& placed = items.emplace_back();
    placed.value = item;
    placed.node = list == nullptr ? nullptr : tree.FindChild(list, item->key);
    if (IsThere(placed.node)) placed.old_position = PositionOf(tree, placed.node);
    wanted.insert(item->key);
  }
  for (const Node* child = list == nullptr ? nullptr : list->first_child; child != nullptr;
       child = child->next) {
    if (!ShowsItem(child, document.lists()) || wanted.count(child->key) != 0) continue;
    const Status status = writer->AddAt(child->key, OpKind::kItemGone);
    if (status != Status::kOk) return status;
  }
  MarkThoseThatStay(&items);
  if (!Place(&items, salt)) PlaceAnew(&items, salt);
  for (const Placed& item : items) {
    writer->Down(item.value->key);
    const Status status = Write(item, write_item, writer);
    writer->Up();
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

}  // namespace tabmesh
