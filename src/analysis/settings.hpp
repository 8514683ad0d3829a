#pragma once

#include <cstdint>

namespace xlrm {

//! What several tables of states have in common.

inline constexpr std::int64_t kNeighbours = 10;   //!< of an example, where nearest ones are compared
inline constexpr std::int64_t kMostItems = 5000;  //!< of a matrix of items with items: 200 MB in fp64
inline constexpr std::uint64_t kStateSeed = 1;    //!< of shuffled items, control labels and random directions

}  // namespace xlrm
