// Where an item stands in its list: strings between which there is always room for another.
// Fractional indexing, after Greenspan, "Implementing Fractional Indexing", 2020.
#ifndef TABMESH_CRDT_POSITION_H_
#define TABMESH_CRDT_POSITION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tabmesh {

/// Digits 0-9A-Za-z of a base-62 fraction, compared bytewise; the last one is not '0'.
bool IsPosition(std::string_view digits);

/// `count` positions in ascending order above `low` and below `high`, either of which may be empty: the
/// beginning or the end. `low` must be below `high`. Those of different `salt`s are different, so that
/// what two tabs insert at one spot can still be parted. O(count × length).
std::vector<std::string> PositionsBetween(std::string_view low, std::string_view high, size_t count,
                                          uint64_t salt);

}  // namespace tabmesh

#endif  // TABMESH_CRDT_POSITION_H_
