// Every limit of the core, with its reason. They are protocol constants: all replicas must agree on them.
#ifndef TABMESH_BASE_LIMITS_H_
#define TABMESH_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace tabmesh {

// JSONTestSuite's deepest accepted document has 500 levels; recursion of 512 fits the module's stack.
inline constexpr size_t kDepthMax = 512;
// Objects are opened up to their leaves, so a path can be as long as the state is deep.
inline constexpr size_t kPathSegmentsMax = kDepthMax;
inline constexpr size_t kKeyBytesMax = 1024;
// A leaf is sent whole whenever it changes.
inline constexpr size_t kValueBytesMax = size_t{1} << 20;
// Keys and values of the whole document: a tab must be able to hold two copies beside the app.
inline constexpr size_t kStateBytesMax = size_t{64} << 20;
// What others have written may exceed that, for each has kept it when it wrote.
inline constexpr size_t kMergedBytesMax = size_t{96} << 20;
// One postMessage; larger ones block the receiving event loop for milliseconds.
inline constexpr size_t kFragmentBytesMax = size_t{64} << 10;
// One assembled message: a whole state with its stamps.
inline constexpr size_t kMessageBytesMax = size_t{128} << 20;
// Messages being assembled at once, one per sender; the oldest gives way.
inline constexpr size_t kAssembliesMax = 8;
// Instances in one version vector. A hostile frame must not fill memory with made-up ones.
inline constexpr size_t kInstancesMax = 65536;
// And the writes that one vector lacks below its numbers, run by run.
inline constexpr size_t kHolesMax = 4096;
// Of these, as many as others may tell of: the rest is for what the journal has.
inline constexpr size_t kHolesToldMax = 1024;
// Year 6429. Absolute, so that all replicas refuse the same stamps whatever their clocks say.
inline constexpr uint64_t kHlcMsMax = uint64_t{1} << 47;
// Year 4199: what a tab's own clock is clamped to, so that no tab stamps what others refuse.
inline constexpr uint64_t kClockMsMax = uint64_t{1} << 46;
// Number.MAX_SAFE_INTEGER: counters are whole numbers that JavaScript can hold.
inline constexpr int64_t kWholeMax = (int64_t{1} << 53) - 1;
// A list item's position. Longer ones come of hundreds of insertions at one spot; the list is numbered anew.
inline constexpr size_t kPositionBytesMax = 64;
inline constexpr size_t kPositionBytesWanted = 48;
// What a newer version may add to one op; kept with the write by those that do not understand it.
inline constexpr size_t kUnknownFieldsBytesMax = 4096;
// Values that a reader is shown of one conflict.
inline constexpr size_t kSiblingsShownMax = 16;
// Terms beyond what anybody can claim one by one are made up: they would wrap around.
inline constexpr uint64_t kTermMax = uint64_t{1} << 48;
// A tab's label in the census.
inline constexpr size_t kLabelBytesMax = 64;
/// One note: as much as one value of the state.
inline constexpr size_t kNoteBytesMax = kValueBytesMax;

}  // namespace tabmesh

#endif  // TABMESH_BASE_LIMITS_H_
