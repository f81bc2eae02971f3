// Appends ops one after the other while a path is walked.
#ifndef TABMESH_CRDT_OP_WRITER_H_
#define TABMESH_CRDT_OP_WRITER_H_

#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/status.h"
#include "crdt/op.h"
#include "json/value.h"

namespace tabmesh {

class OpWriter {
 public:
  OpWriter(CallArena* arena, OpList* ops) : arena_(arena), ops_(ops) {}

  void GoTo(Path path) { keys_.assign(path.keys, path.keys + path.size); }
  void Down(std::string_view key) { keys_.push_back(key); }
  void Up() { keys_.pop_back(); }

  /// An op at the current path. kPathTooLong, kOutOfMemory.
  Status Add(OpKind kind, std::string_view value = {}, OpDetail* detail = nullptr);
  /// An op without a value at the member `key`, which is copied.
  Status AddAt(std::string_view key, OpKind kind);
  /// A leaf below the current path.
  Status AddBelow(std::string_view key, std::string_view value);

  CallArena* arena() { return arena_; }
  size_t count() const { return ops_->size(); }
  void Truncate(size_t count) { ops_->resize(count); }

 private:
  CallArena* arena_;
  OpList* ops_;
  std::vector<std::string_view> keys_;
};

}  // namespace tabmesh

#endif  // TABMESH_CRDT_OP_WRITER_H_
