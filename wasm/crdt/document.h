// The state as a join-semilattice: every op is merged by taking maxima, so neither order nor
// repetition matters. Shapiro, Preguiça, Baquero, Zawirski, "Conflict-free Replicated Data Types", 2011.
#ifndef TABMESH_CRDT_DOCUMENT_H_
#define TABMESH_CRDT_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "crdt/change_log.h"
#include "crdt/node_tree.h"
#include "crdt/op.h"
#include "crdt/version_vector.h"

namespace tabmesh {

/// Rules of the merge, in the order of DESIGN: a register takes the write with the larger stamp,
/// then the larger kind, then the larger value bytes; a clear removes every older write below; a
/// write below a newer clear is dropped; values (OpKind::kValue) stay beside one another until a write
/// has seen them; a count adds to the base that it names, and goes with it; what a newer version has added
/// to a write stays with it, unread. What is kept is a function
/// of the set of ops alone, and so is digest().
class Document {
 public:
  /// `vector` must outlive the document and know every instance named in an op.
  /// So must `lists`: those whose items readers know by id.
  explicit Document(const VersionVector* vector, const ListKeys* lists = nullptr)
      : vector_(vector), changes_(lists) {}

  /// Finds the nodes of the ops and copies their values in. kOutOfMemory or kStateTooLarge: nothing
  /// has changed, and the ops need not be discarded.
  Status Prepare(OpList* ops, size_t text_bytes_max = kStateBytesMax);
  /// Gives back what Prepare took, without merging.
  void Discard(OpList* ops);
  /// Merges prepared ops. Cannot fail.
  void Commit(const OpList& ops);

  /// Appends what readers see differently since the last EndChanges (grammar: ChangeLog::Print)
  /// unless `out` is null; then forgets it. Returns false where nothing has changed.
  bool EndChanges(Buffer* out);

  /// Whether the values of some place came or went beside others since the last asking.
  bool TakeConflictsChanged();

  /// The base that an increment at `node` counts from: the newest write that a reader's value there
  /// rests on.
  WriteId BaseOf(const Node* node) const;
  WriteId BaseOf(Path path) const;

  /// The newest write of what is at a path or below it, or was removed there; inside a value that merges
  /// whole, of that. hlc 0 where nobody has written. O(size of the subtree).
  WriteId LastWriteOf(Path path) const;

  /// Identifies the present values of a place: a function of them alone.
  uint64_t ConflictId(const Node* node) const;
  /// The whole visible state as a JSON object.
  void PrintState(Buffer* out) const { PrintVisible(tree_.root(), lists(), out); }
  const ListKeys* lists() const { return changes_.lists(); }

  /// Order-independent hash of everything written: equal version vectors must mean equal digests.
  uint64_t digest() const { return digest_; }
  const NodeTree& tree() const { return tree_; }
  /// How many places show something; the others are kept for what may still be merged.
  size_t shown_count() const { return changes_.shown_count(); }

 private:
  bool Wins(const Op& op, const Node* node) const;
  bool Dominated(const Op& op) const;
  bool Outdoes(const Op& op, const Sibling& sibling) const;
  void MarkListKey(Node* node);
  bool PrepareExtra(Op* op);
  void TakeRoom(const Op& op);
  void Drop(const Op& op);
  void CommitOne(const Op& op);
  void CommitValue(const Op& op);
  void CommitCount(const Op& op);
  void SetRegister(Node* node, RegisterKind kind, std::string_view text, const WriteId& id);
  void SetCleared(Node* node, const WriteId& id);
  void RaiseFloor(Node* node, const WriteId& id);
  void RemoveSibling(Node* node, size_t index);
  void ShowSibling(Node* node);
  bool Bears(const Node* node, const WriteId& id) const;
  void KeepUnknownFields(const Op& op);
  void DropUnknownFields(Node* node);
  void RemoveUnknownFields(Node* node, size_t index);
  void Recount(Node* node);
  void PruneBelow(Node* node, const WriteId& clear);
  void PruneOlder(Node* node, const WriteId& clear);
  void ToSweep(Node* node);
  void Sweep();
  uint64_t StampHash(uint64_t hash, const WriteId& id) const;
  uint64_t RegisterHash(const Node* node) const;
  uint64_t ClearHash(const Node* node) const;
  uint64_t SiblingHash(const Node* node, const Sibling& sibling) const;
  uint64_t UnknownFieldsHash(const Node* node, const UnknownFields& fields) const;
  uint64_t CountHash(const Node* node, const Count& count) const;

  const VersionVector* vector_;
  NodeTree tree_;
  ChangeLog changes_;
  std::vector<Node*> sweep_;
  uint64_t digest_ = 0;
  bool conflicts_changed_ = false;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_DOCUMENT_H_
