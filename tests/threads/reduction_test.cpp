#include <gtest/gtest.h>

#include <vector>

#include "support/thread_ranks.hpp"
#include "xlrm/comm/gradient_reducer.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kSize = 300'011;  // more than a piece of the shared memory, divisible by no number of ranks

float part_of(int rank, std::int64_t i, int step) { return static_cast<float>((rank + 1) * (i % 101 + 1) + step); }

//! Two steps: while the thread sums one part, the backward pass writes the next.
void reduce(const Communicator& group, const ReductionOptions& options) {
    GradientReducer reducer(group, options);
    std::vector<float> gradient(static_cast<std::size_t>(kSize));
    for (int step = 0; step < 2; ++step) {
        reducer.begin(gradient);
        for (std::int64_t end = kSize; end > 0; end -= std::min<std::int64_t>(end, 50'000)) {
            const std::int64_t begin = std::max<std::int64_t>(0, end - 50'000);
            for (std::int64_t i = begin; i < end; ++i) gradient[static_cast<std::size_t>(i)] = part_of(group.rank(), i, step);
            reducer.ready(begin, end - begin);
        }
        reducer.finish();
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < kSize; ++i) {
            float sum = 0.0F;
            for (int rank = 0; rank < group.size(); ++rank) sum += part_of(rank, i, step);
            if (std::abs(gradient[static_cast<std::size_t>(i)] - sum) > (options.wire == Wire::bf16 ? 0.02F * sum : 0.0F))
                ++wrong;
        }
        EXPECT_EQ(wrong, 0) << "step " << step;
    }
    EXPECT_GE(reducer.exposed_seconds(), 0.0);
}

TEST(ThreadReduction, EveryWayOnOneToFourRanks) {
    for (const int ranks : {1, 2, 3, 4})
        for (const Wire wire : {Wire::fp32, Wire::bf16})
            for (const Reduction reduction : {Reduction::flat, Reduction::hierarchical})
                for (const int ranks_per_node : {0, 2})
                    run_ranks(ranks, [&](int) {
                        reduce(Communicator::world(), {.bucket = 40'000,
                                                       .wire = wire,
                                                       .reduction = reduction,
                                                       .ranks_per_node = reduction == Reduction::flat ? 0 : ranks_per_node});
                    });
}

TEST(ThreadReduction, TwoReducersOfOneGroupAtATime) {
    run_ranks(3, [](int) {
        const Communicator world = Communicator::world();
        const Communicator part = world.split(world.rank() % 2, world.rank());
        GradientReducer one(world, 1000), other(part, 777);
        std::vector<float> of_world(5000, 1.0F), of_part(5000, 1.0F);
        one.begin(of_world);
        other.begin(of_part);
        one.ready(1000, 4000);
        other.ready(2000, 3000);
        other.finish();
        one.finish();
        EXPECT_EQ(of_world, std::vector<float>(5000, 3.0F));
        EXPECT_EQ(of_part, std::vector<float>(5000, static_cast<float>(part.size())));
    });
}

}  // namespace
}  // namespace xlrm
