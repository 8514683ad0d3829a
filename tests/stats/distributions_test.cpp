#include "xlrm/stats/distributions.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

TEST(Distributions, EqualScipy) {
    for (const Json& one : test::oracle("tails").at("normal_quantile")) {
        const double expected = one[1];
        EXPECT_NEAR(normal_quantile(one[0]), expected, 1e-12 * std::max(1.0, std::abs(expected))) << one;
        EXPECT_NEAR(normal_cdf(expected), one[0].get<double>(), 1e-13);
    }
    for (const Json& one : test::oracle("tails").at("chi_square_tail")) {
        const double expected = one[2];
        EXPECT_NEAR(chi_square_tail(one[0], one[1]), expected, 1e-11 * expected + 1e-15) << one;
    }
}

TEST(Distributions, RefuseWhatTheyAreNotDefinedFor) {
    EXPECT_THROW(normal_quantile(1.5), Error);
    EXPECT_THROW(chi_square_tail(-1.0, 1), Error);
    EXPECT_THROW(chi_square_tail(1.0, 0), Error);
    EXPECT_TRUE(std::isinf(normal_quantile(0.0)));
}

TEST(FairBinomial, SumsToOne) {
    EXPECT_NEAR(fair_binomial_cdf(10, 10), 1.0, 1e-14);
    EXPECT_NEAR(fair_binomial_cdf(0, 10), std::pow(0.5, 10), 1e-15);
    EXPECT_EQ(fair_binomial(11, 10), 0.0);
    EXPECT_NEAR(fair_binomial(2, 4), 6.0 / 16, 1e-15);
}

}  // namespace
}  // namespace xlrm
