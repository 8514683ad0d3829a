#include "xlrm/stats/mcnemar.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

TEST(McNemar, EqualsStatsmodels) {
    for (const Json& one : test::oracle("mcnemar")) {
        const auto c = test::counts(one.at("counts"));
        const McNemar result = mcnemar({c[0], c[1], c[2], c[3]});
        EXPECT_NEAR(result.exact.value(), one.at("exact").get<double>(), 1e-12) << one;
        EXPECT_NEAR(result.mid_p.value(), one.at("mid_p").get<double>(), 1e-12) << one;
        EXPECT_NEAR(result.chi_square.value(), one.at("chi_square").get<double>(), 1e-12) << one;
        EXPECT_NEAR(result.chi_square_p.value(), one.at("chi_square_p").get<double>(), 1e-12) << one;
        if (c[1] == c[2]) continue;  // statsmodels corrects (|b − c| − 1)² there too, so that equal counts differ
        EXPECT_NEAR(result.corrected.value(), one.at("corrected").get<double>(), 1e-12) << one;
        EXPECT_NEAR(result.corrected_p.value(), one.at("corrected_p").get<double>(), 1e-12) << one;
    }
}

// Exact p as printed by reward-bench #269 for the first three; the rest by scipy 1.17.1.
TEST(McNemar, EqualsPublishedValues) {
    const auto exact = [](std::int64_t b, std::int64_t c) { return mcnemar({100, b, c, 10}).exact.value(); };
    EXPECT_NEAR(exact(4, 3), 1.0, 1e-10);
    EXPECT_NEAR(exact(30, 23), 0.4101027164, 1e-10);
    EXPECT_NEAR(exact(29, 27), 0.8938530948, 1e-10);
    EXPECT_NEAR(exact(39, 26), 0.1360323949, 1e-10);
    const McNemar ten = mcnemar({0, 10, 25, 0});
    EXPECT_NEAR(ten.exact.value(), 0.0166738478, 1e-10);
    EXPECT_NEAR(ten.mid_p.value(), 0.0113309842, 1e-10);
    EXPECT_NEAR(ten.corrected.value(), 5.6, 1e-12);
    EXPECT_NEAR(ten.corrected_p.value(), 0.0179604775, 1e-10);
    EXPECT_NEAR(ten.chi_square.value(), 6.42857143, 1e-8);
    EXPECT_NEAR(ten.chi_square_p.value(), 0.0112298867, 1e-10);
    const McNemar reasoning = mcnemar({1000, 39, 26, 366});
    EXPECT_NEAR(reasoning.gap.value(), 0.009084556254, 1e-12);
    EXPECT_NEAR(reasoning.standard_error.value(), 0.005630849848, 1e-12);
}

TEST(McNemar, SaysWhyThereIsNoP) {
    const McNemar same = mcnemar({5, 0, 0, 3});
    EXPECT_FALSE(same.exact.defined());
    EXPECT_EQ(name_of(same.exact.why()), "no_discordant_items");
    EXPECT_EQ(same.gap.value(), 0.0);
    EXPECT_THROW(same.exact.value(), Error);
    EXPECT_EQ(mcnemar({}).gap.why(), Undefined::no_items);
    EXPECT_EQ(mcnemar({0, 1, 0, 0}).standard_error.why(), Undefined::too_few_items);
    EXPECT_THROW(mcnemar({-1, 0, 0, 0}), Error);
}

TEST(CountPairs, SaysWhoWasRight) {
    const std::array first{true, true, false, false, true}, second{true, false, true, false, false};
    const PairedCounts counts = count_pairs(first, second);
    EXPECT_EQ(counts.both, 1);
    EXPECT_EQ(counts.first, 2);
    EXPECT_EQ(counts.second, 1);
    EXPECT_EQ(counts.neither, 1);
    EXPECT_THROW(count_pairs(first, std::span<const bool>(second).first(2)), Error);
}

TEST(SignFlipTest, IsMcNemarsExactTestWithOneItemACluster) {
    for (const auto& [b, c] : std::vector<std::pair<int, int>>{{4, 3}, {30, 23}, {39, 26}, {10, 25}, {7, 7}, {1, 0}}) {
        std::vector<std::int64_t> sums(static_cast<std::size_t>(b), 1);
        sums.insert(sums.end(), static_cast<std::size_t>(c), -1);
        sums.insert(sums.end(), 100, 0);
        EXPECT_NEAR(sign_flip_test(sums).value(), mcnemar({0, b, c, 0}).exact.value(), 1e-12) << b << " " << c;
    }
}

TEST(SignFlipTest, CountsAllSigns) {
    const std::vector<std::int64_t> sums = {3, -1, 2, 2, 0, -4, 1};
    const std::int64_t observed = 3;
    int hits = 0;
    for (unsigned signs = 0; signs < (1U << sums.size()); ++signs) {
        std::int64_t sum = 0;
        for (std::size_t g = 0; g < sums.size(); ++g) sum += (signs >> g) % 2 == 0 ? sums[g] : -sums[g];
        hits += std::abs(sum) >= observed ? 1 : 0;
    }
    EXPECT_NEAR(sign_flip_test(sums).value(), hits / 128.0, 1e-15);
    std::vector<std::int64_t> tripled = sums;  // three equal seeds
    for (std::int64_t& sum : tripled) sum *= 3;
    EXPECT_EQ(sign_flip_test(tripled).value(), sign_flip_test(sums).value());
}

TEST(SignFlipTest, GoesOverToTheNormalApproximationForHugeFamilies) {
    std::vector<std::int64_t> sums;
    Random random(3);
    for (int g = 0; g < 30000; ++g) sums.push_back(static_cast<std::int64_t>(random.below(5)) - 2);
    EXPECT_GT(sign_flip_test(sums).value(), 0.0);
    std::vector<std::int64_t> planted(30000, 1);
    EXPECT_LT(sign_flip_test(planted).value(), 1e-100);
}

TEST(SignFlipTest, SaysWhyThereIsNoP) {
    EXPECT_EQ(sign_flip_test({}).why(), Undefined::no_items);
    const std::vector<std::int64_t> none = {0, 0};
    EXPECT_EQ(sign_flip_test(none).why(), Undefined::no_discordant_items);
}

}  // namespace
}  // namespace xlrm
