// Sums of micro-batches that a step reads at once.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ops/device_ops.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {
namespace {

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

// Two micro-batches of two values each; `calls` counts how often their sums are made.
std::vector<PendingSums> two_batches(int& calls) {
    const auto finish = [&calls](const std::vector<std::span<const double>>& values) {
        ++calls;
        EXPECT_EQ(values.size(), 2U);
        StepSums sums;
        sums.loss = values[0][0];
        for (const double reward : values[1]) sums.reward_max = std::max(sums.reward_max, reward);
        return sums;
    };
    std::vector<PendingSums> out;
    out.emplace_back(std::vector<at::Tensor>{doubles({0.1}), doubles({3.0, 5.0, 4.0})}, finish);
    out.emplace_back(std::vector<at::Tensor>{doubles({0.2, 9.0}), doubles({-1.0})}, finish);
    return out;
}

TEST(PendingSums, AreMadeAtOnceOnTheHost) {
    const UseOps use(cpu_ops());
    int calls = 0;
    const std::vector<PendingSums> pending = two_batches(calls);
    EXPECT_EQ(calls, 2);
    const StepSums sums = PendingSums::read(pending);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(sums.loss, 0.1 + 0.2);
    EXPECT_EQ(sums.reward_max, 5.0);
    EXPECT_EQ(PendingSums::read({}).loss, 0.0);
}

TEST(PendingSums, OfAnotherDeviceAreMadeWhenTheStepReadsThem) {
    const UseOps use(reference_ops());
    int calls = 0;
    const std::vector<PendingSums> pending = two_batches(calls);
    EXPECT_EQ(calls, 0);
    const StepSums sums = PendingSums::read(pending);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(sums.loss, 0.1 + 0.2);
    EXPECT_EQ(sums.reward_max, 5.0);
}

}  // namespace
}  // namespace xlrm
