// A parsed JSON value as the document needs it: objects are opened up, everything else is text.
#ifndef TABMESH_JSON_VALUE_H_
#define TABMESH_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tabmesh {

/// Keys from the root to a place in the state, in WTF-8.
struct Path {
  const std::string_view* keys = nullptr;
  size_t size = 0;
};

/// Which top-level keys are keyed lists, and the field that names their items.
using ListKeys = std::map<std::string, std::string, std::less<>>;

/// Lives in the CallArena it was parsed into.
struct JsonValue {
  enum class Kind { kText, kObject, kList };
  Kind kind = Kind::kText;
  /// kText: a scalar or array as canonical JSON text, byte for byte what JSON.stringify writes.
  std::string_view text;
  /// The member's key in WTF-8, when this value is a member of an object; of an item of a list, its id
  /// as JSON text.
  std::string_view key;
  JsonValue* first_member = nullptr;  // kObject, kList: members in their order in the text
  JsonValue* next_member = nullptr;
};

/// One change to the state: set, or removal where `value` is null.
struct Edit {
  enum class Mode : uint8_t {
    kSet = 0,
    kReplace = 1,    // the value replaces the whole subtree, also what others write into it meanwhile
    kIncrement = 2,  // the value is a whole number to add
    kBeside =
        3,  // the value was chosen without knowing of those that are there: of some strategies, beside them
  };
  Path path;
  JsonValue* value = nullptr;
  Mode mode = Mode::kSet;
  Edit* next = nullptr;
};

}  // namespace tabmesh

#endif  // TABMESH_JSON_VALUE_H_
