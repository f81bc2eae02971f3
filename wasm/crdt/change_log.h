// What readers see differently after a call, in the fewest and shallowest pieces.
#ifndef TABMESH_CRDT_CHANGE_LOG_H_
#define TABMESH_CRDT_CHANGE_LOG_H_

#include <vector>

#include "base/bytes.h"
#include "crdt/node.h"
#include "json/value.h"

namespace tabmesh {

/// Whether readers see an item of a list that they see. It shows while its id does: what an edit or move has
/// left of one that was cleared away, or brings of one that has not arrived, does not. `lists` names the
/// field of the id; of other lists any field that holds it will do.
bool ShowsItem(const Node* item, const ListKeys* lists);

/// The items of a keyed list as readers see them: by position, then by id. O(items log items).
std::vector<const Node*> ItemsInOrder(const Node* list, const ListKeys* lists);

/// Appends what a reader sees at `node`, which must show something, as JSON text.
void PrintVisible(const Node* node, const ListKeys* lists, Buffer* out);

/// Collects nodes whose visible value has changed. Nodes must outlive the log's next Clear().
class ChangeLog {
 public:
  /// Readers know items by id in `lists` only; other lists are told whole. Null for none.
  explicit ChangeLog(const ListKeys* lists) : lists_(lists) {}

  /// Brings `node` and its ancestors up to date after its register or children have changed.
  void Refresh(Node* node);
  /// Also when the kind of what is shown stays the same: a leaf has another text.
  void Note(Node* node);
  /// Appends `[[path, value], [path], …]`: what to set and what to remove, disjoint, in no
  /// particular order. A path leads through a list by the item's id as JSON text. Nothing is appended but
  /// `[]` when nothing has changed.
  void Print(Buffer* out);
  void Clear();
  bool empty() const { return nodes_.empty(); }
  const ListKeys* lists() const { return lists_; }
  size_t shown_count() const { return shown_count_; }

 private:
  Node* TellAt(Node* node) const;

  const ListKeys* lists_;
  std::vector<Node*> nodes_;
  size_t shown_count_ = 0;  // nodes but the root
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_CHANGE_LOG_H_
