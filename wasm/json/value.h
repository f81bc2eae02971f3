// A parsed JSON value as the document needs it: objects are opened up, everything else is text.
#ifndef TABMESH_JSON_VALUE_H_
#define TABMESH_JSON_VALUE_H_

#include <cstddef>
#include <string_view>

namespace tabmesh {

/// Keys from the root to a place in the state, in WTF-8.
struct Path {
  const std::string_view* keys = nullptr;
  size_t size = 0;
};

/// Lives in the CallArena it was parsed into.
struct JsonValue {
  enum class Kind { kText, kObject };
  Kind kind = Kind::kText;
  /// kText: a scalar or array as canonical JSON text, byte for byte what JSON.stringify writes.
  std::string_view text;
  /// The member's key in WTF-8, when this value is a member of an object.
  std::string_view key;
  JsonValue* first_member = nullptr;  // kObject: members in their order in the text
  JsonValue* next_member = nullptr;
};

/// One change to the state: set, or removal where `value` is null.
struct Edit {
  Path path;
  JsonValue* value = nullptr;
  /// The value replaces the whole subtree, also what others write into it meanwhile.
  bool replace = false;
  Edit* next = nullptr;
};

}  // namespace tabmesh

#endif  // TABMESH_JSON_VALUE_H_
