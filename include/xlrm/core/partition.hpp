#pragma once

#include <cstdint>

namespace xlrm {

//! Half-open range of rows [begin, end).
struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t size() const { return end - begin; }
    bool operator==(const Range&) const = default;
};

//! Rows of `total` owned by `rank` of `size`; shares differ by at most one row, and may be empty.
//! Throws Error unless total >= 0 and 0 <= rank < size.
Range block_range(std::int64_t total, int rank, int size);

}  // namespace xlrm
