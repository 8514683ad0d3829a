#include "xlrm/train/schedule.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

TEST(Schedule, EqualsTransformers) {
    const Json fixture = read_json(XLRM_SOURCE_DIR "/tests/fixtures/train/schedule_and_order.json");
    ASSERT_FALSE(fixture["schedules"].empty());
    for (const Json& entry : fixture["schedules"]) {
        const Schedule schedule = parse_schedule(entry["schedule"]);
        const std::int64_t total = entry["total"];
        const std::int64_t warmup = warmup_steps(entry["ratio"], total);
        EXPECT_EQ(warmup, entry["warmup"].get<std::int64_t>());
        for (std::int64_t step = 0; step < total; ++step) {
            EXPECT_NEAR(schedule_factor(schedule, step, total, warmup),
                        entry["factors"][static_cast<std::size_t>(step)].get<double>(), 1e-15)
                << entry["schedule"] << " step " << step << " of " << total;
        }
    }
}

TEST(Schedule, RefusesUnknownNamesAndShares) {
    EXPECT_THROW(parse_schedule("polynomial"), Error);
    EXPECT_THROW(warmup_steps(1.5, 10), Error);
    EXPECT_THROW(warmup_steps(-0.1, 10), Error);
}

}  // namespace
}  // namespace xlrm
