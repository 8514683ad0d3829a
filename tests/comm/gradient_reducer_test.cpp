#include "xlrm/comm/gradient_reducer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

//! What `rank` adds at `i`: whole numbers, so that sums are exact in any order.
float part_of(int rank, std::int64_t i, int step) { return static_cast<float>((rank + 1) * (i % 101 + 1) + step); }

std::vector<float> gradient_of(int rank, std::int64_t size, int step) {
    std::vector<float> gradient(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) gradient[static_cast<std::size_t>(i)] = part_of(rank, i, step);
    return gradient;
}

std::vector<float> expected_sum(int ranks, std::int64_t size, int step) {
    std::vector<float> sum(static_cast<std::size_t>(size));
    for (int rank = 0; rank < ranks; ++rank) {
        for (std::int64_t i = 0; i < size; ++i) sum[static_cast<std::size_t>(i)] += part_of(rank, i, step);
    }
    return sum;
}

TEST(GradientReducer, EveryElementIsSummedOnce) {
    const Communicator world = Communicator::world();
    for (const std::int64_t bucket : {7, 64, 1 << 20}) {
        GradientReducer reducer(world, bucket);
        int step = 0;
        for (const std::int64_t size : {0, 1, 7, 8, 150}) {
            for (const std::int64_t part : {1, 5, 64}) {
                std::vector<float> gradient = gradient_of(world.rank(), size, ++step);
                reducer.begin(gradient);
                for (std::int64_t end = size; end > 0; end -= part) reducer.ready(std::max<std::int64_t>(0, end - part), std::min(part, end));
                reducer.finish();
                EXPECT_EQ(gradient, expected_sum(world.size(), size, step)) << "bucket " << bucket << " size " << size << " part " << part;
                EXPECT_GE(reducer.exposed_seconds(), 0.0);
            }
        }
    }
}

TEST(GradientReducer, PartsThatWereNeverAnnouncedAreSummedToo) {
    const Communicator world = Communicator::world();
    GradientReducer reducer(world, 10);
    for (const std::int64_t announced : {0, 3, 25, 99}) {
        std::vector<float> gradient = gradient_of(world.rank(), 100, 0);
        reducer.begin(gradient);
        if (announced > 0) reducer.ready(100 - announced, announced);
        reducer.finish();
        EXPECT_EQ(gradient, expected_sum(world.size(), 100, 0)) << announced;
    }
}

TEST(GradientReducer, ReducesWhileTheBackwardPassStillRuns) {
    const Communicator world = Communicator::world();
    GradientReducer reducer(world, 1000);
    std::vector<float> gradient = gradient_of(world.rank(), 5000, 0);
    reducer.begin(gradient);
    reducer.ready(0, 5000);
    std::this_thread::sleep_for(std::chrono::seconds(1));  // the rest of the backward pass
    reducer.finish();
    EXPECT_EQ(gradient, expected_sum(world.size(), 5000, 0));
    EXPECT_LT(reducer.exposed_seconds(), 0.5);
}

TEST(GradientReducer, PartsOutOfOrderAreRefused) {
    const Communicator world = Communicator::world();
    GradientReducer reducer(world, 10);
    std::vector<float> gradient(100);
    reducer.begin(gradient);
    EXPECT_THROW(reducer.ready(0, 10), Error);
    EXPECT_THROW(reducer.ready(95, 10), Error);
    reducer.finish();
}

TEST(GradientReducer, GroupsReduceApart) {
    const Communicator world = Communicator::world();
    const Communicator group = world.split(world.rank() % 2, world.rank());
    GradientReducer reducer(group, 16);
    std::vector<float> gradient = gradient_of(group.rank(), 50, 0);
    reducer.begin(gradient);
    reducer.ready(20, 30);
    reducer.finish();
    EXPECT_EQ(gradient, expected_sum(group.size(), 50, 0));
}

}  // namespace
}  // namespace xlrm
