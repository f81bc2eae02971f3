// Any code units: they come back as they were, and broken input is survived.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "lz/lz_string.h"
#include "lz/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tabmesh::lz;
  std::u16string text(size / 2, u' ');
  if (!text.empty()) std::memcpy(text.data(), data, text.size() * 2);
  for (const Form form : {Form::kRaw, Form::kUtf16, Form::kBase64, Form::kEncodedUriComponent}) {
    if (Decompress(Compress(text, form), form) != text) std::abort();
    (void)Decompress(text, form);
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data),
                               size < kPieceBytesMax ? size : kPieceBytesMax);
  tabmesh::Buffer packed, back, made_up;
  if (!bytes.empty()) {
    if (AppendPiece(bytes, &packed) != tabmesh::Status::kOk) std::abort();
    if (Unpack(packed.view(), &back) != tabmesh::Status::kOk || back.view() != bytes) std::abort();
  }
  (void)Unpack(bytes, &made_up);
  return 0;
}
