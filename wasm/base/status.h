// Status: the one way the core reports failure. No exceptions, no aborts on input.
#ifndef TABMESH_BASE_STATUS_H_
#define TABMESH_BASE_STATUS_H_

#include <cstdint>

namespace tabmesh {

/// Why a call did not do what was asked. The state is unchanged whenever it is not kOk.
enum class [[nodiscard]] Status : uint8_t{
    kOk = 0,
    kOutOfMemory,         // an allocation failed
    kMalformedJson,       // text is not JSON, or a number is out of range
    kDepthExceeded,       // nested deeper than kDepthMax
    kKeyTooLong,          // a key is longer than kKeyBytesMax
    kForbiddenKey,        // the key "__proto__"
    kPathTooLong,         // no key, or more than kPathSegmentsMax; or more than one under last-write-wins
    kDuplicatePath,       // two edits of one call, or two members of one object, name the same path
    kNotAnObject,         // the root of the state must be an object
    kValueTooLarge,       // a value is longer than kValueBytesMax
    kStateTooLarge,       // the whole state would exceed kStateBytesMax
    kBadListItem,         // an item of a keyed list is no object, or has no id, or another one's
    kNotANumber,          // an increment of what is not a whole number, or beyond 2^53 - 1
    kNotReady,            // a write before hydration has finished
    kSequenceExhausted,   // this instance has used all its sequence numbers: open the store again
    kForeignFrame,        // not ours, or of another namespace: ignore silently
    kUnsupportedVersion,  // a frame of another major version
    kChecksumMismatch,    // a frame whose bytes were changed
    kMalformedFrame,      // a frame that does not follow the grammar
    kStampOutOfRange,     // a stamp beyond kHlcMsMax
    kFrameTooLarge,       // longer than kMessageBytesMax
    kIdentityConflict,    // somebody else writes under this instance's id
};

/// The stable kebab-case name of a status, as users see it in `TabmeshError.code`.
const char* StatusName(Status status);

}  // namespace tabmesh

#endif  // TABMESH_BASE_STATUS_H_
