#include "eval/cell_scores.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace xlrm {
namespace {

// Three answers to one prompt, of which the first two are right.
ItemSet one_item() {
    ItemSet set;
    set.tokens = {1, 2, 3};
    set.answers = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}};
    set.items = {{"x", "en", "", 0, 3, 2, 0.0F}};
    return set;
}

TEST(CellScores, TakesTheBestOfEachSide) {
    std::vector<std::int64_t> chosen, rejected;
    pick_sides(one_item(), {0.5F, 1.5F, 3.0F}, &chosen, &rejected);
    EXPECT_EQ(chosen, std::vector<std::int64_t>{1});
    EXPECT_EQ(rejected, std::vector<std::int64_t>{2});
}

TEST(CellScores, AnItemWithOneSideAloneIsRefused) {
    std::vector<std::int64_t> chosen, rejected;
    for (const std::int32_t correct : {0, 3, 4, -1}) {
        ItemSet set = one_item();
        set.items[0].num_correct = correct;
        expect_error(
            [&] {
                pick_sides(set, {0.5F, 1.5F, 3.0F}, &chosen, &rejected);
            },
            {"'x'", std::to_string(correct) + " right answers of 3"});
    }
    ItemSet document = one_item();
    document.items[0].answers = 1;
    document.items[0].num_correct = 1;
    expect_error([&] { pick_sides(document, {0.5F}, &chosen, &rejected); }, {"'x'", "1 right answers of 1"});
}

}  // namespace
}  // namespace xlrm
