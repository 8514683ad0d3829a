#include "xlrm/comm/gradient_reducer.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
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
                for (std::int64_t end = size; end > 0; end -= part)
                    reducer.ready(std::max<std::int64_t>(0, end - part), std::min(part, end));
                reducer.finish();
                EXPECT_EQ(gradient, expected_sum(world.size(), size, step))
                    << "bucket " << bucket << " size " << size << " part " << part;
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

// Values of many sizes and both signs, so that the order of additions and every rounding show.
float uneven(int rank, std::int64_t i) {
    const auto mixed =
        static_cast<double>((static_cast<std::uint64_t>(i) * 2654435761U + static_cast<std::uint64_t>(rank) * 40503U) % 1000003U);
    return static_cast<float>((mixed / 500001.5 - 1.0) * std::ldexp(1.0, static_cast<int>(i % 25) - 12));
}

struct Exact {
    std::vector<double> sum, magnitude;
};

Exact exact_sum(int ranks, std::int64_t size) {
    Exact out{std::vector<double>(static_cast<std::size_t>(size)), std::vector<double>(static_cast<std::size_t>(size))};
    for (std::int64_t i = 0; i < size; ++i) {
        for (int rank = 0; rank < ranks; ++rank) {
            out.sum[static_cast<std::size_t>(i)] += static_cast<double>(uneven(rank, i));
            out.magnitude[static_cast<std::size_t>(i)] += std::fabs(static_cast<double>(uneven(rank, i)));
        }
    }
    return out;
}

std::vector<float> reduced(GradientReducer& reducer, int rank, std::int64_t size) {
    std::vector<float> gradient(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) gradient[static_cast<std::size_t>(i)] = uneven(rank, i);
    reducer.begin(gradient);
    reducer.ready(size / 3, size - size / 3);
    reducer.finish();
    return gradient;
}

// Exact comparison: the text of the bits of all ranks.
void expect_equal_on_all_ranks(const Communicator& world, const std::vector<float>& values) {
    const std::string mine(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    for (const std::string& other : world.gather_text(mine)) EXPECT_TRUE(other == mine) << "ranks hold different bits";
}

constexpr std::int64_t kUneven = 600'011;  // more than two pieces of shared memory, and divisible by no number of ranks

std::vector<ReductionOptions> all_ways() {
    std::vector<ReductionOptions> ways;
    for (const Wire wire : {Wire::fp32, Wire::bf16}) {
        ways.push_back({.bucket = 400'000, .wire = wire, .reduction = Reduction::flat});
        for (const int ranks : {0, 1, 2, 3})
            ways.push_back({.bucket = 400'000, .wire = wire, .reduction = Reduction::hierarchical, .ranks_per_node = ranks});
    }
    return ways;
}

std::string name(const ReductionOptions& way) {
    return std::string(way.wire == Wire::bf16 ? "bf16" : "fp32") + (way.reduction == Reduction::flat ? " flat" : " nodes of ") +
           std::to_string(way.ranks_per_node);
}

TEST(GradientReducer, EveryWayIsWithinItsBoundAndTheSameOnAllRanksAndAgain) {
    const Communicator world = Communicator::world();
    const Exact exact = exact_sum(world.size(), kUneven);
    const double fp32 = static_cast<double>(world.size()) * std::ldexp(1.0, -24);
    for (const ReductionOptions& way : all_ways()) {
        GradientReducer reducer(world, way);
        const std::vector<float> first = reduced(reducer, world.rank(), kUneven);
        const double rounding = way.wire == Wire::bf16 ? std::ldexp(1.0, -8) : 0.0;
        std::int64_t outside = 0;
        for (std::size_t i = 0; i < first.size(); ++i) {
            const double of_contributions = (rounding + fp32) * exact.magnitude[i];
            const double bound = of_contributions + rounding * (std::fabs(exact.sum[i]) + of_contributions);
            if (!(std::fabs(static_cast<double>(first[i]) - exact.sum[i]) <= bound)) ++outside;
        }
        EXPECT_EQ(outside, 0) << name(way);
        expect_equal_on_all_ranks(world, first);
        for (int again = 0; again < 3; ++again)
            EXPECT_TRUE(reduced(reducer, world.rank(), kUneven) == first) << name(way) << ", repeated";
        GradientReducer another(world, way);
        EXPECT_TRUE(reduced(another, world.rank(), kUneven) == first) << name(way) << ", another reducer";
    }
}

// The bits themselves: rounded to nearest even, added in rank order in fp32, rounded once more.
TEST(GradientReducer, TheWireRoundsToNearestEvenOnceARankAndOnceTheSum) {
    const Communicator world = Communicator::world();
    if (world.size() < 2 || world.size() > 5) GTEST_SKIP() << "the values are for two to five ranks";
    // bf16 has 8 bits: 1 + 2^-8 lies between 1 and 1 + 2^-7 and goes to the even 1; 1 + 3·2^-8 goes to the even 1 + 2^-6.
    std::vector<float> gradient(4);
    if (world.root())
        gradient = {1.00390625F, 1.01171875F, 256.0F, -1.00390625F};
    else
        gradient = {0.0F, 0.0F, 1.0F, world.rank() == 1 ? 2.0F : 0.0F};
    // 256 + 1 is 256 in bf16, however often 1 is added; the fp32 sums are 257, 258, 259 and 260.
    const std::vector<float> sums = {256.0F, 258.0F, 260.0F, 260.0F};
    GradientReducer reducer(world, {.wire = Wire::bf16, .reduction = Reduction::flat});
    reducer.begin(gradient);
    reducer.finish();
    EXPECT_EQ(gradient, (std::vector<float>{1.0F, 1.015625F, sums[static_cast<std::size_t>(world.size() - 2)], 1.0F}));
}

TEST(GradientReducer, WhatIsNotFiniteStaysSo) {
    const Communicator world = Communicator::world();
    for (const ReductionOptions& way : all_ways()) {
        std::vector<float> gradient(8, 1.0F);
        if (world.root()) gradient[2] = std::numeric_limits<float>::infinity();
        if (world.rank() == world.size() - 1) gradient[5] = std::bit_cast<float>(0x7F800001U);  // a NaN whose mark bf16 cuts off
        GradientReducer reducer(world, way);
        reducer.begin(gradient);
        reducer.finish();
        EXPECT_TRUE(std::isinf(gradient[2])) << name(way);
        EXPECT_TRUE(std::isnan(gradient[5])) << name(way);
        EXPECT_EQ(gradient[0], static_cast<float>(world.size())) << name(way);
    }
}

// Where ranks of a node add in rank order, and nodes are added in pairs, a placement can be followed by hand.
TEST(GradientReducer, RanksOfANodeAreAddedInRankOrder) {
    const Communicator world = Communicator::world();
    GradientReducer reducer(world, {.reduction = Reduction::hierarchical});
    const std::vector<float> sum = reduced(reducer, world.rank(), kUneven);
    std::int64_t different = 0;
    for (std::int64_t i = 0; i < kUneven; ++i) {
        float expected = uneven(0, i);
        for (int rank = 1; rank < world.size(); ++rank) expected += uneven(rank, i);
        if (sum[static_cast<std::size_t>(i)] != expected) ++different;
    }
    EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace xlrm
