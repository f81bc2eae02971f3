#include "base/status.h"

namespace tabmesh {

const char* StatusName(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kOutOfMemory:
      return "out-of-memory";
    case Status::kMalformedJson:
      return "malformed-json";
    case Status::kDepthExceeded:
      return "depth-exceeded";
    case Status::kKeyTooLong:
      return "key-too-long";
    case Status::kForbiddenKey:
      return "forbidden-key";
    case Status::kPathTooLong:
      return "path-too-long";
    case Status::kDuplicatePath:
      return "duplicate-path";
    case Status::kNotAnObject:
      return "not-an-object";
    case Status::kValueTooLarge:
      return "value-too-large";
    case Status::kStateTooLarge:
      return "state-too-large";
    case Status::kBadListItem:
      return "bad-list-item";
    case Status::kNotANumber:
      return "not-a-number";
    case Status::kNotReady:
      return "not-ready";
    case Status::kSequenceExhausted:
      return "sequence-exhausted";
    case Status::kForeignFrame:
      return "foreign-frame";
    case Status::kUnsupportedVersion:
      return "unsupported-version";
    case Status::kChecksumMismatch:
      return "checksum-mismatch";
    case Status::kMalformedFrame:
      return "malformed-frame";
    case Status::kStampOutOfRange:
      return "stamp-out-of-range";
    case Status::kFrameTooLarge:
      return "frame-too-large";
    case Status::kIdentityConflict:
      return "identity-conflict";
  }
  return "unknown";
}

}  // namespace tabmesh
