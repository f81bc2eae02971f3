// JSON text in. The only part of the core that knows simdjson.
#ifndef TABMESH_JSON_PARSE_H_
#define TABMESH_JSON_PARSE_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/arena.h"
#include "base/status.h"
#include "json/value.h"

namespace tabmesh {

/// Parses with one set of reused buffers. Lone surrogates survive: keys become WTF-8
/// (Sapin, "The WTF-8 encoding"), values keep their \ud800 escapes. Numbers keep their digits.
/// Every call may return kMalformedJson, kDepthExceeded, kForbiddenKey, kKeyTooLong, kValueTooLarge
/// or kOutOfMemory; results live in `arena`.
class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(const JsonParser&) = delete;
  JsonParser& operator=(const JsonParser&) = delete;

  /// Arrays under these top-level keys are opened into items from now on; `lists` must outlive the parser.
  /// kBadListItem: an item is no object, or its id no string or number, or there twice.
  void UseLists(const ListKeys* lists);

  /// One object, as the initial state is. kNotAnObject for anything else.
  Status ParseObject(std::string_view json, CallArena* arena, JsonValue** object);

  /// `[[path, value], [path], [path, value, 1], [path, number, 2], [path, value, 3], …]`: sets, removals,
  /// replacements, increments, and values beside others (Edit::Mode); a path is an array of keys. Also
  /// kPathTooLong. `*first` is null for an empty list.
  Status ParseEdits(std::string_view json, CallArena* arena, Edit** first);

  /// Checks that each of `texts` is exactly one JSON value, in one pass. Allocates nothing in an arena.
  Status Validate(const std::string_view* texts, size_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tabmesh

#endif  // TABMESH_JSON_PARSE_H_
