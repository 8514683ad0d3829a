#include "xlrm/stats/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

double mean_without(const std::vector<double>& values, std::size_t left_out) {
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += i == left_out ? 0.0 : values[i];
    return sum / static_cast<double>(values.size() - (left_out < values.size() ? 1 : 0));
}

// scipy.stats.bootstrap of two samples, its own resampled values.
TEST(BootstrapInterval, EqualsScipy) {
    for (const Json& one : test::oracle("bootstrap")) {
        const auto first = test::numbers(one.at("first")), second = test::numbers(one.at("second"));
        const auto statistic = [&](std::size_t without_first, std::size_t without_second) {
            return 0.3 * mean_without(first, without_first) + 0.7 * std::pow(mean_without(second, without_second), 3);
        };
        Replicates replicates{statistic(first.size(), second.size()), test::numbers(one.at("resampled")), {}};
        std::vector<std::int32_t> strata;
        for (std::size_t i = 0; i < first.size(); ++i) {
            strata.push_back(0);
            replicates.jackknifed.push_back(statistic(i, second.size()));
        }
        for (std::size_t i = 0; i < second.size(); ++i) {
            strata.push_back(1);
            replicates.jackknifed.push_back(statistic(first.size(), i));
        }
        const auto plain = bootstrap_interval(replicates, strata, IntervalKind::percentile);
        EXPECT_NEAR(plain.low.value(), one.at("percentile")[0].get<double>(), 1e-12);
        EXPECT_NEAR(plain.high.value(), one.at("percentile")[1].get<double>(), 1e-12);
        EXPECT_NEAR(plain.standard_error.value(), one.at("se").get<double>(), 1e-12);
        const auto bca = bootstrap_interval(replicates, strata, IntervalKind::bca);
        EXPECT_NEAR(bca.low.value(), one.at("BCa")[0].get<double>(), 1e-12);
        EXPECT_NEAR(bca.high.value(), one.at("BCa")[1].get<double>(), 1e-12);
        EXPECT_GT(std::abs(bca.high.value() - plain.high.value()), 1e-3);  // the two differ on these data
    }
}

TEST(Resamples, DependOnTheirNumberAlone) {
    const Resamples one({0, 0, 1, 0, 1, 2}, 7), again({0, 0, 1, 0, 1, 2}, 7), other({0, 0, 1, 0, 1, 2}, 8);
    const auto late = one.draw(40);
    EXPECT_EQ(again.draw(40), late);
    bool differs = false;
    for (std::int64_t r = 0; r < 20; ++r) {
        const auto weights = one.draw(r);
        EXPECT_EQ(weights[0] + weights[1] + weights[3], 3.0);  // strata keep their sizes
        EXPECT_EQ(weights[2] + weights[4], 2.0);
        EXPECT_EQ(weights[5], 1.0);
        differs = differs || other.draw(r) != weights;
    }
    EXPECT_TRUE(differs);
    EXPECT_TRUE(one.can_vary());
    EXPECT_FALSE(Resamples({0, 1, 2}, 7).can_vary());
    EXPECT_THROW(Resamples({}, 1), Error);
    EXPECT_THROW(Resamples({-1}, 1), Error);
}

TEST(Replicate, ComputesAllStatisticsOverTheSameResamples) {
    const std::vector<double> values = {1, 5, 2, 8};
    const Resamples resamples({0, 0, 0, 0}, 1);
    const auto all = replicate(resamples, 50, 2, [&](std::span<const double> weights, std::span<double> out) {
        const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
        out[0] = std::inner_product(weights.begin(), weights.end(), values.begin(), 0.0) / total;
        out[1] = 2.0 * out[0];
    });
    EXPECT_DOUBLE_EQ(all[0].value, 4.0);
    ASSERT_EQ(all[0].resampled.size(), 50U);
    for (std::size_t r = 0; r < 50; ++r) EXPECT_DOUBLE_EQ(all[1].resampled[r], 2.0 * all[0].resampled[r]);
    ASSERT_EQ(all[0].jackknifed.size(), 4U);
    EXPECT_DOUBLE_EQ(all[0].jackknifed[1], 11.0 / 3.0);
}

TEST(BootstrapInterval, SaysWhyThereIsNone) {
    const std::vector<std::int32_t> strata = {0, 1};
    const Replicates still{0.5, {0.5, 0.5, 0.5}, {0.5, 0.5}};
    EXPECT_EQ(bootstrap_interval(still, strata, IntervalKind::bca).low.why(), Undefined::no_variation);
    EXPECT_EQ(bootstrap_interval(still, strata, IntervalKind::bca).value.value(), 0.5);
    const double none = std::numeric_limits<double>::quiet_NaN();
    const Replicates broken{0.5, {0.5, none, 0.4}, {0.5, 0.5}};
    EXPECT_EQ(bootstrap_interval(broken, strata, IntervalKind::percentile).low.why(), Undefined::not_identified);
    const Replicates aside{0.9, {0.5, 0.6, 0.4}, {0.5, 0.5}};
    EXPECT_EQ(bootstrap_interval(aside, strata, IntervalKind::bca).low.why(), Undefined::not_identified);
    const Replicates nothing{none, {none}, {none, none}};
    EXPECT_FALSE(bootstrap_interval(nothing, strata, IntervalKind::bca).value.defined());
    EXPECT_THROW(bootstrap_interval(still, strata, IntervalKind::bca, 1.5), Error);
}

}  // namespace
}  // namespace xlrm
