#include "crdt/change_log.h"

#include <algorithm>
#include <string_view>

#include "json/print.h"

namespace tabmesh {

namespace {

// The node at which the change is told: the topmost whose kind of visible value is another now.
Node* TellAt(Node* node) {
  Node* told = node;
  for (Node* ancestor = node->parent; ancestor != nullptr; ancestor = ancestor->parent) {
    if (ancestor->logged && ancestor->shown_before != ancestor->shown) told = ancestor;
  }
  return told;
}

void PrintPathOf(const Node* node, std::vector<std::string_view>* keys, Buffer* out) {
  keys->clear();
  for (; node->parent != nullptr; node = node->parent) keys->push_back(node->key);
  std::reverse(keys->begin(), keys->end());
  PrintPath({keys->data(), keys->size()}, out);
}

}  // namespace

void PrintVisible(const Node* node, Buffer* out) {
  if (node->shown == Shown::kLeaf) return out->Append(node->text);
  char before = '{';
  for (const Node* child = node->first_child; child != nullptr; child = child->next) {
    if (child->shown == Shown::kNothing) continue;
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    PrintString(child->key, out);
    out->AppendByte(':');
    PrintVisible(child, out);
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
      ++node->parent->children_shown;
    } else {
      --node->parent->children_shown;
    }
  }
}

void ChangeLog::Print(Buffer* out) {
  std::vector<std::string_view> keys;
  char before = '[';
  for (Node* node : nodes_) {
    Node* told = TellAt(node);
    if (told->printed) continue;
    if (told->shown_before == Shown::kNothing && told->shown == Shown::kNothing) continue;
    // An object that stays an object tells through its members.
    if (told->shown_before == Shown::kObject && told->shown == Shown::kObject) continue;
    told->printed = true;
    out->AppendByte(static_cast<uint8_t>(before));
    before = ',';
    out->AppendByte('[');
    PrintPathOf(told, &keys, out);
    if (told->shown != Shown::kNothing) {
      out->AppendByte(',');
      PrintVisible(told, out);
    }
    out->AppendByte(']');
  }
  out->Append(before == '[' ? "[]" : "]");
}

void ChangeLog::Clear() {
  for (Node* node : nodes_) node->logged = node->printed = false;
  nodes_.clear();
}

}  // namespace tabmesh
