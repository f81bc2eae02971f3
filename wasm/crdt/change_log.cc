#include "crdt/change_log.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/plant.h"
#include "json/print.h"

namespace tabmesh {

namespace {

const std::string* IdFieldOf(const Node* list, const ListKeys* lists) {
  if (lists == nullptr) return nullptr;
  const auto found = lists->find(list->key);
  return found == lists->end() ? nullptr : &found->second;
}

bool IsWhole(const Node* item, const std::string* id_field) {
  if (item->kind != RegisterKind::kItem) return false;
  if (Planted("half-items-shown")) return true;
  for (const Node* child = item->first_child; child != nullptr; child = child->next) {
    if (child->shown == Shown::kLeaf && child->LeafText() == item->key &&
        (id_field == nullptr || child->key == *id_field)) {
      return true;
    }
  }
  return false;
}

std::string_view PositionOf(const Node* item) {
  for (const Node* child = item->first_child; child != nullptr; child = child->next) {
    if (child->IsPosition()) return child->text;
  }
  return {};
}

void PrintPathOf(const Node* node, std::vector<std::string_view>* keys, Buffer* out) {
  keys->clear();
  for (; node->parent != nullptr; node = node->parent) keys->push_back(node->key);
  std::reverse(keys->begin(), keys->end());
  PrintPath({keys->data(), keys->size()}, out);
}

bool IsToldAbove(const Node* node) {
  for (node = node->parent; node != nullptr; node = node->parent) {
    if (node->printed) return true;
  }
  return false;
}

void PrintChange(const Node* told, const ListKeys* lists, std::vector<std::string_view>* keys, Buffer* out) {
  out->AppendByte('[');
  PrintPathOf(told, keys, out);
  if (told->shown != Shown::kNothing) {
    out->AppendByte(',');
    PrintVisible(told, lists, out);
  }
  out->AppendByte(']');
}

}  // namespace

// The node at which the change is told: the topmost whose kind of visible value is another now. A list whose
// items came, went or moved is told whole. Null where no reader sees the place.
Node* ChangeLog::TellAt(Node* node) const {
  Node* told = node;
  for (Node* ancestor = node->parent; ancestor != nullptr; ancestor = ancestor->parent) {
    if (ancestor->logged && ancestor->shown_before != ancestor->shown) told = ancestor;
  }
  for (const Node* above = told->parent; above != nullptr; above = above->parent) {
    if (above->shown == Shown::kNothing) return nullptr;
  }
  for (Node* item = told; item->parent != nullptr; item = item->parent) {
    Node* list = item->parent;
    if (list->shown != Shown::kList) continue;
    const std::string* field = IdFieldOf(list, lists_);
    if (item == told || told->IsPosition() || field == nullptr) return list;
    if (told->parent == item && told->key == *field) return list;
    return IsWhole(item, field) ? told : nullptr;
  }
  return told->IsPosition() ? nullptr : told;
}

bool ShowsItem(const Node* item, const ListKeys* lists) {
  return IsWhole(item, IdFieldOf(item->parent, lists));
}

std::vector<const Node*> ItemsInOrder(const Node* list, const ListKeys* lists) {
  const std::string* field = IdFieldOf(list, lists);
  std::vector<std::pair<std::string_view, const Node*>> placed;
  for (const Node* child = list->first_child; child != nullptr; child = child->next) {
    if (IsWhole(child, field)) placed.emplace_back(PositionOf(child), child);
  }
  std::sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) {
    return a.first != b.first && !Planted("items-by-arrival") ? a.first < b.first
                                                              : a.second->key < b.second->key;
  });
  std::vector<const Node*> items(placed.size());
  for (size_t i = 0; i < items.size(); ++i) items[i] = placed[i].second;
  return items;
}

void PrintVisible(const Node* node, const ListKeys* lists, Buffer* out) {
  if (node->shown == Shown::kLeaf) return out->Append(node->LeafText());
  if (node->shown == Shown::kList) {
    char before_item = '[';
    for (const Node* item : ItemsInOrder(node, lists)) {
      out->AppendByte(static_cast<uint8_t>(before_item));
      before_item = ',';
      PrintVisible(item, lists, out);
    }
    return out->Append(before_item == '[' ? "[]" : "]");
  }
  char before = '{';
  for (const Node* child = node->first_child; child != nullptr; child = child->next) {
    if (child->shown == Shown::kNothing || child->IsPosition()) continue;
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    PrintString(child->key, out);
    out->AppendByte(':');
    PrintVisible(child, lists, out);
  }
  out->Append(before == '{' ? "{}" : "}");
}

void ChangeLog::Note(Node* node) {
  if (node->logged) return;
  node->logged = true;
  node->shown_before = node->shown;
  nodes_.push_back(node);
}

void ChangeLog::Refresh(Node* node) {
  for (; node != nullptr; node = node->parent) {
    const Shown visible = node->Visible();
    if (visible == node->shown) return;
    Note(node);
    const bool was_there = node->shown != Shown::kNothing;
    const bool is_there = visible != Shown::kNothing;
    node->shown = visible;
    if (was_there == is_there || node->parent == nullptr) return;
    if (is_there) {
      ++shown_count_;
      ++node->parent->children_shown;
    } else {
      --shown_count_;
      --node->parent->children_shown;
    }
  }
}

void ChangeLog::Print(Buffer* out) {
  std::vector<std::string_view> keys;
  std::vector<Node*> printed;  // a list is told that has not changed itself
  char before = '[';
  for (Node* node : nodes_) {  // first the lists that are told whole: nothing below them is told again
    Node* told = TellAt(node);
    if (told == nullptr || told->shown != Shown::kList || told->printed) continue;
    told->printed = true;
    printed.push_back(told);
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    PrintChange(told, lists_, &keys, out);
  }
  for (Node* node : nodes_) {
    Node* told = TellAt(node);
    if (told == nullptr || told->printed || IsToldAbove(told)) continue;
    if ((Planted("removal-untold") || told->shown_before == Shown::kNothing) &&
        told->shown == Shown::kNothing)
      continue;
    // An object that stays an object tells through its members.
    if (told->shown_before == Shown::kObject && told->shown == Shown::kObject) continue;
    told->printed = true;
    printed.push_back(told);
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    PrintChange(told, lists_, &keys, out);
  }
  out->Append(before == '[' ? "[]" : "]");
  for (Node* node : printed) node->printed = false;
}

void ChangeLog::Clear() {
  for (Node* node : nodes_) node->logged = false;
  nodes_.clear();
}

}  // namespace tabmesh
