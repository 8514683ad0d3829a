#include "xlrm/stats/intervals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// statsmodels.stats.proportion.proportion_confint(k, n, method="wilson")
TEST(WilsonInterval, EqualsStatsmodels) {
    const Interval most = wilson_interval(80, 100);
    EXPECT_NEAR(most.low, 0.7111708344, 1e-10);
    EXPECT_NEAR(most.high, 0.8666330667, 1e-10);
    const Interval none = wilson_interval(0, 30);
    EXPECT_DOUBLE_EQ(none.low, 0.0);
    EXPECT_NEAR(none.high, 0.1135133932, 1e-10);
    const Interval all = wilson_interval(30, 30);
    EXPECT_NEAR(all.low, 1.0 - 0.1135133932, 1e-10);
    EXPECT_DOUBLE_EQ(all.high, 1.0);
}

TEST(WilsonInterval, EqualsStatsmodelsOnManyCounts) {
    for (const Json& one : test::oracle("wilson")) {
        const Interval interval = wilson_interval(one[0], one[1]);
        EXPECT_NEAR(interval.low, one[2].get<double>(), 1e-13) << one;
        EXPECT_NEAR(interval.high, one[3].get<double>(), 1e-13) << one;
    }
}

TEST(WilsonInterval, RefusesCountsThatAreNoShare) {
    EXPECT_THROW(wilson_interval(0, 0), Error);
    EXPECT_THROW(wilson_interval(-1, 3), Error);
    EXPECT_THROW(wilson_interval(4, 3), Error);
}

// statsmodels' OLS of a constant with cov_type="cluster" and no small-sample factor.
TEST(ClusteredMean, EqualsStatsmodels) {
    for (const Json& one : test::oracle("clustered")) {
        std::vector<std::string> names;
        for (const Json& cluster : one.at("cluster")) names.push_back(cluster.dump());
        const ClusteredMean result = clustered_mean(test::numbers(one.at("values")), names);
        EXPECT_NEAR(result.mean, one.at("mean").get<double>(), 1e-13);
        EXPECT_NEAR(result.standard_error, one.at("se").get<double>(), 1e-13);
    }
}

TEST(ClusteredMean, PairsWidenTheError) {
    const std::vector<double> values{1, 1, 0, 0, 1, 0};
    const ClusteredMean pairs = clustered_mean(values, std::vector<std::string>{"a", "a", "b", "b", "c", "c"});
    EXPECT_DOUBLE_EQ(pairs.mean, 0.5);
    EXPECT_NEAR(pairs.standard_error, 0.2357022604, 1e-10);
    EXPECT_EQ(pairs.clusters, 3);
    EXPECT_EQ(pairs.observations, 6);
    EXPECT_NEAR(pairs.interval.high - pairs.interval.low, 2 * kZ95 * 0.2357022604, 1e-9);
}

TEST(ClusteredMean, SingleMembersGiveThePlainErrorOfAMean) {
    const std::vector<double> values{1, 1, 0, 0, 1, 0};
    const ClusteredMean alone = clustered_mean(values, std::vector<std::string>{"a", "b", "c", "d", "e", "f"});
    EXPECT_NEAR(alone.standard_error, 0.5 / std::sqrt(6.0), 1e-15);
}

TEST(ClusteredMean, OrderOfGroupsDoesNotMatter) {
    const std::vector<double> values{1, 0, 0.5, 1, 0, -1};
    const ClusteredMean first = clustered_mean(values, std::vector<std::string>{"a", "b", "a", "b", "c", "c"});
    const ClusteredMean renamed = clustered_mean(values, std::vector<std::string>{"z", "y", "z", "y", "x", "x"});
    EXPECT_EQ(first.standard_error, renamed.standard_error);
}

TEST(ClusteredMean, RefusesMissingNames) {
    EXPECT_THROW(clustered_mean(std::vector<double>{}, std::vector<std::string>{}), Error);
    EXPECT_THROW(clustered_mean(std::vector<double>{1.0}, std::vector<std::string>{}), Error);
}

}  // namespace
}  // namespace xlrm
