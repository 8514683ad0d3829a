// Rank correlation and distances of two samples.
#include <gtest/gtest.h>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/rank_correlation.hpp"
#include "xlrm/stats/sample_distance.hpp"

namespace xlrm {
namespace {

TEST(Samples, EqualScipy) {
    for (const Json& one : test::oracle("samples")) {
        const auto x = test::numbers(one.at("x")), y = test::numbers(one.at("y"));
        EXPECT_NEAR(wasserstein_1(x, y).value(), one.at("w1").get<double>(), 1e-13);
        EXPECT_NEAR(kolmogorov_smirnov(x, y).value(), one.at("ks").get<double>(), 1e-13);
        if (!one.contains("spearman")) continue;
        EXPECT_NEAR(spearman(x, y).value(), one.at("spearman").get<double>(), 1e-13);
        EXPECT_NEAR(pearson(x, y).value(), one.at("pearson").get<double>(), 1e-13);
    }
}

TEST(SampleDistance, AtEqualSizesIsTheMeanDifferenceOfTheSorted) {
    EXPECT_DOUBLE_EQ(wasserstein_1({3, 1, 2}, {5, 2, 2}).value(), (1.0 + 0.0 + 2.0) / 3);
    EXPECT_EQ(wasserstein_1({1, 2}, {2, 1}).value(), 0.0);
    EXPECT_EQ(kolmogorov_smirnov({1, 2}, {3}).value(), 1.0);
    EXPECT_EQ(wasserstein_1({}, {1}).why(), Undefined::no_items);
    EXPECT_EQ(kolmogorov_smirnov({}, {1}).why(), Undefined::no_items);
}

TEST(MeanRanks, EqualValuesShare) {
    EXPECT_EQ(mean_ranks(std::vector<double>{5, 1, 5, 0}), (std::vector<double>{3.5, 2, 3.5, 1}));
}

TEST(RankCorrelation, SaysWhyThereIsNone) {
    const std::vector<double> x = {1, 2, 3}, flat = {4, 4, 4};
    EXPECT_EQ(spearman(x, flat).why(), Undefined::no_variation);
    EXPECT_EQ(spearman(std::vector<double>{1}, std::vector<double>{2}).why(), Undefined::too_few_items);
    EXPECT_THROW(pearson(x, std::vector<double>{1}), Error);
    EXPECT_DOUBLE_EQ(spearman(x, std::vector<double>{-1, -20, -300}).value(), -1.0);
}

}  // namespace
}  // namespace xlrm
