#include "xlrm/stats/calibration.hpp"

#include <gtest/gtest.h>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

const std::vector<double> kMargins = {2, -1, 0.5, 3, -0.2, 1.5, 0.1, -2.5};

TEST(Calibration, EqualsOtherPackages) {
    for (const Json& one : test::oracle("margins")) {
        const auto margins = test::numbers(one.at("margins"));
        EXPECT_NEAR(negative_log_likelihood(margins).value(), one.at("nll").get<double>(), 1e-13);
        EXPECT_NEAR(brier_score(margins).value(), one.at("brier").get<double>(), 1e-13);
        EXPECT_NEAR(expected_calibration_error(equal_mass_bins(margins, 15)).value(), one.at("ece_mass_15").get<double>(), 1e-13);
        // scipy's bounded search ends within about 1e-7.
        EXPECT_NEAR(temperature(margins).value(), one.at("temperature").get<double>(),
                    1e-5 * one.at("temperature").get<double>());
    }
}

TEST(Calibration, EqualsWorkedValues) {
    EXPECT_NEAR(negative_log_likelihood(kMargins).value(), 0.7732115720, 1e-10);
    EXPECT_NEAR(brier_score(kMargins).value(), 0.2635901905, 1e-10);
    const auto bins = equal_width_bins(kMargins, 10);
    EXPECT_NEAR(expected_calibration_error(bins).value(), 0.3070760714, 1e-10);
    EXPECT_NEAR(maximum_calibration_error(bins).value(), 0.9241418200, 1e-10);
    EXPECT_NEAR(temperature(kMargins).value(), 3.1935473, 1e-7);
    std::vector<double> scaled = kMargins;
    for (double& margin : scaled) margin /= temperature(kMargins).value();
    EXPECT_NEAR(negative_log_likelihood(scaled).value(), 0.6606880919, 1e-10);
}

TEST(Calibration, BinsOfEqualMassHoldAllItems) {
    const auto bins = equal_mass_bins(kMargins, 3);
    ASSERT_EQ(bins.size(), 3U);
    EXPECT_EQ(bins[0].items, 3);
    EXPECT_EQ(bins[1].items, 3);
    EXPECT_EQ(bins[2].items, 2);
    EXPECT_EQ(equal_mass_bins(kMargins, 15).size(), 8U);
    EXPECT_THROW(equal_mass_bins(kMargins, 0), Error);
}

TEST(Calibration, SaysWhyThereIsNone) {
    EXPECT_EQ(temperature({}).why(), Undefined::no_items);
    EXPECT_EQ(temperature(std::vector<double>{1, 2}).why(), Undefined::separable);
    EXPECT_EQ(temperature(std::vector<double>{1, -2}).why(), Undefined::no_signal);
    EXPECT_EQ(negative_log_likelihood({}).why(), Undefined::no_items);
    EXPECT_EQ(expected_calibration_error({}).why(), Undefined::no_items);
    EXPECT_NEAR(negative_log_likelihood(std::vector<double>{-800}).value(), 800.0, 1e-9);  // no overflow
}

}  // namespace
}  // namespace xlrm
