#include "crdt/diff.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "base/bytes.h"
#include "base/limits.h"
#include "crdt/list_diff.h"
#include "crdt/op_writer.h"
#include "json/print.h"

namespace tabmesh {

namespace {

class Differ {
 public:
  Differ(const Document& document, uint32_t instance, uint64_t salt, CallArena* arena, OpList* ops)
      : document_(document),
        tree_(document.tree()),
        instance_(instance),
        salt_(salt),
        arena_(arena),
        writer_(arena, ops) {}

  Status Run(const Edit& edit, Strategy strategy) {
    if (strategy != Strategy::kMerge) {
      if (edit.path.size != 1) return Status::kPathTooLong;
      writer_.GoTo(edit.path);
      return KeepsSiblings(strategy) ? Beside(edit, strategy) : Whole(edit);
    }
    if (LeadsThroughGoneItem(edit.path)) return Status::kOk;
    const Node* node = tree_.Find(edit.path);
    if (edit.value == nullptr && !IsSeen(node)) return Status::kOk;
    const size_t before = writer_.count();
    if (const Status status = MarkAncestors(edit.path); status != Status::kOk) return status;
    const size_t marked = writer_.count();
    if (replaces_) node = nullptr;
    writer_.GoTo(edit.path);
    Status status = Status::kOk;
    if (edit.value == nullptr) {
      status = Remove(node);
    } else {
      status = edit.mode == Edit::Mode::kReplace ? Replace(*edit.value) : Value(node, *edit.value);
    }
    if (writer_.count() == marked) writer_.Truncate(before);  // nothing differs: no marker is needed
    return status;
  }

  Status Add(const Edit& edit) {
    int64_t by = 0;
    if (edit.value == nullptr || !ParseWhole(edit.value->text, &by)) return Status::kNotANumber;
    const Node* node = tree_.Find(edit.path);
    int64_t shown = 0;
    if (IsSeen(node) && (node->shown != Shown::kLeaf || node->kind == RegisterKind::kValues ||
                         !ParseWhole(node->LeafText(), &shown))) {
      return Status::kNotANumber;
    }
    auto* detail = arena_->New<OpDetail>();
    if (detail == nullptr) return Status::kOutOfMemory;
    detail->epoch = document_.BaseOf(edit.path);
    detail->total = by;
    if (node != nullptr && node->extra != nullptr) {
      for (const Count& count : node->extra->counts) {
        const bool same_epoch =
            count.epoch.hlc == detail->epoch.hlc && count.epoch.instance == detail->epoch.instance;
        if (count.id.instance == instance_ && same_epoch) detail->total += count.total;
      }
    }
    for (const int64_t sum : {shown + by, detail->total}) {
      if (sum > kWholeMax || sum < -kWholeMax) return Status::kNotANumber;
    }
    if (LeadsThroughGoneItem(edit.path)) return Status::kOk;
    if (const Status status = MarkAncestors(edit.path); status != Status::kOk) return status;
    writer_.GoTo(edit.path);
    // What there was to count from goes.
    if (replaces_) return writer_.Add(OpKind::kLeaf, edit.value->text);
    return writer_.Add(OpKind::kCount, {}, detail);
  }

 private:
  // Members of a list that is none to this replica are not.
  static bool IsSeen(const Node* node) {
    if (node == nullptr || node->shown == Shown::kNothing) return false;
    for (node = node->parent; node->parent != nullptr; node = node->parent) {
      if (node->shown != Shown::kObject && !(node->shown == Shown::kList && node->list_key)) return false;
    }
    return true;
  }

  // A list that is none to this replica, or what such a list's removed item has left, is a value like any
  // other: an object takes its place.
  static bool ReplacedWhole(RegisterKind kind) {
    return kind == RegisterKind::kList || kind == RegisterKind::kItemGone;
  }

  // An item that its writer does not see takes no edits.
  bool LeadsThroughGoneItem(Path path) const {
    const Node* list = path.size < 2 ? nullptr : tree_.FindChild(tree_.root(), path.keys[0]);
    if (list == nullptr || list->shown != Shown::kList || !list->list_key) return false;
    const Node* item = tree_.FindChild(list, path.keys[1]);
    return item == nullptr || !ShowsItem(item, document_.lists());
  }

  // Objects on the way to an edit stay when their last member goes, so each gets a marker. An item of a list
  // is said to be there, so that the edit outlives an earlier removal.
  Status MarkAncestors(Path path) {
    const Node* node = tree_.root();
    writer_.GoTo({});
    for (size_t i = 0; i + 1 < path.size; ++i) {
      writer_.Down(path.keys[i]);
      const bool in_list = node != nullptr && node->shown == Shown::kList && node->list_key;
      node = node == nullptr ? nullptr : tree_.FindChild(node, path.keys[i]);
      const RegisterKind kind = node == nullptr ? RegisterKind::kNone : node->kind;
      if (!in_list && (kind == RegisterKind::kObject || (kind == RegisterKind::kList && node->list_key)))
        continue;
      const OpKind marker = in_list               ? OpKind::kItem
                            : ReplacedWhole(kind) ? OpKind::kReplace
                                                  : OpKind::kObject;
      replaces_ |= marker == OpKind::kReplace;
      const Status status = writer_.Add(marker);
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  Status Remove(const Node* node) {
    if (node == nullptr || node->shown == Shown::kNothing) return Status::kOk;
    return writer_.Add(node->kind == RegisterKind::kItem ? OpKind::kItemGone : OpKind::kTombstone);
  }

  // The text of a whole value, whatever it is.
  Status TextOf(const JsonValue& value, std::string_view* text) {
    Buffer out;
    PrintValue(value, &out);
    return Keep(out, text);
  }

  Status Keep(const Buffer& out, std::string_view* text) {
    if (out.failed()) return Status::kOutOfMemory;
    if (out.size() > kValueBytesMax) return Status::kValueTooLarge;
    return arena_->Copy(out.view(), text) ? Status::kOk : Status::kOutOfMemory;
  }

  // The key as one leaf.
  Status Whole(const Edit& edit) {
    const Node* node = tree_.Find(edit.path);
    if (edit.value == nullptr) return Remove(node);
    std::string_view text;
    if (const Status status = TextOf(*edit.value, &text); status != Status::kOk) return status;
    return Leaf(node, text);
  }

  // The key as one value that has seen all others, or only those of the same instance.
  Status Beside(const Edit& edit, Strategy strategy) {
    const Node* node = tree_.Find(edit.path);
    std::string_view text;
    if (edit.value != nullptr) {
      if (const Status status = TextOf(*edit.value, &text); status != Status::kOk) return status;
    }
    std::string_view shown;
    if (node != nullptr && node->shown != Shown::kNothing) {
      Buffer out;
      PrintVisible(node, document_.lists(), &out);
      if (const Status status = Keep(out, &shown); status != Status::kOk) return status;
    }
    const NodeExtra* extra = node == nullptr ? nullptr : node->extra;
    if (shown == text && (extra == nullptr || extra->siblings.size() <= 1)) return Status::kOk;
    auto* detail = arena_->New<OpDetail>();
    if (detail == nullptr) return Status::kOutOfMemory;
    detail->strategy = strategy;
    detail->removed = edit.value == nullptr;
    const bool blind = edit.mode == Edit::Mode::kBeside;
    if (extra != nullptr) {
      detail->context = static_cast<Dot*>(arena_->Allocate(extra->context.size() * sizeof(Dot)));
      if (detail->context == nullptr) return Status::kOutOfMemory;
      for (const Dot& dot : extra->context) {
        if (!blind || dot.instance == instance_) detail->context[detail->context_size++] = dot;
      }
    }
    if (KeepsBase(strategy) && node != nullptr && !blind) {
      detail->base = shown;
      detail->base_hlc = node->written.hlc;
    }
    return writer_.Add(OpKind::kValue, text, detail);
  }

  Status Leaf(const Node* node, std::string_view text) {
    if (node != nullptr && node->shown == Shown::kLeaf && node->LeafText() == text) return Status::kOk;
    return writer_.Add(OpKind::kLeaf, text);
  }

  Status Replace(const JsonValue& value) {
    if (value.kind == JsonValue::Kind::kText) return writer_.Add(OpKind::kLeaf, value.text);
    if (value.kind == JsonValue::Kind::kList) {
      if (const Status status = writer_.Add(OpKind::kClear); status != Status::kOk) return status;
      return Items(nullptr, value);
    }
    if (const Status status = writer_.Add(OpKind::kReplace); status != Status::kOk) return status;
    return Members(nullptr, value);
  }

  Status Value(const Node* node, const JsonValue& value) {
    if (value.kind == JsonValue::Kind::kText) return Leaf(node, value.text);
    if (value.kind == JsonValue::Kind::kList) {
      const bool list = node != nullptr && node->shown == Shown::kList;
      return list || node == nullptr || node->shown == Shown::kNothing ? Items(node, value) : Replace(value);
    }
    if (node != nullptr && (node->shown == Shown::kList || ReplacedWhole(node->kind))) return Replace(value);
    const bool object = node != nullptr && node->shown == Shown::kObject;
    // The marker keeps an object whose last member goes.
    const bool marked = object && (node->kind == RegisterKind::kObject || node->parent == nullptr ||
                                   node->kind == RegisterKind::kItem);
    if (!marked) {
      if (const Status status = writer_.Add(OpKind::kObject); status != Status::kOk) return status;
    }
    if (const Status status = Members(node, value); status != Status::kOk) return status;
    return object ? RemoveOthers(node, value) : Status::kOk;
  }

  Status Items(const Node* list, const JsonValue& value) {
    if (list == nullptr || list->kind != RegisterKind::kList) {
      if (const Status status = writer_.Add(OpKind::kList); status != Status::kOk) return status;
    }
    const auto write_item = [this](const Node* item, const JsonValue& item_value) {
      if (item != nullptr) return Value(item, item_value);
      return Members(nullptr, item_value);
    };
    return DiffItems(document_, list, value, salt_, write_item, &writer_);
  }

  Status Members(const Node* node, const JsonValue& value) {
    std::unordered_set<std::string_view> seen;
    for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
      if (!seen.insert(member->key).second) return Status::kDuplicatePath;
      writer_.Down(member->key);
      const Node* child = node == nullptr ? nullptr : tree_.FindChild(node, member->key);
      const Status status = Value(child, *member);
      writer_.Up();
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  Status RemoveOthers(const Node* node, const JsonValue& value) {
    std::unordered_set<std::string_view> kept;
    for (const JsonValue* member = value.first_member; member != nullptr; member = member->next_member) {
      kept.insert(member->key);
    }
    for (const Node* child = node->first_child; child != nullptr; child = child->next) {
      if (child->shown == Shown::kNothing || child->IsPosition() || kept.count(child->key) != 0) continue;
      const Status status = writer_.AddAt(child->key, OpKind::kTombstone);
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  const Document& document_;
  const NodeTree& tree_;
  const uint32_t instance_;
  const uint64_t salt_;
  CallArena* arena_;
  OpWriter writer_;
  bool replaces_ = false;  // something that lies above the edit
};

}  // namespace

Status Diff(const Document& document, const Edit& edit, Strategy strategy, uint32_t instance, uint64_t salt,
            CallArena* arena, OpList* ops) {
  return Differ(document, instance, salt, arena, ops).Run(edit, strategy);
}

Status Increment(const Document& document, const Edit& edit, uint32_t instance, CallArena* arena,
                 OpList* ops) {
  return Differ(document, instance, 0, arena, ops).Add(edit);
}

}  // namespace tabmesh
