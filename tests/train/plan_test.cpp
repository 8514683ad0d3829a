#include "xlrm/train/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

// Pairs with a shared prompt of 1 … 40 tokens and answers of 1 … 60.
ItemSet random_pairs(std::int64_t count) {
    Random random(7);
    ItemSet set;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto prompt = static_cast<std::int32_t>(1 + random.below(40));
        set.items.push_back({std::to_string(i), "en", "", static_cast<std::int64_t>(set.answers.size()), 2, 1, 0.0F});
        for (int k = 0; k < 2; ++k) {
            const std::int32_t length = prompt + 1 + static_cast<std::int32_t>(random.below(60));
            set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), length, prompt});
            for (std::int32_t t = 0; t < length; ++t) set.tokens.push_back(t < prompt ? static_cast<std::int32_t>(i) : t);
        }
    }
    return set;
}

std::vector<std::int64_t> all_items(const ItemSet& set) {
    std::vector<std::int64_t> items(set.items.size());
    std::iota(items.begin(), items.end(), std::int64_t{0});
    return items;
}

TEST(ExampleOrder, EqualsTorchsSampler) {
    const Json fixture = read_json(XLRM_SOURCE_DIR "/tests/fixtures/train/schedule_and_order.json");
    ASSERT_FALSE(fixture["orders"].empty());
    for (const Json& entry : fixture["orders"]) {
        const ExampleOrder order(entry["items"], entry["batch"], entry["seed"].get<std::uint64_t>());
        const Json& steps = entry["steps"];
        EXPECT_EQ(order.steps_of(3.0), static_cast<std::int64_t>(steps.size()));
        for (std::size_t step = 0; step < steps.size(); ++step) {
            EXPECT_EQ(order.step_items(static_cast<std::int64_t>(step)), steps[step].get<std::vector<std::int64_t>>())
                << "step " << step;
        }
        // Asking for an earlier step again (a resumed run) gives the same items.
        EXPECT_EQ(order.step_items(0), steps[0].get<std::vector<std::int64_t>>());
    }
}

TEST(ExampleOrder, RoundsStepsUpAndRefusesNothing) {
    EXPECT_EQ(ExampleOrder(10, 4, 1).steps_of(0.5), 2);
    EXPECT_EQ(ExampleOrder(10, 4, 1).steps_of(1.0), 3);
    EXPECT_THROW(ExampleOrder(0, 4, 1), Error);
    EXPECT_THROW(ExampleOrder(10, 0, 1), Error);
}

TEST(PlanStep, GivesEachItemOnceAtAnyRankCount) {
    const ItemSet set = random_pairs(101);
    const auto items = all_items(set);
    for (int size = 1; size <= 7; ++size) {
        std::vector<std::int64_t> seen;
        for (int rank = 0; rank < size; ++rank) {
            for (const auto& batch : plan_step(set, items, rank, size, {.token_budget = 300})) {
                EXPECT_FALSE(batch.empty());
                seen.insert(seen.end(), batch.begin(), batch.end());
            }
        }
        std::ranges::sort(seen);
        EXPECT_EQ(seen, items) << size << " ranks";
    }
}

TEST(PlanStep, BalancesRanksAndKeepsTheBudget) {
    const ItemSet set = random_pairs(101);
    const auto items = all_items(set);
    for (int size = 2; size <= 7; ++size) {
        std::vector<double> load;
        for (int rank = 0; rank < size; ++rank) {
            double cost = 0.0;
            for (const auto& batch : plan_step(set, items, rank, size, {.token_budget = 300, .alpha = 0.01})) {
                std::int64_t tokens = 0;
                for (const std::int64_t item : batch) {
                    const auto n = static_cast<double>(physical_tokens(set, item, true));
                    tokens += physical_tokens(set, item, true);
                    cost += n + 0.01 * n * n;
                }
                EXPECT_LE(tokens, 300);
            }
            load.push_back(cost);
        }
        const auto [least, most] = std::ranges::minmax(load);
        EXPECT_LT(most / least, 1.05) << size << " ranks";
    }
}

TEST(PlanStep, LeavesARankWithoutItemsAndTakesAnItemBeyondTheBudget) {
    const ItemSet set = random_pairs(2);
    const auto items = all_items(set);
    EXPECT_TRUE(plan_step(set, items, 2, 3, {}).empty());
    const auto batches = plan_step(set, items, 0, 1, {.token_budget = 1});
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0], std::vector<std::int64_t>{0});
}

TEST(PhysicalTokens, CountsASharedPromptOnce) {
    ItemSet set;
    set.tokens = {1, 2, 3, 4, 1, 2, 5, 6, 7};
    set.answers = {{0, 4, 2}, {4, 5, 2}};
    set.items = {{"a", "en", "", 0, 2, 1, 0.0F}};
    EXPECT_EQ(physical_tokens(set, 0, true), 7);
    EXPECT_EQ(physical_tokens(set, 0, false), 9);
    set.tokens[5] = 9;  // another prompt
    EXPECT_EQ(physical_tokens(set, 0, true), 9);
}

}  // namespace
}  // namespace xlrm
