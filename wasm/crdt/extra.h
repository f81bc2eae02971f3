// What only some places of the state have: values written without knowing of one another, counts, and what
// newer versions have added to a write.
#ifndef TABMESH_CRDT_EXTRA_H_
#define TABMESH_CRDT_EXTRA_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/list.h"
#include "crdt/op.h"
#include "crdt/version_vector.h"

namespace tabmesh {

/// One of several values of a place. Texts are in the NodeTree's TextArena.
struct Sibling {
  WriteId id;
  std::string_view text;  // JSON; empty for a removal
  std::string_view base;  // what its writer replaced; empty where there was nothing
  HlcTime base_hlc = 0;
  Strategy strategy = Strategy::kPrompt;
};

/// What one instance has added since `epoch`, the write that began the count.
struct Count {
  WriteId id;  // of its newest increment
  WriteId epoch;
  int64_t total = 0;
};

/// What a newer version has added to a write, in the NodeTree's TextArena.
struct UnknownFields {
  WriteId id;
  std::string_view bytes;
};

/// Siblings are those writes that no other write has seen; `context` names all that some write has seen,
/// and the siblings. Preguiça, Baquero, Almeida, Fonte, Gonçalves, "Dotted Version Vectors", 2010. An
/// instance has at most one sibling, for its later writes have seen its earlier ones.
struct NodeExtra {
  List<Sibling> siblings;
  List<Dot> context;  // one entry an instance: its writes up to this number
  WriteId floor;      // the largest clear by a plain write: older siblings are gone
  List<Count> counts;
  List<UnknownFields> unknown;  // at most one of a write, for as long as something here bears its stamp
  // What ops that are prepared and not merged yet may add.
  uint32_t ops_awaited = 0;
  uint32_t dots_awaited = 0;
  char count_text[24] = {};
  uint8_t count_text_size = 0;  // 0 where nothing is counted

  std::string_view CountText() const { return {count_text, count_text_size}; }
  bool Empty() const { return siblings.empty() && counts.empty() && unknown.empty(); }
};

/// Whether a write is among those that `context` names.
bool Covers(const Dot* context, size_t size, const WriteId& id);
/// Adds a write to the context; room for one more must be there.
void Cover(List<Dot>* context, const Dot& dot);

/// What a newer version has added to the write `id`; mostly empty.
std::string_view UnknownFieldsOf(const NodeExtra* extra, const WriteId& id);

/// The sibling with the largest stamp; null where there are none.
const Sibling* LatestOf(const NodeExtra& extra, const VersionVector& vector);
/// The sibling that readers see: the earliest where the latest was written under first-write-wins, else
/// the latest.
const Sibling* ShownOf(const NodeExtra& extra, const VersionVector& vector);

/// The sum as decimal digits, kept within ±(2^53 - 1) as JavaScript's whole numbers are.
/// `base` is a whole number as JSON text, or empty; false where it is something else.
bool SumCounts(const NodeExtra& extra, const WriteId& epoch, std::string_view base, int64_t* sum);
/// Reads a whole number within ±(2^53 - 1).
bool ParseWhole(std::string_view text, int64_t* number);
/// Writes `number` into `count_text`.
void PrintCount(int64_t number, NodeExtra* extra);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_EXTRA_H_
