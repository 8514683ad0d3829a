#include "xlrm/stats/additive_fit.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

TEST(AdditiveFit, EqualsStatsmodels) {
    for (const Json& one : test::oracle("additive")) {
        std::vector<MatrixCell> cells;
        for (const Json& cell : one.at("cells")) cells.push_back({cell[0], cell[1], cell[2], cell[0] == cell[1]});
        const std::int64_t sources = one.at("sources"), targets = one.at("targets");
        const AdditiveOutcome outcome = additive_fit(cells, sources, targets);
        ASSERT_TRUE(outcome.defined);
        const auto expected = test::numbers(one.at("parameters"));
        std::size_t at = 0;
        EXPECT_NEAR(outcome.fit.mean, expected[at++], 1e-12);
        for (std::size_t s = 0; s + 1 < outcome.fit.source.size(); ++s) EXPECT_NEAR(outcome.fit.source[s], expected[at++], 1e-12);
        for (std::size_t t = 0; t + 1 < outcome.fit.target.size(); ++t) EXPECT_NEAR(outcome.fit.target[t], expected[at++], 1e-12);
        EXPECT_NEAR(outcome.fit.home, expected[at++], 1e-12);
        EXPECT_NEAR(outcome.fit.residual, one.at("residual").get<double>(), 1e-12);
        EXPECT_NEAR(std::accumulate(outcome.fit.source.begin(), outcome.fit.source.end(), 0.0), 0.0, 1e-14);
    }
}

TEST(AdditiveFit, FindsWhatWasPlanted) {
    std::vector<MatrixCell> cells;
    const std::vector<double> a = {0.1, -0.02, -0.08}, b = {0.03, 0.01, -0.04};
    for (std::int64_t s = 0; s < 3; ++s)
        for (std::int64_t t = 0; t < 3; ++t)
            cells.push_back(
                {s, t, 0.7 + a[static_cast<std::size_t>(s)] + b[static_cast<std::size_t>(t)] + (s == t ? 0.05 : 0.0), s == t});
    const AdditiveFit fit = additive_fit(cells, 3, 3).fit;
    EXPECT_NEAR(fit.home, 0.05, 1e-14);
    EXPECT_NEAR(fit.mean, 0.7, 1e-14);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(fit.source[i], a[i], 1e-14);
        EXPECT_NEAR(fit.target[i], b[i], 1e-14);
    }
    EXPECT_NEAR(fit.residual, 0.0, 1e-13);
}

TEST(AdditiveFit, SaysWhyThereIsNone) {
    EXPECT_EQ(additive_fit({}, 2, 2).why, Undefined::no_items);
    const std::vector<MatrixCell> one_source = {{0, 0, 0.5, true}, {0, 1, 0.6, false}};
    EXPECT_FALSE(additive_fit(one_source, 1, 2).defined);  // home and target are one
    const std::vector<MatrixCell> apart = {{0, 0, 0.5, false}, {1, 1, 0.6, false}};
    EXPECT_EQ(additive_fit(apart, 2, 2).why, Undefined::not_identified);
    EXPECT_THROW(additive_fit(one_source, 1, 1), Error);
    const std::vector<MatrixCell> away = {{0, 0, 0.5, false}, {0, 1, 0.6, false}, {1, 0, 0.7, false}, {1, 1, 0.8, false}};
    EXPECT_FALSE(additive_fit(away, 2, 2).fit.with_home);
}

}  // namespace
}  // namespace xlrm
