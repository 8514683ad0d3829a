#pragma once

#include <cstdint>
#include <vector>

namespace xlrm {

//! Consecutive tokens [begin, begin + length) of a packed batch. A token attends to all tokens of the segment `prefix` (when
//! it is >= 0) and to the tokens of its own segment up to itself. Its position is the prefix's length plus its index.
//! A prefix has no prefix of its own and comes before the segments that use it.
struct Segment {
    std::int64_t begin = 0;
    std::int64_t length = 0;
    std::int64_t prefix = -1;
};

using Segments = std::vector<Segment>;

}  // namespace xlrm
