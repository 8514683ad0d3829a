#include "xlrm/stats/detectable_gap.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// M-RewardBench's sections at a discordance of 20 %: (1.959964 + 0.841621) · sqrt(0.2 / items), in points.
TEST(PlannedGap, OfTheBenchmarksSections) {
    EXPECT_NEAR(100 * planned_gap(2869, 0.2), 2.339, 1e-3);
    EXPECT_NEAR(100 * planned_gap(296, 0.2), 7.282, 1e-3);
    EXPECT_NEAR(100 * planned_gap(407, 0.2), 6.210, 1e-3);
    EXPECT_NEAR(100 * planned_gap(736, 0.2), 4.618, 1e-3);
    EXPECT_NEAR(100 * planned_gap(1430, 0.2), 3.313, 1e-3);
}

TEST(DetectableGap, GrowsWithPowerAndStrictness) {
    EXPECT_NEAR(detectable_gap(0.01), 0.02801585, 1e-8);
    EXPECT_GT(detectable_gap(0.01, 0.05, 0.9), detectable_gap(0.01));
    EXPECT_GT(detectable_gap(0.01, 0.05 / 4), detectable_gap(0.01));
    EXPECT_THROW(detectable_gap(0.0), Error);
    EXPECT_THROW(planned_gap(0, 0.2), Error);
    EXPECT_THROW(planned_gap(10, 1.5), Error);
}

}  // namespace
}  // namespace xlrm
