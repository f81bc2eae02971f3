// Any text: what is accepted prints as text that is accepted and prints the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "json/parse.h"
#include "json/print.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh;
  const std::string text(reinterpret_cast<const char*>(data), size);
  JsonParser parser;
  CallArena arena;
  Edit* edit = nullptr;
  (void)parser.ParseEdits(text, &arena, &edit);
  JsonValue* value = nullptr;
  if (parser.ParseObject(text, &arena, &value) != Status::kOk) return 0;
  Buffer once;
  PrintValue(*value, &once);
  const std::string printed(once.view());
  if (parser.ParseObject(printed, &arena, &value) != Status::kOk) std::abort();
  Buffer twice;
  PrintValue(*value, &twice);
  if (twice.view() != printed) std::abort();
  return 0;
}
