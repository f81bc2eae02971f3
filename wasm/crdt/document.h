// The state as a join-semilattice: every op is merged by taking maxima, so neither order nor
// repetition matters. Shapiro, Preguiça, Baquero, Zawirski, "Conflict-free Replicated Data Types", 2011.
#ifndef TABMESH_CRDT_DOCUMENT_H_
#define TABMESH_CRDT_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "crdt/change_log.h"
#include "crdt/node_tree.h"
#include "crdt/op.h"
#include "crdt/version_vector.h"

namespace tabmesh {

/// Rules of the merge, in the order of DESIGN: a register takes the write with the larger stamp,
/// then the larger kind, then the larger value bytes; a clear removes every older write below; a
/// write below a newer clear is dropped. What is kept is a function of the set of ops alone, and so
/// is digest().
class Document {
 public:
  /// `vector` must outlive the document and know every instance named in an op.
  explicit Document(const VersionVector* vector) : vector_(vector) {}

  /// Finds the nodes of the ops and copies their values in. kOutOfMemory or kStateTooLarge: nothing
  /// has changed, and the ops need not be discarded.
  Status Prepare(OpList* ops);
  /// Gives back what Prepare took, without merging.
  void Discard(OpList* ops);
  /// Merges prepared ops. Cannot fail.
  void Commit(const OpList& ops);

  /// Appends what readers see differently since the last EndChanges (grammar: ChangeLog::Print)
  /// unless `out` is null; then forgets it. Returns false where nothing has changed.
  bool EndChanges(Buffer* out);

  /// Appends the ops that a replica with `covered` sequence numbers, one an instance of this
  /// replica's vector, has not seen. The paths' keys point into `*keys`. O(size of the state).
  void CollectMissing(const std::vector<uint32_t>& covered, OpList* ops,
                      std::vector<std::string_view>* keys) const;

  /// The whole visible state as a JSON object.
  void PrintState(Buffer* out) const { PrintVisible(tree_.root(), out); }

  /// Order-independent hash of everything written: equal version vectors must mean equal digests.
  uint64_t digest() const { return digest_; }
  const NodeTree& tree() const { return tree_; }

 private:
  int CompareWrites(const WriteId& a, const WriteId& b) const;
  bool Wins(const Op& op, const Node* node) const;
  bool Dominated(const Op& op) const;
  void CommitOne(const Op& op);
  void SetRegister(Node* node, RegisterKind kind, std::string_view text, const WriteId& id);
  void SetCleared(Node* node, const WriteId& id);
  void PruneBelow(Node* node, const WriteId& clear);
  void PruneOlder(Node* node, const WriteId& clear);
  void ToSweep(Node* node);
  void Sweep();
  uint64_t RegisterHash(const Node* node) const;
  uint64_t ClearHash(const Node* node) const;

  const VersionVector* vector_;
  NodeTree tree_;
  ChangeLog changes_;
  std::vector<Node*> sweep_;
  uint64_t digest_ = 0;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_DOCUMENT_H_
