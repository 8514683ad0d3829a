#include "xlrm/core/partition.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

TEST(Partition, SharesAreContiguousCompleteAndBalanced) {
    for (const std::int64_t total : {0, 1, 2, 7, 64, 1000}) {
        for (const int size : {1, 2, 3, 5, 7, 64}) {
            std::int64_t next = 0;
            for (int rank = 0; rank < size; ++rank) {
                const Range range = block_range(total, rank, size);
                EXPECT_EQ(range.begin, next);
                EXPECT_GE(range.size(), total / size);
                EXPECT_LE(range.size(), total / size + 1);
                next = range.end;
            }
            EXPECT_EQ(next, total);
        }
    }
}

TEST(Partition, RefusesRanksOutsideTheGroup) {
    EXPECT_THROW(block_range(10, 2, 2), Error);
    EXPECT_THROW(block_range(10, -1, 2), Error);
    EXPECT_THROW(block_range(-1, 0, 1), Error);
}

}  // namespace
}  // namespace xlrm
