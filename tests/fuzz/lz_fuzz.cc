// Any code units: they come back as they were, and broken input is survived.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lz/lz_string.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh::lz;
  std::u16string text(size / 2, u' ');
  if (!text.empty()) std::memcpy(text.data(), data, text.size() * 2);
  for (const Form form : {Form::kRaw, Form::kUtf16, Form::kBase64, Form::kEncodedUriComponent}) {
    if (Decompress(Compress(text, form), form) != text) std::abort();
    (void)Decompress(text, form);
  }
  return 0;
}
