// What readers see differently after a call, in the fewest and shallowest pieces.
#ifndef TABMESH_CRDT_CHANGE_LOG_H_
#define TABMESH_CRDT_CHANGE_LOG_H_

#include <vector>

#include "base/bytes.h"
#include "crdt/node.h"

namespace tabmesh {

/// Appends what a reader sees at `node`, which must show something, as JSON text.
void PrintVisible(const Node* node, Buffer* out);

/// Collects nodes whose visible value has changed. Nodes must outlive the log's next Clear().
class ChangeLog {
 public:
  /// Brings `node` and its ancestors up to date after its register or children have changed.
  void Refresh(Node* node);
  /// Also when the kind of what is shown stays the same: a leaf has another text.
  void Note(Node* node);
  /// Appends `[[path, value], [path], …]`: what to set and what to remove, disjoint, in no
  /// particular order. Nothing is appended but `[]` when nothing has changed.
  void Print(Buffer* out);
  void Clear();
  bool empty() const { return nodes_.empty(); }

 private:
  std::vector<Node*> nodes_;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_CHANGE_LOG_H_
