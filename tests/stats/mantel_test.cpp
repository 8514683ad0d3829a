#include "xlrm/stats/mantel.hpp"

#include <gtest/gtest.h>

#include "stats/oracle.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

// Every permutation, with scipy's correlations.
TEST(Mantel, EqualsEnumeration) {
    for (const Json& one : test::oracle("mantel")) {
        const auto x = test::numbers(one.at("x")), y = test::numbers(one.at("y"));
        for (const auto& [name, kind] : {std::pair{"pearson", MantelKind::pearson}, {"spearman", MantelKind::spearman}}) {
            const Mantel result = mantel(x, y, one.at("n"), kind);
            EXPECT_NEAR(result.r.value(), one.at(name)[0].get<double>(), 1e-13);
            EXPECT_NEAR(result.p.value(), one.at(name)[1].get<double>(), 1e-13);
            EXPECT_TRUE(result.exact);
            EXPECT_EQ(result.permutations, 120);
        }
    }
}

TEST(Mantel, OfManyLanguagesIsRandomAndRepeatable) {
    Random random(5);
    std::vector<double> x(100), y(100);
    for (double& value : x) value = random.normal();
    for (double& value : y) value = random.normal();
    const Mantel one = mantel(x, y, 10, MantelKind::pearson, 199, 3), again = mantel(x, y, 10, MantelKind::pearson, 199, 3);
    EXPECT_FALSE(one.exact);
    EXPECT_EQ(one.p.value(), again.p.value());
    EXPECT_NEAR(mantel(x, x, 10, MantelKind::pearson, 199, 3).p.value(), 1.0 / 200, 1e-15);
    EXPECT_GT(one.p.value(), 0.01);
}

TEST(Mantel, TheDiagonalIsNotRead) {
    std::vector<double> x = {9, 1, 2, 3, 9, 4, 5, 6, 9}, y = {0, 2, 1, 4, 0, 3, 7, 5, 0};
    const double r = mantel(x, y, 3, MantelKind::pearson).r.value();
    x[0] = -100;
    y[8] = 50;
    EXPECT_EQ(mantel(x, y, 3, MantelKind::pearson).r.value(), r);
}

TEST(Mantel, SaysWhyThereIsNone) {
    const std::vector<double> two(4, 1.0), flat(9, 1.0), x = {0, 1, 2, 3, 0, 4, 5, 6, 0};
    EXPECT_EQ(mantel(two, two, 2, MantelKind::pearson).p.why(), Undefined::too_few_items);
    EXPECT_EQ(mantel(x, flat, 3, MantelKind::pearson).p.why(), Undefined::no_variation);
    EXPECT_THROW(mantel(x, two, 3, MantelKind::pearson), Error);
}

}  // namespace
}  // namespace xlrm
