#include "json/parse.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "json/print.h"
#include "simdjson.h"

namespace tabmesh {

namespace ondemand = simdjson::ondemand;
using Kind = ondemand::json_type;

namespace {

constexpr size_t kKeptInputBytesMax = size_t{1} << 20;

Status FromSimdjson(simdjson::error_code error) {
  switch (error) {
    case simdjson::SUCCESS:
      return Status::kOk;
    case simdjson::MEMALLOC:
      return Status::kOutOfMemory;
    case simdjson::CAPACITY:
      return Status::kStateTooLarge;
    case simdjson::DEPTH_ERROR:
      return Status::kDepthExceeded;
    default:
      return Status::kMalformedJson;
  }
}

std::string_view TrimRight(std::string_view token) {
  while (!token.empty() && static_cast<uint8_t>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

// A literal, or an integer that every parser reads alike: most single changes, told without the parser.
bool IsPlainScalar(std::string_view text) {
  if (text == "true" || text == "false" || text == "null") return true;
  if (text.empty() || text.size() > 15 || (text[0] == '0' && text.size() > 1)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

#define TABMESH_TRY(expression)                                  \
  if (const Status tried = (expression); tried != Status::kOk) { \
    return tried;                                                \
  }
#define TABMESH_TRY_SIMDJSON(expression) TABMESH_TRY(FromSimdjson(expression))

struct JsonParser::Impl {
  ondemand::parser parser;
  Buffer input;    // padded copy of the text, in brackets
  Buffer scratch;  // unescaped keys, canonical texts
  ondemand::document document;

  // Starts on `[` text `]`: a scalar at the root is then a value like any other.
  Status Open(ondemand::array* wrapper) {
    input.AppendByte(']');
    const size_t size = input.size();
    input.Reserve(simdjson::SIMDJSON_PADDING);
    if (input.failed()) return Status::kOutOfMemory;
    std::memset(input.data() + size, 0, simdjson::SIMDJSON_PADDING);
    TABMESH_TRY_SIMDJSON(parser.iterate(input.data(), size, size + simdjson::SIMDJSON_PADDING).get(document));
    return FromSimdjson(document.get_array().get(*wrapper));
  }

  void Begin(std::string_view json) {
    if (input.size() > kKeptInputBytesMax) {
      document = ondemand::document();
      parser = ondemand::parser();
    }
    input.Clear();
    input.Reserve(json.size() + 2 + simdjson::SIMDJSON_PADDING);
    input.AppendByte('[');
    input.Append(json);
  }

  // Calls `read` with the one value that `json` must be.
  template <typename Read>
  Status ReadOne(std::string_view json, Read read) {
    Begin(json);
    ondemand::array wrapper;
    TABMESH_TRY(Open(&wrapper));
    size_t count = 0;
    for (auto element : wrapper) {
      ondemand::value only;
      TABMESH_TRY_SIMDJSON(element.get(only));
      if (++count > 1) return Status::kMalformedJson;
      TABMESH_TRY(read(only));
    }
    return count == 1 && document.at_end() ? Status::kOk : Status::kMalformedJson;
  }

  // `*key` is valid until the next key is read.
  Status Key(ondemand::field* field, std::string_view* key) {
    const std::string_view escaped = field->escaped_key();
    std::string_view unescaped = escaped;
    if (std::memchr(escaped.data(), '\\', escaped.size()) != nullptr) {
      scratch.Clear();
      scratch.Reserve(escaped.size() + simdjson::SIMDJSON_PADDING);
      if (scratch.failed()) return Status::kOutOfMemory;
      auto* to = reinterpret_cast<uint8_t*>(scratch.data());
      TABMESH_TRY_SIMDJSON(parser.unescape_wobbly(field->key(), to).get(unescaped));
    }
    if (unescaped.size() > kKeyBytesMax) return Status::kKeyTooLong;
    if (unescaped == "__proto__") return Status::kForbiddenKey;
    *key = unescaped;
    return Status::kOk;
  }

  // Checks a string, number, boolean or null, and appends its canonical text unless `out` is null.
  Status Scalar(ondemand::value value, Kind kind, Buffer* out) {
    std::string_view token = TrimRight(value.raw_json_token());
    switch (kind) {
      case Kind::string: {
        if (std::memchr(token.data(), '\\', token.size()) == nullptr) {
          ondemand::raw_json_string unused;  // without an escape the text is canonical as it is
          TABMESH_TRY_SIMDJSON(value.get_raw_json_string().get(unused));
          break;
        }
        std::string_view unescaped;
        TABMESH_TRY_SIMDJSON(value.get_wobbly_string().get(unescaped));
        if (out != nullptr) PrintString(unescaped, out);
        return Status::kOk;
      }
      case Kind::number: {
        double number;
        TABMESH_TRY_SIMDJSON(value.get_double().get(number));
        if (number == 0 && token[0] == '-') token = "0";
        break;
      }
      case Kind::boolean: {
        bool truth;
        TABMESH_TRY_SIMDJSON(value.get_bool().get(truth));
        break;
      }
      default: {
        bool null = false;
        TABMESH_TRY_SIMDJSON(value.is_null().get(null));
        if (!null) return Status::kMalformedJson;
      }
    }
    if (out != nullptr) out->Append(token);
    return Status::kOk;
  }

  // Walks the whole of `value`; with `out`, appends its canonical text.
  Status Text(ondemand::value value, size_t depth, Buffer* out) {
    Kind kind;
    TABMESH_TRY_SIMDJSON(value.type().get(kind));
    if (kind != Kind::array && kind != Kind::object) return Scalar(value, kind, out);
    if (depth >= kDepthMax) return Status::kDepthExceeded;
    return kind == Kind::array ? ArrayText(value, depth, out) : ObjectText(value, depth, out);
  }

  Status ArrayText(ondemand::value value, size_t depth, Buffer* out) {
    ondemand::array array;
    TABMESH_TRY_SIMDJSON(value.get_array().get(array));
    char before = '[';
    for (auto element : array) {
      ondemand::value item;
      TABMESH_TRY_SIMDJSON(element.get(item));
      if (out != nullptr) out->AppendByte(static_cast<uint8_t>(before));
      before = ',';
      TABMESH_TRY(Text(item, depth + 1, out));
    }
    if (out != nullptr) out->Append(before == '[' ? "[]" : "]");
    return Status::kOk;
  }

  Status ObjectText(ondemand::value value, size_t depth, Buffer* out) {
    ondemand::object object;
    TABMESH_TRY_SIMDJSON(value.get_object().get(object));
    char before = '{';
    for (auto entry : object) {
      ondemand::field field;
      TABMESH_TRY_SIMDJSON(std::move(entry).get(field));
      std::string_view key;
      TABMESH_TRY(Key(&field, &key));
      if (out != nullptr) {
        out->AppendByte(static_cast<uint8_t>(before));
        PrintString(key, out);
        out->AppendByte(':');
      }
      before = ',';
      TABMESH_TRY(Text(field.value(), depth + 1, out));
    }
    if (out != nullptr) out->Append(before == '{' ? "{}" : "}");
    return Status::kOk;
  }

  const std::string* IdFieldOf(std::string_view key) const {
    if (lists == nullptr) return nullptr;
    const auto found = lists->find(key);
    return found == lists->end() ? nullptr : &found->second;
  }

  // Opens a keyed list into its items; each one's key is its id.
  Status Items(ondemand::value value, const std::string& id_field, CallArena* arena, JsonValue* result) {
    result->kind = JsonValue::Kind::kList;
    ondemand::array array;
    TABMESH_TRY_SIMDJSON(value.get_array().get(array));
    std::unordered_set<std::string_view> ids;
    JsonValue** link = &result->first_member;
    for (auto element : array) {
      ondemand::value each;
      TABMESH_TRY_SIMDJSON(element.get(each));
      auto* item = arena->New<JsonValue>();
      if (item == nullptr) return Status::kOutOfMemory;
      TABMESH_TRY(Tree(each, 2, arena, item));
      if (item->kind != JsonValue::Kind::kObject) return Status::kBadListItem;
      for (const JsonValue* member = item->first_member; member != nullptr; member = member->next_member) {
        if (member->key == id_field && member->kind == JsonValue::Kind::kText) item->key = member->text;
      }
      const char first = item->key.empty() ? 'n' : item->key[0];
      if (first == 'n' || first == 't' || first == 'f' || first == '[') return Status::kBadListItem;
      if (item->key.size() > kKeyBytesMax) return Status::kKeyTooLong;
      if (!ids.insert(item->key).second) return Status::kBadListItem;
      *link = item;
      link = &item->next_member;
    }
    return Status::kOk;
  }

  // The value at a path: a list where the path is a list's key, else a tree.
  Status ValueAt(Path path, ondemand::value value, CallArena* arena, JsonValue* result) {
    const std::string* id_field = path.size == 1 ? IdFieldOf(path.keys[0]) : nullptr;
    if (id_field != nullptr) {
      Kind kind;
      TABMESH_TRY_SIMDJSON(value.type().get(kind));
      if (kind == Kind::array) return Items(value, *id_field, arena, result);
    }
    return Tree(value, path.size, arena, result);
  }

  // Opens objects into members; anything else becomes canonical text in the arena.
  Status Tree(ondemand::value value, size_t depth, CallArena* arena, JsonValue* result) {
    Kind kind;
    TABMESH_TRY_SIMDJSON(value.type().get(kind));
    if (kind != Kind::object) {
      Buffer& out = text;
      out.Clear();
      TABMESH_TRY(Text(value, depth, &out));
      if (out.failed()) return Status::kOutOfMemory;
      if (out.size() > kValueBytesMax) return Status::kValueTooLarge;
      return arena->Copy(out.view(), &result->text) ? Status::kOk : Status::kOutOfMemory;
    }
    if (depth >= kDepthMax) return Status::kDepthExceeded;
    result->kind = JsonValue::Kind::kObject;
    ondemand::object object;
    TABMESH_TRY_SIMDJSON(value.get_object().get(object));
    JsonValue** link = &result->first_member;
    for (auto entry : object) {
      ondemand::field field;
      TABMESH_TRY_SIMDJSON(std::move(entry).get(field));
      auto* member = arena->New<JsonValue>();
      if (member == nullptr) return Status::kOutOfMemory;
      std::string_view key;
      TABMESH_TRY(Key(&field, &key));
      std::string_view kept;
      if (!arena->Copy(key, &kept)) return Status::kOutOfMemory;
      if (depth == 0) {
        TABMESH_TRY(ValueAt({&kept, 1}, field.value(), arena, member));
      } else {
        TABMESH_TRY(Tree(field.value(), depth + 1, arena, member));
      }
      member->key = kept;
      *link = member;
      link = &member->next_member;
    }
    return Status::kOk;
  }

  Status Keys(ondemand::value value, CallArena* arena, Path* path) {
    ondemand::array array;
    TABMESH_TRY_SIMDJSON(value.get_array().get(array));
    keys.clear();
    for (auto element : array) {
      if (keys.size() == kPathSegmentsMax) return Status::kPathTooLong;
      std::string_view key;
      TABMESH_TRY_SIMDJSON(element.get_wobbly_string().get(key));
      if (key.size() > kKeyBytesMax) return Status::kKeyTooLong;
      if (key == "__proto__") return Status::kForbiddenKey;
      if (!arena->Copy(key, &keys.emplace_back())) return Status::kOutOfMemory;
    }
    if (keys.empty()) return Status::kPathTooLong;
    auto* copy = static_cast<std::string_view*>(arena->Allocate(keys.size() * sizeof(std::string_view)));
    if (copy == nullptr) return Status::kOutOfMemory;
    std::copy(keys.begin(), keys.end(), copy);
    *path = {copy, keys.size()};
    return Status::kOk;
  }

  Status OneEdit(ondemand::value value, CallArena* arena, Edit* edit) {
    ondemand::array parts;
    TABMESH_TRY_SIMDJSON(value.get_array().get(parts));
    size_t index = 0;
    for (auto element : parts) {
      ondemand::value part;
      TABMESH_TRY_SIMDJSON(element.get(part));
      if (index == 0) {
        TABMESH_TRY(Keys(part, arena, &edit->path));
      } else if (index == 1) {
        edit->value = arena->New<JsonValue>();
        if (edit->value == nullptr) return Status::kOutOfMemory;
        TABMESH_TRY(ValueAt(edit->path, part, arena, edit->value));
      } else {
        uint64_t mode = 0;
        TABMESH_TRY_SIMDJSON(part.get_uint64().get(mode));
        if (mode > 3) return Status::kMalformedJson;
        edit->mode = static_cast<Edit::Mode>(mode);
      }
      ++index;
    }
    return index >= 1 && index <= 3 ? Status::kOk : Status::kMalformedJson;
  }

  Buffer text;                         // of the leaf being read
  std::vector<std::string_view> keys;  // of the path being read
  const ListKeys* lists = nullptr;
};

JsonParser::JsonParser() : impl_(std::make_unique<Impl>()) {}
JsonParser::~JsonParser() = default;

void JsonParser::UseLists(const ListKeys* lists) { impl_->lists = lists; }

Status JsonParser::ParseObject(std::string_view json, CallArena* arena, JsonValue** object) {
  return impl_->ReadOne(json, [&](ondemand::value value) {
    Kind kind;
    TABMESH_TRY_SIMDJSON(value.type().get(kind));
    if (kind != Kind::object) return Status::kNotAnObject;
    *object = arena->New<JsonValue>();
    if (*object == nullptr) return Status::kOutOfMemory;
    return impl_->Tree(value, 0, arena, *object);
  });
}

Status JsonParser::ParseEdits(std::string_view json, CallArena* arena, Edit** first) {
  *first = nullptr;
  Edit** link = first;
  return impl_->ReadOne(json, [&](ondemand::value list) {
    ondemand::array edits;
    TABMESH_TRY_SIMDJSON(list.get_array().get(edits));
    for (auto element : edits) {
      ondemand::value value;
      TABMESH_TRY_SIMDJSON(element.get(value));
      auto* edit = arena->New<Edit>();
      if (edit == nullptr) return Status::kOutOfMemory;
      TABMESH_TRY(impl_->OneEdit(value, arena, edit));
      *link = edit;
      link = &edit->next;
    }
    return Status::kOk;
  });
}

Status JsonParser::Validate(const std::string_view* texts, size_t count) {
  if (std::all_of(texts, texts + count, IsPlainScalar)) return Status::kOk;
  impl_->Begin({});
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) impl_->input.AppendByte(',');
    impl_->input.Append(texts[i]);
  }
  ondemand::array wrapper;
  TABMESH_TRY(impl_->Open(&wrapper));
  // Element i must start where text i was put: "1,2" or `1],[2` cannot hide in one text.
  size_t index = 0;
  size_t offset = 1;
  for (auto element : wrapper) {
    ondemand::value value;
    TABMESH_TRY_SIMDJSON(element.get(value));
    if (index == count) return Status::kMalformedJson;
    if (value.raw_json_token().data() != impl_->input.data() + offset) return Status::kMalformedJson;
    TABMESH_TRY(impl_->Text(value, 0, nullptr));
    offset += texts[index].size() + 1;
    ++index;
  }
  return index == count && impl_->document.at_end() ? Status::kOk : Status::kMalformedJson;
}

}  // namespace tabmesh
