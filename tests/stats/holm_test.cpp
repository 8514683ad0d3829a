#include "xlrm/stats/holm.hpp"

#include <gtest/gtest.h>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

std::vector<Estimate> estimates(const std::vector<double>& p) { return {p.begin(), p.end()}; }

TEST(Holm, EqualsStatsmodels) {
    for (const Json& family : test::oracle("families")) {
        const auto p = estimates(test::numbers(family.at("p")));
        const auto adjusted = holm(p), discovery = benjamini_hochberg(p);
        for (std::size_t i = 0; i < p.size(); ++i) {
            EXPECT_NEAR(adjusted[i].value(), family.at("holm")[i].get<double>(), 1e-15) << family;
            EXPECT_NEAR(discovery[i].value(), family.at("bh")[i].get<double>(), 1e-15) << family;
        }
    }
}

TEST(Holm, EqualsAWorkedExample) {
    const auto adjusted = holm(estimates({0.01, 0.04, 0.03, 0.005}));
    const std::vector<double> expected = {0.03, 0.06, 0.06, 0.02};
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i].value(), expected[i], 1e-15);
}

TEST(Holm, AMemberWithoutAPCounts) {
    const auto adjusted = holm(std::vector<Estimate>{0.01, Undefined::no_discordant_items, 0.2});
    EXPECT_DOUBLE_EQ(adjusted[0].value(), 0.03);
    EXPECT_EQ(adjusted[1].why(), Undefined::no_discordant_items);
    EXPECT_DOUBLE_EQ(adjusted[2].value(), 0.4);
}

TEST(Holm, RefusesWhatIsNoProbability) {
    EXPECT_THROW(holm(std::vector<Estimate>{1.5}), Error);
    EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace xlrm
