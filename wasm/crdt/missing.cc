#include "crdt/missing.h"

#include <algorithm>

#include "base/plant.h"
#include "crdt/walk.h"

namespace tabmesh {

namespace {

OpKind KindOf(const Node& node, bool cleared_by_it) {
  switch (node.kind) {
    case RegisterKind::kLeaf:
      return OpKind::kLeaf;
    case RegisterKind::kTombstone:
      return OpKind::kTombstone;
    case RegisterKind::kList:
      return OpKind::kList;
    case RegisterKind::kItem:
      return OpKind::kItem;
    case RegisterKind::kItemGone:
      return OpKind::kItemGone;
    default:
      return cleared_by_it ? OpKind::kReplace : OpKind::kObject;
  }
}

class Collector {
 public:
  Collector(const std::vector<uint32_t>& covered, CallArena* arena, OpList* ops,
            std::vector<std::string_view>* keys)
      : covered_(covered), arena_(arena), ops_(ops, keys) {}

  Status Run(const Node* root) {
    TreeWalk walk(root);
    while (const Node* node = walk.Next()) {
      path_ = walk.path();
      if (const Status status = Visit(*node); status != Status::kOk) return status;
    }
    ops_.Finish();
    return Status::kOk;
  }

 private:
  bool Missing(const WriteId& id) const {
    return id.hlc != 0 && id.seq > covered_[id.instance] + (Planted("delta-off-by-one") ? 1 : 0);
  }

  void Add(OpKind kind, std::string_view value, const WriteId& id, OpDetail* detail = nullptr) {
    Op* op = ops_.Add(kind, path_, value);
    op->id = id;
    op->detail = detail;
    if (!Planted("delta-without-unknown-fields")) op->unknown_fields = UnknownFieldsOf(extra_, id);
  }

  Status Visit(const Node& node) {
    extra_ = node.extra;
    const bool has_siblings = node.extra != nullptr && !node.extra->siblings.empty();
    // The clears of siblings are told with them.
    const WriteId& cleared = has_siblings ? node.extra->floor : node.cleared;
    const bool clear_apart =
        cleared.hlc != 0 && (cleared.hlc != node.written.hlc || cleared.instance != node.written.instance);
    const bool plain = node.kind != RegisterKind::kNone && node.kind != RegisterKind::kValues;
    if (plain && Missing(node.written) &&
        !(Planted("delta-without-removals") && node.kind == RegisterKind::kTombstone)) {
      const OpKind kind = KindOf(node, cleared.hlc != 0 && !clear_apart);
      // A list or item that replaced what was there had its clear in the same write.
      const bool clears_too = cleared.hlc != 0 && !clear_apart && !Clears(kind);
      if (clears_too) Add(OpKind::kClear, {}, cleared);
      Add(kind, kind == OpKind::kLeaf ? node.text : std::string_view(), node.written);
    }
    if (clear_apart && Missing(cleared) && !Planted("delta-without-clears")) Add(OpKind::kClear, {}, cleared);
    if (node.extra == nullptr) return Status::kOk;
    for (const Sibling& sibling : node.extra->siblings) {
      if (!Missing(sibling.id)) continue;
      const Status status = AddSibling(*node.extra, sibling);
      if (status != Status::kOk) return status;
    }
    for (const Count& count : node.extra->counts) {
      if (!Missing(count.id)) continue;
      auto* detail = arena_->New<OpDetail>();
      if (detail == nullptr) return Status::kOutOfMemory;
      detail->epoch = count.epoch;
      detail->total = count.total;
      Add(OpKind::kCount, {}, count.id, detail);
    }
    return Status::kOk;
  }

  // Each goes with all that any of them has seen, but the siblings themselves.
  Status AddSibling(const NodeExtra& extra, const Sibling& sibling) {
    auto* detail = arena_->New<OpDetail>();
    auto* context = static_cast<Dot*>(arena_->Allocate(extra.context.size() * sizeof(Dot)));
    if (detail == nullptr || context == nullptr) return Status::kOutOfMemory;
    size_t size = 0;
    for (Dot dot : extra.context) {
      const bool own = std::any_of(extra.siblings.begin(), extra.siblings.end(), [&](const Sibling& other) {
        return other.id.instance == dot.instance && other.id.seq == dot.seq;
      });
      if (own) --dot.seq;
      if (dot.seq > 0 && !Planted("delta-without-contexts")) context[size++] = dot;
    }
    detail->strategy = sibling.strategy;
    detail->removed = sibling.text.empty();
    detail->context = context;
    detail->context_size = size;
    detail->base_hlc = sibling.base_hlc;
    detail->base = sibling.base;
    Add(OpKind::kValue, sibling.text, sibling.id, detail);
    return Status::kOk;
  }

  const std::vector<uint32_t>& covered_;
  CallArena* arena_;
  GatheredOps ops_;
  Path path_;
  const NodeExtra* extra_ = nullptr;  // of the place visited
};

}  // namespace

Status CollectMissing(const Document& document, const std::vector<uint32_t>& covered, CallArena* arena,
                      OpList* ops, std::vector<std::string_view>* keys) {
  return Collector(covered, arena, ops, keys).Run(document.tree().root());
}

}  // namespace tabmesh
