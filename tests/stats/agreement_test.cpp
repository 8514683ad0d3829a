// Cohen's and Fleiss' kappa, and Cochran's Q.
#include <gtest/gtest.h>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/cochran_q.hpp"
#include "xlrm/stats/kappa.hpp"

namespace xlrm {
namespace {

TEST(Kappa, EqualsStatsmodels) {
    for (const Json& one : test::oracle("kappa"))
        EXPECT_NEAR(cohen_kappa(test::counts(one.at("table")), one.at("categories")).value(), one.at("kappa").get<double>(),
                    1e-13);
    for (const Json& one : test::oracle("fleiss"))
        EXPECT_NEAR(fleiss_kappa(test::counts(one.at("counts")), one.at("categories")).value(), one.at("kappa").get<double>(),
                    1e-13);
}

TEST(Kappa, EqualsTextbooks) {
    const std::vector<std::int64_t> table = {20, 5, 10, 15};
    EXPECT_NEAR(cohen_kappa(table, 2).value(), 0.4, 1e-14);
    const std::vector<std::int64_t> fleiss = {0, 0, 0, 0, 14, 0, 2, 6, 4, 2, 0, 0, 3, 5, 6, 0, 3, 9, 2, 0, 2, 2, 8, 1, 1,
                                              7, 7, 0, 0, 0,  3, 2, 6, 3, 0, 2, 5, 3, 2, 2, 6, 5, 2, 1, 0, 0, 2, 2, 3, 7};
    EXPECT_NEAR(fleiss_kappa(fleiss, 5).value(), 0.20993070, 1e-8);
}

// Two models of accuracy 0.8 to 0.9 that agree on 90.4 % of the items: the coding alone makes 0.7 or 0.8.
TEST(Kappa, ItsCodingMatters) {
    const PairedCounts counts{778, 50, 46, 126};
    EXPECT_NEAR(kappa_of_order(counts).value(), 0.808, 1e-12);
    const double agreed = 0.904, chance = 0.828 * 0.824 + 0.172 * 0.176;
    EXPECT_NEAR(kappa_of_correctness(counts).value(), (agreed - chance) / (1 - chance), 1e-12);
    EXPECT_NEAR(kappa_of_correctness(counts).value(), 0.666, 1e-3);
}

//! The coding "first / second answer" by what it means: answers in random order, the table of who chose which.
TEST(Kappa, OfOrderIsWhatRandomOrdersGive) {
    const PairedCounts counts{7780, 500, 460, 1260};
    Random coin(11);
    std::vector<std::int64_t> table(4, 0);
    const auto add = [&](std::int64_t many, bool first_right, bool second_right) {
        for (std::int64_t i = 0; i < many; ++i) {
            const bool right_comes_second = coin.below(2) == 1;
            const std::size_t one = first_right == right_comes_second ? 1 : 0, two = second_right == right_comes_second ? 1 : 0;
            ++table[one * 2 + two];
        }
    };
    add(counts.both, true, true);
    add(counts.first, true, false);
    add(counts.second, false, true);
    add(counts.neither, false, false);
    EXPECT_NEAR(cohen_kappa(table, 2).value(), kappa_of_order(counts).value(), 0.01);
}

TEST(Kappa, SaysWhyThereIsNone) {
    EXPECT_EQ(cohen_kappa(std::vector<std::int64_t>{5, 0, 0, 0}, 2).why(), Undefined::no_variation);
    EXPECT_EQ(cohen_kappa(std::vector<std::int64_t>{0, 0, 0, 0}, 2).why(), Undefined::no_items);
    EXPECT_EQ(fleiss_kappa(std::vector<std::int64_t>{3, 0, 3, 0}, 2).why(), Undefined::no_variation);
    EXPECT_EQ(kappa_of_order({}).why(), Undefined::no_items);
    EXPECT_THROW(fleiss_kappa(std::vector<std::int64_t>{3, 0, 2, 0}, 2), Error);
    EXPECT_THROW(cohen_kappa(std::vector<std::int64_t>{3, 0, 2}, 2), Error);
}

TEST(CochranQ, EqualsStatsmodels) {
    for (const Json& one : test::oracle("cochran")) {
        const auto result = cochran_q(one.at("right").get<std::vector<std::uint8_t>>(), one.at("models"));
        EXPECT_NEAR(result.q.value(), one.at("q").get<double>(), 1e-10);
        EXPECT_NEAR(result.p.value(), one.at("p").get<double>(), 1e-12);
    }
    const std::vector<std::uint8_t> rows = {1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 0,
                                            1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0};
    EXPECT_NEAR(cochran_q(rows, 3).q.value(), 7.0, 1e-12);
    EXPECT_NEAR(cochran_q(rows, 3).p.value(), 0.0301973834, 1e-10);
    EXPECT_EQ(cochran_q(rows, 3).df, 2);
}

TEST(CochranQ, SaysWhyThereIsNone) {
    const std::vector<std::uint8_t> equal = {1, 1, 0, 0};
    EXPECT_EQ(cochran_q(equal, 2).p.why(), Undefined::no_discordant_items);
    EXPECT_EQ(cochran_q(equal, 1).p.why(), Undefined::one_model);
    EXPECT_EQ(cochran_q({}, 2).p.why(), Undefined::no_items);
    EXPECT_THROW(cochran_q(equal, 3), Error);
}

}  // namespace
}  // namespace xlrm
