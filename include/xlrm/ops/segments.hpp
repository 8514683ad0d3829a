#pragma once

#include <cstdint>
#include <vector>

namespace xlrm {

//! Rows [begin, begin + length) of k and v, or (sequence >= 0) the first `length` keys of a sequence of a cache (begin is 0).
struct KeyRange {
    std::int64_t begin = 0, length = 0, sequence = -1;
    bool operator==(const KeyRange&) const = default;
};

//! Rows [begin, begin + length) of q. The first of them stands at `position` in the list of its segment's keys, the next one
//! behind it.
struct QueryRun {
    std::int64_t begin = 0, length = 0, position = 0;
    bool operator==(const QueryRun&) const = default;
};

//! Queries and the keys that they may see, which are one list: range behind range. A query at position p sees the keys [0, p] of
//! the list (with a window: the last ones of them). Runs are in the order of their positions. A list is made of rows, or is one
//! range of a cache.
//! Where there is a backward pass, each key row has one owner, the segment whose last range it is in, and a list has at most one
//! range before that: the whole list of an earlier segment.
struct Segment {
    std::vector<KeyRange> keys;
    std::vector<QueryRun> queries;

    std::int64_t key_count() const {
        std::int64_t count = 0;
        for (const KeyRange& range : keys) count += range.length;
        return count;
    }
    std::int64_t query_count() const {
        std::int64_t count = 0;
        for (const QueryRun& run : queries) count += run.length;
        return count;
    }
    bool cached() const { return !keys.empty() && keys.front().sequence >= 0; }
};

using Segments = std::vector<Segment>;

}  // namespace xlrm
